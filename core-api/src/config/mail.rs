//! The table `[mail]`.

use std::path::PathBuf;

use serde::Deserialize;

use super::{InvalidConfig, invalid, is_host};
use crate::mail::{MailSettings, Security};

/// As an operator writes it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Table {
    host: String,
    port: Option<u16>,
    security: Option<String>,
    user: Option<String>,
    from: String,
    ca_file: Option<PathBuf>,
}

/// How letters go out; none: no table says so.
pub(super) fn settings(
    table: Option<Table>,
    password: Option<String>,
) -> Result<Option<MailSettings>, InvalidConfig> {
    let Some(table) = table else {
        return match password {
            None => Ok(None),
            Some(_) => Err(invalid("mail_password", "needs a table `mail`")),
        };
    };
    let security = match table.security.as_deref() {
        None | Some("starttls") => Security::StartTls,
        Some("tls") => Security::Tls,
        Some("none") => Security::None,
        Some(_) => return Err(invalid("mail.security", "must be starttls, tls or none")),
    };
    if !is_host(&table.host) {
        let text = "must be a DNS name or an address";
        return Err(invalid("mail.host", text));
    }
    let from = table.from.parse().map_err(|_| {
        let text = "must be an address, or `Name <address>`";
        invalid("mail.from", text)
    })?;
    let login = match (table.user, password) {
        (Some(user), Some(password)) => Some((user, password)),
        (None, None) => None,
        (Some(_), None) => return Err(invalid("mail_password", "is missing beside `mail.user`")),
        (None, Some(_)) => return Err(invalid("mail.user", "is missing beside `mail_password`")),
    };
    let settings = MailSettings {
        host: table.host,
        port: table.port.unwrap_or_else(|| security.usual_port()),
        security,
        login,
        from,
        ca_file: table.ca_file,
    };
    if security == Security::None && !settings.is_local() {
        let text = "may be none only where `mail.host` is this machine";
        return Err(invalid("mail.security", text));
    }
    Ok(Some(settings))
}
