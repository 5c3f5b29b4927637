//! Requests per user token and minute.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use requestrocket_process::clock::unix_ms;

use crate::domain::id::TokenId;
use crate::domain::moment::Moment;

const WINDOW_SECONDS: u64 = 60;

/// The counts of the present minute, of this process.
#[derive(Clone, Debug, Default)]
pub struct Rates(Arc<Mutex<Window>>);

#[derive(Debug, Default)]
struct Window {
    minute: u64,
    counts: HashMap<TokenId, u64>,
}

impl Rates {
    /// Counts one request.
    ///
    /// # Errors
    /// The limit is used up; the seconds until it is not.
    pub fn count(&self, token: TokenId, limit: u64, now: Moment) -> Result<(), u64> {
        let second = u64::try_from(unix_ms(now.get()) / 1000).unwrap_or(0);
        let minute = second / WINDOW_SECONDS;
        let mut window = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if window.minute != minute {
            // Bounds the table too: it never holds more than one minute's tokens.
            *window = Window {
                minute,
                counts: HashMap::new(),
            };
        }
        let count = window.counts.entry(token).or_default();
        if *count >= limit {
            return Err(WINDOW_SECONDS - second % WINDOW_SECONDS);
        }
        *count += 1;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn a_token_gets_its_limit_each_minute() {
        let rates = Rates::default();
        let (one, other) = (TokenId::random(), TokenId::random());
        let start: Moment = "2024-01-01T00:00:30Z".parse().unwrap();
        for _ in 0..3 {
            assert_eq!(rates.count(one, 3, start), Ok(()));
        }
        assert_eq!(rates.count(one, 3, start), Err(30));
        assert_eq!(rates.count(other, 3, start), Ok(()));
        assert_eq!(
            rates.count(one, 3, start.plus(Duration::from_secs(29))),
            Err(1)
        );
        assert_eq!(
            rates.count(one, 3, start.plus(Duration::from_secs(30))),
            Ok(())
        );
    }
}
