//! One request in a handler: who calls, under which conditions, and how it is answered.

use std::time::Duration;

use axum::Json;
use axum::extract::{FromRequestParts, OriginalUri, Path};
use axum::response::{IntoResponse, Response};
use http::header::{CACHE_CONTROL, ETAG, LOCATION};
use http::request::Parts;
use http::{HeaderName, HeaderValue, Method, StatusCode};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::author;
use super::etag::{Condition, IfMatch, IfNoneMatch, Tag};
use super::idempotency::ReplayBody;
use super::query::Query;
use crate::domain::account::audit::Origin;
use crate::domain::people::permission::Permission;
use crate::error::{ApiError, ApiResult};
use crate::identity::caller::{Caller, Scope};
use crate::region::fleet::Applied;
use crate::service::change::Change;
use crate::state::AppState;
use crate::store::log::write::{Done, Reach};
use requestrocket_policy::form::problem::Problems;

/// Header of every mutation: its version.
pub(crate) const CONFIG_VERSION: HeaderName =
    HeaderName::from_static("requestrocket-config-version");
const CONFIG_APPLIED: HeaderName = HeaderName::from_static("requestrocket-config-applied");

/// A request that only reads.
#[derive(Debug)]
pub struct Read {
    /// What the process has.
    pub state: AppState,
    /// Who asks.
    pub caller: Caller,
    /// From where.
    pub origin: Origin,
    if_none_match: Condition,
}

/// A request that changes something.
#[derive(Debug)]
pub struct Mutation {
    /// What is asked for, of whom: `If-Match`, and `?force=true` of a DELETE.
    pub change: Change,
    wait: Option<Duration>,
    path: String,
}

impl Read {
    /// The organisation in the path, when the caller may do this there.
    ///
    /// # Errors
    /// `NOT_FOUND` for strangers, `FORBIDDEN` for members without the permission.
    pub async fn enter(&self, organisation: &str, permission: Permission) -> ApiResult<Scope> {
        Scope::enter(&self.state, &self.caller, organisation, permission).await
    }

    /// 200 with the record, or 304 when the caller has it.
    pub fn answer(&self, record: &impl Serialize, tag: &Tag) -> Response {
        if self.if_none_match.is_fresh(tag) {
            return tagged(StatusCode::NOT_MODIFIED.into_response(), tag);
        }
        tagged(Json(record).into_response(), tag)
    }

    /// 200 with something made up anew, tagged by its content.
    ///
    /// # Errors
    /// It cannot be written as JSON.
    pub fn answer_content(&self, content: &impl Serialize) -> ApiResult {
        let bytes = serde_json::to_vec(content).map_err(ApiError::internal)?;
        Ok(self.answer(content, &Tag::of_content(&bytes)))
    }
}

impl Mutation {
    /// The organisation in the path, when the caller may do this there.
    ///
    /// # Errors
    /// `NOT_FOUND` for strangers, `FORBIDDEN` for members without the permission.
    pub async fn enter(&self, organisation: &str, permission: Permission) -> ApiResult<Scope> {
        Scope::enter(
            &self.change.state,
            &self.change.actor,
            organisation,
            permission,
        )
        .await
    }

    /// 201 with the new record and its `Location`: this path and `id`.
    pub async fn created(&self, done: &Done, id: &str, record: &impl Serialize) -> Response {
        let response = (StatusCode::CREATED, Json(record)).into_response();
        self.finish(
            done,
            self.located(tagged(response, &Tag::of_revision(done.version)), id),
        )
        .await
    }

    /// 201 with a record that shows a secret this once; a replay answers `replay` instead.
    ///
    /// # Errors
    /// A record cannot be written as JSON.
    pub async fn created_once(
        &self,
        done: &Done,
        id: &str,
        record: &impl Serialize,
        replay: &impl Serialize,
    ) -> ApiResult {
        let response = self.created(done, id, record).await;
        shown_once(response, replay)
    }

    /// 200 with the record as it is now.
    pub async fn updated(&self, done: &Done, record: &impl Serialize) -> Response {
        let response = tagged(
            Json(record).into_response(),
            &Tag::of_revision(done.version),
        );
        self.finish(done, response).await
    }

    /// 200 with a record that shows a new secret this once.
    ///
    /// # Errors
    /// The record cannot be written as JSON.
    pub async fn updated_once(&self, done: &Done, record: &impl Serialize) -> ApiResult {
        let response = self.updated(done, record).await;
        shown_once(response, &serde_json::Value::Null)
    }

    /// 200 with what is no record and shows a secret this once; a replay answers `replay` instead.
    ///
    /// # Errors
    /// `replay` cannot be written as JSON.
    pub async fn answered_once(
        &self,
        done: &Done,
        shown: &impl Serialize,
        replay: &impl Serialize,
    ) -> ApiResult {
        let response = self.finish(done, Json(shown).into_response()).await;
        shown_once(response, replay)
    }

    /// An answer that is no record with a version of its own.
    pub async fn answered(&self, done: &Done, answer: Response) -> Response {
        self.finish(done, answer).await
    }

    /// 204.
    pub async fn deleted(&self, done: &Done) -> Response {
        self.finish(done, StatusCode::NO_CONTENT.into_response())
            .await
    }

    fn located(&self, mut response: Response, id: &str) -> Response {
        let location = format!("{}/{id}", self.path.trim_end_matches('/'));
        if let Ok(location) = HeaderValue::from_str(&location) {
            response.headers_mut().insert(LOCATION, location);
        }
        response
    }

    /// Adds the headers of every mutation, after the wait if one was asked for.
    async fn finish(&self, done: &Done, mut response: Response) -> Response {
        let headers = response.headers_mut();
        headers.insert(CONFIG_VERSION, HeaderValue::from(done.revision));
        if let Some(limit) = self.wait {
            let outcome = self.wait_applied(done, limit).await;
            response
                .headers_mut()
                .insert(CONFIG_APPLIED, HeaderValue::from_static(outcome));
        }
        response
    }

    /// Waits for something else first, if anything is waited for; what is left of the time is for
    /// the Envoys.
    pub async fn waiting(mut self, first: impl AsyncFnOnce(Duration)) -> Self {
        if let Some(limit) = self.wait {
            let began = tokio::time::Instant::now();
            first(limit).await;
            self.wait = Some(limit.saturating_sub(began.elapsed()));
        }
        self
    }

    async fn wait_applied(&self, done: &Done, limit: Duration) -> &'static str {
        let regions = match &done.reach {
            Reach::Nowhere => return "true",
            Reach::Regions(regions) => regions,
        };
        let fleets = &self.change.state.fleets;
        let waits = regions
            .iter()
            .map(|region| fleets.wait_applied(region.as_str(), done.revision, limit));
        // Who waits is not to keep the process from ending.
        let stopping = self.change.state.tasks.stopping();
        tokio::select! {
            outcomes = futures::future::join_all(waits) => worst(&outcomes),
            () = stopping.cancelled() => "timeout",
        }
    }
}

fn worst(outcomes: &[Applied]) -> &'static str {
    for (outcome, word) in [
        (Applied::Timeout, "timeout"),
        (Applied::Rejected, "rejected"),
    ] {
        if outcomes.contains(&outcome) {
            return word;
        }
    }
    // A change for many regions is applied when those that have Envoys have it.
    if outcomes.contains(&Applied::True) {
        "true"
    } else {
        "no-envoy"
    }
}

fn tagged(mut response: Response, tag: &Tag) -> Response {
    if let Some(tag) = tag.header() {
        response.headers_mut().insert(ETAG, tag);
    }
    response
}

fn shown_once(mut response: Response, replay: &impl Serialize) -> ApiResult {
    let replay = serde_json::to_string(replay).map_err(ApiError::internal)?;
    response
        .headers_mut()
        .insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response.extensions_mut().insert(ReplayBody(replay));
    Ok(response)
}

impl FromRequestParts<AppState> for Read {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, ApiError> {
        let caller = Caller::from_request_parts(parts, state).await?;
        let IfNoneMatch(if_none_match) = IfNoneMatch::from_request_parts(parts, state).await?;
        Ok(Self {
            state: state.clone(),
            caller,
            origin: author::of(state, parts),
            if_none_match,
        })
    }
}

impl FromRequestParts<AppState> for Mutation {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, ApiError> {
        let caller = Caller::from_request_parts(parts, state).await?;
        let IfMatch(if_match) = match parts.method {
            // What is about to be made has no version.
            Method::POST => IfMatch(Condition::Absent),
            _ => IfMatch::from_request_parts(parts, state).await?,
        };
        let (wait, is_forced) = options(parts)?;
        let path = match OriginalUri::from_request_parts(parts, state).await {
            Ok(OriginalUri(uri)) => uri.path().to_owned(),
            Err(never) => match never {},
        };
        let change = Change {
            state: state.clone(),
            actor: caller,
            origin: author::of(state, parts),
            expected: if_match.expected(),
            is_forced,
        };
        Ok(Self { change, wait, path })
    }
}

/// `?wait=applied&waitSeconds=` of every mutation and `?force=` of a DELETE.
fn options(parts: &Parts) -> ApiResult<(Option<Duration>, bool)> {
    let mut problems = Problems::default();
    let mut query = Query::new(parts.uri.query(), &mut problems);
    let wait = query.take("wait");
    let seconds = query.integer("waitSeconds", 1, 30).unwrap_or(5);
    if wait.as_ref().is_some_and(|word| word != "applied") {
        query.problem("wait", "must be `applied`");
    }
    let is_forced = parts.method == Method::DELETE && query.boolean("force").unwrap_or(false);
    query.finish();
    problems.check()?;
    Ok((wait.map(|_| Duration::from_secs(seconds)), is_forced))
}

/// Path parameters; a path that cannot be decoded leads nowhere.
#[derive(Debug)]
pub struct InPath<T>(pub T);

impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for InPath<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        match Path::<T>::from_request_parts(parts, state).await {
            Ok(Path(value)) => Ok(Self(value)),
            Err(_) => Err(ApiError::not_found()),
        }
    }
}
