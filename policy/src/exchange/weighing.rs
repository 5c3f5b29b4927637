//! What rules and meters say of an authenticated request: at once, or with its whole body in turns.

use std::{rc::Rc, sync::Arc};

use super::{
    RequestBody, Resolved,
    ports::Ports,
    request::{Begun, Call, begin},
};
use crate::{
    authz::{self, DecidedBy, DeniedBy, LayerName},
    denial::{Denial, Detail, Refusal},
    effort::{InTurns, TURN_STEPS, Turn},
    http::{HeaderLine, RequestHead},
    id::CredentialId,
    memory::{self, TURN_BYTES},
    meter::Metered,
    policy::{Policy, Standing},
    redact::Stage,
    swap::Upstream,
};

/// Meters are the proxy's own; of a body that cannot be read nobody knows what to count.
const UNREADABLE: DeniedBy = DeniedBy {
    layer: LayerName::Proxy,
    by: DecidedBy::UnreadableBody,
};

/// What the rules and meters say of an authenticated call.
pub(super) type Weighed = Result<Passed, Unweighed>;

/// It got past the rules.
#[derive(Clone, Debug)]
pub(super) struct Passed {
    pub(super) stages: Vec<Stage>,
    /// The meters that count it, by place.
    pub(super) metered: Vec<usize>,
    /// Of the body, where the target credential signs it.
    pub(super) body_sha256: Option<[u8; 32]>,
}

/// It did not.
#[derive(Clone, Debug)]
pub(super) enum Unweighed {
    NeedBody,
    Refuse(Refusal),
}

impl From<Denial> for Unweighed {
    fn from(denial: Denial) -> Self {
        Self::Refuse(denial.into())
    }
}

/// How far a request with its whole body is.
#[derive(Debug)]
pub(super) enum Weighing {
    InTurns(InTurns<Weighed>),
    Done(Weighed),
}

impl Weighing {
    /// Nothing is done yet. None: rules and meters are not asked.
    pub(super) fn new(
        resolved: &Resolved,
        request: (&RequestHead<'_>, Rc<Vec<u8>>),
        ports: &dyn Ports,
    ) -> Option<Self> {
        let work = weigh_in_turns(resolved, request, ports)?;
        Some(Self::InTurns(InTurns::new(work)))
    }

    /// Goes on as far as the turn goes. Says whether it is done: so it is, too, when there is no
    /// memory for it.
    pub(super) fn go_on(&mut self, turn: &mut Turn) -> bool {
        if memory::ask(TURN_BYTES).is_err() {
            *self = Self::Done(Err(Denial::Overloaded.into()));
        }
        if let Self::InTurns(work) = self
            && let Some(weighed) = work.go_on(turn)
        {
            *self = Self::Done(weighed);
        }
        self.weighed().is_some()
    }

    pub(super) fn weighed(&self) -> Option<&Weighed> {
        match self {
            Self::InTurns(_) => None,
            Self::Done(weighed) => Some(weighed),
        }
    }
}

fn weigh_in_turns(
    resolved: &Resolved,
    (head, body): (&RequestHead<'_>, Rc<Vec<u8>>),
    ports: &dyn Ports,
) -> Option<impl Future<Output = (Weighed, u64)> + use<>> {
    let Begun { policy, used, .. } = begin(resolved, head, ports).ok()?;
    let policy = Arc::clone(policy);
    let holder = policy.admission.holder(Some(used.0));
    let lines: Vec<(Vec<u8>, Vec<u8>)> = head
        .lines
        .iter()
        .map(|(name, value)| (name.to_vec(), value.to_vec()))
        .collect();
    Some(async move {
        let lines: Vec<HeaderLine<'_>> = lines
            .iter()
            .map(|(name, value)| (name.as_slice(), value.as_slice()))
            .collect();
        let head = RequestHead::new(&lines);
        let call = match Call::parse(&head) {
            Ok(call) => call,
            Err(denial) => return (Err(denial.into()), 0),
        };
        let claims = call.claims(&policy, used, &head);
        let judged = call.judged(&head, RequestBody::Whole(&body), claims.as_deref());
        let judged = judged.in_turns_of(TURN_STEPS).held_by(holder);
        let mut weighed = weigh(&policy, used.0, &judged, &head).await;
        if judged.lacks_memory() {
            weighed = Err(Denial::Overloaded.into());
        }
        (weighed, judged.spent_in_turn())
    })
}

/// The rules first, then what follows for the response, then the meters, then what is signed.
pub(super) async fn weigh(
    policy: &Policy,
    used: CredentialId,
    judged: &authz::Call<'_>,
    head: &RequestHead<'_>,
) -> Weighed {
    match policy.standing {
        Standing::Active => {}
        Standing::Inactive => return Err(Denial::ProxyInactive.into()),
        Standing::Suspended => return Err(Denial::BillingSuspended.into()),
    }
    let layers = policy.layers(used).ok_or(Denial::ProxyIncomplete)?;
    match layers.decide_in_turns(judged).await {
        authz::Decision::Allowed => {}
        authz::Decision::Denied(by) => return Err(Unweighed::Refuse(rule_denied(by))),
        authz::Decision::NeedsBody => return Err(Unweighed::NeedBody),
    }
    let stages = stages(layers, judged).await;
    if !stages.is_empty() && head.count("upgrade") > 0 {
        return Err(Denial::ResponseNotFilterable.into());
    }
    let metered = match policy.meters.of(judged).await {
        Metered::By(metered) => metered,
        Metered::NeedsBody => return Err(Unweighed::NeedBody),
        Metered::Unreadable => return Err(Unweighed::Refuse(rule_denied(UNREADABLE))),
    };
    let is_signed = policy.upstream.as_ref().is_some_and(Upstream::signs_body);
    let body_sha256 = if is_signed {
        Some(judged.body_sha256().await.ok_or(Unweighed::NeedBody)?)
    } else {
        None
    };
    Ok(Passed {
        stages,
        metered,
        body_sha256,
    })
}

/// From the target outwards: its credential, itself, the caller's credential, the proxy. Stages without
/// a filter for this call are left out.
async fn stages(layers: authz::Layers<'_>, call: &authz::Call<'_>) -> Vec<Stage> {
    let order = [
        layers.target_credential,
        layers.target,
        layers.proxy_credential,
        layers.proxy,
    ];
    let mut stages = Vec::new();
    for layer in order {
        let redactions = layer.redactions_in_turns(call).await;
        if !redactions.is_empty() {
            let filters = redactions.into_iter();
            let filters = filters.map(|redaction| redaction.filter.clone()).collect();
            stages.push(Stage { filters });
        }
    }
    stages
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
