//! What a client of one stream wants of one resource type (delta xDS, pure).
//!
//! Rules of the xDS specification that hold here: an empty first request means everything, `*`
//! says it by name, both last until `*` is unsubscribed; a name that is subscribed again is sent
//! again, because the client may have forgotten it.

use std::collections::BTreeSet;
use std::sync::Arc;

/// Most names that one stream may subscribe to by name, in one type.
const MAX_NAMES: usize = 500_000;
/// Longest name.
const MAX_NAME_BYTES: usize = 512;
const WILDCARD: &str = "*";

/// Wanted resources of one type.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Subscription {
    is_wildcard: bool,
    names: BTreeSet<Arc<str>>,
}

/// What one request altered.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Change {
    /// Everything is wanted from now on, and was not before.
    pub began_wildcard: bool,
    /// Not everything is wanted any more.
    pub ended_wildcard: bool,
    /// Names that were asked for, also those already subscribed.
    pub subscribed: Vec<Arc<str>>,
    /// Names that were given up.
    pub unsubscribed: Vec<Arc<str>>,
}

/// More than a node of a region can need.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidSubscription {
    /// Too many names at once.
    #[error("more than {MAX_NAMES} resource names are subscribed")]
    TooManyNames,
    /// A name that no resource can have.
    #[error("resource name is longer than {MAX_NAME_BYTES} bytes")]
    NameTooLong,
}

impl Subscription {
    /// The subscription that the first request of a type begins.
    pub fn begin(subscribe: Vec<String>) -> Result<(Self, Change), InvalidSubscription> {
        let mut begun = Self {
            is_wildcard: subscribe.is_empty(),
            names: BTreeSet::new(),
        };
        let mut change = begun.alter(subscribe, Vec::new())?;
        change.began_wildcard = begun.is_wildcard;
        Ok((begun, change))
    }

    /// Takes in a later request.
    pub fn alter(
        &mut self,
        subscribe: Vec<String>,
        unsubscribe: Vec<String>,
    ) -> Result<Change, InvalidSubscription> {
        let mut change = Change::default();
        // First, so that a name in both lists ends up wanted.
        for name in unsubscribe {
            if name == WILDCARD {
                change.ended_wildcard |= std::mem::take(&mut self.is_wildcard);
            } else if let Some(name) = self.names.take(name.as_str()) {
                change.unsubscribed.push(name);
            }
        }
        for name in subscribe {
            if name == WILDCARD {
                change.began_wildcard |= !std::mem::replace(&mut self.is_wildcard, true);
            } else {
                change.subscribed.push(self.add(&name)?);
            }
        }
        Ok(change)
    }

    fn add(&mut self, name: &str) -> Result<Arc<str>, InvalidSubscription> {
        if name.len() > MAX_NAME_BYTES {
            return Err(InvalidSubscription::NameTooLong);
        }
        if let Some(known) = self.names.get(name) {
            return Ok(Arc::clone(known));
        }
        if self.names.len() >= MAX_NAMES {
            return Err(InvalidSubscription::TooManyNames);
        }
        let name: Arc<str> = name.into();
        self.names.insert(Arc::clone(&name));
        Ok(name)
    }

    /// Whether the resource is wanted.
    #[must_use]
    pub fn covers(&self, name: &str) -> bool {
        self.is_wildcard || self.names.contains(name)
    }

    /// Whether the client asked for it by name and is to be told when it does not exist.
    #[must_use]
    pub fn names(&self, name: &str) -> bool {
        self.names.contains(name)
    }

    /// Whether everything is wanted.
    #[must_use]
    pub fn is_wildcard(&self) -> bool {
        self.is_wildcard
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(names: &[&str]) -> Vec<String> {
        names.iter().map(|&name| name.to_owned()).collect()
    }

    fn begin(names: &[&str]) -> Subscription {
        Subscription::begin(texts(names)).unwrap().0
    }

    #[test]
    fn the_first_request_decides_between_everything_and_names() {
        for (first, covers_b) in [
            (&[][..], true),
            (&["*"], true),
            (&["a"], false),
            (&["a", "*"], true),
        ] {
            let begun = begin(first);
            assert_eq!(begun.covers("b"), covers_b, "{first:?}");
            assert!(begun.covers("a"), "{first:?}");
        }
    }

    #[test]
    fn only_what_was_named_is_missed_by_name() {
        let begun = begin(&["a", "*"]);
        assert!(begun.names("a"));
        assert!(!begun.names("b"));
    }

    /// What a change says, and which of `a` and `b` is wanted then.
    fn show(change: &Change, subscription: &Subscription) -> String {
        let Change {
            began_wildcard,
            ended_wildcard,
            subscribed,
            unsubscribed,
        } = change;
        let mut shown = String::new();
        shown.push_str(if *began_wildcard { "+* " } else { "" });
        shown.push_str(if *ended_wildcard { "-* " } else { "" });
        shown.extend(subscribed.iter().map(|name| format!("+{name} ")));
        shown.extend(unsubscribed.iter().map(|name| format!("-{name} ")));
        let wanted = ["a", "b"]
            .into_iter()
            .filter(|name| subscription.covers(name));
        shown + "=" + &wanted.collect::<String>()
    }

    #[test]
    fn later_requests_alter_what_is_wanted() {
        for (begun, subscribe, unsubscribe, want) in [
            // An empty later request changes nothing, for everything and for names alike.
            (&[][..], &[][..], &[][..], "=ab"),
            (&["a"], &[], &[], "=a"),
            // Names beside the implicit wildcard do not end it.
            (&[], &["a"], &[], "+a =ab"),
            // Subscribing again asks for the resource again.
            (&["a"], &["a"], &[], "+a =a"),
            (&["a"], &[], &["a"], "-a ="),
            // Unknown names are no news.
            (&["a"], &[], &["z"], "=a"),
            (&[], &[], &["*"], "-* ="),
            (&["a"], &["*"], &[], "+* =ab"),
            // Both in one request: what is given up comes first.
            (&["a"], &["a"], &["a"], "+a -a =a"),
            (&["*"], &["*"], &["*"], "+* -* =ab"),
        ] {
            let mut subscription = begin(begun);
            let change = subscription
                .alter(texts(subscribe), texts(unsubscribe))
                .unwrap();
            let label = format!("{begun:?} +{subscribe:?} -{unsubscribe:?}");
            assert_eq!(show(&change, &subscription), want, "{label}");
        }
    }

    #[test]
    fn absurd_names_are_refused() {
        let long = "x".repeat(MAX_NAME_BYTES + 1);
        assert_eq!(
            Subscription::begin(vec![long]),
            Err(InvalidSubscription::NameTooLong)
        );
        let many = (0..=MAX_NAMES).map(|i| i.to_string()).collect();
        assert_eq!(
            Subscription::begin(many),
            Err(InvalidSubscription::TooManyNames)
        );
    }
}
