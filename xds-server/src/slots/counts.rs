//! When targets refuse a second secret. Pure.

/// So long after a switch its secret is on trial.
pub(super) const TRIAL_MS: u64 = 600_000;
/// Fewer calls say nothing.
const LEAST_REFUSED: u64 = 5;

/// What targets answered with one secret.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Answers {
    calls: u64,
    refused: u64,
}

/// Around one switch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Counts {
    before: Answers,
    after: Answers,
}

impl Answers {
    fn count(&mut self, status: u32) {
        self.calls = self.calls.saturating_add(1);
        // RFC 9110 §15.5.2, §15.5.4: what says that the credential is not right, or not enough.
        if matches!(status, 401 | 403) {
            self.refused = self.refused.saturating_add(1);
        }
    }

    /// Half of them at least.
    fn are_refusals(self) -> bool {
        self.refused > 0 && self.refused.saturating_mul(2) >= self.calls
    }
}

impl Counts {
    /// A target answered a call that came at `received_ms` with this status; `switched_ms` is from
    /// when on it was to be given the second secret, none: not yet.
    pub(super) fn count(&mut self, status: u32, received_ms: u64, switched_ms: Option<u64>) {
        match switched_ms {
            Some(switched_ms) if received_ms >= switched_ms => {
                if received_ms < switched_ms.saturating_add(TRIAL_MS) {
                    self.after.count(status);
                }
            }
            Some(_) | None => self.before.count(status),
        }
    }

    /// Targets refuse what they are given now and did not refuse what they were given before.
    pub(super) fn are_refused(&self) -> bool {
        let Self { before, after } = self;
        after.refused >= LEAST_REFUSED && after.are_refusals() && !before.are_refusals()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Statuses before and after a switch at 1,000.
    fn counted(before: &[(u32, usize)], after: &[(u32, usize)]) -> bool {
        let mut counts = Counts::default();
        for (at_ms, answers) in [(999, before), (1_000, after)] {
            for (status, times) in answers {
                for _ in 0..*times {
                    counts.count(*status, at_ms, Some(1_000));
                }
            }
        }
        counts.are_refused()
    }

    #[test]
    fn five_refusals_that_are_half_of_the_calls_and_were_not_before_send_it_back() {
        for (before, after, want) in [
            (&[][..], &[(401, 5)][..], true),
            (&[], &[(401, 4)], false),
            (&[], &[(403, 3), (401, 2)], true),
            (&[], &[(404, 50), (500, 50)], false),
            (&[], &[(401, 5), (200, 5)], true),
            (&[], &[(401, 5), (200, 6)], false),
            (&[(200, 1)], &[(401, 5)], true),
            (&[(401, 1), (200, 2)], &[(401, 5)], true),
            (&[(401, 1), (200, 1)], &[(401, 5)], false),
            (&[(401, 9)], &[(401, 100)], false),
        ] {
            assert_eq!(counted(before, after), want, "{before:?} {after:?}");
        }
    }

    #[test]
    fn only_ten_minutes_are_a_trial() {
        for (received_ms, want) in [(1_000, true), (600_999, true), (601_000, false)] {
            let mut counts = Counts::default();
            for _ in 0..9 {
                counts.count(401, received_ms, Some(1_000));
            }
            assert_eq!(counts.are_refused(), want, "{received_ms}");
        }
        let mut counts = Counts::default();
        for _ in 0..9 {
            counts.count(401, 5_000, None);
        }
        assert!(!counts.are_refused());
    }
}
