//! Enrolment: a one-time token buys a region its client certificate.

use std::time::Duration;

use requestrocket_process::clock::Clock;
use requestrocket_process::db::Db;
use requestrocket_proto::region::v1::{EnrolRequest, EnrolResponse};
use tonic::Status;

use super::links::Links;
use super::unavailable;
use crate::domain::account::audit::{Actor, Entry, Log, Named};
use crate::domain::gateway::region::RegionName;
use crate::identity::token::{NewToken, digest};
use crate::region::fleet::Fleets;
use crate::region::pki::Authority;
use crate::store::gateway::region as store;
use crate::store::log::write::Write;

/// How long an enrolment token can be used.
pub const ENROLMENT_LIFE: Duration = Duration::from_hours(1);
/// What an enrolment token begins with.
const PREFIX: &str = "e-";

/// A token cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum TokenFailed {
    /// The store does not answer.
    #[error("store does not answer")]
    Store(#[from] sqlx::Error),
    /// The machine gives no randomness.
    #[error("no randomness")]
    Randomness(#[from] getrandom::Error),
}

/// Makes `region` unless it exists, and a token with which it enrols once.
///
/// # Errors
/// The store or the machine's randomness fail.
pub async fn issue_token(
    db: &Db,
    clock: &Clock,
    region: &RegionName,
) -> Result<NewToken, TokenFailed> {
    let token = NewToken::with_prefix(PREFIX)?;
    let now = clock.now();
    let mut write = Write::begin(db, now.into()).await?;
    store::region_ensure(write.conn(), region, now).await?;
    let expires_at = now + ENROLMENT_LIFE;
    store::enrolment_token_insert(write.conn(), &token.digest(), region, expires_at).await?;
    let entry = Entry::of(Log::Operator, named(region), "issueToken");
    // No region has to hear of it.
    let nobody = Fleets::default();
    write
        .commit(&nobody, &Actor::CommandLine.into(), entry)
        .await?;
    Ok(token)
}

/// Answers `Enrol`. A request that is refused leaves the token and the region's open link as they
/// were; one that is granted ends the link, which is of the former certificate.
pub(super) async fn enrol(
    db: &Db,
    authority: &Authority,
    clock: &Clock,
    links: &Links,
    request: EnrolRequest,
) -> Result<EnrolResponse, Status> {
    let EnrolRequest { token, csr_der } = request;
    let now = clock.now();
    let mut write = Write::begin(db, now.into()).await.map_err(unavailable)?;
    // In the same transaction, so that a refusal below leaves the token unused.
    let used = store::enrolment_token_use(write.conn(), &digest(token.as_bytes()), now).await;
    let name = used
        .map_err(unavailable)?
        .and_then(|name| name.parse::<RegionName>().ok());
    let name = name.ok_or_else(|| {
        Status::unauthenticated("enrolment token is unknown, expired or was used before")
    })?;
    let issued = authority.issue_region(&name, &csr_der, now).map_err(|error| {
        tracing::warn!(region = %name, error = %error, "signing request of a region is refused");
        Status::invalid_argument("csr_der must be a signed PKCS#10 request")
    })?;
    let noted = store::region_enrolled(write.conn(), &name, &issued.digest).await;
    noted.map_err(unavailable)?;
    let entry = Entry::of(Log::Operator, named(&name), "enrol");
    let nobody = Fleets::default();
    let kept = write.commit(&nobody, &Actor::System.into(), entry).await;
    kept.map_err(unavailable)?;
    // After the commit: a region that dials at once must not get in with the former certificate.
    links.revoke(&name);
    tracing::info!(region = %name, "region enrolled");
    Ok(EnrolResponse {
        region: name.to_string(),
        certificate_pem: issued.pem,
        ca_pem: authority.certificate_pem().to_owned(),
    })
}

fn named(region: &RegionName) -> Named {
    Named {
        kind: "region",
        id: region.to_string(),
        name: region.to_string(),
    }
}
