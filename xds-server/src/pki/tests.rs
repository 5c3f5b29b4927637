use std::os::unix::fs::PermissionsExt;

use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;
use x509_parser::prelude::*;

use super::identity::{CertificateRequest, Identity};
use super::*;

fn now() -> OffsetDateTime {
    OffsetDateTime::UNIX_EPOCH + Duration::days(20_000)
}

fn mode(path: &Path) -> u32 {
    std::fs::metadata(path).unwrap().permissions().mode() & 0o777
}

fn check_signed(ca_pem: &str, leaf_pem: &str, want_sans: &[&str]) {
    let ca = CertificateDer::from_pem_slice(ca_pem.as_bytes()).unwrap();
    let leaf = CertificateDer::from_pem_slice(leaf_pem.as_bytes()).unwrap();
    let (_, ca) = X509Certificate::from_der(&ca).unwrap();
    let (_, leaf) = X509Certificate::from_der(&leaf).unwrap();
    assert_eq!(leaf.issuer(), ca.subject());
    assert!(ca.is_ca());
    assert!(!leaf.is_ca());
    let names = leaf.subject_alternative_name().unwrap().unwrap();
    let names: Vec<String> = names
        .value
        .general_names
        .iter()
        .map(ToString::to_string)
        .collect();
    for want in want_sans {
        assert!(names.iter().any(|name| name.contains(want)), "{names:?}");
    }
}

#[test]
fn the_authority_is_made_once_and_signs_for_server_and_nodes() {
    let folder = tempfile::tempdir().unwrap();
    let pki = folder.path().join("pki");
    let first = NodeAuthority::load_or_create(&pki, "eu-1", now()).unwrap();
    let again = NodeAuthority::load_or_create(&pki, "eu-1", now()).unwrap();
    assert_eq!(first.certificate_pem(), again.certificate_pem());
    assert_eq!(mode(&pki.join(FILES.key)), 0o600);

    let names = ["localhost".to_owned(), "127.0.0.1".to_owned()];
    let server = again.server_certificate(&names, now()).unwrap();
    check_signed(
        first.certificate_pem(),
        &server.certificate_pem,
        &["localhost"],
    );
    assert!(!format!("{server:?}").contains("PRIVATE"));

    let out = folder.path().join("node");
    again
        .write_node_certificate("eu-1-envoy-1", &out, now())
        .unwrap();
    let node = std::fs::read_to_string(out.join("node.pem")).unwrap();
    check_signed(first.certificate_pem(), &node, &["eu-1-envoy-1"]);
    assert_eq!(mode(&out.join("node.key")), 0o600);
    assert_eq!(
        std::fs::read_to_string(out.join("ca.pem")).unwrap(),
        first.certificate_pem()
    );
}

#[test]
fn a_lost_half_of_the_authority_is_not_made_anew() {
    for (lost, kept) in [
        (FILES.certificate, FILES.key),
        (FILES.key, FILES.certificate),
    ] {
        let folder = tempfile::tempdir().unwrap();
        NodeAuthority::load_or_create(folder.path(), "eu-1", now()).unwrap();
        let before = std::fs::read(folder.path().join(kept)).unwrap();
        std::fs::remove_file(folder.path().join(lost)).unwrap();
        let error = NodeAuthority::load_or_create(folder.path(), "eu-1", now()).unwrap_err();
        assert!(error.to_string().contains(lost), "{error}");
        assert_eq!(std::fs::read(folder.path().join(kept)).unwrap(), before);
    }
}

#[test]
fn a_node_id_of_elsewhere_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let authority = NodeAuthority::load_or_create(folder.path(), "eu-1", now()).unwrap();
    for id in [
        "us-1-envoy-1",
        "eu-1",
        "eu-10-envoy",
        "eu-1-envoy.x",
        "eu-1-Envoy",
        "",
    ] {
        assert!(authority.node_certificate(id, now()).is_err(), "{id}");
    }
}

#[test]
fn an_identity_is_complete_or_absent() {
    let folder = tempfile::tempdir().unwrap();
    assert!(Identity::load(folder.path()).unwrap().is_none());
    let request = CertificateRequest::create("eu-1").unwrap();
    let (_, csr) = X509CertificationRequest::from_der(&request.csr_der).unwrap();
    assert!(
        csr.certification_request_info
            .subject
            .to_string()
            .contains("eu-1")
    );
    let identity = Identity {
        certificate_pem: "certificate".to_owned(),
        private_key_pem: request.private_key_pem,
        ca_pem: "authority".to_owned(),
    };
    identity.store(folder.path()).unwrap();
    let loaded = Identity::load(folder.path()).unwrap().unwrap();
    assert_eq!(loaded.certificate_pem, "certificate");
    assert_eq!(
        loaded.private_key_pem.expose(),
        identity.private_key_pem.expose()
    );
    assert_eq!(mode(&folder.path().join("identity.key")), 0o600);
    std::fs::remove_file(folder.path().join("identity.key")).unwrap();
    assert!(
        Identity::load(folder.path())
            .unwrap_err()
            .to_string()
            .contains("identity.key")
    );
}
