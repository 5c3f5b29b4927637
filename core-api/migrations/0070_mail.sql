-- Letters that are to be sent. What lets somebody in is made when its letter is, and never lies here.
CREATE TABLE letter (
    letter_id TEXT PRIMARY KEY,
    -- What it says: `invite`, `reset` (of a password) or `notices` (notifications).
    kind TEXT NOT NULL CHECK (kind IN ('invite', 'reset', 'notices')),
    -- Of what: the organisation and the invite, `ID/ID`; the address in lower case that somebody signs
    -- in with; the user.
    about TEXT NOT NULL,
    created_at TEXT NOT NULL,
    -- Not tried before.
    due_at TEXT NOT NULL,
    attempts BIGINT NOT NULL DEFAULT 0,
    -- One that may not soon be sent again stays for a while.
    sent_at TEXT,
    CONSTRAINT letter_once UNIQUE (kind, about)
);
CREATE INDEX letter_by_due ON letter (due_at) WHERE sent_at IS NULL;

-- What users are to be told in their next letter.
CREATE TABLE letter_notice (
    user_id TEXT NOT NULL REFERENCES user_account (user_id) ON DELETE CASCADE,
    notification_id TEXT NOT NULL REFERENCES notification (notification_id) ON DELETE CASCADE,
    PRIMARY KEY (user_id, notification_id)
);
CREATE INDEX letter_notice_by_notification ON letter_notice (notification_id);

-- Whether it is among the letters of whoever wants it by mail. Those of before never will be.
ALTER TABLE notification ADD COLUMN is_mailed BIGINT NOT NULL DEFAULT 1 CHECK (is_mailed IN (0, 1));
CREATE INDEX notification_unmailed ON notification (created_at) WHERE is_mailed = 0;
