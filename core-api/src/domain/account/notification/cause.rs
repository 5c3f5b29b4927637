//! What is told for which reason.

mod billing;
mod webhook;

use uuid::Uuid;

use super::{About, Audience, Due, Kind, Notice, Owner};
use crate::domain::id::{CredentialId, OrganisationId, TargetId, TokenId, UserId};
use crate::domain::moment::Moment;
use crate::domain::people::browser_session::Visitor;
use crate::domain::people::member::{Invite, Member};

/// What goes on has a cause that begins so, until it ends.
pub const WHILE: &str = "while:";

/// How far a window of a meter is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Level<'a> {
    /// The meter's id.
    pub meter: &'a str,
    /// Its name.
    pub name: &'a str,
    /// Such as `hour`.
    pub window: &'a str,
    /// Unix time in milliseconds.
    pub start_ms: u64,
    /// In whole units, cut.
    pub used: u64,
    /// In whole units.
    pub limit: u64,
}

impl Notice {
    fn new(owner: Owner, kind: Kind, (title, message): (String, String), cause: &str) -> Self {
        Self {
            owner,
            audience: Audience::Members,
            kind,
            severity: kind.severity(),
            title,
            message,
            about: None,
            cause: format!("{}:{cause}", kind.as_str()),
        }
    }

    fn about(mut self, kind: &str, id: &impl ToString) -> Self {
        let (kind, id) = (kind.to_owned(), id.to_string());
        self.about = Some(About { kind, id });
        self
    }

    fn for_managers(mut self) -> Self {
        self.audience = Audience::Managers;
        self
    }

    /// It goes on; told anew only after it has ended.
    fn lasting(mut self) -> Self {
        self.cause = format!("{WHILE}{}", self.cause);
        self
    }

    /// An operator says something to everybody.
    #[must_use]
    pub fn announcement(title: String, message: String) -> Self {
        let cause = Uuid::new_v4().to_string();
        Self::new(Owner::System, Kind::Announcement, (title, message), &cause)
    }

    /// A meter comes near its limit.
    #[must_use]
    pub fn meter_near_limit(organisation: OrganisationId, level: &Level<'_>) -> Self {
        let Level { name, window, .. } = level;
        let title = format!("Meter {name} is near its limit");
        let message = format!(
            "{} of {} are used in this {window}.",
            level.used, level.limit
        );
        Self::of_meter(organisation, Kind::MeterNearLimit, (title, message), level)
    }

    /// A meter has used up its limit.
    #[must_use]
    pub fn meter_exceeded(organisation: OrganisationId, level: &Level<'_>) -> Self {
        let Level { name, window, .. } = level;
        let title = format!("Meter {name} has reached its limit");
        let message = format!(
            "The {} of this {window} are used up. Calls are refused until the {window} ends.",
            level.limit
        );
        Self::of_meter(organisation, Kind::MeterExceeded, (title, message), level)
    }

    fn of_meter(
        organisation: OrganisationId,
        kind: Kind,
        words: (String, String),
        level: &Level<'_>,
    ) -> Self {
        let Level {
            meter,
            window,
            start_ms,
            ..
        } = level;
        let cause = format!("{meter}:{window}:{start_ms}");
        Self::new(Owner::Organisation(organisation), kind, words, &cause).about("meter", meter)
    }

    /// A target sent the secret of a credential back, in an hour that begins then (Unix time in
    /// milliseconds).
    #[must_use]
    pub fn secret_echo(
        organisation: OrganisationId,
        (credential, name): (CredentialId, &str),
        hour_ms: u64,
    ) -> Self {
        let title = format!("A target sends back the secret of {name}");
        let message = "Callers get asterisks in its place. Have the target repaired, and change \
                       the secret if others than callers may have seen it."
            .to_owned();
        let owner = Owner::Organisation(organisation);
        let cause = format!("{credential}:{hour_ms}");
        Self::new(owner, Kind::SecretEcho, (title, message), &cause)
            .about("credential", &credential)
    }

    /// No token can be obtained for a credential.
    #[must_use]
    pub fn credential_failing(
        organisation: OrganisationId,
        (credential, name): (CredentialId, &str),
    ) -> Self {
        let title = format!("No token for credential {name}");
        let message = "Its provider gives none, or its secret has to be renewed. The credential's \
                       `tokenState` says more."
            .to_owned();
        let owner = Owner::Organisation(organisation);
        let words = (title, message);
        Self::new(
            owner,
            Kind::CredentialFailing,
            words,
            &credential.to_string(),
        )
        .about("credential", &credential)
        .lasting()
    }

    /// The cause of [`credential_failing`](Self::credential_failing).
    #[must_use]
    pub fn cause_of_failing(credential: &str) -> String {
        format!("{WHILE}{}:{credential}", Kind::CredentialFailing.as_str())
    }

    /// There is a token for a credential again.
    #[must_use]
    pub fn credential_recovered(
        organisation: OrganisationId,
        (credential, name): (CredentialId, &str),
        at: Moment,
    ) -> Self {
        let title = format!("Credential {name} has a token again");
        let message = "Calls with it go through again.".to_owned();
        let owner = Owner::Organisation(organisation);
        let words = (title, message);
        Self::new(
            owner,
            Kind::CredentialRecovered,
            words,
            &format!("{credential}:{at}"),
        )
        .about("credential", &credential)
    }

    /// A credential ends.
    #[must_use]
    pub fn credential_expiring(
        organisation: OrganisationId,
        (credential, name): (CredentialId, &str),
        (due, end): (Due, Moment),
    ) -> Self {
        let title = format!("Credential {name} {}", due.verb());
        let message = format!("Its `credentialExpiresAt` is {end}. From then on it is of no use.");
        let owner = Owner::Organisation(organisation);
        let cause = format!("{credential}:{end}:{}", due.days());
        Self::new(owner, Kind::CredentialExpiring, (title, message), &cause)
            .about("credential", &credential)
    }

    /// Targets refused the second secret of a credential.
    #[must_use]
    pub fn credential_switched_back(
        organisation: OrganisationId,
        (credential, name): (CredentialId, &str),
        version: u64,
    ) -> Self {
        let title = format!("Targets refuse the next secret of {name}");
        let message = "They are given the secret before again.".to_owned();
        let owner = Owner::Organisation(organisation);
        let cause = format!("{credential}:{version}");
        Self::new(
            owner,
            Kind::CredentialSwitchedBack,
            (title, message),
            &cause,
        )
        .about("credential", &credential)
    }

    /// Two calls in a row, the last one at that moment, say that a target answers again, or does not
    /// any more.
    #[must_use]
    pub fn target_turned(
        organisation: OrganisationId,
        (target, name): (TargetId, &str),
        (is_reachable, at): (bool, Moment),
    ) -> Self {
        let owner = Owner::Organisation(organisation);
        let (kind, title) = if is_reachable {
            (
                Kind::TargetRecovered,
                format!("Target {name} answers again"),
            )
        } else {
            let title = format!("Target {name} does not answer");
            (Kind::TargetUnreachable, title)
        };
        let message = "Two checks in a row came to that. Its `targetHealth` shows the last one.";
        let cause = format!("{target}:{at}");
        Self::new(owner, kind, (title, message.to_owned()), &cause).about("target", &target)
    }

    /// What a proxy became is refused, as of that revision.
    #[must_use]
    pub fn config_rejected(
        organisation: OrganisationId,
        (proxy, name): (&str, &str),
        (region, revision): (&str, u64),
    ) -> Self {
        let title = format!("Proxy {name} is not served as configured");
        let message = format!(
            "Region {region} goes on with what it had. The proxy's status says what is wrong."
        );
        let owner = Owner::Organisation(organisation);
        let cause = format!("{proxy}:{revision}");
        Self::new(owner, Kind::ConfigRejected, (title, message), &cause).about("proxy", &proxy)
    }

    /// A region's link is down since then.
    #[must_use]
    pub fn region_disconnected(region: &str, since: Moment) -> Self {
        let title = format!("Region {region} is not connected");
        let message = format!(
            "Since {since}. It serves what it has; changes, and what it knows of calls, wait for it."
        );
        let words = (title, message);
        Self::new(Owner::System, Kind::RegionDisconnected, words, region)
            .about("region", &region)
            .lasting()
    }

    /// The cause of [`region_disconnected`](Self::region_disconnected).
    #[must_use]
    pub fn cause_of_disconnection(region: &str) -> String {
        format!("{WHILE}{}:{region}", Kind::RegionDisconnected.as_str())
    }

    /// So many calls of a region have no record, in an hour that begins then (Unix time in
    /// milliseconds).
    #[must_use]
    pub fn log_incomplete(region: &str, calls: u64, hour_ms: u64) -> Self {
        let title = format!("Calls of region {region} are not in the log");
        let message = format!(
            "{calls} have no record a minute after others that came later: they were lost, or \
             last. What is counted and limited does not depend on records."
        );
        let cause = format!("{region}:{hour_ms}");
        Self::new(Owner::System, Kind::LogIncomplete, (title, message), &cause)
            .about("region", &region)
    }

    /// A user is invited to an organisation of that name; told once a day, however often it invites.
    #[must_use]
    pub fn invite(user: UserId, invite: &Invite, (organisation, now): (&str, Moment)) -> Self {
        let title = format!("You are invited to \"{organisation}\"");
        let message = format!(
            "As {}, until {}.",
            join(invite.roles.words()),
            invite.expires_at
        );
        let day: String = now.to_string().chars().take(10).collect();
        let cause = format!("{}:{day}", invite.organisation);
        Self::new(Owner::User(user), Kind::Invite, (title, message), &cause)
            .about("invite", &invite.id)
    }

    /// Somebody joined.
    #[must_use]
    pub fn member_added(member: &Member) -> Self {
        let who = name(member);
        let title = format!("{who} joined");
        let message = format!("{who} is a member now, as {}.", join(member.roles.words()));
        let owner = Owner::Organisation(member.organisation);
        let cause = format!("{}:{}", member.user, member.created_at);
        Self::new(owner, Kind::MemberAdded, (title, message), &cause)
            .about("member", &member.user)
            .for_managers()
    }

    /// Somebody left, or was removed.
    #[must_use]
    pub fn member_removed(member: &Member, at: Moment) -> Self {
        let who = name(member);
        let title = format!("{who} is no longer a member");
        let message = format!(
            "{who} was {} and left or was removed.",
            join(member.roles.words())
        );
        let owner = Owner::Organisation(member.organisation);
        let cause = format!("{}:{at}", member.user);
        Self::new(owner, Kind::MemberRemoved, (title, message), &cause)
            .about("member", &member.user)
            .for_managers()
    }

    /// A user is no longer a member of an organisation of that name.
    #[must_use]
    pub fn removed_from(member: &Member, organisation: &str, at: Moment) -> Self {
        let title = format!("You are no longer a member of {organisation}");
        let message = "Somebody of its owners or admins removed you.".to_owned();
        let owner = Owner::User(member.user);
        let cause = format!("{}:{at}", member.organisation);
        Self::new(owner, Kind::MemberRemoved, (title, message), &cause)
            .about("client", &member.organisation)
    }

    /// A user token ends.
    #[must_use]
    pub fn token_expiring(
        user: UserId,
        (token, name): (TokenId, &str),
        (due, end): (Due, Moment),
    ) -> Self {
        let title = format!("Token {name} {}", due.verb());
        let message = format!("Its `expiresAt` is {end}. From then on it is refused.");
        let cause = format!("{token}:{end}:{}", due.days());
        Self::new(
            Owner::User(user),
            Kind::TokenExpiring,
            (title, message),
            &cause,
        )
        .about("token", &token)
    }

    /// A user signed in with a browser that was not seen before.
    #[must_use]
    pub fn sign_in_new_device(user: UserId, visitor: &Visitor, at: Moment) -> Self {
        let title = "You signed in with a new browser or from a new place".to_owned();
        let browser = visitor
            .user_agent
            .as_deref()
            .unwrap_or("an unnamed browser");
        let message = format!(
            "At {at} from {}, with {browser}. If that was not you: change your password, which \
             ends all sessions.",
            visitor.address
        );
        let words = (title, message);
        Self::new(
            Owner::User(user),
            Kind::SignInNewDevice,
            words,
            &at.to_string(),
        )
    }
}

fn name(member: &Member) -> String {
    let profile = &member.profile;
    format!("{} {}", profile.first_name, profile.last_name)
}

fn join<'a>(words: impl Iterator<Item = &'a str>) -> String {
    words.collect::<Vec<_>>().join(", ")
}
