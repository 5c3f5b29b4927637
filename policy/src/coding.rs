//! Stub.
#![allow(
    missing_docs,
    unused,
    missing_debug_implementations,
    clippy::all,
    clippy::pedantic,
    reason = "stub"
)]
use std::borrow::Cow;
pub struct Coding(bool);
impl Coding {
    pub fn parse(v: &[u8]) -> Result<Self, ()> {
        if v.is_empty() || v == b"identity" {
            Ok(Self(true))
        } else if v == b"gzip" {
            Ok(Self(false))
        } else {
            Err(())
        }
    }
    pub fn is_identity(&self) -> bool {
        self.0
    }
}
pub fn decode_all<'b>(v: &[u8], body: &'b [u8], max: usize) -> Result<Cow<'b, [u8]>, ()> {
    Err(())
}
