//! What most tests begin with: a proxy of their own and its target.

use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Result;
use requestrocket_integration_tests::caller::Request;
use requestrocket_integration_tests::gateway::{Gateway, Proxy, ProxyPlan};
use requestrocket_integration_tests::target::answer::json;
use requestrocket_integration_tests::target::{Recorded, Script, Target, echo_body};

use crate::expect;

/// A proxy to a target that plays a part.
pub(crate) struct Scene<P> {
    pub(crate) gateway: Gateway,
    pub(crate) target: Target,
    pub(crate) proxy: Proxy,
    part: P,
}

/// What a target does.
pub(crate) trait Part: Sized {
    async fn cast() -> Result<(Target, Self)>;
}

/// Answers 200.
pub(crate) struct Agrees;

/// Gives every body back.
pub(crate) struct Echoes;

/// Answers what the test says; `{}` before.
pub(crate) struct Plays(Arc<Mutex<Script>>);

impl Part for Agrees {
    async fn cast() -> Result<(Target, Self)> {
        Ok((Target::start().await?, Self))
    }
}

impl Part for Echoes {
    async fn cast() -> Result<(Target, Self)> {
        Ok((Target::answering(echo_body).await?, Self))
    }
}

impl Part for Plays {
    async fn cast() -> Result<(Target, Self)> {
        let script = Arc::new(Mutex::new(json("{}")));
        let played = script.clone();
        let target = Target::answering(move |_| {
            played
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .clone()
        });
        Ok((target.await?, Self(script)))
    }
}

impl<P: Part> Scene<P> {
    pub(crate) async fn start() -> Result<Self> {
        Self::with(|plan| plan).await
    }

    pub(crate) async fn with(plan: impl FnOnce(ProxyPlan) -> ProxyPlan) -> Result<Self> {
        Self::at(Gateway::shared().await?, plan).await
    }

    /// With a gateway that others do not use as they please.
    pub(crate) async fn at(
        gateway: Gateway,
        plan: impl FnOnce(ProxyPlan) -> ProxyPlan,
    ) -> Result<Self> {
        Self::built(gateway, "", plan).await
    }

    /// To what the target has below that path.
    pub(crate) async fn below(
        base: &str,
        plan: impl FnOnce(ProxyPlan) -> ProxyPlan,
    ) -> Result<Self> {
        Self::built(Gateway::shared().await?, base, plan).await
    }

    async fn built(
        gateway: Gateway,
        base: &str,
        plan: impl FnOnce(ProxyPlan) -> ProxyPlan,
    ) -> Result<Self> {
        let (target, part) = P::cast().await?;
        let plan = plan(ProxyPlan::to(&format!("{}{base}", target.url())));
        let proxy = gateway.proxy(&plan).await?;
        Ok(Self {
            gateway,
            target,
            proxy,
            part,
        })
    }

    /// What the target got of a call that must pass.
    pub(crate) async fn seen(&self, request: &Request) -> Result<Recorded> {
        expect::ok(&self.gateway.call(request).await?)?;
        self.target.last()
    }
}

impl Scene<Plays> {
    pub(crate) fn plays(&self, script: Script) {
        *self.part.0.lock().unwrap_or_else(PoisonError::into_inner) = script;
    }
}
