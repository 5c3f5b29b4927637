//! Calls that waited for their policy and go on, a few at a time.

use std::collections::VecDeque;

/// Calls that go on at a tick: each is judged at once.
const RESUMED: usize = 4;

/// Calls whose policy is there.
#[derive(Debug, Default)]
pub struct Resumable(VecDeque<u32>);

impl Resumable {
    /// These can go on, after those that can already.
    pub fn add(&mut self, streams: Vec<u32>) {
        self.0.extend(streams);
    }

    /// Those that go on now.
    pub fn some(&mut self) -> Vec<u32> {
        self.0.drain(..self.0.len().min(RESUMED)).collect()
    }

    /// Whether there is nobody.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_crowd_goes_on_a_few_at_a_time() {
        let mut resumable = Resumable::default();
        resumable.add((0..6).collect());
        resumable.add(vec![6]);
        assert_eq!(resumable.some(), [0, 1, 2, 3]);
        assert_eq!(resumable.some(), [4, 5, 6]);
        assert!(resumable.is_empty() && resumable.some().is_empty());
    }
}
