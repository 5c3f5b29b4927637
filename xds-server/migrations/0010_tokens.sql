-- Tokens that the region obtains for target credentials.

CREATE TABLE token (
    credential_id TEXT PRIMARY KEY,
    -- Of the secret that it was obtained with; that of the credential, or the row is of the past.
    version BIGINT NOT NULL,
    -- +1 with everything that is learnt; who writes says which one it has read.
    serial BIGINT NOT NULL,
    -- Envelopes as the filter's policy carries them; null: there is no token yet.
    injections TEXT,
    -- An envelope; null: none.
    refresh_token TEXT,
    expires_at_ms BIGINT,
    refreshed_at_ms BIGINT,
    -- When to ask; null: not before there is another secret.
    next_at_ms BIGINT,
    attempts BIGINT NOT NULL,
    error_code TEXT,
    error_text TEXT,
    is_permanent BIGINT NOT NULL,
    -- Who asks the provider now, and until when nobody else does.
    lease_holder TEXT,
    lease_until_ms BIGINT NOT NULL
);

CREATE INDEX token_by_next ON token (next_at_ms);
