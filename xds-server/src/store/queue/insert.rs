//! Requests that come in: many in one transaction.

use std::collections::BTreeMap;

use sqlx::AnyConnection;

use super::super::{StoreFailed, to_sql};

/// A request that is to be stored.
#[derive(Clone, Debug)]
pub struct NewRequest {
    /// UUID text, as below.
    pub request_id: String,
    /// The tenant.
    pub organisation_id: String,
    /// Through which it came.
    pub proxy_id: String,
    /// Of the caller.
    pub credential_id: String,
    /// Where it goes.
    pub target_id: String,
    /// The request whose replay it is.
    pub replay_of: Option<String>,
    /// An envelope.
    pub sealed: Vec<u8>,
    /// Unix time in milliseconds, as below.
    pub created_at_ms: u64,
    /// No attempt begins then.
    pub deadline_ms: u64,
    /// What an attempt may take.
    pub timeout_ms: u64,
    /// How long the response is kept.
    pub keep_response_ms: u64,
    /// Somebody is told of the outcome.
    pub has_callback: bool,
    /// None: any order.
    pub ordering: Option<NewOrdering>,
    /// None: each is another.
    pub idempotency: Option<NewIdempotency>,
}

/// What orders a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewOrdering {
    /// Of proxy and key.
    pub digest: String,
    /// If it fails, those behind it wait.
    pub stops: bool,
}

/// What tells that a request came before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewIdempotency {
    /// Of proxy, credential and key.
    pub digest: String,
    /// Of what the request is.
    pub fingerprint: String,
    /// Unix time in milliseconds.
    pub expires_at_ms: u64,
}

/// What became of a request that was to be stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Inserted {
    /// It is stored.
    New,
    /// It was stored before, under this id.
    Replayed(String),
    /// Its idempotency key came before with another request.
    KeyReused,
}

/// Stores requests; idempotency keys must differ. What is given back is in their order.
pub async fn requests_insert(
    conn: &mut AnyConnection,
    requests: &[NewRequest],
) -> Result<Vec<Inserted>, StoreFailed> {
    let mut inserted = vec![Inserted::New; requests.len()];
    for (at, request) in in_order(requests, |it| it.idempotency.as_ref().map(|it| &it.digest)) {
        if let (Some(slot), Some(known)) = (
            inserted.get_mut(at),
            idempotency_insert(conn, request).await?,
        ) {
            *slot = known;
        }
    }
    let new: Vec<&NewRequest> = requests
        .iter()
        .zip(&inserted)
        .filter_map(|(request, inserted)| (*inserted == Inserted::New).then_some(request))
        .collect();
    let mut places = BTreeMap::new();
    for (_, request) in in_order(&new, |it| it.ordering.as_ref().map(|it| &it.digest)) {
        places.insert(&request.request_id, ordering_join(conn, request).await?);
    }
    targets_upsert(conn, &new).await?;
    for request in new {
        request_insert(conn, request).await?;
        let free = (request.created_at_ms.saturating_mul(1_000), true);
        let (place, is_first) = *places.get(&request.request_id).unwrap_or(&free);
        ready_insert(conn, request, place, is_first).await?;
    }
    Ok(inserted)
}

/// Stores a replay, at `place` of its ordering, where it is the first, or behind the others.
pub(super) async fn replay_insert(
    conn: &mut AnyConnection,
    request: &NewRequest,
    place: Option<u64>,
) -> Result<(), StoreFailed> {
    let (place, is_first) = match (place, &request.ordering) {
        (Some(place), _) => (place, true),
        (None, Some(_)) => ordering_join(conn, request).await?,
        (None, None) => (request.created_at_ms.saturating_mul(1_000), true),
    };
    targets_upsert(conn, &[request]).await?;
    request_insert(conn, request).await?;
    ready_insert(conn, request, place, is_first).await
}

/// Those that have a key, by key, and otherwise as they came.
fn in_order<'r, T, K: Ord>(
    requests: &'r [T],
    key: impl Fn(&'r T) -> Option<K>,
) -> Vec<(usize, &'r T)> {
    let with_key = requests.iter().enumerate();
    let with_key = with_key.filter_map(|(at, request)| Some((key(request)?, at, request)));
    let mut sorted: Vec<(K, usize, &T)> = with_key.collect();
    sorted.sort_by(|(a, at_a, _), (b, at_b, _)| a.cmp(b).then(at_a.cmp(at_b)));
    sorted.into_iter().map(|(_, at, it)| (at, it)).collect()
}

/// None: the key is new.
async fn idempotency_insert(
    conn: &mut AnyConnection,
    request: &NewRequest,
) -> Result<Option<Inserted>, StoreFailed> {
    let Some(key) = &request.idempotency else {
        return Ok(None);
    };
    let done = sqlx::query(
        "INSERT INTO queued_idempotency (digest, organisation_id, fingerprint, request_id, \
         expires_at_ms) VALUES ($1, $2, $3, $4, $5) ON CONFLICT (digest) DO UPDATE SET \
         fingerprint = excluded.fingerprint, request_id = excluded.request_id, \
         expires_at_ms = excluded.expires_at_ms WHERE queued_idempotency.expires_at_ms <= $6",
    )
    .bind(&key.digest)
    .bind(&request.organisation_id)
    .bind(&key.fingerprint)
    .bind(&request.request_id)
    .bind(to_sql(key.expires_at_ms))
    .bind(to_sql(request.created_at_ms))
    .execute(&mut *conn)
    .await?;
    if done.rows_affected() == 1 {
        return Ok(None);
    }
    let (fingerprint, first): (String, String) =
        sqlx::query_as("SELECT fingerprint, request_id FROM queued_idempotency WHERE digest = $1")
            .bind(&key.digest)
            .fetch_one(conn)
            .await?;
    let is_same = fingerprint == key.fingerprint;
    Ok(Some(if is_same {
        Inserted::Replayed(first)
    } else {
        Inserted::KeyReused
    }))
}

/// Without its target's row a request would never be claimed: the row is locked, so that nobody
/// forgets it meanwhile.
async fn targets_upsert(
    conn: &mut AnyConnection,
    requests: &[&NewRequest],
) -> Result<(), StoreFailed> {
    let targets: BTreeMap<&str, &NewRequest> = requests
        .iter()
        .map(|request| (request.target_id.as_str(), *request))
        .collect();
    for (target_id, request) in targets {
        sqlx::query(
            "INSERT INTO queued_target (target_id, organisation_id, failures_in_a_row, outcomes, \
             outcomes_seen, is_probing, rate_mark_us, claimed_at_ms, is_paused, used_at_ms) \
             VALUES ($1, $2, 0, 0, 0, 0, 0, 0, 0, $3) ON CONFLICT (target_id) DO UPDATE SET \
             used_at_ms = excluded.used_at_ms \
             WHERE queued_target.used_at_ms < excluded.used_at_ms - 60000",
        )
        .bind(target_id)
        .bind(&request.organisation_id)
        .bind(to_sql(request.created_at_ms))
        .execute(&mut *conn)
        .await?;
    }
    Ok(())
}

/// The request's place in its ordering, whose row is locked from now on, and whether nobody is
/// before it.
async fn ordering_join(
    conn: &mut AnyConnection,
    request: &NewRequest,
) -> Result<(u64, bool), StoreFailed> {
    let ordering = request.ordering.as_ref();
    let digest = ordering.map_or("", |ordering| &ordering.digest);
    let (place,): (i64,) = sqlx::query_as(
        "INSERT INTO queued_ordering (ordering, place, used_at_ms) VALUES ($1, $2, $3) \
         ON CONFLICT (ordering) DO UPDATE SET used_at_ms = excluded.used_at_ms, \
         place = CASE WHEN queued_ordering.place < excluded.place THEN excluded.place \
         ELSE queued_ordering.place + 1 END RETURNING place",
    )
    .bind(digest)
    .bind(to_sql(request.created_at_ms.saturating_mul(1_000)))
    .bind(to_sql(request.created_at_ms))
    .fetch_one(&mut *conn)
    .await?;
    let before = sqlx::query("SELECT 1 FROM queued_ready WHERE ordering = $1 LIMIT 1")
        .bind(digest)
        .fetch_optional(conn)
        .await?;
    Ok((super::from_sql(place), before.is_none()))
}

async fn request_insert(conn: &mut AnyConnection, request: &NewRequest) -> Result<(), StoreFailed> {
    let ordering = request.ordering.as_ref();
    sqlx::query(
        "INSERT INTO queued_request (request_id, organisation_id, proxy_id, credential_id, \
         target_id, replay_of, created_at_ms, keep_response_ms, has_callback, request, \
         timeout_ms, ordering, stops) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)",
    )
    .bind(&request.request_id)
    .bind(&request.organisation_id)
    .bind(&request.proxy_id)
    .bind(&request.credential_id)
    .bind(&request.target_id)
    .bind(request.replay_of.as_deref())
    .bind(to_sql(request.created_at_ms))
    .bind(to_sql(request.keep_response_ms))
    .bind(i64::from(request.has_callback))
    .bind(request.sealed.as_slice())
    .bind(to_sql(request.timeout_ms))
    .bind(ordering.map(|ordering| ordering.digest.as_str()))
    .bind(i64::from(ordering.is_some_and(|ordering| ordering.stops)))
    .execute(conn)
    .await?;
    Ok(())
}

async fn ready_insert(
    conn: &mut AnyConnection,
    request: &NewRequest,
    place: u64,
    is_first: bool,
) -> Result<(), StoreFailed> {
    let ordering = request.ordering.as_ref();
    sqlx::query(
        "INSERT INTO queued_ready (request_id, organisation_id, proxy_id, target_id, ordering, \
         place, stops, is_over, bytes, timeout_ms, attempts, token, started_at_ms, \
         lease_until_ms, due_ms, deadline_ms) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, 0, $8, $9, 0, 0, 0, 0, $10, $11)",
    )
    .bind(&request.request_id)
    .bind(&request.organisation_id)
    .bind(&request.proxy_id)
    .bind(&request.target_id)
    .bind(ordering.map(|ordering| ordering.digest.as_str()))
    .bind(to_sql(place))
    .bind(i64::from(ordering.is_some_and(|ordering| ordering.stops)))
    .bind(i64::try_from(request.sealed.len()).unwrap_or(i64::MAX))
    .bind(to_sql(request.timeout_ms))
    .bind(is_first.then(|| to_sql(request.created_at_ms)))
    .bind(to_sql(request.deadline_ms))
    .execute(conn)
    .await?;
    Ok(())
}
