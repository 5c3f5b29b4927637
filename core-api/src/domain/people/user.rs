//! Users: the people behind tokens.

use std::fmt;
use std::str::FromStr;

use super::organisation::InvalidWord;
use crate::domain::id::UserId;
use crate::domain::moment::Moment;
use crate::domain::name::Name;

/// The longest address that mail can carry (RFC 5321).
const MAX_EMAIL_CHARACTERS: usize = 254;

/// An e-mail address, as far as it can be judged without sending mail.
///
/// Invariant: one `@` with something before and after it, no blanks or control characters, at
/// most 254 characters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Email(String);

/// Not an e-mail address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be an e-mail address")]
pub struct InvalidEmail;

/// What a user decides about their account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Profile {
    /// Where they can be reached; several users may share one.
    pub email: Email,
    /// First name.
    pub first_name: Name,
    /// Last name.
    pub last_name: Name,
    /// What else the user says of themselves.
    pub about: About,
}

/// What users say of themselves besides their name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct About {
    /// Where to call them.
    pub phone: Option<Phone>,
    /// Whatever they like.
    pub bio: Option<Bio>,
    /// Who sees this; name and address are seen by all who see members.
    pub visibility: Visibility,
}

/// A telephone number, as people write them.
///
/// Invariant: 1 to 40 digits, blanks and `+-().`, a digit among them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Phone(String);

/// Not a telephone number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be 1 to 40 digits, blanks and `+-().`, with a digit among them")]
pub struct InvalidPhone;

/// A text of some lines.
///
/// Invariant: 1 to 2000 characters, none of them a control character but line feeds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bio(String);

/// Too short, too long, or with control characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be 1 to 2000 characters without control characters but line feeds")]
pub struct InvalidBio;

/// Who sees what a user says of themselves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Visibility {
    /// Members of the same organisations, as far as they see members.
    Colleagues,
    /// Nobody else.
    None,
}

/// The record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// What members, `createdBy` and paths name the user by.
    pub id: UserId,
    /// What the user decided.
    pub profile: Profile,
    /// When it was made.
    pub created_at: Moment,
    /// When it was last changed.
    pub updated_at: Moment,
    /// Of its last change.
    pub revision: u64,
}

impl Email {
    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What people are found by who sign in: how they spell an address makes no difference.
    #[must_use]
    pub fn login(&self) -> String {
        self.0.to_lowercase()
    }
}

impl FromStr for Email {
    type Err = InvalidEmail;

    fn from_str(raw: &str) -> Result<Self, InvalidEmail> {
        let (local, domain) = raw.split_once('@').ok_or(InvalidEmail)?;
        let is_legal = !local.is_empty()
            && !domain.is_empty()
            && !domain.contains('@')
            && raw.chars().count() <= MAX_EMAIL_CHARACTERS
            && !raw.chars().any(|c| c.is_whitespace() || c.is_control());
        if is_legal {
            Ok(Self(raw.to_owned()))
        } else {
            Err(InvalidEmail)
        }
    }
}

impl fmt::Display for Email {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl About {
    /// Of who has said nothing.
    #[must_use]
    pub fn nothing() -> Self {
        Self {
            phone: None,
            bio: None,
            visibility: Visibility::Colleagues,
        }
    }

    /// What others see of it.
    #[must_use]
    pub fn shown(&self) -> (Option<&Phone>, Option<&Bio>) {
        match self.visibility {
            Visibility::Colleagues => (self.phone.as_ref(), self.bio.as_ref()),
            Visibility::None => (None, None),
        }
    }
}

impl Phone {
    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Phone {
    type Err = InvalidPhone;

    fn from_str(raw: &str) -> Result<Self, InvalidPhone> {
        let is_legal = |byte: u8| byte.is_ascii_digit() || b" +-().".contains(&byte);
        let has_digit = raw.bytes().any(|byte| byte.is_ascii_digit());
        if raw.len() <= 40 && has_digit && raw.bytes().all(is_legal) {
            Ok(Self(raw.to_owned()))
        } else {
            Err(InvalidPhone)
        }
    }
}

impl Bio {
    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Bio {
    type Err = InvalidBio;

    fn from_str(raw: &str) -> Result<Self, InvalidBio> {
        let length = raw.chars().take(2001).count();
        let is_legal = |character: char| character == '\n' || !character.is_control();
        if (1..=2000).contains(&length) && raw.chars().all(is_legal) {
            Ok(Self(raw.to_owned()))
        } else {
            Err(InvalidBio)
        }
    }
}

impl Visibility {
    /// As the API says it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Colleagues => "colleagues",
            Self::None => "none",
        }
    }
}

impl FromStr for Visibility {
    type Err = InvalidWord;

    fn from_str(raw: &str) -> Result<Self, InvalidWord> {
        match raw {
            "colleagues" => Ok(Self::Colleagues),
            "none" => Ok(Self::None),
            _ => Err(InvalidWord("`colleagues`, `none`")),
        }
    }
}

impl Profile {
    /// What search and sort compare.
    #[must_use]
    pub fn key(&self) -> String {
        format!("{} {}", self.first_name.key(), self.last_name.key())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_users_say_of_themselves_is_bounded_text() {
        for (phone, is_one) in [
            ("+49 (30) 901820-0", true),
            ("112", true),
            ("", false),
            ("+", false),
            ("call me", false),
            (&"1".repeat(41), false),
        ] {
            assert_eq!(phone.parse::<Phone>().is_ok(), is_one, "{phone}");
        }
        for (bio, is_one) in [
            ("Two\nlines.", true),
            (&"ö".repeat(2000), true),
            ("", false),
            ("\u{7}", false),
            (&"x".repeat(2001), false),
        ] {
            assert_eq!(bio.parse::<Bio>().is_ok(), is_one, "{bio}");
        }
        let mut about = About::nothing();
        about.phone = "112".parse().ok();
        assert!(about.shown().0.is_some());
        about.visibility = Visibility::None;
        assert_eq!(about.shown(), (None, None));
    }

    #[test]
    fn an_address_has_one_at_sign_with_something_on_both_sides() {
        let longest = format!("a@{}", "b".repeat(252));
        for good in [
            "a@b",
            "first.last+tag@example.com",
            "ü@exämple.com",
            longest.as_str(),
        ] {
            assert_eq!(good.parse::<Email>().unwrap().as_str(), good);
        }
        let too_long = format!("a@{}", "b".repeat(253));
        for bad in [
            "",
            "@",
            "a@",
            "@b",
            "ab",
            "a@b@c",
            "a b@c",
            "a@b\n",
            "a@\0",
            too_long.as_str(),
        ] {
            assert_eq!(bad.parse::<Email>(), Err(InvalidEmail), "{bad:?}");
        }
    }
}
