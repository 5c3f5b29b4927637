//! Generates the messages and services; protox parses the files, so no `protoc` is needed.

use std::error::Error;

fn main() -> Result<(), Box<dyn Error>> {
    let files = [
        "requestrocket/access/v1/access.proto",
        "requestrocket/keys/v1/keys.proto",
        "requestrocket/meter/v1/meter.proto",
        "requestrocket/passage/v1/passage.proto",
        "requestrocket/policy/v1/policy.proto",
        "requestrocket/queue/v1/queue.proto",
        "requestrocket/record/v1/record.proto",
        "requestrocket/region/v1/region.proto",
        "requestrocket/telemetry/v1/telemetry.proto",
        "requestrocket/usage/v1/usage.proto",
    ];
    for file in files {
        println!("cargo::rerun-if-changed={file}");
    }
    let descriptors = protox::compile(files, ["."])?;
    let grpc = std::env::var_os("CARGO_FEATURE_GRPC").is_some();
    tonic_prost_build::configure()
        .bytes(".")
        .btree_map(".requestrocket.telemetry.v1")
        .boxed("requestrocket.region.v1.Proxy.cors")
        .boxed("requestrocket.region.v1.Query.kind.records")
        .boxed("requestrocket.region.v1.Query.kind.arrivals")
        .build_client(grpc)
        .build_server(grpc)
        .compile_fds(descriptors)?;
    Ok(())
}
