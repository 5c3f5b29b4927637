-- Signed statements of how audit logs of the control plane ended. Of two for the same rows the first
-- stays, whoever says what afterwards.
CREATE TABLE audit_checkpoint (
    log TEXT NOT NULL,
    row_count BIGINT NOT NULL,
    hash TEXT NOT NULL,
    at TEXT NOT NULL,
    public_key TEXT NOT NULL,
    signature TEXT NOT NULL,
    PRIMARY KEY (log, row_count)
);
