//! Users: the people behind tokens.

use std::fmt;
use std::str::FromStr;

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
