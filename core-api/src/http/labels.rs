//! `labels` of every record that has them: one reader for POST, PUT and PATCH.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::body::Body;
use crate::domain::label::{InvalidLabel, LabelKey, LabelValue, Labels, MAX_LABELS};
use requestrocket_policy::form::problem::{Fault, Problems};

/// The member.
const LABELS: &str = "labels";

/// How labels were sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sent {
    /// As what they are to be.
    Whole,
    /// As a merge patch: a null ends one.
    Patch,
}

impl Sent {
    /// A patch may name all that there are, to be gone, and as many new ones.
    fn most(self) -> usize {
        match self {
            Self::Whole => MAX_LABELS,
            Self::Patch => 2 * MAX_LABELS,
        }
    }
}

/// As answers show them.
pub(crate) fn shown(labels: &Labels) -> BTreeMap<String, String> {
    let own = |(key, value): (&str, &str)| (key.to_owned(), value.to_owned());
    labels.texts().into_iter().map(own).collect()
}

/// Takes the labels of a new record out of what was sent.
pub(crate) fn take_new(body: &mut Body, problems: &mut Problems) -> Option<Labels> {
    let sent = body.take(LABELS).unwrap_or_default();
    merged(BTreeMap::new(), (sent, Sent::Whole), problems)
}

/// Takes the labels out of what was sent of something that is only tried.
pub(crate) fn take_tried(object: &mut Map<String, Value>, problems: &mut Problems) {
    let sent = object.remove(LABELS).unwrap_or_default();
    let _unused = merged(BTreeMap::new(), (sent, Sent::Whole), problems);
}

/// Takes the labels that a record with `current` ones is to have out of what was sent, and out of
/// what is `shown` of it. PUT without them clears them; PATCH merges them pair by pair.
pub(crate) fn take_changed(
    body: &mut Body,
    shown: &mut Map<String, Value>,
    current: &Labels,
    problems: &mut Problems,
) -> Option<Labels> {
    shown.remove(LABELS);
    if !body.is_patch() {
        return take_new(body, problems);
    }
    match body.take(LABELS) {
        None => Some(current.clone()),
        Some(Value::Null) => Some(Labels::default()),
        Some(sent) => merged(current.pairs().clone(), (sent, Sent::Patch), problems),
    }
}

fn merged(
    mut pairs: BTreeMap<LabelKey, LabelValue>,
    (sent, how): (Value, Sent),
    problems: &mut Problems,
) -> Option<Labels> {
    let sent = match sent {
        Value::Object(sent) => sent,
        Value::Null => Map::new(),
        Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
            problems.add(Fault::ValidationFailed, LABELS, "must be an object");
            return None;
        }
    };
    if sent.len() > how.most() {
        let text = format!("must name at most {} labels", how.most());
        problems.add(Fault::ValidationFailed, LABELS, text);
        return None;
    }
    let mut is_whole = true;
    for (name, value) in &sent {
        match pair(name, value, how) {
            Ok((key, Some(value))) => {
                pairs.insert(key, value);
            }
            Ok((key, None)) => {
                pairs.remove(&key);
            }
            Err(text) => {
                is_whole = false;
                problems.add(Fault::ValidationFailed, format!("{LABELS}.{name}"), text);
            }
        }
    }
    match Labels::new(pairs) {
        Ok(labels) => is_whole.then_some(labels),
        Err(error) => {
            problems.add(Fault::ValidationFailed, LABELS, error.to_string());
            None
        }
    }
}

fn pair(name: &str, value: &Value, how: Sent) -> Result<(LabelKey, Option<LabelValue>), String> {
    let said = |invalid: InvalidLabel| invalid.to_string();
    let key = name.parse().map_err(said)?;
    match value {
        Value::String(text) => Ok((key, Some(text.parse().map_err(said)?))),
        Value::Null if how == Sent::Patch => Ok((key, None)),
        _ => Err("must be a string".to_owned()),
    }
}
