-- What is attached to records: rules, redactions, meters and limits, base64 of the encoded messages
-- of the filter's policy. Null in rows that are older than this file: such a row refuses.

ALTER TABLE organisation ADD COLUMN credential_limits TEXT;

ALTER TABLE credential ADD COLUMN layer TEXT;

ALTER TABLE target ADD COLUMN layer TEXT;

ALTER TABLE proxy ADD COLUMN layer TEXT;
ALTER TABLE proxy ADD COLUMN limits TEXT;
-- One encoded meter after the other, each after its length.
ALTER TABLE proxy ADD COLUMN meters TEXT;
ALTER TABLE proxy ADD COLUMN max_inspected_bytes BIGINT;

-- The control plane sends everything again.
UPDATE region_state SET stored_revision = 0;
