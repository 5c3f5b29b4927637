//! One id type per record, so that none can stand where another belongs.

use std::fmt;
use std::str::FromStr;

use uuid::Uuid;

/// Not a UUID in its hyphenated form.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be a UUID")]
pub struct InvalidId;

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident)+) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Uuid);

        impl $name {
            /// A new one (version 4).
            #[must_use]
            pub fn random() -> Self {
                Self(Uuid::new_v4())
            }

            /// The bare value, for documents.
            #[must_use]
            pub fn uuid(self) -> Uuid {
                self.0
            }
        }

        impl FromStr for $name {
            type Err = InvalidId;

            fn from_str(raw: &str) -> Result<Self, InvalidId> {
                parse(raw).map(Self)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    )+};
}

ids! {
    /// An organisation (`clientId` of the API).
    OrganisationId
    /// A user.
    UserId
    /// A user token.
    TokenId
    /// A session at a browser.
    SessionId
    /// An invite.
    InviteId
    /// A credential of either side.
    CredentialId
    /// A target.
    TargetId
    /// A proxy.
    ProxyId
    /// A rule.
    RuleId
    /// A redaction (a filter of the API).
    FilterId
    /// A meter.
    MeterId
    /// A notification.
    NotificationId
    /// A letter.
    LetterId
    /// A webhook.
    WebhookId
    /// A message to a webhook.
    DeliveryId
}

/// `Uuid` itself also takes braces, URNs and bare hex; ids have one spelling.
fn parse(raw: &str) -> Result<Uuid, InvalidId> {
    if raw.len() != 36 {
        return Err(InvalidId);
    }
    Uuid::try_parse(raw).map_err(|_| InvalidId)
}
