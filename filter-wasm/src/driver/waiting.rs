//! A call that is not decided yet, and what is known of it.

use std::rc::Rc;

use requestrocket_policy::{
    denial::{Asynchronous, Denial, Refusal},
    exchange::{Edit, Exchange, Question, RequestBody, RequestDecision, Resolved},
    http::{HeaderLine, RequestHead},
    id::CredentialId,
    passage::Delivery,
};

use super::{
    CallPorts, Shared,
    again::{self, AGAIN_HEADER, ASKED_HEADER},
    arriving,
    edits::apply,
    opaque,
    open::Follows,
    policies::Obtained,
    refused,
    room::BodyRoom,
    uploads, valve,
};
use crate::{
    counters::Inquiry,
    host::{HeaderMap, Host, HostFailure},
};

/// A call that is not decided yet.
#[derive(Debug)]
pub(super) struct Waiting {
    /// None until it is judged for the first time.
    pub(super) exchange: Option<Exchange>,
    pub(super) headers: HeaderMap,
    /// Of a call that the region server makes.
    pub(super) delivery: Option<Delivery>,
    /// Envoy has chosen its route anew for it; known once it was judged.
    pub(super) is_judged_again: bool,
    /// Known once it was judged.
    pub(super) follows: Follows,
    /// The whole body, once it was needed or when there is none.
    pub(super) body: Option<Rc<Vec<u8>>>,
    /// Unix time in milliseconds from which its body is waited for.
    pub(super) body_since_ms: Option<u64>,
    /// How much of it has come.
    pub(super) body_bytes: usize,
    /// What it takes; none before any of it came.
    room: Option<BodyRoom>,
    pub(super) inquiry: Inquiry,
}

/// What came of judging a request. Its edits are made.
pub(super) enum Decided {
    Forwarded,
    /// It goes to the region server.
    HandedOver,
    Refused(Refusal),
    /// It was judged, in that stream; this is about its response.
    StandsBy(u32),
    /// It was judged, and is sent once more; in that stream, if its target refused it.
    TriesAgain(Option<u32>),
    /// Its token may be right by newer keys of these credentials; if there are none, it is refused.
    WantsKeys(Vec<CredentialId>, Refusal),
    /// Nothing is known of its token; if that stays so, it is refused.
    WantsCheck(Vec<opaque::AboutToken>, Refusal),
    /// The policy is there now: judge it again.
    KnowsPolicy,
    /// The policy is being compiled.
    NeedsPolicy,
    NeedsBody,
    Asks(Question),
}

impl Waiting {
    pub(super) fn new(host: &impl Host, is_end: bool) -> Result<Self, HostFailure> {
        let headers = host.request_headers()?;
        let lines = headers.lines()?;
        let has_no_body = is_end || is_handshake(&lines);
        let delivery = arriving::delivery(host, &lines)?;
        drop(lines);
        Ok(Self {
            exchange: None,
            headers,
            delivery,
            is_judged_again: false,
            follows: Follows::Nothing,
            body: has_no_body.then(Rc::default),
            body_since_ms: None,
            body_bytes: 0,
            room: None,
            inquiry: Inquiry::NONE,
        })
    }

    /// Keeps a note of it for its record, once it is decided.
    pub(super) fn keep_note(&self, host: &impl Host, shared: &Shared) {
        if let (Some(exchange), Ok(lines)) = (&self.exchange, self.headers.lines()) {
            let head = RequestHead::new(&lines).delivering(self.delivery.as_ref());
            let ports = CallPorts::new(host, &shared.counters, Inquiry::NONE)
                .knowing(&shared.tokens, &shared.opaque);
            shared.notes.keep(host, (exchange, &head), &ports);
        }
    }

    /// Whether a body of so many bytes, or more to come, can be waited for.
    pub(super) fn takes_body(&mut self, host: &impl Host, size: usize) -> Result<(), Refusal> {
        self.body_bytes = size;
        self.is_in_time(host)?;
        let exchange = self.exchange.as_mut().ok_or(Denial::GatewayFault)?;
        exchange.on_request_body_size(size)?;
        let holder = exchange.holder().ok_or(Denial::GatewayFault)?;
        let room = self.room.get_or_insert_with(|| BodyRoom::new(holder));
        Ok(room.hold(size)?)
    }

    /// Reads the body, all of which has come.
    pub(super) fn read_body(&mut self, host: &impl Host) -> Result<(), Denial> {
        if let Some(room) = &mut self.room {
            room.copy()?;
        }
        let body = host.request_body(usize::MAX);
        let body = body.map_err(|HostFailure| Denial::GatewayFault)?;
        self.body = Some(Rc::new(body));
        Ok(())
    }

    /// Whether the body may still be waited for.
    pub(super) fn is_in_time(&self, host: &impl Host) -> Result<(), Denial> {
        let now_ms = host.now_ms().map_err(|HostFailure| Denial::GatewayFault)?;
        let since_ms = self.body_since_ms.ok_or(Denial::GatewayFault)?;
        if uploads::is_late(self.body_bytes, since_ms, now_ms) {
            return Err(Denial::RequestTimeout);
        }
        Ok(())
    }

    pub(super) fn decide(&mut self, host: &impl Host, shared: &Shared, stream: u32) -> Decided {
        let fault = || Decided::Refused(Denial::GatewayFault.into());
        let Ok(lines) = self.headers.lines() else {
            return fault();
        };
        if let Some(passes_by) = judged_before(host, &lines) {
            return passes_by;
        }
        if self.exchange.is_none() {
            match again::read(&lines) {
                Ok(None) => {}
                Ok(Some(inquiry)) => (self.is_judged_again, self.inquiry) = (true, inquiry),
                Err(HostFailure) => return fault(),
            }
        }
        let ports =
            CallPorts::new(host, &shared.counters, self.inquiry).among(&shared.open, stream);
        let ports = ports.knowing(&shared.tokens, &shared.opaque);
        self.follows = Follows::of(&lines, self.body.is_some());
        let body = match &self.body {
            Some(bytes) => RequestBody::Whole(bytes),
            None => RequestBody::Unread,
        };
        let exchange = self
            .exchange
            .get_or_insert_with(|| Exchange::new(shared.policies.resolve(&lines, host)));
        // Before it decides: the edits that come of that borrow of it.
        let valve_of = exchange.inspects_responses().then(|| stream.to_string());
        let valve_of = valve_of.as_deref().map(str::as_bytes);
        let head = RequestHead::new(&lines).delivering(self.delivery.as_ref());
        match exchange.on_request(&head, body, &ports) {
            // It has waited for that once.
            RequestDecision::Refuse(refusal) if self.is_judged_again => Decided::Refused(refusal),
            RequestDecision::Refuse(refusal) => {
                refused(refusal, ports.wanted_keys(), ports.questions())
            }
            RequestDecision::NeedPolicy => {
                let Some(admission) = exchange.admission() else {
                    return fault();
                };
                let policies = &shared.policies;
                match policies.admitted((&lines, admission), stream, host) {
                    Obtained::Ready(policy) => {
                        self.exchange = Some(Exchange::new(Resolved::Proxy(policy)));
                        Decided::KnowsPolicy
                    }
                    Obtained::Waits => Decided::NeedsPolicy,
                    Obtained::Refused(denial) => Decided::Refused(denial.into()),
                }
            }
            RequestDecision::NeedBody => Decided::NeedsBody,
            RequestDecision::Ask(question) => Decided::Asks(question),
            RequestDecision::HandOver(edits) => {
                let edits = edits.into_iter().chain(marks(self.is_judged_again));
                hand_over(host, &lines, edits)
            }
            RequestDecision::Forward(edits) => {
                let edits = edits.into_iter().chain(marks(self.is_judged_again));
                let valve = valve_of.map(|it| Edit::SetHeader(valve::HEADER, it));
                forward(host, edits.chain(valve), Decided::Forwarded)
            }
        }
    }
}

/// A call that was judged when it passed by here first.
fn judged_before(host: &impl Host, lines: &[HeaderLine<'_>]) -> Option<Decided> {
    if let Some(stream) = valve::decided_by(lines) {
        return Some(Decided::StandsBy(stream));
    }
    let is_another_try = refused::is_another_try(lines);
    is_another_try.then(|| Decided::TriesAgain(host.refused_stream().ok().flatten()))
}

/// What neither newer keys nor a server of tokens could change is settled.
fn refused(
    refusal: Refusal,
    wanted: Vec<CredentialId>,
    questions: Vec<opaque::AboutToken>,
) -> Decided {
    let denial = refusal.denial;
    let is_wrong = [
        Denial::CredentialInvalid,
        Denial::Asynchronous(Asynchronous::UnknownRequest),
    ]
    .contains(&denial);
    if is_wrong && !wanted.is_empty() {
        return Decided::WantsKeys(wanted, refusal);
    }
    if denial == Denial::CredentialCheckUnavailable && !questions.is_empty() {
        return Decided::WantsCheck(questions, refusal);
    }
    Decided::Refused(refusal)
}

/// What a WebSocket carries is no body, and what comes before the target has switched is held back
/// by Envoy, which takes for an upgrade what names one in both headers.
fn is_handshake(lines: &[HeaderLine<'_>]) -> bool {
    let values = |wanted: &'static [u8]| {
        let lines = lines.iter().filter(move |(name, _)| *name == wanted);
        lines.flat_map(|(_, value)| value.split(|byte| *byte == b','))
    };
    let says = |name: &'static [u8], word: &[u8]| {
        values(name).any(|value| value.trim_ascii().eq_ignore_ascii_case(word))
    };
    says(b":method", b"GET")
        && says(b"connection", b"upgrade")
        && says(b"upgrade", b"websocket")
        // Who says how long a body is, or uses another method, has one all the same.
        && values(b"content-length").next().is_none()
        && values(b"transfer-encoding").next().is_none()
}

/// Makes the edits of a call that goes to the region server.
fn hand_over<'e>(
    host: &impl Host,
    lines: &[HeaderLine<'_>],
    edits: impl Iterator<Item = Edit<'e>>,
) -> Decided {
    match arriving::by_route(lines) {
        Some(by) => forward(host, edits.chain([by]), Decided::HandedOver),
        None => Decided::Refused(Denial::GatewayFault.into()),
    }
}

/// What marks a call that came back, and has to go.
fn marks<'e>(is_judged_again: bool) -> impl Iterator<Item = Edit<'e>> {
    let marks = [AGAIN_HEADER, ASKED_HEADER].into_iter();
    let marks = marks.filter(move |_| is_judged_again);
    marks.map(|name| Edit::RemoveHeader(name.into()))
}

/// Makes the edits of a call that is let through.
fn forward<'e>(
    host: &impl Host,
    mut edits: impl Iterator<Item = Edit<'e>>,
    done: Decided,
) -> Decided {
    if edits.all(|edit| apply(host, &edit).is_ok()) {
        done
    } else {
        Decided::Refused(Denial::GatewayFault.into())
    }
}
