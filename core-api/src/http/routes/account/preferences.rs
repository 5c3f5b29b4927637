//! `/users/me/notification-preferences`: where the caller wants to be told of what.

use std::collections::BTreeMap;

use axum::Json;
use axum::response::IntoResponse as _;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::notifications::NotificationKind;
use crate::domain::account::notification::{Channels, Kind, Preferences};
use crate::error::ApiResult;
use crate::http::body::Body;
use crate::http::call::{Mutation, Read};
use crate::service::account::notifications;
use crate::state::AppState;
use crate::store::account::preference::preference_list;
use requestrocket_policy::form::fields::{Fields, boolean};
use requestrocket_policy::form::problem::Problems;

/// The routes of this file.
pub fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(get_preferences, put_preferences))
}

/// Where the caller wants to be told of each kind.
#[derive(Debug, Serialize, ToSchema)]
#[schema(value_type = BTreeMap<NotificationKind, ChannelsResource>)]
struct NotificationPreferences(BTreeMap<&'static str, ChannelsResource>);

/// Where somebody wants to be told.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct ChannelsResource {
    /// In lists of notifications.
    in_app: bool,
    /// By mail.
    email: bool,
}

impl From<&Preferences> for NotificationPreferences {
    fn from(preferences: &Preferences) -> Self {
        let shown = preferences.iter().map(|(kind, channels)| {
            let Channels { in_app, email } = *channels;
            (kind.as_str(), ChannelsResource { in_app, email })
        });
        Self(shown.collect())
    }
}

/// What is not named is as usual.
fn read(mut fields: Fields<'_>) -> Preferences {
    let mut preferences = Preferences::new();
    let named = fields.names();
    for kind in Kind::ALL {
        let name = kind.as_str();
        let is_named = named.iter().any(|one| one == name);
        // A null would be neither of what can be wanted.
        let channels = is_named.then(|| fields.required_object(name, channels));
        let channels = channels.flatten();
        preferences.insert(kind, channels.unwrap_or(Channels::usual(kind)));
    }
    fields.finish();
    preferences
}

fn channels(mut fields: Fields<'_>) -> Option<Channels> {
    let in_app = fields.required("inApp", boolean);
    let email = fields.required("email", boolean);
    fields.finish();
    Some(Channels {
        in_app: in_app?,
        email: email?,
    })
}

/// Where the caller wants to be told of each kind of notification.
#[utoipa::path(
    get,
    path = "/users/me/notification-preferences",
    tag = "notifications",
    responses(
        (status = 200, body = NotificationPreferences),
        (status = 304, description = "As known"),
    )
)]
async fn get_preferences(call: Read) -> ApiResult {
    let user = call.caller.whole_user()?;
    let preferences = preference_list(&mut *call.state.connect().await?, user).await?;
    call.answer_content(&NotificationPreferences::from(&preferences))
}

/// Replaces them; kinds that are not named are told as usual.
#[utoipa::path(
    put,
    path = "/users/me/notification-preferences",
    tag = "notifications",
    request_body = NotificationPreferences,
    responses((status = 200, body = NotificationPreferences))
)]
async fn put_preferences(call: Mutation, body: Body) -> ApiResult {
    call.change.actor.whole_user()?;
    let mut problems = Problems::default();
    let preferences = read(Fields::new(body.into_object(), &mut problems));
    problems.check()?;
    let done = notifications::prefer(&call.change, &preferences).await?;
    let answer = Json(NotificationPreferences::from(&preferences)).into_response();
    Ok(call.answered(&done, answer).await)
}
