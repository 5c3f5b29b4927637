//! Notifications: what people are told without asking.

mod cause;
mod due;
mod kind;

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use crate::domain::id::{NotificationId, OrganisationId, UserId};
use crate::domain::moment::Moment;
use crate::domain::people::organisation::InvalidWord;

pub use self::cause::{Level, WHILE};
pub use self::due::Due;
pub use self::kind::{Kind, Severity, Told};

/// Whose a notification is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Owner {
    /// Everybody's.
    System,
    /// An organisation's.
    Organisation(OrganisationId),
    /// A user's own.
    User(UserId),
}

/// Who of an organisation is told. All of others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Audience {
    /// Every member.
    Members,
    /// Who may see its members.
    Managers,
}

/// The record that a notification is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct About {
    /// Such as `credential`.
    pub kind: String,
    /// Its id.
    pub id: String,
}

/// Something to tell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// Whom.
    pub owner: Owner,
    /// Who of them.
    pub audience: Audience,
    /// Of what.
    pub kind: Kind,
    /// How bad it is.
    pub severity: Severity,
    /// In a few words.
    pub title: String,
    /// In a sentence or two.
    pub message: String,
    /// The record, if it is about one.
    pub about: Option<About>,
    /// Why, in words of ours: of one owner nothing is told twice. What goes on begins with
    /// [`WHILE`] until it ends.
    pub cause: String,
}

/// What was told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notification {
    /// What paths name it by.
    pub id: NotificationId,
    /// What it says.
    pub notice: Notice,
    /// When.
    pub created_at: Moment,
    /// Whoever asks has read it.
    pub is_read: bool,
}

/// Where a user wants to be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Channels {
    /// In lists.
    pub in_app: bool,
    /// By mail.
    pub email: bool,
}

/// What a user wants, of every kind.
pub type Preferences = BTreeMap<Kind, Channels>;

impl Owner {
    /// As the API says whose it is.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::System => "system",
            Self::Organisation(_) => "client",
            Self::User(_) => "user",
        }
    }
}

impl fmt::Display for Owner {
    /// As the store has it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::System => f.write_str("system"),
            Self::Organisation(id) => write!(f, "client:{id}"),
            Self::User(id) => write!(f, "user:{id}"),
        }
    }
}

impl FromStr for Owner {
    type Err = InvalidWord;

    fn from_str(raw: &str) -> Result<Self, InvalidWord> {
        let invalid = InvalidWord("`system`, `client:ID`, `user:ID`");
        match raw.split_once(':') {
            None if raw == "system" => Ok(Self::System),
            Some(("client", id)) => id.parse().map(Self::Organisation).map_err(|_| invalid),
            Some(("user", id)) => id.parse().map(Self::User).map_err(|_| invalid),
            _ => Err(invalid),
        }
    }
}

impl Notice {
    /// What search looks in.
    #[must_use]
    pub fn key(&self) -> String {
        format!("{}\n{}", self.title, self.message).to_lowercase()
    }
}

impl Channels {
    /// Of a user who did not say what they want.
    #[must_use]
    pub fn usual(kind: Kind) -> Self {
        Self {
            in_app: true,
            email: kind.severity() == Severity::Critical,
        }
    }
}
