-- Until when the secret before the present one is accepted; null: it is not.
ALTER TABLE credential ADD COLUMN previous_until TEXT;
