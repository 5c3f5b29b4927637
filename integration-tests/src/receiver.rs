//! A receiver of webhooks, which checks signatures by the package standardwebhooks.

use anyhow::Result;
use serde::Deserialize;
use serde_json::Value;
use tokio::process::Child;

use crate::external::{curl, serving_node};
use crate::wait;

/// Serves `/hook`, which answers as it is told, `/elsewhere` and `/slow`.
#[derive(Debug)]
pub struct Receiver {
    url: String,
    _process: Child,
}

/// A message as it came.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct Seen {
    pub path: String,
    pub id: Option<String>,
    pub timestamp: Option<String>,
    pub content_type: Option<String>,
    pub body: String,
    /// Why it is not believed; none: it is.
    pub problem: Option<String>,
}

impl Receiver {
    pub async fn start() -> Result<Self> {
        let (process, port) = serving_node("receiver.mjs", &[]).await?;
        Ok(Self {
            url: format!("http://127.0.0.1:{port}"),
            _process: process,
        })
    }

    /// A URL of it.
    #[must_use]
    pub fn at(&self, path: &str) -> String {
        format!("{}{path}", self.url)
    }

    /// What it checks with from now on.
    pub async fn believes(&self, secret: &str) -> Result<()> {
        self.put("/secret", secret).await
    }

    /// How it answers the next messages: with a status, or not at all (0).
    pub async fn answers(&self, statuses: &[u16]) -> Result<()> {
        self.put("/answers", &serde_json::to_string(statuses)?)
            .await
    }

    /// What came, the oldest first.
    pub async fn seen(&self) -> Result<Vec<Seen>> {
        let text = curl(&["-sS", "-f", &self.at("/seen")]).await?.success()?;
        Ok(serde_json::from_str(&text)?)
    }

    /// What came, once it is at least so much.
    pub async fn seen_at_least(&self, count: usize) -> Result<Vec<Seen>> {
        let what = format!("{count} messages");
        wait::until(&what, || async {
            Ok(Some(self.seen().await?).filter(|seen| seen.len() >= count))
        })
        .await
    }

    async fn put(&self, path: &str, body: &str) -> Result<()> {
        let url = self.at(path);
        curl(&["-sS", "-f", "-X", "PUT", "--data-binary", body, &url])
            .await?
            .success()?;
        Ok(())
    }
}

impl Seen {
    /// The body, of a message that is believed.
    pub fn json(&self) -> Result<Value> {
        anyhow::ensure!(self.problem.is_none(), "{self:?}");
        Ok(serde_json::from_str(&self.body)?)
    }
}
