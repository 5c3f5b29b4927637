//! The kinds of notifications, and how bad each is.

use std::str::FromStr;

use crate::domain::people::organisation::InvalidWord;

/// Of what somebody is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// An operator says something.
    Announcement,
    /// Little is left of what the organisation paid.
    BillingLow,
    /// Nothing is left: its calls end.
    BillingSuspended,
    /// Envoys refuse what a proxy became, or its region cannot use it.
    ConfigRejected,
    /// A credential ends soon, or has ended.
    CredentialExpiring,
    /// No token can be obtained.
    CredentialFailing,
    /// One can again.
    CredentialRecovered,
    /// Targets refused the second secret, and are given the first again.
    CredentialSwitchedBack,
    /// Somebody is invited.
    Invite,
    /// Calls have no record.
    LogIncomplete,
    /// Somebody joined.
    MemberAdded,
    /// Somebody left or was removed.
    MemberRemoved,
    /// A meter has used up a window.
    MeterExceeded,
    /// A meter has used 80 % of a window.
    MeterNearLimit,
    /// A region's link is down.
    RegionDisconnected,
    /// A target sent a secret back.
    SecretEcho,
    /// Somebody signed in with a browser that was not seen before.
    SignInNewDevice,
    /// A target that is checked answers again.
    TargetRecovered,
    /// A target that is checked does not answer.
    TargetUnreachable,
    /// A user token ends soon, or has ended.
    TokenExpiring,
    /// A webhook is sent nothing more.
    WebhookDisabled,
}

/// Who is told of something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Told {
    /// Everybody.
    Everybody,
    /// An organisation; of some, a user as well.
    Organisations,
    /// Users, of their own account.
    Users,
}

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Good to know.
    Info,
    /// Somebody should look at it.
    Warning,
    /// Somebody has to.
    Critical,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 21] = [
        Self::Announcement,
        Self::BillingLow,
        Self::BillingSuspended,
        Self::ConfigRejected,
        Self::CredentialExpiring,
        Self::CredentialFailing,
        Self::CredentialRecovered,
        Self::CredentialSwitchedBack,
        Self::Invite,
        Self::LogIncomplete,
        Self::MemberAdded,
        Self::MemberRemoved,
        Self::MeterExceeded,
        Self::MeterNearLimit,
        Self::RegionDisconnected,
        Self::SecretEcho,
        Self::SignInNewDevice,
        Self::TargetRecovered,
        Self::TargetUnreachable,
        Self::TokenExpiring,
        Self::WebhookDisabled,
    ];

    /// As the API says it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Announcement => "announcement",
            Self::BillingLow => "billing-low",
            Self::BillingSuspended => "billing-suspended",
            Self::ConfigRejected => "config-rejected",
            Self::CredentialExpiring => "credential-expiring",
            Self::CredentialFailing => "credential-failing",
            Self::CredentialRecovered => "credential-recovered",
            Self::CredentialSwitchedBack => "credential-switched-back",
            Self::Invite => "invite",
            Self::LogIncomplete => "log-incomplete",
            Self::MemberAdded => "member-added",
            Self::MemberRemoved => "member-removed",
            Self::MeterExceeded => "meter-exceeded",
            Self::MeterNearLimit => "meter-near-limit",
            Self::RegionDisconnected => "region-disconnected",
            Self::SecretEcho => "secret-echo",
            Self::SignInNewDevice => "sign-in-new-device",
            Self::TargetRecovered => "target-recovered",
            Self::TargetUnreachable => "target-unreachable",
            Self::TokenExpiring => "token-expiring",
            Self::WebhookDisabled => "webhook-disabled",
        }
    }

    /// How bad it is, unless the notification itself says otherwise.
    #[must_use]
    pub fn severity(self) -> Severity {
        match self {
            Self::Announcement
            | Self::CredentialRecovered
            | Self::Invite
            | Self::MemberAdded
            | Self::MemberRemoved
            | Self::TargetRecovered => Severity::Info,
            Self::BillingLow
            | Self::CredentialExpiring
            | Self::LogIncomplete
            | Self::MeterExceeded
            | Self::MeterNearLimit
            | Self::SignInNewDevice
            | Self::TokenExpiring => Severity::Warning,
            Self::BillingSuspended
            | Self::ConfigRejected
            | Self::CredentialFailing
            | Self::CredentialSwitchedBack
            | Self::RegionDisconnected
            | Self::SecretEcho
            | Self::TargetUnreachable
            | Self::WebhookDisabled => Severity::Critical,
        }
    }

    /// Who is told of it.
    #[must_use]
    pub fn told(self) -> Told {
        match self {
            Self::Announcement | Self::LogIncomplete | Self::RegionDisconnected => Told::Everybody,
            Self::BillingLow
            | Self::BillingSuspended
            | Self::ConfigRejected
            | Self::CredentialExpiring
            | Self::CredentialFailing
            | Self::CredentialRecovered
            | Self::CredentialSwitchedBack
            | Self::MemberAdded
            | Self::MemberRemoved
            | Self::MeterExceeded
            | Self::MeterNearLimit
            | Self::SecretEcho
            | Self::TargetRecovered
            | Self::TargetUnreachable
            | Self::WebhookDisabled => Told::Organisations,
            Self::Invite | Self::SignInNewDevice | Self::TokenExpiring => Told::Users,
        }
    }
}

impl FromStr for Kind {
    type Err = InvalidWord;

    fn from_str(raw: &str) -> Result<Self, InvalidWord> {
        let found = Self::ALL.into_iter().find(|kind| kind.as_str() == raw);
        found.ok_or(InvalidWord("a kind of notification"))
    }
}

impl Severity {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Info, Self::Warning, Self::Critical];

    /// As the API says it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Warning => "warning",
            Self::Critical => "critical",
        }
    }
}

impl FromStr for Severity {
    type Err = InvalidWord;

    fn from_str(raw: &str) -> Result<Self, InvalidWord> {
        match raw {
            "info" => Ok(Self::Info),
            "warning" => Ok(Self::Warning),
            "critical" => Ok(Self::Critical),
            _ => Err(InvalidWord("`info`, `warning`, `critical`")),
        }
    }
}
