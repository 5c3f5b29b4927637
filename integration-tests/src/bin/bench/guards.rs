//! Twenty rules over the four layers and two meters, as an API of some size would have them.
//!
//! No rule denies the measured call, and the rule that allows it is the last of each layer, so all
//! of them are evaluated.

use serde_json::{Value, json};

use crate::stack::{BenchProxy, BenchStack};

/// Attaches the rules.
pub(crate) async fn attach_rules(stack: &BenchStack, proxy: &BenchProxy) -> anyhow::Result<()> {
    let to = &proxy.bindings;
    let layers = [
        (
            format!("credentials/{}", to.proxy_credential_id),
            of_caller(),
        ),
        (
            format!("credentials/{}", to.target_credential_id),
            of_target_credential(),
        ),
        (format!("targets/{}", to.target_id), of_target()),
        (format!("proxies/{}", proxy.proxy_id), of_proxy()),
    ];
    for (record, denials) in layers {
        for rule in denials.into_iter().map(deny).chain([allow()]) {
            stack.attach(&format!("{record}/rules"), &rule).await?;
        }
    }
    Ok(())
}

/// Attaches the meters.
pub(crate) async fn attach_meters(stack: &BenchStack, proxy: &BenchProxy) -> anyhow::Result<()> {
    for meter in meters() {
        let path = format!("proxies/{}/meters", proxy.proxy_id);
        stack.attach(&path, &meter).await?;
    }
    Ok(())
}

fn deny(mut conditions: Value) -> Value {
    conditions["effect"] = "deny".into();
    conditions
}

fn allow() -> Value {
    json!({"effect": "allow", "priority": 100, "methods": ["GET"], "path": {"pattern": "^/v1/"}})
}

fn of_caller() -> [Value; 4] {
    [
        json!({"methods": ["DELETE"], "path": {"pattern": "^/v1/"}}),
        json!({"path": {"pattern": "^/v[0-9]+/admin(/|$)", "flags": "i"}}),
        json!({"headers": [{"name": {"pattern": "^x-debug$"}}]}),
        json!({"query": [{"name": {"pattern": "^(token|key)$"}}]}),
    ]
}

fn of_target_credential() -> [Value; 4] {
    [
        json!({"methods": ["GET"], "path": {"pattern": "^/v1/internal/"}}),
        json!({"headers": [{"name": {"pattern": "^user-agent$"}, "value": {"pattern": "(curl|wget)/[0-9.]+", "flags": "i"}}]}),
        json!({"path": {"pattern": "^/v1/exports/[0-9]+$"}, "query": [{"name": {"pattern": "^limit$"}, "value": {"pattern": "^[0-9]{4,}$"}}]}),
        json!({"methods": ["POST", "PUT"], "path": {"pattern": "^/v1/keys"}}),
    ]
}

fn of_target() -> [Value; 4] {
    [
        json!({"path": {"pattern": r"\.(bak|old|sql)$"}}),
        json!({"methods": ["PATCH"], "path": {"pattern": "^/v1/accounts/[0-9a-f-]{36}/"}}),
        json!({"headers": [{"name": {"pattern": "^content-type$"}, "value": {"pattern": "^application/xml"}}]}),
        json!({"query": [{"name": {"pattern": "^include$"}, "value": {"pattern": "(^|,)secrets(,|$)"}}]}),
    ]
}

fn of_proxy() -> [Value; 4] {
    [
        json!({"methods": ["GET"], "path": {"pattern": "^/v1/(ledgers|payouts)/[0-9]+/raw$"}}),
        json!({"headers": [{"name": {"pattern": "^x-forwarded-host$"}, "value": {"pattern": r"\.internal$"}}]}),
        json!({"query": [{"name": {"pattern": "^debug$"}, "value": {"pattern": "^(1|true)$"}}]}),
        json!({"methods": ["OPTIONS"]}),
    ]
}

fn meters() -> [Value; 2] {
    [
        json!({"meterName": "all", "meterType": "request_count", "limits": {"minute": 1_000_000_000}}),
        json!({"meterName": "reads", "meterType": "request_count",
            "conditions": {"methods": ["GET"], "path": {"pattern": "^/v1/"}}}),
    ]
}
