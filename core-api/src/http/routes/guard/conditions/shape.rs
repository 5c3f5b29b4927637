//! The schema of a path's condition: its pattern's members lie beside its own, and a derive would
//! make two objects of them.

use utoipa::openapi::RefOr;
use utoipa::openapi::schema::Schema;
use utoipa::{PartialSchema, ToSchema};

use crate::domain::guard::condition::{PathCondition, Pattern, Presence};
use crate::http::routes::shape::with_optional;

impl ToSchema for PathCondition {
    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        schemas.push((Presence::name().into(), Presence::schema()));
    }
}

impl PartialSchema for PathCondition {
    fn schema() -> RefOr<Schema> {
        let text = "Of the target path: leading slash, no query.";
        with_optional::<Presence>(Pattern::schema(), text, "presence")
    }
}
