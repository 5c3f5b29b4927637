//! All records of a selection, a line each: one page after the other is asked of the regions, as fast
//! as the lines are taken.

use std::collections::BTreeSet;

use http::{HeaderName, HeaderValue};

use super::record::RequestRecord;
use super::selection::Selection;
use super::{find, refuse_away};
use crate::domain::id::OrganisationId;
use crate::domain::people::permission::Permission;
use crate::error::{ApiError, ApiResult, Code};
use crate::http::call::Read;
use crate::http::lines::LINES;
use crate::http::stream::{Ended, Pieces, Reader, streamed};
use crate::identity::caller::Scope;
use crate::service::operations::requests::Found;
use crate::state::AppState;
use crate::store::gateway::proxy_names::proxy_names;
use requestrocket_proto::record::v1::Record;
use requestrocket_proto::region::v1::RecordsQuery;

/// Records that are in memory at a time.
const TOGETHER: u32 = 200;
/// Names regions whose records are not in the answer.
const UNAVAILABLE: HeaderName = HeaderName::from_static("requestrocket-unavailable-regions");

/// The answer. What is wrong before its first line is an error like others, later it is cut.
pub(super) async fn export(
    call: &Read,
    scope: &Scope,
    mut regions: BTreeSet<String>,
    selection: Selection,
) -> ApiResult {
    let Selection {
        query,
        region,
        recorded: _,
    } = selection;
    let is_one = region.is_some() || !query.proxy_id.is_empty();
    let query = RecordsQuery {
        limit: TOGETHER,
        is_uncounted: true,
        ..query
    };
    let state = &call.state;
    // Both before the answer begins: after its first byte no status can tell of a refusal.
    let place = state.readers.hold(&query.organisation_id).await?;
    let found = find(state, regions.clone(), &query).await?;
    if is_one {
        refuse_away(&found.unavailable)?;
    }
    let unavailable = found.unavailable.join(", ");
    // Back in the middle, it would give a part of what the header says is missing.
    regions.retain(|region| !found.unavailable.contains(region));
    let organisation = scope.id();
    let reader = Reader::new(state, call.caller.clone(), scope, Permission::ReadResources);
    let make = async move |pieces| {
        let _until_done = place;
        let sent = send_all(
            &pieces,
            (&reader.state, organisation),
            (regions, query),
            found,
        );
        reader.while_permitted(sent).await?;
        Ok(pieces)
    };
    let mut response = streamed(&state.tasks, LINES, make);
    if let Ok(unavailable) = HeaderValue::try_from(unavailable)
        && !unavailable.is_empty()
    {
        response.headers_mut().insert(UNAVAILABLE, unavailable);
    }
    Ok(response)
}

async fn send_all(
    pieces: &Pieces,
    (state, organisation): (&AppState, OrganisationId),
    (regions, mut query): (BTreeSet<String>, RecordsQuery),
    mut found: Found,
) -> Result<(), Ended> {
    loop {
        let lines = lines(state, organisation, found.records).await?;
        if !lines.is_empty() {
            pieces.send(lines).await?;
        }
        if found.next.is_none() {
            return Ok(());
        }
        query.after = found.next;
        found = find_in_time(state, &regions, &query).await?;
        // What it has would be missing in the middle.
        refuse_away(&found.unavailable)?;
    }
}

/// An export is in no hurry: it waits for a place.
async fn find_in_time(
    state: &AppState,
    regions: &BTreeSet<String>,
    query: &RecordsQuery,
) -> ApiResult<Found> {
    loop {
        match find(state, regions.clone(), query).await {
            Err(error) if error.code() == Code::RateLimited => {}
            found => return found,
        }
    }
}

async fn lines(
    state: &AppState,
    organisation: OrganisationId,
    records: Vec<Record>,
) -> ApiResult<Vec<u8>> {
    let mut conn = state.connect().await?;
    let proxies = records.iter().map(|record| record.proxy_id.as_str());
    let names = proxy_names(&mut conn, organisation, &proxies.collect()).await?;
    drop(conn);
    let mut lines = Vec::new();
    for record in records {
        let record = RequestRecord::new(record, &names);
        serde_json::to_writer(&mut lines, &record).map_err(ApiError::internal)?;
        lines.push(b'\n');
    }
    Ok(lines)
}
