//! Where a value may begin: a bit for each form and each of its first bytes, shifted on with the
//! text. Never misses one; what it lets through is compared.

use zeroize::Zeroizing;

use super::forms::{FORMS, Form};

/// For each byte the forms that may have it first, second, third and fourth. Says something of the
/// values, so it is wiped.
pub(super) struct Screen(Zeroizing<Vec<u32>>);

/// The forms that may have begun, by how many bytes ago.
#[derive(Clone, Copy, Default)]
pub(super) struct Seen(u32);

/// Some forms.
#[derive(Clone, Copy)]
pub(super) struct Forms(u8);

impl Screen {
    pub(super) fn of<'v>(values: impl Iterator<Item = &'v [u8]>) -> Self {
        let mut screen = Self(Zeroizing::new(vec![0; 1 << u8::BITS]));
        for value in values {
            for (place, form) in FORMS.into_iter().enumerate() {
                form.begins(value, &mut |depth, byte| screen.add(place, depth, byte));
            }
        }
        screen
    }

    fn add(&mut self, place: usize, depth: usize, byte: u8) {
        let bit = 1_u32.checked_shl(u32::try_from(depth * FORMS.len() + place).unwrap_or(u32::MAX));
        if let (Some(bit), Some(bits)) = (bit, self.0.get_mut(usize::from(byte))) {
            *bits |= bit;
        }
    }

    #[inline]
    pub(super) fn see(&self, seen: Seen, byte: u8) -> Seen {
        let bits = self.0.get(usize::from(byte)).copied().unwrap_or_default();
        // A form may begin at every byte: hence the lowest bits.
        Seen(((seen.0 << FORMS.len()) | 0xff) & bits)
    }
}

impl Seen {
    /// Those of which so many bytes are there.
    #[inline]
    pub(super) fn forms(self, depth: usize) -> Forms {
        let lane = depth.saturating_sub(1);
        Forms(self.0.to_le_bytes().get(lane).copied().unwrap_or_default())
    }
}

impl Forms {
    #[inline]
    pub(super) fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Each, but those that are read alike once.
    pub(super) fn each(self) -> impl Iterator<Item = Form> {
        let mut is_plain = false;
        FORMS
            .into_iter()
            .enumerate()
            .filter_map(move |(place, form)| {
                let is_first = !(form.is_plain() && is_plain);
                let is_in = self.0 & (1 << place) != 0 && is_first;
                is_plain |= is_in && form.is_plain();
                is_in.then_some(form)
            })
    }
}
