//! Resources as YAML, with every `Any` opened.

use std::path::PathBuf;
use std::process::Command;

use prost::Message;
use prost_reflect::{DescriptorPool, DynamicMessage, SerializeOptions};
use requestrocket_proto::policy::v1::{Admission, ProxyPolicy};
use requestrocket_xds_server::xds::resource::{Resource, ResourceKind};
use yaml_serde::Value;

pub(crate) struct Printer {
    envoy: DescriptorPool,
}

impl Printer {
    /// Reads the description of Envoy's messages that comes with their generated code.
    pub(crate) fn new() -> Self {
        let path = envoy_types().join("src/generated/types.bin");
        let descriptors = std::fs::read(path).unwrap();
        Self {
            envoy: DescriptorPool::decode(&descriptors[..]).unwrap(),
        }
    }

    pub(crate) fn print(&self, kind: ResourceKind, resource: &Resource) -> String {
        let type_url = kind.type_url();
        let name = type_url.rsplit('/').next().unwrap();
        let descriptor = self.envoy.get_message_by_name(name).unwrap();
        let message = DynamicMessage::decode(descriptor, resource.body().clone()).unwrap();
        let options = SerializeOptions::new().use_proto_field_name(true);
        let mut tree = message
            .serialize_with_options(yaml_serde::value::Serializer, &options)
            .unwrap();
        let policy = take_policy(&mut tree);
        sort_filters(&mut tree);
        let text = yaml_serde::to_string(&tree).unwrap();
        let heading = format!("# {} {}\n", kind.name(), resource.name());
        heading + &policy.unwrap_or_default() + &text
    }
}

/// Maps are decoded in any order; the order of their bytes has a test of its own.
fn sort_filters(tree: &mut Value) {
    match tree {
        Value::Mapping(members) => {
            for (name, member) in members.iter_mut() {
                if name.as_str() == Some("typed_per_filter_config")
                    && let Value::Mapping(filters) = &mut *member
                {
                    let mut entries: Vec<_> = std::mem::take(filters).into_iter().collect();
                    entries.sort_by(|(one, _), (other, _)| one.as_str().cmp(&other.as_str()));
                    *filters = entries.into_iter().collect();
                }
                sort_filters(member);
            }
        }
        Value::Sequence(items) => items.iter_mut().for_each(sort_filters),
        _ => {}
    }
}

/// The policy is ours and opaque to Envoy: it is shown as what it says.
fn take_policy(tree: &mut Value) -> Option<String> {
    let host = tree.get_mut("virtual_hosts")?.get_mut(0)?;
    let policy = take_part(host, "(the policy above)")?;
    let routes = host.get_mut("routes")?.as_sequence_mut()?;
    let admissions: Vec<Vec<u8>> = routes
        .iter_mut()
        .filter_map(|route| take_part(route, "(the admission above)"))
        .collect();
    let [admission, other] = &admissions[..] else {
        panic!("both routes carry an admission")
    };
    assert_eq!(admission, other);
    let admission = Admission::decode(&admission[..]).unwrap();
    let policy = ProxyPolicy::decode(&policy[..]).unwrap();
    Some(commented(&format!("{admission:#?}\n{policy:#?}")))
}

fn take_part(carrier: &mut Value, shown_as: &str) -> Option<Vec<u8>> {
    let value = carrier
        .get_mut("metadata")?
        .get_mut("typed_filter_metadata")?
        .get_mut("requestrocket")?
        .get_mut("value")?;
    let encoded = value.as_str().unwrap().to_owned();
    *value = Value::String(shown_as.to_owned());
    Some(base64::Engine::decode(&base64::prelude::BASE64_STANDARD, encoded).unwrap())
}

fn commented(text: &str) -> String {
    text.lines().flat_map(|line| ["# ", line, "\n"]).collect()
}

/// Where cargo keeps the crate's sources.
fn envoy_types() -> PathBuf {
    let metadata = Command::new(env!("CARGO"))
        .args([
            "metadata",
            "--locked",
            "--format-version",
            "1",
            "--manifest-path",
        ])
        .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml"))
        .output()
        .unwrap();
    let metadata: serde_json::Value = serde_json::from_slice(&metadata.stdout).unwrap();
    let packages = metadata["packages"].as_array().unwrap();
    let package = packages
        .iter()
        .find(|package| package["name"] == "envoy-types")
        .unwrap();
    let manifest = PathBuf::from(package["manifest_path"].as_str().unwrap());
    manifest.parent().unwrap().to_path_buf()
}
