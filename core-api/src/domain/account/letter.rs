//! Letters: what people are sent by mail.

use std::fmt::{self, Write as _};
use std::str::FromStr;
use std::time::Duration;

use super::notification::Notification;
use crate::domain::id::{InviteId, LetterId, OrganisationId, UserId};
use crate::domain::moment::Moment;
use crate::domain::people::organisation::InvalidWord;

/// Letters tell of no more notifications than this; of the rest, how many there are.
pub const MOST_NOTICES: usize = 50;
/// A name in a subject has at most this many characters.
const MOST_IN_SUBJECT: usize = 60;
/// How long a letter that was sent keeps one like it from being sent.
pub const PAUSE: Duration = Duration::from_mins(5);
/// The first wait after a letter could not be sent; each next one is twice as long.
const FIRST_WAIT: Duration = Duration::from_secs(10);
/// The longest.
const LONGEST_WAIT: Duration = Duration::from_hours(1);

/// What a letter is to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Errand {
    /// Bring an invite.
    Invite(OrganisationId, InviteId),
    /// Let whoever signs in with this address (in lower case) choose another password.
    Reset(String),
    /// Tell a user of notifications.
    Notices(UserId),
}

/// A letter that is to be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Letter {
    /// What the store knows it by.
    pub id: LetterId,
    /// What it is to do.
    pub errand: Errand,
    /// Since when it waits.
    pub created_at: Moment,
    /// When it is tried next.
    pub due_at: Moment,
    /// How often it was tried.
    pub attempts: u64,
}

/// What is written in a letter. It may let its reader in: it prints without its body.
pub struct Written {
    /// In a few words.
    pub subject: String,
    /// Plain text.
    pub body: String,
}

impl Errand {
    /// As the store has it, with what it is about.
    #[must_use]
    pub fn words(&self) -> (&'static str, String) {
        match self {
            Self::Invite(organisation, invite) => ("invite", format!("{organisation}/{invite}")),
            Self::Reset(login) => ("reset", login.clone()),
            Self::Notices(user) => ("notices", user.to_string()),
        }
    }

    /// What [`Errand::words`] says.
    ///
    /// # Errors
    /// They are none of ours.
    pub fn of(kind: &str, about: &str) -> Result<Self, InvalidWord> {
        let invalid = InvalidWord("`invite`, `reset`, `notices`");
        match kind {
            "invite" => {
                let (organisation, invite) = about.split_once('/').ok_or(invalid)?;
                Ok(Self::Invite(id(organisation)?, id(invite)?))
            }
            "reset" => Ok(Self::Reset(about.to_owned())),
            "notices" => Ok(Self::Notices(id(about)?)),
            _ => Err(invalid),
        }
    }

    /// Whether one like it is not to be sent soon: whoever asks for it fills somebody else's box.
    #[must_use]
    pub fn is_paused(&self) -> bool {
        matches!(self, Self::Reset(_) | Self::Invite(..))
    }

    /// What is not sent within this is not sent: nobody waits for it any more.
    #[must_use]
    pub fn patience(&self) -> Duration {
        match self {
            Self::Reset(_) => Duration::from_hours(1),
            Self::Invite(..) | Self::Notices(_) => Duration::from_hours(24),
        }
    }
}

fn id<T: FromStr>(text: &str) -> Result<T, InvalidWord> {
    text.parse().map_err(|_| InvalidWord("an id"))
}

impl Letter {
    /// When it is tried again if trying it now comes to nothing.
    #[must_use]
    pub fn next_try(&self, now: Moment) -> Moment {
        let doublings = u32::try_from(self.attempts.min(16)).unwrap_or(16);
        let wait = FIRST_WAIT.saturating_mul(1 << doublings);
        now.plus(wait.min(LONGEST_WAIT))
    }

    /// Whether it has waited too long.
    #[must_use]
    pub fn is_late(&self, now: Moment) -> bool {
        self.created_at.plus(self.errand.patience()) < now
    }
}

/// What brings an invite into `organisation`; `link` leads to where it is accepted.
#[must_use]
pub fn invite(organisation: &str, link: &str, expires_at: Moment) -> Written {
    Written {
        subject: format!("You are invited to \"{}\"", shortened(organisation)),
        body: format!(
            "Somebody at \"{organisation}\" invites you to manage APIs with RequestRocket.\n\n\
             Join until {expires_at}:\n{link}\n\n\
             The link is good once. If you do not know them, do nothing.\n"
        ),
    }
}

/// What lets its reader choose another password; `link` leads to where that is done.
#[must_use]
pub fn reset(link: &str, expires_at: Moment) -> Written {
    Written {
        subject: "Choose another password".to_owned(),
        body: format!(
            "Somebody, most likely you, asked to choose another password for RequestRocket.\n\n\
             Choose it until {expires_at}:\n{link}\n\n\
             The link is good once. If it was not you, do nothing: your password stays.\n"
        ),
    }
}

/// What tells of `notices`, oldest first, which are some; `link` leads to where all are.
#[must_use]
pub fn notices(notices: &[Notification], more: u64, link: &str) -> Written {
    let subject = match notices {
        [only] if more == 0 => shortened(&only.notice.title),
        _ => format!(
            "{} notifications",
            (notices.len() as u64).saturating_add(more)
        ),
    };
    let told = notices.iter().map(|one| {
        let (at, severity) = (one.created_at, one.notice.severity.as_str());
        let (title, message) = (&one.notice.title, &one.notice.message);
        format!("{at}  {severity}\n{title}\n{message}\n\n")
    });
    let mut body: String = told.collect();
    if more > 0 {
        let _ = write!(body, "{more} more are not in this letter.\n\n");
    }
    let all = "All of them, and what you want to be told by mail";
    let _ = write!(body, "{all}:\n{link}\n");
    Written { subject, body }
}

fn shortened(text: &str) -> String {
    if text.chars().count() <= MOST_IN_SUBJECT {
        return text.to_owned();
    }
    let kept = text.chars().take(MOST_IN_SUBJECT - 1);
    kept.chain(['…']).collect()
}

impl fmt::Debug for Written {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let subject = &self.subject;
        f.debug_struct("Written")
            .field("subject", subject)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errands_come_back_from_the_store_as_they_went() {
        for errand in [
            Errand::Invite(OrganisationId::random(), InviteId::random()),
            Errand::Reset("ada@example.com".to_owned()),
            Errand::Notices(UserId::random()),
        ] {
            let (kind, about) = errand.words();
            assert_eq!(Errand::of(kind, &about), Ok(errand));
        }
        for (kind, about) in [("invite", "x/y"), ("notices", "x"), ("post", "")] {
            assert!(Errand::of(kind, about).is_err(), "{kind} {about}");
        }
    }

    #[test]
    fn waits_double_up_to_an_hour() {
        let now: Moment = "2026-01-01T00:00:00Z".parse().unwrap();
        let wait = |attempts| {
            let letter = Letter {
                id: LetterId::random(),
                errand: Errand::Reset(String::new()),
                created_at: now,
                due_at: now,
                attempts,
            };
            (letter.next_try(now).get() - now.get()).whole_seconds()
        };
        let waits: Vec<_> = [0, 1, 2, 6, 7, 16, u64::MAX].map(wait).into();
        assert_eq!(waits, [10, 20, 40, 640, 1280, 3600, 3600]);
    }

    #[test]
    fn what_lets_somebody_in_is_not_printed() {
        let now = "2026-01-01T00:00:00Z".parse().unwrap();
        let letter = reset("https://core.example/app/reset#token=r-secret", now);
        assert!(letter.body.contains("r-secret"));
        assert!(!format!("{letter:?}").contains("r-secret"));
    }

    #[test]
    fn a_long_name_does_not_fill_the_subject() {
        let now = "2026-01-01T00:00:00Z".parse().unwrap();
        let subject = invite(&"é".repeat(200), "", now).subject;
        assert_eq!(subject.matches('é').count(), MOST_IN_SUBJECT - 1);
        assert!(subject.ends_with("…\""), "{subject}");
    }
}
