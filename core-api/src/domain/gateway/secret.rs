//! The secret of a credential, between the request body and its sealing.
//!
//! Invariant: whatever is here prints as nothing and is wiped when dropped.

use std::collections::BTreeMap;
use std::fmt;

use requestrocket_policy::authn::jwt::{InvalidExpiry, expiry_ms};
use requestrocket_policy::swap::{is_header_name, is_injectable_header};
use serde::Serialize;
use zeroize::Zeroizing;

use crate::domain::problem::{Fault, Invalid};

const MAX_VALUE_BYTES: usize = 8192;
const MAX_NAME_BYTES: usize = 256;
/// One secret value.
#[derive(Clone, PartialEq, Eq)]
pub struct SecretText(Zeroizing<String>);

/// The secret of a credential, by its type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Secret {
    /// There is none.
    None,
    /// What callers present.
    ProxyKey(SecretText),
    /// What a target is given.
    TargetKey {
        /// The value.
        key: SecretText,
        /// Header or parameter.
        place: Place,
        /// Of the header or parameter.
        name: String,
        /// Put before the value.
        prefix: String,
    },
    /// `prefix` and token.
    Bearer {
        /// The token.
        token: SecretText,
        /// Put before it.
        prefix: String,
    },
    /// User and password.
    BasicAuth {
        /// Without a colon; empty where the password is not.
        username: SecretText,
        /// Anything; empty where the user name is not.
        password: SecretText,
    },
    /// A literal JWT.
    Jwt(SecretText),
    /// Headers and parameters by name.
    Custom {
        /// Headers.
        headers: BTreeMap<String, SecretText>,
        /// Parameters.
        query: BTreeMap<String, SecretText>,
    },
}

/// Where a target's key goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// Into a header.
    Header,
    /// Into the query.
    Query,
}

impl SecretText {
    /// A value that is sent or compared as it is, so that blanks around it would be lost.
    ///
    /// # Errors
    /// `INVALID_SECRET`.
    pub fn bare(raw: &str) -> Result<Self, Invalid> {
        if raw.trim() == raw {
            return Self::text(raw);
        }
        Err(Invalid::new(
            Fault::InvalidSecret,
            "must not begin or end with blanks",
        ))
    }

    /// A value that is encoded before it is sent.
    ///
    /// # Errors
    /// `INVALID_SECRET`.
    pub fn text(raw: &str) -> Result<Self, Invalid> {
        let is_legal =
            (1..=MAX_VALUE_BYTES).contains(&raw.len()) && !raw.chars().any(char::is_control);
        if is_legal {
            return Ok(Self(Zeroizing::new(raw.to_owned())));
        }
        let text = format!("must be 1 to {MAX_VALUE_BYTES} bytes without control bytes");
        Err(Invalid::new(Fault::InvalidSecret, text))
    }

    /// A user name of basic authentication; it may be empty where the password is not.
    ///
    /// # Errors
    /// `INVALID_SECRET`.
    pub fn username(raw: &str) -> Result<Self, Invalid> {
        if raw.contains(':') {
            return Err(Invalid::new(
                Fault::InvalidSecret,
                "must not contain a colon",
            ));
        }
        Self::password(raw)
    }

    /// A password of basic authentication; it may be empty where the user name is not.
    ///
    /// # Errors
    /// `INVALID_SECRET`.
    pub fn password(raw: &str) -> Result<Self, Invalid> {
        if raw.is_empty() {
            return Ok(Self(Zeroizing::default()));
        }
        Self::text(raw)
    }

    /// A literal JWT: its `exp`, if any, must be a number, because it is honoured.
    ///
    /// # Errors
    /// `INVALID_SECRET`.
    pub fn jwt(raw: &str) -> Result<Self, Invalid> {
        match expiry_ms(raw) {
            Ok(_) => Self::bare(raw),
            Err(InvalidExpiry) => Err(Invalid::new(
                Fault::InvalidSecret,
                "must have claims that can be read, with a number as `exp`, if any",
            )),
        }
    }

    /// A key that was generated.
    #[must_use]
    pub fn generated(key: Zeroizing<String>) -> Self {
        Self(key)
    }

    /// Every call site of this name is a place to review.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for SecretText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

/// A header that a target may be given.
///
/// # Errors
/// `INVALID_SECRET`.
pub fn header_name(raw: &str) -> Result<String, Invalid> {
    if !(1..=MAX_NAME_BYTES).contains(&raw.len()) || !is_header_name(raw) {
        return Err(Invalid::new(
            Fault::InvalidSecret,
            "must be the name of a header",
        ));
    }
    // By the region's rule and the filter's.
    if !is_injectable_header(raw) {
        return Err(Invalid::new(
            Fault::InvalidSecret,
            "names a header that cannot be injected",
        ));
    }
    Ok(raw.to_owned())
}

/// A parameter that a target may be given.
///
/// # Errors
/// `INVALID_SECRET`.
pub fn query_name(raw: &str) -> Result<String, Invalid> {
    let is_legal = (1..=MAX_NAME_BYTES).contains(&raw.len()) && !raw.chars().any(char::is_control);
    let problem = "must be 1 to 256 bytes without control bytes";
    if is_legal {
        Ok(raw.to_owned())
    } else {
        Err(Invalid::new(Fault::InvalidSecret, problem))
    }
}

/// What is put before a value.
///
/// # Errors
/// `INVALID_SECRET`.
pub fn prefix(raw: &str) -> Result<String, Invalid> {
    let is_legal = raw.len() <= MAX_NAME_BYTES && !raw.chars().any(char::is_control);
    let problem = "must be at most 256 bytes without control bytes";
    if is_legal {
        Ok(raw.to_owned())
    } else {
        Err(Invalid::new(Fault::InvalidSecret, problem))
    }
}

/// What the region opens: `credentialSecret` with every default filled in.
#[derive(Serialize)]
#[serde(untagged)]
enum Wire<'a> {
    ProxyKey {
        key: &'a str,
    },
    TargetKey {
        key: &'a str,
        location: &'static str,
        name: &'a str,
        prefix: &'a str,
    },
    Bearer {
        token: &'a str,
        prefix: &'a str,
    },
    BasicAuth {
        username: &'a str,
        password: &'a str,
    },
    Jwt {
        token: &'a str,
    },
    Custom {
        headers: BTreeMap<&'a str, &'a str>,
        query: BTreeMap<&'a str, &'a str>,
    },
}

impl Secret {
    /// The text to seal; none when there is nothing to seal.
    ///
    /// # Errors
    /// Never for text; the writer's own.
    pub fn json(&self) -> serde_json::Result<Option<Zeroizing<Vec<u8>>>> {
        let wire = match self {
            Self::None => return Ok(None),
            Self::ProxyKey(key) => Wire::ProxyKey { key: key.expose() },
            Self::TargetKey {
                key,
                place,
                name,
                prefix,
            } => Wire::TargetKey {
                key: key.expose(),
                location: place.as_str(),
                name,
                prefix,
            },
            Self::Bearer { token, prefix } => Wire::Bearer {
                token: token.expose(),
                prefix,
            },
            Self::BasicAuth { username, password } => Wire::BasicAuth {
                username: username.expose(),
                password: password.expose(),
            },
            Self::Jwt(token) => Wire::Jwt {
                token: token.expose(),
            },
            Self::Custom { headers, query } => Wire::Custom {
                headers: exposed(headers),
                query: exposed(query),
            },
        };
        let mut json = Zeroizing::new(Vec::new());
        serde_json::to_writer(&mut *json, &wire)?;
        Ok(Some(json))
    }
}

impl Place {
    /// As the API says it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Header => "header",
            Self::Query => "query",
        }
    }
}

fn exposed(values: &BTreeMap<String, SecretText>) -> BTreeMap<&str, &str> {
    values
        .iter()
        .map(|(name, value)| (name.as_str(), value.expose()))
        .collect()
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;

    use super::*;

    #[test]
    fn values_that_break_a_header_are_refused() {
        for raw in ["", "a\r\nb", "a\0", "\u{7f}", "\u{85}", &"x".repeat(8193)] {
            assert!(SecretText::text(raw).is_err(), "{raw:?}");
        }
        for raw in ["a", "pass word", "pässwörd", &"x".repeat(8192)] {
            assert!(SecretText::text(raw).is_ok(), "{raw:?}");
        }
        assert!(SecretText::bare(" a").is_err() && SecretText::bare("a ").is_err());
        assert!(SecretText::username("a:b").is_err());
        assert!(SecretText::username("").is_ok() && SecretText::password("").is_ok());
        assert!(SecretText::password("a\nb").is_err());
    }

    #[test]
    fn a_jwt_whose_end_cannot_be_honoured_is_refused() {
        let token = |claims: &str| format!("e30.{}.sig", URL_SAFE_NO_PAD.encode(claims));
        for (claims, is_good) in [
            ("{}", true),
            (r#"{"exp":1}"#, true),
            (r#"{"exp":"1"}"#, false),
            (r#"{"exp":2,"exp":null}"#, false),
            (r#"{"exp":2"#, false),
            ("[", true),
        ] {
            assert_eq!(SecretText::jwt(&token(claims)).is_ok(), is_good, "{claims}");
        }
        assert!(SecretText::jwt("opaque").is_ok());
    }

    #[test]
    fn headers_of_the_message_or_the_gateway_are_refused() {
        for raw in [
            "Host",
            "content-length",
            "TE",
            "RequestRocket-Code",
            "X-RR-scope",
            "x_rr_valve",
            "x-rr_route",
            "X_Envoy-Expected",
            "HTTP2-Settings",
            "http2_settings",
            "keep_alive",
            "Transfer_Encoding",
            "a b",
            "",
            "é",
        ] {
            assert!(header_name(raw).is_err(), "{raw}");
        }
        for raw in ["Authorization", "X-Api-Key", "x_key"] {
            assert_eq!(header_name(raw).as_deref(), Ok(raw));
        }
    }

    #[test]
    fn defaults_are_written_out_and_nothing_prints() {
        let secret = Secret::Bearer {
            token: SecretText::bare("hunter2").unwrap(),
            prefix: "Bearer ".into(),
        };
        let json = secret.json().unwrap().unwrap();
        assert_eq!(
            json.as_slice(),
            br#"{"token":"hunter2","prefix":"Bearer "}"#
        );
        assert!(!format!("{secret:?}").contains("hunter2"));
        assert_eq!(Secret::None.json().unwrap(), None);
    }
}
