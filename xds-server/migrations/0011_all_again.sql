-- Ends of credentials, former secrets and types of credentials that an older region server did not
-- know: the control plane sends everything again.
UPDATE region_state SET stored_revision = 0;
