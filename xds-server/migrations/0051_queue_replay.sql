-- What a replay of a request that has ended takes over from it.
ALTER TABLE queued_request ADD COLUMN ordering TEXT;
ALTER TABLE queued_request ADD COLUMN stops BIGINT NOT NULL DEFAULT 0;
ALTER TABLE queued_request ADD COLUMN timeout_ms BIGINT NOT NULL DEFAULT 30000;
