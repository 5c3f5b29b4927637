//! The proxies of which something cannot be used, for the control plane to show.

use std::collections::BTreeMap;
use std::sync::Arc;

use requestrocket_proto::region::v1::UnusableProxy;
use tokio::sync::watch;

/// Longer texts are cut: a proxy may have hundreds of credentials.
const MAX_DETAIL_BYTES: usize = 1024;

/// By proxy id.
pub type UnusableProxies = Arc<BTreeMap<String, UnusableProxy>>;

/// What cannot be used now. Cheap to clone, and the same for all clones.
#[derive(Clone, Debug)]
pub struct Register(Arc<watch::Sender<UnusableProxies>>);

/// The revisions that a batch brought: those after the first, up to the second.
#[derive(Clone, Copy, Debug)]
pub struct Span {
    /// What was stored before.
    pub after: u64,
    /// What is stored now.
    pub to: u64,
}

impl Default for Register {
    fn default() -> Self {
        Self(Arc::new(watch::Sender::default()))
    }
}

impl Register {
    /// What cannot be used, and word of every change.
    #[must_use]
    pub fn subscribe(&self) -> watch::Receiver<UnusableProxies> {
        self.0.subscribe()
    }

    /// What was found of these proxies; None where all can be used.
    pub fn update(&self, span: Span, found: Vec<(String, Option<String>)>) {
        self.0.send_if_modified(|present| {
            let mut next = BTreeMap::clone(present);
            for (proxy_id, detail) in found {
                match detail {
                    Some(detail) => {
                        let one = entry(&proxy_id, span, detail);
                        next.insert(proxy_id, one);
                    }
                    None => drop(next.remove(&proxy_id)),
                }
            }
            replace(present, next)
        });
    }

    /// This is all that cannot be used.
    pub fn replace(&self, span: Span, found: Vec<(String, String)>) {
        let next = found.into_iter().map(|(proxy_id, detail)| {
            let one = entry(&proxy_id, span, detail);
            (proxy_id, one)
        });
        let next = next.collect();
        self.0.send_if_modified(|present| replace(present, next));
    }
}

fn replace(present: &mut UnusableProxies, next: BTreeMap<String, UnusableProxy>) -> bool {
    let differs = **present != next;
    *present = Arc::new(next);
    differs
}

fn entry(proxy_id: &str, span: Span, mut detail: String) -> UnusableProxy {
    // `truncate` panics inside of a character.
    detail.truncate(detail.floor_char_boundary(MAX_DETAIL_BYTES));
    UnusableProxy {
        proxy_id: proxy_id.to_owned(),
        after_revision: span.after,
        revision: span.to,
        detail,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SPAN: Span = Span { after: 3, to: 4 };

    fn ids(register: &Register) -> Vec<String> {
        register.subscribe().borrow().keys().cloned().collect()
    }

    #[test]
    fn a_delta_changes_what_it_names_and_nothing_else() {
        let register = Register::default();
        let bad = |id: &str| (id.to_owned(), Some("bad".to_owned()));
        register.update(SPAN, vec![bad("a"), bad("b"), ("c".to_owned(), None)]);
        assert_eq!(ids(&register), ["a", "b"]);
        register.update(SPAN, vec![("a".to_owned(), None), bad("c")]);
        assert_eq!(ids(&register), ["b", "c"]);
        register.replace(SPAN, vec![("d".to_owned(), "bad".to_owned())]);
        assert_eq!(ids(&register), ["d"]);
    }

    #[test]
    fn only_changes_are_told() {
        let register = Register::default();
        let mut told = register.subscribe();
        register.update(SPAN, vec![("a".to_owned(), None)]);
        register.replace(SPAN, Vec::new());
        assert!(!told.has_changed().unwrap());
        register.replace(SPAN, vec![("a".to_owned(), "bad".to_owned())]);
        assert!(told.has_changed().unwrap());
        told.mark_unchanged();
        register.replace(SPAN, vec![("a".to_owned(), "bad".to_owned())]);
        assert!(!told.has_changed().unwrap());
    }

    #[test]
    fn a_long_detail_is_cut_between_characters() {
        let register = Register::default();
        register.replace(SPAN, vec![("a".to_owned(), "é".repeat(600) + "x")]);
        let told = register.subscribe().borrow().clone();
        assert_eq!(told["a"].detail, "é".repeat(512));
    }
}
