//! Target credentials: the values a proxy puts on requests, each sealed for its place.

use std::collections::BTreeSet;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use requestrocket_policy::envelope::{Binding, KeyRing, Nonce};
use requestrocket_policy::policy::Location;
use requestrocket_proto::policy::v1 as wire;
use requestrocket_proto::region::v1::CredentialAuthType;
use zeroize::Zeroizing;

use super::shape::{self, Place};
use super::{ConversionFailed, Owner};
use crate::records::record::SecretProblem;
use crate::secrets::secret_text::SecretText;

/// One value and where it goes.
pub(super) struct PlacedValue {
    location: Location,
    name: String,
    value: SecretText,
}

impl PlacedValue {
    /// Brings the value into the form that policies carry.
    pub(super) fn seal(
        &self,
        owner: &Owner<'_>,
        data_key: &KeyRing,
    ) -> Result<wire::Injection, ConversionFailed> {
        let Owner {
            region,
            organisation,
            credential,
            version,
        } = *owner;
        let place = (self.location, self.name.as_str());
        let binding = Binding::injection(region, organisation, (credential, version), place);
        let sealed = data_key.seal(self.value.expose().as_bytes(), &binding, Nonce::random()?)?;
        let location = match self.location {
            Location::Header => wire::Location::Header,
            Location::Query => wire::Location::Query,
        };
        Ok(wire::Injection {
            location: location.into(),
            name: self.name.clone(),
            sealed_value: sealed.into(),
        })
    }
}

/// What goes where, from the JSON text of the secret.
pub(super) fn values(
    auth_type: CredentialAuthType,
    json: &[u8],
) -> Result<Vec<PlacedValue>, SecretProblem> {
    match auth_type {
        CredentialAuthType::None => Ok(Vec::new()),
        CredentialAuthType::ApiKey => api_key(shape::parse(json)?),
        CredentialAuthType::Bearer => {
            let secret: shape::Bearer = shape::parse(json)?;
            let token = shape::value(&secret.token)?;
            let prefix = shape::prefix(secret.prefix, "Bearer ")?;
            Ok(authorization([prefix.as_str(), token].concat()))
        }
        CredentialAuthType::BasicAuth => {
            let secret: shape::BasicAuth = shape::parse(json)?;
            let joined = shape::user_and_password(&secret)?;
            let encoded = Zeroizing::new(STANDARD.encode(joined.expose()));
            Ok(authorization(["Basic ", encoded.as_str()].concat()))
        }
        CredentialAuthType::Jwt => {
            let secret: shape::Jwt = shape::parse(json)?;
            Ok(authorization(shape::value(&secret.token)?.to_owned()))
        }
        CredentialAuthType::Custom => custom(&shape::parse(json)?),
        CredentialAuthType::Unspecified => Err(SecretProblem::AuthType),
    }
}

fn authorization(value: String) -> Vec<PlacedValue> {
    let value = SecretText::new(value);
    vec![PlacedValue {
        location: Location::Header,
        name: "authorization".to_owned(),
        value,
    }]
}

fn api_key(secret: shape::InjectedKey) -> Result<Vec<PlacedValue>, SecretProblem> {
    let key = shape::value(&secret.key)?;
    let prefix = shape::prefix(secret.prefix, "")?;
    let value = SecretText::new([prefix.as_str(), key].concat());
    let name = secret.name.unwrap_or_else(|| "Authorization".to_owned());
    let (location, name) = match secret.location {
        Place::Header => (Location::Header, shape::header_name(&name)?),
        Place::Query => (Location::Query, shape::query_name(&name)?),
    };
    Ok(vec![PlacedValue {
        location,
        name,
        value,
    }])
}

fn custom(secret: &shape::Custom) -> Result<Vec<PlacedValue>, SecretProblem> {
    let mut values = Vec::new();
    let mut header_names = BTreeSet::new();
    for (name, text) in &secret.headers {
        let name = shape::header_name(name)?;
        if !header_names.insert(name.clone()) {
            return Err(SecretProblem::Name);
        }
        values.push((Location::Header, name, text));
    }
    for (name, text) in &secret.query {
        values.push((Location::Query, shape::query_name(name)?, text));
    }
    if values.is_empty() {
        return Err(SecretProblem::Shape);
    }
    let place = |(location, name, text)| {
        let value = SecretText::new(shape::value(text)?.to_owned());
        Ok(PlacedValue {
            location,
            name,
            value,
        })
    };
    values.into_iter().map(place).collect()
}
