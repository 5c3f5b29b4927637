//! What names a run of the filter on a worker: the moment at which it began, and chance.
//!
//! By the moment a run that is new can be told from one that was forgotten.

const MOMENT_BYTES: usize = 6;

/// The name of a run that began then, Unix time in milliseconds.
#[must_use]
pub fn named(began_ms: u64, random: [u8; 16]) -> [u8; 16] {
    // 48 bits of milliseconds last beyond the year 10000.
    let [_, _, moment @ ..] = began_ms.to_be_bytes();
    let mut name = random;
    for (byte, of_moment) in name.iter_mut().zip(moment) {
        *byte = of_moment;
    }
    name
}

/// When it began.
#[must_use]
pub fn began_ms(name: &[u8; 16]) -> u64 {
    let moment = name.iter().take(MOMENT_BYTES);
    moment.fold(0, |moment, byte| (moment << 8) | u64::from(*byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_says_when_and_is_chance_beyond_that() {
        for moment in [0, 1, 1_796_000_000_123, (1 << 48) - 1] {
            let name = named(moment, [9; 16]);
            assert_eq!(began_ms(&name), moment);
            assert_eq!(name[MOMENT_BYTES..], [9; 10]);
        }
    }
}
