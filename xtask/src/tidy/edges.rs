//! Which crate may depend on which, and that every crate belongs to the workspace.

use std::path::Path;
use std::process::Command;

use anyhow::Context;
use serde::Deserialize;

use super::finding::Finding;

/// Our crates and the ones of ours that each may name; dependencies point one way.
const MAY_DEPEND: &[(&str, &[&str])] = &[
    ("requestrocket-proto", &[]),
    ("requestrocket-process", &[]),
    ("requestrocket-policy", &["requestrocket-proto"]),
    ("requestrocket-summary", &["requestrocket-proto"]),
    (
        "requestrocket-filter",
        &["requestrocket-policy", "requestrocket-proto"],
    ),
    ("requestrocket-xds-server", SERVER),
    ("requestrocket-core-api", SERVER),
    ("requestrocket-local-stack", &["requestrocket-process"]),
    (
        "requestrocket-integration-tests",
        &["requestrocket-local-stack", "requestrocket-policy"],
    ),
    ("xtask", &[]),
];
const SERVER: &[&str] = &[
    "requestrocket-policy",
    "requestrocket-proto",
    "requestrocket-process",
    "requestrocket-summary",
];

/// Dependencies from outside that belong in few crates.
const ONLY_IN: &[(&str, &[&str])] = &[
    ("proxy-wasm", &["requestrocket-filter"]),
    (
        "envoy-types",
        &[
            "requestrocket-xds-server",
            "requestrocket-integration-tests",
        ],
    ),
    ("tokio", NOT_PURE),
    ("axum", NOT_PURE),
    ("sqlx", NOT_PURE),
    ("reqwest", NOT_PURE),
];
const NOT_PURE: &[&str] = &[
    "requestrocket-process",
    "requestrocket-xds-server",
    "requestrocket-core-api",
    "requestrocket-local-stack",
    "requestrocket-integration-tests",
];

#[derive(Debug, Deserialize)]
struct Metadata {
    packages: Vec<Package>,
}

#[derive(Debug, Deserialize)]
struct Package {
    name: String,
    manifest_path: String,
    dependencies: Vec<Dependency>,
}

#[derive(Debug, Deserialize)]
struct Dependency {
    name: String,
    /// `dev`, `build`, or nothing for a normal one.
    kind: Option<String>,
}

/// Asks cargo for the workspace and judges it.
pub(super) fn check(root: &Path) -> anyhow::Result<Vec<Finding>> {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--no-deps", "--format-version", "1", "--locked"])
        .current_dir(root)
        .output()
        .context("cargo cannot be started")?;
    let problems = String::from_utf8_lossy(&output.stderr);
    anyhow::ensure!(
        output.status.success(),
        "cargo metadata failed: {}",
        problems.trim()
    );
    let metadata: Metadata = serde_json::from_slice(&output.stdout)?;
    let mut findings = strangers(root, &metadata)?;
    findings.extend(metadata.packages.iter().flat_map(edges));
    Ok(findings)
}

fn edges(package: &Package) -> Vec<Finding> {
    let Package {
        name, dependencies, ..
    } = package;
    let Some((_, may)) = MAY_DEPEND.iter().find(|(known, _)| known == name) else {
        return vec![finding(
            name,
            "is not in the table of xtask/src/tidy/edges.rs".to_owned(),
        )];
    };
    // What tests use does not ship.
    let shipped = dependencies
        .iter()
        .filter(|dependency| dependency.kind.is_none());
    let ours = |other: &str| MAY_DEPEND.iter().any(|(known, _)| *known == other);
    let forbidden = |dependency: &&Dependency| {
        let other = dependency.name.as_str();
        let misplaced = ONLY_IN
            .iter()
            .any(|(kept, homes)| *kept == other && !homes.contains(&name.as_str()));
        misplaced || (ours(other) && !may.contains(&other))
    };
    shipped
        .filter(forbidden)
        .map(|dependency| finding(name, format!("must not depend on {}", dependency.name)))
        .collect()
}

/// Folders with a manifest that the workspace does not know.
fn strangers(root: &Path, metadata: &Metadata) -> anyhow::Result<Vec<Finding>> {
    let mut findings = Vec::new();
    for entry in std::fs::read_dir(root)? {
        let manifest = entry?.path().join("Cargo.toml");
        let known = metadata
            .packages
            .iter()
            .any(|p| Path::new(&p.manifest_path) == manifest);
        if manifest.is_file() && !known {
            let name = manifest.display().to_string();
            findings.push(finding(
                &name,
                "is not a member of the workspace".to_owned(),
            ));
        }
    }
    Ok(findings)
}

fn finding(subject: &str, problem: String) -> Finding {
    Finding {
        check: "edges",
        subject: subject.to_owned(),
        problem,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problems(name: &str, dependencies: &[(&str, Option<&str>)]) -> Vec<String> {
        let dependencies = dependencies
            .iter()
            .map(|(name, kind)| Dependency {
                name: (*name).to_owned(),
                kind: kind.map(str::to_owned),
            })
            .collect();
        let package = Package {
            name: name.to_owned(),
            manifest_path: String::new(),
            dependencies,
        };
        edges(&package)
            .into_iter()
            .map(|finding| finding.problem)
            .collect()
    }

    #[test]
    fn dependencies_point_one_way() {
        let core = "requestrocket-core-api";
        assert_eq!(
            problems(core, &[("requestrocket-policy", None), ("axum", None)]),
            [""; 0]
        );
        assert_eq!(
            problems(core, &[("requestrocket-xds-server", None)]),
            ["must not depend on requestrocket-xds-server"]
        );
        assert_eq!(
            problems(core, &[("requestrocket-xds-server", Some("dev"))]),
            [""; 0]
        );
        assert_eq!(
            problems("requestrocket-policy", &[("tokio", None)]),
            ["must not depend on tokio"]
        );
        assert_eq!(problems("newcomer", &[]).len(), 1);
    }
}
