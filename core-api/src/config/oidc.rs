//! The tables `[oidc.NAME]`.

use std::collections::BTreeMap;
use std::path::PathBuf;

use requestrocket_policy::secret::SecretText;
use requestrocket_policy::secret_form::endpoint::Endpoint;
use serde::Deserialize;
use url::Url;

use super::{InvalidConfig, invalid};
use crate::domain::people::member::Roles;
use crate::domain::people::permission::Role;
use crate::domain::people::provider::{Grant, Provider};

/// Where an issuer describes itself, below it (OpenID Connect Discovery 1.0 §4).
const WELL_KNOWN: &str = "/.well-known/openid-configuration";

/// As an operator writes it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Table {
    title: Option<String>,
    issuer: String,
    client_id: String,
    client_secret: Option<String>,
    client_secret_file: Option<PathBuf>,
    scopes: Option<Vec<String>>,
    groups_claim: Option<String>,
    makes_users: Option<bool>,
    #[serde(default)]
    roles: Vec<GrantTable>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct GrantTable {
    group: String,
    organisation: String,
    roles: Vec<String>,
}

/// The providers that the tables describe.
pub(super) fn providers(tables: BTreeMap<String, Table>) -> Result<Vec<Provider>, InvalidConfig> {
    tables.into_iter().map(provider).collect()
}

fn provider((name, table): (String, Table)) -> Result<Provider, InvalidConfig> {
    let name = name
        .parse()
        .map_err(|error| invalid("oidc", format!("`{name}` {error}")))?;
    let (issuer, discovery) = issuer(table.issuer)?;
    let mut scopes = table
        .scopes
        .unwrap_or_else(|| ["email", "profile"].map(str::to_owned).into());
    let is_legal = |scope: &String| {
        let is_scope = |byte: u8| byte.is_ascii_graphic() && !b"\"\\".contains(&byte);
        !scope.is_empty() && scope.bytes().all(is_scope)
    };
    if !scopes.iter().all(is_legal) {
        let text = "must be words without blanks, quotes and backslashes";
        return Err(invalid("oidc.scopes", text));
    }
    if !scopes.iter().any(|scope| scope == "openid") {
        scopes.insert(0, "openid".to_owned());
    }
    Ok(Provider {
        title: table.title.unwrap_or_else(|| format!("{name}")),
        name,
        issuer,
        discovery,
        client_id: table.client_id,
        client_secret: secret(table.client_secret, table.client_secret_file)?,
        scopes,
        groups_claim: table.groups_claim.unwrap_or_else(|| "groups".to_owned()),
        makes_users: table.makes_users.unwrap_or(true),
        grants: table
            .roles
            .into_iter()
            .map(grant)
            .collect::<Result<_, _>>()?,
    })
}

fn issuer(issuer: String) -> Result<(String, Endpoint), InvalidConfig> {
    let field = "oidc.issuer";
    let url = Url::parse(&issuer).ok();
    let is_local = url.as_ref().is_some_and(|url| {
        let host = url.host_str().unwrap_or_default();
        ["localhost", "127.0.0.1", "[::1]"].contains(&host)
    });
    let is_private = url.is_some_and(|url| url.scheme() == "https") || is_local;
    if !is_private || issuer.contains('?') {
        let text = "must be an https URL without a query (http only on this machine)";
        return Err(invalid(field, text));
    }
    let discovery = format!("{}{WELL_KNOWN}", issuer.trim_end_matches('/'));
    let discovery = Endpoint::parse(&discovery);
    let discovery = discovery.map_err(|problem| invalid(field, problem.text))?;
    Ok((issuer, discovery))
}

fn secret(text: Option<String>, file: Option<PathBuf>) -> Result<SecretText, InvalidConfig> {
    let text = match (text, file) {
        (Some(text), None) => text,
        (None, Some(file)) => {
            let read = std::fs::read_to_string(&file);
            let text = read.map_err(|error| {
                let problem = format!("`{}` cannot be read: {error}", file.display());
                invalid("oidc.client_secret_file", problem)
            })?;
            text.trim_end().to_owned()
        }
        (None, None) | (Some(_), Some(_)) => {
            let text = "or `client_secret_file` is needed, and not both";
            return Err(invalid("oidc.client_secret", text));
        }
    };
    Ok(SecretText::new(text))
}

fn grant(table: GrantTable) -> Result<Grant, InvalidConfig> {
    let field = "oidc.roles";
    let organisation = table.organisation.parse();
    let roles = table.roles.iter().map(|role| role.parse::<Role>());
    let roles = roles.collect::<Result<Vec<_>, _>>();
    let roles = roles.map_err(|error| invalid(field, format!("holds a role that {error}")))?;
    Ok(Grant {
        group: table.group,
        organisation: organisation
            .map_err(|_| invalid(field, "needs the `clientId` of an organisation"))?,
        roles: Roles::new(roles).map_err(|error| invalid(field, error.to_string()))?,
    })
}
