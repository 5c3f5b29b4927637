-- Region store. TEXT and BIGINT only: the same file serves SQLite and PostgreSQL.
-- Ids are UUID text, flags 0 or 1, envelopes and encoded secrets base64.

-- One row.
CREATE TABLE region_state (
    id BIGINT PRIMARY KEY CHECK (id = 1),
    -- Everything up to here is stored; 0 asks for a full sync.
    stored_revision BIGINT NOT NULL,
    -- An envelope under the region key: opening it shows that the key is the right one.
    key_check TEXT NOT NULL,
    -- Public half of sealing.key.
    sealing_public_key TEXT NOT NULL
);

CREATE TABLE organisation (
    organisation_id TEXT PRIMARY KEY,
    is_suspended BIGINT NOT NULL,
    -- Wrapped by the region key.
    data_key TEXT NOT NULL,
    -- Wrapped by the data key.
    digest_key TEXT NOT NULL
);

CREATE TABLE credential (
    credential_id TEXT PRIMARY KEY,
    organisation_id TEXT NOT NULL,
    side TEXT NOT NULL CHECK (side IN ('proxy', 'target')),
    is_active BIGINT NOT NULL,
    version BIGINT NOT NULL,
    -- Digests or envelopes as the filter's policy carries them; null: unusable.
    secret TEXT,
    -- Why it is unusable.
    problem TEXT,
    CHECK ((secret IS NULL) <> (problem IS NULL))
);

CREATE TABLE target (
    target_id TEXT PRIMARY KEY,
    organisation_id TEXT NOT NULL,
    base_url TEXT NOT NULL
);

-- Targets and credentials may be gone: no foreign keys.
CREATE TABLE proxy (
    proxy_id TEXT PRIMARY KEY,
    organisation_id TEXT NOT NULL,
    is_active BIGINT NOT NULL,
    target_id TEXT NOT NULL,
    target_credential_id TEXT NOT NULL,
    timeout_seconds BIGINT NOT NULL,
    max_response_bytes BIGINT NOT NULL,
    alias TEXT
);
CREATE INDEX proxy_by_organisation ON proxy (organisation_id);
CREATE INDEX proxy_by_target ON proxy (target_id);
CREATE INDEX proxy_by_target_credential ON proxy (target_credential_id);

CREATE TABLE proxy_credential (
    proxy_id TEXT NOT NULL REFERENCES proxy (proxy_id) ON DELETE CASCADE,
    position BIGINT NOT NULL,
    credential_id TEXT NOT NULL,
    PRIMARY KEY (proxy_id, position)
);
CREATE INDEX proxy_credential_by_credential ON proxy_credential (credential_id);
