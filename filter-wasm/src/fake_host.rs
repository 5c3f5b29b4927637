//! A host in memory: what it was asked to do is kept, and any call can be made to fail.

use std::{
    cell::{Cell, RefCell},
    collections::{BTreeMap, BTreeSet},
    rc::Rc,
};

use requestrocket_policy::{denial::DenialResponse, jose::Question};

use crate::host::{HeaderMap, Host, HostFailure, ResponsePart, Shared};

type HeaderLines = Vec<(String, Vec<u8>)>;

/// The calls that can fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum HostCall {
    RequestHeaders,
    SwitchAsked,
    SetRequestHeader,
    RemoveRequestHeader,
    WarnCaller,
    KeepNote,
    KeepStream,
    RefusedStream,
    RequestBody,
    ResponseLines,
    PutResponseLines,
    ResponseHeader,
    SetResponseHeader,
    RemoveResponseHeader,
    ResponseChunk,
    ReplaceResponseChunk,
    Reset,
    RouteName,
    RouteAdmission,
    RoutePolicy,
    TokenSerial,
    Token,
    Now,
    Random,
    Sign,
    SharedData,
    SetSharedData,
    SyncCounters,
    CheckAccess,
    RenewKeys,
    RenewToken,
    TellUsage,
    Introspect,
    IsSigned,
    IsAnswered,
    PeerName,
    SendReply,
}

/// The encoded parts of a policy: the light one, and the rest.
type Parts = (Vec<u8>, Vec<u8>);

/// A value and the mark of its version.
type Versioned = (Vec<u8>, u32);

/// What the workers of one Envoy share, and what they sent to the region server.
#[derive(Default)]
pub(crate) struct FakeEnvoy {
    data: RefCell<BTreeMap<Vec<u8>, Versioned>>,
    /// Token and request of each call, in order.
    pub(crate) sent: RefCell<Vec<(u32, Vec<u8>)>>,
    pub(crate) now_ms: Cell<u64>,
    /// So many writes to come are in time; before the next one another worker is faster.
    pub(crate) overtaken_after: Cell<Option<u32>>,
}

#[derive(Default)]
pub(crate) struct FakeHost {
    pub(crate) request: RefCell<HeaderLines>,
    pub(crate) request_body: Vec<u8>,
    pub(crate) response: RefCell<HeaderLines>,
    pub(crate) response_trailers: RefCell<HeaderLines>,
    /// What Envoy says in the warning header.
    pub(crate) said: RefCell<Option<String>>,
    /// What Envoy keeps for the record.
    pub(crate) notes: RefCell<Vec<Vec<u8>>>,
    pub(crate) ends: RefCell<Vec<String>>,
    pub(crate) outcomes: RefCell<Vec<Vec<u8>>>,
    /// The bytes that the running callback is about.
    pub(crate) chunk: RefCell<Vec<u8>>,
    pub(crate) is_reset: Cell<bool>,
    pub(crate) envoy: Rc<FakeEnvoy>,
    pub(crate) route: Option<(Vec<u8>, Option<Parts>)>,
    /// What travels beside the policy: serial, and token.
    pub(crate) token: Option<(Vec<u8>, Vec<u8>)>,
    pub(crate) failing: BTreeSet<HostCall>,
    pub(crate) replies: RefCell<Vec<DenialResponse>>,
    pub(crate) warnings: RefCell<Vec<String>>,
    pub(crate) admission_reads: Cell<usize>,
    pub(crate) policy_reads: Cell<usize>,
    pub(crate) unanswered: Cell<usize>,
    /// Contexts that are there.
    pub(crate) there: RefCell<BTreeSet<u32>>,
    /// The one that calls are about.
    pub(crate) entered: Cell<u32>,
    /// What the peer's certificate says.
    pub(crate) peer_name: Option<&'static str>,
    /// Streams whose answer has begun.
    pub(crate) answered: RefCell<BTreeSet<u32>>,
    /// Token, context and request of each question about callers, in order.
    pub(crate) checks: RefCell<Vec<(u32, u32, Vec<u8>)>>,
    /// Token and request of each question about keys, in order.
    pub(crate) renewals: RefCell<Vec<(u32, Vec<u8>)>>,
    /// The same, about tokens for targets.
    pub(crate) replacements: RefCell<Vec<(u32, Vec<u8>)>>,
    /// The same, about opaque tokens.
    pub(crate) introspections: RefCell<Vec<(u32, Vec<u8>)>>,
    /// What another try would find.
    pub(crate) kept_stream: Cell<Option<u32>>,
    /// Token and request of each message about usage, in order.
    pub(crate) usage: RefCell<Vec<(u32, Vec<u8>)>>,
    pub(crate) compiled: Cell<usize>,
    /// Texts whose signature was asked about, in order.
    pub(crate) verified: RefCell<Vec<Vec<u8>>>,
    /// What is said of it.
    pub(crate) verdict: bool,
}

impl FakeHost {
    /// A GET of `path` with these headers, on the route that carries `policy`.
    pub(crate) fn get(path: &str, headers: &[(&str, &str)]) -> Self {
        let pseudo = [
            (":method", "GET"),
            (":path", path),
            (":authority", "gateway"),
        ];
        let request = pseudo
            .iter()
            .chain(headers)
            .map(|(name, value)| ((*name).to_owned(), value.as_bytes().to_vec()))
            .collect();
        Self {
            request: RefCell::new(request),
            ..Self::default()
        }
    }

    pub(crate) fn on_route(mut self, name: &str, policy: Option<Parts>) -> Self {
        self.route = Some((name.as_bytes().to_vec(), policy));
        self
    }

    pub(crate) fn answered_with(mut self, headers: &[(&str, &str)]) -> Self {
        self.response = headers
            .iter()
            .map(|(name, value)| ((*name).to_owned(), value.as_bytes().to_vec()))
            .collect::<Vec<_>>()
            .into();
        self
    }

    pub(crate) fn failing_at(mut self, call: HostCall) -> Self {
        self.failing.insert(call);
        self
    }

    /// The request's header as the target would get it.
    pub(crate) fn header(&self, name: &str) -> Option<String> {
        let request = self.request.borrow();
        let (_, value) = request.iter().find(|(other, _)| other == name)?;
        Some(String::from_utf8_lossy(value).into_owned())
    }

    /// Status of the only reply; none when the caller has no reply from us.
    pub(crate) fn status(&self) -> Option<u16> {
        let replies = self.replies.borrow();
        assert!(replies.len() < 2, "the caller gets one answer: {replies:?}");
        replies.first().map(|reply| reply.status)
    }

    fn part(&self, part: ResponsePart) -> &RefCell<HeaderLines> {
        match part {
            ResponsePart::Head => &self.response,
            ResponsePart::Trailers => &self.response_trailers,
        }
    }

    fn call(&self, call: HostCall) -> Result<(), HostFailure> {
        if self.failing.contains(&call) {
            Err(HostFailure)
        } else {
            Ok(())
        }
    }
}

impl Host for FakeHost {
    fn request_headers(&self) -> Result<HeaderMap, HostFailure> {
        self.call(HostCall::RequestHeaders)?;
        let request = self.request.borrow();
        let lines: Vec<_> = request
            .iter()
            .map(|(name, value)| (name.as_bytes(), value.as_slice()))
            .collect();
        HeaderMap::encode(&lines).ok_or(HostFailure)
    }

    fn is_switch_asked(&self) -> Result<bool, HostFailure> {
        self.call(HostCall::SwitchAsked)?;
        let request = self.request.borrow();
        Ok(request.iter().any(|(name, _)| name == "upgrade"))
    }

    fn set_request_header(&self, name: &str, value: &[u8]) -> Result<(), HostFailure> {
        self.call(HostCall::SetRequestHeader)?;
        let mut request = self.request.borrow_mut();
        request.retain(|(other, _)| other != name);
        request.push((name.to_owned(), value.to_vec()));
        Ok(())
    }

    fn remove_request_header(&self, name: &str) -> Result<(), HostFailure> {
        self.call(HostCall::RemoveRequestHeader)?;
        self.request.borrow_mut().retain(|(other, _)| other != name);
        Ok(())
    }

    fn warn_caller(&self, text: &str) -> Result<(), HostFailure> {
        self.call(HostCall::WarnCaller)?;
        *self.said.borrow_mut() = Some(text.to_owned());
        Ok(())
    }

    fn keep_note(&self, note: &[u8]) -> Result<(), HostFailure> {
        self.call(HostCall::KeepNote)?;
        self.notes.borrow_mut().push(note.to_vec());
        Ok(())
    }

    fn keep_stream(&self, stream: u32) -> Result<(), HostFailure> {
        self.call(HostCall::KeepStream)?;
        self.kept_stream.set(Some(stream));
        Ok(())
    }

    fn refused_stream(&self) -> Result<Option<u32>, HostFailure> {
        self.call(HostCall::RefusedStream)?;
        Ok(self.kept_stream.get())
    }

    fn keep_end(&self, code: &str) -> Result<(), HostFailure> {
        self.call(HostCall::KeepNote)?;
        self.ends.borrow_mut().push(code.to_owned());
        Ok(())
    }

    fn keep_outcome(&self, outcome: &[u8]) -> Result<(), HostFailure> {
        self.call(HostCall::KeepNote)?;
        self.outcomes.borrow_mut().push(outcome.to_vec());
        Ok(())
    }

    fn response_lines(&self, part: ResponsePart) -> Result<HeaderMap, HostFailure> {
        self.call(HostCall::ResponseLines)?;
        let lines = self.part(part).borrow();
        let lines = lines.iter();
        let lines: Vec<_> = lines
            .map(|(name, value)| (name.as_bytes(), value.as_slice()))
            .collect();
        HeaderMap::encode(&lines).ok_or(HostFailure)
    }

    fn put_response_lines(
        &self,
        part: ResponsePart,
        name: &str,
        lines: &[Vec<u8>],
    ) -> Result<(), HostFailure> {
        self.call(HostCall::PutResponseLines)?;
        let mut all = self.part(part).borrow_mut();
        all.retain(|(other, _)| other != name);
        all.extend(lines.iter().map(|line| (name.to_owned(), line.clone())));
        Ok(())
    }

    fn response_header(&self, name: &str) -> Result<Option<Vec<u8>>, HostFailure> {
        self.call(HostCall::ResponseHeader)?;
        let response = self.response.borrow();
        let line = response.iter().find(|(other, _)| other == name);
        Ok(line.map(|(_, value)| value.clone()))
    }

    fn set_response_header(&self, name: &str, value: &[u8]) -> Result<(), HostFailure> {
        self.call(HostCall::SetResponseHeader)?;
        let mut response = self.response.borrow_mut();
        response.retain(|(other, _)| other != name);
        response.push((name.to_owned(), value.to_vec()));
        Ok(())
    }

    fn remove_response_header(&self, name: &str) -> Result<(), HostFailure> {
        self.call(HostCall::RemoveResponseHeader)?;
        self.response
            .borrow_mut()
            .retain(|(other, _)| other != name);
        Ok(())
    }

    fn request_body(&self, size: usize) -> Result<Vec<u8>, HostFailure> {
        self.call(HostCall::RequestBody)?;
        let size = size.min(self.request_body.len());
        Ok(self.request_body[..size].to_vec())
    }

    fn response_chunk(&self, size: usize) -> Result<Vec<u8>, HostFailure> {
        self.call(HostCall::ResponseChunk)?;
        let chunk = self.chunk.borrow();
        Ok(chunk[..size.min(chunk.len())].to_vec())
    }

    fn replace_response_chunk(&self, bytes: &[u8]) -> Result<(), HostFailure> {
        self.call(HostCall::ReplaceResponseChunk)?;
        *self.chunk.borrow_mut() = bytes.to_vec();
        Ok(())
    }

    fn reset(&self) -> Result<(), HostFailure> {
        self.call(HostCall::Reset)?;
        self.is_reset.set(true);
        Ok(())
    }

    fn route_name(&self) -> Result<Option<Vec<u8>>, HostFailure> {
        self.call(HostCall::RouteName)?;
        Ok(self.route.as_ref().map(|(name, _)| name.clone()))
    }

    fn route_admission(&self) -> Result<Option<Vec<u8>>, HostFailure> {
        self.admission_reads.set(self.admission_reads.get() + 1);
        self.call(HostCall::RouteAdmission)?;
        let parts = self.route.as_ref().and_then(|(_, parts)| parts.as_ref());
        Ok(parts.map(|(admission, _)| admission.clone()))
    }

    fn route_policy(&self) -> Result<Option<Vec<u8>>, HostFailure> {
        self.policy_reads.set(self.policy_reads.get() + 1);
        self.call(HostCall::RoutePolicy)?;
        let parts = self.route.as_ref().and_then(|(_, parts)| parts.as_ref());
        Ok(parts.map(|(_, policy)| policy.clone()))
    }

    fn token_serial(&self) -> Result<Option<Vec<u8>>, HostFailure> {
        self.call(HostCall::TokenSerial)?;
        Ok(self.token.as_ref().map(|(serial, _)| serial.clone()))
    }

    fn token(&self) -> Result<Option<Vec<u8>>, HostFailure> {
        self.call(HostCall::Token)?;
        Ok(self.token.as_ref().map(|(_, token)| token.clone()))
    }

    fn peer_name(&self) -> Result<Option<Vec<u8>>, HostFailure> {
        self.call(HostCall::PeerName)?;
        Ok(self.peer_name.map(|name| name.as_bytes().to_vec()))
    }

    fn is_answered(&self) -> Result<bool, HostFailure> {
        self.call(HostCall::IsAnswered)?;
        Ok(self.answered.borrow().contains(&self.entered.get()))
    }

    fn send_reply(&self, reply: &DenialResponse) -> Result<(), HostFailure> {
        self.call(HostCall::SendReply)?;
        self.replies.borrow_mut().push(reply.clone());
        Ok(())
    }
}

impl Shared for FakeHost {
    fn now_ms(&self) -> Result<u64, HostFailure> {
        self.call(HostCall::Now)?;
        Ok(self.envoy.now_ms.get())
    }

    fn random(&self) -> Result<[u8; 16], HostFailure> {
        self.call(HostCall::Random)?;
        Ok([0xab; 16])
    }

    fn sign(&self, hash: &str, _: &[u8], text: &[u8]) -> Result<Option<Vec<u8>>, HostFailure> {
        self.call(HostCall::Sign)?;
        Ok(Some([hash.as_bytes(), b" of ", text].concat()))
    }

    fn shared_data(&self, key: &[u8]) -> Result<Option<(Vec<u8>, u32)>, HostFailure> {
        self.call(HostCall::SharedData)?;
        Ok(self.envoy.data.borrow().get(key).cloned())
    }

    fn set_shared_data(&self, key: &[u8], value: &[u8], mark: u32) -> Result<bool, HostFailure> {
        self.call(HostCall::SetSharedData)?;
        let mut data = self.envoy.data.borrow_mut();
        let present = data.get(key).map_or(0, |(_, mark)| *mark);
        let in_time = self.envoy.overtaken_after.take();
        if in_time == Some(0) || (mark != 0 && mark != present) {
            return Ok(false);
        }
        let in_time = in_time.map(|writes| writes - 1);
        self.envoy.overtaken_after.set(in_time);
        data.insert(key.to_vec(), (value.to_vec(), present + 1));
        Ok(true)
    }

    fn sync_counters(&self, request: &[u8], _timeout_ms: u32) -> Result<u32, HostFailure> {
        self.call(HostCall::SyncCounters)?;
        let mut sent = self.envoy.sent.borrow_mut();
        let token = u32::try_from(sent.len()).unwrap() + 1;
        sent.push((token, request.to_vec()));
        Ok(token)
    }

    fn check_access(&self, request: &[u8], _timeout_ms: u32) -> Result<u32, HostFailure> {
        self.call(HostCall::CheckAccess)?;
        let mut checks = self.checks.borrow_mut();
        let token = u32::try_from(checks.len()).unwrap() + 1_000;
        checks.push((token, self.entered.get(), request.to_vec()));
        Ok(token)
    }

    fn renew_keys(&self, request: &[u8], _timeout_ms: u32) -> Result<u32, HostFailure> {
        self.call(HostCall::RenewKeys)?;
        let mut renewals = self.renewals.borrow_mut();
        let token = u32::try_from(renewals.len()).unwrap() + 2_000;
        renewals.push((token, request.to_vec()));
        Ok(token)
    }

    fn renew_token(&self, request: &[u8], _timeout_ms: u32) -> Result<u32, HostFailure> {
        self.call(HostCall::RenewToken)?;
        let mut replacements = self.replacements.borrow_mut();
        let token = u32::try_from(replacements.len()).unwrap() + 3_000;
        replacements.push((token, request.to_vec()));
        Ok(token)
    }

    fn tell_usage(&self, request: &[u8], _timeout_ms: u32) -> Result<u32, HostFailure> {
        self.call(HostCall::TellUsage)?;
        let mut usage = self.usage.borrow_mut();
        let token = u32::try_from(usage.len()).unwrap() + 4_000;
        usage.push((token, request.to_vec()));
        Ok(token)
    }

    fn introspect(&self, request: &[u8], _timeout_ms: u32) -> Result<u32, HostFailure> {
        self.call(HostCall::Introspect)?;
        let mut introspections = self.introspections.borrow_mut();
        let token = u32::try_from(introspections.len()).unwrap() + 5_000;
        introspections.push((token, request.to_vec()));
        Ok(token)
    }

    fn is_signed(&self, question: &Question<'_>) -> Result<bool, HostFailure> {
        self.call(HostCall::IsSigned)?;
        self.verified.borrow_mut().push(question.text.to_vec());
        Ok(self.verdict)
    }

    fn enter(&self, context: u32) -> bool {
        let is_there = self.there.borrow().contains(&context);
        if is_there {
            self.entered.set(context);
        }
        is_there
    }

    fn count_unanswered(&self) {
        self.unanswered.set(self.unanswered.get() + 1);
    }

    fn count_compiled(&self) {
        self.compiled.set(self.compiled.get() + 1);
    }

    fn warn(&self, line: &str) {
        self.warnings.borrow_mut().push(line.to_owned());
    }
}
