//! Passwords that people choose, and those that somebody presents.

use std::str::FromStr;

use requestrocket_policy::secret::SecretText;
use zxcvbn::{Score, zxcvbn};

use super::user::Profile;

/// NIST SP 800-63B asks for 15 where the password stands alone and for 8 beside something else.
const LEAST_CHARACTERS: usize = 12;
/// Room for every phrase; what is hashed stays small.
const MOST_CHARACTERS: usize = 200;
/// Safe against who has the hash and guesses slowly: more than 10^8 guesses.
const LEAST_SCORE: Score = Score::Three;
/// Shorter words are in anything by chance.
const LEAST_WORD_CHARACTERS: usize = 3;

/// A password as somebody presents it. Prints as `[redacted]`.
///
/// Invariant: 1 to 200 characters.
#[derive(Clone, Debug)]
pub struct PresentedPassword(SecretText);

/// A password that may be chosen, as far as its length goes. Prints as `[redacted]`.
///
/// Invariant: 12 to 200 characters.
#[derive(Clone, Debug)]
pub struct NewPassword(SecretText);

/// A password that nobody can have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidPassword {
    /// By its length.
    #[error("must have 1 to 200 characters")]
    Length,
    /// By the length of one that is chosen.
    #[error("must have 12 to 200 characters")]
    NewLength,
    /// Others try it soon.
    #[error("is too easy to guess")]
    Guessable,
}

impl PresentedPassword {
    /// Every call site of this name is a place to review.
    #[must_use]
    pub fn expose(&self) -> &str {
        self.0.expose()
    }
}

impl FromStr for PresentedPassword {
    type Err = InvalidPassword;

    fn from_str(raw: &str) -> Result<Self, InvalidPassword> {
        if (1..=MOST_CHARACTERS).contains(&raw.chars().count()) {
            Ok(Self(SecretText::new(raw.to_owned())))
        } else {
            Err(InvalidPassword::Length)
        }
    }
}

impl NewPassword {
    /// Every call site of this name is a place to review.
    #[must_use]
    pub fn expose(&self) -> &str {
        self.0.expose()
    }

    /// Refuses what is common, follows a pattern, or is made of what is known of the user. Some
    /// milliseconds of work.
    ///
    /// # Errors
    /// [`InvalidPassword::Guessable`].
    pub fn check_of(&self, profile: &Profile) -> Result<(), InvalidPassword> {
        let Profile {
            email,
            first_name,
            last_name,
            about: _,
        } = profile;
        let known = email.as_str().split(['@', '.']).chain([
            first_name.as_str(),
            last_name.as_str(),
            "requestrocket",
        ]);
        // Several known words in a row would count as much: none of them counts.
        let unknown = known
            .map(str::to_lowercase)
            .filter(|word| word.chars().count() >= LEAST_WORD_CHARACTERS)
            .fold(self.expose().to_lowercase(), |text, word| {
                text.replace(&word, "")
            });
        if zxcvbn(&unknown, &[]).score() < LEAST_SCORE {
            return Err(InvalidPassword::Guessable);
        }
        Ok(())
    }
}

impl FromStr for NewPassword {
    type Err = InvalidPassword;

    fn from_str(raw: &str) -> Result<Self, InvalidPassword> {
        if (LEAST_CHARACTERS..=MOST_CHARACTERS).contains(&raw.chars().count()) {
            Ok(Self(SecretText::new(raw.to_owned())))
        } else {
            Err(InvalidPassword::NewLength)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::people::user::About;

    fn chosen(password: &str) -> Result<(), InvalidPassword> {
        let profile = Profile {
            email: "grace.hopper@navy.example".parse().unwrap(),
            first_name: "Grace".parse().unwrap(),
            last_name: "Hopper".parse().unwrap(),
            about: About::nothing(),
        };
        password.parse::<NewPassword>()?.check_of(&profile)
    }

    #[test]
    fn a_password_is_long_and_no_common_one() {
        // A piece that comes again and again is easy to guess, however long it is.
        let longest: String = (0..200)
            .map(|n| char::from(b'!' + u8::try_from(n * n * 7 % 89).unwrap()))
            .collect();
        let too_long = format!("{longest}x");
        for good in [
            "correct horse battery staple",
            "fünf-zwölf-elf-Äpfel",
            "vT7#kq9!Lm2x",
            longest.as_str(),
        ] {
            assert_eq!(chosen(good), Ok(()), "{good}");
        }
        for (bad, problem) in [
            ("", InvalidPassword::NewLength),
            ("vT7#kq9!Lm2", InvalidPassword::NewLength),
            (&too_long, InvalidPassword::NewLength),
            ("passwordpassword", InvalidPassword::Guessable),
            ("123456789012", InvalidPassword::Guessable),
            ("qwertyuiop12", InvalidPassword::Guessable),
            ("aaaaaaaaaaaaaaaa", InvalidPassword::Guessable),
            ("gracehopper1906", InvalidPassword::Guessable),
            ("GraceNavyHopper12", InvalidPassword::Guessable),
            ("requestrocket", InvalidPassword::Guessable),
        ] {
            assert_eq!(chosen(bad), Err(problem), "{bad}");
        }
    }

    #[test]
    fn no_password_prints() {
        let new: NewPassword = "correct horse battery staple".parse().unwrap();
        let presented: PresentedPassword = "correct horse".parse().unwrap();
        let text = format!("{new:?} {presented:?}");
        assert!(!text.contains("horse"), "{text}");
        assert!("".parse::<PresentedPassword>().is_err());
    }
}
