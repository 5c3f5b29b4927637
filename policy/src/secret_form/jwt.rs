//! `jwt`: a literal token, compared and sent as it is.

use super::value::token;
use crate::{form::fields::Fields, secret::SecretText};

/// `{token}`
pub(super) fn read(fields: &mut Fields<'_>) -> Option<SecretText> {
    fields.required("token", token)
}
