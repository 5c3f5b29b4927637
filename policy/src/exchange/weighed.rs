//! What rules and meters say of an authenticated request.

use crate::{
    authz::{self, DecidedBy, DeniedBy, LayerName},
    denial::{Denial, Detail, Refusal},
    http::RequestHead,
    id::CredentialId,
    limit::Exceeded,
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
    /// Of each stage.
    pub(super) layers: [Option<LayerName>; 4],
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
    let (layers, stages) = stages(layers, judged).await;
    // What follows a switch of protocols is no body that could be redacted.
    if !stages.is_empty() && head.count("upgrade") > 0 {
        return Err(Denial::ResponseNotFilterable.into());
    }
    let metered = match policy.meters.of(judged).await {
        Metered::By(metered) => metered,
        Metered::NeedsBody => return Err(Unweighed::NeedBody),
        Metered::Unreadable => return Err(Unweighed::Refuse(rule_denied(UNREADABLE))),
    };
    // Last, so that a body is held only for a call that got past all else.
    let is_signed = policy.upstream.as_ref().is_some_and(Upstream::signs_body);
    let body_sha256 = if is_signed {
        Some(judged.body_sha256().await.ok_or(Unweighed::NeedBody)?)
    } else {
        None
    };
    Ok(Passed {
        stages,
        layers,
        metered,
        body_sha256,
    })
}

/// From the target outwards: its credential, itself, the caller's credential, the proxy. Stages without
/// a filter for this call are left out.
async fn stages(
    layers: authz::Layers<'_>,
    call: &authz::Call<'_>,
) -> ([Option<LayerName>; 4], Vec<Stage>) {
    let order = [
        (LayerName::TargetCredential, layers.target_credential),
        (LayerName::Target, layers.target),
        (LayerName::ProxyCredential, layers.proxy_credential),
        (LayerName::Proxy, layers.proxy),
    ];
    let (mut names, mut stages) = ([None; 4], Vec::new());
    for (name, layer) in order {
        let redactions = layer.redactions_in_turns(call).await;
        if !redactions.is_empty() {
            let filters = redactions.into_iter();
            let filters = filters.map(|redaction| redaction.filter.clone()).collect();
            if let Some(place) = names.get_mut(stages.len()) {
                *place = Some(name);
            }
            stages.push(Stage { filters });
        }
    }
    (names, stages)
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

/// Of a call for which a limit has no room.
pub(super) fn rate_limited(exceeded: &Exceeded) -> Refusal {
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
