//! Requests per user token, and failures per address, in a minute.

use std::collections::HashMap;
use std::hash::Hash;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, PoisonError};

use requestrocket_process::clock::unix_ms;

use crate::domain::moment::Moment;
use crate::domain::people::proof::Proof;

const WINDOW_SECONDS: u64 = 60;

/// Addresses that are counted each for itself; those after them share one count.
const MAX_ADDRESSES: usize = 10_000;

/// The counts of the present minute, of this process.
#[derive(Clone, Debug)]
pub struct Rates<K = Proof>(Arc<Mutex<Window<K>>>);

/// What strangers did in vain in the present minute.
#[derive(Clone, Debug, Default)]
pub struct Failures(Rates<Option<IpAddr>>);

#[derive(Debug)]
struct Window<K> {
    minute: u64,
    counts: HashMap<K, u64>,
}

impl<K> Default for Rates<K> {
    fn default() -> Self {
        Self(Arc::new(Mutex::new(Window {
            minute: 0,
            counts: HashMap::new(),
        })))
    }
}

impl Failures {
    /// Counts one failure.
    ///
    /// # Errors
    /// The limit is used up; the seconds until it is not.
    pub fn count(&self, peer: IpAddr, limit: u64, now: Moment) -> Result<(), u64> {
        self.0.count(self.key(peer, now), limit, now)
    }

    /// Whether one more would be counted.
    ///
    /// # Errors
    /// The limit is used up; the seconds until it is not.
    pub fn check(&self, peer: IpAddr, limit: u64, now: Moment) -> Result<(), u64> {
        let key = self.key(peer, now);
        self.0
            .at(now, |window, left| match window.counts.get(&key) {
                Some(count) if *count >= limit => Err(left),
                Some(_) | None => Ok(()),
            })
    }

    fn key(&self, peer: IpAddr, now: Moment) -> Option<IpAddr> {
        let network = Some(network(peer));
        self.0.at(now, |window, _| {
            let has_place =
                window.counts.len() < MAX_ADDRESSES || window.counts.contains_key(&network);
            if has_place { network } else { None }
        })
    }
}

/// What counts of an address: of IPv6 the network, as one host has all its addresses.
pub(super) fn network(peer: IpAddr) -> IpAddr {
    // A socket for both kinds shows an IPv4 caller as `::ffff:a.b.c.d` (RFC 4291 §2.5.5.2).
    match peer.to_canonical() {
        IpAddr::V4(address) => IpAddr::V4(address),
        IpAddr::V6(address) => {
            let network = address.to_bits() & (u128::MAX << 64);
            IpAddr::V6(Ipv6Addr::from_bits(network))
        }
    }
}

impl<K: Eq + Hash> Rates<K> {
    /// Counts one request.
    ///
    /// # Errors
    /// The limit is used up; the seconds until it is not.
    pub fn count(&self, key: K, limit: u64, now: Moment) -> Result<(), u64> {
        self.at(now, |window, left| {
            let count = window.counts.entry(key).or_default();
            if *count >= limit {
                return Err(left);
            }
            *count += 1;
            Ok(())
        })
    }

    /// With the counts of the minute, and the seconds that are left of it.
    fn at<T>(&self, now: Moment, look: impl FnOnce(&mut Window<K>, u64) -> T) -> T {
        let second = u64::try_from(unix_ms(now.get()) / 1000).unwrap_or(0);
        let minute = second / WINDOW_SECONDS;
        let mut window = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if window.minute != minute {
            // Bounds the table too: it never holds more than one minute's keys.
            *window = Window {
                minute,
                counts: HashMap::new(),
            };
        }
        look(&mut window, WINDOW_SECONDS - second % WINDOW_SECONDS)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::id::TokenId;
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

    #[test]
    fn failures_count_per_address_in_bounded_memory() {
        let failures = Failures::default();
        let now: Moment = "2024-01-01T00:00:30Z".parse().unwrap();
        let count = |text: &str| failures.count(text.parse().unwrap(), 2, now);
        for (address, want) in [
            ("192.0.2.1", Ok(())),
            ("::ffff:192.0.2.1", Ok(())),
            ("192.0.2.1", Err(30)),
            ("192.0.2.2", Ok(())),
            ("2001:db8::1", Ok(())),
            ("2001:db8::2", Ok(())),
            ("2001:db8::3", Err(30)),
            ("2001:db8:0:1::1", Ok(())),
        ] {
            assert_eq!(count(address), want, "{address}");
            let again = failures.check(address.parse().unwrap(), 9, now);
            assert_eq!(again, Ok(()), "a look counts nothing");
        }
        for n in 0..20_000_u32 {
            let address = std::net::Ipv4Addr::from_bits(n);
            let _ = failures.count(address.into(), 2, now);
        }
        let kept = failures.0.at(now, |window, _| window.counts.len());
        assert_eq!(kept, MAX_ADDRESSES + 1);
        assert_eq!(count("198.51.100.1"), Err(30), "the others share a count");
        let later = now.plus(Duration::from_secs(30));
        assert_eq!(
            failures.check("198.51.100.1".parse().unwrap(), 2, later),
            Ok(())
        );
    }
}
