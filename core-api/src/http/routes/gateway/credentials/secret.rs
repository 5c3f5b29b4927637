//! Reads a secret, the first of a credential or the second.

use ipnet::IpNet;
use requestrocket_policy::form::fields::Fields;
use requestrocket_policy::form::problem::Fault;
use requestrocket_policy::secret_form::SecretForm;
use requestrocket_policy::secret_form::api_key::PresentedKey;
use requestrocket_policy::secret_form::auth_type::{AuthType, Side};
use requestrocket_policy::secret_form::endpoint::Endpoint;

use crate::domain::gateway::address::is_allowed;
use crate::domain::gateway::consent::ConsentPage;
use crate::service::gateway::credentials::NewSecret;

/// Write-only: taken as sent, never merged.
pub(super) const SECRET: &str = "credentialSecret";

/// What is sealed is what was sent, once it can be read.
pub(super) fn secret(
    fields: &mut Fields<'_>,
    (auth_type, side): (AuthType, Side),
    allowed: &[IpNet],
) -> Option<NewSecret> {
    let read = fields.object(SECRET, |members| {
        let sent = members.json();
        Some((SecretForm::read(auth_type, side, members)?, sent.ok()?))
    });
    let (form, sent) = read.flatten()?;
    let is_forbidden = |endpoint: &Endpoint| {
        let literal = endpoint.literal();
        literal.is_some_and(|address| !is_allowed(address, allowed))
    };
    // Names are looked at where they resolve: in the region.
    for (member, endpoint) in form.endpoints() {
        if is_forbidden(&endpoint) {
            let member = format!("{SECRET}.{member}");
            let text = "names an address that may not be called";
            fields.problem(Fault::AddressNotAllowed, &member, text);
        }
    }
    if let Some((form, consent)) = form.consent() {
        let page = Box::new(ConsentPage::new(form, consent));
        return Some(NewSecret::ToConsent(sent, page));
    }
    match form {
        SecretForm::None => Some(NewSecret::None),
        SecretForm::PresentedKey(PresentedKey::Generated) => Some(NewSecret::Generate),
        _ => Some(NewSecret::Given(sent)),
    }
}
