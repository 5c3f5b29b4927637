-- Hosts that a target credential may be given to, with blanks between them; empty for all. What an
-- older region server was told of them is not stored: the control plane sends everything again.
ALTER TABLE credential ADD COLUMN allowed_hosts TEXT NOT NULL DEFAULT '';
UPDATE region_state SET stored_revision = 0;
