//! Powers of long numbers modulo an odd one, by Montgomery's multiplication: for numbers that are
//! no secrets, since the time depends on them.

/// What a number is made of, the lowest first.
type Limb = u32;

const LIMB_BYTES: usize = size_of::<Limb>();

/// `base ^ exponent mod modulus`, big-endian and as long as the modulus. None when the base is not
/// below the modulus, or that is not odd.
pub(super) fn of(base: &[u8], exponent: u64, modulus: &[u8]) -> Option<Vec<u8>> {
    let field = Field::new(limbs(modulus))?;
    let mut base = limbs(base);
    base.resize(base.len().max(field.modulus.len()), 0);
    let below = field.modulus.len() == base.len() && is_below(&base, &field.modulus);
    if !below || exponent == 0 {
        return None;
    }
    let base = field.product(&base, &field.square);
    let mut power = base.clone();
    let bits = u64::BITS.saturating_sub(exponent.leading_zeros());
    for bit in (0..bits.saturating_sub(1)).rev() {
        power = field.product(&power, &power);
        if exponent >> bit & 1 == 1 {
            power = field.product(&power, &base);
        }
    }
    let mut one = vec![0; field.modulus.len()];
    if let Some(lowest) = one.first_mut() {
        *lowest = 1;
    }
    Some(bytes(&field.product(&power, &one), modulus.len()))
}

/// Numbers modulo an odd one, which stand for themselves times a power of 2 above it, `R`.
struct Field {
    modulus: Vec<Limb>,
    /// Of its lowest limb, the negative inverse.
    inverse: Limb,
    /// `R` squared.
    square: Vec<Limb>,
}

impl Field {
    fn new(modulus: Vec<Limb>) -> Option<Self> {
        let lowest = *modulus.first()?;
        let is_trimmed = modulus.last().is_some_and(|highest| *highest != 0);
        if lowest % 2 == 0 || !is_trimmed {
            return None;
        }
        Some(Self {
            square: square(&modulus),
            inverse: inverse(lowest).wrapping_neg(),
            modulus,
        })
    }

    /// The product, divided by `R`. Both are below the modulus.
    fn product(&self, one: &[Limb], other: &[Limb]) -> Vec<Limb> {
        let mut sum = vec![0; self.modulus.len()];
        let mut top = 0;
        for limb in one {
            let carry = add_product(&mut sum, *limb, other);
            let lowest = sum.first().copied().unwrap_or_default();
            let factor = lowest.wrapping_mul(self.inverse);
            let more = add_product(&mut sum, factor, &self.modulus);
            // The lowest limb is 0 now, and goes.
            top += u64::from(carry) + u64::from(more);
            sum.rotate_left(1);
            if let Some(highest) = sum.last_mut() {
                *highest = low(top);
            }
            top >>= Limb::BITS;
        }
        if top != 0 || !is_below(&sum, &self.modulus) {
            subtract(&mut sum, &self.modulus);
        }
        sum
    }
}

/// `R` squared: 1, doubled twice as often as `R` has bits.
fn square(modulus: &[Limb]) -> Vec<Limb> {
    let mut power = vec![0; modulus.len()];
    if let Some(lowest) = power.first_mut() {
        *lowest = 1;
    }
    let doublings = modulus.len().saturating_mul(2 * 8 * LIMB_BYTES);
    for _ in 0..doublings {
        let mut carry = 0;
        for limb in &mut power {
            let doubled = *limb << 1 | carry;
            carry = *limb >> (Limb::BITS - 1);
            *limb = doubled;
        }
        if carry != 0 || !is_below(&power, modulus) {
            subtract(&mut power, modulus);
        }
    }
    power
}

/// Of an odd number modulo 2^32: each of Newton's steps doubles the bits that are right, of which
/// there are three at first.
fn inverse(odd: Limb) -> Limb {
    let step = |guess: Limb| guess.wrapping_mul(2_u32.wrapping_sub(odd.wrapping_mul(guess)));
    step(step(step(step(odd))))
}

/// Adds a limb times a number; what goes beyond comes back.
fn add_product(sum: &mut [Limb], factor: Limb, number: &[Limb]) -> Limb {
    let mut carry = 0;
    for (limb, other) in sum.iter_mut().zip(number) {
        // No more than 2^64 - 1.
        let wide = u64::from(*limb) + u64::from(factor) * u64::from(*other) + carry;
        *limb = low(wide);
        carry = wide >> Limb::BITS;
    }
    low(carry)
}

fn subtract(from: &mut [Limb], number: &[Limb]) {
    let mut has_borrowed = false;
    for (limb, other) in from.iter_mut().zip(number) {
        let (rest, first) = limb.overflowing_sub(*other);
        let (rest, second) = rest.overflowing_sub(Limb::from(has_borrowed));
        *limb = rest;
        has_borrowed = first || second;
    }
}

/// Of numbers that are as long as each other.
fn is_below(one: &[Limb], other: &[Limb]) -> bool {
    one.iter().rev().cmp(other.iter().rev()).is_lt()
}

fn low(wide: u64) -> Limb {
    Limb::try_from(wide & u64::from(Limb::MAX)).unwrap_or_default()
}

fn limbs(big_endian: &[u8]) -> Vec<Limb> {
    let limb = |part: &[u8]| {
        part.iter()
            .fold(0, |limb, byte| limb << 8 | Limb::from(*byte))
    };
    big_endian.rchunks(LIMB_BYTES).map(limb).collect()
}

/// Big-endian, of that length; the number is no longer.
fn bytes(limbs: &[Limb], length: usize) -> Vec<u8> {
    let all = limbs.iter().rev().flat_map(|limb| limb.to_be_bytes());
    let all: Vec<u8> = all.collect();
    let extra = all.len().saturating_sub(length);
    all.get(extra..).unwrap_or_default().to_vec()
}

#[cfg(test)]
mod tests;
