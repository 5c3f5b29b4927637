-- What users say of themselves besides their name, and to whom it is shown.
ALTER TABLE user_account ADD COLUMN phone TEXT;
ALTER TABLE user_account ADD COLUMN bio TEXT;
ALTER TABLE user_account ADD COLUMN visibility TEXT NOT NULL DEFAULT 'colleagues'
    CHECK (visibility IN ('colleagues', 'none'));
-- The address in lower case that the user has shown to be theirs; NULL: none yet. Invites to it are
-- shown to them.
ALTER TABLE user_account ADD COLUMN proved_address TEXT;
CREATE INDEX invite_by_address ON invite (name_key);
