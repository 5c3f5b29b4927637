//! Rules the plainest way: straight from the wire, a regular expression engine, and loops.

use proptest::{prelude::*, sample::select};
use regex::Regex;

use super::{naive_json::Value, *};

/// A call to be had from `Sent`, owned.
#[derive(Clone, Debug)]
pub(crate) struct Plain {
    pub(crate) method: &'static str,
    pub(crate) path: &'static str,
    pub(crate) query: &'static str,
    pub(crate) headers: Vec<(&'static str, &'static str)>,
    /// Text and what it is; none while it is not there.
    pub(crate) body: Option<(&'static str, Kind)>,
    pub(crate) claims: Option<&'static str>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Json,
    Other,
    Unreadable,
}

impl Plain {
    pub(crate) fn sent(&self) -> Sent<'_> {
        Sent {
            method: self.method,
            path: self.path,
            query: self.query,
            headers: &self.headers,
            body: self.body.map(|(text, _)| text.as_bytes()),
            claims: self.claims,
        }
    }
}

/// A name with either of `-` and `_` wherever there is one.
fn spellings(name: &str) -> Vec<String> {
    let mut spelled = vec![String::new()];
    for char in name.chars() {
        let either: &[char] = if "-_".contains(char) {
            &['-', '_']
        } else {
            &[char]
        };
        let longer = spelled.iter().flat_map(|start| {
            let each = either.iter();
            each.map(|char| format!("{start}{char}"))
                .collect::<Vec<_>>()
        });
        spelled = longer.collect();
    }
    spelled
}

/// One condition, tried the plain way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Tried {
    Holds,
    Fails,
    NeedsBody,
    Unreadable,
}

/// What a layer decides.
pub(crate) fn decide(layer: &wire::Layer, call: &Plain) -> LayerDecision {
    let mut rules: Vec<_> = layer.rules.iter().collect();
    rules.sort_by_key(|rule| {
        let is_allow = rule.effect == i32::from(wire::Effect::Allow);
        (1_000 - rule.priority, is_allow, rule.rule_id.clone())
    });
    for rule in rules {
        let is_allow = rule.effect == i32::from(wire::Effect::Allow);
        let tried = conditions(&rule.conditions.clone().unwrap_or_default(), call, is_allow);
        let effect = if is_allow {
            Effect::Allow
        } else {
            Effect::Deny
        };
        let id = rule.rule_id.parse().unwrap();
        match tried.into_iter().find(|tried| *tried != Tried::Holds) {
            None => return LayerDecision::Decided(effect, DecidedBy::Rule(id)),
            Some(Tried::NeedsBody) => return LayerDecision::NeedsBody,
            Some(Tried::Unreadable) => return UNREADABLE,
            Some(Tried::Fails | Tried::Holds) => {}
        }
    }
    if layer.default_effect == i32::from(wire::Effect::Allow) {
        ALLOWED
    } else {
        DENIED
    }
}

fn conditions(conditions: &wire::Conditions, call: &Plain, is_allow: bool) -> Vec<Tried> {
    let mut tried = Vec::new();
    if !conditions.methods.is_empty() {
        let is_listed = |method: &str| conditions.methods.iter().any(|one| one == method);
        tried.push(fact(
            is_listed(call.method) || call.method == "HEAD" && is_listed("GET"),
        ));
    }
    if let Some(path) = &conditions.path {
        let is_match = regex(path.pattern.as_ref().unwrap(), "").is_match(call.path);
        tried.push(fact(is_match != is_absent(path.presence)));
    }
    for header in &conditions.headers {
        let name = regex(header.name.as_ref().unwrap(), "i");
        let lines = call.headers.iter().filter(|(other, _)| {
            let is_hidden = other.eq_ignore_ascii_case("authorization");
            !is_hidden && spellings(other).iter().any(|one| name.is_match(one))
        });
        let values: Vec<_> = lines.map(|(_, value)| (*value).to_owned()).collect();
        tried.push(judge(
            &values,
            header.value.as_ref(),
            header.presence,
            is_allow,
        ));
    }
    for parameter in &conditions.query {
        let name = regex(parameter.name.as_ref().unwrap(), "");
        let pairs = call.query.split('&').filter(|one| !one.is_empty());
        let pairs = pairs.map(|one| one.split_once('=').unwrap_or((one, "")));
        let named = pairs.filter(|(other, _)| name.is_match(&decoded(other)));
        let values: Vec<_> = named.map(|(_, value)| decoded(value)).collect();
        tried.push(judge(
            &values,
            parameter.value.as_ref(),
            parameter.presence,
            is_allow,
        ));
    }
    for claim in &conditions.claims {
        let nodes = call.claims.map(|text| nodes(text, &claim.path));
        let nodes = nodes.unwrap_or_default();
        tried.push(judge(
            &nodes,
            claim.value.as_ref(),
            claim.presence,
            is_allow,
        ));
    }
    for node in &conditions.body {
        tried.push(match call.body {
            None => Tried::NeedsBody,
            Some((_, Kind::Unreadable)) => Tried::Unreadable,
            Some((_, Kind::Other)) => judge(&[], node.value.as_ref(), node.presence, is_allow),
            Some((text, Kind::Json)) => {
                let nodes = nodes(text, &node.path);
                judge(&nodes, node.value.as_ref(), node.presence, is_allow)
            }
        });
    }
    tried
}

fn fact(holds: bool) -> Tried {
    if holds { Tried::Holds } else { Tried::Fails }
}

fn is_absent(presence: i32) -> bool {
    presence == i32::from(wire::Presence::Absent)
}

fn judge(
    values: &[String],
    pattern: Option<&wire::Pattern>,
    presence: i32,
    is_allow: bool,
) -> Tried {
    let matching = values
        .iter()
        .filter(|value| pattern.is_none_or(|pattern| regex(pattern, "").is_match(value.as_str())))
        .count();
    fact(if is_absent(presence) {
        matching == 0
    } else if is_allow {
        matching > 0 && matching == values.len()
    } else {
        matching > 0
    })
}

fn regex(pattern: &wire::Pattern, flags: &str) -> Regex {
    let flags = format!("{flags}{}", pattern.flags);
    let prefix = if flags.is_empty() {
        String::new()
    } else {
        format!("(?{flags})")
    };
    Regex::new(&format!("{prefix}{}", pattern.pattern)).unwrap()
}

fn nodes(text: &str, path: &str) -> Vec<String> {
    let nodes = Value::parse(text).unwrap().select(path);
    nodes.iter().map(Value::text).collect()
}

/// Of the two escapes that calls here are written with.
fn decoded(text: &str) -> String {
    text.replace('+', " ")
        .replace("%31", "1")
        .replace("%6e", "n")
}

/// Words of [`rules::conditions`].
const CONDITIONS: [&str; 25] = [
    "GET",
    "POST",
    "DELETE",
    "p:^/a",
    "!p:b$",
    "p:.",
    "h:^X-A$=^1$",
    "!h:^x-a$=2",
    "h:^x-",
    "h:^x_a$=^1$",
    "!h:^x_[a_]$",
    "h:^[a-z_]+$=^1$",
    "h:.=^1$",
    "q:^n$=^1$",
    "q:n=\\s",
    "!q:n",
    "!q:^n$=^1$",
    "b:$.n=^1$",
    "!b:$.n",
    "b:$..n=1",
    "b:$.a[*]=1",
    "!b:$.a[*]=1",
    "c:$.n=^1$",
    "!c:$.n",
    "c:$.a[*]=1",
];

const DOCUMENTS: [(&str, Kind); 17] = [
    ("", Kind::Other),
    ("n=1", Kind::Other),
    ("{}", Kind::Json),
    ("1", Kind::Json),
    ("{\"n\":1}", Kind::Json),
    ("{\"n\":1,\"n\":2}", Kind::Json),
    ("{\"n\":2,\"\\u006e\":\"1\"}", Kind::Json),
    ("{\"a\":[1,2,\"1\"]}", Kind::Json),
    ("{\"a\":[1],\"a\":[1]}", Kind::Json),
    ("{\"a\":[{\"n\":1}],\"n\":{\"n\":[2]}}", Kind::Json),
    // No member of theirs is any that a condition looks for.
    ("{} {}", Kind::Other),
    ("{}x", Kind::Other),
    ("[1,]", Kind::Other),
    ("{\"n\":1,\"a\":[1]", Kind::Unreadable),
    ("{} {n:1,a:[1]}", Kind::Unreadable),
    ("{\"a\":[1],\"\\u006e\":1}x", Kind::Unreadable),
    ("[{'n':1,'a':[1]},]", Kind::Unreadable),
];

pub(crate) fn rule_text() -> impl Strategy<Value = String> {
    let conditions = proptest::collection::vec(select(&CONDITIONS[..]), 0..4);
    let head = (select(vec!["allow", "deny"]), select(vec![0, 500, 501]));
    (head, conditions).prop_map(|((effect, priority), conditions)| {
        let path = conditions
            .iter()
            .rposition(|word| word.trim_start_matches('!').starts_with("p:"));
        // One condition of the path, as on the wire.
        let words = conditions.iter().enumerate().filter(|(at, word)| {
            !word.trim_start_matches('!').starts_with("p:") || path == Some(*at)
        });
        let words: Vec<_> = words.map(|(_, word)| *word).collect();
        format!("{effect} {priority} {}", words.join(" "))
    })
}

pub(crate) fn layer_of_rules() -> impl Strategy<Value = wire::Layer> {
    let rules = proptest::collection::vec(rule_text(), 0..6);
    (select(vec!["allow", "deny"]), rules).prop_map(|(default_effect, rules)| {
        let rules: Vec<_> = rules.iter().map(String::as_str).collect();
        rules::layer(default_effect, &rules)
    })
}

pub(crate) fn call() -> impl Strategy<Value = Plain> {
    let line = (
        select(vec!["x-a", "X-A", "x_a", "x-b", "x_-", "authorization"]),
        select(vec!["1", "2", ""]),
    );
    (
        select(vec!["GET", "HEAD", "POST", "DELETE"]),
        select(vec!["/", "/a", "/a/b", "/b"]),
        select(vec![
            "", "n", "n=1", "n=2", "n=1&n=1", "n=1&n=2", "%6e=%31", "nn=1+1&m", "&",
        ]),
        proptest::collection::vec(line, 0..3),
        proptest::option::weighted(0.8, select(&DOCUMENTS[..])),
        proptest::option::of(select(vec![
            "{}",
            "{\"n\":1}",
            "{\"n\":2,\"n\":1,\"a\":[1,3]}",
        ])),
    )
        .prop_map(|(method, path, query, headers, body, claims)| Plain {
            method,
            path,
            query,
            headers,
            body,
            claims,
        })
}
