-- Who changed what: one chain of rows for each organisation (`client:ID`), for each user's own
-- account (`user:ID`) and for the operator (`operator`).

-- Where each chain ends. Its row is locked while one row is added, so a chain has no branches.
CREATE TABLE audit_head (
    log TEXT PRIMARY KEY,
    -- Rows that were ever added.
    row_count BIGINT NOT NULL,
    -- Of the last row, in hexadecimal; of a chain without one, zeros.
    hash TEXT NOT NULL
);

-- Neither of organisations nor of users: rows outlive both.
CREATE TABLE audit_row (
    log TEXT NOT NULL,
    -- From 1, without gaps.
    number BIGINT NOT NULL,
    -- The row as it was hashed (RFC 8785 JSON). What follows repeats parts of it, to find it by.
    document TEXT NOT NULL,
    at TEXT NOT NULL,
    actor_id TEXT NOT NULL,
    action TEXT NOT NULL,
    resource_type TEXT NOT NULL,
    resource_id TEXT NOT NULL,
    previous_hash TEXT NOT NULL,
    hash TEXT NOT NULL,
    PRIMARY KEY (log, number)
);
CREATE INDEX audit_row_by_actor ON audit_row (log, actor_id, number);
CREATE INDEX audit_row_by_resource ON audit_row (log, resource_id, number);
