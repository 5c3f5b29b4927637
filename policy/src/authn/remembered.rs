//! Tokens that were found right, of all callers of a worker.

use std::collections::HashMap;

use super::TokenId;

/// Most tokens that a worker remembers.
pub const MAX_REMEMBERED: usize = 10_000;

/// The tokens that were presented last: those of this generation, and of the one before as far as
/// nobody presented them since. What is forgotten is verified again.
#[derive(Debug, Default)]
pub struct Remembered {
    young: HashMap<TokenId, u64>,
    old: HashMap<TokenId, u64>,
}

impl Remembered {
    /// Until when, in Unix milliseconds.
    pub fn until_ms(&mut self, token: &TokenId) -> Option<u64> {
        if let Some(until_ms) = self.young.get(token) {
            return Some(*until_ms);
        }
        let until_ms = self.old.remove(token)?;
        self.insert(*token, until_ms);
        Some(until_ms)
    }

    /// Remembers one, if there is memory for it.
    pub fn insert(&mut self, token: TokenId, until_ms: u64) {
        if self.young.len() >= MAX_REMEMBERED / 2 {
            self.old = std::mem::take(&mut self.young);
        }
        if self.young.try_reserve(1).is_ok() {
            self.young.insert(token, until_ms);
        }
    }

    #[cfg(test)]
    fn len(&self) -> usize {
        self.young.len() + self.old.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(number: u32) -> TokenId {
        TokenId::of_number(number)
    }

    #[test]
    fn tokens_are_remembered_with_their_end() {
        let mut remembered = Remembered::default();
        assert_eq!(remembered.until_ms(&token(1)), None);
        remembered.insert(token(1), 7);
        remembered.insert(token(2), 8);
        assert_eq!(remembered.until_ms(&token(1)), Some(7));
        assert_eq!(remembered.until_ms(&token(2)), Some(8));
        remembered.insert(token(1), 9);
        assert_eq!(remembered.until_ms(&token(1)), Some(9));
    }

    #[test]
    fn there_are_never_more_than_may_be_and_those_in_use_stay() {
        let mut remembered = Remembered::default();
        remembered.insert(token(0), 7);
        for number in 1..50_000 {
            remembered.insert(token(number), 8);
            assert!(remembered.len() <= MAX_REMEMBERED);
            if number % 1000 == 0 {
                assert_eq!(remembered.until_ms(&token(0)), Some(7), "{number}");
            }
        }
        assert_eq!(remembered.until_ms(&token(1)), None);
        assert_eq!(remembered.until_ms(&token(49_999)), Some(8));
    }
}
