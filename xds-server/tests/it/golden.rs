//! Region config in, Envoy resources out: every folder of `tests/golden` is one case.
//!
//! `UPDATE=1 cargo test -p requestrocket-xds-server golden` writes what is expected anew, and
//! removes what nothing produces any more.

mod attached;
mod input;
mod printer;

use std::collections::BTreeMap;
use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use requestrocket_xds_server::records::region_config::RegionUpdate;
use requestrocket_xds_server::translate::listener::{ListenerAddress, ListenerAddresses};
use requestrocket_xds_server::xds::publisher::Publisher;
use requestrocket_xds_server::xds::resource::ResourceKind;

use self::input::Case;
use self::printer::Printer;

const INPUT: &str = "region.yaml";

#[test]
fn golden_resources_are_what_they_were() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden");
    let is_update = std::env::var_os("UPDATE").is_some();
    let printer = Printer::new();
    let mut cases = folders(&root);
    cases.sort();
    assert!(!cases.is_empty());
    for case in cases {
        let input = fs::read_to_string(case.join(INPUT)).unwrap();
        let produced = translate(&Case::parse(&input), &printer);
        if is_update {
            write(&case, &produced);
        }
        assert_eq!(
            read(&case),
            produced.keys().cloned().collect::<Vec<_>>(),
            "files of {case:?}"
        );
        for (name, text) in &produced {
            let expected = fs::read_to_string(case.join(name)).unwrap();
            assert!(
                expected == *text,
                "{} differs:\n{text}",
                case.join(name).display()
            );
        }
    }
}

/// Text by file name.
fn translate(case: &Case, printer: &Printer) -> BTreeMap<String, String> {
    let publisher = Publisher::new(case.settings());
    publisher.apply(7, RegionUpdate::Full(case.proxies()));
    let snapshot = publisher.subscribe().borrow().clone();
    let mut files = BTreeMap::new();
    for kind in ResourceKind::ALL {
        let resources: Vec<_> = match kind {
            ResourceKind::Listener => {
                let at = ListenerAddresses {
                    callers: ListenerAddress::default(),
                    deliveries: Some(SocketAddr::from(([127, 0, 0, 1], 10_001)).into()),
                };
                let listeners = snapshot.listener().unwrap().of_node(&at);
                listeners
                    .iter()
                    .map(|one| printer.print(kind, one))
                    .collect()
            }
            ResourceKind::Cluster | ResourceKind::Route | ResourceKind::Scope => snapshot
                .names(kind)
                .map(|name| printer.print(kind, snapshot.get(kind, name).unwrap()))
                .collect(),
        };
        files.insert(format!("{}s.yaml", kind.name()), resources.join("---\n"));
    }
    files
}

fn folders(root: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(root)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    entries.filter(|path| path.is_dir()).collect()
}

/// Names of the files that are expected.
fn read(case: &Path) -> Vec<String> {
    let entries = fs::read_dir(case).unwrap();
    let mut names: Vec<String> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.retain(|name| name != INPUT);
    names.sort();
    names
}

fn write(case: &Path, produced: &BTreeMap<String, String>) {
    for orphan in read(case)
        .iter()
        .filter(|name| !produced.contains_key(*name))
    {
        fs::remove_file(case.join(orphan)).unwrap();
    }
    for (name, text) in produced {
        fs::write(case.join(name), text).unwrap();
    }
}
