//! What tests of the queue begin with.

use std::time::Duration;

use bytes::Bytes;

use super::carrier::Request;
use super::intake::Intake;
use crate::fixtures::ORGANISATION;

pub(crate) fn request(path: &str) -> Request {
    Request {
        method: "POST".to_owned(),
        path: path.to_owned(),
        query: None,
        headers: vec![("content-type".to_owned(), Bytes::from_static(b"text/plain"))],
        body: Bytes::from_static(b"hello"),
    }
}

pub(crate) fn intake(request: Request) -> Intake {
    Intake {
        organisation_id: ORGANISATION.to_owned(),
        proxy_id: "p".to_owned(),
        credential_id: "c".to_owned(),
        target_id: "t".to_owned(),
        request,
        caller: Bytes::from_static(b"caller"),
        ordering: None,
        idempotency: None,
        callback: None,
        timeout: Duration::from_secs(15),
        keep_response: Duration::from_hours(24),
    }
}
