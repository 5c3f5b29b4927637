-- What workers of Envoys let through: as each told it last, hour by hour. Counts only grow.

CREATE TABLE usage_count (
    organisation_id TEXT NOT NULL,
    -- Unix time in milliseconds, as below.
    start_ms BIGINT NOT NULL,
    proxy_id TEXT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('credential', 'meter')),
    share_id TEXT NOT NULL,
    -- 32 hexadecimal digits; empty: the sum of several that say nothing more of that hour.
    worker_id TEXT NOT NULL,
    admitted BIGINT NOT NULL,
    refused BIGINT NOT NULL,
    value_micros BIGINT NOT NULL,
    PRIMARY KEY (organisation_id, start_ms, proxy_id, kind, share_id, worker_id)
);
CREATE INDEX usage_count_by_start ON usage_count (start_ms);

-- Workers that may tell more, and when they were last heard.
CREATE TABLE usage_worker (
    worker_id TEXT PRIMARY KEY,
    heard_ms BIGINT NOT NULL
);

-- Hours in which a worker ended: what it let through last may be missing.
CREATE TABLE usage_uncertain (
    start_ms BIGINT PRIMARY KEY
);
