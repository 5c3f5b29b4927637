//! What is attached to proxy credentials.

use requestrocket_proto::policy::v1 as wire;

use super::{InvalidCredential, InvalidPolicy, Supply, layer, meter};
use crate::{admission::Admission, id::CredentialId, limit::CounterKind, policy::Caller};

/// Of the admission's credentials, in the same order.
pub(super) fn compile_all(
    credentials: Vec<wire::CredentialPolicy>,
    admission: &Admission,
    supply: &mut Supply,
) -> Result<Box<[Caller]>, InvalidPolicy> {
    let numbered = credentials.into_iter().enumerate();
    let callers: Box<[Caller]> = numbered
        .map(|(position, credential)| {
            compile(credential, supply)
                .map_err(|source| InvalidPolicy::Credential { position, source })
        })
        .collect::<Result<_, _>>()?;
    let admitted = admission.credentials.iter().map(|credential| credential.id);
    let mut admitted: Vec<CredentialId> = admitted.collect();
    // A credential and the secret it had before.
    admitted.dedup();
    let admitted = admitted.into_iter();
    if admitted.eq(callers.iter().map(|caller| caller.id)) {
        Ok(callers)
    } else {
        Err(InvalidPolicy::AnotherAdmission)
    }
}

fn compile(
    credential: wire::CredentialPolicy,
    supply: &mut Supply,
) -> Result<Caller, InvalidCredential> {
    let wire::CredentialPolicy {
        credential_id,
        layer,
        limits,
    } = credential;
    let id: CredentialId = credential_id.parse()?;
    Ok(Caller {
        id,
        layer: layer::compile(layer, supply)?,
        plan: meter::charge(CounterKind::Plan, *id.as_uuid(), limits)?,
    })
}
