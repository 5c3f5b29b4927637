//! A proxy's policy in the form that decides requests.

use std::{num::NonZeroU64, sync::Arc};

use crate::{
    admission::Admission,
    authz::{Layer, Layers},
    id::{CredentialId, ProxyId},
    limit::Charge,
    meter::Meters,
    swap::Upstream,
};

pub use crate::{compile::InvalidPolicy, envelope::Location};

/// Everything the filter knows about one proxy, compiled so that requests cost little: secrets
/// are decrypted, keys are worked in, names are checked.
#[derive(Debug)]
pub struct Policy {
    pub(crate) admission: Arc<Admission>,
    pub(crate) standing: Standing,
    /// In list order.
    pub(crate) callers: Arc<[Caller]>,
    /// None: the proxy is incomplete.
    pub(crate) upstream: Option<Upstream>,
    /// How much of a request's body conditions may look into.
    pub(crate) max_inspected_bytes: NonZeroU64,
    pub(crate) layers: Arc<AttachedLayers>,
    /// Counts every call; none when the proxy has no limit.
    pub(crate) charge: Option<Charge>,
    pub(crate) meters: Arc<Meters>,
    pub(crate) weight: usize,
}

/// What is attached to a credential of the proxy.
#[derive(Debug)]
pub(crate) struct Caller {
    pub(crate) id: CredentialId,
    pub(crate) layer: Layer,
    /// Counts its calls; none when the plan has no limit.
    pub(crate) plan: Option<Charge>,
}

/// The layers that judge every call of the proxy; that of the credential is with the credential.
#[derive(Debug)]
pub(crate) struct AttachedLayers {
    /// None: the proxy is incomplete.
    pub(crate) target_credential: Option<Layer>,
    /// None: the proxy is incomplete.
    pub(crate) target: Option<Layer>,
    pub(crate) proxy: Layer,
}

/// Whether calls may pass at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    Active,
    Inactive,
    Suspended,
}

impl Policy {
    /// Who is let in.
    pub fn admission(&self) -> &Arc<Admission> {
        &self.admission
    }

    /// The proxy it belongs to.
    pub fn proxy(&self) -> ProxyId {
        self.admission.names.id
    }

    /// How much of a request's body is held for conditions.
    pub fn max_inspected_bytes(&self) -> NonZeroU64 {
        self.max_inspected_bytes
    }

    /// What its layers and meters weigh, in about as many bytes as they take; at most
    /// [`MAX_WEIGHT`](crate::compile::MAX_WEIGHT).
    pub fn weight(&self) -> usize {
        self.weight
    }

    /// The layers that judge the calls of one of the proxy's credentials; none when the proxy is
    /// incomplete, or the credential is not one of its.
    pub fn layers(&self, used: CredentialId) -> Option<Layers<'_>> {
        Some(Layers {
            proxy_credential: &self.caller(used)?.layer,
            target_credential: self.layers.target_credential.as_ref()?,
            target: self.layers.target.as_ref()?,
            proxy: &self.layers.proxy,
        })
    }

    pub(crate) fn caller(&self, used: CredentialId) -> Option<&Caller> {
        self.callers.iter().find(|caller| caller.id == used)
    }
}
