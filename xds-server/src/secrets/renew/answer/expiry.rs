//! How long a token lives, by what an answer says of it.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use requestrocket_policy::json::path::JsonPath;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::fields::Document;
use super::reading::Reading;
use crate::secrets::renew::schedule::MAX_LIFE_MS;

/// A number above this is of milliseconds: of seconds it would be the year 5138.
const LARGEST_SECONDS: u64 = 100_000_000_000;

/// The end that is said, else the life that is said, else the token's own `exp`, else the default.
pub(super) fn life_ms(document: &Document, reading: &Reading, token: &str, now_ms: u64) -> u64 {
    let value = |path: &Option<JsonPath>| path.as_ref().and_then(|path| document.first(path));
    let said = value(&reading.expires_at)
        .and_then(|text| moment_ms(&text))
        .map(|end_ms| end_ms.saturating_sub(now_ms));
    said.or_else(|| span_ms(&value(&reading.expires_in)?, reading.expires_in_unit_ms))
        .or_else(|| Some(own_end_ms(token)?.saturating_sub(now_ms)))
        .unwrap_or(reading.default_life_ms)
}

/// A moment: ISO 8601, or seconds or milliseconds since 1970.
pub(in super::super) fn moment_ms(text: &str) -> Option<u64> {
    let text = text.trim();
    if let Some(number) = number(text) {
        let unit_ms = if number > LARGEST_SECONDS { 1 } else { 1_000 };
        return Some(number.saturating_mul(unit_ms));
    }
    let moment = OffsetDateTime::parse(text, &Rfc3339).ok()?;
    Some(u64::try_from(moment.unix_timestamp_nanos() / 1_000_000).unwrap_or(0))
}

/// A number of units: whole or not, as a number or in a string.
pub(in super::super) fn span_ms(text: &str, unit_ms: u64) -> Option<u64> {
    Some(
        number(text.trim())?
            .saturating_mul(unit_ms)
            .min(MAX_LIFE_MS),
    )
}

/// The whole part; what is negative counts as nothing.
fn number(text: &str) -> Option<u64> {
    if let Ok(whole) = text.parse() {
        return Some(whole);
    }
    let float: f64 = text.parse().ok().filter(|float: &f64| float.is_finite())?;
    let whole = format!("{:.0}", float.trunc().clamp(0.0, 1e18));
    whole.parse().ok()
}

/// `exp` of a token that is a JWT; nothing of it is verified, it only says when to come back.
fn own_end_ms(token: &str) -> Option<u64> {
    let mut parts = token.split('.');
    let (claims, _) = (parts.nth(1)?, parts.next()?);
    let claims = URL_SAFE_NO_PAD.decode(claims).ok()?;
    let claims = Document::json(&claims)?;
    moment_ms(claims.member("exp")?)
}
