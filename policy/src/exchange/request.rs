//! A request: framing, method and path, then credential, then the proxy's state, then rules, then
//! limits and meters, then the swap. What depends on the proxy comes after the credential, so that
//! only its callers learn it; what is counted comes last, so that only admitted calls count.

use std::sync::Arc;

use uuid::Uuid;

use super::{
    RequestBody, Resolved,
    grant::{Grant, Refused, UsedCredential},
    ports::{Charging, Ports, Question},
    response_edit::SEPARATOR,
    weighed::{Passed, Unweighed, Weighed, rate_limited, weigh},
};
use crate::{
    authn::{self, Presented, Unverified},
    authz::{self, LayerName},
    denial::{Denial, Detail, Refusal},
    echo::Guard,
    effort::go_through,
    http::{ALLOWED_METHODS, Lines, RequestHead, path::CallPath, query::is_sendable},
    id::CredentialId,
    limit::{Charge, NearLimit},
    meter::{Extraction, Meter},
    policy::Policy,
    redact::Stage,
    sign::CannotSign,
    swap::{Edit, Unsigned},
};

/// What the checks say.
pub(super) enum Verdict<'e> {
    Forward(Grant, Vec<Edit<'e>>),
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

/// A head whose framing and path are in order, whatever the proxy.
pub(super) struct Call<'a> {
    method: &'a [u8],
    /// `:path` as sent.
    raw: &'a [u8],
    path: CallPath<'a>,
    pub(super) query: Option<&'a [u8]>,
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
    match admit(policy, used.0, weighed, ports) {
        Ok(admitted) => {
            let edits = admitted.edits(policy, used.0, head, &call);
            let ready = edits.and_then(|edits| admitted.sign(policy, edits, (head, &call), ports));
            let mut grant = Grant {
                credential: Some(used),
                is_head: call.method == b"HEAD",
                stages: admitted.stages.into(),
                layers: admitted.layers,
                counted: admitted.counted.into(),
                awaited: admitted.awaited.into(),
                warnings: admitted.warnings.into(),
                guard: None,
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
    let presented = authn::presented(head, call.query);
    let used = authenticate(resolved, &call, &presented, ports).map_err(unknown)?;
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
    used: CredentialId,
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
    // After all that is asked of the caller. Closures, because the clock is a call of the host.
    if !upstream.availability.holds(&|| ports.now_ms()) {
        return Err(Denial::TargetCredentialUnavailable.into());
    }
    if !upstream.serves(|| ports.now_ms()) {
        return Err(Stop::Refuse(Refusal {
            denial: Denial::TargetCredentialUnavailable,
            detail: Some(Box::new(Detail::Soon)),
        }));
    }
    if !ports.has_room(policy.admission.holder(Some(used))) {
        return Err(Denial::Overloaded.into());
    }
    let near = charge(policy, used, &metered, ports)?;
    let awaits = |place: &usize| policy.meters.get(*place).is_some_and(Meter::awaits_value);
    let (awaited, counted) = metered.into_iter().partition(awaits);
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
        if !self.warnings.is_empty() {
            edits.push(Edit::Warn(self.warnings.join(SEPARATOR)));
        }
        Ok(edits)
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

impl<'a> Call<'a> {
    /// As rules and meters see it.
    pub(super) fn judged<'c>(
        &'c self,
        head: &RequestHead<'c>,
        body: RequestBody<'c>,
        claims: Option<&'c str>,
    ) -> authz::Call<'c> {
        let path = self.path.target_path();
        let mut judged = authz::Call::new(self.method, path, self.query, head.lines);
        if let Some(claims) = claims {
            judged = judged.with_claims(claims);
        }
        match body {
            RequestBody::Unread => judged,
            RequestBody::Whole(bytes) => judged.with_body(bytes),
        }
    }

    pub(super) fn parse(head: &RequestHead<'a>) -> Result<Self, Denial> {
        let Lines::One(method) = head.method else {
            return Err(Denial::BadRequest);
        };
        // Envoy joins several Host lines with a comma, which no authority holds.
        match head.authority {
            Lines::None => {}
            Lines::One(authority) if !authority.contains(&b',') => {}
            Lines::One(_) | Lines::Several => return Err(Denial::BadRequest),
        }
        // Before the path: CONNECT has none, and is 405.
        if !ALLOWED_METHODS
            .iter()
            .any(|allowed| allowed.as_bytes() == method)
        {
            return Err(Denial::MethodNotAllowed);
        }
        let Lines::One(raw) = head.path else {
            return Err(Denial::BadRequest);
        };
        let (path, query) = split_query(raw);
        let path = CallPath::parse(path).map_err(|_| Denial::PathAmbiguous)?;
        if !is_sendable(query.unwrap_or_default()) {
            return Err(Denial::BadRequest);
        }
        Ok(Self {
            method,
            raw,
            path,
            query,
        })
    }
}

fn split_query(raw: &[u8]) -> (&[u8], Option<&[u8]>) {
    match raw.iter().position(|&byte| byte == b'?') {
        Some(at) => (raw.get(..at).unwrap_or_default(), raw.get(at + 1..)),
        None => (raw, None),
    }
}

fn authenticate(
    resolved: &Resolved,
    call: &Call<'_>,
    presented: &Presented<'_>,
    ports: &dyn Ports,
) -> Result<UsedCredential, Denial> {
    let value = match presented {
        Presented::Missing => return Err(Denial::CredentialMissing),
        Presented::Several => return Err(Denial::CredentialInvalid),
        Presented::Header(value) => *value,
        Presented::Query(value) => value.expose(),
    };
    let admission = match resolved {
        Resolved::Proxy(policy) => &policy.admission,
        Resolved::Admission(admission) => admission,
        Resolved::UnknownProxy => {
            authn::refuse_unknown(value);
            return Err(Denial::CredentialInvalid);
        }
        Resolved::Fault => return Err(Denial::GatewayFault),
    };
    // The route was chosen by Envoy; the path is what the caller asked for.
    if !call
        .path
        .proxy
        .is_some_and(|segment| admission.names.contain(segment))
    {
        authn::refuse_unknown(value);
        return Err(Denial::CredentialInvalid);
    }
    let verified = authn::verify(&admission.credentials, &admission.digest_key, value, ports);
    verified.map_err(|unverified| match unverified {
        Unverified::Wrong => Denial::CredentialInvalid,
        Unverified::Unknown => Denial::CredentialCheckUnavailable,
    })
}
