-- Sign-in at browsers. Digests are SHA-256 of random values: nothing here lets anybody in.

CREATE TABLE user_password (
    user_id TEXT PRIMARY KEY REFERENCES user_account (user_id),
    -- The user's address in lower case: of those who have a password no two have the same.
    login_key TEXT NOT NULL,
    -- Argon2id, in the PHC format.
    password_hash TEXT NOT NULL,
    updated_at TEXT NOT NULL,
    CONSTRAINT user_password_login UNIQUE (login_key)
);

CREATE TABLE browser_session (
    session_id TEXT PRIMARY KEY,
    user_id TEXT NOT NULL REFERENCES user_account (user_id),
    session_digest TEXT NOT NULL,
    user_agent TEXT,
    -- The user agent in lower case.
    name_key TEXT NOT NULL,
    -- From where it was last used.
    address TEXT NOT NULL,
    created_at TEXT NOT NULL,
    last_used_at TEXT NOT NULL,
    -- However much it is used.
    expires_at TEXT NOT NULL,
    CONSTRAINT browser_session_digest UNIQUE (session_digest)
);
CREATE INDEX browser_session_by_user ON browser_session (user_id);
CREATE INDEX browser_session_by_end ON browser_session (expires_at);

-- What lets its holder choose a user's password, once.
CREATE TABLE password_token (
    token_digest TEXT PRIMARY KEY,
    user_id TEXT NOT NULL REFERENCES user_account (user_id),
    -- `setup` also chooses the address.
    purpose TEXT NOT NULL CHECK (purpose IN ('setup', 'reset')),
    expires_at TEXT NOT NULL
);
CREATE INDEX password_token_by_user ON password_token (user_id);
