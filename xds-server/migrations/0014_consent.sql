-- Of credentials whose owner consents at the provider.

-- Number of the last consent that came, of this version of the secret; 0 for none.
ALTER TABLE token ADD COLUMN consent BIGINT NOT NULL DEFAULT 0;
-- An envelope: the code that it brought, until it was shown to the provider; null: none.
ALTER TABLE token ADD COLUMN consent_code TEXT;
