//! The records that some changes name as they are now, many at once, for the region that is told
//! of them.

use std::collections::BTreeMap;
use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, AssertSqlSafe, Row};

use super::change::ChangeRow;
use super::write::Kind;
use crate::domain::gateway::consent::SealedConsent;
use crate::domain::gateway::credential::Credential;
use crate::domain::gateway::proxy::Proxy;
use crate::domain::gateway::region::RegionName;
use crate::domain::gateway::target::Target;
use crate::domain::guard::attachment::Attachment;
use crate::domain::guard::meter::MeterForm;
use crate::domain::guard::redaction::RedactionForm;
use crate::domain::guard::rule::RuleForm;
use crate::domain::id::CredentialId;
use crate::domain::people::organisation::Organisation;
use crate::store::gateway::credential::credential_from_row;
use crate::store::gateway::proxy::proxy_from_row;
use crate::store::gateway::target::target_from_row;
use crate::store::guard::attachment::{StoredForm, attachment_from_row};
use crate::store::people::organisation::organisation_from_row;
use crate::store::row::column;

/// By the id of the record. A row that means nothing spoils its own record and no other.
pub type Found<T> = BTreeMap<String, sqlx::Result<T>>;

/// What some changes name, as far as it exists; of the region, but for organisations.
#[derive(Debug, Default)]
pub struct Current {
    /// Organisations.
    pub organisations: Found<Organisation>,
    /// Credentials.
    pub credentials: Found<SealedCredential>,
    /// Targets.
    pub targets: Found<Target>,
    /// Proxies.
    pub proxies: Found<Proxy>,
    /// The active rules of records of every kind, by id.
    pub rules: Found<Vec<Attachment<RuleForm>>>,
    /// The active redactions of records of every kind, by id.
    pub redactions: Found<Vec<Attachment<RedactionForm>>>,
    /// The active meters of proxies, by id.
    pub meters: Found<Vec<Attachment<MeterForm>>>,
}

/// A credential beside its secret.
#[derive(Clone, PartialEq, Eq)]
pub struct SealedCredential {
    /// The record.
    pub credential: Credential,
    /// Sealed to its region; none once the region has it.
    pub secret: Option<Vec<u8>>,
    /// The second one, likewise.
    pub next: Option<Vec<u8>>,
    /// What the last consent brought; none once the region has it.
    pub consent: Option<SealedConsent>,
}

impl fmt::Debug for SealedCredential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Sealed bytes are no secret, but nobody needs them in a log either.
        fmt::Debug::fmt(&self.credential, f)
    }
}

impl Current {
    /// Reads what `page`, changes that `region` has yet to hear of, names.
    ///
    /// # Errors
    /// The store does not answer.
    pub async fn read(
        conn: &mut AnyConnection,
        region: &RegionName,
        page: &[ChangeRow],
    ) -> sqlx::Result<Self> {
        let named = |kind| Named::of(kind, region, page);
        let (organisations, credentials) = (named(Kind::Organisation), named(Kind::Credential));
        let (targets, proxies) = (named(Kind::Target), named(Kind::Proxy));
        let mut current = Self {
            organisations: organisations.records(conn, organisation_from_row).await?,
            credentials: credentials.records(conn, sealed_from_row).await?,
            targets: targets.records(conn, target_from_row).await?,
            proxies: proxies.records(conn, proxy_from_row).await?,
            meters: proxies.attached(conn).await?,
            ..Self::default()
        };
        current.bind(proxies.callers(conn).await?);
        for named in [credentials, targets, proxies] {
            current.rules.extend(named.attached(conn).await?);
            current.redactions.extend(named.attached(conn).await?);
        }
        Ok(current)
    }

    /// Gives proxies the credentials of their callers.
    fn bind(&mut self, callers: Found<Vec<CredentialId>>) {
        for (id, credentials) in callers {
            let Some(proxy) = self.proxies.get_mut(&id) else {
                continue;
            };
            match (proxy.as_mut(), credentials) {
                (Ok(proxy), Ok(credentials)) => proxy.form.proxy_credentials = credentials,
                (Ok(_), Err(error)) => *proxy = Err(error),
                (Err(_), _) => {}
            }
        }
    }
}

/// The records of one kind that some changes name.
struct Named<'p> {
    kind: Kind,
    /// None: records of this kind are of no region.
    region: Option<&'p RegionName>,
    ids: Vec<&'p str>,
}

impl<'p> Named<'p> {
    fn of(kind: Kind, region: &'p RegionName, page: &'p [ChangeRow]) -> Self {
        let of_kind = |row: &&ChangeRow| row.is_removed == 0 && row.kind == kind.as_str();
        let ids = page.iter().filter(of_kind);
        Self {
            kind,
            region: (kind != Kind::Organisation).then_some(region),
            ids: ids.map(|row| row.record_id.as_str()).collect(),
        }
    }

    /// Their own rows.
    async fn records<T>(
        &self,
        conn: &mut AnyConnection,
        read: impl Fn(&AnyRow) -> sqlx::Result<T>,
    ) -> sqlx::Result<Found<T>> {
        // Their table has the name of their kind.
        let rows = self.rows(conn, self.kind.as_str(), "").await?;
        let rows = rows.iter();
        rows.map(|row| Ok((self.id(row)?, read(row)))).collect()
    }

    /// What is attached to them and active, by its id.
    async fn attached<F: StoredForm>(
        &self,
        conn: &mut AnyConnection,
    ) -> sqlx::Result<Found<Vec<Attachment<F>>>> {
        let rest = format!("AND is_active = 1 ORDER BY {}", F::ID);
        let rows = self.rows(conn, F::TABLE, &rest).await?;
        self.grouped(&rows, attachment_from_row)
    }

    /// The credentials of their callers in order.
    async fn callers(&self, conn: &mut AnyConnection) -> sqlx::Result<Found<Vec<CredentialId>>> {
        let rows = self.rows(conn, "proxy_credential", "ORDER BY position");
        self.grouped(&rows.await?, |row| column(row, "credential_id"))
    }

    async fn rows(
        &self,
        conn: &mut AnyConnection,
        table: &str,
        rest: &str,
    ) -> sqlx::Result<Vec<AnyRow>> {
        if self.ids.is_empty() {
            return Ok(Vec::new());
        }
        let marks: Vec<_> = (1..=self.ids.len()).map(|n| format!("${n}")).collect();
        let (key, marks) = (self.key(), marks.join(", "));
        let region = self.region.map(|_| self.ids.len() + 1);
        let region = region.map(|n| format!("AND region_name = ${n}"));
        let region = region.unwrap_or_default();
        let select = format!("SELECT * FROM {table} WHERE {key} IN ({marks}) {region} {rest}");
        let values = self.ids.iter().copied();
        let values = values.chain(self.region.map(RegionName::as_str));
        let query = values.fold(sqlx::query(AssertSqlSafe(select)), |query, value| {
            query.bind(value.to_owned())
        });
        query.fetch_all(conn).await
    }

    fn grouped<T>(
        &self,
        rows: &[AnyRow],
        read: impl Fn(&AnyRow) -> sqlx::Result<T>,
    ) -> sqlx::Result<Found<Vec<T>>> {
        let mut groups = Found::new();
        for row in rows {
            let group = groups.entry(self.id(row)?).or_insert(Ok(Vec::new()));
            match (group.as_mut(), read(row)) {
                (Ok(group), Ok(one)) => group.push(one),
                (Ok(_), Err(error)) => *group = Err(error),
                (Err(_), _) => {}
            }
        }
        Ok(groups)
    }

    fn id(&self, row: &AnyRow) -> sqlx::Result<String> {
        row.try_get(self.key().as_str())
    }

    fn key(&self) -> String {
        format!("{}_id", self.kind.as_str())
    }
}

fn sealed_from_row(row: &AnyRow) -> sqlx::Result<SealedCredential> {
    let decoded = |name: &str| -> sqlx::Result<Option<Vec<u8>>> {
        let stored: Option<String> = row.try_get(name)?;
        let decoded = stored.map(|text| BASE64.decode(text)).transpose();
        decoded.map_err(|error| sqlx::Error::Decode(Box::new(error)))
    };
    let stored: Option<String> = row.try_get("sealed_consent")?;
    let consent = stored.map(|text| serde_json::from_str(&text)).transpose();
    Ok(SealedCredential {
        credential: credential_from_row(row)?,
        secret: decoded("sealed_secret")?,
        next: decoded("sealed_next")?,
        consent: consent.map_err(|error| sqlx::Error::Decode(Box::new(error)))?,
    })
}

#[cfg(test)]
mod tests;
