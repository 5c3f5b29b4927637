//! Target credentials: the values a proxy puts on requests, each sealed for its place.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use requestrocket_policy::policy::Location;
use requestrocket_policy::secret::{SecretBytes, SecretText};
use requestrocket_policy::secret_form::SecretForm;
use requestrocket_policy::secret_form::custom::Values;
use requestrocket_policy::secret_form::obtained::Apply;
use zeroize::Zeroizing;

use super::compute;
use super::placed::PlacedValue;
use crate::records::record::SecretProblem;

/// What goes where.
///
/// # Errors
/// Nothing of this form is given to targets.
pub(super) fn values(form: &SecretForm) -> Result<Vec<PlacedValue>, SecretProblem> {
    match form {
        SecretForm::None => Ok(Vec::new()),
        SecretForm::InjectedKey(key) => {
            let value = SecretText::new([key.prefix.as_str(), key.key.expose()].concat());
            let around = (key.prefix.len(), 0);
            Ok(vec![placed(key.location.into(), &key.name, &value, around)])
        }
        SecretForm::Bearer(bearer) => {
            let value = [bearer.prefix.as_str(), bearer.token.expose()].concat();
            Ok(vec![authorization(value, bearer.prefix.len())])
        }
        SecretForm::BasicAuth(pair) => {
            let encoded = Zeroizing::new(STANDARD.encode(pair.joined().expose()));
            let scheme = "Basic ";
            let value = [scheme, encoded.as_str()].concat();
            Ok(vec![authorization(value, scheme.len())])
        }
        SecretForm::Jwt(token) => Ok(vec![authorization(token.expose().to_owned(), 0)]),
        SecretForm::Custom(custom) => Ok(placed_all(Location::Header, &custom.headers)
            .chain(placed_all(Location::Query, &custom.query))
            .collect()),
        SecretForm::SignedJwt(jwt) if jwt.minted_ahead().is_none() => {
            Ok(vec![compute::signed_jwt(jwt)])
        }
        SecretForm::AwsSigV4(aws) => Ok(vec![compute::aws_sig_v4(aws)]),
        SecretForm::Hmac(hmac) => Ok(vec![compute::hmac(hmac)]),
        // Obtained tokens come later, by `obtained`.
        SecretForm::PresentedKey(_)
        | SecretForm::SignedJwt(_)
        | SecretForm::SignedToken(_)
        | SecretForm::OAuth2Target(_)
        | SecretForm::CustomToken(_) => Err(SecretProblem::AuthType),
    }
}

/// What goes where, of a token that was obtained.
pub(super) fn obtained(apply: &Apply, headers: &Values, token: &SecretText) -> Vec<PlacedValue> {
    let token = placed(
        apply.place.into(),
        &apply.name,
        &apply.value(token),
        apply.around(),
    );
    // Of two lines of one name it is the target's choice which one it takes.
    let is_other =
        |value: &PlacedValue| value.location != token.location || value.name != token.name;
    let mut values: Vec<_> = placed_all(Location::Header, headers)
        .filter(is_other)
        .collect();
    values.push(token);
    values
}

fn placed_all(location: Location, values: &Values) -> impl Iterator<Item = PlacedValue> {
    values
        .iter()
        .map(move |(name, value)| placed(location, name, value, (0, 0)))
}

fn authorization(value: String, prefix_bytes: usize) -> PlacedValue {
    let value = SecretText::new(value);
    placed(Location::Header, "authorization", &value, (prefix_bytes, 0))
}

fn placed(
    location: Location,
    name: &str,
    value: &SecretText,
    around: (usize, usize),
) -> PlacedValue {
    let name = match location {
        // Envoy has names in lower case, and the envelope is bound to the name.
        Location::Header => name.to_ascii_lowercase(),
        Location::Query | Location::Computed => name.to_owned(),
    };
    PlacedValue {
        location,
        name,
        value: SecretBytes::from(value.expose().as_bytes()),
        around,
        reads_body: false,
    }
}
