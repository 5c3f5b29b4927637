-- When a credential ends; null: never.
ALTER TABLE credential ADD COLUMN expires_at TEXT;
