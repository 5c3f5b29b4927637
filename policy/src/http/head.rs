//! Heads of requests and responses as the host hands them over.

use std::{borrow::Cow, fmt};

use super::name::{as_sent, is_twin};
use crate::passage::Delivery;

/// Name (lower case, pseudo-headers included) and value of one header line.
pub type HeaderLine<'a> = (&'a [u8], &'a [u8]);

/// How often a header occurs.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Lines<'a> {
    /// Not at all.
    #[default]
    None,
    /// Once.
    One(&'a [u8]),
    /// More than once.
    Several,
}

/// A request's head, read in one pass over its lines.
#[derive(Clone, Copy)]
pub struct RequestHead<'a> {
    pub(crate) lines: &'a [HeaderLine<'a>],
    pub(crate) method: Lines<'a>,
    pub(crate) path: Lines<'a>,
    /// `:authority` or `Host`.
    pub(crate) authority: Lines<'a>,
    pub(crate) authorization: Lines<'a>,
    pub(crate) has_proxy_authorization: bool,
    /// An empty list of addresses is none; one is made of it by whoever appends to it.
    pub(crate) has_empty_forwarded_for: bool,
    /// Of a call that the region server makes.
    pub(crate) delivery: Option<&'a Delivery>,
}

/// What the engine asks about a response's head. Each call may cost the host something, so the
/// engine asks for as little as the answer needs.
pub trait ResponseHead {
    /// Value of the first line of that name; names are lower case, `:status` included.
    fn header(&self, name: &str) -> Option<Vec<u8>>;

    /// Shows all lines, once, unless the host does not give them.
    fn lines(&self, look: &mut dyn FnMut(&[HeaderLine<'_>]));

    /// Whether the request asked the target to switch protocols. Nobody did where nobody says so.
    fn is_switch_asked(&self) -> bool {
        false
    }
}

impl<'a> RequestHead<'a> {
    /// Reads the lines of a head, pseudo-headers included.
    pub fn new(lines: &'a [HeaderLine<'a>]) -> Self {
        let mut head = Self {
            lines,
            method: Lines::None,
            path: Lines::None,
            authority: Lines::None,
            authorization: Lines::None,
            has_proxy_authorization: false,
            has_empty_forwarded_for: false,
            delivery: None,
        };
        for &(name, value) in lines {
            head.take_line(name, value);
        }
        head
    }

    /// Of a call that the region server makes: who says so must have asked who makes it.
    #[must_use]
    pub fn delivering(self, delivery: Option<&'a Delivery>) -> Self {
        Self { delivery, ..self }
    }

    fn take_line(&mut self, name: &[u8], value: &'a [u8]) {
        if name.eq_ignore_ascii_case(b":method") {
            self.method.add(value);
        } else if name.eq_ignore_ascii_case(b":path") {
            self.path.add(value);
        } else if name.eq_ignore_ascii_case(b":authority") || name.eq_ignore_ascii_case(b"host") {
            self.authority.add(value);
        } else if name.eq_ignore_ascii_case(b"authorization") {
            self.authorization.add(value);
        } else if is_twin(name, b"proxy-authorization") {
            self.has_proxy_authorization = true;
        } else if value.is_empty() && name.eq_ignore_ascii_case(b"x-forwarded-for") {
            self.has_empty_forwarded_for = true;
        }
    }

    /// The first line of that name, which is lower case.
    pub(crate) fn first(&self, name: &str) -> Option<&'a [u8]> {
        let mut lines = self.lines.iter();
        let line = lines.find(|(other, _)| *other == name.as_bytes());
        line.map(|(_, value)| *value)
    }

    pub(crate) fn has_authorization(&self) -> bool {
        self.authorization != Lines::None
    }

    /// How many lines have that name or a twin of it.
    pub(crate) fn count(&self, name: &str) -> usize {
        self.lines_of(name).count()
    }

    /// The spellings in which lines of that name (lower case) were sent, each once.
    pub(crate) fn spellings<'n>(&self, name: &'n str) -> Vec<Cow<'n, str>> {
        let mut spellings = Vec::new();
        for sent in self.lines_of(name).map(|twin| as_sent(twin, name)) {
            if !spellings.contains(&sent) {
                spellings.push(sent);
            }
        }
        spellings
    }

    fn lines_of(&self, name: &str) -> impl Iterator<Item = &'a [u8]> {
        let names = self.lines.iter().map(|&(other, _)| other);
        names.filter(move |other| is_twin(other, name.as_bytes()))
    }
}

impl<'a> Lines<'a> {
    fn add(&mut self, value: &'a [u8]) {
        *self = match self {
            Self::None => Self::One(value),
            Self::One(_) | Self::Several => Self::Several,
        };
    }
}

/// Values may be credentials.
impl fmt::Debug for Lines<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::None => "None",
            Self::One(_) => "One",
            Self::Several => "Several",
        })
    }
}

/// Values may be credentials.
impl fmt::Debug for RequestHead<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RequestHead")
            .field("lines", &self.lines.len())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
