-- Hosts that a target credential may be given to, with blanks between them; null for all.
ALTER TABLE credential ADD COLUMN allowed_hosts TEXT;
