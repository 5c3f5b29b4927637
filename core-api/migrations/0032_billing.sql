-- What organisations paid and what they used. Amounts are decimal text: no unit of money is rounded.

-- One row: since when calls are charged (Unix time in milliseconds, the start of an hour).
CREATE TABLE billing (
    id BIGINT PRIMARY KEY CHECK (id = 1),
    start_ms BIGINT NOT NULL
);

-- Its row is locked while an amount changes.
CREATE TABLE billing_account (
    organisation_id TEXT PRIMARY KEY REFERENCES organisation (organisation_id),
    balance TEXT NOT NULL,
    -- The newest entry above zero.
    last_credit TEXT NOT NULL,
    -- What follows from them; regions are told when `organisation` has it.
    standing TEXT NOT NULL CHECK (standing IN ('ok', 'low', 'suspended'))
);

CREATE TABLE billing_entry (
    entry_id TEXT PRIMARY KEY,
    organisation_id TEXT NOT NULL REFERENCES organisation (organisation_id),
    -- From 1, in the order of the organisation's entries.
    number BIGINT NOT NULL,
    amount TEXT NOT NULL,
    note TEXT NOT NULL,
    created_at TEXT NOT NULL,
    UNIQUE (organisation_id, number)
);

-- What was charged, by month (UTC): `2026-11`.
CREATE TABLE billing_month (
    organisation_id TEXT NOT NULL REFERENCES organisation (organisation_id),
    month TEXT NOT NULL,
    spent TEXT NOT NULL,
    PRIMARY KEY (organisation_id, month)
);

-- How much of what a region told was charged.
CREATE TABLE billing_usage (
    organisation_id TEXT NOT NULL REFERENCES organisation (organisation_id),
    region_name TEXT NOT NULL,
    -- The hour, Unix time in milliseconds.
    start_ms BIGINT NOT NULL,
    -- Empty: calls.
    meter_id TEXT NOT NULL,
    -- Calls; of a meter, what it counted in millionths.
    quantity BIGINT NOT NULL,
    PRIMARY KEY (organisation_id, region_name, start_ms, meter_id)
);
CREATE INDEX billing_usage_by_region ON billing_usage (region_name, start_ms);

ALTER TABLE organisation ADD COLUMN standing TEXT NOT NULL DEFAULT 'ok'
    CHECK (standing IN ('ok', 'low', 'suspended'));
