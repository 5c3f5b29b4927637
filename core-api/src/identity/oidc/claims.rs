//! What claims say of somebody (OpenID Connect Core 1.0 §5.1).

use serde_json::{Map, Value};

use crate::domain::people::provider::Known;

/// Groups beyond this are not looked at.
const MAX_GROUPS: usize = 1_000;
/// Longer texts say nothing (`sub` has at most 255 bytes, §2).
const MAX_BYTES: usize = 255;

/// None: there is no subject.
pub(super) fn known(claims: &Map<String, Value>, groups_claim: &str) -> Option<Known> {
    let text = |name: &str| {
        let text = claims.get(name)?.as_str()?;
        (!text.is_empty() && text.len() <= MAX_BYTES).then(|| text.to_owned())
    };
    // Some providers say it as a text.
    let is_verified = match claims.get("email_verified") {
        Some(Value::Bool(is_verified)) => *is_verified,
        Some(Value::String(text)) => text == "true",
        _ => false,
    };
    Some(Known {
        subject: text("sub")?,
        email: text("email").map(|email| (email, is_verified)),
        first_name: text("given_name").or_else(|| part_of_name(&text("name")?, 0)),
        last_name: text("family_name").or_else(|| part_of_name(&text("name")?, 1)),
        groups: is_told(claims, groups_claim).then(|| groups(claims.get(groups_claim))),
    })
}

/// Of whom is in too many groups some providers name only where to ask (OpenID Connect Core 1.0
/// §5.6.2, distributed claims): nobody is taken out of theirs because of that.
fn is_told(claims: &Map<String, Value>, groups_claim: &str) -> bool {
    let elsewhere = claims.get("_claim_names").and_then(Value::as_object);
    elsewhere.is_none_or(|names| !names.contains_key(groups_claim))
}

/// The first word, or what comes after it.
fn part_of_name(name: &str, part: usize) -> Option<String> {
    let part = name.trim().splitn(2, char::is_whitespace).nth(part)?;
    Some(part.trim().to_owned())
}

fn groups(claim: Option<&Value>) -> Vec<String> {
    let one = |value: &Value| value.as_str().map(str::to_owned);
    match claim {
        Some(Value::Array(all)) => all.iter().take(MAX_GROUPS).filter_map(one).collect(),
        Some(value) => one(value).into_iter().collect(),
        None => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn of(claims: &Value) -> Option<Known> {
        known(claims.as_object().unwrap(), "groups")
    }

    #[test]
    fn claims_come_in_several_forms() {
        let ada = of(&json!({
            "sub": "1", "email": "ada@example.com", "email_verified": "true",
            "name": "Ada King Lovelace", "groups": ["a", 5, "b"],
        }));
        let ada = ada.unwrap();
        assert_eq!(ada.email, Some(("ada@example.com".to_owned(), true)));
        assert_eq!(ada.first_name.as_deref(), Some("Ada"));
        assert_eq!(ada.last_name.as_deref(), Some("King Lovelace"));
        assert_eq!(ada.groups.unwrap(), ["a", "b"]);
        let bare = of(&json!({"sub": "1", "groups": "a", "email": "a@b.c"})).unwrap();
        assert_eq!(bare.email, Some(("a@b.c".to_owned(), false)));
        assert_eq!(bare.first_name, None);
        assert_eq!(bare.groups.unwrap(), ["a"]);
        let many = of(&json!({"sub": "1", "_claim_names": {"groups": "src1"}}));
        assert_eq!(many.unwrap().groups, None);
        assert_eq!(of(&json!({"sub": ""})), None);
        assert_eq!(of(&json!({"sub": 7})), None);
        assert_eq!(of(&json!({"sub": "x".repeat(256)})), None);
    }
}
