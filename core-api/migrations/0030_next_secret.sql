-- The second secret of a target credential.

-- Of that secret; null: there is none.
ALTER TABLE credential ADD COLUMN next_version BIGINT;
-- From when on targets are given it; null: not before somebody says so.
ALTER TABLE credential ADD COLUMN next_switch_at TEXT;
-- When its region went back to the secret before, because targets refused this one.
ALTER TABLE credential ADD COLUMN next_failed_at TEXT;
-- Sealed to the region; NULL once the region has it.
ALTER TABLE credential ADD COLUMN sealed_next TEXT;
-- Revision at which it came.
ALTER TABLE credential ADD COLUMN next_revision BIGINT NOT NULL DEFAULT 0;

CREATE INDEX credential_sealed_next ON credential (region_name, next_revision)
    WHERE sealed_next IS NOT NULL;
