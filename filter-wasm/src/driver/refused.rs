//! Calls whose target did not take the token that they carry.
//!
//! Envoy sends such a call once more, and the filter is entered for that try next to the target. The
//! region server is asked for another token; the try waits for it, and goes with the one it had if
//! there is none.
//!
//! A target may refuse every token, and many calls carry the same. So of one token there is a question
//! now and then, and what was answered holds for all that follow.

use std::{
    cell::{RefCell, RefMut},
    collections::VecDeque,
    rc::Rc,
};

use requestrocket_policy::{
    exchange::{Exchange, Renewed},
    http::HeaderLine,
    renewal::Obtained,
};

use super::{
    Call, Flow, Progress, Shared,
    asking::{Asking, Bounds, Joined},
    edits::apply,
};
use crate::host::{self, Host, HostFailure};

/// Says which try of a call it is; Envoy puts it where another one is of use. Early header mutation
/// removes what callers send under `x-envoy-`.
const ATTEMPT_HEADER: &[u8] = b"x-envoy-attempt-count";
/// The policy with the other token comes to this Envoy within the pause, or there is none.
const BOUNDS: Bounds = Bounds {
    pause_ms: 5_000,
    patience_ms: 2_000,
    waiting: 1_000,
    subjects: 10_000,
};
/// Of all answers that are kept.
const MAX_ANSWER_BYTES: usize = 1 << 20;

/// What one worker asked.
#[derive(Debug)]
pub struct RefusedTokens(RefCell<State>);

#[derive(Debug)]
struct State {
    asking: Asking<Obtained>,
    /// The newest last.
    answers: VecDeque<(Obtained, Rc<[u8]>)>,
}

impl Default for RefusedTokens {
    fn default() -> Self {
        Self(RefCell::new(State {
            asking: Asking::new(BOUNDS),
            answers: VecDeque::new(),
        }))
    }
}

impl RefusedTokens {
    /// Another token than this, if one was told of lately. Else the try on that stream may have to
    /// wait for it.
    fn another(
        &self,
        host: &impl host::Shared,
        token: Obtained,
        stream: u32,
    ) -> Result<Another, HostFailure> {
        if let Some(answer) = self.state()?.answer(token) {
            return Ok(Another::Known(answer));
        }
        let waits = self.join(host, token, Some(stream))?;
        Ok(if waits {
            Another::OnItsWay
        } else {
            Another::None
        })
    }

    /// Has another one obtained, for calls that follow.
    pub(super) fn tell(&self, host: &impl host::Shared, token: Obtained) {
        let is_known = self.state().map(|state| state.answer(token).is_some());
        if is_known == Ok(false) {
            // Those that follow tell again.
            let _untold = self.join(host, token, None);
        }
    }

    fn join(
        &self,
        host: &impl host::Shared,
        token: Obtained,
        stream: Option<u32>,
    ) -> Result<bool, HostFailure> {
        let now_ms = host.now_ms()?;
        match self.state()?.asking.join(token, stream, now_ms) {
            Joined::Yes => return Ok(true),
            Joined::No => return Ok(false),
            Joined::NotAsked => {}
        }
        let timeout_ms = u32::try_from(BOUNDS.patience_ms).unwrap_or(u32::MAX);
        // Not borrowed meanwhile: the host may call back.
        let under = host.renew_token(&token.request(), timeout_ms)?;
        let waiting = stream.into_iter().collect();
        self.state()?.asking.asked(token, under, waiting, now_ms);
        Ok(true)
    }

    /// The region server answered, or will not. False: it was not asked from here, or nobody waits
    /// for it any more.
    pub fn on_answer(&self, host: &impl host::Shared, under: u32, bytes: Option<&[u8]>) -> bool {
        let Ok(mut state) = self.state() else {
            return false;
        };
        let now_ms = host.now_ms().unwrap_or(u64::MAX);
        let Some(token) = state.asking.answered(under, now_ms, 0) else {
            return false;
        };
        if let Some(bytes) = bytes.filter(|bytes| Obtained::is_in(bytes)) {
            state.keep(token, bytes.into());
        }
        true
    }

    /// The streams of tries that go on now, of as many as are named.
    pub fn due(&self, host: &impl host::Shared, most: usize) -> Vec<u32> {
        let now_ms = host.now_ms().unwrap_or(u64::MAX);
        let state = self.state();
        state.map_or_else(|_| Vec::new(), |mut state| state.asking.due(now_ms, most))
    }

    fn state(&self) -> Result<RefMut<'_, State>, HostFailure> {
        self.0.try_borrow_mut().map_err(|_| HostFailure)
    }
}

/// Whether there is another token.
enum Another {
    /// What the region server answered.
    Known(Rc<[u8]>),
    /// It may be on its way.
    OnItsWay,
    None,
}

impl State {
    fn answer(&self, token: Obtained) -> Option<Rc<[u8]>> {
        let mut answers = self.answers.iter();
        let (_, answer) = answers.find(|(other, _)| *other == token)?;
        Some(Rc::clone(answer))
    }

    fn keep(&mut self, token: Obtained, answer: Rc<[u8]>) {
        self.answers.retain(|(other, _)| *other != token);
        self.answers.push_back((token, answer));
        let mut bytes: usize = self.answers.iter().map(|(_, answer)| answer.len()).sum();
        while bytes > MAX_ANSWER_BYTES
            && let Some((_, oldest)) = self.answers.pop_front()
        {
            bytes -= oldest.len();
        }
    }
}

/// Whether the filter is entered for another try of a call.
pub(super) fn is_another_try(lines: &[HeaderLine<'_>]) -> bool {
    lines.iter().any(|(name, _)| *name == ATTEMPT_HEADER)
}

impl Call {
    /// The stream of the call that this is another try of, because its target refused the first.
    pub fn refused_stream(&self) -> Option<u32> {
        match self.progress {
            Progress::Try(stream) => stream,
            Progress::Fresh
            | Progress::Waiting(_)
            | Progress::HandedOver
            | Progress::Forwarded(_)
            | Progress::Answering(..)
            | Progress::Valve(_)
            | Progress::Over
            | Progress::Done => None,
        }
    }

    /// The call is sent once more, on that stream, which has been entered: with another token, if
    /// that is known.
    pub fn on_another_try(&mut self, host: &impl Host, shared: &Shared, stream: u32) -> Flow {
        let Progress::Forwarded(exchange) = &mut self.progress else {
            return Flow::Continue;
        };
        let Some(token) = exchange.renewable() else {
            return Flow::Continue;
        };
        match shared.refused.another(host, token, stream) {
            Ok(Another::Known(answer)) => renew(exchange, host, &answer),
            Ok(Another::OnItsWay) => return Flow::AwaitAnswer,
            Ok(Another::None) | Err(HostFailure) => {}
        }
        Flow::Continue
    }

    /// The wait for another token is over. The stream of the try has been entered.
    pub fn on_another_token(&mut self, host: &impl Host, shared: &Shared) {
        let Progress::Forwarded(exchange) = &mut self.progress else {
            return;
        };
        let answer = exchange.renewable().and_then(|token| {
            let state = shared.refused.state().ok()?;
            state.answer(token)
        });
        if let Some(answer) = answer {
            renew(exchange, host, &answer);
        }
    }
}

/// Puts the other token on the request of a try.
fn renew(exchange: &mut Exchange, host: &impl Host, answer: &[u8]) {
    let Some(renewed) = path(host).and_then(|path| exchange.renew(answer, &path)) else {
        return;
    };
    let edits = Renewed::edits(&renewed);
    // It goes all the same: whichever of them it carries is of the same credential.
    if edits.iter().any(|edit| apply(host, edit).is_err()) {
        host.warn("a token could not be put on another try");
    }
}

fn path(host: &impl Host) -> Option<Vec<u8>> {
    let headers = host.request_headers().ok()?;
    let lines = headers.lines().ok()?;
    let (_, path) = lines.iter().find(|(name, _)| *name == b":path")?;
    Some(path.to_vec())
}
