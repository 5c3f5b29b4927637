//! Amounts of meters, which are kept in millionths, as they are shown.

use serde_json::Number;

const MICROS: u64 = 1_000_000;

/// Whole amounts as integers, others with the decimals they have.
pub(crate) fn amount(micros: u64) -> Number {
    let (whole, rest) = (micros / MICROS, micros % MICROS);
    if rest == 0 {
        return Number::from(whole);
    }
    let decimal = format!("{whole}.{rest:06}").parse().ok();
    // Every such text is a finite number.
    let number = decimal.and_then(Number::from_f64);
    number.unwrap_or_else(|| Number::from(whole))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_keep_up_to_six_decimals() {
        for (micros, want) in [
            (0, "0"),
            (1, "1e-6"),
            (10, "0.00001"),
            (500_000, "0.5"),
            (1_000_000, "1"),
            (1_250_000, "1.25"),
            (123_456_789, "123.456789"),
            (u64::MAX, "18446744073709.55"),
        ] {
            assert_eq!(amount(micros).to_string(), want);
        }
    }
}
