//! Rows of the audit log: who did what to which record, from where.
//!
//! Invariant: what a row shows of a record is what GET shows of it, so no secret gets into one.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use serde_json::{Map, Value, json};
use uuid::Uuid;

use crate::domain::id::{OrganisationId, TokenId, UserId};
use crate::domain::moment::Moment;

/// Of a User-Agent field no more is kept.
const MAX_USER_AGENT_CHARS: usize = 256;
/// Every change alters it, and the row says when it was.
const UPDATED_AT: &str = "updatedAt";

/// A chain of rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Log {
    /// What concerns an organisation and all that it owns.
    Organisation(OrganisationId),
    /// What concerns a user alone: tokens, profile.
    User(UserId),
    /// What concerns no organisation, or none that is left.
    Operator,
}

/// Who acts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Actor {
    /// A user.
    User {
        /// Who.
        id: UserId,
        /// With which token; none: with none.
        token: Option<TokenId>,
    },
    /// The holder of an operator token.
    Operator,
    /// Who may run commands where core-api runs.
    CommandLine,
    /// core-api by itself.
    System,
}

/// From where somebody acts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Origin {
    /// As far as trusted load balancers say it.
    pub address: Option<IpAddr>,
    /// What they say they use, cut to 256 characters.
    pub user_agent: Option<String>,
    /// `requestrocket-request-id` of the answer.
    pub request_id: Option<Uuid>,
}

/// Who acts, and from where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Author {
    /// Who.
    pub actor: Actor,
    /// From where.
    pub origin: Origin,
}

/// What was done: what every change brings to its commit.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// In which log it stands.
    pub log: Log,
    /// Such as `proxy.update`.
    pub action: String,
    /// To what.
    pub resource: Named,
    /// Of what changed, how it was; none: there was nothing.
    pub before: Option<Map<String, Value>>,
    /// Of what changed, how it is; none: there is nothing.
    pub after: Option<Map<String, Value>>,
}

/// A record by its name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Named {
    /// Such as `proxy`.
    pub kind: &'static str,
    /// Its id.
    pub id: String,
    /// For people; empty for what has none.
    pub name: String,
}

/// A record whose changes are logged.
pub trait Subject {
    /// What it is called in actions, such as `proxy`.
    const KIND: &'static str;

    /// Where its changes stand.
    fn log(&self) -> Log;

    /// Its id and its name; the name is empty for what has none.
    fn named(&self) -> (String, String);

    /// Its members as GET shows them, without those that are no part of the record itself.
    fn members(&self) -> Map<String, Value>;
}

/// The members of an object that was made here; none if it is none.
#[must_use]
pub fn members(object: Value) -> Map<String, Value> {
    match object {
        Value::Object(members) => members,
        _ => Map::new(),
    }
}

impl Origin {
    /// The same with what somebody says they use.
    #[must_use]
    pub fn using(mut self, user_agent: Option<&str>) -> Self {
        let cut = |text: &str| text.chars().take(MAX_USER_AGENT_CHARS).collect();
        self.user_agent = user_agent.map(cut);
        self
    }
}

impl From<Actor> for Author {
    /// From nowhere: somebody on this machine.
    fn from(actor: Actor) -> Self {
        let origin = Origin::default();
        Self { actor, origin }
    }
}

impl Actor {
    /// What rows are found by.
    #[must_use]
    pub fn id(self) -> String {
        match self {
            Self::User { id, .. } => id.to_string(),
            Self::Operator => "operator".to_owned(),
            Self::CommandLine => "command-line".to_owned(),
            Self::System => "system".to_owned(),
        }
    }

    /// The user's id.
    #[must_use]
    pub fn user(self) -> Option<UserId> {
        match self {
            Self::User { id, .. } => Some(id),
            Self::Operator | Self::CommandLine | Self::System => None,
        }
    }

    /// As a row shows it; `user_name` is that of a user.
    fn shown(self, user_name: &str) -> Value {
        let (kind, name, token) = match self {
            Self::User { token, .. } => ("user", user_name, token),
            Self::Operator => ("operator", "operator token", None),
            Self::CommandLine => ("operator", "command line", None),
            Self::System => ("system", "core-api", None),
        };
        let token = token.map(|token| token.to_string());
        json!({"type": kind, "id": self.id(), "name": name, "tokenId": token})
    }
}

impl Entry {
    /// Of something that is neither made, changed nor deleted.
    pub fn of(log: Log, resource: Named, verb: &str) -> Self {
        Self {
            log,
            action: format!("{}.{verb}", resource.kind),
            resource,
            before: None,
            after: None,
        }
    }

    /// Of a record that was made.
    pub fn created<S: Subject>(made: &S) -> Self {
        Self::on(made, "create").with_after(made.members())
    }

    /// Of a record that had these members before.
    pub fn updated<S: Subject>(before: Map<String, Value>, changed: &S) -> Self {
        Self::changed(before, changed, "update")
    }

    /// The same by another verb.
    pub fn changed<S: Subject>(mut before: Map<String, Value>, changed: &S, verb: &str) -> Self {
        let mut after = changed.members();
        before.retain(|name, value| name != UPDATED_AT && after.get(name) != Some(value));
        after.retain(|name, _| before.contains_key(name));
        Self {
            before: Some(before),
            ..Self::on(changed, verb)
        }
        .with_after(after)
    }

    /// Of a record that is gone.
    pub fn deleted<S: Subject>(gone: &S) -> Self {
        Self {
            before: Some(gone.members()),
            ..Self::on(gone, "delete")
        }
    }

    fn on<S: Subject>(subject: &S, verb: &str) -> Self {
        let (id, name) = subject.named();
        let kind = S::KIND;
        Self::of(subject.log(), Named { kind, id, name }, verb)
    }

    /// The same with these members afterwards.
    #[must_use]
    pub fn with_after(mut self, after: Map<String, Value>) -> Self {
        self.after = Some(after);
        self
    }

    /// The same; also these, which went along or lost something, by their ids. None are left out.
    #[must_use]
    pub fn along(mut self, name: &str, ids: Vec<String>) -> Self {
        if !ids.is_empty() {
            let before = self.before.get_or_insert_default();
            before.insert(name.to_owned(), ids.into());
        }
        self
    }

    /// The row that is hashed.
    pub fn document(
        &self,
        author: &Author,
        user_name: &str,
        (at, version): (Moment, u64),
    ) -> Value {
        let Author { actor, origin } = author;
        let Named { kind, id, name } = &self.resource;
        json!({
            "auditId": Uuid::new_v4().to_string(),
            "at": at.to_string(),
            "actor": actor.shown(user_name),
            "action": self.action,
            "resource": {"type": kind, "id": id, "name": name},
            "before": self.before,
            "after": self.after,
            "address": origin.address.map(|address| address.to_string()),
            "userAgent": origin.user_agent,
            "requestId": origin.request_id.map(|id| id.to_string()),
            "configVersion": version,
        })
    }
}

/// No name of a log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be `operator`, `client:ID` or `user:ID`")]
pub struct InvalidLog;

impl FromStr for Log {
    type Err = InvalidLog;

    fn from_str(raw: &str) -> Result<Self, InvalidLog> {
        let log = match raw.split_once(':') {
            Some(("client", id)) => id.parse().ok().map(Self::Organisation),
            Some(("user", id)) => id.parse().ok().map(Self::User),
            None if raw == "operator" => Some(Self::Operator),
            Some(_) | None => None,
        };
        log.ok_or(InvalidLog)
    }
}

impl fmt::Display for Log {
    /// As the store and checkpoints name it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Organisation(id) => write!(f, "client:{id}"),
            Self::User(id) => write!(f, "user:{id}"),
            Self::Operator => f.write_str("operator"),
        }
    }
}

#[cfg(test)]
mod tests;
