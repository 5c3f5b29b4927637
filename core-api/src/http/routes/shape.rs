//! Words of the documentation, and the JSON that PUT and PATCH start from.

use requestrocket_policy::secret_form::auth_type::{AuthType, Side};
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;
use utoipa::openapi::schema::{ObjectBuilder, OneOfBuilder, Schema, Type};
use utoipa::openapi::{Ref, RefOr};

use crate::domain::guard::effect::Effect;
use crate::domain::guard::meter;
use crate::domain::guard::redaction::Operation;
use crate::region::fleet::ProxyStatus;

/// Schemas of words, from the enums that print them.
macro_rules! words {
    ($(#[doc = $doc:literal] $name:ident = $words:ty $(, $default:expr)?;)+) => {$(
        #[doc = $doc]
        #[derive(Debug)]
        pub(in crate::http::routes) enum $name {}

        impl utoipa::ToSchema for $name {}

        impl utoipa::PartialSchema for $name {
            fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::Schema> {
                let words = <$words>::ALL.map(<$words>::as_str);
                let schema = utoipa::openapi::ObjectBuilder::new()
                    .schema_type(utoipa::openapi::Type::String)
                    .description(Some($doc.trim()))
                    .enum_values(Some(words));
                $(let schema = schema.default(Some($default.as_str().into()));)?
                schema.into()
            }
        }
    )+};
}

pub(super) use words;

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
    /// What a meter counts.
    MeterType = meter::MeterType;
}

/// The members of an answer; none if it is no object.
pub(super) fn document(answer: &impl Serialize) -> Map<String, Value> {
    match serde_json::to_value(answer) {
        Ok(Value::Object(object)) => object,
        Ok(_) | Err(_) => Map::new(),
    }
}

/// The object `schema` with one more member, which may be null or left out.
pub(super) fn with_optional<T: ToSchema>(
    schema: RefOr<Schema>,
    text: &str,
    name: &str,
) -> RefOr<Schema> {
    let null = ObjectBuilder::new().schema_type(Type::Null);
    let member = OneOfBuilder::new().item(reference::<T>()).item(null);
    with_member(schema, text, (name, member.into()))
}

/// The object `schema` with one more member, which must be there.
pub(super) fn with_required<T: ToSchema>(
    schema: RefOr<Schema>,
    text: &str,
    name: &str,
) -> RefOr<Schema> {
    let mut schema = with_member(schema, text, (name, reference::<T>().into()));
    if let RefOr::T(Schema::Object(object)) = &mut schema {
        object.required.push(name.to_owned());
    }
    schema
}

fn reference<T: ToSchema>() -> Ref {
    Ref::from_schema_name(T::name())
}

fn with_member(
    mut schema: RefOr<Schema>,
    text: &str,
    (name, member): (&str, RefOr<Schema>),
) -> RefOr<Schema> {
    if let RefOr::T(Schema::Object(object)) = &mut schema {
        object.description = Some(text.to_owned());
        object.properties.insert(name.to_owned(), member);
    }
    schema
}
