-- Keys that the region fetches for proxy credentials, as the filter's policy carries them. They are
-- looked after as tokens are; null: there are none, or it is a token.

ALTER TABLE token ADD COLUMN verification_keys TEXT;
