//! Tokens that only their authorization server can read, which is asked about them (RFC 7662).

use crate::{
    form::fields::Fields,
    secret_form::{
        endpoint::{Endpoint, endpoint},
        oauth2::Client,
    },
};

/// Who is asked, and by whom.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Introspection {
    /// Where.
    pub url: Endpoint,
    /// Who asks.
    pub client: Client,
}

/// `{introspectionUrl, clientId, clientAuth?, clientSecret?, …}`
pub(super) fn read(fields: &mut Fields<'_>) -> Option<Introspection> {
    let url = fields.required("introspectionUrl", endpoint);
    let client = Client::read(fields);
    Some(Introspection {
        url: url?,
        client: client?,
    })
}
