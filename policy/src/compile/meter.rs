//! Limits and meters.

use requestrocket_proto::policy::v1::{self as wire, meter::Extraction as WireExtraction};
use uuid::Uuid;

use super::{
    Supply,
    conditions::{ConditionsCompiler, InvalidConditions},
    weight::TooHeavy,
};
use crate::{
    id::{InvalidId, MeterId},
    json::path::InvalidJsonPath,
    limit::{Adds, Charge, Counter, CounterKind, Limits, Window},
    meter::{Extraction, Meter, Meters},
};

/// Meters of one proxy.
pub const MAX_METERS: usize = 50;
/// Longest name of a response header.
const MAX_HEADER_NAME_BYTES: usize = 256;

/// Not meters.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidMeters {
    /// More than [`MAX_METERS`].
    #[error("more than {MAX_METERS} meters")]
    TooMany,
    /// One of `meters`.
    #[error("meter {position}: {source}")]
    Meter {
        /// Place in the list, from 0.
        position: usize,
        /// What is wrong with it.
        source: InvalidMeter,
    },
    /// With what was compiled before.
    #[error(transparent)]
    TooHeavy(#[from] TooHeavy),
}

/// Not a meter.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidMeter {
    /// `meter_id`.
    #[error(transparent)]
    Id(#[from] InvalidId),
    /// `body_path`.
    #[error(transparent)]
    Path(#[from] InvalidJsonPath),
    /// `header_name`.
    #[error("not the name of a header")]
    HeaderName,
    /// `conditions`.
    #[error(transparent)]
    Conditions(#[from] InvalidConditions),
    /// A limit is 0.
    #[error(transparent)]
    Limit(#[from] InvalidLimit),
}

/// A limit of 0 would refuse every call, which nobody asks for in this way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("limit of a {} must not be 0", .0.name())]
pub struct InvalidLimit(pub Window);

/// What a proxy's meters weigh if they compile, as [`check_layer`](super::check_layer) says it of
/// a layer.
pub fn check_meters(meters: Vec<wire::Meter>) -> Result<usize, InvalidMeters> {
    let mut supply = Supply::default();
    compile_all(meters, &mut supply)?;
    Ok(supply.weight.get())
}

/// Compiles a proxy's meters by themselves.
#[cfg(any(feature = "explain", test))]
pub(crate) fn compile_alone(meters: Vec<wire::Meter>) -> Result<Meters, InvalidMeters> {
    compile_all(meters, &mut Supply::default())
}

pub(super) fn compile_all(
    meters: Vec<wire::Meter>,
    supply: &mut Supply,
) -> Result<Meters, InvalidMeters> {
    supply.weight.add_messages(&meters)?;
    if meters.len() > MAX_METERS {
        return Err(InvalidMeters::TooMany);
    }
    let mut compiler = ConditionsCompiler::new(&supply.pool);
    let numbered = meters.into_iter().enumerate();
    let meters = numbered.map(|(position, meter)| {
        compile(meter, &mut compiler).map_err(|source| InvalidMeters::Meter { position, source })
    });
    let meters = meters.collect::<Result<_, _>>()?;
    supply.weight.add(compiler.pattern_bytes())?;
    Ok(Meters::new(meters, compiler.finish()))
}

fn compile(
    meter: wire::Meter,
    compiler: &mut ConditionsCompiler<'_>,
) -> Result<Meter, InvalidMeter> {
    let wire::Meter {
        meter_id,
        conditions,
        limits: ceilings,
        extraction,
    } = meter;
    let id: MeterId = meter_id.parse()?;
    let extraction = match extraction {
        None => Extraction::Count,
        Some(WireExtraction::BodyPath(path)) => Extraction::Body(compiler.pool().path(&path)?),
        Some(WireExtraction::HeaderName(name)) => Extraction::Header(header_name(&name)?),
    };
    let adds = match extraction {
        Extraction::Count => Adds::One,
        Extraction::Header(_) | Extraction::Body(_) => Adds::Value,
    };
    let counter = Counter {
        kind: CounterKind::Meter,
        id: *id.as_uuid(),
    };
    Ok(Meter {
        charge: Charge {
            counter,
            limits: limits(ceilings)?,
            adds,
        },
        extraction,
        conditions: compiler.compile(conditions)?,
    })
}

fn header_name(name: &str) -> Result<Box<str>, InvalidMeter> {
    let is_token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    if (1..=MAX_HEADER_NAME_BYTES).contains(&name.len()) && name.bytes().all(is_token) {
        Ok(name.to_ascii_lowercase().into())
    } else {
        Err(InvalidMeter::HeaderName)
    }
}

/// What counts each call of a credential or a proxy; none when there is no limit.
pub(super) fn charge(
    kind: CounterKind,
    id: Uuid,
    ceilings: Option<wire::Limits>,
) -> Result<Option<Charge>, InvalidLimit> {
    let limits = limits(ceilings)?;
    let has_any = limits.iter().any(|(_, limit)| limit.is_some());
    Ok(has_any.then_some(Charge {
        counter: Counter { kind, id },
        limits,
        adds: Adds::One,
    }))
}

fn limits(ceilings: Option<wire::Limits>) -> Result<Limits, InvalidLimit> {
    let wire::Limits {
        minute,
        hour,
        day,
        month,
    } = ceilings.unwrap_or_default();
    let limits = Limits {
        minute,
        hour,
        day,
        month,
    };
    match limits.iter().find(|(_, limit)| **limit == Some(0)) {
        Some((window, _)) => Err(InvalidLimit(window)),
        None => Ok(limits),
    }
}
