-- Signed statements of how audit logs ended, and which regions have yet to be given them.

ALTER TABLE audit_head ADD COLUMN checkpoint_count BIGINT NOT NULL DEFAULT 0;
-- Of the last checkpoint; empty: there is none.
ALTER TABLE audit_head ADD COLUMN checkpoint_at TEXT NOT NULL DEFAULT '';
CREATE INDEX audit_head_due ON audit_head (checkpoint_at) WHERE row_count > checkpoint_count;

CREATE TABLE audit_checkpoint (
    log TEXT NOT NULL,
    row_count BIGINT NOT NULL,
    at TEXT NOT NULL,
    -- JSON, as exports have it.
    document TEXT NOT NULL,
    PRIMARY KEY (log, row_count)
);
CREATE INDEX audit_checkpoint_by_time ON audit_checkpoint (at);

CREATE TABLE audit_undelivered (
    region_name TEXT NOT NULL,
    log TEXT NOT NULL,
    row_count BIGINT NOT NULL,
    PRIMARY KEY (region_name, log, row_count)
);
