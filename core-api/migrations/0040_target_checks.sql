-- Targets that their region calls now and then, to see whether they answer.

-- Seconds between two calls; null: none.
ALTER TABLE target ADD COLUMN check_seconds BIGINT;
-- What the last call came to; all null: none is known of.
ALTER TABLE target ADD COLUMN health_checked_at TEXT;
-- 1: it was answered.
ALTER TABLE target ADD COLUMN health_is_reachable BIGINT;
ALTER TABLE target ADD COLUMN health_status BIGINT;
-- What people take it for: 1 until two calls in a row say otherwise.
ALTER TABLE target ADD COLUMN health_is_settled_reachable BIGINT NOT NULL DEFAULT 1;
