//! Calls whose token only its authorization server can read. The region server asks that, and the call
//! waits for what it says; that holds for a while, for all calls of this worker.
//!
//! Anybody can make up a token, so what may be asked at the same time is bounded, for each credential,
//! too.

use std::{
    cell::{RefCell, RefMut},
    collections::HashMap,
};

use requestrocket_policy::{
    authn::{Introspected, TokenId, Unknown},
    id::CredentialId,
    introspection,
};

use super::asking::{Asking, Bounds, Joined};
use crate::host::{HostFailure, Shared};

const BOUNDS: Bounds = Bounds {
    pause_ms: 1_000,
    patience_ms: 5_000,
    waiting: 1_000,
    subjects: 10_000,
};
/// Questions that are on their way, of all credentials and of one.
const MAX_OPEN: usize = 1_000;
const MAX_OPEN_OF_ONE: usize = 50;
/// What a worker knows of tokens, in both of its generations.
const MAX_KNOWN: usize = 10_000;
const MAX_KNOWN_BYTES: usize = 16 << 20;
/// An answer serves the call that waited for it.
const LEAST_MS: u64 = 1_000;

/// What one worker asked and heard.
#[derive(Debug)]
pub struct OpaqueTokens(RefCell<State>);

#[derive(Debug)]
struct State {
    asking: Asking<Subject>,
    known: Known,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Subject {
    credential: CredentialId,
    token: TokenId,
}

/// A token to be asked about.
#[derive(Debug)]
pub(super) struct AboutToken {
    subject: Subject,
    request: Vec<u8>,
}

impl AboutToken {
    pub(super) fn about(unknown: &Unknown<'_>) -> Self {
        Self {
            subject: Subject {
                credential: unknown.credential,
                token: unknown.id,
            },
            request: introspection::request(unknown),
        }
    }
}

/// Those that were presented last: of this generation, and of the one before as far as nobody presented
/// them since.
#[derive(Debug, Default)]
struct Known {
    young: HashMap<TokenId, (Introspected, u64)>,
    young_bytes: usize,
    old: HashMap<TokenId, (Introspected, u64)>,
}

impl Default for OpaqueTokens {
    fn default() -> Self {
        Self(RefCell::new(State {
            asking: Asking::new(BOUNDS),
            known: Known::default(),
        }))
    }
}

impl OpaqueTokens {
    /// What is known of a token.
    pub(super) fn known(&self, host: &impl Shared, token: &TokenId) -> Option<Introspected> {
        let now_ms = host.now_ms().ok()?;
        self.state().ok()?.known.get(token, now_ms)
    }

    /// Has the call of a stream wait for answers to these questions. False: there is nothing to wait
    /// for.
    pub(super) fn wait(
        &self,
        host: &impl Shared,
        questions: &[AboutToken],
        stream: u32,
    ) -> Result<bool, HostFailure> {
        let now_ms = host.now_ms()?;
        let mut waits = false;
        for AboutToken { subject, request } in questions {
            let mut state = self.state()?;
            let joined = state.asking.join(*subject, Some(stream), now_ms);
            let has_room = state.has_room(subject.credential);
            drop(state);
            waits |= match joined {
                Joined::Yes => true,
                Joined::NotAsked if has_room => {
                    self.ask(host, (*subject, request), stream, now_ms).is_ok()
                }
                Joined::No | Joined::NotAsked => false,
            };
        }
        Ok(waits)
    }

    fn ask(
        &self,
        host: &impl Shared,
        (subject, request): (Subject, &[u8]),
        stream: u32,
        now_ms: u64,
    ) -> Result<(), HostFailure> {
        let timeout_ms = u32::try_from(BOUNDS.patience_ms).unwrap_or(u32::MAX);
        // Not borrowed meanwhile: the host may call back.
        let under = host.introspect(request, timeout_ms)?;
        let waiting = vec![stream];
        self.state()?.asking.asked(subject, under, waiting, now_ms);
        Ok(())
    }

    /// The region server answered, or will not. False: it was not asked from here, or nobody waits
    /// for it any more.
    pub fn on_answer(&self, host: &impl Shared, under: u32, bytes: Option<&[u8]>) -> bool {
        let Ok(mut state) = self.state() else {
            return false;
        };
        let now_ms = host.now_ms().unwrap_or(u64::MAX);
        let Some(subject) = state.asking.answered(under, now_ms, 0) else {
            return false;
        };
        if let Some((said, holds_ms)) = bytes.and_then(introspection::answer) {
            let until_ms = now_ms.saturating_add(holds_ms.max(LEAST_MS));
            state.known.insert(subject.token, (said, until_ms));
        }
        true
    }

    /// The streams of calls that go on now, of as many as are named.
    pub fn due(&self, host: &impl Shared, most: usize) -> Vec<u32> {
        let now_ms = host.now_ms().unwrap_or(u64::MAX);
        let state = self.state();
        state.map_or_else(|_| Vec::new(), |mut state| state.asking.due(now_ms, most))
    }

    fn state(&self) -> Result<RefMut<'_, State>, HostFailure> {
        self.0.try_borrow_mut().map_err(|_| HostFailure)
    }
}

impl State {
    /// Whether one more question about tokens of that credential may be on its way.
    fn has_room(&self, credential: CredentialId) -> bool {
        let all = self.asking.open();
        let (mut count, mut own) = (0, 0);
        for subject in all {
            count += 1;
            own += usize::from(subject.credential == credential);
        }
        count < MAX_OPEN && own < MAX_OPEN_OF_ONE
    }
}

impl Known {
    fn get(&mut self, token: &TokenId, now_ms: u64) -> Option<Introspected> {
        if !self.young.contains_key(token) {
            let known = self.old.remove(token)?;
            self.insert(*token, known);
        }
        let (said, until_ms) = self.young.get(token)?;
        (now_ms < *until_ms).then(|| said.clone())
    }

    fn insert(&mut self, token: TokenId, known: (Introspected, u64)) {
        let bytes = match &known.0 {
            Introspected::Active(claims) => claims.len(),
            Introspected::Inactive => 0,
        };
        let is_full = self.young.len() >= MAX_KNOWN / 2
            || self.young_bytes.saturating_add(bytes) > MAX_KNOWN_BYTES / 2;
        if is_full {
            self.old = std::mem::take(&mut self.young);
            self.young_bytes = 0;
        }
        // What there is no memory for is asked again.
        if self.young.try_reserve(1).is_ok() {
            self.young_bytes = self.young_bytes.saturating_add(bytes);
            self.young.insert(token, known);
        }
    }
}
