//! Consents: what one brought is kept until it was shown to the provider, and counts once.

use requestrocket_proto::region::v1 as region;

use super::{Batch, Context, IngestFailed};
use crate::records::record::{Credential, StoredSecret};
use crate::secrets::{ConversionFailed, convert_consent};
use crate::store::token::{TokenRow, token_consented, token_list};

impl Batch<'_> {
    /// Has a token asked for with what came, if that is newer than what is known.
    pub(super) async fn consent_ingest(
        &mut self,
        record: &region::Credential,
        credential: &Credential,
    ) -> Result<(), IngestFailed> {
        let (Some(consent), Ok(StoredSecret::Obtained(..))) = (&record.consent, &credential.secret)
        else {
            return Ok(());
        };
        let credential_id = credential.credential_id.as_str();
        let mut tokens = token_list(self.conn, Some(&[credential_id])).await?;
        // The record brings its consent along with each change; it counts once.
        let is_news =
            |row: &TokenRow| row.version == credential.version && row.life.consent < consent.number;
        let Some(row) = tokens.remove(credential_id).filter(is_news) else {
            return Ok(());
        };
        let Some(organisation) = self.organisation_or_new(&record.organisation_id).await? else {
            return Ok(());
        };
        let Context { region, keys } = self.context;
        let given = convert_consent(region, keys, &organisation.keys, (record, consent));
        let row = match given {
            Ok(given) => TokenRow {
                life: row.life.consented(consent.number),
                // It belongs to the consent before.
                refresh_token: None,
                consent: Some(given),
                ..row
            },
            Err(ConversionFailed::Problem(problem)) => {
                tracing::error!(credential_id, %problem, "consent cannot be used");
                TokenRow {
                    life: row.life.unconsented(consent.number),
                    consent: None,
                    ..row
                }
            }
            Err(ConversionFailed::Randomness(error)) => return Err(error.into()),
        };
        token_consented(self.conn, &row).await?;
        self.touched.credentials.insert(credential_id.to_owned());
        Ok(())
    }
}
