-- Requests that were accepted and are delivered later, and what became of them.
CREATE TABLE queued_request (
    request_id TEXT PRIMARY KEY,
    organisation_id TEXT NOT NULL,
    proxy_id TEXT NOT NULL,
    credential_id TEXT NOT NULL,
    target_id TEXT NOT NULL,
    -- The request whose replay it is; null: it came from a caller.
    replay_of TEXT,
    created_at_ms BIGINT NOT NULL,
    keep_response_ms BIGINT NOT NULL,
    has_callback BIGINT NOT NULL,
    -- How it ended; null: it has not, and is in queued_ready.
    ended TEXT CHECK (ended IN ('succeeded', 'failed', 'cancelled')),
    reason TEXT,
    ended_at_ms BIGINT,
    -- When the response goes, and when the row goes.
    response_until_ms BIGINT,
    forget_at_ms BIGINT,
    -- Envelopes under the organisation's data key; null: not kept any more, or not yet there.
    request BYTEA,
    response BYTEA
);
CREATE INDEX queued_request_by_proxy ON queued_request (proxy_id, created_at_ms, request_id);
CREATE INDEX queued_request_by_organisation ON queued_request (organisation_id);
CREATE INDEX queued_request_by_forget ON queued_request (forget_at_ms) WHERE forget_at_ms IS NOT NULL;
CREATE INDEX queued_request_by_response ON queued_request (response_until_ms)
    WHERE response_until_ms IS NOT NULL;

-- Those that have not ended, without anything that is large.
CREATE TABLE queued_ready (
    request_id TEXT PRIMARY KEY,
    organisation_id TEXT NOT NULL,
    proxy_id TEXT NOT NULL,
    target_id TEXT NOT NULL,
    -- Digest of the proxy and the ordering key; null: any order.
    ordering TEXT,
    -- Its place; those of an ordering have different ones.
    place BIGINT NOT NULL,
    -- If it fails, those behind it wait.
    stops BIGINT NOT NULL,
    -- It has failed, and those behind it wait.
    is_over BIGINT NOT NULL,
    bytes BIGINT NOT NULL,
    -- What an attempt may take.
    timeout_ms BIGINT NOT NULL,
    attempts BIGINT NOT NULL,
    -- Rises with each lease.
    token BIGINT NOT NULL,
    -- Of the last attempt; 0: there was none.
    started_at_ms BIGINT NOT NULL,
    -- 0: nobody has it.
    lease_until_ms BIGINT NOT NULL,
    -- When it may be had: with a lease, its end. Null: it is behind another of its ordering, or over.
    due_ms BIGINT,
    deadline_ms BIGINT NOT NULL
);
CREATE INDEX queued_ready_by_due ON queued_ready (target_id, due_ms, place);
CREATE INDEX queued_ready_leased ON queued_ready (target_id, lease_until_ms)
    WHERE lease_until_ms > 0;
CREATE INDEX queued_ready_by_deadline ON queued_ready (deadline_ms);
CREATE INDEX queued_ready_by_ordering ON queued_ready (ordering, place) WHERE ordering IS NOT NULL;
CREATE INDEX queued_ready_by_organisation ON queued_ready (organisation_id);

-- The last place that was given within an ordering; who changes what is in it locks its row first.
CREATE TABLE queued_ordering (
    ordering TEXT PRIMARY KEY,
    place BIGINT NOT NULL,
    used_at_ms BIGINT NOT NULL
);

-- Attempts that are over. Without a duration: nobody knows what became of it.
CREATE TABLE queued_attempt (
    request_id TEXT NOT NULL,
    number BIGINT NOT NULL,
    started_at_ms BIGINT NOT NULL,
    duration_ms BIGINT,
    status BIGINT,
    error TEXT,
    PRIMARY KEY (request_id, number)
);

-- Targets of requests: whether they answer, and how much may begin. Who claims locks the row first.
CREATE TABLE queued_target (
    target_id TEXT PRIMARY KEY,
    organisation_id TEXT NOT NULL,
    failures_in_a_row BIGINT NOT NULL,
    -- The newest in the lowest bit; 1: a failure.
    outcomes BIGINT NOT NULL,
    outcomes_seen BIGINT NOT NULL,
    -- Null: the breaker is closed.
    probe_at_ms BIGINT,
    is_probing BIGINT NOT NULL,
    -- Up to when the rate is spent, in microseconds.
    rate_mark_us BIGINT NOT NULL,
    claimed_at_ms BIGINT NOT NULL,
    is_paused BIGINT NOT NULL,
    used_at_ms BIGINT NOT NULL
);

-- Proxies whose requests are not delivered for now.
CREATE TABLE queued_proxy (
    proxy_id TEXT PRIMARY KEY,
    organisation_id TEXT NOT NULL,
    is_paused BIGINT NOT NULL,
    -- It was inactive or incomplete; looked at again then.
    held_until_ms BIGINT NOT NULL
);

-- Idempotency keys that were used: digests of proxy, credential and key.
CREATE TABLE queued_idempotency (
    digest TEXT PRIMARY KEY,
    organisation_id TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    request_id TEXT NOT NULL,
    expires_at_ms BIGINT NOT NULL
);
CREATE INDEX queued_idempotency_by_end ON queued_idempotency (expires_at_ms);
