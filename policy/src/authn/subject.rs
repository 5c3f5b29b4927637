//! Whom a token that was found right is about.

use std::borrow::Cow;

use super::token::claims;
use crate::jose::{Object, Value};

/// Claims that name somebody, the first that does; the last two name a program.
const NAMING: [&str; 3] = ["sub", "client_id", "azp"];

/// Of what was presented.
pub(crate) fn subject(value: &[u8]) -> Option<String> {
    named_in(&claims(value)?)
}

/// Of what such a token says, or its server says of it: JSON text.
pub(crate) fn named_in(claims: &str) -> Option<String> {
    let claims = Object::parse(claims.as_bytes()).ok()?;
    let named = NAMING.into_iter().filter_map(|name| claims.get(name));
    let mut named = named.filter_map(Value::into_text);
    named.find(|text| !text.is_empty()).map(Cow::into_owned)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::tokens::unsigned;

    #[test]
    fn the_first_claim_that_names_somebody_counts() {
        for (claims, want) in [
            (r#"{"sub":"s","client_id":"c","azp":"a"}"#, Some("s")),
            (r#"{"client_id":"c","azp":"a"}"#, Some("c")),
            (r#"{"sub":"","azp":"a"}"#, Some("a")),
            (r#"{"sub":7,"client_id":["c"]}"#, None),
            (r#"{"sub":"ä\u001b"}"#, Some("ä\u{1b}")),
            ("[]", None),
        ] {
            let token = format!("{}.AA", unsigned("HS256", claims));
            for value in [token.clone(), format!("Bearer {token}")] {
                assert_eq!(subject(value.as_bytes()).as_deref(), want, "{claims}");
            }
        }
        assert_eq!(subject(b"no token"), None);
    }
}
