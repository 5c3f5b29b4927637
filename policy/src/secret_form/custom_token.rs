//! `customToken`: a token that up to three requests of one's own obtain.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::{
    endpoint::Endpoint,
    oauth2::token_header,
    obtained::{self, Apply},
    value::bare,
};
use crate::{
    form::{
        fields::{Fields, string},
        problem::{Fault, Invalid},
    },
    json::path::JsonPath,
    secret::SecretText,
};

mod template;

#[cfg(test)]
mod tests;

pub use self::template::{Part, Template};

/// Requests that lead to a token.
const MAX_REQUESTS: usize = 3;
/// Secret values, headers or parameters.
const MAX_ITEMS: usize = 64;
/// Of a template.
const MAX_TEMPLATE_BYTES: usize = 16 << 10;

/// How a token is obtained.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CustomToken {
    /// What templates call `secret.<name>`.
    pub values: BTreeMap<String, SecretText>,
    /// In this order; at least one.
    pub requests: Vec<Step>,
    /// Of the last answer.
    pub response: Response,
    /// Where the token goes.
    pub apply: Apply,
    /// Statuses of the target that have another one obtained.
    pub refresh_on: Vec<u16>,
}

/// A request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// In upper case.
    pub method: String,
    /// With its query, if any.
    pub url: Template,
    /// By name.
    pub headers: Vec<(String, Template)>,
    /// Parameters that the URL gets, encoded.
    pub query: Vec<(String, Template)>,
    /// None for none.
    pub body: Option<Body>,
}

/// What a request carries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Body {
    /// As it is.
    Text(Template),
    /// JSON whose strings are templates, written anew so that values need no escaping.
    Json(Value),
}

/// Where in the last answer things are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Response {
    /// How it is read.
    pub format: Format,
    /// Where the token is.
    pub token: TokenPlace,
    /// Of its life in seconds.
    pub expires_in: Option<JsonPath>,
    /// Of its end.
    pub expires_at: Option<JsonPath>,
    /// When the answer says neither.
    pub ttl_seconds: u64,
}

/// How an answer is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// JSON.
    Json,
    /// `name=value` pairs.
    Form,
    /// The text is the token.
    Text,
}

/// Where a token is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TokenPlace {
    /// In the body.
    Path(JsonPath),
    /// It is the body.
    Body,
    /// In a header.
    Header(String),
    /// In a cookie that is set.
    Cookie(String),
}

/// Reads the members of a `customToken` secret.
pub(super) fn read(fields: &mut Fields<'_>) -> Option<CustomToken> {
    let values = fields.object("values", values);
    let values = values.unwrap_or_else(|| Some(BTreeMap::new()));
    let is_single = fields.has("request");
    let has_none = !is_single && !fields.has("requests");
    let requests = if is_single {
        let step = fields.required_object("request", step);
        step.map(|step| vec![step])
    } else {
        fields.objects("requests", MAX_REQUESTS, step)
    };
    let member = if is_single { "request" } else { "requests" };
    if has_none || requests.as_ref().is_some_and(Vec::is_empty) {
        let text = "must have 1 to 3 items";
        fields.problem(Fault::ValidationFailed, member, text);
    }
    let response = fields.required_object("response", response);
    let apply = obtained::apply(fields);
    let refresh_on = obtained::refresh_on(fields);
    let form = CustomToken {
        values: values?,
        requests: requests?,
        response: response?,
        apply: apply?,
        refresh_on,
    };
    if let Err(invalid) = form.check_names() {
        fields.checked::<()>(member, Err(invalid));
        return None;
    }
    Some(form)
}

impl CustomToken {
    /// Those that can be known before they are filled in, by member.
    pub(super) fn endpoints(&self) -> Vec<(String, Endpoint)> {
        let known = self
            .requests
            .iter()
            .enumerate()
            .filter_map(|(index, step)| {
                let url = Endpoint::parse(&step.url.literal()?).ok()?;
                Some((format!("requests[{index}].url"), url))
            });
        known.collect()
    }

    /// Every name that a template uses is known where it is used.
    fn check_names(&self) -> Result<(), Invalid> {
        let known: BTreeSet<&str> = self.values.keys().map(String::as_str).collect();
        for (index, step) in self.requests.iter().enumerate() {
            for template in step.templates()? {
                template.check(&known, index)?;
            }
        }
        Ok(())
    }
}

impl Step {
    /// All of them.
    fn templates(&self) -> Result<Vec<Template>, Invalid> {
        let pairs = self.headers.iter().chain(&self.query);
        let mut all: Vec<Template> = pairs.map(|(_, template)| template.clone()).collect();
        all.push(self.url.clone());
        match &self.body {
            None => {}
            Some(Body::Text(template)) => all.push(template.clone()),
            Some(Body::Json(value)) => template::of_json(value, &mut all)?,
        }
        Ok(all)
    }
}

fn values(mut members: Fields<'_>) -> Option<BTreeMap<String, SecretText>> {
    let mut values = Some(BTreeMap::new());
    let names = members.names();
    if names.len() > MAX_ITEMS {
        let name = names.first().cloned().unwrap_or_default();
        members.problem(
            Fault::ValidationFailed,
            &name,
            "is one of more than 64 values",
        );
    }
    for name in names {
        let is_name = (1..=64).contains(&name.len())
            && name
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b"_-".contains(&b));
        if !is_name {
            let text = "is no name of letters, digits, `_` and `-`";
            members.problem(Fault::ValidationFailed, &name, text);
        }
        let value = members.required(&name, bare);
        values = values.and_then(|mut values| {
            values.insert(name, value?);
            Some(values)
        });
    }
    members.finish();
    values
}

fn step(mut fields: Fields<'_>) -> Option<Step> {
    let method = fields.optional("method", |value| match value.as_str() {
        Some(method @ ("GET" | "POST" | "PUT" | "PATCH")) => Ok(method.to_owned()),
        _ => Err(Invalid::value(
            "must be one of `GET`, `POST`, `PUT`, `PATCH`",
        )),
    });
    let url = fields.required("url", |value| {
        let url = template_of(value)?;
        // A URL without placeholders can be judged at once; others are when they are filled in.
        match url.literal() {
            Some(text) => Endpoint::parse(&text).map(|_| url),
            None => Ok(url),
        }
    });
    let headers = fields.object("headers", |members| templates(members, custom_header));
    let query = fields.object("query", |members| templates(members, parameter));
    let body = match fields.take("body") {
        None => None,
        Some(value @ (Value::Object(_) | Value::Array(_))) => Some(Body::Json(value)),
        Some(value) => Some(Body::Text(fields.checked("body", template_of(&value))?)),
    };
    fields.finish();
    Some(Step {
        method: method.unwrap_or_else(|| "POST".to_owned()),
        url: url?,
        headers: headers.unwrap_or_else(|| Some(Vec::new()))?,
        query: query.unwrap_or_else(|| Some(Vec::new()))?,
        body,
    })
}

/// As of token requests, but that the content's type is one's own business.
fn custom_header(raw: &str) -> Result<String, Invalid> {
    let own = ["accept", "content-type"];
    if own.contains(&raw.to_ascii_lowercase().as_str()) {
        return Ok(raw.to_owned());
    }
    token_header(raw)
}

fn parameter(raw: &str) -> Result<String, Invalid> {
    if (1..=256).contains(&raw.len()) && !raw.chars().any(char::is_control) {
        return Ok(raw.to_owned());
    }
    Err(Invalid::value(
        "must be 1 to 256 bytes without control bytes",
    ))
}

fn templates(
    mut members: Fields<'_>,
    check_name: impl Fn(&str) -> Result<String, Invalid>,
) -> Option<Vec<(String, Template)>> {
    let mut all = Some(Vec::new());
    for name in members.names() {
        let checked = members.checked(&name, check_name(&name));
        let template = members.required(&name, template_of);
        all = all.and_then(|mut all: Vec<_>| {
            all.push((checked?, template?));
            (all.len() <= MAX_ITEMS).then_some(all)
        });
    }
    members.finish();
    all
}

fn template_of(value: &Value) -> Result<Template, Invalid> {
    let raw = string(value)?;
    if raw.len() > MAX_TEMPLATE_BYTES {
        return Err(Invalid::value("must be at most 16384 bytes long"));
    }
    Template::parse(&raw)
}

fn response(mut fields: Fields<'_>) -> Option<Response> {
    let format = fields.optional("format", |value| match value.as_str() {
        Some("json") => Ok(Format::Json),
        Some("form") => Ok(Format::Form),
        Some("text") => Ok(Format::Text),
        _ => Err(Invalid::value("must be `json`, `form` or `text`")),
    });
    let format = format.unwrap_or(Format::Json);
    let path = fields.optional("tokenPath", obtained::path);
    let header = fields.optional("tokenHeader", header_or_cookie);
    let cookie = fields.optional("tokenCookie", header_or_cookie);
    let places = [
        path.map(TokenPlace::Path),
        header.map(TokenPlace::Header),
        cookie.map(TokenPlace::Cookie),
        (format == Format::Text).then_some(TokenPlace::Body),
    ];
    let mut places = places.into_iter().flatten();
    let (first, second) = (places.next(), places.next());
    let is_one = match &second {
        None => first.is_some(),
        // A text may come with a header or cookie that has the token.
        Some(TokenPlace::Body) => !matches!(first, Some(TokenPlace::Path(_))),
        Some(_) => false,
    };
    if !is_one {
        let text = "or one of `tokenHeader`, `tokenCookie` is required, and no two of them";
        fields.problem(Fault::ValidationFailed, "tokenPath", text);
    }
    let response = Response {
        format,
        token: first.unwrap_or(TokenPlace::Body),
        expires_in: fields.optional("expiresInPath", obtained::path),
        expires_at: fields.optional("expiresAtPath", obtained::path),
        ttl_seconds: fields
            .optional("ttlSeconds", obtained::ttl_seconds)
            .unwrap_or(300),
    };
    fields.finish();
    is_one.then_some(response)
}

fn header_or_cookie(value: &Value) -> Result<String, Invalid> {
    let raw = string(value)?;
    if (1..=256).contains(&raw.len()) && crate::swap::is_header_name(&raw) {
        return Ok(raw);
    }
    Err(Invalid::value("must be the name of a header or cookie"))
}
