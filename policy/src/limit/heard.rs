//! Which run of the region answered last.

/// The run of the region that an Envoy believes in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Heard {
    epoch: Option<u32>,
    /// When that was asked which the run answered, by the Envoy's clock.
    asked_at_ms: u64,
}

impl Heard {
    /// The run's epoch; none: nobody has answered yet.
    pub fn epoch(self) -> Option<u32> {
        self.epoch
    }

    /// An answer of a run has come to what was asked at `sent_at_ms`. Whether the run is another
    /// one than before, and has to be told everything.
    pub fn hear(&mut self, epoch: u32, sent_at_ms: u64, now_ms: u64) -> bool {
        // What comes so late may be of a run that has ended since: believed, it would keep counts
        // from the one that runs. After a step back of the clock nobody knows what is late.
        let is_late = sent_at_ms < self.asked_at_ms && self.asked_at_ms <= now_ms;
        if is_late {
            return false;
        }
        self.asked_at_ms = sent_at_ms;
        self.epoch.replace(epoch) != Some(epoch)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_that_was_overtaken_brings_no_run_back() {
        let mut heard = Heard::default();
        assert!(heard.hear(1, 1_000, 1_010), "the first");
        assert!(!heard.hear(1, 1_200, 1_210), "the same");
        assert!(heard.hear(2, 1_600, 1_610), "after a restart");
        assert!(!heard.hear(1, 1_400, 1_700), "late");
        assert_eq!(heard.epoch(), Some(2));
        assert!(heard.hear(3, 900, 910), "the clock has stepped back");
        assert_eq!(heard.epoch(), Some(3));
    }
}
