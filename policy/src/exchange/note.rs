//! What an exchange tells of its call for the record.

mod usage;

use prost::Message as _;
use requestrocket_proto::record::v1::{Asynchronous, Denial, MeterDelta, Note};

use super::{Exchange, Phase, Resolved, grant::UsedCredential, outcome::delta};
use crate::{
    authn::{self, AuthPorts, Presented, introspected_claims},
    denial::{self, Detail, Refusal},
    echo::Guard,
    http::RequestHead,
    limit::Micros,
    note::{self, Budget, Noted},
};

/// Which call it is: a run of the filter on a worker, and which of its calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CallNumber {
    /// Of the [run](crate::run).
    pub worker: [u8; 16],
    /// From 1.
    pub number: u64,
}

impl Exchange {
    /// What only the engine knows of the decided call with that head, encoded. No secret.
    pub fn note(
        &self,
        head: &RequestHead<'_>,
        which: CallNumber,
        ports: &dyn AuthPorts,
    ) -> Vec<u8> {
        let (used, refusal, counted) = match &self.phase {
            Phase::Undecided(_) => (None, None, &[][..]),
            Phase::Forwarded(grant) | Phase::Answered(grant, _) => {
                (grant.credential, None, &*grant.counted)
            }
            Phase::Refused(refused) => (
                refused.credential,
                Some(&refused.refusal),
                &*refused.counted,
            ),
        };
        let budget = used.map_or(Budget::STRANGER, |_| Budget::CALLER);
        // A stranger's token names whomever it likes.
        let named = used.and_then(|it| self.subject(head, it, ports));
        let Noted {
            path,
            query,
            headers,
            subject,
        } = note::of(head, self.injected(), (budget, named));
        let organisation = self.admission().map(|admission| admission.organisation);
        let id = |uuid: &uuid::Uuid| uuid.as_bytes().to_vec().into();
        let note = Note {
            worker_id: which.worker.to_vec().into(),
            number: which.number,
            organisation_id: organisation.map_or_else(Default::default, |it| id(it.as_uuid())),
            credential_id: used.map_or_else(Default::default, |(it, _)| id(it.as_uuid())),
            auth_type: used.map_or("", |(_, kind)| kind.as_str()).to_owned(),
            path,
            query,
            headers,
            denial: refusal.and_then(denial),
            subject,
            meters: self.counted(counted),
            asynchronous: head.delivery.map(|delivery| Asynchronous {
                request_id: id(&delivery.request),
                attempt: delivery.attempt,
            }),
        };
        note.encode_to_vec()
    }

    /// What the call added to those meters by itself, by place in the policy.
    fn counted(&self, places: &[usize]) -> Vec<MeterDelta> {
        let Resolved::Proxy(policy) = &self.resolved else {
            return Vec::new();
        };
        let meters = places.iter().filter_map(|place| policy.meters.get(*place));
        let deltas = meters.map(|meter| delta((meter.charge.counter.id, Micros::ONE)));
        deltas.collect()
    }

    /// Why the response was cut; none: it was not, or nobody knows.
    pub fn cut_by(&self) -> Option<denial::Denial> {
        match &self.phase {
            Phase::Answered(_, Some(pipe)) => pipe.cut_by(),
            Phase::Undecided(_)
            | Phase::Forwarded(_)
            | Phase::Answered(_, None)
            | Phase::Refused(_) => None,
        }
    }

    /// Whom the caller's token names, which was found right: by what it says, or its server says of it.
    fn subject(
        &self,
        head: &RequestHead<'_>,
        (used, auth_type): UsedCredential,
        ports: &dyn AuthPorts,
    ) -> Option<String> {
        if !auth_type.has_claims() {
            return None;
        }
        if let Some(delivery) = head.delivery {
            return delivery.sender.claims.as_deref().and_then(authn::named_in);
        }
        let admission = self.admission()?;
        let (credentials, key) = (&admission.credentials, &admission.digest_key);
        let named = |value: &[u8]| match introspected_claims(credentials, key, (used, value), ports)
        {
            Some(said) => authn::named_in(&said),
            None => authn::subject(value),
        };
        let path = head.first(":path").unwrap_or_default();
        let query = path.splitn(2, |byte| *byte == b'?').nth(1);
        match authn::presented(head, query) {
            Presented::Header(value) => named(value),
            Presented::Query(value) => named(value.expose()),
            Presented::Missing | Presented::Several => None,
        }
    }

    /// Finds what the target gets of its credential.
    fn injected(&self) -> Option<&Guard> {
        match &self.resolved {
            Resolved::Proxy(policy) => policy.upstream.as_ref()?.guard.as_deref(),
            Resolved::Admission(_) | Resolved::UnknownProxy | Resolved::Fault => None,
        }
    }
}

fn denial(refusal: &Refusal) -> Option<Denial> {
    match refusal.detail.as_deref()? {
        Detail::Rule { layer, rule_id } => Some(Denial {
            layer: (*layer).to_owned(),
            rule_id: rule_id.clone(),
        }),
        Detail::Soon | Detail::Limit { .. } => None,
    }
}

#[cfg(test)]
mod tests;
