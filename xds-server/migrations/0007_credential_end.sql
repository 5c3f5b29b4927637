-- When a credential ends, Unix time in milliseconds; 0: never.
ALTER TABLE credential ADD COLUMN ends_at_ms BIGINT NOT NULL DEFAULT 0;
