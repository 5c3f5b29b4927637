//! One attempt to obtain a token of a `customToken` secret: its requests, one after the other, and
//! what the last answer says.

use std::cell::Cell;

use requestrocket_policy::json::path::JsonPath;
use requestrocket_policy::secret::SecretText;
use requestrocket_policy::secret_form::custom::Values;
use requestrocket_policy::secret_form::custom_token::{
    Body, CustomToken, Format, Part, Step, TokenPlace,
};
use requestrocket_policy::secret_form::endpoint::Endpoint;
use serde_json::Value;
use url::form_urlencoded::Serializer;
use uuid::Uuid;
use zeroize::Zeroizing;

use super::answer::{self, Document, Failure, Obtained, checked_token};
use super::client::Response;
use super::provider::{Attempt, Placed, World};
use super::request::{Fresh, Outgoing};
use super::schedule::clamp_life;

#[cfg(test)]
mod tests;

/// What an answer may be that the next request takes values from, and what a request may come to.
const MAX_STEP_BYTES: usize = 64 << 10;
/// Values of earlier answers in one request.
const MAX_STEP_VALUES: usize = 64;

/// What the requests so far have brought.
#[derive(Default)]
pub(super) struct Answers(Vec<Document>);

/// Sends the requests, one after the other.
pub(super) async fn obtain(world: World<'_>, form: &CustomToken) -> Attempt {
    let id = Uuid::new_v4().to_string();
    let secrets: Vec<&str> = form.values.values().map(SecretText::expose).collect();
    let mut answers = Answers::default();
    let Some((last, earlier)) = form.requests.split_last() else {
        return Err(Failure::transient(
            "unusable_secret",
            "secret has no request",
        ));
    };
    let fresh = || Fresh {
        now_s: world.now_ms() / 1_000,
        id: &id,
    };
    for step in earlier {
        let request = build(form, step, &answers, fresh())?;
        let response = world.client.send(&request).await?;
        let taken = take(&mut answers, &response, &secrets);
        taken.map_err(|failure| told(failure, &response, world.now_ms()))?;
    }
    let request = build(form, last, &answers, fresh())?;
    let response = world.client.send(&request).await?;
    let now_ms = world.now_ms();
    let obtained = read(form, &response, &secrets, now_ms)
        .map_err(|failure| told(failure, &response, now_ms))?;
    let placed = Placed {
        apply: form.apply.clone(),
        headers: Values::new(),
        refresh_on: form.refresh_on.clone(),
    };
    Ok((obtained, placed))
}

/// The failure with how long the provider wants to be left alone.
fn told(failure: Failure, response: &Response, now_ms: u64) -> Failure {
    let told = header(response, "retry-after");
    Failure {
        retry_after_ms: told.and_then(|value| answer::retry_after_ms(&value, now_ms)),
        ..failure
    }
}

/// The next request.
pub(super) fn build(
    form: &CustomToken,
    step: &Step,
    answers: &Answers,
    fresh: Fresh<'_>,
) -> Result<Outgoing, Failure> {
    let room = Cell::new((MAX_STEP_BYTES, MAX_STEP_VALUES));
    let mut value = |part: &Part| {
        let (bytes, values) = room.get();
        let values = match part {
            Part::Step(..) => values.checked_sub(1)?,
            Part::Secret(_) | Part::Timestamp | Part::Uuid | Part::Text(_) | Part::Base64(_) => {
                values
            }
        };
        let filled = fill(part, form, answers, fresh)?;
        room.set((bytes.checked_sub(filled.len())?, values));
        Some(filled)
    };
    let missing = || {
        Failure::transient(
            "missing_value",
            "an earlier answer lacks a value that a request needs, or the request is too long",
        )
    };
    let url = step.url.fill(&mut value).ok_or_else(missing)?;
    let mut query = Serializer::new(String::new());
    for (name, template) in &step.query {
        query.append_pair(name, &template.fill(&mut value).ok_or_else(missing)?);
    }
    let url = with_query(&url, &Zeroizing::new(query.finish()));
    // Which URL it is shows only now that it is filled in.
    Endpoint::parse(&url)
        .map_err(|_| Failure::transient("invalid_url", "URL that was filled in is none"))?;
    let mut headers = Vec::new();
    for (name, template) in &step.headers {
        let value = template.fill(&mut value).ok_or_else(missing)?;
        headers.push((name.to_ascii_lowercase(), SecretText::from(value)));
    }
    put_default(&mut headers, "accept", "application/json");
    let body = match &step.body {
        None => None,
        Some(Body::Text(template)) => Some(template.fill(&mut value).ok_or_else(missing)?),
        Some(Body::Json(json)) => {
            put_default(&mut headers, "content-type", "application/json");
            let filled = filled_json(json, &mut value).ok_or_else(missing)?;
            Some(Zeroizing::new(filled.to_string()))
        }
    };
    Ok(Outgoing {
        method: step.method.clone(),
        url: SecretText::from(url),
        headers,
        body: body.map(SecretText::from),
        certificate: None,
    })
}

/// Takes the answer of a request that was not the last.
pub(super) fn take(
    answers: &mut Answers,
    response: &Response,
    secrets: &[&str],
) -> Result<(), Failure> {
    refuse_failed(response, secrets)?;
    if response.body.len() > MAX_STEP_BYTES {
        let problem = "answer is too long to take values from";
        return Err(Failure::transient("too_long", problem));
    }
    let document = Document::of(&response.body).ok_or_else(|| {
        Failure::transient("unreadable_answer", "answer is neither JSON nor a form")
    })?;
    answers.0.push(document);
    Ok(())
}

/// The token in the last answer.
pub(super) fn read(
    form: &CustomToken,
    response: &Response,
    secrets: &[&str],
    now_ms: u64,
) -> Result<Obtained, Failure> {
    refuse_failed(response, secrets)?;
    let body = std::str::from_utf8(&response.body).unwrap_or_default();
    let document = match form.response.format {
        Format::Json => Document::json(&response.body),
        Format::Form => Document::form(&response.body),
        Format::Text => None,
    };
    let found = match &form.response.token {
        TokenPlace::Body => Some(Zeroizing::new(body.trim().to_owned())),
        TokenPlace::Path(path) => document.as_ref().and_then(|it| it.first(path)),
        TokenPlace::Header(name) => header(response, name),
        TokenPlace::Cookie(name) => cookie(response, name),
    };
    let token = checked_token(found.as_deref().map_or("", String::as_str))?;
    let value = |path: &Option<JsonPath>| document.as_ref()?.first(path.as_ref()?);
    let ends = value(&form.response.expires_at).and_then(|text| answer::moment_ms(&text));
    let life_ms = ends
        .map(|end_ms| end_ms.saturating_sub(now_ms))
        .or_else(|| answer::span_ms(&value(&form.response.expires_in)?, 1_000))
        .unwrap_or_else(|| form.response.ttl_seconds.saturating_mul(1_000));
    Ok(Obtained {
        token,
        life_ms: clamp_life(life_ms),
        refresh_token: None,
    })
}

fn refuse_failed(response: &Response, secrets: &[&str]) -> Result<(), Failure> {
    let failure = answer::failure_of(response.status, &response.body, secrets);
    let failure = failure.map(|failure| Failure {
        // Only OAuth has errors that are known to last.
        is_permanent: false,
        ..failure
    });
    failure.map_or(Ok(()), Err)
}

fn header(response: &Response, name: &str) -> Option<Zeroizing<String>> {
    let value = response.headers.get(name)?.to_str().ok()?;
    Some(Zeroizing::new(value.trim().to_owned()))
}

fn cookie(response: &Response, name: &str) -> Option<Zeroizing<String>> {
    response
        .headers
        .get_all("set-cookie")
        .iter()
        .find_map(|line| {
            let pair = line.to_str().ok()?.split(';').next()?;
            let (found, value) = pair.split_once('=')?;
            (found.trim() == name).then(|| Zeroizing::new(value.trim().to_owned()))
        })
}

fn fill(
    part: &Part,
    form: &CustomToken,
    answers: &Answers,
    fresh: Fresh<'_>,
) -> Option<Zeroizing<String>> {
    match part {
        Part::Secret(name) => {
            let value = form.values.get(name)?;
            Some(Zeroizing::new(value.expose().to_owned()))
        }
        Part::Step(step, path) => answers.0.get(*step)?.first(path),
        Part::Timestamp => Some(Zeroizing::new(fresh.now_s.to_string())),
        Part::Uuid => Some(Zeroizing::new(fresh.id.to_owned())),
        Part::Text(_) | Part::Base64(_) => None,
    }
}

fn filled_json(
    json: &Value,
    value: &mut impl FnMut(&Part) -> Option<Zeroizing<String>>,
) -> Option<Value> {
    use requestrocket_policy::secret_form::custom_token::Template;
    match json {
        Value::Null | Value::Bool(_) | Value::Number(_) => Some(json.clone()),
        Value::String(text) => {
            let filled = Template::parse(text).ok()?.fill(value)?;
            Some(Value::String(filled.to_string()))
        }
        Value::Array(items) => {
            let items = items.iter().map(|item| filled_json(item, value));
            items.collect::<Option<_>>().map(Value::Array)
        }
        Value::Object(members) => {
            let members = members
                .iter()
                .map(|(name, item)| Some((name.clone(), filled_json(item, value)?)));
            members.collect::<Option<_>>().map(Value::Object)
        }
    }
}

fn with_query(url: &str, query: &str) -> Zeroizing<String> {
    let joint = match (query.is_empty(), url.contains('?')) {
        (true, _) => "",
        (false, true) => "&",
        (false, false) => "?",
    };
    Zeroizing::new([url, joint, query].concat())
}

fn put_default(headers: &mut Vec<(String, SecretText)>, name: &str, value: &str) {
    if !headers.iter().any(|(known, _)| known == name) {
        headers.push((name.to_owned(), SecretText::new(value.to_owned())));
    }
}
