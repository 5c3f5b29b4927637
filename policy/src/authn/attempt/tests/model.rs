//! Lists of credentials against a model that compares plain secrets.

use super::*;

const NOW: u64 = 1_000;

/// A credential in plain text.
#[derive(Clone, Debug)]
struct Plain {
    form: Form,
    is_active: bool,
    ends_at_ms: Option<u64>,
    /// Secret and end.
    secrets: Vec<(&'static str, Option<u64>)>,
}

impl Plain {
    fn compiled(&self, n: usize) -> ProxyCredential {
        let digest = |&(secret, valid_until_ms): &(&str, Option<u64>)| SecretDigest {
            hmac: key().digest(secret.as_bytes()),
            valid_until_ms,
        };
        let digests = self.secrets.iter().map(digest).collect();
        ProxyCredential {
            id: crate::fixtures::credential_id(n),
            is_active: self.is_active,
            ends_at_ms: self.ends_at_ms,
            accepts: Some(Accepted::Secret {
                form: self.form.clone(),
                digests,
            }),
        }
    }

    /// What of the value this credential would compare, written another way.
    fn compared(&self, value: &str) -> Option<String> {
        match &self.form {
            Form::ApiKey | Form::Jwt => Some(value.to_owned()),
            Form::Bearer { prefix } => {
                let head = value.get(..prefix.len())?;
                let is_prefix = head.to_lowercase() == prefix.to_lowercase();
                is_prefix.then(|| value.get(prefix.len()..).unwrap_or_default().to_owned())
            }
            Form::BasicAuth => match value {
                "Basic dTpw" => Some("u:p".to_owned()),
                _ => None,
            },
        }
    }

    fn ends(&self, value: &str) -> Vec<Option<u64>> {
        let Some(compared) = self.compared(value) else {
            return Vec::new();
        };
        let matching = self
            .secrets
            .iter()
            .filter(|(secret, _)| *secret == compared);
        matching.map(|(_, end)| *end).collect()
    }
}

/// The first credential with a matching secret decides.
fn expected(credentials: &[Plain], value: &str) -> Option<usize> {
    let matching = |one: &Plain| !one.ends(value).is_empty();
    let first = credentials.iter().position(matching)?;
    let credential = credentials.get(first)?;
    let is_valid = credential
        .ends(value)
        .iter()
        .any(|end| end.is_none_or(|end| NOW < end));
    let is_in_force = credential.is_active && credential.ends_at_ms.is_none_or(|end| NOW < end);
    (is_in_force && is_valid).then_some(first)
}

fn form() -> impl Strategy<Value = Form> {
    proptest::sample::select(vec![
        Form::ApiKey,
        Form::Jwt,
        Form::BasicAuth,
        bearer("Bearer "),
        bearer("Secret "),
        bearer("b"),
        bearer(""),
    ])
}

fn secret() -> impl Strategy<Value = (&'static str, Option<u64>)> {
    let secrets = vec!["k", "l", "u:p", "Bearer k", "earer k", "Basic dTpw"];
    let ends = vec![None, None, Some(NOW - 1), Some(NOW), Some(NOW + 1)];
    (
        proptest::sample::select(secrets),
        proptest::sample::select(ends),
    )
}

fn plain() -> impl Strategy<Value = Plain> {
    let secrets = proptest::collection::vec(secret(), 0..3);
    let ends = vec![None, None, None, Some(NOW), Some(NOW + 1)];
    let state = (
        proptest::bool::weighted(0.8),
        proptest::sample::select(ends),
    );
    (form(), state, secrets).prop_map(|(form, (is_active, ends_at_ms), secrets)| Plain {
        form,
        is_active,
        ends_at_ms,
        secrets,
    })
}

fn presented() -> impl Strategy<Value = &'static str> {
    proptest::sample::select(vec![
        "k",
        "l",
        "Bearer k",
        "bearer k",
        "BEARER l",
        "Secret k",
        "Secret Bearer k",
        "Basic dTpw",
        "u:p",
        "bk",
        "Bk",
        "",
        "Bearer ",
        "x",
    ])
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn the_first_matching_credential_decides(
        credentials in proptest::collection::vec(plain(), 0..6),
        value in presented(),
    ) {
        let compiled: Vec<_> =
            credentials.iter().enumerate().map(|(n, one)| one.compiled(n)).collect();
        let got = verify(&compiled, &key(), value.as_bytes(), &Admitting(NOW)).ok();
        let want = expected(&credentials, value)
            .map(|n| (crate::fixtures::credential_id(n), credentials[n].form.auth_type()));
        prop_assert_eq!(got, want, "{} of {:?}", value, credentials);
    }

    #[test]
    fn taking_a_credential_away_never_lets_another_secret_in(
        credentials in proptest::collection::vec(plain(), 1..6),
        at: prop::sample::Index,
        value in presented(),
    ) {
        let mut fewer = credentials.clone();
        let removed = fewer.remove(at.index(credentials.len()));
        let is_granted = |list: &[Plain]| {
            let compiled: Vec<_> = list.iter().enumerate().map(|(n, one)| one.compiled(n)).collect();
            verify(&compiled, &key(), value.as_bytes(), &Admitting(NOW)).is_ok()
        };
        // Only a first match that was itself refused can have stood in the way.
        if is_granted(&fewer) && !is_granted(&credentials) {
            prop_assert!(!removed.ends(value).is_empty());
        }
    }
}
