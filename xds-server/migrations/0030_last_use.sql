-- When a call last used the credential, Unix time in milliseconds; 0: none did.
ALTER TABLE credential ADD COLUMN used_at_ms BIGINT NOT NULL DEFAULT 0;
