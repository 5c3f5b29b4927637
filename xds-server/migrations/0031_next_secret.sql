-- Second secrets of target credentials.

CREATE TABLE next_secret (
    credential_id TEXT PRIMARY KEY,
    version BIGINT NOT NULL,
    -- As in `credential`; one of them is null.
    secret TEXT,
    problem TEXT,
    -- Unix time in milliseconds from which targets are given it; 0: they are given the first.
    given_from_ms BIGINT NOT NULL,
    -- 1: they are given it.
    is_given BIGINT NOT NULL,
    -- When targets were given the first again, because they refused this one; 0: never.
    failed_at_ms BIGINT NOT NULL
);
