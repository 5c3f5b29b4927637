//! Why a recorded call passed or did not: by its record, and by what its region keeps of the
//! configuration that judged it.

use requestrocket_policy::evaluate::{Effect, InvalidSample, LayerName, SampleLayers};
use requestrocket_policy::recall::{
    FilterRecall, Judged, Judges, LayerRecall, MeterRecall, RecordedCall, recall_meters,
};
use requestrocket_proto::policy::v1 as wire;
use requestrocket_proto::record::v1::{MeterDelta, Pair, Record};
use requestrocket_proto::region::v1::{KeptTerms, Terms, TermsQuery, answer, query};
use uuid::Uuid;

use crate::error::{ApiError, ApiResult};
use crate::region::fleet::{Fleets, Unanswered};

/// Codes of calls that rules let pass and that were answered by us all the same.
const PASSED: [&str; 7] = [
    "RATE_LIMITED",
    "RESPONSE_TOO_LARGE",
    "RESPONSE_NOT_FILTERABLE",
    "TARGET_UNREACHABLE",
    "TARGET_TIMEOUT",
    "TARGET_CREDENTIAL_UNAVAILABLE",
    "",
];

/// A call of a record, whose texts can be lent to the engine.
#[derive(Debug)]
pub struct Recorded {
    record: Record,
    headers: Vec<(String, String)>,
    query: Vec<(String, String)>,
}

/// What can be said of a call.
#[derive(Debug)]
pub struct Explanation {
    /// None: nobody can tell.
    pub effect: Option<Effect>,
    /// Those that there were; none where rules were not asked.
    pub layers: Vec<LayerRecall>,
    /// In the order of their stages; none where the call was not let through.
    pub filters: Vec<FilterRecall>,
    /// The proxy's.
    pub meters: Vec<MeterExplanation>,
}

/// What a meter made of a call.
#[derive(Debug)]
pub struct MeterExplanation {
    /// Which, and whether its conditions held.
    pub recall: MeterRecall,
    /// What was counted, in millionths; none: nobody can tell.
    pub delta_micros: Option<u64>,
}

/// Asks a region under which terms a call was judged; none: they are no longer known.
///
/// # Errors
/// Says why there is no answer.
pub async fn terms(
    fleets: &Fleets,
    region: &str,
    record: &Record,
) -> Result<Option<KeptTerms>, Unanswered> {
    let query = TermsQuery {
        organisation_id: record.organisation_id.clone(),
        proxy_id: record.proxy_id.clone(),
        config_version: record.config_version.clone(),
        credential_id: record.credential_id.clone(),
    };
    let question = query::Kind::Terms(query);
    let answer::Kind::Terms(Terms { kept }) = fleets.ask(region, question).await? else {
        return Err(Unanswered::Unknown);
    };
    Ok(kept)
}

/// What those terms made of a call. Costly: it compiles them.
///
/// # Errors
/// What the region kept does not compile.
pub fn explain(recorded: &Recorded, terms: KeptTerms) -> ApiResult<Explanation> {
    let KeptTerms {
        proxy,
        target,
        target_credential,
        callers,
        meters,
    } = terms;
    let caller = callers.into_iter().next().and_then(|caller| caller.layer);
    let missing: Vec<LayerName> = [
        (LayerName::ProxyCredential, caller.is_none()),
        (LayerName::TargetCredential, target_credential.is_none()),
        (LayerName::Target, target.is_none()),
    ]
    .into_iter()
    .filter_map(|(name, is_missing)| is_missing.then_some(name))
    .collect();
    let layers = SampleLayers {
        proxy_credential: caller.unwrap_or_else(open),
        target_credential: target_credential.unwrap_or_else(open),
        target: target.unwrap_or_else(open),
        proxy: proxy.unwrap_or_else(open),
    };
    let call = recorded.call();
    let judged = recorded.judged();
    let meters = recall_meters(meters, &call).map_err(ApiError::internal)?;
    let meters = meters.into_iter().map(|meter| recorded.metered(meter));
    let meters = meters.collect();
    if !recorded.was_asked() {
        return Ok(Explanation {
            effect: None,
            layers: Vec::new(),
            filters: Vec::new(),
            meters,
        });
    }
    let compiled = Judges::compile(layers);
    let compiled = compiled.map_err(|invalid: InvalidSample| ApiError::internal(invalid))?;
    let recollection = compiled.recall(&call, &judged);
    let is_through = recollection.effect != Some(Effect::Deny);
    let is_there = |layer| !missing.contains(&layer);
    let layers = recollection.layers.into_iter();
    let filters = recollection.filters.into_iter().filter(|_| is_through);
    Ok(Explanation {
        effect: recollection.effect,
        layers: layers.filter(|it| is_there(it.layer)).collect(),
        filters: filters.filter(|it| is_there(it.stage)).collect(),
        meters,
    })
}

/// Stands for a layer whose record was gone.
pub(super) fn open() -> wire::Layer {
    wire::Layer {
        default_effect: wire::Effect::Allow.into(),
        ..wire::Layer::default()
    }
}

impl Recorded {
    /// Of a record.
    #[must_use]
    pub fn new(mut record: Record) -> Self {
        let pairs = |pairs: Vec<Pair>| {
            let pairs = pairs.into_iter();
            pairs.map(|Pair { name, value }| (name, value)).collect()
        };
        Self {
            headers: pairs(std::mem::take(&mut record.headers)),
            query: pairs(std::mem::take(&mut record.query)),
            record,
        }
    }

    /// The record, without headers and parameters.
    #[must_use]
    pub fn record(&self) -> &Record {
        &self.record
    }

    /// As the engine takes it.
    #[must_use]
    pub fn call(&self) -> RecordedCall<'_> {
        RecordedCall {
            method: &self.record.method,
            path: &self.record.path,
            headers: &self.headers,
            query: &self.query,
            has_no_body: self.record.request_bytes == 0,
            has_no_claims: !matches!(&*self.record.auth_type, "jwtVerify" | "oauth2"),
        }
    }

    /// What became of it.
    #[must_use]
    pub fn judged(&self) -> Judged {
        let Record {
            denial,
            code,
            status,
            ..
        } = &self.record;
        let layer = |text: &str| LAYERS.into_iter().find(|layer| layer.as_str() == text);
        if let Some(denial) = denial {
            return match layer(&denial.layer) {
                Some(layer) => Judged::Denied {
                    layer,
                    by: denial.rule_id.clone(),
                },
                None => Judged::Unknown,
            };
        }
        let has_passed = self.record.sent_at_ms.is_some() || PASSED.contains(&code.as_str());
        if has_passed && *status != 0 {
            Judged::Allowed
        } else {
            Judged::Unknown
        }
    }

    /// What rules said, as far as the record tells.
    #[must_use]
    pub fn effect(&self) -> Option<Effect> {
        match self.judged() {
            Judged::Allowed => Some(Effect::Allow),
            Judged::Denied { .. } => Some(Effect::Deny),
            Judged::Unknown => None,
        }
    }

    /// Whether the rules had a say: what came to them had a credential of the proxy's, which was let
    /// in and no refusal before them.
    #[must_use]
    pub fn was_asked(&self) -> bool {
        const BEFORE: [&str; 3] = ["PROXY_INACTIVE", "BILLING_SUSPENDED", "REQUEST_TOO_LARGE"];
        !self.record.credential_id.is_empty() && !BEFORE.contains(&self.record.code.as_str())
    }

    fn metered(&self, recall: MeterRecall) -> MeterExplanation {
        let deltas = self.record.meters.iter();
        let mut deltas = deltas.filter(|MeterDelta { meter_id, .. }| {
            Uuid::from_slice(meter_id).is_ok_and(|id| id == recall.meter_id)
        });
        let delta_micros = deltas.next().map(|delta| delta.micros);
        let is_meant = match delta_micros {
            Some(_) => Some(true),
            None => recall.is_meant,
        };
        let was_let_through =
            self.judged() == Judged::Allowed && self.record.code != "RATE_LIMITED";
        MeterExplanation {
            delta_micros: match (delta_micros, is_meant) {
                (Some(micros), _) => Some(micros),
                (None, Some(false)) => Some(0),
                (None, _) if !was_let_through => Some(0),
                // Its value may have been nothing, or not known when the record was made.
                (None, Some(true) | None) => None,
            },
            recall: MeterRecall { is_meant, ..recall },
        }
    }
}

const LAYERS: [LayerName; 4] = [
    LayerName::ProxyCredential,
    LayerName::TargetCredential,
    LayerName::Target,
    LayerName::Proxy,
];
