//! What is remembered of a call that was decided, either way.

use std::sync::Arc;

use crate::{
    admission::Admission,
    authn::AuthType,
    authz::LayerName,
    denial::{Denial, Refusal},
    echo::Guard,
    id::CredentialId,
    redact::Stage,
    shares::Holder,
};

/// The credential that matched.
pub(super) type UsedCredential = (CredentialId, AuthType);

/// A call that was let through.
#[derive(Clone, Debug)]
pub(super) struct Grant {
    /// None: nobody remembers which.
    pub(super) credential: Option<UsedCredential>,
    /// It is no call: it asks what became of one.
    pub(super) is_question: bool,
    /// The answer has no body, whatever its length says.
    pub(super) is_head: bool,
    /// What redacts the response, in order; empty when nothing does.
    pub(super) stages: Box<[Stage]>,
    /// Of each stage, of which there are four at most.
    pub(super) layers: [Option<LayerName>; 4],
    /// Meters that counted the call itself, by place in the policy.
    pub(super) counted: Box<[usize]>,
    /// Meters, by place in the policy, that wait for a value of the response.
    pub(super) awaited: Box<[usize]>,
    /// What the request brought.
    pub(super) warnings: Box<[String]>,
    /// Finds in the response what the request carried; none: it carried nothing to be found.
    pub(super) guard: Option<Arc<Guard>>,
}

impl Grant {
    /// Of a call that was forwarded and whose response nobody wants anything of.
    pub(super) fn forgotten() -> Self {
        Self::of(None)
    }

    /// Of whom nothing more is to be remembered.
    pub(super) fn of(credential: Option<UsedCredential>) -> Self {
        Self {
            credential,
            is_question: false,
            is_head: false,
            stages: Box::default(),
            layers: [None; 4],
            counted: Box::default(),
            awaited: Box::default(),
            warnings: Box::default(),
            guard: None,
        }
    }

    /// Whose call it is.
    pub(super) fn holder(&self, admission: &Admission) -> Holder {
        admission.holder(self.credential.map(|(credential, _)| credential))
    }
}

/// A refusal, with the credential that the caller used if it was found right.
#[derive(Clone, Debug)]
pub(super) struct Refused {
    pub(super) credential: Option<UsedCredential>,
    /// Meters that counted the call before that, by place in the policy.
    pub(super) counted: Box<[usize]>,
    pub(super) refusal: Refusal,
}

impl Refused {
    pub(super) fn unknown(denial: Denial) -> Self {
        Self {
            credential: None,
            counted: Box::default(),
            refusal: denial.into(),
        }
    }

    pub(super) fn granted(grant: &Grant, refusal: impl Into<Refusal>) -> Self {
        Self {
            credential: grant.credential,
            counted: grant.counted.clone(),
            refusal: refusal.into(),
        }
    }
}
