-- What the rules, filters and meters of a record weigh when the engine compiles them: all that one
-- proxy brings together is bounded. 16: a layer without any.
ALTER TABLE credential ADD COLUMN attached_weight BIGINT NOT NULL DEFAULT 16;
ALTER TABLE target ADD COLUMN attached_weight BIGINT NOT NULL DEFAULT 16;
ALTER TABLE proxy ADD COLUMN attached_weight BIGINT NOT NULL DEFAULT 16;
