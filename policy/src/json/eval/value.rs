//! Values that filter expressions compare.

use std::{borrow::Cow, cmp::Ordering};

use crate::json::{
    doc::NodeId,
    path::{Literal, Number},
    text::{lossy, unescape_into},
};

/// What an operand is.
#[derive(Clone, Debug)]
pub(super) enum Value<'v> {
    Nothing,
    Null,
    Bool(bool),
    Number(Number),
    /// Decoded; lone surrogates as `text::unescape_into` puts them.
    Text(Cow<'v, [u8]>),
    Container(NodeId),
}

impl<'v> Value<'v> {
    pub(super) fn of_literal(literal: &'v Literal) -> Self {
        match literal {
            Literal::Null => Self::Null,
            Literal::Bool(value) => Self::Bool(*value),
            Literal::Number(number) => Self::Number(*number),
            Literal::Text(text) => Self::Text(Cow::Borrowed(text.as_bytes())),
        }
    }

    pub(super) fn of_scalar(json: &'v str) -> Self {
        match json {
            "null" => Self::Null,
            "true" => Self::Bool(true),
            "false" => Self::Bool(false),
            _ => match json.strip_prefix('"').and_then(|raw| raw.strip_suffix('"')) {
                Some(raw) if raw.contains('\\') => {
                    let mut decoded = Vec::with_capacity(raw.len());
                    unescape_into(raw.as_bytes(), &mut decoded);
                    Self::Text(Cow::Owned(decoded))
                }
                Some(raw) => Self::Text(Cow::Borrowed(raw.as_bytes())),
                None => Self::Number(Number::parse(json)),
            },
        }
    }

    pub(super) fn of_count(count: usize) -> Self {
        Self::Number(Number::of_count(count))
    }

    /// Of a text, in characters.
    pub(super) fn length(&self) -> Self {
        match self {
            Self::Text(text) => {
                let is_first = |byte: &&u8| !matches!(byte, 0x80..=0xbf);
                Self::of_count(text.iter().filter(is_first).count())
            }
            Self::Nothing | Self::Null | Self::Bool(_) | Self::Number(_) | Self::Container(_) => {
                Self::Nothing
            }
        }
    }

    /// For patterns: with U+FFFD for lone surrogates.
    pub(super) fn text(&self) -> Option<Cow<'_, str>> {
        match self {
            Self::Text(text) => Some(match std::str::from_utf8(text) {
                Ok(text) => Cow::Borrowed(text),
                Err(_) => Cow::Owned(lossy(text)),
            }),
            Self::Nothing | Self::Null | Self::Bool(_) | Self::Number(_) | Self::Container(_) => {
                None
            }
        }
    }

    /// Of everything but containers.
    pub(super) fn is_equal(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Nothing, Self::Nothing) | (Self::Null, Self::Null) => true,
            (Self::Bool(left), Self::Bool(right)) => left == right,
            (Self::Number(left), Self::Number(right)) => {
                left.order(right).is_some_and(Ordering::is_eq)
            }
            (Self::Text(left), Self::Text(right)) => left == right,
            _ => false,
        }
    }

    pub(super) fn is_less(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Number(left), Self::Number(right)) => {
                left.order(right).is_some_and(Ordering::is_lt)
            }
            // UTF-8 sorts as its characters do. Nothing else has an order (RFC 9535 §2.3.5.2.2).
            (Self::Text(left), Self::Text(right)) => left < right,
            _ => false,
        }
    }
}
