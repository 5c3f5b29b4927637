use super::*;
use crate::{effort::counted, fixtures::rules};

/// `destroy $.a $.b` or `retain $.a`, with the number of its id.
fn redaction(number: u32, text: &str) -> wire::Redaction {
    let mut words = text.split(' ');
    let operation = match words.next() {
        Some("retain") => wire::Operation::Retain,
        _ => wire::Operation::Destroy,
    };
    wire::Redaction {
        filter_id: id(number),
        operation: operation.into(),
        paths: words.map(str::to_owned).collect(),
        conditions: None,
    }
}

fn id(number: u32) -> String {
    format!("00000000-0000-4000-8000-{number:012}")
}

fn layer(redactions: &[(u32, &str)]) -> wire::Layer {
    let redactions = redactions
        .iter()
        .map(|(number, text)| redaction(*number, text));
    wire::Layer {
        redactions: redactions.collect(),
        ..rules::layer("deny", &[])
    }
}

fn on_proxy(redactions: &[(u32, &str)]) -> SampleLayers {
    SampleLayers {
        proxy_credential: layer(&[]),
        target_credential: layer(&[]),
        target: layer(&[]),
        proxy: layer(redactions),
    }
}

const GET: Sample<'_> = Sample {
    method: "GET",
    path: "/",
    headers: &[],
    query: "",
    body: None,
    claims: None,
};

fn response(
    status: u16,
    content_type: &'static str,
    body: &'static str,
) -> SampleResponse<'static> {
    SampleResponse {
        status,
        content_type: (!content_type.is_empty()).then_some(content_type),
        body,
    }
}

fn sent(layers: SampleLayers, response: &SampleResponse<'_>) -> Outcome {
    preview(layers, &GET, response).unwrap().outcome
}

/// As `record stage operation filter path`.
fn told(changes: &[Change]) -> Vec<String> {
    let told = changes.iter().map(|change| {
        let record = change.record.map_or("-".to_owned(), |n| n.to_string());
        let filter = change.filter.as_deref().unwrap_or("none");
        let filter = filter.trim_start_matches(['0', '-', '4', '8']);
        let (stage, path) = (change.stage.as_str(), &change.path);
        format!("{record} {stage} {:?} {filter} {path}", change.operation)
    });
    told.collect()
}

#[test]
fn stages_follow_each_other_and_each_change_names_its_own() {
    let layers = SampleLayers {
        proxy_credential: layer(&[(3, "destroy $.c")]),
        target_credential: layer(&[(1, "retain $.a $.b $.c")]),
        target: layer(&[(2, "destroy $.b $.d")]),
        proxy: layer(&[(5, "destroy $.b")]),
    };
    let body = r#"{"a": 1, "b": 2, "c": 3, "d": 4}"#;
    let told_of = preview(layers, &GET, &response(200, "application/json", body)).unwrap();
    assert_eq!(told_of.outcome, Outcome::Sent(r#"{"a": 1}"#.to_owned()));
    assert_eq!(
        told(&told_of.changes),
        [
            "- targetCredential Retain 1 $['a']",
            "- targetCredential Retain 1 $['b']",
            "- targetCredential Retain 1 $['c']",
            "- targetCredential Retain none $['d']",
            "- target Destroy 2 $['b']",
            "- proxyCredential Destroy 3 $['c']",
        ]
    );
}

#[test]
fn what_is_not_redacted_is_sent_as_it_is() {
    let body = r#"{"a":1}"#;
    let redacting = || on_proxy(&[(1, "destroy $.a")]);
    for (layers, response) in [
        (on_proxy(&[]), response(200, "text/plain", body)),
        (on_proxy(&[]), response(200, "", body)),
        (redacting(), response(404, "application/json", body)),
        (redacting(), response(302, "text/html", body)),
        (redacting(), response(204, "application/json", body)),
        (redacting(), response(304, "application/json", body)),
        (redacting(), response(200, "text/plain", "")),
        (redacting(), response(200, "", "")),
    ] {
        let told_of = preview(layers, &GET, &response).unwrap();
        let want = Outcome::Sent(response.body.to_owned());
        assert_eq!(told_of.outcome, want, "{response:?}");
        assert_eq!(told_of.changes, []);
    }
    let head = Sample {
        method: "HEAD",
        ..GET
    };
    let told_of = preview(redacting(), &head, &response(200, "application/json", body)).unwrap();
    assert_eq!(told_of.outcome, Outcome::Sent(body.to_owned()));
}

#[test]
fn what_cannot_be_redacted_is_refused() {
    for response in [
        response(200, "text/plain", r#"{"a":1}"#),
        response(200, "", r#"{"a":1}"#),
        response(201, "application/json; charset=latin1", r#"{"a":1}"#),
        response(206, "application/json", r#"{"a":1}"#),
        response(200, "application/json", r#"{"a":1"#),
        response(200, "application/json", r#"{"a":1}{"#),
        response(299, "application/json", " "),
    ] {
        let redacting = on_proxy(&[(1, "destroy $.a")]);
        assert_eq!(
            sent(redacting, &response),
            Outcome::NotFilterable,
            "{response:?}"
        );
    }
}

#[test]
fn json_has_many_names() {
    for content_type in [
        "application/json",
        "Application/JSON; charset=UTF-8",
        "text/json",
        "application/problem+json",
    ] {
        let response = response(200, content_type, r#"{"a":1,"b":2}"#);
        let redacting = on_proxy(&[(1, "destroy $.a")]);
        assert_eq!(
            sent(redacting, &response),
            Outcome::Sent(r#"{"b":2}"#.to_owned())
        );
    }
}

#[test]
fn streams_are_redacted_record_by_record_up_to_a_bad_one() {
    let sse = "text/event-stream";
    for (content_type, body, want) in [
        (
            "application/x-ndjson",
            "{\"a\":1,\"b\":2}\n\n{\"a\":3}",
            Outcome::Sent("{\"b\":2}\n\n{}".to_owned()),
        ),
        (
            "application/jsonl",
            "{\"b\":2}\nnonsense\n{\"a\":3}\n",
            Outcome::Cut("{\"b\":2}\n".to_owned()),
        ),
        (
            sse,
            ": hi\nevent: x\ndata: {\"a\":1,\ndata: \"b\":2}\n\ndata: [DONE]\n\n",
            Outcome::Sent(": hi\nevent: x\ndata: {\ndata: \"b\":2}\n\ndata: [DONE]\n\n".to_owned()),
        ),
        (sse, "data: {\n\ndata: {}\n\n", Outcome::Cut(String::new())),
    ] {
        let response = response(200, content_type, body);
        let redacting = on_proxy(&[(1, "destroy $.a")]);
        assert_eq!(sent(redacting, &response), want, "{body}");
    }
}

#[test]
fn changes_of_a_stream_name_their_records() {
    let body = "{\"a\":1}\n{}\n{\"a\":2}\n";
    let redacting = on_proxy(&[(1, "destroy $.a")]);
    let response = response(200, "application/ndjson", body);
    let told_of = preview(redacting, &GET, &response).unwrap();
    let want = ["0 proxy Destroy 1 $['a']", "2 proxy Destroy 1 $['a']"];
    assert_eq!(told(&told_of.changes), want);
}

#[test]
fn a_report_of_many_records_is_bounded_as_one() {
    let name = "n".repeat(600);
    let record = format!("{{\"{name}\":[{}]}}\n", vec!["0"; 1_000].join(","));
    let of = |body: &str| {
        let redacting = on_proxy(&[(1, "destroy $.*[*]")]);
        let response = SampleResponse {
            status: 200,
            content_type: Some("application/ndjson"),
            body,
        };
        preview(redacting, &GET, &response).map(drop)
    };
    assert_eq!(of(&record), Ok(()));
    assert_eq!(of(&record.repeat(20)), Err(InvalidSample::TooManyChanges));
}

#[test]
fn the_work_of_a_report_is_bounded_for_all_its_records_together() {
    let paths: Vec<_> = (0..100).map(|n| format!("$.a{n}")).collect();
    let filter = format!("destroy {}", paths.join(" "));
    let redactions: Vec<_> = (1..=100).map(|number| (number, filter.as_str())).collect();
    let of = |body: &str| {
        let response = SampleResponse {
            status: 200,
            content_type: Some("application/ndjson"),
            body,
        };
        let spent = counted();
        let told = preview(on_proxy(&redactions), &GET, &response).map(|told| told.outcome);
        (told, counted() - spent)
    };
    let few = "{}\n".repeat(100);
    assert_eq!(of(&few).0, Ok(Outcome::Sent(few.clone())));
    let (told, steps) = of(&"{}\n".repeat(20_000));
    assert_eq!(told, Err(InvalidSample::TooMuchWork));
    assert!(steps < 300 << 20, "{steps}");
}

#[test]
fn a_document_that_no_real_call_could_have_is_no_question_of_the_report() {
    // Its steps end before those of the report do.
    let filter = "destroy $..[?@..[?@..[?@.a]]]";
    let body = format!("{}{}", "[".repeat(100), "]".repeat(100));
    let body = format!("[{}]", vec![body; 200].join(","));
    let response = SampleResponse {
        status: 200,
        content_type: Some("application/json"),
        body: &body,
    };
    let of = |filter| preview(on_proxy(&[(1, filter)]), &GET, &response);
    let told = of(filter).unwrap();
    assert_eq!(told.outcome, Outcome::NotFilterable);
    let told = of("destroy $..[?@.a]").unwrap();
    assert_eq!(told.outcome, Outcome::Sent(body.clone()));
}

#[test]
fn redactions_apply_to_the_calls_of_their_conditions() {
    let mut layers = on_proxy(&[(1, "destroy $.a")]);
    for redaction in &mut layers.proxy.redactions {
        redaction.conditions = Some(wire::Conditions {
            methods: vec!["GET".to_owned()],
            ..wire::Conditions::default()
        });
    }
    for (method, want) in [("GET", "{}"), ("POST", r#"{"a":1}"#)] {
        let sample = Sample { method, ..GET };
        let response = response(200, "application/json", r#"{"a":1}"#);
        let told_of = preview(layers.clone(), &sample, &response).unwrap();
        assert_eq!(told_of.outcome, Outcome::Sent(want.to_owned()), "{method}");
    }
}

#[test]
fn rules_decide_nothing_here_and_a_bad_sample_is_no_call() {
    let response = response(200, "application/json", "{}");
    // Every layer of these tests denies.
    assert_eq!(
        sent(on_proxy(&[(1, "destroy $.a")]), &response),
        Outcome::Sent("{}".to_owned())
    );
    let trace = Sample {
        method: "TRACE",
        ..GET
    };
    let refused = preview(on_proxy(&[]), &trace, &response);
    assert_eq!(refused, Err(InvalidSample::Method));
    let mut broken = on_proxy(&[]);
    broken.target.default_effect = 0;
    let refused = preview(broken, &GET, &response).unwrap_err();
    assert!(matches!(
        refused,
        InvalidSample::Layer {
            layer: LayerName::Target,
            ..
        }
    ));
}
