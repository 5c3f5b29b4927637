use std::time::Duration;

use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tonic::Code;

use super::harness::{Control, attach, credentials, hello, signed_by};
use crate::region::link::{ENROLMENT_LIFE, issue_token};
use crate::region::pki::{self, Authority};
use crate::store::gateway::region::region_enrolled;
use crate::store::testing::{sqlite, stores};
use requestrocket_process::clock::Clock;
use requestrocket_proto::region::v1::EnrolRequest;

#[tokio::test]
async fn a_token_enrols_its_region_once() {
    for store in stores().await {
        let control = Control::start(store).await;
        let token = control.token("eu-1").await;
        let region = control.enrol(token.expose()).await.unwrap();
        assert_eq!(region.name, "eu-1");
        let certificate =
            CertificateDer::from_pem_slice(region.certificate_pem.as_bytes()).unwrap();
        assert_eq!(pki::region_of(&certificate).unwrap().as_str(), "eu-1");
        let again = control.enrol(token.expose()).await.unwrap_err();
        assert_eq!(again.code(), Code::Unauthenticated);
        let next = control.token("eu-1").await;
        assert!(
            control.enrol(next.expose()).await.is_ok(),
            "a new token enrols the region anew"
        );
    }
}

#[tokio::test]
async fn an_unknown_or_expired_token_enrols_nobody() {
    let control = Control::start(sqlite().await).await;
    for token in ["", "e-unknown"] {
        assert_eq!(
            control.enrol(token).await.unwrap_err().code(),
            Code::Unauthenticated
        );
    }
    let earlier = Clock::manual(control.clock.now() - ENROLMENT_LIFE - Duration::from_secs(1));
    let region = "eu-1".parse().unwrap();
    let expired = issue_token(&control.store.db, &earlier, &region)
        .await
        .unwrap();
    assert_eq!(
        control.enrol(expired.expose()).await.unwrap_err().code(),
        Code::Unauthenticated
    );
}

#[tokio::test]
async fn a_bad_signing_request_leaves_the_token_usable() {
    let control = Control::start(sqlite().await).await;
    let token = control.token("eu-1").await;
    let mut client = control.connect(None).await.unwrap();
    let bad = EnrolRequest {
        token: token.expose().to_owned(),
        csr_der: "garbage".into(),
    };
    assert_eq!(
        client.enrol(bad).await.unwrap_err().code(),
        Code::InvalidArgument
    );
    assert!(control.enrol(token.expose()).await.is_ok());
}

#[tokio::test]
async fn without_a_certificate_every_call_but_enrol_is_refused() {
    let control = Control::with_records(sqlite().await).await;
    let mut client = control.connect(None).await.unwrap();
    let refusal = client
        .attach(tokio_stream::iter([hello(0)]))
        .await
        .unwrap_err();
    assert_eq!(refusal.code(), Code::Unauthenticated);
    for path in [
        "/requestrocket.region.v1.RegionLink/Attach",
        "/requestrocket.region.v1.RegionLink/enrol",
        "/requestrocket.region.v1.RegionLink/Enrol/",
        "/grpc.health.v1.Health/Check",
        "/",
    ] {
        let mut grpc = tonic::client::Grpc::new(control.channel(None).await.unwrap());
        grpc.ready().await.unwrap();
        let codec = tonic_prost::ProstCodec::<EnrolRequest, EnrolRequest>::default();
        let request = tonic::Request::new(EnrolRequest::default());
        let refusal = grpc
            .unary(request, path.parse().unwrap(), codec)
            .await
            .unwrap_err();
        assert_eq!(refusal.code(), Code::Unauthenticated, "{path}");
    }
}

#[tokio::test]
async fn a_certificate_of_another_authority_does_not_connect() {
    let control = Control::with_records(sqlite().await).await;
    let folder = tempfile::tempdir().unwrap();
    let other = Authority::load_or_create(folder.path(), Clock::default().now()).unwrap();
    let identity = signed_by(&other, &"eu-1".parse().unwrap());
    // The refusal may come with the handshake or with the first call.
    if let Ok(mut client) = control.connect(Some(identity)).await {
        assert!(client.attach(tokio_stream::iter([hello(0)])).await.is_err());
    }
    assert!(!control.fleets.region("eu-1").is_connected());
}

#[tokio::test]
async fn only_the_certificate_of_the_last_enrolment_is_let_in() {
    for store in stores().await {
        let control = Control::with_records(store).await;
        let first = control.region("eu-1").await;
        first.attach(&control, 0).await.batch().await;
        let second = control.region("eu-1").await;
        second.attach(&control, 0).await.batch().await;
        let ghost = control.forged(&"ghost".parse().unwrap());
        let never_given = control.forged(&"eu-1".parse().unwrap());
        for identity in [first.identity, ghost, never_given] {
            let refusal = attach(&control, identity, hello(0)).await.unwrap_err();
            assert_eq!(refusal.code(), Code::PermissionDenied);
        }
    }
}

#[tokio::test]
async fn enrolling_again_ends_the_link_of_the_former_certificate() {
    for store in stores().await {
        let control = Control::with_records(store).await;
        let (former, other) = (control.region("eu-1").await, control.region("us-1").await);
        let mut open = former.attach(&control, 0).await;
        let mut beside = other.attach(&control, 0).await;
        open.batch().await;
        beside.batch().await;
        let next = control.region("eu-1").await;
        assert_eq!(open.end().await.unwrap().code(), Code::PermissionDenied);
        control
            .fleets
            .until("eu-1", |state| !state.is_connected())
            .await;
        let mut link = next.attach(&control, 0).await;
        link.batch().await;
        assert!(control.fleets.region("us-1").is_connected());
    }
}

#[tokio::test]
async fn an_enrolment_at_another_process_ends_the_link_too() {
    for store in stores().await {
        let control = Control::with_records(store).await;
        let former = control.region("eu-1").await;
        let mut open = former.attach(&control, 0).await;
        open.batch().await;
        let region = former.name.parse().unwrap();
        let mut conn = control.store.conn().await;
        region_enrolled(&mut conn, &region, "another")
            .await
            .unwrap();
        drop(conn);
        // Of a change that is announced after it the link hears nothing any more.
        control.put_credential("eu-1", "after", 2).await;
        let refusal = open.next().await.unwrap_err();
        assert_eq!(refusal.code(), Code::PermissionDenied);
    }
}

#[tokio::test]
async fn a_refused_enrolment_leaves_the_open_link_alone() {
    let control = Control::with_records(sqlite().await).await;
    let region = control.region("eu-1").await;
    let mut link = region.attach(&control, 0).await;
    link.batch().await;
    assert!(control.enrol("e-unknown").await.is_err());
    control.put_credential("eu-1", "later", 2).await;
    assert_eq!(credentials(&link.batch().await), ["later"]);
}

#[tokio::test]
async fn garbage_on_the_port_ends_its_own_connection_only() {
    let control = Control::start(sqlite().await).await;
    for garbage in [
        &b"GET / HTTP/1.1\r\n\r\n"[..],
        &[0; 4096],
        b"\x16\x03\x01\xff\xff",
        b"",
    ] {
        let mut connection = TcpStream::connect(control.address).await.unwrap();
        connection.write_all(garbage).await.unwrap();
        connection.shutdown().await.unwrap();
        // An alert, a reset or nothing: the connection ends.
        let _ = connection.read_to_end(&mut Vec::new()).await;
    }
    let token = control.token("eu-1").await;
    assert!(control.enrol(token.expose()).await.is_ok());
}
