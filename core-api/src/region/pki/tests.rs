use std::os::unix::fs::PermissionsExt;

use rcgen::{CertificateParams, KeyPair};
use rustls_pki_types::pem::PemObject;

use super::*;

const NOW: OffsetDateTime = time::macros::datetime!(2026-01-02 03:04:05 UTC);

fn authority() -> Authority {
    Authority::load_or_create(&tempfile::tempdir().unwrap().path().join("pki"), NOW).unwrap()
}

fn csr(names: &[&str]) -> Vec<u8> {
    let names: Vec<String> = names.iter().map(|&name| name.to_owned()).collect();
    let request = CertificateParams::new(names).unwrap();
    request
        .serialize_request(&KeyPair::generate().unwrap())
        .unwrap()
        .der()
        .to_vec()
}

fn der(pem: &str) -> CertificateDer<'static> {
    CertificateDer::from_pem_slice(pem.as_bytes()).unwrap()
}

#[test]
fn the_authority_is_made_once_and_kept() {
    let folder = tempfile::tempdir().unwrap();
    let pki = folder.path().join("pki");
    let first = Authority::load_or_create(&pki, NOW).unwrap();
    let second = Authority::load_or_create(&pki, NOW).unwrap();
    assert_eq!(first.certificate_pem(), second.certificate_pem());
    let mode = std::fs::metadata(pki.join("ca.key"))
        .unwrap()
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o600);
    let issued = second
        .issue_region(&"eu-1".parse().unwrap(), &csr(&[]), NOW)
        .unwrap();
    let (ca, leaf) = (der(first.certificate_pem()), der(&issued.pem));
    let (_, ca) = x509_parser::parse_x509_certificate(&ca).unwrap();
    let (_, leaf) = x509_parser::parse_x509_certificate(&leaf).unwrap();
    assert_eq!(leaf.issuer(), ca.subject());
    assert!(leaf.verify_signature(Some(ca.public_key())).is_ok());
}

#[test]
fn half_an_authority_is_refused() {
    for missing in ["ca.pem", "ca.key"] {
        let folder = tempfile::tempdir().unwrap();
        Authority::load_or_create(folder.path(), NOW).unwrap();
        std::fs::remove_file(folder.path().join(missing)).unwrap();
        let problem = Authority::load_or_create(folder.path(), NOW).unwrap_err();
        assert!(
            matches!(problem, AuthorityFailed::Incomplete(_)),
            "{problem}"
        );
    }
}

#[test]
fn a_region_gets_its_own_name_whatever_it_asks_for() {
    let authority = authority();
    let region: RegionName = "eu-1".parse().unwrap();
    let asked = csr(&["us-1.region.requestrocket", "*.example.com"]);
    let issued = authority.issue_region(&region, &asked, NOW).unwrap();
    assert_eq!(region_of(&der(&issued.pem)), Ok(region));
    assert_eq!(digest_of(&der(&issued.pem)), issued.digest);
}

#[test]
fn a_request_that_is_no_request_is_refused() {
    let mut forged = csr(&[]);
    let last = forged.len() - 1;
    forged[last] ^= 1;
    for bad in [&b""[..], b"garbage", &forged] {
        let region = "eu-1".parse().unwrap();
        assert!(authority().issue_region(&region, bad, NOW).is_err());
    }
}

#[test]
fn only_one_region_name_counts() {
    let authority = authority();
    for names in [
        &["localhost"][..],
        &["region.requestrocket"],
        &[".region.requestrocket"],
        &["a.b.region.requestrocket"],
        &["eu-1.region.requestrocket", "us-1.region.requestrocket"],
        &["eu-1.region.requestrocket.example.com"],
    ] {
        let names: Vec<String> = names.iter().map(|&name| name.to_owned()).collect();
        let identity = authority.issue_server(&names, NOW).unwrap();
        assert_eq!(
            region_of(&der(&identity.certificate_pem)),
            Err(NoRegion),
            "{names:?}"
        );
    }
    assert_eq!(
        region_of(&CertificateDer::from(vec![1, 2, 3])),
        Err(NoRegion)
    );
}

#[test]
fn keys_are_never_printed() {
    let authority = authority();
    let identity = authority
        .issue_server(&["localhost".to_owned()], NOW)
        .unwrap();
    assert!(!format!("{authority:?}{identity:?}").contains("PRIVATE"));
}
