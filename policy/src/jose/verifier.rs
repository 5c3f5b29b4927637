//! One credential's way to say whether a token is right.

use std::{cell::Cell, fmt};

use super::{
    algorithm::Algorithms,
    claims::{ClaimChecks, InvalidClaims},
    invalid::InvalidToken,
    key::Key,
    object::Object,
    signature::{Signatures, is_signed},
    token::Token,
};

/// Most keys of one credential that a token is tried with.
pub const MAX_KEYS_TRIED: usize = 8;
/// Most keys of all credentials that a token is tried with.
pub const MAX_TRIES: usize = 16;

/// What one try of RSA-PSS counts for: it is arithmetic in the module, the others are Envoy's.
const PSS_TRIES: usize = 4;

/// The keys of a credential.
#[derive(Debug)]
pub enum Keys {
    /// That one, whatever `kid` a token names.
    One(Box<Key>),
    /// Of a key set: `kid` of a token chooses.
    Set(Box<[Key]>),
}

/// What a credential accepts.
#[derive(Debug)]
pub struct Verifier {
    /// A token by any other is refused.
    pub algorithms: Algorithms,
    /// What its signature is verified with.
    pub keys: Keys,
    /// What it must say.
    pub claims: ClaimChecks,
}

/// What a token is verified by, for all credentials that it may be for.
pub struct Trial<'a> {
    now_ms: u64,
    signatures: &'a dyn Signatures,
    tries_left: Cell<usize>,
}

impl<'a> Trial<'a> {
    /// Nothing was tried yet.
    pub fn new(now_ms: u64, signatures: &'a dyn Signatures) -> Self {
        Self {
            now_ms,
            signatures,
            tries_left: Cell::new(MAX_TRIES),
        }
    }

    /// When it is held, in Unix time in milliseconds.
    pub fn now_ms(&self) -> u64 {
        self.now_ms
    }

    fn try_key(&self, token: &Token<'_>, key: &Key) -> bool {
        let cost = if token.header.algorithm.is_pss() {
            PSS_TRIES
        } else {
            1
        };
        let Some(left) = self.tries_left.get().checked_sub(cost) else {
            return false;
        };
        self.tries_left.set(left);
        is_signed(token, &key.material, self.signatures)
    }
}

impl fmt::Debug for Trial<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Trial({})", self.tries_left.get())
    }
}

/// A token that is right.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Verified {
    /// `exp`, in Unix time in milliseconds.
    pub end_ms: Option<u64>,
}

/// Why a token is not right.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// It is none that could be.
    #[error(transparent)]
    Token(#[from] InvalidToken),
    /// The credential does not accept its algorithm.
    #[error("the credential does not accept this algorithm")]
    Algorithm,
    /// There is no key of its `kid` for its algorithm.
    #[error("no key fits the token")]
    NoKey,
    /// No key that fits made its signature.
    #[error("the signature is wrong")]
    Signature,
    /// Its claims are not what the credential asks for.
    #[error(transparent)]
    Claims(#[from] InvalidClaims),
}

impl Refused {
    /// Whether newer keys could make a difference.
    pub fn may_know_newer_keys(self) -> bool {
        match self {
            Self::NoKey | Self::Signature => true,
            Self::Token(_) | Self::Algorithm | Self::Claims(_) => false,
        }
    }
}

impl Verifier {
    /// Verifies a token as it was presented.
    pub fn verify(&self, token: &[u8], trial: &Trial<'_>) -> Result<Verified, Refused> {
        let token = Token::parse(token)?;
        let algorithm = token.header.algorithm;
        if !self.algorithms.contain(algorithm) {
            return Err(Refused::Algorithm);
        }
        let fitting = self.keys.of(token.header.key_id.as_deref());
        let mut fitting = fitting.filter(|key| key.suits(algorithm)).peekable();
        if fitting.peek().is_none() {
            return Err(Refused::NoKey);
        }
        let mut tried = fitting.take(MAX_KEYS_TRIED);
        if !tried.any(|key| trial.try_key(&token, key)) {
            return Err(Refused::Signature);
        }
        // Only now: what a stranger sends costs its header and `MAX_KEYS_TRIED` signatures at most.
        let text = token.claims()?;
        let claims = Object::parse(&text).map_err(InvalidClaims::Object)?;
        let end_ms = self.claims.check(&claims, trial.now_ms)?;
        Ok(Verified { end_ms })
    }
}

impl Keys {
    /// Those that a token may mean by its `kid`.
    fn of<'k>(&'k self, key_id: Option<&str>) -> impl Iterator<Item = &'k Key> {
        let (keys, is_set) = match self {
            Self::One(key) => (std::slice::from_ref(&**key), false),
            Self::Set(keys) => (&**keys, true),
        };
        keys.iter().filter(move |key| match key_id {
            Some(wanted) if is_set => key.id.as_deref() == Some(wanted),
            Some(_) | None => true,
        })
    }
}
