//! Who is at the other end: the client certificate says, and the node must say the same.

use envoy_types::pb::envoy::config::core::v3::Node;
use tonic::{Request, Status};
use x509_parser::extensions::GeneralName;
use x509_parser::parse_x509_certificate;

/// DNS names of a caller's certificate.
#[derive(Clone, Debug)]
struct Names(Vec<String>);

/// Lets in whoever shows a certificate of the region's authority that names a node. The whole
/// server is behind it, so no service can forget to ask.
pub(crate) fn require_certificate(mut request: Request<()>) -> Result<Request<()>, Status> {
    let names = certificate_names(&request)?;
    request.extensions_mut().insert(Names(names));
    Ok(request)
}

/// What [`require_certificate`] found.
pub(crate) fn names<T>(request: &Request<T>) -> Result<Vec<String>, Status> {
    let names = request.extensions().get::<Names>();
    let names = names.ok_or_else(|| Status::unauthenticated("a client certificate is required"))?;
    Ok(names.0.clone())
}

/// DNS names of the client certificate, which TLS has verified.
fn certificate_names<T>(request: &Request<T>) -> Result<Vec<String>, Status> {
    let missing = || Status::unauthenticated("a client certificate is required");
    let certificates = request.peer_certs().ok_or_else(missing)?;
    // The first is the peer's own, others are its issuers' (RFC 8446 §4.4.2).
    let leaf = certificates.first().ok_or_else(missing)?;
    let names = dns_names(leaf);
    if names.is_empty() {
        return Err(Status::unauthenticated(
            "the client certificate names no node",
        ));
    }
    Ok(names)
}

fn dns_names(der: &[u8]) -> Vec<String> {
    let Ok((_, certificate)) = parse_x509_certificate(der) else {
        return Vec::new();
    };
    let Ok(Some(names)) = certificate.subject_alternative_name() else {
        return Vec::new();
    };
    let dns = names
        .value
        .general_names
        .iter()
        .filter_map(|name| match name {
            GeneralName::DNSName(name) => Some((*name).to_owned()),
            _ => None,
        });
    dns.collect()
}

/// The id of a node that is what its certificate says, and of this region.
pub(crate) fn node_id(node: &Node, names: &[String], region: &str) -> Result<String, Status> {
    // Else one node could take another's seat, which ends the other's stream.
    if !names.contains(&node.id) {
        return Err(Status::permission_denied(
            "node id is not the name in the client certificate",
        ));
    }
    if node.cluster != region {
        return Err(Status::permission_denied("node cluster is not this region"));
    }
    Ok(node.id.clone())
}

#[cfg(test)]
mod tests {
    use super::*;
    use rcgen::{CertificateParams, KeyPair, SanType};

    #[test]
    fn dns_names_and_no_others_are_read_from_a_certificate() {
        let mut params = CertificateParams::new(vec!["eu-envoy-1".to_owned()]).unwrap();
        params
            .subject_alt_names
            .push(SanType::Rfc822Name("eu-envoy-2".try_into().unwrap()));
        let der = params.self_signed(&KeyPair::generate().unwrap()).unwrap();
        assert_eq!(dns_names(der.der()), ["eu-envoy-1"]);
        assert!(dns_names(b"garbage").is_empty());
        let nameless = CertificateParams::default();
        let der = nameless.self_signed(&KeyPair::generate().unwrap()).unwrap();
        assert!(dns_names(der.der()).is_empty());
    }

    #[test]
    fn a_node_is_who_its_certificate_says_in_the_region_it_is_asked_in() {
        let names = ["eu-envoy-1".to_owned()];
        for (id, cluster, is_it) in [
            ("eu-envoy-1", "eu", true),
            ("eu-envoy-2", "eu", false),
            ("eu-envoy-1", "us", false),
            ("eu-envoy-1", "", false),
            ("", "eu", false),
        ] {
            let node = Node {
                id: id.to_owned(),
                cluster: cluster.to_owned(),
                ..Node::default()
            };
            assert_eq!(
                node_id(&node, &names, "eu").is_ok(),
                is_it,
                "{id} {cluster}"
            );
        }
    }
}
