//! The REST application: what it has, and its routes with everything that stands before them.

pub mod authenticate;
pub mod body;
pub mod call;
pub mod etag;
pub mod fields;
pub mod idempotency;
pub mod json;
pub mod list;
pub mod mutate;
pub mod openapi;
pub(crate) mod origin;
pub mod query;
pub mod routes;
pub mod stranger;

use std::any::Any;
use std::sync::Arc;

use axum::Router;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use ipnet::IpNet;
use requestrocket_process::clock::Clock;
use requestrocket_process::db::Db;
use requestrocket_process::tasks::TaskSet;
use sqlx::pool::PoolConnection;
use tower_http::catch_panic::CatchPanicLayer;
use utoipa_axum::router::OpenApiRouter;

use crate::domain::ceiling::Ceilings;
use crate::domain::moment::Moment;
use crate::error::{ApiError, ApiResult, Code};
use crate::http::authenticate::authenticate;
use crate::identity::rate::{Failures, Rates};
use crate::places::Places;
use crate::region::fleet::Fleets;
use crate::store::log::write::Write;

/// What an address may do in vain in a minute unless the settings say otherwise.
pub const FAILURES_PER_MINUTE: u64 = 120;

/// What every handler can reach; cheap to clone.
#[derive(Clone, Debug)]
pub struct AppState {
    /// The control-plane store.
    pub db: Db,
    /// Where "now" comes from.
    pub clock: Clock,
    /// What the regions' Envoys have.
    pub fleets: Fleets,
    /// Changes run here, so that shutdown waits for them and a caller cannot cut one short.
    pub tasks: TaskSet,
    /// Ranges that saved URLs may name although they are not public.
    pub allow_private_targets: Arc<[IpNet]>,
    /// Requests of this minute.
    pub rates: Rates,
    /// What strangers did in vain in this minute.
    pub failures: Failures,
    /// How many of these an address may have.
    pub failures_per_minute: u64,
    /// Ranges of load balancers that say truly where a request came from.
    pub trusted_proxies: Arc<[IpNet]>,
    /// How many records there may be.
    pub ceilings: Ceilings,
    /// For trying samples.
    pub trials: Places,
    /// For compiling what is to be saved.
    pub drafts: Places,
}

impl AppState {
    /// A state without history.
    pub fn new(db: Db, clock: Clock, fleets: Fleets, tasks: TaskSet) -> Self {
        let allow_private_targets = Arc::from([]);
        Self {
            db,
            clock,
            fleets,
            tasks,
            allow_private_targets,
            rates: Rates::default(),
            failures: Failures::default(),
            failures_per_minute: FAILURES_PER_MINUTE,
            trusted_proxies: Arc::from([]),
            ceilings: Ceilings::default(),
            trials: Places::for_trials(),
            drafts: Places::for_drafts(),
        }
    }

    /// The same with ranges that saved URLs may name although they are not public.
    #[must_use]
    pub fn allowing(mut self, ranges: &[IpNet]) -> Self {
        self.allow_private_targets = Arc::from(ranges);
        self
    }

    /// The same with other ceilings.
    #[must_use]
    pub fn with_ceilings(mut self, ceilings: Ceilings) -> Self {
        self.ceilings = ceilings;
        self
    }

    /// The same with another number of failures that an address may have in a minute.
    #[must_use]
    pub fn with_failures_per_minute(mut self, limit: u64) -> Self {
        self.failures_per_minute = limit;
        self
    }

    /// The same with ranges of load balancers whose `X-Forwarded-For` counts.
    #[must_use]
    pub fn trusting(mut self, proxies: &[IpNet]) -> Self {
        self.trusted_proxies = Arc::from(proxies);
        self
    }

    /// The present moment.
    pub fn now(&self) -> Moment {
        self.clock.now().into()
    }

    /// A connection for reading.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn connect(&self) -> sqlx::Result<PoolConnection<sqlx::Any>> {
        self.db.pool().acquire().await
    }

    /// Begins a change; end it with `write.commit(&state.fleets)`.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn begin(&self) -> sqlx::Result<Write> {
        Write::begin(&self.db, self.now()).await
    }
}

/// All routes, under `/` and under `/api`.
pub fn router(state: AppState) -> Router {
    let (routes, document) = documented(&state).split_for_parts();
    let routes = routes
        .merge(openapi::router(&document))
        .method_not_allowed_fallback(method_not_allowed)
        .with_state(state);
    Router::new()
        .merge(routes.clone())
        .nest("/api", routes)
        .fallback(not_found)
        .layer(CatchPanicLayer::custom(panicked))
}

/// The routes with their documentation.
pub fn documented(state: &AppState) -> OpenApiRouter<AppState> {
    let guarded = |routes: OpenApiRouter<AppState>| {
        // A panic ends one request, not the task that carries it.
        let routes = routes.layer(CatchPanicLayer::custom(panicked));
        routes.route_layer(from_fn_with_state(state.clone(), mutate::run))
    };
    let protected = guarded(routes::protected())
        .route_layer(from_fn_with_state(state.clone(), authenticate))
        .route_layer(from_fn_with_state(
            state.clone(),
            stranger::before_authentication,
        ))
        .route_layer(from_fn(no_store));
    let mut all = OpenApiRouter::with_openapi(openapi::base()).merge(protected);
    let public = guarded(routes::public())
        .route_layer(from_fn_with_state(state.clone(), stranger::before_public));
    all = all.merge(public);
    openapi::complete(all.get_openapi_mut());
    all
}

/// Answers are one caller's own: shared caches keep none of them.
async fn no_store(request: axum::extract::Request, next: axum::middleware::Next) -> Response {
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    let private = http::HeaderValue::from_static("private, no-cache");
    headers
        .entry(http::header::CACHE_CONTROL)
        .or_insert(private);
    response
}

async fn not_found() -> ApiResult {
    Err(ApiError::not_found())
}

async fn method_not_allowed() -> ApiResult {
    Err(ApiError::new(
        Code::MethodNotAllowed,
        "this path does not have this method",
    ))
}

#[expect(clippy::needless_pass_by_value, reason = "the layer's signature")]
fn panicked(cause: Box<dyn Any + Send>) -> Response {
    let text = cause.downcast_ref::<String>().map(String::as_str);
    let text = text
        .or_else(|| cause.downcast_ref::<&str>().copied())
        .unwrap_or("no text");
    ApiError::internal(format!("panic: {text}")).into_response()
}
