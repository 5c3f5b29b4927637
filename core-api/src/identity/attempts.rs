//! Passwords that were tried in vain, of this process: so many for an account from one address, and
//! so many for an account from everywhere.
//!
//! Every one that is kept has cost a hash on the one core there is for that, so there are no more than
//! an hour of that core makes.

use std::collections::{HashMap, VecDeque};
use std::hash::Hash;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

use requestrocket_process::clock::unix_ms;
use sha2::{Digest, Sha256};

use super::rate::network;
use crate::domain::moment::Moment;

/// Failures for an account from one address (of IPv6: one network).
const FROM_ADDRESS: Limit = Limit {
    count: 10,
    seconds: 15 * 60,
};
/// Failures for an account from everywhere.
const FROM_EVERYWHERE: Limit = Limit {
    count: 100,
    seconds: 60 * 60,
};

/// So many in any span of so many seconds.
#[derive(Clone, Copy, Debug)]
struct Limit {
    count: usize,
    seconds: u64,
}

/// Of an account: whether there is one makes no difference.
type Account = [u8; 32];

/// The failures of the last hour; cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Attempts(Arc<Mutex<Failed>>);

#[derive(Debug, Default)]
struct Failed {
    by_address: HashMap<(Account, IpAddr), VecDeque<u64>>,
    by_account: HashMap<Account, VecDeque<u64>>,
    /// Beyond this it is looked for what is over.
    tidy_at: usize,
}

/// One attempt, which counts as a failure until it is said to be none: so that attempts at once are
/// no more than those one after the other.
#[derive(Debug)]
#[must_use = "an attempt that is dropped has failed"]
pub struct Attempt {
    failed: Attempts,
    account: Account,
    address: IpAddr,
    second: u64,
}

impl Attempts {
    /// Somebody at `address` is about to try a password of the account with this login.
    ///
    /// # Errors
    /// There were too many failures; the seconds until one more may be tried.
    pub fn begin(&self, login: &str, address: IpAddr, now: Moment) -> Result<Attempt, u64> {
        let (account, address) = (Sha256::digest(login.as_bytes()).into(), network(address));
        let second = u64::try_from(unix_ms(now.get()) / 1000).unwrap_or(0);
        let mut failed = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        failed.tidy(second);
        let here = failed.by_address.get(&(account, address));
        let everywhere = failed.by_account.get(&account);
        let left = [(here, FROM_ADDRESS), (everywhere, FROM_EVERYWHERE)]
            .into_iter()
            .filter_map(|(failures, limit)| limit.left(failures?, second));
        if let Some(left) = left.max() {
            return Err(left);
        }
        note(
            &mut failed.by_address,
            (account, address),
            second,
            FROM_ADDRESS,
        );
        note(&mut failed.by_account, account, second, FROM_EVERYWHERE);
        drop(failed);
        Ok(Attempt {
            failed: self.clone(),
            account,
            address,
            second,
        })
    }
}

impl Attempt {
    /// It was no failure. Those before still count.
    pub fn forget(self) {
        let mut failed = self.failed.0.lock().unwrap_or_else(PoisonError::into_inner);
        let pair = (self.account, self.address);
        take_back(&mut failed.by_address, &pair, self.second);
        take_back(&mut failed.by_account, &self.account, self.second);
    }
}

impl Limit {
    /// Seconds until one more may be tried; none: now.
    fn left(self, failures: &VecDeque<u64>, now: u64) -> Option<u64> {
        let counted = failures.len().checked_sub(self.count)?;
        let end = failures.get(counted)?.saturating_add(self.seconds);
        (end > now).then(|| end - now)
    }
}

impl Failed {
    /// Forgets what is over, from time to time.
    fn tidy(&mut self, now: u64) {
        if self.by_address.len() < self.tidy_at {
            return;
        }
        let is_over = |failures: &VecDeque<u64>, limit: Limit| {
            let last = failures.back().copied().unwrap_or_default();
            last.saturating_add(limit.seconds) <= now
        };
        self.by_address
            .retain(|_, failures| !is_over(failures, FROM_ADDRESS));
        self.by_account
            .retain(|_, failures| !is_over(failures, FROM_EVERYWHERE));
        self.tidy_at = self.by_address.len() * 2 + 1000;
    }
}

fn note<K: Eq + Hash>(counts: &mut HashMap<K, VecDeque<u64>>, key: K, second: u64, limit: Limit) {
    let failures = counts.entry(key).or_default();
    // What is older decides nothing any more.
    if failures.len() >= limit.count {
        failures.pop_front();
    }
    failures.push_back(second);
}

fn take_back<K: Eq + Hash>(counts: &mut HashMap<K, VecDeque<u64>>, key: &K, second: u64) {
    let Some(failures) = counts.get_mut(key) else {
        return;
    };
    if let Some(place) = failures.iter().rposition(|failure| *failure == second) {
        failures.remove(place);
    }
    if failures.is_empty() {
        counts.remove(key);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const START: &str = "2026-01-01T00:00:00Z";

    fn at(seconds: u64) -> Moment {
        let start: Moment = START.parse().unwrap();
        start.plus(Duration::from_secs(seconds))
    }

    fn fail(attempts: &Attempts, login: &str, address: &str, seconds: u64) -> Result<(), u64> {
        let address = address.parse().unwrap();
        attempts.begin(login, address, at(seconds)).map(drop)
    }

    #[test]
    fn an_account_and_address_fail_ten_times_in_a_quarter_of_an_hour() {
        let attempts = Attempts::default();
        for second in 0..10 {
            assert_eq!(fail(&attempts, "a", "192.0.2.1", second), Ok(()));
        }
        assert_eq!(fail(&attempts, "a", "192.0.2.1", 10), Err(890));
        assert_eq!(fail(&attempts, "a", "192.0.2.2", 10), Ok(()));
        assert_eq!(fail(&attempts, "b", "192.0.2.1", 10), Ok(()));
        assert_eq!(fail(&attempts, "a", "192.0.2.1", 899), Err(1));
        assert_eq!(fail(&attempts, "a", "192.0.2.1", 900), Ok(()));
        assert_eq!(fail(&attempts, "a", "192.0.2.1", 900), Err(1), "any span");
        assert_eq!(fail(&attempts, "a", "192.0.2.1", 901), Ok(()));
    }

    #[test]
    fn an_account_fails_a_hundred_times_an_hour_from_everywhere() {
        let attempts = Attempts::default();
        for host in 0..100 {
            assert_eq!(fail(&attempts, "a", &format!("192.0.2.{host}"), 0), Ok(()));
        }
        assert_eq!(fail(&attempts, "a", "198.51.100.1", 60), Err(3540));
        assert_eq!(fail(&attempts, "b", "198.51.100.1", 60), Ok(()));
        assert_eq!(fail(&attempts, "a", "198.51.100.1", 3600), Ok(()));
    }

    #[test]
    fn what_succeeds_does_not_count_and_resets_nothing() {
        let attempts = Attempts::default();
        let begin = |seconds| attempts.begin("a", "2001:db8::1".parse().unwrap(), at(seconds));
        for _ in 0..200 {
            begin(0).unwrap().forget();
        }
        let pending: Vec<_> = (0..10).map(|_| begin(0).unwrap()).collect();
        assert_eq!(begin(0).map(drop), Err(900), "at once as one by one");
        for attempt in pending.into_iter().take(1) {
            attempt.forget();
        }
        begin(1).unwrap().forget();
        drop(begin(1));
        assert_eq!(begin(1).map(drop), Err(899));
        assert_eq!(
            fail(&attempts, "a", "2001:db8::2", 1),
            Err(899),
            "one host has all addresses of its network"
        );
    }

    #[test]
    fn what_is_over_is_forgotten() {
        let attempts = Attempts::default();
        for account in 0..5000 {
            assert_eq!(
                fail(&attempts, &account.to_string(), "192.0.2.1", account * 3600),
                Ok(())
            );
        }
        let failed = attempts.0.lock().unwrap();
        assert!(failed.by_address.len() < 2000 && failed.by_account.len() < 2000);
    }
}
