//! Mutating transactions, and the change log that regions follow.

use std::str::FromStr;

use requestrocket_process::clock::unix_ms;
use requestrocket_process::db::{Db, Dialect};
use sqlx::{Any, AnyConnection, Transaction};

use super::audit::audit_append;
use super::change::revision_newest;
use crate::domain::account::audit::{Author, Entry};
use crate::domain::gateway::region::RegionName;
use crate::domain::id::{OrganisationId, UserId};
use crate::domain::moment::Moment;
use crate::region::fleet::Fleets;
use crate::store::row::{flag, number, unsigned};

/// Stands for every region in the change log.
pub const EVERY_REGION: &str = "*";

/// What kind of record changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// An organisation; it stands in every region.
    Organisation,
    /// A credential.
    Credential,
    /// A target.
    Target,
    /// A proxy.
    Proxy,
}

/// No kind of record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("kind of record is unknown")]
pub struct InvalidKind;

impl Kind {
    /// As the change log says it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Organisation => "organisation",
            Self::Credential => "credential",
            Self::Target => "target",
            Self::Proxy => "proxy",
        }
    }
}

impl FromStr for Kind {
    type Err = InvalidKind;

    fn from_str(raw: &str) -> Result<Self, InvalidKind> {
        let kinds = [
            Self::Organisation,
            Self::Credential,
            Self::Target,
            Self::Proxy,
        ];
        let kind = kinds.into_iter().find(|kind| kind.as_str() == raw);
        kind.ok_or(InvalidKind)
    }
}

/// Whose other changes wait until this one is done, so that what is counted or compared inside of it
/// still holds at its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Over {
    /// An organisation, with all that it owns.
    Organisation(OrganisationId),
    /// A user, with their tokens and the organisations that they own.
    User(UserId),
}

/// A transaction that changes something. Dropped without [`Write::commit`] it changes nothing.
///
/// Invariant: from where one has drawn a revision to its end, no other draws one, so revisions
/// become visible in order. Locks are taken in one order: organisation,
/// user, revision; a new organisation is nobody else's to wait for.
#[derive(Debug)]
pub struct Write {
    tx: Transaction<'static, Any>,
    dialect: Dialect,
    revision: Option<u64>,
    version: Option<u64>,
    now: Moment,
    regions: Vec<RegionName>,
    is_everywhere: bool,
}

/// Which regions a change concerns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reach {
    /// None of them.
    Nowhere,
    /// These.
    Regions(Vec<RegionName>),
}

/// A committed change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Done {
    /// Its revision; of a change that no region has to hear of, the newest there is.
    pub revision: u64,
    /// The version of the record that it leaves.
    pub version: u64,
    /// Who has to hear of it.
    pub reach: Reach,
}

impl Write {
    /// Begins. SQLite has one writer, so there it waits for the one before.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn begin(db: &Db, now: Moment) -> sqlx::Result<Self> {
        Ok(Self {
            tx: db.begin().await?,
            dialect: db.dialect(),
            revision: None,
            version: None,
            now,
            regions: Vec::new(),
            is_everywhere: false,
        })
    }

    /// Waits for others that change the same, and has them wait. What does not exist keeps nobody
    /// waiting.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn alone_over(&mut self, over: Over) -> sqlx::Result<()> {
        if self.dialect == Dialect::Sqlite {
            // `begin` leaves nobody else who writes.
            return Ok(());
        }
        // Others may go on to refer to the row.
        let (statement, id) = match over {
            Over::Organisation(id) => (
                "SELECT 1 FROM organisation WHERE organisation_id = $1 FOR NO KEY UPDATE",
                id.to_string(),
            ),
            Over::User(id) => (
                "SELECT 1 FROM user_account WHERE user_id = $1 FOR NO KEY UPDATE",
                id.to_string(),
            ),
        };
        sqlx::query(statement)
            .bind(id)
            .execute(&mut *self.tx)
            .await?;
        Ok(())
    }

    /// The revision that this change makes, for regions to follow. The first to ask has everybody
    /// wait who makes one, until the end of the change: ask late.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn revision(&mut self) -> sqlx::Result<u64> {
        if let Some(revision) = self.revision {
            return Ok(revision);
        }
        // The row lock orders writers on PostgreSQL.
        let (revision,): (i64,) =
            sqlx::query_as("UPDATE revision SET newest = newest + 1 WHERE id = 1 RETURNING newest")
                .fetch_one(&mut *self.tx)
                .await?;
        let revision = unsigned(revision)?;
        self.revision = Some(revision);
        Ok(revision)
    }

    /// The version that a change leaves of a record which had version `previous` before (0: there
    /// was none), whether regions hear of it or not. A record that is made anew under its old name gets another one than before.
    #[must_use]
    pub fn version_after(&mut self, previous: u64) -> u64 {
        let now_ms = u64::try_from(unix_ms(self.now.get())).unwrap_or_default();
        let version = previous.saturating_add(1).max(now_ms);
        self.version = Some(version);
        version
    }

    /// The moment of this change.
    #[must_use]
    pub fn now(&self) -> Moment {
        self.now
    }

    /// For the statements of the change.
    pub fn conn(&mut self) -> &mut AnyConnection {
        &mut self.tx
    }

    /// Notes that `region` has to hear of a record.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn touch(&mut self, region: &RegionName, kind: Kind, id: &str) -> sqlx::Result<()> {
        self.note(region);
        self.change_upsert(region.as_str(), kind, id, false).await
    }

    /// Notes that `region` has to forget a record.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn removed(&mut self, region: &RegionName, kind: Kind, id: &str) -> sqlx::Result<()> {
        self.note(region);
        self.change_upsert(region.as_str(), kind, id, true).await
    }

    /// Notes that every region has to hear of an organisation.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn touch_organisation(&mut self, id: &str) -> sqlx::Result<()> {
        self.is_everywhere = true;
        self.change_upsert(EVERY_REGION, Kind::Organisation, id, false)
            .await
    }

    /// Notes that every region has to forget an organisation.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn removed_organisation(&mut self, id: &str) -> sqlx::Result<()> {
        self.is_everywhere = true;
        self.change_upsert(EVERY_REGION, Kind::Organisation, id, true)
            .await
    }

    /// Makes the change durable, with its row of the audit log, and tells the region links. There is
    /// no other way to keep a change, so none is without its row.
    ///
    /// # Errors
    /// The database does not answer; the change may then be done or not.
    pub async fn commit(
        mut self,
        fleets: &Fleets,
        author: &Author,
        entry: Entry,
    ) -> sqlx::Result<Done> {
        let reach = if self.is_everywhere {
            Reach::Regions(region_names(&mut self.tx).await?)
        } else if self.regions.is_empty() {
            Reach::Nowhere
        } else {
            Reach::Regions(self.regions)
        };
        let revision = match self.revision {
            Some(revision) => revision,
            None => unsigned(revision_newest(&mut self.tx).await?)?,
        };
        let written = (author, &entry);
        audit_append(&mut self.tx, written, (self.now, revision)).await?;
        self.tx.commit().await?;
        if reach != Reach::Nowhere {
            fleets.announce(revision);
        }
        Ok(Done {
            revision,
            version: self.version.unwrap_or(revision),
            reach,
        })
    }

    fn note(&mut self, region: &RegionName) {
        if !self.regions.contains(region) {
            self.regions.push(region.clone());
        }
    }

    async fn change_upsert(
        &mut self,
        region: &str,
        kind: Kind,
        id: &str,
        is_removed: bool,
    ) -> sqlx::Result<()> {
        let revision = self.revision().await?;
        sqlx::query(
            "INSERT INTO change (region_name, kind, record_id, revision, is_removed) \
             VALUES ($1, $2, $3, $4, $5) \
             ON CONFLICT (region_name, kind, record_id) \
             DO UPDATE SET revision = excluded.revision, is_removed = excluded.is_removed",
        )
        .bind(region)
        .bind(kind.as_str())
        .bind(id)
        .bind(number(revision)?)
        .bind(flag(is_removed))
        .execute(&mut *self.tx)
        .await?;
        Ok(())
    }
}

async fn region_names(conn: &mut AnyConnection) -> sqlx::Result<Vec<RegionName>> {
    let rows: Vec<(String,)> =
        sqlx::query_as("SELECT region_name FROM region ORDER BY region_name")
            .fetch_all(conn)
            .await?;
    rows.iter()
        .map(|(name,)| crate::store::row::parsed(name))
        .collect()
}
