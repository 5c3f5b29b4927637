//! A value that serves several calls: a token until near its end, a key for a day.

use std::{
    fmt,
    sync::{Mutex, PoisonError},
};

/// At most one value, with the time it is good for.
pub(super) struct Kept<T>(Mutex<Option<Timed<T>>>);

struct Timed<T> {
    from_ms: u64,
    until_ms: u64,
    value: T,
}

impl<T: Clone> Kept<T> {
    pub(super) const fn nothing() -> Self {
        Self(Mutex::new(None))
    }

    /// The value, if it is good now; else one that is made, with the first moment it is not good any
    /// more.
    pub(super) fn get_or_make<E>(
        &self,
        now_ms: u64,
        make: impl FnOnce() -> Result<(T, u64), E>,
    ) -> Result<T, E> {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(timed) = &*kept
            && (timed.from_ms..timed.until_ms).contains(&now_ms)
        {
            return Ok(timed.value.clone());
        }
        let (value, until_ms) = make()?;
        *kept = Some(Timed {
            // A clock that was set back makes a new one.
            from_ms: now_ms,
            until_ms,
            value: value.clone(),
        });
        Ok(value)
    }
}

/// The value may be a secret.
impl<T> fmt::Debug for Kept<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Kept")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_serves_from_when_it_was_made_until_its_end() {
        let kept = Kept::nothing();
        let at = |now_ms: u64| kept.get_or_make(now_ms, || Ok::<_, ()>((now_ms, now_ms + 10)));
        let got = [5, 5, 14, 15, 24, 7, 16].map(at);
        assert_eq!(got, [5, 5, 5, 15, 15, 7, 7].map(Ok));
    }

    #[test]
    fn what_could_not_be_made_is_tried_again() {
        let kept = Kept::nothing();
        assert_eq!(kept.get_or_make(1, || Err("no")), Err("no"));
        assert_eq!(kept.get_or_make(1, || Ok::<_, &str>((3, 9))), Ok(3));
        assert_eq!(kept.get_or_make(2, || Err("no")), Ok(3));
    }
}
