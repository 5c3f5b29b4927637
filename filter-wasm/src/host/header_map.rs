//! Header maps as proxy-wasm hands them over: a count, the lengths of all names and values, then
//! names and values themselves, each followed by a zero byte. Numbers are little-endian `u32`.

use requestrocket_policy::http::HeaderLine;

use super::HostFailure;

const NUMBER: usize = 4;

/// All lines of a head, in the host's encoding.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HeaderMap(Vec<u8>);

impl HeaderMap {
    /// Takes what the host gave; nothing is looked at yet.
    pub fn from_encoded(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }

    /// Encodes lines for the host. None when they are longer than it can be told.
    pub fn encode(lines: &[HeaderLine<'_>]) -> Option<Self> {
        let content: usize = lines
            .iter()
            .map(|(name, value)| 2 * NUMBER + name.len() + value.len() + 2)
            .sum();
        let mut bytes = Vec::with_capacity(NUMBER + content);
        bytes.extend(u32::try_from(lines.len()).ok()?.to_le_bytes());
        for text in texts(lines) {
            bytes.extend(u32::try_from(text.len()).ok()?.to_le_bytes());
        }
        for text in texts(lines) {
            bytes.extend(text);
            bytes.push(0);
        }
        Some(Self(bytes))
    }

    /// The encoded form.
    pub fn as_encoded(&self) -> &[u8] {
        &self.0
    }

    /// The lines, in order. An empty map may come without its count.
    pub fn lines(&self) -> Result<Vec<HeaderLine<'_>>, HostFailure> {
        if self.0.is_empty() {
            return Ok(Vec::new());
        }
        self.parse().ok_or(HostFailure)
    }

    fn parse(&self) -> Option<Vec<HeaderLine<'_>>> {
        let (count, rest) = number(&self.0)?;
        let (mut lengths, mut content) = rest.split_at_checked(count.checked_mul(2 * NUMBER)?)?;
        // The lengths are there, so the count is not larger than the map.
        let mut lines = Vec::with_capacity(count);
        for _ in 0..count {
            let (name, after_name) = number(lengths)?;
            let (value, after_value) = number(after_name)?;
            lengths = after_value;
            let (name, after_name) = text(content, name)?;
            let (value, after_value) = text(after_name, value)?;
            content = after_value;
            lines.push((name, value));
        }
        Some(lines)
    }
}

fn texts<'a>(lines: &'a [HeaderLine<'a>]) -> impl Iterator<Item = &'a [u8]> {
    lines.iter().flat_map(|&(name, value)| [name, value])
}

fn number(bytes: &[u8]) -> Option<(usize, &[u8])> {
    let (number, rest) = bytes.split_first_chunk::<NUMBER>()?;
    Some((usize::try_from(u32::from_le_bytes(*number)).ok()?, rest))
}

/// A text of that length, and what comes after its zero byte.
fn text(bytes: &[u8], length: usize) -> Option<(&[u8], &[u8])> {
    let (text, rest) = bytes.split_at_checked(length)?;
    Some((text, rest.strip_prefix(&[0])?))
}

#[cfg(test)]
mod tests;
