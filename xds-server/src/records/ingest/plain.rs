//! Records without secrets, and removals.

use std::num::NonZeroU32;

use requestrocket_proto::region::v1 as region;

use super::Batch;
use crate::metrics;
use crate::records::record::{Proxy, Target, denying_layer};
use crate::store::StoreFailed;
use crate::store::credential::credential_delete;
use crate::store::organisation::organisation_delete;
use crate::store::proxy::{proxy_delete, proxy_upsert};
use crate::store::target::{target_delete, target_upsert};

impl Batch<'_> {
    pub(super) async fn target_ingest(
        &mut self,
        record: region::Target,
    ) -> Result<(), StoreFailed> {
        let region::Target {
            target_id,
            organisation_id,
            base_url,
            layer,
            check_seconds,
            test_path,
        } = record;
        metrics::change_stored("target");
        self.mentioned.targets.insert(target_id.clone());
        let stored = self.stored.targets.remove(&target_id);
        let target = Target {
            target_id,
            organisation_id,
            base_url,
            layer: layer.unwrap_or_else(denying_layer),
            check_seconds,
            test_path,
        };
        if stored.as_ref() != Some(&target) {
            target_upsert(self.conn, &target).await?;
            self.touched.targets.insert(target.target_id.clone());
        }
        self.stored.targets.insert(target.target_id.clone(), target);
        Ok(())
    }

    pub(super) async fn proxy_ingest(&mut self, record: region::Proxy) -> Result<(), StoreFailed> {
        metrics::change_stored("proxy");
        let proxy_id = record.proxy_id.clone();
        let Some(proxy) = from_wire(record) else {
            tracing::error!(
                proxy_id,
                "control plane sent a proxy without a timeout; it is dropped"
            );
            proxy_delete(self.conn, &[&proxy_id]).await?;
            self.stored.proxies.remove(&proxy_id);
            self.touched.proxies.insert(proxy_id);
            return Ok(());
        };
        self.mentioned.proxies.insert(proxy_id.clone());
        let stored = self.stored.proxies.remove(&proxy_id);
        if stored.as_ref() != Some(&proxy) {
            proxy_upsert(self.conn, &proxy, stored.as_ref()).await?;
            self.touched.proxies.insert(proxy_id.clone());
        }
        self.stored.proxies.insert(proxy_id, proxy);
        Ok(())
    }

    pub(super) async fn removed_ingest(
        &mut self,
        record: region::Removed,
    ) -> Result<(), StoreFailed> {
        metrics::change_stored("removed");
        let kind = record.kind();
        let region::Removed { kind: _, id } = record;
        let (mentioned, touched) = (&mut self.mentioned, &mut self.touched);
        match kind {
            region::RecordKind::Organisation => {
                organisation_delete(self.conn, &[&id]).await?;
                self.stored.organisations.remove(&id);
                mentioned.organisations.remove(&id);
                touched.organisations.insert(id);
            }
            region::RecordKind::Credential => {
                credential_delete(self.conn, &[&id]).await?;
                self.stored.credentials.remove(&id);
                mentioned.credentials.remove(&id);
                touched.credentials.insert(id);
            }
            region::RecordKind::Target => {
                target_delete(self.conn, &[&id]).await?;
                self.stored.targets.remove(&id);
                mentioned.targets.remove(&id);
                touched.targets.insert(id);
            }
            region::RecordKind::Proxy => {
                proxy_delete(self.conn, &[&id]).await?;
                self.stored.proxies.remove(&id);
                mentioned.proxies.remove(&id);
                touched.proxies.insert(id);
            }
            region::RecordKind::Unspecified => {
                tracing::warn!(
                    id,
                    "control plane removed a record of unknown kind; it is ignored"
                );
            }
        }
        Ok(())
    }
}

fn from_wire(record: region::Proxy) -> Option<Proxy> {
    let region::Proxy {
        proxy_id,
        organisation_id,
        is_active,
        proxy_credential_ids,
        target_id,
        target_credential_id,
        timeout_seconds,
        max_response_bytes,
        alias,
        layer,
        limits,
        meters,
        max_inspected_bytes,
        cors,
    } = record;
    Some(Proxy {
        proxy_id,
        organisation_id,
        is_active,
        proxy_credential_ids,
        target_id,
        target_credential_id,
        timeout_seconds: NonZeroU32::new(timeout_seconds)?,
        max_response_bytes,
        max_inspected_bytes,
        alias: Some(alias).filter(|alias| !alias.is_empty()),
        layer: layer.unwrap_or_else(denying_layer),
        limits: limits.unwrap_or_default(),
        meters,
        cors: cors.map(|cors| *cors),
    })
}
