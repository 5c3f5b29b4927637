//! Whether targets answer: calls of the region's own, with a target credential or without, of whose
//! answers nothing is read but the status.

mod checks;

use std::sync::Arc;

use requestrocket_policy::admission::Admission;
use requestrocket_policy::compile::Compilation;
use requestrocket_policy::policy::Policy;
use requestrocket_policy::secret::{SecretBytes, SecretText};
use requestrocket_policy::trial::{Trial, trial};
use requestrocket_process::clock::Clock;
use requestrocket_proto::region::v1::{TargetTest, TargetTestQuery};
use tokio::sync::Semaphore;
use tokio::time::Instant;
use uuid::Uuid;

use crate::records::assemble::{assemble_uncalled, target_config};
use crate::records::record::{Credential, Organisation, Target, denying_layer};
use crate::records::region_config::{ProxyConfig, Scheme, TargetConfig};
use crate::secrets::keys::RegionKeys;
use crate::secrets::renew::client::Client;
use crate::store::credential::credential_list;
use crate::store::organisation::organisation_list;
use crate::store::{Store, StoreFailed};
use crate::translate::policy_parts;

pub use self::checks::{Checks, TargetChecking, told};

#[cfg(test)]
mod tests;

/// Calls that people ask for, at a time.
const MAX_ASKED: usize = 32;
const UNUSABLE: &str = "target credential cannot be used";

/// Calls targets.
#[derive(Clone, Debug)]
pub struct TargetTests {
    region: String,
    keys: Arc<RegionKeys>,
    store: Store,
    client: Client,
    clock: Clock,
    asked: Arc<Semaphore>,
}

/// A request that can be sent.
type Ready = (SecretText, Vec<(String, SecretText)>);

impl TargetTests {
    /// Of a region with these keys, which calls by that client.
    #[must_use]
    pub fn new(
        (region, keys): (&str, &Arc<RegionKeys>),
        (store, client): (&Store, &Client),
        clock: &Clock,
    ) -> Self {
        Self {
            region: region.to_owned(),
            keys: Arc::clone(keys),
            store: store.clone(),
            client: client.clone(),
            clock: clock.clone(),
            asked: Arc::new(Semaphore::new(MAX_ASKED)),
        }
    }

    /// Calls a target because somebody asks. None: too many are called.
    ///
    /// # Errors
    /// The store does not answer.
    pub async fn answer(&self, query: TargetTestQuery) -> Result<Option<TargetTest>, StoreFailed> {
        let Ok(_place) = self.asked.try_acquire() else {
            return Ok(None);
        };
        let TargetTestQuery {
            organisation_id,
            base_url,
            path,
            target_credential_id,
        } = query;
        let target = Target {
            target_id: Uuid::nil().to_string(),
            organisation_id,
            base_url,
            layer: denying_layer(),
            check_seconds: 0,
            test_path: String::new(),
        };
        let credential = Some(target_credential_id.as_str()).filter(|id| !id.is_empty());
        self.call(target, credential, &path).await.map(Some)
    }

    /// Calls a target by `GET` of that path, with a credential of its organisation.
    async fn call(
        &self,
        target: Target,
        credential: Option<&str>,
        path: &str,
    ) -> Result<TargetTest, StoreFailed> {
        let ready = match credential {
            None => without_credential(&target, path),
            Some(id) => match self.records(&target, id).await? {
                Some(records) => self.with_credential(target, records, path),
                None => Err("region does not have the target credential".to_owned()),
            },
        };
        let began = Instant::now();
        let answered = match ready {
            Ok((url, headers)) => self.client.status(url, headers).await,
            Err(problem) => Err(problem),
        };
        let (status, error) = match answered {
            Ok(status) => (u32::from(status), String::new()),
            Err(problem) => (0, problem),
        };
        Ok(TargetTest {
            is_reachable: status != 0,
            status,
            duration_ms: u32::try_from(began.elapsed().as_millis()).unwrap_or(u32::MAX),
            error,
        })
    }

    async fn records(
        &self,
        target: &Target,
        credential_id: &str,
    ) -> Result<Option<(Credential, Organisation)>, StoreFailed> {
        let mut tx = self.store.begin().await?;
        let credential = credential_list(&mut tx, Some(&[credential_id]))
            .await?
            .pop();
        let organisations = [target.organisation_id.as_str()];
        let organisation = organisation_list(&mut tx, Some(&organisations)).await?;
        Ok(credential.zip(organisation.into_iter().next()))
    }

    /// As a call of a proxy that has both would be sent.
    fn with_credential(
        &self,
        target: Target,
        (credential, organisation): (Credential, Organisation),
        path: &str,
    ) -> Result<Ready, String> {
        let assembled = assemble_uncalled(target, credential, organisation);
        if let Some(problem) = assembled.unusable {
            return Err(problem);
        }
        let config = assembled.config.ok_or(UNUSABLE)?;
        let to = config.target.as_ref().ok_or("base URL cannot be used")?;
        let policy = self.policy(&config).ok_or(UNUSABLE)?;
        let called = trial(&policy, path, self.clock.unix_ms());
        let Trial { target, headers } = called.map_err(|problem| problem.to_string())?;
        let headers = headers
            .into_iter()
            .map(|(name, value)| Some((name, text(&value)?)));
        let headers: Option<_> = headers.collect();
        let url = text(&target).map(|target| url(to, target.expose()));
        url.zip(headers).ok_or_else(|| UNUSABLE.to_owned())
    }

    fn policy(&self, config: &ProxyConfig) -> Option<Policy> {
        let (admission, rest, token) = policy_parts(config, &self.region);
        let admission = Admission::compile(&admission, &self.keys.ring).ok()?;
        let mut compilation = Compilation::new(Arc::new(admission), rest);
        let policy = loop {
            if let Some(policy) = compilation.step() {
                break policy.ok()?;
            }
        };
        match token {
            Some(token) => policy.with_token(b"now", &token).ok(),
            None => Some(policy),
        }
    }
}

fn without_credential(target: &Target, path: &str) -> Result<Ready, String> {
    let to = target_config(target).ok_or("base URL cannot be used")?;
    let target = format!("{}{path}", to.base_path);
    Ok((url(&to, &target), Vec::new()))
}

/// With `Host` as Envoy writes it, which may be signed.
fn url(to: &TargetConfig, target: &str) -> SecretText {
    let scheme = match to.scheme {
        Scheme::Http => "http",
        Scheme::Https => "https",
    };
    SecretText::new(format!("{scheme}://{}{target}", to.host()))
}

fn text(bytes: &SecretBytes) -> Option<SecretText> {
    let text = std::str::from_utf8(bytes.expose()).ok()?;
    Some(SecretText::new(text.to_owned()))
}
