-- Pairs by which people find records again: one JSON object of texts, keys in order, no blanks.
ALTER TABLE organisation ADD COLUMN labels TEXT NOT NULL DEFAULT '{}';
ALTER TABLE credential ADD COLUMN labels TEXT NOT NULL DEFAULT '{}';
ALTER TABLE target ADD COLUMN labels TEXT NOT NULL DEFAULT '{}';
ALTER TABLE proxy ADD COLUMN labels TEXT NOT NULL DEFAULT '{}';
ALTER TABLE rule ADD COLUMN labels TEXT NOT NULL DEFAULT '{}';
ALTER TABLE redaction ADD COLUMN labels TEXT NOT NULL DEFAULT '{}';
ALTER TABLE meter ADD COLUMN labels TEXT NOT NULL DEFAULT '{}';
