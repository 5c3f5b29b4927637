-- Whom an OpenID provider means by a subject.
CREATE TABLE user_identity (
    -- Its name in the settings.
    provider TEXT NOT NULL,
    subject TEXT NOT NULL,
    user_id TEXT NOT NULL REFERENCES user_account (user_id) ON DELETE CASCADE,
    created_at TEXT NOT NULL,
    PRIMARY KEY (provider, subject)
);
CREATE INDEX user_identity_by_user ON user_identity (user_id);

-- Whose groups made somebody a member; NULL: somebody did. Only those are changed by groups.
ALTER TABLE member ADD COLUMN provider TEXT;

-- By whom somebody signed in; NULL: by a password.
ALTER TABLE browser_session ADD COLUMN provider TEXT;
