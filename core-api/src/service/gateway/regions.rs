//! Whether an organisation may have something in a region.

use sqlx::AnyConnection;

use crate::domain::gateway::region::RegionName;
use crate::domain::people::organisation::Organisation;
use crate::error::ApiResult;
use crate::store::gateway::region::region_fetch;
use requestrocket_policy::form::problem::{Fault, Problems};

/// Notes at `field` when `organisation` may not use `region`.
///
/// # Errors
/// The database does not answer.
pub async fn check(
    conn: &mut AnyConnection,
    organisation: &Organisation,
    region: &RegionName,
    field: &str,
    problems: &mut Problems,
) -> ApiResult<()> {
    if region_fetch(conn, region.as_str()).await?.is_none() {
        problems.add(Fault::UnknownRegion, field, "names no region");
    } else if !organisation.allows_region(region) {
        problems.add(
            Fault::RegionNotAllowed,
            field,
            "is not among the organisation's regions",
        );
    }
    Ok(())
}
