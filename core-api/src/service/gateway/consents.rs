//! Asking somebody to consent at a provider, and taking what they come back with.
//!
//! Invariants: a state is used once, for the very secret that it was made for, with the rights of
//! who was sent; codes and verifiers are sealed to the region before anything is stored.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use requestrocket_policy::secret::SecretText;
use serde_json::json;
use sha2::{Digest, Sha256};
use sqlx::AnyConnection;

use crate::domain::account::audit::{Actor, Author, Entry, Origin, Subject as _, members};
use crate::domain::gateway::consent::{
    ANSWER_PATH, CONSENT_LIFE, ConsentRequest, SealedConsent, TEMPORARY_LIFE,
};
use crate::domain::gateway::credential::Credential;
use crate::domain::id::{CredentialId, OrganisationId};
use crate::domain::moment::Moment;
use crate::domain::people::permission::Permission;
use crate::domain::random::base62;
use crate::error::{ApiError, ApiResult, Code, id};
use crate::identity::caller::Scope;
use crate::identity::token::digest;
use crate::region::sealing::{Part, SecretOwner, seal_part};
use crate::service::change::Change;
use crate::state::AppState;
use crate::store::gateway::consent::{
    consent_request_home, consent_request_put, consent_request_take, credential_abandoned_list,
    credential_consented, credential_is_abandoned,
};
use crate::store::gateway::credential::{credential_delete, credential_fetch};
use crate::store::gateway::region::sealing_key;
use crate::store::log::write::{Done, Kind, Over, Write};
use crate::store::people::session::membership_fetch;

/// 256 bits, of letters that a verifier may have (RFC 7636 §4.1).
const RANDOM_CHARACTERS: usize = 43;

/// Where to send somebody, and until when they may answer.
#[derive(Debug)]
pub struct ConsentLink {
    /// Holds the state: whoever has it can answer.
    pub address: SecretText,
    /// No answer is taken from then on.
    pub expires_at: Moment,
}

/// What somebody came back with.
#[derive(Debug)]
pub enum Answer {
    /// They consented.
    Code(SecretText),
    /// They did not, or the provider failed.
    Refusal,
}

/// What became of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Taken {
    /// The region asks for a token now.
    Connected,
    /// Nothing: why is for the log.
    Refused(&'static str),
}

/// Asks for a consent to the present secret of `credential`; None when it needs none.
///
/// # Errors
/// The actor is no user, or the region has never enrolled.
pub(super) async fn ask(
    write: &mut Write,
    credential: &Credential,
    (actor, public_url): (&str, &str),
) -> ApiResult<Option<ConsentLink>> {
    let Some(consent) = &credential.consent else {
        return Ok(None);
    };
    let random = || base62(RANDOM_CHARACTERS).map_err(ApiError::internal);
    let state = random()?;
    let verifier = if consent.page.is_bound() {
        Some(random()?)
    } else {
        None
    };
    let sealed_verifier = match &verifier {
        Some(text) => Some(sealed(write.conn(), credential, (Part::Verifier, text)).await?),
        None => None,
    };
    let challenge = verifier.as_ref().map(|text| challenge(text));
    let redirect_uri = format!("{public_url}{ANSWER_PATH}");
    let address = consent
        .page
        .address(&redirect_uri, &state, challenge.as_deref());
    let request = ConsentRequest {
        credential: credential.id,
        organisation: credential.organisation,
        version: credential.version,
        user: actor.parse().map_err(ApiError::internal)?,
        redirect_uri,
        sealed_verifier,
        expires_at: write.now().plus(CONSENT_LIFE),
    };
    // Only its digest: who reads the store can answer for nobody.
    consent_request_put(write.conn(), &request, &digest(state.as_bytes())).await?;
    Ok(Some(ConsentLink {
        address: SecretText::new(address),
        expires_at: request.expires_at,
    }))
}

/// Asks for a consent once more: the one before was not answered, or does not count any longer.
///
/// # Errors
/// There is no such credential, or nobody has to consent to it.
pub async fn ask_again(
    change: &Change,
    scope: &Scope,
    credential: &str,
) -> ApiResult<(ConsentLink, Done)> {
    let credential: CredentialId = id(credential)?;
    let mut write = change.begin(Over::Organisation(scope.id())).await?;
    let found = credential_fetch(write.conn(), scope.id(), credential).await?;
    let credential = found.ok_or_else(ApiError::not_found)?;
    let public_url = &change.state.public_url;
    let asked = ask(&mut write, &credential, (&scope.actor, public_url)).await?;
    let asked = asked
        .ok_or_else(|| ApiError::new(Code::Conflict, "nobody has to consent to this credential"))?;
    let until = json!({"expiresAt": asked.expires_at.to_string()});
    let entry = Entry::changed(credential.members(), &credential, "askConsent");
    let entry = entry.with_after(members(until));
    let done = change.commit(write, entry).await?;
    Ok((asked, done))
}

/// Takes an answer. Whatever it is, its state is of no use any more.
///
/// # Errors
/// The store does not answer.
pub async fn take(
    state: &AppState,
    origin: Origin,
    returned: &str,
    answer: Answer,
) -> ApiResult<Taken> {
    let digest = digest(returned.as_bytes());
    let unknown = Taken::Refused("state is unknown, expired or was used");
    // Before the change begins, whose first lock has to be the organisation's.
    let home = {
        let mut conn = state.connect().await?;
        consent_request_home(&mut conn, &digest).await?
    };
    let Some(organisation) = home else {
        return Ok(unknown);
    };
    let mut write = state.begin().await?;
    write.alone_over(Over::Organisation(organisation)).await?;
    let now = write.now();
    let Some(request) = consent_request_take(write.conn(), &digest, now).await? else {
        // One that is too late changes nothing, and goes with the next request for a consent.
        return Ok(unknown);
    };
    let author = Author {
        // With whose rights it is taken.
        actor: Actor::User {
            id: request.user,
            token: None,
        },
        origin,
    };
    let found = credential_fetch(write.conn(), organisation, request.credential).await?;
    let found = found.ok_or_else(ApiError::not_found)?;
    let taken = match answer {
        Answer::Code(code) => consented(&mut write, request, &code).await?,
        Answer::Refusal => Taken::Refused("the provider answers with an error"),
    };
    let outcome = match taken {
        Taken::Connected => json!({"outcome": "connected"}),
        Taken::Refused(reason) => json!({"outcome": "refused", "reason": reason}),
    };
    let entry = Entry::changed(found.members(), &found, "consent").with_after(members(outcome));
    write.commit(&state.fleets, &author, entry).await?;
    Ok(taken)
}

async fn consented(
    write: &mut Write,
    request: ConsentRequest,
    code: &SecretText,
) -> ApiResult<Taken> {
    let ConsentRequest {
        credential,
        organisation,
        version,
        user,
        redirect_uri,
        sealed_verifier,
        expires_at: _,
    } = request;
    let member = membership_fetch(write.conn(), organisation, user).await?;
    if !member.is_some_and(|(_, roles)| Permission::WriteResources.is_granted_to(roles.each())) {
        return Ok(Taken::Refused("who asked may not change it any more"));
    }
    let found = credential_fetch(write.conn(), organisation, credential).await?;
    let Some(mut credential) = found.filter(|it| it.version == version) else {
        return Ok(Taken::Refused("the secret is another by now"));
    };
    let Some(consent) = &mut credential.consent else {
        return Ok(Taken::Refused("nobody has to consent any more"));
    };
    consent.number += 1;
    consent.is_temporary = false;
    credential.updated_at = write.now();
    credential.revision = write.version_after(credential.revision);
    let sealed = SealedConsent {
        code: sealed(write.conn(), &credential, (Part::Code, code.expose())).await?,
        verifier: sealed_verifier,
        redirect_uri,
    };
    let revision = write.revision().await?;
    credential_consented(write.conn(), &credential, &sealed, revision).await?;
    let id = credential.id.to_string();
    write
        .touch(&credential.region, Kind::Credential, &id)
        .await?;
    Ok(Taken::Connected)
}

/// Removes credentials to which nobody has consented in time, and says how many.
///
/// # Errors
/// The store does not answer.
pub async fn remove_abandoned(state: &AppState) -> ApiResult<usize> {
    let now = state.now();
    let made_before = now.minus(TEMPORARY_LIFE);
    let abandoned = {
        let mut conn = state.connect().await?;
        credential_abandoned_list(&mut conn, made_before, now).await?
    };
    let mut removed = 0;
    for (organisation, credential) in abandoned {
        removed += usize::from(remove(state, organisation, credential).await?);
    }
    Ok(removed)
}

/// False: somebody consented or began to use it meanwhile.
async fn remove(
    state: &AppState,
    organisation: OrganisationId,
    credential: CredentialId,
) -> ApiResult<bool> {
    let mut write = state.begin().await?;
    write.alone_over(Over::Organisation(organisation)).await?;
    let (now, made_before) = (write.now(), write.now().minus(TEMPORARY_LIFE));
    let whose = (organisation, credential);
    if !credential_is_abandoned(write.conn(), whose, made_before, now).await? {
        return Ok(false);
    }
    let found = credential_fetch(write.conn(), organisation, credential).await?;
    let Some(found) = found else {
        return Ok(false);
    };
    credential_delete(write.conn(), organisation, credential).await?;
    let id = credential.to_string();
    write.removed(&found.region, Kind::Credential, &id).await?;
    let entry = Entry::deleted(&found);
    write
        .commit(&state.fleets, &Actor::System.into(), entry)
        .await?;
    tracing::info!(credential_id = id, "nobody consented: credential removed");
    Ok(true)
}

async fn sealed(
    conn: &mut AnyConnection,
    credential: &Credential,
    (part, text): (Part, &str),
) -> ApiResult<String> {
    let region = credential.region.as_str();
    let key = sealing_key(conn, region).await?;
    let owner = SecretOwner {
        region,
        organisation_id: &credential.organisation.to_string(),
        credential_id: &credential.id.to_string(),
        version: credential.version,
    };
    seal_part(&key, &owner, (part, text.as_bytes())).map_err(ApiError::internal)
}

/// What a provider is told of a verifier (RFC 7636 §4.2).
fn challenge(verifier: &str) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(verifier))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_challenge_is_that_of_rfc_7636_appendix_b() {
        let verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
        let want = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
        assert_eq!(challenge(verifier), want);
    }
}
