//! Sessions: users at browsers.

use std::net::IpAddr;
use std::time::Duration;

use crate::domain::id::{SessionId, UserId};
use crate::domain::moment::Moment;
use crate::domain::people::provider::ProviderName;

/// A session that is not used for so long has ended.
pub const IDLE: Duration = Duration::from_hours(12);
/// However much it is used, a session ends after this.
pub const LIFE: Duration = Duration::from_hours(7 * 24);
/// What is kept of the text by which a browser says what it is.
const SHOWN_CHARACTERS: usize = 256;

/// A session as it is stored: without the value that its cookie has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BrowserSession {
    /// What paths name it by.
    pub id: SessionId,
    /// Whose it is.
    pub user: UserId,
    /// What it was last used with.
    pub visitor: Visitor,
    /// When somebody signed in.
    pub created_at: Moment,
    /// When it was last seen, to the minute.
    pub last_used_at: Moment,
    /// When it ends however much it is used.
    pub expires_at: Moment,
    /// Who said who it is; none: they showed a password.
    pub provider: Option<ProviderName>,
}

/// A browser, as far as it can be told from others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Visitor {
    /// From where.
    pub address: IpAddr,
    /// What it says it is: visible ASCII, at most 256 characters.
    pub user_agent: Option<String>,
}

impl Visitor {
    /// What comes from `address` and says of itself `user_agent`.
    #[must_use]
    pub fn new(address: IpAddr, user_agent: Option<&str>) -> Self {
        let text: String = user_agent
            .unwrap_or_default()
            .chars()
            .filter(|character| *character == ' ' || character.is_ascii_graphic())
            .take(SHOWN_CHARACTERS)
            .collect();
        Self {
            address,
            user_agent: (!text.is_empty()).then_some(text),
        }
    }
}

impl Visitor {
    /// What tells this browser from others of the same user: what it says it is, and its network
    /// (of IPv4 a /24, of IPv6 a /48), as browsers are carried about.
    #[must_use]
    pub fn device(&self) -> String {
        let network = match self.address.to_canonical() {
            IpAddr::V4(address) => IpAddr::from((address.to_bits() >> 8 << 8).to_be_bytes()),
            IpAddr::V6(address) => IpAddr::from((address.to_bits() >> 80 << 80).to_be_bytes()),
        };
        format!(
            "{network} {}",
            self.user_agent.as_deref().unwrap_or_default()
        )
    }
}

impl BrowserSession {
    /// One that begins now.
    #[must_use]
    pub fn begin(user: UserId, visitor: Visitor, now: Moment) -> Self {
        Self {
            id: SessionId::random(),
            user,
            visitor,
            created_at: now,
            last_used_at: now,
            expires_at: now.plus(LIFE),
            provider: None,
        }
    }

    /// When it ends unless it is used before.
    #[must_use]
    pub fn ends_at(&self) -> Moment {
        self.expires_at.min(self.last_used_at.plus(IDLE))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_ends_when_it_idles_and_in_any_case_after_a_week() {
        let now: Moment = "2026-01-01T00:00:00Z".parse().unwrap();
        let visitor = Visitor::new("192.0.2.1".parse().unwrap(), Some("Mozilla/5.0\u{7}"));
        assert_eq!(visitor.user_agent.as_deref(), Some("Mozilla/5.0"));
        let mut session = BrowserSession::begin(UserId::random(), visitor, now);
        assert_eq!(session.ends_at(), now.plus(IDLE));
        session.last_used_at = now.plus(LIFE).minus(Duration::from_hours(1));
        assert_eq!(session.ends_at(), now.plus(LIFE));
    }
}
