//! Compiling a policy a little at a time, so that whoever does it can do other things between.

use std::{collections::btree_set, sync::Arc};

use prost::Message as _;
use requestrocket_proto::policy::v1 as wire;

use super::{
    InvalidPolicy,
    pool::{Part, Pool, parts},
    weight::{MAX_ENCODED_BYTES, Weight},
};
use crate::{admission::Admission, policy::Policy};

/// A policy that is being compiled.
#[derive(Debug)]
pub struct Compilation {
    admission: Arc<Admission>,
    stage: Stage,
}

#[derive(Debug)]
enum Stage {
    Encoded(Vec<u8>),
    Decoded(Box<wire::ProxyPolicy>),
    /// Some parts are compiled.
    Parts {
        policy: Box<wire::ProxyPolicy>,
        left: btree_set::IntoIter<Part>,
        pool: Pool,
        weight: Weight,
    },
    Done,
}

/// What a step costs: bytes of compiled patterns, or as much other work. The part that exceeds it
/// is compiled to its end.
const STEP: usize = 128 << 10;

/// What is no longer than this is decoded and put together beside other steps.
const SHORT_BYTES: usize = 16 << 10;

impl Policy {
    /// Compiles an encoded `requestrocket.policy.v1.ProxyPolicy`, decrypting what it needs.
    pub fn compile(admission: Arc<Admission>, bytes: &[u8]) -> Result<Self, InvalidPolicy> {
        let mut compilation = Compilation::new(admission, bytes.to_vec());
        loop {
            if let Some(compiled) = compilation.step() {
                return compiled;
            }
        }
    }
}

impl Compilation {
    /// Of an encoded `requestrocket.policy.v1.ProxyPolicy`; nothing is done yet.
    pub fn new(admission: Arc<Admission>, encoded: Vec<u8>) -> Self {
        Self {
            admission,
            stage: Stage::Encoded(encoded),
        }
    }

    /// Whether the policy is short: nothing but its patterns can take several steps.
    pub fn is_short(&self) -> bool {
        matches!(&self.stage, Stage::Encoded(encoded) if encoded.len() <= SHORT_BYTES)
    }

    /// Who is let in.
    pub fn admission(&self) -> &Arc<Admission> {
        &self.admission
    }

    /// Does a step; the policy once it is compiled, or what is wrong with it.
    pub fn step(&mut self) -> Option<Result<Policy, InvalidPolicy>> {
        match std::mem::replace(&mut self.stage, Stage::Done) {
            Stage::Encoded(encoded) => {
                self.stage = match decode(&encoded) {
                    Ok(policy) => Stage::Decoded(policy),
                    Err(invalid) => return Some(Err(invalid)),
                };
                let is_short = encoded.len() <= SHORT_BYTES;
                // A long one goes on in another step: then this is None.
                is_short.then(|| self.step())?
            }
            Stage::Decoded(policy) => {
                let is_short = policy.encoded_len() <= SHORT_BYTES;
                self.stage = Stage::Parts {
                    left: parts(&policy).into_iter(),
                    policy,
                    pool: Pool::default(),
                    weight: Weight::default(),
                };
                is_short.then(|| self.step())?
            }
            Stage::Parts {
                policy,
                mut left,
                mut pool,
                mut weight,
            } => {
                let is_last = left.len() == 0;
                if !is_last && let Err(heavy) = some_parts(&mut left, &mut pool, &mut weight) {
                    return Some(Err(heavy));
                }
                // What is long is put together in a step of its own.
                if is_last || (left.len() == 0 && policy.encoded_len() <= SHORT_BYTES) {
                    let admission = Arc::clone(&self.admission);
                    return Some(super::put_together(admission, *policy, pool));
                }
                self.stage = Stage::Parts {
                    policy,
                    left,
                    pool,
                    weight,
                };
                None
            }
            Stage::Done => Some(Err(InvalidPolicy::Encoding)),
        }
    }
}

fn decode(encoded: &[u8]) -> Result<Box<wire::ProxyPolicy>, InvalidPolicy> {
    if encoded.len() > MAX_ENCODED_BYTES {
        return Err(InvalidPolicy::TooLong(MAX_ENCODED_BYTES));
    }
    let policy = wire::ProxyPolicy::decode(encoded).map_err(|_| InvalidPolicy::Encoding)?;
    Ok(Box::new(policy))
}

/// A step's share of the parts that are left.
fn some_parts(
    left: &mut btree_set::IntoIter<Part>,
    pool: &mut Pool,
    weight: &mut Weight,
) -> Result<(), InvalidPolicy> {
    let mut spent = 0_usize;
    for part in left {
        // Each part once is no more than all layers and meters weigh: too heavy here is so there.
        let cost = pool.add(part, weight)?;
        spent = spent.saturating_add(cost);
        if spent >= STEP {
            break;
        }
    }
    Ok(())
}
