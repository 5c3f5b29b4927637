//! Argon2id (RFC 9106) of passwords, in the PHC string format. Each call works for tens of
//! milliseconds in 19 MiB.

use argon2::Argon2;
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{Error, PasswordHasher, PasswordVerifier};

/// What nobody's password is verified against, so that an address that is unknown takes as long as
/// one that is not. Its costs are those of [`hash`].
const NOBODYS: &str = "$argon2id$v=19$m=19456,t=2,p=1$c2FsdC1vZi1ub2JvZHk$\
                       MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY";

/// What is stored of a password: with a salt of its own, 19 MiB and two passes, as OWASP advises.
///
/// # Errors
/// The machine gives no randomness.
pub fn hash(password: &str) -> Result<String, Error> {
    let hash: PasswordHash = Argon2::default().hash_password(password.as_bytes())?;
    Ok(hash.to_string())
}

/// Whether the password is the one that was hashed; without a hash it is none, and takes as long.
#[must_use]
pub fn verify(password: &str, hash: Option<&str>) -> bool {
    let Ok(stored) = PasswordHash::new(hash.unwrap_or(NOBODYS)) else {
        return false;
    };
    let verified = Argon2::default().verify_password(password.as_bytes(), &stored);
    verified.is_ok() && hash.is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_known_again_and_no_other() {
        let stored = hash("correct horse battery staple").unwrap();
        assert!(!stored.contains("horse"));
        assert!(verify("correct horse battery staple", Some(&stored)));
        for (other, hash) in [
            ("correct horse battery stapl", Some(stored.as_str())),
            ("", Some(&stored)),
            ("correct horse battery staple", None),
            ("correct horse battery staple", Some("$argon2id$nonsense")),
        ] {
            assert!(!verify(other, hash), "{other} {hash:?}");
        }
        assert_ne!(stored, hash("correct horse battery staple").unwrap());
    }

    #[test]
    fn nobodys_hash_costs_what_everybodys_does() {
        let costs = |hash: &str| hash.split('$').take(4).collect::<Vec<_>>().join("$");
        assert_eq!(costs(NOBODYS), costs(&hash("x").unwrap()));
        assert!(PasswordHash::new(NOBODYS).is_ok());
        let lengths = |hash: &str| hash.split('$').map(str::len).collect::<Vec<_>>();
        assert_eq!(lengths(NOBODYS)[5], lengths(&hash("x").unwrap())[5]);
    }
}
