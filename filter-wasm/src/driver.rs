//! Runs one exchange against a host: reads what the engine needs, obeys what it decides.
//!
//! No decision is taken here but one: what cannot be read, resolved or carried out is refused as a
//! fault of the gateway, and a request is forwarded only after every one of its edits succeeded.

mod admitted;
mod again;
mod arriving;
mod asking;
#[cfg(feature = "bench-buffering")]
mod buffering;
mod echo;
mod edits;
mod looking;
mod newer_keys;
mod notes;
mod opaque;
mod open;
mod policies;
mod ports;
mod refused;
mod refusing;
mod response;
mod room;
mod uploads;
mod valve;
mod waiting;

pub use newer_keys::NewerKeys;
pub use notes::Notes;
pub use opaque::OpaqueTokens;
pub use open::{Ending, OpenCalls, TICKS_PER_LOOK};
pub use policies::{Policies, Rooms};
pub use ports::CallPorts;
pub use refused::RefusedTokens;
pub use response::{Chunk, Turned};

use std::cell::RefCell;

use requestrocket_policy::{
    authn::Remembered,
    denial::{Denial, Refusal},
    exchange::Exchange,
    limit::Asked,
};

use self::{
    response::ResponseState,
    waiting::{Decided, Waiting},
};
use crate::{
    counters::{Counters, Inquiry},
    host::{Host, HostFailure},
    turns::Turns,
    usage::Usage,
};

/// What Envoy is to do with the stream after a callback.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flow {
    /// Hand on what there is.
    Continue,
    /// Hold the head and let the body come.
    AwaitBody,
    /// Hold head and body until the region server has answered.
    AwaitAnswer,
    /// The bytes of this callback were taken out and the head stays held; go on with the next.
    Held,
    /// Envoy holds the bytes of this callback, and after some more reads none from the target.
    HeldBack,
    /// Nothing of this callback passes.
    Dropped,
    /// The caller has its answer from us, or will have none.
    Ended,
}

/// What the calls of one VM share.
#[derive(Debug)]
pub struct Shared {
    /// Compiled policies.
    pub policies: Policies,
    /// What is counted.
    pub counters: Counters,
    /// Whose turn it is to have bodies worked on.
    pub turns: Turns,
    /// Calls that were let through.
    pub open: OpenCalls,
    /// Tokens of callers that were found right.
    pub tokens: RefCell<Remembered>,
    /// What is noted of calls for their records.
    pub notes: Notes,
    /// Calls whose tokens were found wrong, but may be right by newer keys.
    pub keys: NewerKeys,
    /// Tokens that only their servers can read.
    pub opaque: OpaqueTokens,
    /// Tokens that targets did not take.
    pub refused: RefusedTokens,
    /// What was let through.
    pub usage: Usage,
}

impl Shared {
    /// Keeps what there is to say of a call that was decided.
    fn keep(&self, host: &impl Host, waiting: &Waiting) {
        waiting.keep_note(host, self);
        let decided = waiting.exchange.as_ref().and_then(Exchange::usage);
        match decided {
            // What the region server sends was counted when it came.
            Some((share, _)) if waiting.delivery.is_some() => self.usage.add_owner(share),
            Some((share, outcome)) => self.usage.add_call(share, outcome),
            None => {}
        }
    }
}

/// One request.
#[derive(Debug)]
pub struct Call {
    stream: u32,
    progress: Progress,
}

/// How far a call is, with what is needed then.
#[derive(Debug, Default)]
enum Progress {
    /// Nothing was seen of it.
    #[default]
    Fresh,
    /// Not decided yet.
    Waiting(Box<Waiting>),
    /// The region server has it, whose answer passes as it is.
    HandedOver,
    /// The target has it.
    Forwarded(Exchange),
    /// The target's answer is on its way to the caller.
    Answering(Box<Exchange>, ResponseState),
    /// The response of the call of that stream comes by here.
    Valve(u32),
    /// Another try of a call comes by here; of the call of that stream, if the target refused it.
    Try(Option<u32>),
    /// Nothing more of the target's answer passes, whatever was let through before this was known;
    /// an answer in its place does.
    Over,
    /// There is nothing left to do.
    Done,
}

/// Others may use up what the region server had for a call, again and again. Each question of a call
/// asks for twice as much, so that by the fifth a burst on sixteen workers should be through.
const MAX_QUESTIONS: u8 = 6;

impl Call {
    /// A call that comes on this stream.
    pub fn new(stream: u32) -> Self {
        Self {
            stream,
            progress: Progress::Fresh,
        }
    }

    /// The stream that it is on.
    pub fn stream(&self) -> u32 {
        self.stream
    }

    /// The request's head has arrived; `is_end` when there is no body.
    pub fn on_request_head(&mut self, host: &impl Host, shared: &Shared, is_end: bool) -> Flow {
        match Waiting::new(host, is_end) {
            Ok(waiting) => self.judge(host, shared, waiting),
            Err(HostFailure) => self.refuse(host, &Denial::GatewayFault.into()),
        }
    }

    /// More of the request's body is there: `size` bytes in all.
    pub fn on_request_body(
        &mut self,
        host: &impl Host,
        shared: &Shared,
        (size, is_end): (usize, bool),
    ) -> Flow {
        // One that nobody waits for goes straight to the target.
        let Some(mut waiting) = self.take_waiting_for_body() else {
            return Flow::Continue;
        };
        if let Err(refusal) = waiting.takes_body(host, size) {
            return self.refuse_judged(host, shared, &waiting, &refusal);
        }
        if is_end {
            self.go_on_with_body(host, shared, waiting)
        } else {
            self.wait(waiting, Flow::AwaitBody)
        }
    }

    /// The request's body is complete, and trailers follow it.
    pub fn on_request_trailers(&mut self, host: &impl Host, shared: &Shared) -> Flow {
        match self.take_waiting_for_body() {
            Some(waiting) => self.go_on_with_body(host, shared, waiting),
            None => Flow::Continue,
        }
    }

    fn take_waiting_for_body(&mut self) -> Option<Waiting> {
        let waiting = self.take_waiting()?;
        if waiting.body.is_some() {
            self.progress = Progress::Waiting(Box::new(waiting));
            return None;
        }
        Some(waiting)
    }

    /// None: it is decided.
    fn take_waiting(&mut self) -> Option<Waiting> {
        match std::mem::take(&mut self.progress) {
            Progress::Waiting(waiting) => Some(*waiting),
            other @ (Progress::Fresh
            | Progress::HandedOver
            | Progress::Forwarded(_)
            | Progress::Answering(..)
            | Progress::Valve(_)
            | Progress::Try(_)
            | Progress::Over
            | Progress::Done) => {
                self.progress = other;
                None
            }
        }
    }

    fn go_on_with_body(&mut self, host: &impl Host, shared: &Shared, waiting: Waiting) -> Flow {
        if waiting.is_judged_again {
            return self.judge_with_body(host, shared, waiting);
        }
        self.come_again(host, shared, &waiting)
    }

    /// The configuration may have changed while the call waited. The first time, it therefore goes
    /// on to where Envoy chooses its route again, and comes back to be judged by that.
    fn come_again(&mut self, host: &impl Host, shared: &Shared, waiting: &Waiting) -> Flow {
        match again::send_on(host, waiting.inquiry) {
            // It comes back to the filter's second place in the chain, as a call of its own.
            Ok(()) => {
                self.progress = Progress::Done;
                Flow::Continue
            }
            Err(HostFailure) => {
                self.refuse_judged(host, shared, waiting, &Denial::GatewayFault.into())
            }
        }
    }

    /// The region server has answered, or will not.
    pub fn on_answer(&mut self, host: &impl Host, shared: &Shared, asked: Asked) -> Flow {
        let Some(mut waiting) = self.take_waiting() else {
            return Flow::Ended;
        };
        waiting.inquiry.asked = asked;
        if waiting.is_judged_again {
            self.judge(host, shared, waiting)
        } else {
            self.come_again(host, shared, &waiting)
        }
    }

    /// Nothing was heard of the call for a while, and its stream is still there. Says whether it is
    /// refused for that.
    pub fn on_silence(&mut self, host: &impl Host, shared: &Shared) -> bool {
        let Some(waiting) = self.take_waiting() else {
            return false;
        };
        let late = match waiting.body_since_ms {
            Some(_) => waiting.is_in_time(host),
            None => Ok(()),
        };
        match late {
            Ok(()) => self.progress = Progress::Waiting(Box::new(waiting)),
            Err(denial) => {
                self.refuse_judged(host, shared, &waiting, &denial.into());
            }
        }
        late.is_err()
    }

    /// The stream is over, however far it came.
    pub fn on_end(self, host: &impl Host, shared: &Shared) {
        let exchange = match self.progress {
            Progress::Waiting(waiting) => waiting.exchange,
            Progress::Forwarded(exchange) => Some(exchange),
            Progress::Answering(exchange, _) => Some(*exchange),
            Progress::Fresh
            | Progress::HandedOver
            | Progress::Valve(_)
            | Progress::Try(_)
            | Progress::Over
            | Progress::Done => None,
        };
        let ports = CallPorts::new(host, &shared.counters, Inquiry::NONE);
        // For what it counts: records are Envoy's.
        let _record = exchange.map(|exchange| exchange.finish(&ports));
    }

    /// Whether callbacks about this call can still matter.
    pub fn is_done(&self) -> bool {
        matches!(self.progress, Progress::Done)
    }

    fn judge(&mut self, host: &impl Host, shared: &Shared, mut waiting: Waiting) -> Flow {
        loop {
            let asked = match waiting.decide(host, shared, self.stream) {
                Decided::HandedOver => {
                    self.is_let_through(host, shared, &waiting);
                    self.progress = Progress::HandedOver;
                    return Flow::Continue;
                }
                Decided::Forwarded => {
                    self.is_let_through(host, shared, &waiting);
                    let renewable = waiting.exchange.as_ref().and_then(Exchange::renewable);
                    if renewable.is_some() {
                        // Without it, another try goes with the same token.
                        let _unknown = host.keep_stream(self.stream);
                    }
                    // Others are forgotten: Envoy passes most of their responses without asking.
                    let exchange = waiting.exchange.filter(Exchange::awaits_response);
                    self.progress = exchange.map_or(Progress::Done, Progress::Forwarded);
                    return Flow::Continue;
                }
                Decided::Refused(refusal) => {
                    return self.refuse_judged(host, shared, &waiting, &refusal);
                }
                Decided::StandsBy(stream) => return self.stand_by(host, stream),
                Decided::TriesAgain(stream) => {
                    self.progress = Progress::Try(stream);
                    return Flow::Continue;
                }
                Decided::KnowsPolicy => continue,
                Decided::WantsKeys(credentials, refusal) => {
                    let waits = shared.keys.wait(host, &credentials, self.stream);
                    return self.wait_or_refuse((host, shared), waiting, (waits, &refusal));
                }
                Decided::WantsCheck(questions, refusal) => {
                    let waits = shared.opaque.wait(host, &questions, self.stream);
                    return self.wait_or_refuse((host, shared), waiting, (waits, &refusal));
                }
                Decided::NeedsPolicy => return self.wait(waiting, Flow::AwaitAnswer),
                Decided::NeedsBody => {
                    // Without a clock there is no end to the wait.
                    let Ok(now_ms) = host.now_ms() else {
                        let fault = Denial::GatewayFault.into();
                        return self.refuse_judged(host, shared, &waiting, &fault);
                    };
                    waiting.body_since_ms = Some(now_ms);
                    return self.wait(waiting, Flow::AwaitBody);
                }
                Decided::Asks(_) if waiting.inquiry.questions == MAX_QUESTIONS => Asked::Refused,
                Decided::Asks(question) => {
                    waiting.inquiry.questions += 1;
                    match shared.counters.ask(host, &question, self.stream) {
                        Ok(()) => return self.wait(waiting, Flow::AwaitAnswer),
                        // Nobody can be asked: as if the answer had not come.
                        Err(HostFailure) => Asked::Unanswered,
                    }
                }
            };
            waiting.inquiry.asked = asked;
        }
    }

    fn is_let_through(&self, host: &impl Host, shared: &Shared, waiting: &Waiting) {
        shared.keep(host, waiting);
        let holder = waiting.exchange.as_ref().and_then(Exchange::holder);
        if let Some(holder) = holder {
            shared.open.begin(self.stream, holder, waiting.follows);
        }
    }

    /// Has a call wait that would else be refused, if there is something to wait for.
    fn wait_or_refuse(
        &mut self,
        (host, shared): (&impl Host, &Shared),
        waiting: Waiting,
        (waits, refusal): (Result<bool, HostFailure>, &Refusal),
    ) -> Flow {
        if waits == Ok(true) {
            return self.wait(waiting, Flow::AwaitAnswer);
        }
        self.refuse_judged(host, shared, &waiting, refusal)
    }

    fn wait(&mut self, waiting: Waiting, flow: Flow) -> Flow {
        self.progress = Progress::Waiting(Box::new(waiting));
        flow
    }
}

#[cfg(test)]
mod tests;
