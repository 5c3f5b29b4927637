//! Words of the documentation, and the JSON that PUT and PATCH start from.

use requestrocket_policy::secret_form::auth_type::{AuthType, Side};
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{ObjectBuilder, Schema, Type};
use utoipa::{PartialSchema, ToSchema};

use crate::domain::guard::effect::Effect;
use crate::domain::guard::redaction::Operation;
use crate::region::fleet::ProxyStatus;

/// Schemas of words, from the enums that print them.
macro_rules! words {
    ($(#[doc = $doc:literal] $name:ident = $words:ty $(, $default:expr)?;)+) => {$(
        #[doc = $doc]
        #[derive(Debug)]
        pub(super) enum $name {}

        impl ToSchema for $name {}

        impl PartialSchema for $name {
            fn schema() -> RefOr<Schema> {
                let words = <$words>::ALL.map(<$words>::as_str);
                let schema = ObjectBuilder::new()
                    .schema_type(Type::String)
                    .description(Some($doc.trim()))
                    .enum_values(Some(words));
                $(let schema = schema.default(Some($default.as_str().into()));)?
                schema.into()
            }
        }
    )+};
}

words! {
    /// What a layer decides when no rule matches.
    RuleEffect = Effect, Effect::Allow;
    /// On which side of a proxy a credential stands.
    CredentialType = Side;
    /// How a credential is presented or applied.
    CredentialAuthType = AuthType;
    /// How far the present state of a proxy came.
    ProxyState = ProxyStatus;
    /// What becomes of what the paths select.
    FilterOperation = Operation;
}

/// The members of an answer; none if it is no object.
pub(super) fn document(answer: &impl Serialize) -> Map<String, Value> {
    match serde_json::to_value(answer) {
        Ok(Value::Object(object)) => object,
        Ok(_) | Err(_) => Map::new(),
    }
}
