-- What people are told of: by an organisation (`client:ID`), of their own account (`user:ID`) or of
-- the whole installation (`system`).
CREATE TABLE notification (
    notification_id TEXT PRIMARY KEY,
    owner TEXT NOT NULL,
    kind TEXT NOT NULL,
    severity TEXT NOT NULL CHECK (severity IN ('info', 'warning', 'critical')),
    -- Of an organisation's: 0 for all members, 1 for those who see members.
    audience BIGINT NOT NULL CHECK (audience IN (0, 1)),
    title TEXT NOT NULL,
    message TEXT NOT NULL,
    -- Title and message in lower case.
    name_key TEXT NOT NULL,
    resource_type TEXT,
    resource_id TEXT,
    -- Why, in words of ours: of one owner nothing is told twice. What goes on has one that begins
    -- with `while:`, and loses it at its end.
    cause TEXT NOT NULL,
    created_at TEXT NOT NULL,
    CONSTRAINT notification_once UNIQUE (owner, cause)
);
CREATE INDEX notification_by_owner ON notification (owner, created_at);
CREATE INDEX notification_by_cause ON notification (cause);
CREATE INDEX notification_by_age ON notification (created_at);

CREATE TABLE notification_read (
    notification_id TEXT NOT NULL REFERENCES notification (notification_id) ON DELETE CASCADE,
    user_id TEXT NOT NULL REFERENCES user_account (user_id),
    PRIMARY KEY (notification_id, user_id)
);
CREATE INDEX notification_read_by_user ON notification_read (user_id);

-- Only where a user wants something else than what is usual.
CREATE TABLE notification_preference (
    user_id TEXT NOT NULL REFERENCES user_account (user_id),
    kind TEXT NOT NULL,
    in_app BIGINT NOT NULL CHECK (in_app IN (0, 1)),
    email BIGINT NOT NULL CHECK (email IN (0, 1)),
    PRIMARY KEY (user_id, kind)
);

-- Browsers with which a user signed in before.
CREATE TABLE known_device (
    user_id TEXT NOT NULL REFERENCES user_account (user_id),
    -- SHA-256 of what the browser says it is, and of the network that it came from.
    device_digest TEXT NOT NULL,
    seen_at TEXT NOT NULL,
    PRIMARY KEY (user_id, device_digest)
);

CREATE INDEX user_by_proved_address ON user_account (proved_address);

-- When its link was last known to be up; NULL: it never was.
ALTER TABLE region ADD COLUMN seen_at TEXT;

-- What ends soon is looked for often.
CREATE INDEX credential_by_end ON credential (expires_at) WHERE expires_at IS NOT NULL;
CREATE INDEX user_token_by_end ON user_token (expires_at) WHERE expires_at IS NOT NULL;
