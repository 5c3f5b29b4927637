//! Messages to webhooks, as requests of Standard Webhooks.

use std::time::Duration;

use axum::http::Request;
use axum::http::header::CONTENT_TYPE;

use super::{Outbound, Unreached};
use crate::domain::account::webhook::{HookUrl, Signed};

/// A receiver has so long to answer.
pub const PATIENCE: Duration = Duration::from_secs(15);

impl Outbound {
    /// Sends a message once; says what the status of the answer is.
    ///
    /// # Errors
    /// There is no answer within [`PATIENCE`].
    pub async fn post(&self, url: &HookUrl, message: Signed) -> Result<u16, Unreached> {
        let Signed {
            id,
            timestamp,
            signature,
            body,
        } = message;
        let request = Request::post(url.as_str())
            .header(CONTENT_TYPE, "application/json")
            .header("webhook-id", id)
            .header("webhook-timestamp", timestamp)
            .header("webhook-signature", signature)
            .body(body.into_bytes())
            .map_err(|_| Unreached::Unwritable)?;
        let status = self.deliver(request, PATIENCE).await?;
        Ok(status.as_u16())
    }
}
