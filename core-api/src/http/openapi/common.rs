//! What holds for every operation is said once, here, and not at each handler.

use utoipa::openapi::header::HeaderBuilder;
use utoipa::openapi::path::{HttpMethod, Operation, Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::schema::{Object, ObjectBuilder, Schema, Type};
use utoipa::openapi::security::{ApiKey, ApiKeyValue, SecurityRequirement, SecurityScheme};
use utoipa::openapi::{Content, OpenApi, PathItem, Ref, RefOr, Required, ResponseBuilder};

const SCHEME: &str = "token";
const SESSION: &str = "session";
/// Paths that only say whether the process lives.
const HEALTH: [&str; 2] = ["/healthz", "/readyz"];
/// POSTs that need no token.
const OPEN: [&str; 5] = [
    "/invites/accept",
    "/session",
    "/session/setup",
    "/session/forgot",
    "/session/reset",
];
/// What anybody may read.
const OPEN_READS: [&str; 1] = ["/session/methods"];
/// Whoever asks for a letter hears of nobody.
const FORGOT: &str = "/session/forgot";
/// What is of sessions only.
const OF_SESSIONS: [&str; 1] = ["/session"];
/// Paths that browsers are sent to.
const ANSWERS: [&str; 4] = [
    "/webhooks/oauth2",
    "/session/oidc/{provider}",
    "/session/oidc/{provider}/callback",
    "/session/oidc/{provider}/logout",
];

/// POSTs that change nothing.
const TRIALS: [&str; 4] = ["/evaluate", "/preview", "/test", "/forgot"];

/// Adds the common headers, parameters and error answers to every operation.
pub(super) fn complete(document: &mut OpenApi) {
    let components = document.components.get_or_insert_default();
    let header = ApiKeyValue::with_description(
        "Authorization",
        "`u-…` of a user (also as `Bearer u-…`), or `o-…` of an operator",
    );
    components.add_security_scheme(SCHEME, SecurityScheme::ApiKey(ApiKey::Header(header)));
    let cookie = ApiKeyValue::with_description(
        "__Host-rr-session",
        "Of who signed in (`POST /session`); without TLS on one's own machine it is called \
         `rr-session`. Changes need an `Origin` that is the API's own",
    );
    components.add_security_scheme(SESSION, SecurityScheme::ApiKey(ApiKey::Cookie(cookie)));
    for (path, item) in &mut document.paths.paths {
        for (method, operation) in operations(item) {
            describe(path, &method, operation);
            name_responses(operation);
            if ANSWERS.contains(&path.as_str()) {
                show_pages(operation);
            }
        }
    }
}

/// The format requires a description of every answer.
fn name_responses(operation: &mut Operation) {
    for (status, response) in &mut operation.responses.responses {
        if let RefOr::T(response) = response
            && response.description.is_empty()
        {
            let text = match status.as_str() {
                "201" => "Created",
                "204" => "Done",
                _ => "As asked for",
            };
            text.clone_into(&mut response.description);
        }
    }
}

/// What browsers are sent to answers them with pages, whatever it says.
fn show_pages(operation: &mut Operation) {
    for response in operation.responses.responses.values_mut() {
        if let RefOr::T(response) = response {
            let page = Content::new(Some(Object::with_type(Type::String)));
            response.content = [("text/html".to_owned(), page.into())].into();
        }
    }
}

pub(super) fn operations(item: &mut PathItem) -> Vec<(HttpMethod, &mut Operation)> {
    let all = [
        (HttpMethod::Get, &mut item.get),
        (HttpMethod::Post, &mut item.post),
        (HttpMethod::Put, &mut item.put),
        (HttpMethod::Patch, &mut item.patch),
        (HttpMethod::Delete, &mut item.delete),
    ];
    all.into_iter()
        .filter_map(|(method, slot)| Some((method, slot.as_mut()?)))
        .collect()
}

fn describe(path: &str, method: &HttpMethod, operation: &mut Operation) {
    let is_health = HEALTH.contains(&path);
    if !is_health {
        refusal(operation, "400", "Every problem is listed");
        if !ANSWERS.contains(&path) {
            refusal(operation, "401", "No token or session that counts");
        }
        too_often(operation);
        refusal(operation, "500", "A fault of the API's own");
        refusal(operation, "503", "The store or a region is away");
    }
    let is_open =
        OPEN_READS.contains(&path) || (OPEN.contains(&path) && *method == HttpMethod::Post);
    if !is_health && !is_open && !ANSWERS.contains(&path) {
        let requirement = |scheme| SecurityRequirement::new(scheme, Vec::<String>::new());
        let mut requirements = vec![requirement(SESSION)];
        if !OF_SESSIONS.contains(&path) {
            requirements.insert(0, requirement(SCHEME));
        }
        operation.security = Some(requirements);
    }
    if path.contains("{clientId}") || path == "/clients" {
        refusal(operation, "403", "Your roles do not permit this");
    }
    let has_token = *method == HttpMethod::Post && is_open && !OF_SESSIONS.contains(&path);
    if path.contains('{') || (has_token && path != FORGOT) {
        refusal(
            operation,
            "404",
            "No such resource, or another organisation's",
        );
    }
    match method {
        HttpMethod::Get => {}
        HttpMethod::Post => {
            parameter(
                operation,
                header(
                    "Idempotency-Key",
                    "Makes a repetition harmless for 24 h; bare or as a quoted string",
                ),
            );
            refusal(operation, "422", "The key stands for another body");
            refusal(operation, "409", "Not possible in the present state");
            if TRIALS.iter().any(|end| path.ends_with(end)) {
                refuses_bodies(operation);
            } else {
                changes(operation, true);
            }
        }
        HttpMethod::Put | HttpMethod::Patch => {
            conditional(operation);
            changes(operation, true);
        }
        _ => {
            conditional(operation);
            changes(operation, false);
        }
    }
}

/// 429 says when to come back.
fn too_often(operation: &mut Operation) {
    refusal(operation, "429", "Too many requests with this token");
    let after = HeaderBuilder::new()
        .schema(Some(Object::with_type(Type::Integer)))
        .description(Some("Seconds after which to come back"))
        .build();
    if let Some(RefOr::T(response)) = operation.responses.responses.get_mut("429") {
        response
            .headers
            .insert("Retry-After".to_owned(), after.into());
    }
}

fn conditional(operation: &mut Operation) {
    parameter(
        operation,
        header(
            "If-Match",
            "Entity tags; 412 when the resource is another version",
        ),
    );
    refusal(operation, "412", "Changed since `If-Match`");
}

fn changes(operation: &mut Operation, has_body: bool) {
    parameter(
        operation,
        query(
            "wait",
            "`applied`: answer when the region's Envoys have it",
            Type::String,
        ),
    );
    parameter(
        operation,
        query("waitSeconds", "1 to 30, default 5", Type::Integer),
    );
    refusal(operation, "409", "Not possible in the present state");
    if has_body {
        refuses_bodies(operation);
    }
}

fn refuses_bodies(operation: &mut Operation) {
    refusal(operation, "408", "The body did not arrive in time");
    refusal(operation, "413", "The body is larger than 1 MiB");
    refusal(operation, "415", "The body is not JSON by its content type");
}

fn refusal(operation: &mut Operation, status: &str, description: &str) {
    let body = Content::new(Some(Ref::from_schema_name("ErrorBody")));
    let response = ResponseBuilder::new()
        .description(description)
        .content("application/json", body)
        .build();
    let responses = &mut operation.responses.responses;
    responses
        .entry(status.to_owned())
        .or_insert(RefOr::T(response));
}

fn parameter(operation: &mut Operation, parameter: Parameter) {
    operation
        .parameters
        .get_or_insert_default()
        .push(RefOr::T(parameter));
}

fn header(name: &str, description: &str) -> Parameter {
    optional(name, description, ParameterIn::Header, Type::String)
}

fn query(name: &str, description: &str, kind: Type) -> Parameter {
    optional(name, description, ParameterIn::Query, kind)
}

fn optional(name: &str, description: &str, place: ParameterIn, kind: Type) -> Parameter {
    let schema: Object = ObjectBuilder::new().schema_type(kind).build();
    ParameterBuilder::new()
        .name(name)
        .parameter_in(place)
        .required(Required::False)
        .description(Some(description))
        .schema(Some(RefOr::T(Schema::Object(schema))))
        .build()
}
