//! What is sent: bodies and headers as Standard Webhooks says them.

use serde_json::{Value, json};

use super::secret::HookSecret;
use crate::domain::account::notification::Notification;
use crate::domain::id::WebhookId;
use crate::domain::moment::Moment;

/// What a receiver is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message(String);

/// A body with the headers by which its receiver knows that it is ours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signed {
    /// `webhook-id`: the same each time that a message is sent.
    pub id: String,
    /// `webhook-timestamp`: when it is sent, in seconds of Unix time.
    pub timestamp: String,
    /// `webhook-signature`
    pub signature: String,
    /// JSON.
    pub body: String,
}

impl Message {
    /// A notification as its lists show it, but for whether somebody has read it.
    #[must_use]
    pub fn of(told: &Notification) -> Self {
        let notice = &told.notice;
        let about = notice.about.as_ref();
        let kind = format!("notification.{}", notice.kind.as_str());
        let data = json!({
            "notificationId": told.id.uuid(),
            "type": notice.owner.word(),
            "kind": notice.kind.as_str(),
            "severity": notice.severity.as_str(),
            "title": notice.title,
            "message": notice.message,
            "resource": about.map(|about| json!({"type": about.kind, "id": about.id})),
            "createdAt": told.created_at.to_string(),
        });
        Self::new(&kind, told.created_at, &data)
    }

    /// What is sent when somebody wants to see whether it arrives.
    #[must_use]
    pub fn trial(webhook: WebhookId, now: Moment) -> Self {
        let data = json!({"webhookId": webhook.uuid()});
        Self::new("webhook.test", now, &data)
    }

    fn new(kind: &str, at: Moment, data: &Value) -> Self {
        let body = json!({"type": kind, "timestamp": at.to_string(), "data": data});
        Self(body.to_string())
    }

    /// JSON.
    #[must_use]
    pub fn into_body(self) -> String {
        self.0
    }
}

impl Signed {
    /// Signs a body that is sent now.
    #[must_use]
    pub fn new(id: String, body: String, now: Moment, secret: &HookSecret) -> Self {
        let timestamp = now.get().unix_timestamp();
        let signature = secret.sign(&id, timestamp, &body);
        Self {
            id,
            timestamp: timestamp.to_string(),
            signature,
            body,
        }
    }
}
