-- What each run of an Envoy counted; one row a counter, window and run. Counts only grow.

CREATE TABLE counter (
    kind TEXT NOT NULL CHECK (kind IN ('plan', 'proxy', 'meter')),
    counter_id TEXT NOT NULL,
    window_name TEXT NOT NULL CHECK (window_name IN ('minute', 'hour', 'day', 'month')),
    -- Unix time in milliseconds.
    start_ms BIGINT NOT NULL,
    end_ms BIGINT NOT NULL,
    -- 32 hexadecimal digits.
    incarnation TEXT NOT NULL,
    own_micros BIGINT NOT NULL,
    PRIMARY KEY (kind, counter_id, window_name, start_ms, incarnation)
);
CREATE INDEX counter_by_end ON counter (end_ms);
