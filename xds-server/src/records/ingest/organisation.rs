//! Organisations: the region makes each one's keys when it first hears of it.

use requestrocket_proto::policy::v1 as wire;
use requestrocket_proto::region::v1 as region;

use super::{Batch, IngestFailed};
use crate::metrics;
use crate::records::record::Organisation;
use crate::secrets::{ConversionFailed, organisation_keys};
use crate::store::organisation::organisation_upsert;

impl Batch<'_> {
    pub(super) async fn organisation_ingest(
        &mut self,
        record: region::Organisation,
    ) -> Result<(), IngestFailed> {
        let region::Organisation {
            organisation_id,
            is_suspended,
            credential_limits,
        } = record;
        metrics::change_stored("organisation");
        self.mentioned.organisations.insert(organisation_id.clone());
        let Some(stored) = self.organisation_or_new(&organisation_id).await? else {
            return Ok(());
        };
        let organisation = Organisation {
            organisation_id: organisation_id.clone(),
            is_suspended,
            credential_limits: credential_limits.unwrap_or_default(),
            keys: stored.keys.clone(),
        };
        if stored != organisation {
            organisation_upsert(self.conn, &organisation).await?;
            self.touched.organisations.insert(organisation_id.clone());
            self.stored
                .organisations
                .insert(organisation_id, organisation);
        }
        Ok(())
    }

    /// The organisation, made when it is new; None, with a log line, when its id is none.
    ///
    /// One that is known only by its credentials counts as suspended until its record comes.
    pub(super) async fn organisation_or_new(
        &mut self,
        organisation_id: &str,
    ) -> Result<Option<Organisation>, IngestFailed> {
        if let Some(stored) = self.stored.organisations.get(organisation_id) {
            return Ok(Some(stored.clone()));
        }
        let context = self.context;
        let keys = match organisation_keys(&context.region, &context.keys, organisation_id) {
            Ok(keys) => keys,
            Err(ConversionFailed::Randomness(error)) => return Err(error.into()),
            Err(ConversionFailed::Problem(_)) => {
                tracing::error!(
                    organisation_id,
                    "organisation without a legal id is dropped"
                );
                return Ok(None);
            }
        };
        let organisation_id = organisation_id.to_owned();
        self.touched.organisations.insert(organisation_id.clone());
        let organisation = Organisation {
            organisation_id,
            is_suspended: true,
            credential_limits: wire::Limits::default(),
            keys,
        };
        organisation_upsert(self.conn, &organisation).await?;
        let id = organisation.organisation_id.clone();
        self.stored.organisations.insert(id, organisation.clone());
        Ok(Some(organisation))
    }
}
