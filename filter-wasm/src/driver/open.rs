//! Calls that were let through and last. They end when who made them may no longer call, and when their
//! body takes too long.
//!
//! Nobody tells us that a stream has ended, and nearly all calls are over within a second. So a call
//! costs an entry in a list, and a second later one question whether its stream is still there.
//! The region server is asked about the callers of those that are, again and again; while it does
//! not answer, they go on.

mod crowd;

use std::{
    cell::{RefCell, RefMut},
    collections::{BTreeMap, BTreeSet},
    iter, mem,
};

use requestrocket_policy::{
    access::{self, Access, Caller, MAX_CALLERS},
    denial::Denial,
    http::HeaderLine,
    id::OrganisationId,
    shares::Holder,
};

use self::crowd::{Among, Crowd, Room};
use super::{Call, Progress, uploads::Uploads};
use crate::{
    counters::TICK_MS,
    host::{Host, HostFailure, Shared},
};

/// Ticks between two looks.
pub const TICKS_PER_LOOK: u32 = 1_000 / TICK_MS;
/// What was not answered by the next look is asked again.
const TIMEOUT_MS: u32 = 900;

/// The open calls of one VM.
#[derive(Debug)]
pub struct OpenCalls(RefCell<State>);

#[derive(Debug)]
struct State {
    /// Let through since the last look.
    fresh: Vec<Open>,
    /// Let through between the last look and the one before.
    recent: Vec<Open>,
    /// Those that last.
    lasting: Vec<Open>,
    /// How many all these are.
    crowd: Crowd,
    /// Those among all these whose request is still on its way.
    uploads: Uploads,
    /// Callers that the region server was asked about.
    asked: BTreeMap<u32, Vec<Caller>>,
    /// Streams that have to end.
    ending: BTreeMap<u32, Due>,
}

#[derive(Clone, Copy, Debug)]
struct Open {
    stream: u32,
    caller: Caller,
    organisation: OrganisationId,
    follows: Follows,
}

/// Why a stream has to end.
#[derive(Clone, Copy, Debug)]
struct Due {
    denial: Denial,
    follows: Follows,
}

/// What follows a head that was let through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Follows {
    /// Nothing.
    Nothing,
    /// A body.
    Body,
    /// What a WebSocket carries, once the target has switched.
    Messages,
}

/// A call that has to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ending {
    /// Its stream.
    pub stream: u32,
    /// Why.
    pub denial: Denial,
}

impl Follows {
    /// Of a head whose body is there or is none (`is_whole`), or is on its way. Of all upgrades Envoy
    /// passes WebSockets only.
    pub(super) fn of(lines: &[HeaderLine<'_>], is_whole: bool) -> Self {
        if lines.iter().any(|(name, _)| *name == b"upgrade") {
            Self::Messages
        } else if is_whole {
            Self::Nothing
        } else {
            Self::Body
        }
    }
}

impl Open {
    fn holder(self) -> Holder {
        Holder {
            organisation: self.organisation,
            proxy: self.caller.proxy,
            credential: Some(self.caller.credential),
        }
    }
}

impl OpenCalls {
    /// Of one of so many workers; none: nobody says how many.
    pub fn of_workers(workers: Option<u32>) -> Self {
        Self(RefCell::new(State {
            fresh: Vec::new(),
            recent: Vec::new(),
            lasting: Vec::new(),
            crowd: Crowd::of_workers(workers),
            uploads: Uploads::default(),
            asked: BTreeMap::new(),
            ending: BTreeMap::new(),
        }))
    }

    /// A call was let through.
    pub(super) fn begin(&self, stream: u32, holder: Holder, follows: Follows) {
        let (Ok(mut state), Some(caller)) = (self.state(), holder.caller()) else {
            return;
        };
        state.fresh.push(Open {
            stream,
            caller,
            organisation: holder.organisation,
            follows,
        });
        state.crowd.add(holder);
        if follows == Follows::Body {
            state.uploads.begin(stream);
        }
    }

    /// Whether one more call of this holder, on this stream, may be open.
    pub fn has_room(&self, host: &impl Shared, stream: u32, holder: Holder) -> bool {
        let Ok(mut state) = self.state() else {
            return false;
        };
        // Where it is noted once it is let through.
        if state.fresh.try_reserve(1).is_err() {
            return false;
        }
        // Its own calls first: to look at others' costs a question for each, mostly for nothing.
        let own = Among::Organisation(holder.organisation);
        [own, Among::All]
            .into_iter()
            .any(|among| match state.crowd.room(holder, among) {
                Room::There => true,
                Room::Full => false,
                Room::Unknown => {
                    state.forget_ended(host, among);
                    // The look has entered other streams.
                    host.enter(stream) && state.crowd.room(holder, among) == Room::There
                }
            })
    }

    /// A request is complete.
    pub fn on_request_end(&self, stream: u32) {
        if let Ok(mut state) = self.state() {
            state.uploads.end(stream);
        }
    }

    /// A part of a request's body went by.
    pub fn on_request_part(&self, stream: u32, bytes: usize) {
        if let Ok(mut state) = self.state() {
            state.uploads.on_part(stream, bytes);
        }
    }

    /// Looks for bodies that take too long. Of those that a rule waits for the driver knows itself.
    pub fn look_for_late(&self, host: &impl Shared) -> Result<(), HostFailure> {
        let now_ms = host.now_ms()?;
        let mut state = self.state()?;
        let late = state.uploads.late(now_ms);
        let due = Due {
            denial: Denial::RequestTimeout,
            follows: Follows::Body,
        };
        let late = late.into_iter().map(|stream| (stream, due));
        state.ending.extend(late);
        Ok(())
    }

    /// Whether calls have to end.
    pub fn is_any_due(&self) -> bool {
        self.state().is_ok_and(|state| !state.ending.is_empty())
    }

    /// Calls that have to end now, of as many as are named: not all at once, when there are many.
    pub fn due(&self, host: &impl Host, most: usize) -> Vec<Ending> {
        let Ok(mut state) = self.state() else {
            return Vec::new();
        };
        let due = iter::from_fn(|| state.ending.pop_first());
        let due: Vec<_> = due.take(most).collect();
        due.into_iter()
            .filter(|(stream, due)| state.is_held_open(host, *stream, due.follows))
            .map(|(stream, Due { denial, .. })| Ending { stream, denial })
            .collect()
    }

    /// Looks which calls last, and asks the region server about their callers. `root` is the context
    /// that is to hear the answer.
    pub fn look(&self, host: &impl Shared, root: u32) -> Result<(), HostFailure> {
        let callers = self.state()?.look(host);
        if callers.is_empty() {
            return Ok(());
        }
        if !host.enter(root) {
            return Err(HostFailure);
        }
        for page in callers.chunks(MAX_CALLERS) {
            // Not borrowed meanwhile: the host may call back.
            let token = host.check_access(&access::request(page), TIMEOUT_MS)?;
            self.state()?.asked.insert(token, page.to_vec());
        }
        Ok(())
    }

    /// The region server answered, or will not. False: it was not asked from here.
    pub fn on_answer(&self, token: u32, bytes: Option<&[u8]>) -> bool {
        let Ok(mut state) = self.state() else {
            return false;
        };
        let Some(callers) = state.asked.remove(&token) else {
            return false;
        };
        let answers = bytes.and_then(|bytes| access::answers(bytes, callers.len()));
        // Without an answer all go on.
        let answers = answers.unwrap_or_default();
        let denials = callers
            .into_iter()
            .zip(answers.into_iter().map(Access::denial));
        let denied: BTreeMap<Caller, Denial> = denials
            .filter_map(|(caller, denial)| Some((caller, denial?)))
            .collect();
        if !denied.is_empty() {
            state.end_all(&denied);
        }
        true
    }

    fn state(&self) -> Result<RefMut<'_, State>, HostFailure> {
        self.0.try_borrow_mut().map_err(|_| HostFailure)
    }
}

impl State {
    /// The callers of calls that last.
    fn look(&mut self, host: &impl Shared) -> Vec<Caller> {
        // Without memory for them they are looked at later.
        if self.lasting.try_reserve(self.recent.len()).is_err() {
            return Vec::new();
        }
        self.lasting.append(&mut self.recent);
        mem::swap(&mut self.recent, &mut self.fresh);
        let crowd = &mut self.crowd;
        self.lasting.retain(|one| is_open(*one, host, crowd));
        self.uploads.retain(|stream| host.enter(stream));
        // Whoever did not answer by now is asked again.
        self.asked.clear();
        let callers: BTreeSet<Caller> = self.lasting.iter().map(|one| one.caller).collect();
        callers.into_iter().collect()
    }

    /// Takes the calls of these that are over away.
    fn forget_ended(&mut self, host: &impl Shared, among: Among) {
        let crowd = &mut self.crowd;
        for calls in [&mut self.fresh, &mut self.recent, &mut self.lasting] {
            calls.retain(|one| !among.contains(one.organisation) || is_open(*one, host, crowd));
        }
        crowd.looked_at(among);
    }

    /// Of these callers nothing stays open.
    fn end_all(&mut self, denied: &BTreeMap<Caller, Denial>) {
        let lasting = self.lasting.iter();
        let ending = lasting.filter_map(|one| {
            let denial = *denied.get(&one.caller)?;
            let follows = one.follows;
            Some((one.stream, Due { denial, follows }))
        });
        self.ending.extend(ending);
    }

    /// Whether bytes go by, in either direction, or will. A call that waits for its target's answer is
    /// none that a caller holds open: it has an end in time.
    fn is_held_open(&self, host: &impl Host, stream: u32, follows: Follows) -> bool {
        // Its target may wait with the switch for longer than any answer may take.
        let is_handshake = follows == Follows::Messages;
        host.enter(stream)
            && (is_handshake || self.uploads.contains(stream) || host.is_answered() == Ok(true))
    }
}

/// Whether its stream is still there; if not, it is one less.
fn is_open(one: Open, host: &impl Shared, crowd: &mut Crowd) -> bool {
    let is_there = host.enter(one.stream);
    if !is_there {
        crowd.remove(one.holder());
    }
    is_there
}

impl Call {
    /// Ends a call that was let through, and counts what it brought so far. What is answered here
    /// is to be kept, so that nothing that is still under way of the answer passes.
    #[must_use]
    pub fn end(self, host: &impl Host, shared: &super::Shared, denial: Denial) -> Self {
        let mut rest = Self {
            stream: self.stream,
            progress: Progress::Over,
        };
        // Envoy says that it is answered once the target has, whatever of that we hold.
        let is_head_held = self.is_head_held();
        self.on_end(host, shared);
        if is_head_held || host.is_answered() == Ok(false) {
            rest.refuse(host, &denial.into());
        } else {
            // The caller has the head of the answer: all that can be done is to cut it.
            Self::reset(host);
        }
        rest
    }
}
