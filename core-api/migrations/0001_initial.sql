-- Control-plane store. TEXT and BIGINT only (a flag is BIGINT 0/1): the same file serves SQLite and
-- PostgreSQL through one driver. Ids are UUID text, moments RFC 3339 UTC with milliseconds, sealed
-- bytes base64, lists JSON text. `revision` of a row: the newest one that changed it.
-- `name_key` is the name in lower case, for search and sort.

-- One row: the newest revision, bumped in every mutating transaction.
CREATE TABLE revision (
    id BIGINT PRIMARY KEY CHECK (id = 1),
    newest BIGINT NOT NULL
);
INSERT INTO revision (id, newest) VALUES (1, 0);

CREATE TABLE region (
    region_name TEXT PRIMARY KEY,
    base_url TEXT,
    sealing_public_key TEXT,
    -- Of the client certificate of the last enrolment; no other one is let in.
    identity_digest TEXT,
    -- Everything up to here is durable in the region.
    stored_revision BIGINT NOT NULL DEFAULT 0,
    -- Removals up to here were purged from `change`.
    log_horizon BIGINT NOT NULL DEFAULT 0,
    created_at TEXT NOT NULL
);

CREATE TABLE enrolment_token (
    token_digest TEXT PRIMARY KEY,
    region_name TEXT NOT NULL REFERENCES region (region_name),
    expires_at TEXT NOT NULL,
    used_at TEXT
);

-- What each region has to hear of: the newest revision of each record it holds.
-- An organisation's row stands in every region (region_name '*').
CREATE TABLE change (
    region_name TEXT NOT NULL,
    kind TEXT NOT NULL,
    record_id TEXT NOT NULL,
    revision BIGINT NOT NULL,
    is_removed BIGINT NOT NULL,
    PRIMARY KEY (region_name, kind, record_id)
);
CREATE INDEX change_by_revision ON change (region_name, revision);
CREATE INDEX change_removed ON change (region_name, revision) WHERE is_removed = 1;

CREATE TABLE organisation (
    organisation_id TEXT PRIMARY KEY,
    organisation_name TEXT NOT NULL,
    name_key TEXT NOT NULL,
    plan TEXT NOT NULL CHECK (plan IN ('basic', 'team', 'business')),
    status TEXT NOT NULL CHECK (status IN ('active', 'suspended')),
    requests_per_minute BIGINT,
    requests_per_day BIGINT,
    credential_requests_per_minute BIGINT,
    api_requests_per_minute BIGINT,
    -- JSON list of region names; empty for all.
    allowed_regions TEXT NOT NULL,
    created_at TEXT NOT NULL,
    updated_at TEXT NOT NULL,
    created_by TEXT NOT NULL,
    revision BIGINT NOT NULL
);

CREATE TABLE user_account (
    user_id TEXT PRIMARY KEY,
    email TEXT NOT NULL,
    first_name TEXT NOT NULL,
    last_name TEXT NOT NULL,
    name_key TEXT NOT NULL,
    created_at TEXT NOT NULL,
    updated_at TEXT NOT NULL,
    revision BIGINT NOT NULL
);

CREATE TABLE member (
    organisation_id TEXT NOT NULL REFERENCES organisation (organisation_id),
    user_id TEXT NOT NULL REFERENCES user_account (user_id),
    -- JSON list of owner, admin, user.
    roles TEXT NOT NULL,
    created_at TEXT NOT NULL,
    updated_at TEXT NOT NULL,
    created_by TEXT NOT NULL,
    revision BIGINT NOT NULL,
    PRIMARY KEY (organisation_id, user_id)
);
CREATE INDEX member_by_user ON member (user_id);

CREATE TABLE user_token (
    token_id TEXT PRIMARY KEY,
    user_id TEXT NOT NULL REFERENCES user_account (user_id),
    token_name TEXT NOT NULL,
    name_key TEXT NOT NULL,
    token_prefix TEXT NOT NULL,
    token_digest TEXT NOT NULL,
    expires_at TEXT,
    last_used_at TEXT,
    created_at TEXT NOT NULL,
    revision BIGINT NOT NULL,
    CONSTRAINT user_token_digest UNIQUE (token_digest)
);
CREATE INDEX user_token_by_user ON user_token (user_id);

CREATE TABLE operator_token (
    token_digest TEXT PRIMARY KEY,
    created_at TEXT NOT NULL
);

CREATE TABLE invite (
    invite_id TEXT PRIMARY KEY,
    organisation_id TEXT NOT NULL REFERENCES organisation (organisation_id),
    email TEXT NOT NULL,
    -- The e-mail address in lower case.
    name_key TEXT NOT NULL,
    roles TEXT NOT NULL,
    token_digest TEXT NOT NULL,
    expires_at TEXT NOT NULL,
    accepted_at TEXT,
    created_at TEXT NOT NULL,
    created_by TEXT NOT NULL,
    revision BIGINT NOT NULL,
    CONSTRAINT invite_digest UNIQUE (token_digest)
);
CREATE INDEX invite_by_organisation ON invite (organisation_id);

CREATE TABLE credential (
    credential_id TEXT PRIMARY KEY,
    organisation_id TEXT NOT NULL REFERENCES organisation (organisation_id),
    region_name TEXT NOT NULL REFERENCES region (region_name),
    credential_name TEXT NOT NULL,
    name_key TEXT NOT NULL,
    credential_side TEXT NOT NULL CHECK (credential_side IN ('proxy', 'target')),
    auth_type TEXT NOT NULL,
    default_rule_effect TEXT NOT NULL CHECK (default_rule_effect IN ('allow', 'deny')),
    is_active BIGINT NOT NULL CHECK (is_active IN (0, 1)),
    -- Of the secret: +1 for every new one.
    version BIGINT NOT NULL,
    -- Sealed to the region; NULL once the region has it, and where there is no secret.
    sealed_secret TEXT,
    -- Revision at which the present secret was set.
    secret_revision BIGINT NOT NULL,
    created_at TEXT NOT NULL,
    updated_at TEXT NOT NULL,
    created_by TEXT NOT NULL,
    revision BIGINT NOT NULL,
    CONSTRAINT credential_home UNIQUE (organisation_id, region_name, credential_id)
);
CREATE INDEX credential_list ON credential (organisation_id, created_at, credential_id);
CREATE INDEX credential_sealed ON credential (region_name, secret_revision)
    WHERE sealed_secret IS NOT NULL;

CREATE TABLE target (
    target_id TEXT PRIMARY KEY,
    organisation_id TEXT NOT NULL REFERENCES organisation (organisation_id),
    region_name TEXT NOT NULL REFERENCES region (region_name),
    target_name TEXT NOT NULL,
    name_key TEXT NOT NULL,
    base_url TEXT NOT NULL,
    test_path TEXT,
    default_rule_effect TEXT NOT NULL CHECK (default_rule_effect IN ('allow', 'deny')),
    created_at TEXT NOT NULL,
    updated_at TEXT NOT NULL,
    created_by TEXT NOT NULL,
    revision BIGINT NOT NULL,
    CONSTRAINT target_home UNIQUE (organisation_id, region_name, target_id)
);
CREATE INDEX target_list ON target (organisation_id, created_at, target_id);

CREATE TABLE proxy (
    proxy_id TEXT PRIMARY KEY,
    organisation_id TEXT NOT NULL REFERENCES organisation (organisation_id),
    region_name TEXT NOT NULL REFERENCES region (region_name),
    proxy_name TEXT NOT NULL,
    name_key TEXT NOT NULL,
    -- As last bound; stays when the record is deleted by force.
    target_id TEXT NOT NULL,
    target_credential_id TEXT NOT NULL,
    -- The same while the record exists, else NULL: one organisation, one region.
    live_target_id TEXT,
    live_target_credential_id TEXT,
    is_active BIGINT NOT NULL CHECK (is_active IN (0, 1)),
    default_rule_effect TEXT NOT NULL CHECK (default_rule_effect IN ('allow', 'deny')),
    timeout_seconds BIGINT NOT NULL,
    max_requests_per_minute BIGINT,
    max_requests_per_day BIGINT,
    max_response_bytes BIGINT NOT NULL,
    max_inspected_bytes BIGINT NOT NULL,
    alias TEXT,
    created_at TEXT NOT NULL,
    updated_at TEXT NOT NULL,
    created_by TEXT NOT NULL,
    revision BIGINT NOT NULL,
    CONSTRAINT proxy_home UNIQUE (organisation_id, region_name, proxy_id),
    CONSTRAINT proxy_alias UNIQUE (region_name, alias),
    CONSTRAINT proxy_target FOREIGN KEY (organisation_id, region_name, live_target_id)
        REFERENCES target (organisation_id, region_name, target_id),
    CONSTRAINT proxy_target_credential
        FOREIGN KEY (organisation_id, region_name, live_target_credential_id)
        REFERENCES credential (organisation_id, region_name, credential_id)
);
CREATE INDEX proxy_list ON proxy (organisation_id, created_at, proxy_id);
CREATE INDEX proxy_by_target ON proxy (live_target_id);
CREATE INDEX proxy_by_target_credential ON proxy (live_target_credential_id);

CREATE TABLE proxy_credential (
    proxy_id TEXT NOT NULL,
    credential_id TEXT NOT NULL,
    organisation_id TEXT NOT NULL,
    region_name TEXT NOT NULL,
    -- 0-based; the first match in this order counts.
    position BIGINT NOT NULL,
    PRIMARY KEY (proxy_id, credential_id),
    CONSTRAINT proxy_credential_proxy FOREIGN KEY (organisation_id, region_name, proxy_id)
        REFERENCES proxy (organisation_id, region_name, proxy_id),
    CONSTRAINT proxy_credential_credential
        FOREIGN KEY (organisation_id, region_name, credential_id)
        REFERENCES credential (organisation_id, region_name, credential_id)
);
CREATE INDEX proxy_credential_by_credential ON proxy_credential (credential_id);

-- Answers of POST requests that carried an Idempotency-Key, without generated secrets.
CREATE TABLE idempotency (
    -- A user id, `operator` or `anonymous`.
    owner TEXT NOT NULL,
    path TEXT NOT NULL,
    idempotency_key TEXT NOT NULL,
    body_digest TEXT NOT NULL,
    -- NULL while the first request runs.
    status BIGINT,
    headers TEXT,
    body TEXT,
    started_at TEXT NOT NULL,
    PRIMARY KEY (owner, path, idempotency_key)
);
CREATE INDEX idempotency_by_age ON idempotency (started_at);
