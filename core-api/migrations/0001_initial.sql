-- Control-plane store. TEXT, BIGINT and BOOLEAN only: the same file serves SQLite and PostgreSQL.
-- Ids are UUID text, moments RFC 3339 UTC with milliseconds, sealed bytes base64.

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
    -- Everything up to here is durable in the region.
    stored_revision BIGINT NOT NULL DEFAULT 0,
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
    is_removed BOOLEAN NOT NULL,
    PRIMARY KEY (region_name, kind, record_id)
);
CREATE INDEX change_by_revision ON change (region_name, revision);
