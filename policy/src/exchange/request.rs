//! A request: framing, method and path, then credential, then the proxy's state, then rules, then
//! limits and meters, then the swap. What depends on the proxy comes after the credential, so that
//! only its callers learn it; what is counted comes last, so that only admitted calls count.

use uuid::Uuid;

use super::{
    RequestBody, Resolved,
    grant::{Grant, Refused, UsedCredential},
    ports::{Charging, Ports, Question},
    response::SEPARATOR,
};
use crate::{
    access::Caller,
    authn::{self, Presented},
    authz::{self, DecidedBy, DeniedBy, LayerName},
    denial::{Denial, Detail, Refusal},
    http::{ALLOWED_METHODS, Lines, RequestHead, path::CallPath, query::is_sendable},
    id::CredentialId,
    limit::{Charge, Exceeded, NearLimit},
    meter::{Extraction, Meter, Metered},
    policy::{Policy, Standing},
    redact::Stage,
    swap::Edit,
};

/// Meters are the proxy's own; of a body that cannot be read nobody knows what to count.
const UNREADABLE: DeniedBy = DeniedBy {
    layer: LayerName::Proxy,
    by: DecidedBy::UnreadableBody,
};

/// What the checks say.
pub(super) enum Verdict<'e> {
    Forward(Grant, Vec<Edit<'e>>),
    NeedPolicy,
    NeedBody,
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
struct Call<'a> {
    method: &'a [u8],
    /// `:path` as sent.
    raw: &'a [u8],
    path: CallPath<'a>,
    query: Option<&'a [u8]>,
}

pub(super) fn judge<'e>(
    resolved: &'e Resolved,
    request: (&RequestHead<'_>, RequestBody<'_>),
    ports: &dyn Ports,
) -> Verdict<'e> {
    let (head, _) = request;
    let call = match Call::parse(head) {
        Ok(call) => call,
        Err(denial) => return Verdict::Refuse(Refused::unknown(denial)),
    };
    let presented = authn::presented(head, call.query);
    let used = match authenticate(resolved, &call, &presented, ports) {
        Ok(used) => used,
        Err(denial) => return Verdict::Refuse(Refused::unknown(denial)),
    };
    let Resolved::Proxy(policy) = resolved else {
        return Verdict::NeedPolicy;
    };
    match admit(policy, used.0, (&call, request), ports) {
        Ok(admitted) => {
            let edits = admitted.edits(policy, head, &call);
            let grant = Grant {
                credential: Some(used),
                is_head: call.method == b"HEAD",
                stages: admitted.stages,
                awaited: admitted.awaited,
                warnings: admitted.warnings,
            };
            match edits {
                Ok(edits) => Verdict::Forward(grant, edits),
                Err(denial) => Verdict::Refuse(Refused::granted(&grant, denial)),
            }
        }
        Err(Stop::NeedBody) => Verdict::NeedBody,
        Err(Stop::Ask(question)) => Verdict::Ask(question),
        Err(Stop::Refuse(refusal)) => Verdict::Refuse(Refused {
            credential: Some(used),
            refusal,
        }),
    }
}

/// What an authenticated call got past, and what follows for its response.
struct Admitted<'e> {
    layers: authz::Layers<'e>,
    stages: Vec<Stage>,
    awaited: Vec<usize>,
    warnings: Vec<String>,
}

fn admit<'e>(
    policy: &'e Policy,
    used: CredentialId,
    (call, (head, body)): (&Call<'_>, (&RequestHead<'_>, RequestBody<'_>)),
    ports: &dyn Ports,
) -> Result<Admitted<'e>, Stop> {
    match policy.standing {
        Standing::Active => {}
        Standing::Inactive => return Err(Denial::ProxyInactive.into()),
        Standing::Suspended => return Err(Denial::BillingSuspended.into()),
    }
    let layers = policy.layers(used).ok_or(Denial::ProxyIncomplete)?;
    let path = call.path.target_path();
    let judged = authz::Call::new(call.method, path, call.query, head.lines);
    let judged = match body {
        RequestBody::Unread => judged,
        RequestBody::Whole(bytes) => judged.with_body(bytes),
    };
    match layers.decide(&judged) {
        authz::Decision::Allowed => {}
        authz::Decision::Denied(by) => return Err(Stop::Refuse(rule_denied(by))),
        authz::Decision::NeedsBody => return Err(Stop::NeedBody),
    }
    let stages = stages(layers, &judged);
    if !stages.is_empty() && head.count("upgrade") > 0 {
        return Err(Denial::ResponseNotFilterable.into());
    }
    let metered = match policy.meters.of(&judged) {
        Metered::By(places) => places,
        Metered::NeedsBody => return Err(Stop::NeedBody),
        Metered::Unreadable => return Err(Stop::Refuse(rule_denied(UNREADABLE))),
    };
    let caller = Caller {
        proxy: policy.admission.names.id,
        credential: used,
    };
    if !ports.has_room(caller) {
        return Err(Denial::Overloaded.into());
    }
    let near = charge(policy, used, &metered, ports)?;
    let mut awaited = metered;
    awaited.retain(|place| policy.meters.get(*place).is_some_and(Meter::awaits_value));
    Ok(Admitted {
        layers,
        stages,
        awaited,
        warnings: near.iter().map(ToString::to_string).collect(),
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

/// In the order of product.md §6; stages without a filter for this call are left out.
fn stages(layers: authz::Layers<'_>, call: &authz::Call<'_>) -> Vec<Stage> {
    let order = [
        layers.target_credential,
        layers.target,
        layers.proxy_credential,
        layers.proxy,
    ];
    let of = |layer: &authz::Layer| Stage {
        filters: layer
            .redactions_for(call)
            .map(|redaction| redaction.filter.clone())
            .collect(),
    };
    let all = order.into_iter().map(of);
    all.filter(|stage| !stage.is_empty()).collect()
}

fn rule_denied(DeniedBy { layer, by }: DeniedBy) -> Refusal {
    let detail = Detail::Rule {
        layer: layer.as_str(),
        rule_id: by.to_string(),
    };
    Refusal {
        denial: Denial::RuleDenied,
        detail: Some(Box::new(detail)),
    }
}

fn rate_limited(exceeded: &Exceeded) -> Refusal {
    let Some(decisive) = exceeded.decisive() else {
        return Denial::GatewayFault.into();
    };
    let detail = Detail::Limit {
        meter: decisive.counter.name(),
        window: decisive.window.name(),
        retry_after: exceeded.retry_after_seconds(),
        policy: exceeded.policy_field(),
        state: exceeded.limit_field(),
    };
    Refusal {
        denial: Denial::RateLimited,
        detail: Some(Box::new(detail)),
    }
}

impl Admitted<'_> {
    /// The edits that make the caller's request the target's.
    fn edits<'e>(
        &self,
        policy: &'e Policy,
        head: &RequestHead<'_>,
        call: &Call<'_>,
    ) -> Result<Vec<Edit<'e>>, Denial> {
        /// Headers by which a lenient target could be told another method than rules saw; it may
        /// take `_` for `-`, as all that is done by name does.
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
        if self.layers.name_methods() || policy.meters.name_methods() {
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

    /// Whether a meter waits for a value in the response's body, which the caller must not be able
    /// to keep from it.
    fn meters_body(&self, policy: &Policy) -> bool {
        let mut meters = self
            .awaited
            .iter()
            .filter_map(|place| policy.meters.get(*place));
        meters.any(|meter| matches!(meter.extraction, Extraction::Body(_)))
    }
}

impl<'a> Call<'a> {
    fn parse(head: &RequestHead<'a>) -> Result<Self, Denial> {
        let Lines::One(method) = head.method else {
            return Err(Denial::BadRequest);
        };
        // Envoy joins several Host lines with a comma, which no authority holds.
        match head.authority {
            Lines::None => {}
            Lines::One(authority) if !authority.contains(&b',') => {}
            Lines::One(_) | Lines::Several => return Err(Denial::BadRequest),
        }
        if !ALLOWED_METHODS
            .iter()
            .any(|allowed| allowed.as_bytes() == method)
        {
            return Err(Denial::MethodNotAllowed);
        }
        // Only CONNECT comes without a path.
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
    let now_ms = || ports.now_ms();
    authn::verify(
        &admission.credentials,
        &admission.digest_key,
        value,
        &now_ms,
    )
    .ok_or(Denial::CredentialInvalid)
}
