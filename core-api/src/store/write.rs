//! Mutating transactions: one revision each, and the change log that regions follow.

use requestrocket_process::db::Db;
use sqlx::{Any, AnyConnection, Transaction};

use super::row::{flag, number, unsigned};
use crate::domain::moment::Moment;
use crate::domain::region::RegionName;
use crate::fleet::Fleets;

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

/// A transaction that changes something. Dropped without [`Write::commit`] it changes nothing.
///
/// Invariant: writers run one after the other, so revisions become visible in order.
#[derive(Debug)]
pub struct Write {
    tx: Transaction<'static, Any>,
    revision: u64,
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
    /// Its revision.
    pub revision: u64,
    /// Who has to hear of it.
    pub reach: Reach,
}

impl Write {
    /// Begins; waits for the writer before.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn begin(db: &Db, now: Moment) -> sqlx::Result<Self> {
        let mut tx = db.begin().await?;
        // The row lock orders writers on PostgreSQL; SQLite has one writer anyway.
        let (revision,): (i64,) =
            sqlx::query_as("UPDATE revision SET newest = newest + 1 WHERE id = 1 RETURNING newest")
                .fetch_one(&mut *tx)
                .await?;
        let revision = unsigned(revision)?;
        Ok(Self {
            tx,
            revision,
            now,
            regions: Vec::new(),
            is_everywhere: false,
        })
    }

    /// The revision that this change makes.
    #[must_use]
    pub fn revision(&self) -> u64 {
        self.revision
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

    /// Makes the change durable and tells the region links.
    ///
    /// # Errors
    /// The database does not answer; the change may then be done or not.
    pub async fn commit(mut self, fleets: &Fleets) -> sqlx::Result<Done> {
        let reach = if self.is_everywhere {
            Reach::Regions(region_names(&mut self.tx).await?)
        } else if self.regions.is_empty() {
            Reach::Nowhere
        } else {
            Reach::Regions(self.regions)
        };
        self.tx.commit().await?;
        if reach != Reach::Nowhere {
            fleets.announce(self.revision);
        }
        Ok(Done {
            revision: self.revision,
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
        sqlx::query(
            "INSERT INTO change (region_name, kind, record_id, revision, is_removed) \
             VALUES ($1, $2, $3, $4, $5) \
             ON CONFLICT (region_name, kind, record_id) \
             DO UPDATE SET revision = excluded.revision, is_removed = excluded.is_removed",
        )
        .bind(region)
        .bind(kind.as_str())
        .bind(id)
        .bind(number(self.revision)?)
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
        .map(|(name,)| super::row::parsed(name))
        .collect()
}
