-- The digests of the secret before the present one, as in `secret`; null: none is accepted.
ALTER TABLE credential ADD COLUMN previous_secret TEXT;
-- Until when they are accepted, Unix time in milliseconds.
ALTER TABLE credential ADD COLUMN previous_ends_at_ms BIGINT NOT NULL DEFAULT 0;
