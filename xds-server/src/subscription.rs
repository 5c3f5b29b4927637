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

    #[test]
    fn later_requests_alter_what_is_wanted() {
        struct Case {
            begin: &'static [&'static str],
            subscribe: &'static [&'static str],
            unsubscribe: &'static [&'static str],
            wildcard: (bool, bool),
            subscribed: &'static [&'static str],
            unsubscribed: &'static [&'static str],
            covers: (bool, bool),
        }
        let none: &[&str] = &[];
        let case = |begin, subscribe, unsubscribe| Case {
            begin,
            subscribe,
            unsubscribe,
            wildcard: (false, false),
            subscribed: none,
            unsubscribed: none,
            covers: (false, false),
        };
        for want in [
            // An empty later request changes nothing, for named and for wildcard alike.
            Case {
                covers: (true, true),
                ..case(&[], &[], &[])
            },
            Case {
                covers: (true, false),
                ..case(&["a"], &[], &[])
            },
            // Names beside the implicit wildcard do not end it.
            Case {
                subscribed: &["a"],
                covers: (true, true),
                ..case(&[], &["a"], &[])
            },
            // Subscribing again asks for the resource again.
            Case {
                subscribed: &["a"],
                covers: (true, false),
                ..case(&["a"], &["a"], &[])
            },
            Case {
                unsubscribed: &["a"],
                ..case(&["a"], &[], &["a"])
            },
            // Unknown names are no news.
            Case {
                covers: (true, false),
                ..case(&["a"], &[], &["z"])
            },
            Case {
                wildcard: (false, true),
                ..case(&[], &[], &["*"])
            },
            Case {
                wildcard: (true, false),
                covers: (true, true),
                ..case(&["a"], &["*"], &[])
            },
            // Both in one request: unsubscribe comes first.
            Case {
                subscribed: &["a"],
                unsubscribed: &["a"],
                covers: (true, false),
                ..case(&["a"], &["a"], &["a"])
            },
        ] {
            let label = format!(
                "{:?} +{:?} -{:?}",
                want.begin, want.subscribe, want.unsubscribe
            );
            let mut subscription = begin(want.begin);
            let got = subscription
                .alter(texts(want.subscribe), texts(want.unsubscribe))
                .unwrap();
            let strs =
                |names: &[Arc<str>]| names.iter().map(ToString::to_string).collect::<Vec<_>>();
            assert_eq!(
                (got.began_wildcard, got.ended_wildcard),
                want.wildcard,
                "{label}"
            );
            assert_eq!(texts(want.subscribed), strs(&got.subscribed), "{label}");
            assert_eq!(texts(want.unsubscribed), strs(&got.unsubscribed), "{label}");
            let covers = (subscription.covers("a"), subscription.covers("b"));
            assert_eq!(covers, want.covers, "{label}");
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
