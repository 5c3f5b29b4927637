//! Calls are told as spans, which continue their callers' traces and hold no secret.

use anyhow::{Context, Result, ensure};
use prost::Message;
use requestrocket_integration_tests::caller::Reply;
use requestrocket_integration_tests::canary::Canary;
use requestrocket_integration_tests::gateway::{Gateway, ProxyPlan, Secret};
use requestrocket_integration_tests::stack::Stack;
use requestrocket_integration_tests::target::{Target, respond};
use requestrocket_integration_tests::wait;
use serde_json::json;

use crate::expect;

/// Of `opentelemetry/proto/collector/trace/v1/trace_service.proto` and what it names, the fields that
/// are looked at.
#[derive(Clone, PartialEq, Message)]
struct ExportTraceServiceRequest {
    #[prost(message, repeated, tag = "1")]
    resource_spans: Vec<ResourceSpans>,
}

#[derive(Clone, PartialEq, Message)]
struct ResourceSpans {
    #[prost(message, repeated, tag = "2")]
    scope_spans: Vec<ScopeSpans>,
}

#[derive(Clone, PartialEq, Message)]
struct ScopeSpans {
    #[prost(message, repeated, tag = "2")]
    spans: Vec<Span>,
}

#[derive(Clone, PartialEq, Message)]
struct Span {
    #[prost(bytes = "vec", tag = "1")]
    trace_id: Vec<u8>,
    #[prost(bytes = "vec", tag = "2")]
    id: Vec<u8>,
    #[prost(bytes = "vec", tag = "4")]
    parent_span_id: Vec<u8>,
    #[prost(string, tag = "5")]
    name: String,
    #[prost(message, repeated, tag = "9")]
    attributes: Vec<KeyValue>,
}

#[derive(Clone, PartialEq, Message)]
struct KeyValue {
    #[prost(string, tag = "1")]
    key: String,
    #[prost(message, optional, tag = "2")]
    value: Option<AnyValue>,
}

#[derive(Clone, PartialEq, Message)]
struct AnyValue {
    #[prost(string, optional, tag = "1")]
    string_value: Option<String>,
}

const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
const PARENT: &str = "b7ad6b7169203331";

fn hexadecimal(bytes: &[u8]) -> String {
    let pairs: Vec<String> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    pairs.concat()
}

/// What a collector got.
fn spans(collector: &Target) -> Result<Vec<Span>> {
    let mut spans = Vec::new();
    let requests = collector.requests().into_iter();
    for request in requests.filter(|request| request.complete) {
        let told = ExportTraceServiceRequest::decode(&request.body[..])?;
        let scopes = told
            .resource_spans
            .into_iter()
            .flat_map(|it| it.scope_spans);
        spans.extend(scopes.flat_map(|scope| scope.spans));
    }
    Ok(spans)
}

/// Those of one call, once they are there.
async fn of(collector: &Target, reply: &Reply, count: usize) -> Result<Vec<Span>> {
    let id = reply.header("requestrocket-request-id")?;
    let is_of_it = |span: &Span| {
        let mut attributes = span.attributes.iter();
        attributes.any(|KeyValue { key, value }| {
            let text = value.as_ref().and_then(|value| value.string_value.as_ref());
            key == "requestrocket.request_id" && text == Some(&id)
        })
    };
    wait::until("the spans of the call", || async {
        let all = spans(collector)?;
        let traces = all.iter().find(|span| is_of_it(span));
        let Some(trace) = traces.map(|span| span.trace_id.clone()) else {
            return Ok(None);
        };
        let of_trace = all.into_iter().filter(|span| span.trace_id == trace);
        let of_trace: Vec<Span> = of_trace.collect();
        Ok((of_trace.len() >= count).then_some(of_trace))
    })
    .await
}

fn named<'a>(spans: &'a [Span], name: &str) -> Result<&'a Span> {
    let mut spans = spans.iter();
    let found = spans.find(|span| span.name == name);
    found.with_context(|| format!("no span `{name}`"))
}

#[tokio::test]
async fn a_call_continues_the_trace_of_its_caller_and_leads_on_to_the_target() -> Result<()> {
    const INJECTED: &str = "injected-canary-0123456789";
    const PRESENTED: &str = "presented-canary-9876543210";
    const SENT: &str = "other-canary-5678901234";
    let collector = Target::start().await?;
    let url = format!("{}/v1/traces", collector.url());
    let stack = Stack::start(&["--envoy-otlp-url", &url]).await?;
    let gateway = Gateway::of(&stack)?;
    let target = Target::answering(|_| {
        let grpc = [("content-type", "application/grpc"), ("grpc-status", "13")];
        respond("200 OK", &grpc, b"")
    })
    .await?;
    let injected = json!({"key": INJECTED, "location": "query", "name": "key"});
    let plan = ProxyPlan::to(&target.url()).injecting(Secret::new("apiKey", injected));
    let proxy = gateway.proxy(&plan).await?;

    let sent = format!("00-{TRACE}-{PARENT}-01");
    let call = proxy
        .get(&format!("/v1/{SENT}?q={SENT}"))
        .with("traceparent", &sent)
        .with("tracestate", format!("vendor={SENT}"))
        .with("user-agent", SENT)
        .with("x-request-id", SENT)
        .with("x-client-trace-id", SENT)
        // Envoy says more of these.
        .with("content-type", "application/grpc")
        .with("grpc-timeout", SENT);
    let reply = gateway.call(&call).await?;
    expect::ok(&reply)?;
    let continued = of(&collector, &reply, 2).await?;
    let (call, onward) = (named(&continued, "call")?, named(&continued, "target")?);
    ensure!(hexadecimal(&call.trace_id) == TRACE, "{call:?}");
    ensure!(hexadecimal(&call.parent_span_id) == PARENT, "{call:?}");
    ensure!(onward.parent_span_id == call.id, "{onward:?}");
    let got = target.last()?.head.first("traceparent");
    let want = format!("00-{TRACE}-{}-01", hexadecimal(&onward.id));
    ensure!(got.as_ref() == Some(&want), "{got:?} for {want}");
    let state = target.last()?.head.all("tracestate");
    ensure!(state == [format!("vendor={SENT}")], "{state:?}");
    let list = format!("proxies/{}/requests?traceId={TRACE}", proxy.id);
    let record = super::records::of(&gateway, &proxy, &reply).await?;
    ensure!(record["traceId"] == TRACE, "{record}");
    let found = gateway.api.get(&list).await?.succeeded()?.json;
    ensure!(found["data"] == json!([record]), "{found}");

    // A call that brings none begins one, and so does one that is refused.
    let begun = gateway.call(&proxy.get("/")).await?;
    let refused = proxy.get("/").with("authorization", PRESENTED);
    let refused = gateway.call(&refused).await?;
    for (reply, count) in [(&begun, 2), (&refused, 1)] {
        let spans = of(&collector, reply, count).await?;
        let call = named(&spans, "call")?;
        ensure!(call.parent_span_id.is_empty(), "{call:?}");
        let record = super::records::of(&gateway, &proxy, reply).await?;
        let trace = hexadecimal(&call.trace_id);
        ensure!(record["traceId"] == trace, "{trace}: {record}");
    }
    for secret in [INJECTED, PRESENTED, SENT] {
        let canary = Canary::new(secret);
        for request in collector.requests() {
            canary.absent_from("a span", &request.body)?;
        }
    }
    Ok(())
}

/// What callers send in the place of a trace, and whether it is one.
fn hostile_traces() -> Vec<(Vec<u8>, bool)> {
    // A sampler by ids takes this one whatever its share is.
    let lowest = "0000000000000000000000000000000a";
    let sound = format!("00-{lowest}-{PARENT}-01");
    let mut all: Vec<_> = [
        String::new(),
        "x".repeat(40_000),
        format!("{sound}-{}", "0".repeat(20_000)),
        sound.replace('-', ":"),
        sound.replace("-01", "-zz"),
        format!("00-{}-{PARENT}-01", "0".repeat(32)),
        format!("00-{lowest}-{}-01", "0".repeat(16)),
    ]
    .map(|text| (text.into_bytes(), false))
    .into();
    all.push((b"\xff\xfe00-\x80".to_vec(), false));
    all.extend(vec![(sound.into_bytes(), true); 80]);
    all
}

#[tokio::test]
async fn no_caller_decides_what_is_told_of_and_none_breaks_a_call() -> Result<()> {
    let collector = Target::start().await?;
    let url = format!("{}/v1/traces", collector.url());
    let stack = Stack::start(&["--envoy-otlp-url", &url, "--otlp-sample", "0.25"]).await?;
    let gateway = Gateway::of(&stack)?;
    let target = Target::start().await?;
    let proxy = gateway.proxy_to(&target.url()).await?;
    let mut sampled = 0;
    for (sent, is_trace) in hostile_traces() {
        let call = proxy
            .get("/")
            .with("traceparent", &sent)
            .with("tracestate", "a=b,".repeat(5_000))
            .with("tracestate", [0xff])
            .with("x-client-trace-id", "one")
            .with("x-envoy-force-trace", "1")
            .with("x-rr-drawn", "00000000");
        let reply = gateway.call(&call).await?;
        expect::ok(&reply)?;
        let got = target.last()?.head.all("traceparent").concat();
        if is_trace {
            ensure!(got.starts_with("00-0000"), "{got}");
            sampled += usize::from(got.ends_with("-01"));
        }
    }
    // Of 80 about 20; that it is outside of this by chance happens once in ten thousand million runs.
    ensure!((1..=45).contains(&sampled), "{sampled} of 80");
    Ok(())
}

#[tokio::test]
async fn without_a_collector_the_headers_of_a_trace_pass_as_they_came() -> Result<()> {
    let gateway = Gateway::shared().await?;
    let target = Target::start().await?;
    let proxy = gateway.proxy_to(&target.url()).await?;
    let sent = format!("00-{TRACE}-{PARENT}-01");
    let call = proxy
        .get("/")
        .with("traceparent", &sent)
        .with("tracestate", "a=b");
    expect::ok(&gateway.call(&call).await?)?;
    let head = target.last()?.head;
    ensure!(head.all("traceparent") == [sent], "{head:?}");
    ensure!(head.all("tracestate") == ["a=b"], "{head:?}");
    Ok(())
}

#[tokio::test]
async fn no_credential_is_injected_as_the_header_of_a_trace() -> Result<()> {
    let gateway = Gateway::shared().await?;
    for name in ["traceparent", "TraceState"] {
        let body = json!({"key": "a-key-of-sixteen", "location": "header", "name": name});
        let secret = Secret::new("apiKey", body);
        let refused = gateway.credential("target", &secret).await;
        let error = refused.err().context("it was taken")?;
        let text = format!("{error:#}");
        ensure!(text.contains("INVALID_SECRET"), "{text}");
    }
    Ok(())
}
