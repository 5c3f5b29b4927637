//! Asynchronous requests: what the region server is to answer, and what it sends in a caller's place.

use std::borrow::Cow;

use super::{
    Resolved,
    call::Call,
    grant::{Grant, Refused, UsedCredential},
    ports::Ports,
};
use crate::{
    admission::Admission,
    denial::{Asynchronous, Denial},
    http::{
        RequestHead,
        path::Entry,
        query::{is_authorization, rewrite_into},
    },
    passage::{ARRIVAL_HEADER, Arrival, Delivery, Sender},
    secret::SecretBytes,
    swap::Edit,
};

/// Which way a request goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// From its caller to the target.
    Through,
    /// From its caller to the region server, which sends it later.
    In,
    /// From the region server to the target.
    Out,
}

impl Way {
    pub(super) fn of(head: &RequestHead<'_>, call: &Call<'_>) -> Self {
        if head.delivery.is_some() {
            return Self::Out;
        }
        match call.path.entry {
            Entry::Api | Entry::Requests => Self::Through,
            Entry::Async => Self::In,
        }
    }
}

/// A stranger is not told which proxies there are, nor which requests.
pub(super) fn told(entry: Entry, denial: Denial) -> Denial {
    match (entry, denial) {
        (Entry::Requests, Denial::CredentialInvalid) => {
            Denial::Asynchronous(Asynchronous::UnknownRequest)
        }
        (Entry::Api | Entry::Async | Entry::Requests, denial) => denial,
    }
}

/// Whether who sent the request could still send it.
pub(super) fn still_let_in(
    admission: &Admission,
    delivery: &Delivery,
    ports: &dyn Ports,
) -> Result<UsedCredential, Denial> {
    let id = delivery.sender.credential;
    let mut own = admission.credentials.iter().filter(|one| one.id == id);
    let auth_type = own.find_map(|credential| credential.lets_in(|| ports.now_ms()));
    auth_type
        .map(|auth_type| (id, auth_type))
        .ok_or(Denial::CredentialInvalid)
}

/// A question about a request, of one who may use the proxy: no call, so neither rules nor meters
/// are asked.
pub(super) fn question(
    resolved: &Resolved,
    used: UsedCredential,
    (head, call): (&RequestHead<'_>, &Call<'_>),
    ports: &dyn Ports,
) -> Result<(Grant, Vec<Edit<'static>>), Refused> {
    let grant = Grant {
        is_question: true,
        ..Grant::of(Some(used))
    };
    let refuse = |denial| Refused::granted(&grant, denial);
    let Some(admission) = resolved.admission() else {
        return Err(refuse(Denial::GatewayFault));
    };
    if !ports.has_room(admission.holder(Some(used.0))) {
        return Err(refuse(Denial::Overloaded));
    }
    let sender = Sender {
        credential: used.0,
        claims: None,
    };
    let edits = handed_over(admission, sender, head, call);
    Ok((grant, edits))
}

/// The edits that make a caller's request the region server's: without the credential it came with,
/// and with who sent it.
pub(super) fn handed_over(
    admission: &Admission,
    sender: Sender,
    head: &RequestHead<'_>,
    call: &Call<'_>,
) -> Vec<Edit<'static>> {
    let base = format!("/{}/{}", call.path.entry.as_str(), admission.names.id_text);
    let mut path = Vec::with_capacity(base.len() + call.raw.len());
    call.path.join_into(base.as_bytes(), &mut path);
    let no_injections = std::iter::empty();
    rewrite_into(call.query, &is_authorization, no_injections, &mut path);
    let arrival = Arrival {
        organisation: admission.organisation,
        proxy: admission.names.id,
        sender,
    };
    let mut edits = vec![Edit::SetPath(path)];
    if head.has_authorization() {
        edits.push(Edit::RemoveHeader(Cow::Borrowed("authorization")));
    }
    if head.has_proxy_authorization {
        let sent = head.spellings("proxy-authorization");
        edits.extend(sent.into_iter().map(Edit::RemoveHeader));
    }
    if head.has_empty_forwarded_for {
        edits.push(Edit::RemoveHeader(Cow::Borrowed("x-forwarded-for")));
    }
    let arrival = SecretBytes::from(arrival.to_header());
    edits.push(Edit::SetComputed(ARRIVAL_HEADER, arrival));
    edits
}
