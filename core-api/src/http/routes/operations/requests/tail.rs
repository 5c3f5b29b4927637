//! `/clients/{clientId}/requests/tail` and `/clients/{clientId}/proxies/{proxyId}/requests/tail`:
//! records as they come, as server-sent events.

use std::collections::BTreeSet;
use std::time::Duration;

use axum::extract::{FromRequestParts, RawQuery};
use http::request::Parts;
use requestrocket_process::clock::unix_ms;
use tokio::time::{Instant, sleep};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::record::RequestRecord;
use super::selection::{FilterParams, Selection};
use super::{only, proxy_of, refuse_away, regions};
use crate::domain::id::OrganisationId;
use crate::domain::people::permission::Permission;
use crate::error::{ApiError, ApiResult, Code};
use crate::http::call::{InPath, Read};
use crate::http::stream::{Ended, Pieces, Reader, streamed};
use crate::identity::caller::Scope;
use crate::service::operations::mark::Mark;
use crate::service::operations::tail::{News, Tail};
use crate::state::AppState;
use crate::store::gateway::proxy_names::proxy_names;

const EVENTS: &str = "text/event-stream";
/// Between two looks at what came.
const PAUSE: Duration = Duration::from_secs(1);
/// Something is sent at least so often.
const HEARTBEAT: Duration = Duration::from_secs(15);

/// The routes of this file.
pub(super) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(tail_requests_of_proxy))
        .routes(routes!(tail_requests))
}

/// What a reader who was here before saw last.
pub(super) struct LastEvent(Option<Mark>);

impl<S: Send + Sync> FromRequestParts<S> for LastEvent {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        const NAME: &str = "Last-Event-ID";
        let Some(id) = parts.headers.get(NAME) else {
            return Ok(Self(None));
        };
        let mark = id.to_str().ok().and_then(|id| id.parse().ok());
        let text = "must be the `id` of an event";
        mark.map(|mark| Self(Some(mark)))
            .ok_or_else(|| ApiError::invalid(NAME, text))
    }
}

/// Calls of a proxy as they end: events `request` whose data are records. A comment comes when there
/// is nothing else for 15 s.
#[utoipa::path(
    get,
    path = "/clients/{clientId}/proxies/{proxyId}/requests/tail",
    tag = "requests",
    params(
        ("clientId" = Uuid, Path, description = "The organisation"),
        ("proxyId" = Uuid, Path, description = "The proxy"),
        FilterParams,
        ("Last-Event-ID" = Option<String>, Header, description = "Goes on behind that event"),
    ),
    responses((status = 200, body = String, content_type = "text/event-stream"))
)]
async fn tail_requests_of_proxy(
    call: Read,
    InPath((client, proxy)): InPath<(String, String)>,
    RawQuery(raw): RawQuery,
    last: LastEvent,
) -> ApiResult {
    let scope = call.enter(&client, Permission::ReadResources).await?;
    let (proxy, region) = proxy_of(&call, &scope, &proxy).await?;
    let owner = (scope.id().to_string(), Some(proxy.to_string()));
    let selection = Selection::read_filters(raw.as_deref(), owner)?;
    tail(&call, &scope, (only(&region), selection), last).await
}

/// Calls of all proxies as they end.
#[utoipa::path(
    get,
    path = "/clients/{clientId}/requests/tail",
    tag = "requests",
    params(
        ("clientId" = Uuid, Path, description = "The organisation"),
        FilterParams,
        ("region" = Option<String>, Query, description = "Only calls in this region"),
        ("Last-Event-ID" = Option<String>, Header, description = "Goes on behind that event"),
    ),
    responses((status = 200, body = String, content_type = "text/event-stream"))
)]
async fn tail_requests(
    call: Read,
    InPath(client): InPath<String>,
    RawQuery(raw): RawQuery,
    last: LastEvent,
) -> ApiResult {
    let scope = call.enter(&client, Permission::ReadResources).await?;
    let owner = (scope.id().to_string(), None);
    let selection = Selection::read_filters(raw.as_deref(), owner)?;
    let regions = match &selection.region {
        Some(region) => only(region),
        None => regions(&call, &scope).await?,
    };
    tail(&call, &scope, (regions, selection), last).await
}

async fn tail(
    call: &Read,
    scope: &Scope,
    (regions, selection): (BTreeSet<String>, Selection),
    LastEvent(mark): LastEvent,
) -> ApiResult {
    let state = &call.state;
    let is_one = selection.region.is_some() || !selection.query.proxy_id.is_empty();
    let place = state.readers.hold(&scope.id().to_string()).await?;
    let now_ms = u64::try_from(unix_ms(state.clock.now())).unwrap_or(0);
    let mut tail = Tail::new(selection.query, &regions, (mark, now_ms));
    let news = look(state, scope.id(), &mut tail).await?;
    if is_one {
        refuse_away(&news.unavailable)?;
    }
    let reader = Reader::new(state, call.caller.clone(), scope, Permission::ReadResources);
    let organisation = scope.id();
    let make = async move |pieces| {
        let _until_done = place;
        // Headers go with the first piece.
        Pieces::send(&pieces, ":\n\n").await?;
        let followed = follow(&pieces, (&reader.state, organisation), tail, news);
        reader.while_permitted(followed).await?;
        Ok(pieces)
    };
    Ok(streamed(&state.tasks, EVENTS, make))
}

/// Until the reader goes.
async fn follow(
    pieces: &Pieces,
    (state, organisation): (&AppState, OrganisationId),
    mut tail: Tail,
    mut news: News,
) -> Result<(), Ended> {
    let mut said = Instant::now();
    loop {
        let is_more = news.is_more;
        let events = events(state, organisation, news).await?;
        if !events.is_empty() || said.elapsed() >= HEARTBEAT {
            let heartbeat = b":\n\n".to_vec();
            pieces
                .send(if events.is_empty() { heartbeat } else { events })
                .await?;
            said = Instant::now();
        }
        if !is_more {
            sleep(PAUSE).await;
        }
        news = match look(state, organisation, &mut tail).await {
            // A stream is in no hurry: the tail stays where it is, and the next look finds the
            // same.
            Err(error) if error.code() == Code::RateLimited => News::default(),
            looked => looked?,
        };
    }
}

/// In one of the organisation's places.
async fn look(state: &AppState, organisation: OrganisationId, tail: &mut Tail) -> ApiResult<News> {
    // A copy: whoever waits may go away in the middle, and a look that fails moves nothing on.
    let (mut looking, fleets) = (tail.clone(), state.fleets.clone());
    let work = async move {
        let news = looking.look(&fleets).await;
        (looking, news)
    };
    let organisation = organisation.to_string();
    let looked = state.searches.wait_for(&organisation, work, &state.tasks);
    let news;
    (*tail, news) = looked.await?;
    Ok(news)
}

async fn events(state: &AppState, organisation: OrganisationId, news: News) -> ApiResult<Vec<u8>> {
    if news.records.is_empty() {
        return Ok(Vec::new());
    }
    let mut conn = state.connect().await?;
    let records = news.records.iter();
    let proxies = records.map(|(record, _)| record.proxy_id.as_str());
    let names = proxy_names(&mut conn, organisation, &proxies.collect()).await?;
    drop(conn);
    let mut events = Vec::new();
    for (record, mark) in news.records {
        let begin = format!("id: {mark}\nevent: request\ndata: ");
        events.extend(begin.into_bytes());
        let record = RequestRecord::new(record, &names);
        // JSON has no line breaks of its own.
        serde_json::to_writer(&mut events, &record).map_err(ApiError::internal)?;
        events.extend(b"\n\n");
    }
    Ok(events)
}
