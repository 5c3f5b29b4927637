-- Of credentials whose owner consents at a provider.

-- JSON: where that is; null: nobody has to consent.
ALTER TABLE credential ADD COLUMN consent_page TEXT;
-- How often somebody consented with the present secret.
ALTER TABLE credential ADD COLUMN consent BIGINT NOT NULL DEFAULT 0;
-- 1: nobody has ever consented; lists leave it out, and it goes by itself.
ALTER TABLE credential ADD COLUMN is_temporary BIGINT NOT NULL DEFAULT 0;
-- JSON: what the last consent brought, sealed to the region; NULL once the region has it.
ALTER TABLE credential ADD COLUMN sealed_consent TEXT;
-- Revision at which that came.
ALTER TABLE credential ADD COLUMN consent_revision BIGINT NOT NULL DEFAULT 0;

CREATE INDEX credential_sealed_consent ON credential (region_name, consent_revision)
    WHERE sealed_consent IS NOT NULL;
CREATE INDEX credential_temporary ON credential (created_at) WHERE is_temporary = 1;

-- Somebody was sent to a provider and has not come back: one for each credential at most.
CREATE TABLE consent_request (
    credential_id TEXT PRIMARY KEY REFERENCES credential (credential_id) ON DELETE CASCADE,
    organisation_id TEXT NOT NULL,
    -- SHA-256 of what the provider sends back.
    state_digest TEXT NOT NULL,
    -- Of the secret that is consented to.
    version BIGINT NOT NULL,
    -- With whose rights the answer is taken.
    user_id TEXT NOT NULL,
    redirect_uri TEXT NOT NULL,
    -- Sealed to the region; null: the provider knows of none.
    sealed_verifier TEXT,
    expires_at TEXT NOT NULL,
    CONSTRAINT consent_request_state UNIQUE (state_digest)
);
