//! A host in memory: what it was asked to do is kept, and any call can be made to fail.

use std::{
    cell::{Cell, RefCell},
    collections::BTreeSet,
};

use requestrocket_policy::denial::DenialResponse;

use crate::{
    header_map::HeaderMap,
    host::{Host, HostFailure},
};

type HeaderLines = Vec<(String, Vec<u8>)>;

/// The calls that can fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum HostCall {
    RequestHeaders,
    SetRequestHeader,
    RemoveRequestHeader,
    ResponseHeader,
    RouteName,
    RoutePolicy,
    Now,
    Random,
    SendReply,
}

#[derive(Default)]
pub(crate) struct FakeHost {
    pub(crate) request: RefCell<HeaderLines>,
    pub(crate) response: HeaderLines,
    pub(crate) route: Option<(Vec<u8>, Option<Vec<u8>>)>,
    pub(crate) failing: BTreeSet<HostCall>,
    pub(crate) replies: RefCell<Vec<DenialResponse>>,
    pub(crate) warnings: RefCell<Vec<String>>,
    pub(crate) policy_reads: Cell<usize>,
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

    pub(crate) fn on_route(mut self, name: &str, policy: Option<Vec<u8>>) -> Self {
        self.route = Some((name.as_bytes().to_vec(), policy));
        self
    }

    pub(crate) fn answered_with(mut self, headers: &[(&str, &str)]) -> Self {
        self.response = headers
            .iter()
            .map(|(name, value)| ((*name).to_owned(), value.as_bytes().to_vec()))
            .collect();
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

    fn response_header(&self, name: &str) -> Result<Option<Vec<u8>>, HostFailure> {
        self.call(HostCall::ResponseHeader)?;
        let line = self.response.iter().find(|(other, _)| other == name);
        Ok(line.map(|(_, value)| value.clone()))
    }

    fn route_name(&self) -> Result<Option<Vec<u8>>, HostFailure> {
        self.call(HostCall::RouteName)?;
        Ok(self.route.as_ref().map(|(name, _)| name.clone()))
    }

    fn route_policy(&self) -> Result<Option<Vec<u8>>, HostFailure> {
        self.policy_reads.set(self.policy_reads.get() + 1);
        self.call(HostCall::RoutePolicy)?;
        Ok(self.route.as_ref().and_then(|(_, policy)| policy.clone()))
    }

    fn now_ms(&self) -> Result<u64, HostFailure> {
        self.call(HostCall::Now)?;
        Ok(1_000)
    }

    fn random(&self) -> Result<[u8; 16], HostFailure> {
        self.call(HostCall::Random)?;
        Ok([0xab; 16])
    }

    fn send_reply(&self, reply: &DenialResponse) -> Result<(), HostFailure> {
        self.call(HostCall::SendReply)?;
        self.replies.borrow_mut().push(reply.clone());
        Ok(())
    }

    fn warn(&self, line: &str) {
        self.warnings.borrow_mut().push(line.to_owned());
    }
}
