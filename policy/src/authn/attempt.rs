//! One presented value against a proxy's credentials.

use std::sync::OnceLock;

use super::{
    Accepted, AuthPorts, AuthType, DIGEST_BYTES, DigestKey, Form, Introspected, ProxyCredential,
    SecretDigest, SignedToken, api_key, basic, bearer, jwt,
    opaque::{OpaqueToken, Standing},
    token,
};
use crate::{
    id::CredentialId,
    jose::{MAX_TOKEN_BYTES, Refused, Trial},
};

type Digest = [u8; DIGEST_BYTES];

/// Hashes that every refusal costs at least: one for each form a value can be compared in.
const REFUSAL_HASHES: usize = 3;

/// No stored secret, in the form it is presented, is longer, and no token with its prefix and some
/// blanks. What is longer matches nothing.
const MAX_PRESENTED_BYTES: usize = MAX_TOKEN_BYTES + 64;

/// A value that matches no credential.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unverified {
    /// It is wrong.
    Wrong,
    /// It is, or may be a token of which nothing is known.
    Unknown,
}

/// The credential that the value matches: the first in list order decides, whatever follows it.
pub(crate) fn verify(
    credentials: &[ProxyCredential],
    key: &DigestKey,
    value: &[u8],
    ports: &dyn AuthPorts,
) -> Result<(CredentialId, AuthType), Unverified> {
    if value.len() > MAX_PRESENTED_BYTES {
        return Err(Unverified::Wrong);
    }
    let mut attempt = Attempt::new(key, value);
    let verified = attempt.first_match(credentials, ports);
    let verified = verified.ok_or_else(|| attempt.unverified(credentials, ports));
    if verified.is_err() {
        attempt.spend_the_rest();
    }
    verified
}

/// What its server says of an opaque token that was verified for that credential; none: it is of
/// another kind.
pub(crate) fn introspected_claims(
    credentials: &[ProxyCredential],
    key: &DigestKey,
    (used, value): (CredentialId, &[u8]),
    ports: &dyn AuthPorts,
) -> Option<String> {
    let mut attempt = Attempt::new(key, value);
    let own = credentials
        .iter()
        .filter(|credential| credential.id == used);
    own.filter_map(opaque).find_map(|accepted| {
        let (_, digest) = attempt.presented_token();
        match ports.introspected(&accepted.id_of(digest))? {
            Introspected::Active(claims) => Some(claims.to_string()),
            Introspected::Inactive => None,
        }
    })
}

fn opaque(credential: &ProxyCredential) -> Option<&OpaqueToken> {
    match credential.accepts.as_ref()? {
        Accepted::Opaque(accepted) => Some(accepted),
        Accepted::Secret { .. } | Accepted::Token(_) => None,
    }
}

/// The work of a wrong credential, for a proxy that does not exist.
pub(crate) fn refuse_unknown(value: &[u8]) {
    // Worked in once, as the key of a proxy that exists is.
    static NOBODYS_KEY: OnceLock<Option<DigestKey>> = OnceLock::new();
    let key = NOBODYS_KEY.get_or_init(|| DigestKey::new(&[0; DIGEST_BYTES]).ok());
    if let Some(key) = key {
        Attempt::new(key, value).spend_all();
    }
}

/// The matching digests of one credential.
struct Found {
    has_endless: bool,
    latest_end_ms: Option<u64>,
}

impl Found {
    fn any(&self) -> bool {
        self.has_endless || self.latest_end_ms.is_some()
    }

    fn is_valid(&self, ports: &dyn AuthPorts) -> bool {
        let is_before = |end| ports.now_ms() < end;
        self.has_endless || self.latest_end_ms.is_some_and(is_before)
    }
}

fn matching(digests: &[SecretDigest], presented: &Digest) -> Found {
    let mut found = Found {
        has_endless: false,
        latest_end_ms: None,
    };
    // With each of them, also behind a match: the time must not tell which one it was.
    for digest in digests {
        let is_match = digest.matches(presented);
        found.has_endless |= is_match && digest.valid_until_ms.is_none();
        found.latest_end_ms = found
            .latest_end_ms
            .max(digest.valid_until_ms.filter(|_| is_match));
    }
    found
}

/// The digests of a presented value, each made once.
struct Attempt<'a> {
    key: &'a DigestKey,
    value: &'a [u8],
    hashes: usize,
    whole: Option<Digest>,
    /// Of what follows a prefix of that length.
    token: Option<(usize, Digest)>,
    pair: Pair,
}

/// The value read as a user name and a password.
#[derive(Clone, Copy)]
enum Pair {
    Unread,
    None,
    Digest(Digest),
}

impl<'a> Attempt<'a> {
    fn new(key: &'a DigestKey, value: &'a [u8]) -> Self {
        Self {
            key,
            value,
            hashes: 0,
            whole: None,
            token: None,
            pair: Pair::Unread,
        }
    }

    fn first_match(
        &mut self,
        credentials: &[ProxyCredential],
        ports: &dyn AuthPorts,
    ) -> Option<(CredentialId, AuthType)> {
        let mut trial = None;
        for ProxyCredential {
            id,
            is_active,
            ends_at_ms,
            accepts,
        } in credentials
        {
            // A closure, because the clock is a call of the host and most credentials do not match.
            let is_in_force = || *is_active && ends_at_ms.is_none_or(|end| ports.now_ms() < end);
            match accepts {
                None => {}
                Some(Accepted::Secret { form, digests }) => {
                    let Some(digest) = self.digest_for(form) else {
                        continue;
                    };
                    let found = matching(digests, &digest);
                    if found.any() {
                        let is_valid = is_in_force() && found.is_valid(ports);
                        return is_valid.then_some((*id, form.auth_type()));
                    }
                }
                Some(Accepted::Opaque(accepted)) => {
                    let token = self.presented_token();
                    if accepted.judge(token, ports.now_ms(), ports) == Standing::Right {
                        return is_in_force().then_some((*id, AuthType::OAuth2));
                    }
                }
                Some(Accepted::Token(accepted)) => {
                    // One for all: it bounds the keys that a stranger may have a token tried with.
                    let trial = trial.get_or_insert_with(|| Trial::new(ports.now_ms(), ports));
                    match self.verify(accepted, trial, ports) {
                        Ok(()) => return is_in_force().then_some((*id, accepted.auth_type)),
                        Err(refused) => {
                            if accepted.may_have_newer_keys(refused) && is_in_force() {
                                ports.want_newer_keys(*id);
                            }
                        }
                    }
                }
            }
        }
        None
    }

    fn verify(
        &mut self,
        accepted: &SignedToken,
        trial: &Trial<'_>,
        ports: &dyn AuthPorts,
    ) -> Result<(), Refused> {
        accepted.verify(self.presented_token(), trial, ports)
    }

    /// The token of what was presented, and its digest.
    fn presented_token(&mut self) -> (&'a [u8], Digest) {
        let token = token::presented(self.value);
        let digest = match self.token(token::PREFIX) {
            Some(digest) => digest,
            None => self.whole(token),
        };
        (token, digest)
    }

    /// What to make of a value that matches nothing that is known: nobody is asked about one that
    /// does.
    fn unverified(&mut self, credentials: &[ProxyCredential], ports: &dyn AuthPorts) -> Unverified {
        let mut unverified = Unverified::Wrong;
        for credential in credentials {
            let ends_at_ms = credential.ends_at_ms;
            let is_ended = || ends_at_ms.is_some_and(|end| ports.now_ms() >= end);
            let Some(accepted) = opaque(credential) else {
                continue;
            };
            // It lets nobody in, whatever its server says.
            if !credential.is_active || is_ended() {
                continue;
            }
            let token = self.presented_token();
            if accepted.judge(token, ports.now_ms(), ports) == Standing::Unknown {
                ports.want_introspection(accepted.unknown(token));
                unverified = Unverified::Unknown;
            }
        }
        unverified
    }

    /// Digest of what a form compares; none when the value is not of that form.
    fn digest_for(&mut self, form: &Form) -> Option<Digest> {
        match form {
            Form::ApiKey => Some(self.whole(api_key::compared(self.value))),
            Form::Jwt => Some(self.whole(jwt::compared(self.value))),
            Form::Bearer { prefix } => self.token(prefix),
            Form::BasicAuth => self.pair(),
        }
    }

    fn whole(&mut self, value: &[u8]) -> Digest {
        // Every form that compares all of a value compares it as it is, so one digest serves all.
        if let Some(digest) = self.whole {
            return digest;
        }
        let digest = self.hash(value);
        self.whole = Some(digest);
        digest
    }

    fn token(&mut self, prefix: &str) -> Option<Digest> {
        let token = bearer::compared(self.value, prefix)?;
        // Prefixes of one length that one value has are the same but for case.
        if let Some((length, digest)) = self.token
            && length == prefix.len()
        {
            return Some(digest);
        }
        let digest = self.hash(token);
        self.token = Some((prefix.len(), digest));
        Some(digest)
    }

    fn pair(&mut self) -> Option<Digest> {
        if matches!(self.pair, Pair::Unread) {
            self.pair = match basic::compared(self.value) {
                Some(pair) => Pair::Digest(self.hash(pair.expose())),
                None => Pair::None,
            };
        }
        match self.pair {
            Pair::Digest(digest) => Some(digest),
            Pair::Unread | Pair::None => None,
        }
    }

    fn hash(&mut self, value: &[u8]) -> Digest {
        self.hashes += 1;
        self.key.digest(value)
    }

    /// The work of a wrong credential.
    fn spend_all(&mut self) {
        if self.value.len() <= MAX_PRESENTED_BYTES {
            self.spend_the_rest();
        }
    }

    /// Brings a refusal to the same work, whatever the proxy's credentials are.
    fn spend_the_rest(&mut self) {
        if matches!(self.pair, Pair::Unread) {
            // Base64 takes time, too. The black box keeps work whose result nobody reads.
            std::hint::black_box(basic::compared(self.value));
        }
        while self.hashes < REFUSAL_HASHES {
            std::hint::black_box(self.hash(self.value));
        }
    }
}

#[cfg(test)]
mod tests;
