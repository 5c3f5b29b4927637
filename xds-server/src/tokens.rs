//! How the obtained tokens and keys stand, for the control plane to show.

use std::collections::BTreeMap;
use std::sync::Arc;

use imbl::OrdMap;
use imbl::ordmap::DiffItem;
use requestrocket_proto::region::v1 as region;
use tokio::sync::watch;

use crate::secrets::renew::life::{TokenLife, TokenStatus};
use crate::store::token::TokenRow;

/// Tokens of one message.
const TOKENS_A_MESSAGE: usize = 1_000;

/// By credential id.
pub type TokenStates = OrdMap<Arc<str>, Arc<region::TokenState>>;

/// How the tokens stand now. Cheap to clone, and the same for all clones.
#[derive(Clone, Debug)]
pub struct TokenRegister(Arc<watch::Sender<TokenStates>>);

impl Default for TokenRegister {
    fn default() -> Self {
        Self(Arc::new(watch::Sender::default()))
    }
}

impl TokenRegister {
    /// How they stand, and word of every change.
    #[must_use]
    pub fn subscribe(&self) -> watch::Receiver<TokenStates> {
        self.0.subscribe()
    }

    /// These are all there are.
    pub fn replace(&self, rows: &BTreeMap<String, TokenRow>) {
        let next = rows
            .values()
            .map(|row| (Arc::from(row.credential_id.as_str()), Arc::new(state(row))));
        self.0.send_replace(next.collect::<TokenStates>());
    }

    /// What is known of the tokens of these credentials; some have none.
    pub fn update<'a>(
        &self,
        ids: impl IntoIterator<Item = &'a String>,
        rows: &BTreeMap<String, TokenRow>,
    ) {
        self.0.send_if_modified(|states| {
            let mut is_changed = false;
            for id in ids {
                is_changed |= match rows.get(id) {
                    Some(row) => put(states, row),
                    None => states.remove(id.as_str()).is_some(),
                };
            }
            is_changed
        });
    }
}

fn put(states: &mut TokenStates, row: &TokenRow) -> bool {
    let next = state(row);
    let is_known = states
        .get(row.credential_id.as_str())
        .is_some_and(|known| **known == next);
    if !is_known {
        states.insert(row.credential_id.as_str().into(), Arc::new(next));
    }
    !is_known
}

/// What makes `after` of `before`, in messages; `None`: nothing was told yet.
#[must_use]
pub fn told(before: Option<&TokenStates>, after: &TokenStates) -> Vec<region::TokenStates> {
    let is_first = before.is_none();
    let mut tokens = Vec::new();
    let mut removed = Vec::new();
    for item in before.unwrap_or(&OrdMap::new()).diff(after) {
        match item {
            DiffItem::Add(_, state)
            | DiffItem::Update {
                new: (_, state), ..
            } => tokens.push(region::TokenState::clone(state)),
            DiffItem::Remove(id, _) => removed.push(id.to_string()),
        }
    }
    let mut messages: Vec<region::TokenStates> = tokens
        .chunks(TOKENS_A_MESSAGE)
        .map(|tokens| region::TokenStates {
            is_first: false,
            tokens: tokens.to_vec(),
            removed: Vec::new(),
        })
        .collect();
    // Without one, core-api would go on with what it heard before.
    if messages.is_empty() && (is_first || !removed.is_empty()) {
        messages.push(region::TokenStates::default());
    }
    if let Some(first) = messages.first_mut() {
        first.is_first = is_first;
        first.removed = removed;
    }
    messages
}

fn state(row: &TokenRow) -> region::TokenState {
    let TokenLife {
        serial: _,
        expires_at_ms,
        refreshed_at_ms,
        next_at_ms,
        attempts,
        error,
        consent,
        is_consented: _,
    } = &row.life;
    let status = match row.life.status() {
        TokenStatus::Active => region::TokenStatus::Active,
        TokenStatus::PendingConsent => region::TokenStatus::PendingConsent,
        TokenStatus::Obtaining => region::TokenStatus::Obtaining,
        TokenStatus::Failing => region::TokenStatus::Failing,
        TokenStatus::ReconsentNeeded => region::TokenStatus::ReconsentNeeded,
        TokenStatus::InvalidClient => region::TokenStatus::InvalidClient,
    };
    let (code, text) = match error {
        Some(error) => (error.code.clone(), error.text.clone()),
        None => (String::new(), String::new()),
    };
    region::TokenState {
        credential_id: row.credential_id.clone(),
        version: row.version,
        status: status.into(),
        expires_at_ms: *expires_at_ms,
        last_refresh_at_ms: *refreshed_at_ms,
        // Zero says "at once" and is no moment to show.
        next_refresh_at_ms: next_at_ms.filter(|next_ms| *next_ms > 0),
        attempts: *attempts,
        last_error_code: code,
        last_error: text,
        consent: *consent,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(id: &str, serial: u64, attempts: u32) -> TokenRow {
        TokenRow {
            credential_id: id.to_owned(),
            version: 1,
            life: TokenLife {
                attempts,
                ..TokenLife::new(serial, false)
            },
            token: None,
            refresh_token: None,
            keys: None,
            consent: None,
        }
    }

    fn rows(all: &[(&str, u32)]) -> BTreeMap<String, TokenRow> {
        all.iter()
            .map(|(id, attempts)| ((*id).to_owned(), row(id, 0, *attempts)))
            .collect()
    }

    fn ids(messages: &[region::TokenStates]) -> Vec<(bool, Vec<&str>, Vec<&str>)> {
        messages
            .iter()
            .map(|message| {
                let tokens = message.tokens.iter().map(|it| it.credential_id.as_str());
                let removed = message.removed.iter().map(String::as_str);
                (message.is_first, tokens.collect(), removed.collect())
            })
            .collect()
    }

    #[test]
    fn all_is_told_at_first_and_changes_after() {
        let register = TokenRegister::default();
        let empty = register.subscribe().borrow().clone();
        assert_eq!(ids(&told(None, &empty)), [(true, vec![], vec![])]);
        register.replace(&rows(&[("a", 0), ("b", 0)]));
        let first = register.subscribe().borrow().clone();
        assert_eq!(ids(&told(None, &first)), [(true, vec!["a", "b"], vec![])]);
        register.update(&["a".to_owned(), "b".to_owned()], &rows(&[("a", 1)]));
        let second = register.subscribe().borrow().clone();
        assert_eq!(
            ids(&told(Some(&first), &second)),
            [(false, vec!["a"], vec!["b"])]
        );
        assert_eq!(told(Some(&second), &second), []);
    }

    #[test]
    fn only_changes_wake() {
        let register = TokenRegister::default();
        register.replace(&rows(&[("a", 0)]));
        let mut told = register.subscribe();
        register.update(&["a".to_owned(), "b".to_owned()], &rows(&[("a", 0)]));
        assert!(!told.has_changed().unwrap());
        register.update(&["a".to_owned()], &rows(&[("a", 1)]));
        assert!(told.has_changed().unwrap());
        told.mark_unchanged();
    }

    #[test]
    fn many_are_told_in_parts() {
        let many: BTreeMap<_, _> = (0..2_500)
            .map(|n| (format!("{n:04}"), row(&format!("{n:04}"), 0, 0)))
            .collect();
        let register = TokenRegister::default();
        register.replace(&many);
        let states = register.subscribe().borrow().clone();
        let messages = told(None, &states);
        let sizes: Vec<_> = messages.iter().map(|it| it.tokens.len()).collect();
        assert_eq!(sizes, [1_000, 1_000, 500]);
        assert_eq!(messages.iter().filter(|it| it.is_first).count(), 1);
    }
}
