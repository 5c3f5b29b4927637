//! Has a target called by its region.

use requestrocket_policy::destination::is_allowed;
use requestrocket_policy::form::problem::{Fault, Problems};
use requestrocket_policy::secret_form::auth_type::Side;
use requestrocket_proto::region::v1::{TargetTest, TargetTestQuery, answer, query};
use sqlx::AnyConnection;
use url::Url;

use crate::domain::gateway::target::Target;
use crate::domain::id::CredentialId;
use crate::error::ApiResult;
use crate::region::fleet::{Fleets, Unanswered};
use crate::store::gateway::credential::credential_fetch;

const FIELD: &str = "targetCredentialId";

/// Whether the target may be given that credential, as if a proxy had both.
///
/// # Errors
/// It is unknown, of another region or side, or not allowed at the target's host.
pub async fn check_credential(
    conn: &mut AnyConnection,
    target: &Target,
    credential: CredentialId,
) -> ApiResult<()> {
    let mut problems = Problems::default();
    let found = credential_fetch(conn, target.organisation, credential).await?;
    let Some(credential) = found else {
        let text = "names no record of the organisation";
        problems.add(Fault::ReferenceNotFound, FIELD, text);
        return Ok(problems.check()?);
    };
    if credential.region != target.region {
        problems.add(Fault::RegionMismatch, FIELD, "is of another region");
    }
    if credential.side != Side::Target {
        let text = "is not a target credential";
        problems.add(Fault::CredentialTypeMismatch, FIELD, text);
    }
    let url = Url::parse(target.form.base_url.as_str()).ok();
    let host = url.as_ref().and_then(Url::host_str).unwrap_or_default();
    if !is_allowed(&credential.form.allowed_hosts, host) {
        let text = format!("is not allowed at {host} by its `credentialAllowedHosts`");
        problems.add(Fault::DestinationNotAllowed, FIELD, text);
    }
    Ok(problems.check()?)
}

/// What a call of the target comes to.
///
/// # Errors
/// Its region does not answer.
pub async fn test(
    fleets: &Fleets,
    target: &Target,
    credential: Option<CredentialId>,
) -> Result<TargetTest, Unanswered> {
    let path = target.form.test_path.as_deref();
    let query = TargetTestQuery {
        organisation_id: target.organisation.to_string(),
        base_url: target.form.base_url.to_string(),
        path: path.unwrap_or("/").to_owned(),
        target_credential_id: credential.map(|id| id.to_string()).unwrap_or_default(),
    };
    let question = query::Kind::TargetTest(query);
    let answer::Kind::TargetTest(test) = fleets.ask(target.region.as_str(), question).await? else {
        return Err(Unanswered::Unknown);
    };
    Ok(test)
}
