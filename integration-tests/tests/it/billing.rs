//! Calls that are paid in advance: exact to the call over a killed core-api, refused at zero, let
//! through again by an entry.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use requestrocket_integration_tests::core_api::CoreApi;
use requestrocket_integration_tests::gateway::{Gateway, Proxy, ProxyPlan};
use requestrocket_integration_tests::stack::Stack;
use requestrocket_integration_tests::target::Target;
use requestrocket_integration_tests::wait;
use serde_json::{Value, json};

/// A call costs a tenth.
const SETTINGS: &str = "[billing]\ncurrency = \"EUR\"\nprice_per_1000_requests = \"100\"\n";
/// Within this calls are refused, and let through again.
const SOON: Duration = Duration::from_secs(15);

/// An organisation that pays, and what it was let through.
struct Account {
    stack: Stack,
    gateway: Gateway,
    operator: CoreApi,
    proxy: Proxy,
    granted: AtomicU64,
    _target: Target,
    _settings: tempfile::TempDir,
}

impl Account {
    async fn open() -> Result<Self> {
        let settings = tempfile::tempdir()?;
        let file = settings.path().join("billing.toml");
        std::fs::write(&file, SETTINGS)?;
        let file = file.to_str().context("a path in UTF-8")?;
        let stack = Stack::start(&["--core-api-settings", file]).await?;
        let gateway = Gateway::of(&stack)?;
        let operator = gateway
            .api
            .with_authorization(Some(&stack.file.operator_token));
        let target = Target::start().await?;
        let proxy = gateway.proxy(&ProxyPlan::to(&target.url())).await?;
        Ok(Self {
            stack,
            gateway,
            operator,
            proxy,
            granted: AtomicU64::new(0),
            _target: target,
            _settings: settings,
        })
    }

    /// Adds an entry; the same one however often it is sent.
    async fn pay(&self, amount: &str, key: &str) -> Result<()> {
        let entry = json!({"amount": amount, "note": key}).to_string();
        let headers = [
            ("content-type", "application/json"),
            ("idempotency-key", key),
        ];
        for _ in 0..2 {
            let sent = self.operator.raw(
                "POST",
                "billing/entries",
                &headers,
                entry.clone().into_bytes(),
            );
            sent.await?.succeeded()?;
        }
        Ok(())
    }

    fn granted(&self) -> u64 {
        self.granted.load(Ordering::Relaxed)
    }

    /// One call; whether it was let through.
    async fn call(&self) -> Result<bool> {
        let reply = self.gateway.call(&self.proxy.get("/")).await?;
        match (reply.status, &*reply.code()) {
            (200, _) => self.granted.fetch_add(1, Ordering::Relaxed),
            (402, "BILLING_SUSPENDED") => return Ok(false),
            other => bail!("{other:?}"),
        };
        Ok(true)
    }

    /// Calls until they are let through, or refused.
    async fn until_called(&self, is_granted: bool) -> Result<()> {
        let what = format!("calls to be granted: {is_granted}");
        let done = wait::until_within(SOON, &what, || async {
            Ok((self.call().await? == is_granted).then_some(()))
        });
        let done = done.await;
        let account = self.gateway.api.get("billing").await?.text;
        done.with_context(|| format!("{} were, of {account}", self.granted()))
    }

    /// Calls, all of which are let through, until there were so many.
    async fn until_granted(&self, calls: u64) -> Result<()> {
        while self.granted() < calls {
            ensure!(self.call().await?, "it is paid");
        }
        Ok(())
    }

    /// What is left once everything is charged, which is to be exact.
    async fn until_charged(&self, paid_tenths: i64) -> Result<Value> {
        let left = paid_tenths - i64::try_from(self.granted())?;
        let (sign, left) = (if left < 0 { "-" } else { "" }, left.abs());
        let want = match left % 10 {
            0 => format!("{sign}{}", left / 10),
            tenths => format!("{sign}{}.{tenths}", left / 10),
        };
        wait::until_within(SOON, "what was used to be charged", || async {
            let account = self.gateway.api.get("billing").await?.succeeded()?.json;
            Ok((account["balance"] == want).then_some(account))
        })
        .await
    }
}

#[tokio::test]
async fn calls_are_charged_once_each_refused_at_zero_and_let_through_when_paid() -> Result<()> {
    let account = Account::open().await?;
    account.until_called(false).await?;
    account.pay("2", "first").await?;
    account.until_called(true).await?;
    account.until_granted(8).await?;
    // Whatever core-api was about to charge.
    account.stack.kill(account.stack.file.pids.core_api).await?;
    account.until_granted(12).await?;
    let told = wait::until_within(Duration::from_mins(1), "core-api to be back", || async {
        Ok(account.gateway.api.get("billing").await.ok())
    });
    told.await?;
    let left = account.until_charged(20).await?;
    ensure!(left["status"] == "ok" || left["status"] == "low", "{left}");

    account.until_called(false).await?;
    let left = account.until_charged(20).await?;
    ensure!(left["status"] == "suspended", "{left}");
    account.pay("1000", "second").await?;
    account.until_called(true).await?;
    let left = account.until_charged(10_020).await?;
    let entries = left["entries"].as_array().context("entries")?;
    ensure!(
        entries.len() == 2,
        "an entry that is sent again is one: {left}"
    );
    Ok(())
}
