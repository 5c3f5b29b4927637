-- What was told about a record that is gone is looked for by its id.
CREATE INDEX notification_by_resource ON notification (resource_id) WHERE resource_id IS NOT NULL;
