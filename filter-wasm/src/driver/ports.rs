//! What the policy asks of the filter for one call.

use std::cell::RefCell;

use requestrocket_policy::{
    authn::{AuthPorts, Introspected, Remembered, TokenId, Unknown},
    exchange::{Charging, Ports},
    id::CredentialId,
    jose::{Question, Signatures},
    limit::{Charge, Micros},
    secret::SecretBytes,
    shares::Holder,
    sign::{Hash, Tools},
};
use uuid::Uuid;

use super::{OpaqueTokens, OpenCalls, opaque::AboutToken};
use crate::{
    counters::{Counters, Inquiry},
    host::Shared,
};

/// Credentials whose newer keys one call may wait for.
const MAX_WANTED: usize = 4;

/// What one call asks of its host besides its stream.
#[derive(Debug)]
pub struct CallPorts<'h, H> {
    host: &'h H,
    counters: &'h Counters,
    inquiry: Inquiry,
    /// What a call that is judged is one more of, and its stream.
    open: Option<(&'h OpenCalls, u32)>,
    /// Tokens that need not be verified again.
    tokens: Option<&'h RefCell<Remembered>>,
    /// Tokens of which their servers said something.
    opaque: Option<&'h OpaqueTokens>,
    /// Tokens whose servers could let the call in.
    unknown: RefCell<Vec<AboutToken>>,
    /// Credentials whose issuer may have newer keys.
    wanted: RefCell<Vec<CredentialId>>,
}

impl<'h, H: Shared> CallPorts<'h, H> {
    /// For a call that is so far with asking the region server.
    pub fn new(host: &'h H, counters: &'h Counters, inquiry: Inquiry) -> Self {
        Self {
            host,
            counters,
            inquiry,
            open: None,
            tokens: None,
            opaque: None,
            unknown: RefCell::default(),
            wanted: RefCell::default(),
        }
    }

    /// For a call whose caller is told by these.
    #[must_use]
    pub fn knowing(self, tokens: &'h RefCell<Remembered>, opaque: &'h OpaqueTokens) -> Self {
        Self {
            tokens: Some(tokens),
            opaque: Some(opaque),
            ..self
        }
    }

    /// The credentials whose newer keys could let the call in.
    pub fn wanted_keys(&self) -> Vec<CredentialId> {
        self.wanted.take()
    }

    /// What servers of tokens are to be asked.
    pub(super) fn questions(&self) -> Vec<AboutToken> {
        self.unknown.take()
    }

    /// For a call that may become one of these.
    #[must_use]
    pub fn among(self, open: &'h OpenCalls, stream: u32) -> Self {
        Self {
            open: Some((open, stream)),
            ..self
        }
    }
}

impl<H: Shared> Tools for CallPorts<'_, H> {
    fn random(&self) -> Option<[u8; 16]> {
        self.host.random().ok()
    }

    fn sign(&self, hash: Hash, pkcs8: &SecretBytes, text: &[u8]) -> Option<Vec<u8>> {
        let signature = self.host.sign(hash.as_str(), pkcs8.expose(), text);
        signature.ok().flatten()
    }
}

impl<H: Shared> Signatures for CallPorts<'_, H> {
    fn is_signed(&self, question: &Question<'_>) -> bool {
        self.host.is_signed(question).unwrap_or(false)
    }
}

impl<H: Shared> AuthPorts for CallPorts<'_, H> {
    fn now_ms(&self) -> u64 {
        // Without a clock every credential that expires has expired.
        self.host.now_ms().unwrap_or(u64::MAX)
    }

    fn right_until_ms(&self, token: &TokenId) -> Option<u64> {
        self.tokens?.borrow_mut().until_ms(token)
    }

    fn want_newer_keys(&self, credential: CredentialId) {
        let mut wanted = self.wanted.borrow_mut();
        if wanted.len() < MAX_WANTED && !wanted.contains(&credential) {
            wanted.push(credential);
        }
    }

    fn introspected(&self, token: &TokenId) -> Option<Introspected> {
        self.opaque?.known(self.host, token)
    }

    fn want_introspection(&self, token: Unknown<'_>) {
        let mut unknown = self.unknown.borrow_mut();
        if unknown.len() < MAX_WANTED {
            unknown.push(AboutToken::about(&token));
        }
    }

    fn remember(&self, token: TokenId, until_ms: u64) {
        if let Some(tokens) = self.tokens {
            tokens.borrow_mut().insert(token, until_ms);
        }
    }
}

impl<H: Shared> Ports for CallPorts<'_, H> {
    fn has_room(&self, holder: Holder) -> bool {
        self.open
            .is_some_and(|(open, stream)| open.has_room(self.host, stream, holder))
    }

    fn charge(&self, charges: &[(Uuid, &Charge)]) -> Charging {
        let decided = self.counters.charge(self.host, charges, self.inquiry);
        if let Ok(Charging::Admitted(_)) = decided {
            for (owner, charge) in charges {
                let amount = charge.on_admission();
                self.counters.note(*owner, charge.counter, amount);
            }
        }
        decided.unwrap_or(Charging::Fault)
    }

    fn add(&self, (owner, charge): (Uuid, &Charge), amount: Micros) {
        self.counters.note(owner, charge.counter, amount);
        if self
            .counters
            .add(self.host, (owner, charge), amount)
            .is_err()
        {
            self.host.warn("a meter's value could not be counted");
        }
    }
}
