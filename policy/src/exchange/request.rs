//! A request: framing, method and path, then credential, then the proxy's state, then rules, then
//! limits and meters, then the swap. What depends on the proxy comes after the credential, so that
//! only its callers learn it; what is counted comes last, so that only admitted calls count.

use std::sync::Arc;

use uuid::Uuid;

use super::{
    RequestBody, Resolved,
    call::Call,
    grant::{Grant, Refused, UsedCredential},
    identify::authenticate,
    passage::{self, Way},
    ports::{Charging, Ports, Question},
    response_edit::SEPARATOR,
    weighed::{Passed, Unweighed, Weighed, rate_limited, weigh},
};
use crate::{
    authz::LayerName,
    denial::{Denial, Detail, Refusal},
    echo::Guard,
    effort::go_through,
    http::{RequestHead, path::Entry},
    id::CredentialId,
    limit::{Charge, NearLimit},
    meter::{Extraction, Meter},
    passage::Sender,
    policy::Policy,
    redact::Stage,
    sign::CannotSign,
    swap::{Edit, Unsigned},
};

/// What the checks say.
pub(super) enum Verdict<'e> {
    Forward(Grant, Vec<Edit<'e>>),
    /// To the region server.
    HandOver(Grant, Vec<Edit<'e>>),
    NeedPolicy,
    /// With the credential that was presented.
    NeedBody(CredentialId),
    Ask(Question),
    Refuse(Refused),
}

/// Why a call does not get on; [`Verdict`] without its good end.
enum Stop {
    NeedBody,
    Ask(Question),
    Refuse(Refusal),
}

impl From<Denial> for Stop {
    fn from(denial: Denial) -> Self {
        Self::Refuse(denial.into())
    }
}

/// A call of one who may use the proxy.
pub(super) struct Begun<'e, 'a> {
    pub(super) policy: &'e Arc<Policy>,
    pub(super) used: UsedCredential,
    pub(super) call: Call<'a>,
}

pub(super) fn judge<'e>(
    resolved: &'e Resolved,
    (head, body): (&RequestHead<'_>, RequestBody<'_>),
    weighed: Option<&Weighed>,
    ports: &dyn Ports,
) -> Verdict<'e> {
    let Begun { policy, used, call } = match begin(resolved, head, ports) {
        Ok(begun) => begun,
        Err(verdict) => return verdict,
    };
    // A head alone is weighed in one go: 48 ms are the most that its patterns may cost.
    let weighed = weighed.cloned().unwrap_or_else(|| {
        let claims = call.claims((policy, used), head, ports);
        let judged = call.judged(head, body, claims.as_deref());
        go_through(weigh(policy, used.0, &judged, head))
    });
    let way = Way::of(head, &call);
    match admit(policy, (used.0, way), weighed, ports) {
        Ok(admitted) if way == Way::In => {
            let claims = call.said((policy.admission(), used), head, ports);
            let sender = Sender {
                credential: used.0,
                claims,
            };
            let mut edits = passage::handed_over(policy.admission(), sender, head, &call);
            edits.extend(admitted.warning());
            let grant = Grant {
                counted: admitted.counted.into(),
                ..Grant::of(Some(used))
            };
            Verdict::HandOver(grant, edits)
        }
        Ok(admitted) => {
            let edits = admitted.edits(policy, used.0, head, &call);
            let ready = edits.and_then(|edits| admitted.sign(policy, edits, (head, &call), ports));
            let mut grant = Grant {
                is_head: call.method == b"HEAD",
                stages: admitted.stages.into(),
                layers: admitted.layers,
                counted: admitted.counted.into(),
                awaited: admitted.awaited.into(),
                warnings: admitted.warnings.into(),
                ..Grant::of(Some(used))
            };
            match ready {
                Ok((edits, guard)) => {
                    grant.guard = guard;
                    Verdict::Forward(grant, edits)
                }
                Err(denial) => Verdict::Refuse(Refused::granted(&grant, denial)),
            }
        }
        Err(Stop::NeedBody) => Verdict::NeedBody(used.0),
        Err(Stop::Ask(question)) => Verdict::Ask(question),
        Err(Stop::Refuse(refusal)) => Verdict::Refuse(Refused {
            credential: Some(used),
            counted: Box::default(),
            refusal,
        }),
    }
}

pub(super) fn begin<'e, 'a>(
    resolved: &'e Resolved,
    head: &RequestHead<'a>,
    ports: &dyn Ports,
) -> Result<Begun<'e, 'a>, Verdict<'e>> {
    let unknown = |denial| Verdict::Refuse(Refused::unknown(denial));
    // Before the credential: what can be read in two ways is refused whatever the proxy is.
    let call = Call::parse(head).map_err(unknown)?;
    let used = authenticate(resolved, (head, &call), ports);
    let entry = call.path.entry;
    let used = used.map_err(|denial| unknown(passage::told(entry, denial)))?;
    if entry == Entry::Requests {
        let handed_over = passage::question(resolved, used, (head, &call), ports);
        return Err(match handed_over {
            Ok((grant, edits)) => Verdict::HandOver(grant, edits),
            Err(refused) => Verdict::Refuse(refused),
        });
    }
    match resolved {
        Resolved::Proxy(policy) => Ok(Begun { policy, used, call }),
        Resolved::Admission(_) | Resolved::UnknownProxy | Resolved::Fault => {
            Err(Verdict::NeedPolicy)
        }
    }
}

impl From<Unweighed> for Stop {
    fn from(unweighed: Unweighed) -> Self {
        match unweighed {
            Unweighed::NeedBody => Self::NeedBody,
            Unweighed::Refuse(refusal) => Self::Refuse(refusal),
        }
    }
}

/// The edits of a request, and what finds in its response what they put on it.
type Ready<'e> = (Vec<Edit<'e>>, Option<Arc<Guard>>);

/// What an authenticated call got past, and what follows for its response.
struct Admitted {
    stages: Vec<Stage>,
    layers: [Option<LayerName>; 4],
    counted: Vec<usize>,
    awaited: Vec<usize>,
    warnings: Vec<String>,
    body_sha256: Option<[u8; 32]>,
}

fn admit(
    policy: &Policy,
    (used, way): (CredentialId, Way),
    weighed: Weighed,
    ports: &dyn Ports,
) -> Result<Admitted, Stop> {
    let Passed {
        stages,
        layers,
        metered,
        body_sha256,
    } = weighed?;
    let upstream = policy.upstream.as_ref().ok_or(Denial::ProxyIncomplete)?;
    // After all that is asked of the caller. Closures, because the clock is a call of the host. What
    // is made later needs the target credential later.
    let is_sent_now = way != Way::In;
    if is_sent_now && !upstream.availability.holds(&|| ports.now_ms()) {
        return Err(Denial::TargetCredentialUnavailable.into());
    }
    if is_sent_now && !upstream.serves(|| ports.now_ms()) {
        return Err(Stop::Refuse(Refusal {
            denial: Denial::TargetCredentialUnavailable,
            detail: Some(Box::new(Detail::Soon)),
        }));
    }
    if !ports.has_room(policy.admission.holder(Some(used))) {
        return Err(Denial::Overloaded.into());
    }
    // It was counted when it came.
    let is_counted = way != Way::Out;
    let near = if is_counted {
        charge(policy, used, &metered, ports)?
    } else {
        Vec::new()
    };
    let awaits = |place: &usize| policy.meters.get(*place).is_some_and(Meter::awaits_value);
    let (awaited, mut counted): (Vec<_>, Vec<_>) = metered.into_iter().partition(awaits);
    counted.retain(|_| is_counted);
    Ok(Admitted {
        stages,
        layers,
        counted,
        awaited,
        warnings: near.iter().map(ToString::to_string).collect(),
        body_sha256,
    })
}

/// Counts the call where it counts, if every limit has room.
fn charge(
    policy: &Policy,
    used: CredentialId,
    metered: &[usize],
    ports: &dyn Ports,
) -> Result<Vec<NearLimit>, Stop> {
    let proxy = *policy.admission.names.id.as_uuid();
    let plan = policy.caller(used).and_then(|caller| caller.plan.as_ref());
    let plan = plan.map(|charge| (*used.as_uuid(), charge));
    let own = policy.charge.as_ref().map(|charge| (proxy, charge));
    let meters = metered.iter().filter_map(|place| policy.meters.get(*place));
    let charges: Vec<(Uuid, &Charge)> = plan
        .into_iter()
        .chain(own)
        .chain(meters.map(|meter| (proxy, &meter.charge)))
        .collect();
    if charges.is_empty() {
        return Ok(Vec::new());
    }
    match ports.charge(&charges) {
        Charging::Admitted(near) => Ok(near),
        Charging::Ask(question) => Err(Stop::Ask(question)),
        Charging::Exceeded(exceeded) => Err(Stop::Refuse(rate_limited(&exceeded))),
        Charging::Fault => Err(Denial::GatewayFault.into()),
    }
}

impl Admitted {
    /// The edits that make the caller's request the target's.
    fn edits<'e>(
        &self,
        policy: &'e Policy,
        used: CredentialId,
        head: &RequestHead<'_>,
        call: &Call<'_>,
    ) -> Result<Vec<Edit<'e>>, Denial> {
        /// Headers that tell a lenient target another method than rules saw.
        const OVERRIDES: [&str; 3] = [
            "x-http-method-override",
            "x-http-method",
            "x-method-override",
        ];
        /// What would bring a response, or a part of one, that cannot be read.
        const PARTIAL: [&str; 3] = ["range", "if-range", "accept-encoding"];
        let upstream = policy.upstream.as_ref().ok_or(Denial::ProxyIncomplete)?;
        let mut edits = upstream.edits(head, &call.path, (call.raw, call.query));
        let mut remove = |names: [&'static str; 3]| {
            let sent = names.into_iter().flat_map(|name| head.spellings(name));
            edits.extend(sent.map(Edit::RemoveHeader));
        };
        let layers = policy.layers(used).ok_or(Denial::ProxyIncomplete)?;
        if layers.name_methods() || policy.meters.name_methods() {
            remove(OVERRIDES);
        }
        if !self.stages.is_empty() || self.meters_body(policy) {
            remove(PARTIAL);
        }
        edits.extend(self.warning());
        Ok(edits)
    }

    fn warning(&self) -> Option<Edit<'static>> {
        let is_any = !self.warnings.is_empty();
        is_any.then(|| Edit::Warn(self.warnings.join(SEPARATOR)))
    }

    /// Adds what is computed over the request as those edits leave it.
    fn sign<'e>(
        &self,
        policy: &'e Policy,
        mut edits: Vec<Edit<'e>>,
        (head, call): (&RequestHead<'_>, &Call<'_>),
        ports: &dyn Ports,
    ) -> Result<Ready<'e>, Denial> {
        let upstream = policy.upstream.as_ref().ok_or(Denial::ProxyIncomplete)?;
        let mut echoed = Vec::new();
        if upstream.computed.is_some() {
            let unsigned = Unsigned {
                head,
                method: call.method,
                raw: call.raw,
                body_sha256: self.body_sha256,
                now_ms: ports.now_ms(),
            };
            let signed = upstream.sign(&unsigned, &mut edits, ports);
            echoed = signed.map_err(|CannotSign| Denial::TargetCredentialUnavailable)?;
        }
        Ok((edits, upstream.guard(echoed)))
    }

    /// Whether a meter waits for a value in the body, which callers must not keep from it.
    fn meters_body(&self, policy: &Policy) -> bool {
        let mut meters = self
            .awaited
            .iter()
            .filter_map(|place| policy.meters.get(*place));
        meters.any(|meter| matches!(meter.extraction, Extraction::Body(_)))
    }
}
