-- Targets that the region calls now and then, to see whether they answer.

-- Seconds between two calls; 0: none.
ALTER TABLE target ADD COLUMN check_seconds BIGINT NOT NULL DEFAULT 0;
-- What they are asked for; empty: `/`.
ALTER TABLE target ADD COLUMN test_path TEXT NOT NULL DEFAULT '';

CREATE INDEX target_checked ON target (target_id) WHERE check_seconds > 0;
