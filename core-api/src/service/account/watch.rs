//! Finds what nobody who acts would tell of: regions that are away, what their Envoys refuse, tokens
//! that cannot be obtained, and what ends.
//!
//! Invariant: what is found is compared with the store, so that several processes, and one that
//! starts anew, tell of it once.

use std::collections::BTreeSet;
use std::time::Duration;

use requestrocket_proto::region::v1::{TokenState, TokenStatus};

use crate::domain::account::notification::{Due, Notice};
use crate::domain::gateway::region::RegionName;
use crate::domain::id::CredentialId;
use crate::domain::moment::Moment;
use crate::region::fleet::{Link, RegionState};
use crate::state::AppState;
use crate::store::account::notification::{
    notification_causes, notification_end, notification_insert,
};
use crate::store::account::subject::{Regional, credentials_ending, subject_fetch, tokens_ending};
use crate::store::gateway::region::{region_seen, region_sightings};

/// A region is told to be away when it was for so long.
pub const AWAY: Duration = Duration::from_mins(5);
/// How old what the store says of a region that is here may be.
const SIGHTING: Duration = Duration::from_secs(10);
/// Failures in a row of which is told; a single one may be nothing.
const FAILURES: u32 = 3;

/// What is remembered between two looks.
#[derive(Debug)]
pub struct Watch {
    /// A region gets its time to come back to a process that starts.
    started_at: Moment,
    /// When the store was last told which regions are here.
    sighted_at: Option<Moment>,
    /// Refusals that the store knows, by proxy and revision.
    rejected: BTreeSet<(String, u64)>,
}

/// What to do about something that goes on.
#[derive(Debug, PartialEq, Eq)]
enum Turn {
    /// It begins.
    Begin(Notice),
    /// It ends, and that is told, too, unless it goes without saying.
    End(String, Option<Notice>),
}

impl Watch {
    /// Of a process that starts.
    #[must_use]
    pub fn begin(state: &AppState) -> Self {
        Self {
            started_at: state.now(),
            sighted_at: None,
            rejected: BTreeSet::new(),
        }
    }

    /// Looks at everything, and tells of what is new.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn look(&mut self, state: &AppState) -> sqlx::Result<()> {
        let regions = state.fleets.all();
        self.note_sightings(state, regions.iter()).await?;
        let open = notification_causes(&mut *state.connect().await?).await?;
        let open: BTreeSet<String> = open.into_iter().collect();
        let mut turns = self.absences(state, &open).await?;
        let mut rejected = BTreeSet::new();
        for (name, known) in &regions {
            let Ok(region) = name.parse::<RegionName>() else {
                continue;
            };
            if known.is_connected() {
                turns.extend(tokens(state, (&region, known), &open).await?);
                let refused = refused(known);
                let news = refused.difference(&self.rejected);
                turns.extend(rejections(state, &region, news).await?);
                rejected.extend(refused);
            }
        }
        self.rejected = rejected;
        turns.extend(endings(state).await?);
        carry_out(state, turns).await
    }

    /// Tells the store when regions were last here, for other processes and the next start.
    async fn note_sightings<'a>(
        &mut self,
        state: &AppState,
        regions: impl Iterator<Item = (&'a String, &'a RegionState)>,
    ) -> sqlx::Result<()> {
        let now = state.now();
        if self.sighted_at.is_some_and(|at| at.plus(SIGHTING) > now) {
            return Ok(());
        }
        let mut conn = state.connect().await?;
        for (region, known) in regions {
            let at = match known.link {
                Link::Up => Some(now),
                Link::Down { since_ms } => Moment::of_unix_ms(since_ms),
                Link::Never => None,
            };
            if let Some(at) = at {
                region_seen(&mut conn, region, at).await?;
            }
        }
        self.sighted_at = Some(now);
        Ok(())
    }

    async fn absences(&self, state: &AppState, open: &BTreeSet<String>) -> sqlx::Result<Vec<Turn>> {
        let now = state.now();
        let seen = region_sightings(&mut *state.connect().await?).await?;
        let turn = |(region, seen): (String, Moment)| {
            let is_away = seen.max(self.started_at).plus(AWAY) <= now;
            let is_here = seen.plus(AWAY) > now;
            let cause = Notice::cause_of_disconnection(&region);
            match open.contains(&cause) {
                false if is_away => Some(Turn::Begin(Notice::region_disconnected(&region, seen))),
                true if is_here => Some(Turn::End(cause, None)),
                _ => None,
            }
        };
        Ok(seen.into_iter().filter_map(turn).collect())
    }
}

async fn rejections(
    state: &AppState,
    region: &RegionName,
    refused: impl Iterator<Item = &(String, u64)>,
) -> sqlx::Result<Vec<Turn>> {
    let mut conn = state.connect().await?;
    let mut turns = Vec::new();
    for (proxy, revision) in refused {
        let found = subject_fetch(&mut conn, region, (Regional::Proxy, proxy)).await?;
        if let Some((organisation, name)) = found {
            let since = (region.as_str(), *revision);
            let notice = Notice::config_rejected(organisation, (proxy, &name), since);
            turns.push(Turn::Begin(notice));
        }
    }
    Ok(turns)
}

/// Proxies that are not served as configured, and the revision that brought it.
fn refused(known: &RegionState) -> BTreeSet<(String, u64)> {
    let nodes = known.nodes.iter().filter(|node| node.is_connected);
    let rejections = nodes.flat_map(|node| &node.rejections);
    let rejections = rejections.map(|it| (it.proxy_id.clone(), it.brought_by));
    let unusable = known.unusable.values();
    let unusable = unusable.map(|it| (it.proxy_id.clone(), it.revision));
    rejections.chain(unusable).collect()
}

async fn tokens(
    state: &AppState,
    (region, known): (&RegionName, &RegionState),
    open: &BTreeSet<String>,
) -> sqlx::Result<Vec<Turn>> {
    let now = state.now();
    let mut turns = Vec::new();
    for (credential, token) in known.tokens.iter() {
        let cause = Notice::cause_of_failing(credential);
        let (is_open, is_failing) = (open.contains(&cause), is_failing(token));
        let is_well = token.status() == TokenStatus::Active;
        if is_open == is_failing || (is_open && !is_well) {
            continue;
        }
        let Ok(id) = credential.parse::<CredentialId>() else {
            continue;
        };
        let mut conn = state.connect().await?;
        let found = subject_fetch(&mut conn, region, (Regional::Credential, credential)).await?;
        let Some((organisation, name)) = found else {
            continue;
        };
        turns.push(if is_failing {
            Turn::Begin(Notice::credential_failing(organisation, (id, &name)))
        } else {
            let notice = Notice::credential_recovered(organisation, (id, &name), now);
            Turn::End(cause, Some(notice))
        });
    }
    Ok(turns)
}

/// What does not go away by itself is told at once.
fn is_failing(token: &TokenState) -> bool {
    match token.status() {
        TokenStatus::Failing => token.attempts >= FAILURES,
        TokenStatus::ReconsentNeeded | TokenStatus::InvalidClient => true,
        TokenStatus::Unspecified
        | TokenStatus::Active
        | TokenStatus::Obtaining
        | TokenStatus::PendingConsent => false,
    }
}

async fn endings(state: &AppState) -> sqlx::Result<Vec<Turn>> {
    let mut conn = state.connect().await?;
    let mut turns = Vec::new();
    for due in Due::ALL {
        let ends = due.ends(state.now());
        for found in credentials_ending(&mut conn, ends, due.days()).await? {
            let named = (found.id, found.name.as_str());
            let when = (due, found.end);
            let notice = Notice::credential_expiring(found.organisation, named, when);
            turns.push(Turn::Begin(notice));
        }
        for found in tokens_ending(&mut conn, ends, due.days()).await? {
            let named = (found.id, found.name.as_str());
            let notice = Notice::token_expiring(found.user, named, (due, found.end));
            turns.push(Turn::Begin(notice));
        }
    }
    Ok(turns)
}

async fn carry_out(state: &AppState, turns: Vec<Turn>) -> sqlx::Result<()> {
    if turns.is_empty() {
        return Ok(());
    }
    let now = state.now();
    let mut tx = state.db.begin().await?;
    for turn in turns {
        match turn {
            Turn::Begin(notice) => {
                notification_insert(&mut tx, &notice, now).await?;
            }
            Turn::End(cause, told) => {
                // Another process may have seen it, too.
                let has_ended = notification_end(&mut tx, &cause).await?;
                if let Some(notice) = told.filter(|_| has_ended) {
                    notification_insert(&mut tx, &notice, now).await?;
                }
            }
        }
    }
    tx.commit().await
}
