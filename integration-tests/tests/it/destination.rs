//! Destinations that a proxy is switched between.

use anyhow::{Result, ensure};
use requestrocket_integration_tests::gateway::{Gateway, Secret, id, unique};
use requestrocket_integration_tests::target::Target;
use serde_json::{Value, json};

/// Where a proxy may lead, with the only secret that may arrive there.
pub(crate) struct Destination {
    pub(crate) target: Target,
    pub(crate) secret: String,
    /// What makes a proxy lead there.
    pub(crate) change: Value,
}

impl Destination {
    pub(crate) async fn new(gateway: &Gateway) -> Result<Self> {
        let target = Target::start().await?;
        let secret = unique("secret-of-a-destination");
        let record = gateway.target(&target.url()).await?;
        let injected = Secret::api_key(&secret);
        let credential = gateway.credential("target", &injected).await?;
        Ok(Self {
            change: json!({
                "proxyTargetId": id(&record, "targetId")?,
                "proxyTargetCredentialId": id(&credential, "credentialId")?,
            }),
            target,
            secret,
        })
    }
    /// How many calls arrived, all with its own secret.
    pub(crate) fn arrived(&self) -> Result<usize> {
        let seen = self.target.requests();
        let own = std::slice::from_ref(&self.secret);
        let is_own = seen.iter().all(|one| one.head.all("authorization") == own);
        ensure!(is_own, "another destination's secret arrived");
        Ok(seen.len())
    }
}
