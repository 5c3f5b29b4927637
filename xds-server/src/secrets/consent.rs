//! What an owner's consent brought, on its way from the control plane to the token endpoint.

use requestrocket_policy::envelope::Binding;
use requestrocket_policy::secret::SecretText;
use requestrocket_proto::region::v1 as region;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::Owner;
use super::keys::RegionKeys;
use crate::records::record::SecretProblem;

/// A code, and what is shown with it.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
pub struct Given {
    /// Of the provider; good for one token.
    pub code: SecretText,
    /// Shows that we asked for it; none: the provider does not know of such.
    pub verifier: Option<SecretText>,
    /// Where the provider sent it.
    pub redirect_uri: String,
}

/// As it is sealed.
#[derive(Serialize)]
struct Plain<'a> {
    code: &'a str,
    verifier: Option<&'a str>,
    redirect_uri: &'a str,
}

impl Given {
    pub(super) fn encode(&self) -> Zeroizing<Vec<u8>> {
        let plain = Plain {
            code: self.code.expose(),
            verifier: self.verifier.as_ref().map(SecretText::expose),
            redirect_uri: &self.redirect_uri,
        };
        // Texts can always be written.
        Zeroizing::new(serde_json::to_vec(&plain).unwrap_or_default())
    }

    /// None: it was not written by us.
    pub(super) fn decode(bytes: &[u8]) -> Option<Self> {
        serde_json::from_slice(bytes).ok()
    }
}

/// Opens what came for the credential of `owner`.
pub(super) fn open(
    keys: &RegionKeys,
    owner: &Owner<'_>,
    consent: &region::Consent,
) -> Result<Given, SecretProblem> {
    let Owner {
        region,
        organisation,
        credential,
        version,
    } = *owner;
    let record = (credential, version);
    let text = |sealed: &[u8], binding: Binding<'_>| {
        let opened = keys.sealing.open(sealed, &binding);
        let opened = opened.map_err(|_| SecretProblem::Sealed)?;
        let text = std::str::from_utf8(opened.expose()).map_err(|_| SecretProblem::Value)?;
        Ok(SecretText::new(text.to_owned()))
    };
    // Each is bound to what it is, so that one cannot be sent as the other.
    let code = Binding::consent_code(region, organisation, record);
    let code = text(&consent.sealed_code, code)?;
    let verifier = if consent.sealed_verifier.is_empty() {
        None
    } else {
        let verifier = Binding::consent_verifier(region, organisation, record);
        Some(text(&consent.sealed_verifier, verifier)?)
    };
    Ok(Given {
        code,
        verifier,
        redirect_uri: consent.redirect_uri.clone(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_is_what_came() {
        for verifier in [None, Some(SecretText::new("v\"er".to_owned()))] {
            let given = Given {
                code: SecretText::new("c\\ö\u{1f600}".to_owned()),
                verifier,
                redirect_uri: "https://core.example/webhooks/oauth2".to_owned(),
            };
            assert_eq!(Given::decode(&given.encode()), Some(given));
        }
        assert_eq!(Given::decode(b"{}"), None);
    }
}
