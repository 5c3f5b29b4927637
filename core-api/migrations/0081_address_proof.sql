-- Whether a letter, or a provider, has shown the address to be the user's. An invite whose token the
-- inviter saw, or a set-up token, shows only whom somebody trusted with it.
ALTER TABLE user_account ADD COLUMN is_address_sure BIGINT NOT NULL DEFAULT 0
    CHECK (is_address_sure IN (0, 1));
-- Whether the token that counts was only ever in a letter.
ALTER TABLE invite ADD COLUMN is_by_letter BIGINT NOT NULL DEFAULT 0 CHECK (is_by_letter IN (0, 1));
-- Nobody is two people to one provider.
CREATE UNIQUE INDEX user_identity_once ON user_identity (provider, user_id);
