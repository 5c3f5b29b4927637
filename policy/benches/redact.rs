//! Redaction throughput: `cargo bench -p requestrocket-policy --bench redact`.
//!
//! One core is to redact at least 300 MB/s. The other way, a tree of values that is changed and
//! written again, is measured beside it.

#![expect(
    clippy::expect_used,
    reason = "a benchmark without its fixture is of no use"
)]

use std::{hint::black_box, sync::Arc};

use divan::{Bencher, counter::BytesCount};
use requestrocket_policy::{
    json::{
        find::{Finder, Found},
        path::JsonPath,
    },
    redact::{Filter, Operation, Redactor, Stage, redact_held},
};
use serde_json::Value;

fn main() {
    divan::main();
}

/// What Envoy hands to a filter at once.
const CHUNK_BYTES: usize = 16 * 1024;

/// Around 1 MB: an array of objects as a REST API lists them.
fn document(is_pretty: bool) -> Vec<u8> {
    let item = |n: u32| {
        serde_json::json!({
            "id": 9_007_199_254_000_000_u64 + u64::from(n),
            "name": format!("Customer {n}"),
            "email": format!("customer{n}@example.com"),
            "ssn": "078-05-1120",
            "active": n.is_multiple_of(3),
            "balance": f64::from(n) * 1.25,
            "address": {"street": "1 Long Street with a \"quote\"", "city": "Zürich", "zip": "8001"},
            "tags": ["new", "eu", "b2b"],
            "card": {"number": "4111111111111111", "cvv": "123", "expires": "12/29"},
            "secret": "s3cr3t",
            "notes": "Lorem ipsum dolor sit amet, consectetur adipiscing elit, sed do eiusmod.",
            "parent": null,
        })
    };
    let list: Vec<_> = (0..2_600).map(item).collect();
    let value = serde_json::json!({"items": list, "total": 2_600});
    let text = if is_pretty {
        serde_json::to_vec_pretty(&value)
    } else {
        serde_json::to_vec(&value)
    };
    text.expect("a value")
}

fn stage(operation: Operation, paths: &[&str]) -> Stage {
    let parse = |path: &&str| JsonPath::parse(path).expect("a path");
    let filter = Filter {
        id: "f".into(),
        operation,
        paths: paths.iter().map(parse).collect(),
    };
    Stage {
        filters: vec![Arc::new(filter)],
    }
}

fn run(bencher: Bencher<'_, '_>, body: &[u8], stages: &[Stage]) {
    bencher.counter(BytesCount::of_slice(body)).bench_local(|| {
        let mut redactor = Redactor::new(stages);
        let mut out = Vec::with_capacity(CHUNK_BYTES * 2);
        let mut total = 0;
        for chunk in black_box(body).chunks(CHUNK_BYTES) {
            redactor.push(chunk, &mut out).expect("a valid document");
            total += out.len();
            out.clear();
        }
        redactor.finish().expect("a valid document");
        total + out.len()
    });
}

#[divan::bench]
fn pass_through(bencher: Bencher<'_, '_>) {
    run(bencher, &document(false), &[]);
}

#[divan::bench]
fn pass_through_pretty(bencher: Bencher<'_, '_>) {
    run(bencher, &document(true), &[]);
}

const DESTROYED: [&str; 3] = [
    "$.items[*].ssn",
    "$.items[*].card.number",
    "$.items[*].secret",
];

#[divan::bench]
fn destroy_three(bencher: Bencher<'_, '_>) {
    let stages = [stage(Operation::Destroy, &DESTROYED)];
    run(bencher, &document(false), &stages);
}

#[divan::bench]
fn destroy_three_pretty(bencher: Bencher<'_, '_>) {
    let stages = [stage(Operation::Destroy, &DESTROYED)];
    run(bencher, &document(true), &stages);
}

#[divan::bench]
fn retain_three(bencher: Bencher<'_, '_>) {
    let paths = [
        "$.items[*].id",
        "$.items[*].name",
        "$.items[*].address.city",
    ];
    run(
        bencher,
        &document(false),
        &[stage(Operation::Retain, &paths)],
    );
}

#[divan::bench]
fn destroy_descendants(bencher: Bencher<'_, '_>) {
    run(
        bencher,
        &document(false),
        &[stage(Operation::Destroy, &["$..secret"])],
    );
}

/// The automaton asks each path about each member.
#[divan::bench]
fn destroy_a_hundred_descendants(bencher: Bencher<'_, '_>) {
    let paths: Vec<_> = (0..100).map(|n| format!("$..secret{n}")).collect();
    let paths: Vec<_> = paths.iter().map(String::as_str).collect();
    run(
        bencher,
        &document(false),
        &[stage(Operation::Destroy, &paths)],
    );
}

#[divan::bench]
fn destroy_by_filter_expression_held(bencher: Bencher<'_, '_>) {
    let body = document(false);
    let stages = [stage(
        Operation::Destroy,
        &["$.items[?@.active == true].ssn"],
    )];
    bencher
        .counter(BytesCount::of_slice(&body))
        .bench_local(|| redact_held(&stages, black_box(&body)).expect("a valid document"));
}

#[divan::bench]
fn find_a_meter_value(bencher: Bencher<'_, '_>) {
    let body = document(false);
    let paths = [JsonPath::parse("$.total").expect("a path")];
    bencher
        .counter(BytesCount::of_slice(&body))
        .bench_local(|| {
            let mut finder = Finder::new(&paths);
            let mut found = 0;
            let mut on_found = |_, _: Found<'_>| found += 1;
            for chunk in black_box(&body).chunks(CHUNK_BYTES) {
                finder.push(chunk, &mut on_found).expect("a valid document");
            }
            finder.finish(&mut on_found).expect("a valid document");
            found
        });
}

#[divan::bench]
fn four_stages(bencher: Bencher<'_, '_>) {
    let stages: Vec<_> = ["$..ssn", "$..number", "$..secret", "$..cvv"]
        .iter()
        .map(|path| stage(Operation::Destroy, &[path]))
        .collect();
    run(bencher, &document(false), &stages);
}

#[divan::bench]
fn destroy_three_with_serde_json(bencher: Bencher<'_, '_>) {
    let body = document(false);
    bencher
        .counter(BytesCount::of_slice(&body))
        .bench_local(|| {
            let mut held = Vec::new();
            for chunk in black_box(&body).chunks(CHUNK_BYTES) {
                held.extend_from_slice(chunk);
            }
            let mut value: Value = serde_json::from_slice(&held).expect("a valid document");
            let items = value.get_mut("items").and_then(Value::as_array_mut);
            for item in items.into_iter().flatten().filter_map(Value::as_object_mut) {
                item.remove("ssn");
                item.remove("secret");
                if let Some(card) = item.get_mut("card").and_then(Value::as_object_mut) {
                    card.remove("number");
                }
            }
            serde_json::to_vec(&value).expect("a value").len()
        });
}
