-- Where an organisation wants to be told of what people are told of.
CREATE TABLE webhook (
    webhook_id TEXT PRIMARY KEY,
    organisation_id TEXT NOT NULL REFERENCES organisation (organisation_id),
    url TEXT NOT NULL,
    -- The URL in lower case.
    name_key TEXT NOT NULL,
    -- Of what: a JSON list of kinds; NULL: of all that the organisation is told of.
    kinds TEXT,
    is_active BIGINT NOT NULL CHECK (is_active IN (0, 1)),
    -- What messages are signed with, sealed with the key of the store.
    secret TEXT NOT NULL,
    -- When a message was taken last; since when none was; why the last one was not.
    delivered_at TEXT,
    failing_since TEXT,
    last_error TEXT,
    created_at TEXT NOT NULL,
    updated_at TEXT NOT NULL,
    created_by TEXT NOT NULL,
    revision BIGINT NOT NULL
);
CREATE INDEX webhook_by_organisation ON webhook (organisation_id, created_at);

-- Messages that wait until they are taken, or were tried often enough.
CREATE TABLE webhook_delivery (
    delivery_id TEXT PRIMARY KEY,
    webhook_id TEXT NOT NULL REFERENCES webhook (webhook_id) ON DELETE CASCADE,
    organisation_id TEXT NOT NULL,
    -- What it tells, which may be gone before.
    notification_id TEXT NOT NULL,
    -- Each time the same bytes.
    body TEXT NOT NULL,
    created_at TEXT NOT NULL,
    -- Not tried before. While it is being sent: when somebody else may take it for lost.
    due_at TEXT NOT NULL,
    attempts BIGINT NOT NULL DEFAULT 0,
    CONSTRAINT webhook_delivery_once UNIQUE (webhook_id, notification_id)
);
CREATE INDEX webhook_delivery_by_due ON webhook_delivery (due_at);

-- Whether it is among the messages of whoever wants it. Those of before never will be.
ALTER TABLE notification ADD COLUMN is_posted BIGINT NOT NULL DEFAULT 1 CHECK (is_posted IN (0, 1));
CREATE INDEX notification_unposted ON notification (created_at) WHERE is_posted = 0;
