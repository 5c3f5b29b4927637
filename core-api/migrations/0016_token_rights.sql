-- What a user token is limited to; NULL: to nothing. JSON lists of roles and of organisation ids.
ALTER TABLE user_token ADD COLUMN roles TEXT;
ALTER TABLE user_token ADD COLUMN client_ids TEXT;
-- Of its last use.
ALTER TABLE user_token ADD COLUMN last_used_address TEXT;
