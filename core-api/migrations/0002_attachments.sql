-- What is attached to credentials, targets and proxies. It goes with what it is attached to, and
-- it can only be attached to something of its own organisation and region (composite keys).
-- Exactly one of credential_id, target_id, proxy_id is set. `conditions`, `paths` and `extraction`
-- are JSON text as the API shows them. `size_bytes` is what the record takes of the room that the
-- attachments of one record have together. `name_key` of what has no name is its notes.

CREATE TABLE rule (
    rule_id TEXT PRIMARY KEY,
    organisation_id TEXT NOT NULL,
    region_name TEXT NOT NULL,
    credential_id TEXT,
    target_id TEXT,
    proxy_id TEXT,
    effect TEXT NOT NULL CHECK (effect IN ('allow', 'deny')),
    priority BIGINT NOT NULL,
    is_active BIGINT NOT NULL CHECK (is_active IN (0, 1)),
    conditions TEXT NOT NULL,
    notes TEXT,
    name_key TEXT NOT NULL,
    size_bytes BIGINT NOT NULL,
    created_at TEXT NOT NULL,
    updated_at TEXT NOT NULL,
    created_by TEXT NOT NULL,
    revision BIGINT NOT NULL,
    CONSTRAINT rule_attached CHECK ((credential_id IS NOT NULL AND target_id IS NULL AND proxy_id IS NULL)
        OR (credential_id IS NULL AND target_id IS NOT NULL AND proxy_id IS NULL)
        OR (credential_id IS NULL AND target_id IS NULL AND proxy_id IS NOT NULL)),
    CONSTRAINT rule_credential FOREIGN KEY (organisation_id, region_name, credential_id)
        REFERENCES credential (organisation_id, region_name, credential_id) ON DELETE CASCADE,
    CONSTRAINT rule_target FOREIGN KEY (organisation_id, region_name, target_id)
        REFERENCES target (organisation_id, region_name, target_id) ON DELETE CASCADE,
    CONSTRAINT rule_proxy FOREIGN KEY (organisation_id, region_name, proxy_id)
        REFERENCES proxy (organisation_id, region_name, proxy_id) ON DELETE CASCADE
);
CREATE INDEX rule_by_credential ON rule (credential_id) WHERE credential_id IS NOT NULL;
CREATE INDEX rule_by_target ON rule (target_id) WHERE target_id IS NOT NULL;
CREATE INDEX rule_by_proxy ON rule (proxy_id) WHERE proxy_id IS NOT NULL;

-- Called a filter in the API.
CREATE TABLE redaction (
    filter_id TEXT PRIMARY KEY,
    organisation_id TEXT NOT NULL,
    region_name TEXT NOT NULL,
    credential_id TEXT,
    target_id TEXT,
    proxy_id TEXT,
    operation TEXT NOT NULL CHECK (operation IN ('retain', 'destroy')),
    paths TEXT NOT NULL,
    is_active BIGINT NOT NULL CHECK (is_active IN (0, 1)),
    conditions TEXT NOT NULL,
    notes TEXT,
    name_key TEXT NOT NULL,
    size_bytes BIGINT NOT NULL,
    created_at TEXT NOT NULL,
    updated_at TEXT NOT NULL,
    created_by TEXT NOT NULL,
    revision BIGINT NOT NULL,
    CONSTRAINT redaction_attached CHECK ((credential_id IS NOT NULL AND target_id IS NULL AND proxy_id IS NULL)
        OR (credential_id IS NULL AND target_id IS NOT NULL AND proxy_id IS NULL)
        OR (credential_id IS NULL AND target_id IS NULL AND proxy_id IS NOT NULL)),
    CONSTRAINT redaction_credential FOREIGN KEY (organisation_id, region_name, credential_id)
        REFERENCES credential (organisation_id, region_name, credential_id) ON DELETE CASCADE,
    CONSTRAINT redaction_target FOREIGN KEY (organisation_id, region_name, target_id)
        REFERENCES target (organisation_id, region_name, target_id) ON DELETE CASCADE,
    CONSTRAINT redaction_proxy FOREIGN KEY (organisation_id, region_name, proxy_id)
        REFERENCES proxy (organisation_id, region_name, proxy_id) ON DELETE CASCADE
);
CREATE INDEX redaction_by_credential ON redaction (credential_id) WHERE credential_id IS NOT NULL;
CREATE INDEX redaction_by_target ON redaction (target_id) WHERE target_id IS NOT NULL;
CREATE INDEX redaction_by_proxy ON redaction (proxy_id) WHERE proxy_id IS NOT NULL;

CREATE TABLE meter (
    meter_id TEXT PRIMARY KEY,
    organisation_id TEXT NOT NULL,
    region_name TEXT NOT NULL,
    proxy_id TEXT NOT NULL,
    meter_name TEXT NOT NULL,
    meter_type TEXT NOT NULL CHECK (meter_type IN ('request_count', 'response_value')),
    is_active BIGINT NOT NULL CHECK (is_active IN (0, 1)),
    -- NULL for request_count.
    extraction TEXT,
    conditions TEXT NOT NULL,
    limit_minute BIGINT,
    limit_hour BIGINT,
    limit_day BIGINT,
    limit_month BIGINT,
    name_key TEXT NOT NULL,
    size_bytes BIGINT NOT NULL,
    created_at TEXT NOT NULL,
    updated_at TEXT NOT NULL,
    created_by TEXT NOT NULL,
    revision BIGINT NOT NULL,
    CONSTRAINT meter_proxy FOREIGN KEY (organisation_id, region_name, proxy_id)
        REFERENCES proxy (organisation_id, region_name, proxy_id) ON DELETE CASCADE
);
CREATE INDEX meter_by_proxy ON meter (proxy_id);
