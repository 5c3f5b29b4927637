use super::*;

fn caller(number: u128) -> Caller {
    Caller {
        proxy: Uuid::from_u128(number).into(),
        credential: Uuid::from_u128(number + 100).into(),
    }
}

#[test]
fn callers_arrive_as_they_were_sent() {
    let callers = [caller(1), caller(2)];
    let sent = wire::CheckRequest::decode(request(&callers).as_slice()).unwrap();
    let received: Option<Vec<_>> = sent.callers.iter().map(Caller::from_wire).collect();
    assert_eq!(received.unwrap(), callers);
}

#[test]
fn what_is_no_id_is_no_caller() {
    for (proxy, credential) in [(0, 16), (16, 0), (15, 16), (16, 17)] {
        let wire = wire::Caller {
            proxy_id: vec![1; proxy].into(),
            credential_id: vec![1; credential].into(),
        };
        assert_eq!(Caller::from_wire(&wire), None, "{proxy} {credential}");
    }
}

#[test]
fn an_answer_is_of_as_many_callers_as_were_asked_about() {
    use Access::{Granted, Inactive, Revoked, Suspended};
    let all = [Granted, Revoked, Inactive, Suspended];
    let response = wire::CheckResponse {
        accesses: all.iter().map(|one| one.to_wire().into()).collect(),
    };
    let bytes = response.encode_to_vec();
    assert_eq!(answers(&bytes, 4).unwrap(), all);
    assert_eq!(answers(&bytes, 3), None);
    assert_eq!(answers(&bytes, 5), None);
    assert_eq!(answers(b"\xff", 0), None);
}

#[test]
fn what_is_not_said_ends_no_call() {
    let response = wire::CheckResponse {
        accesses: vec![0, 77, -1],
    };
    let heard = answers(&response.encode_to_vec(), 3).unwrap();
    assert_eq!(heard, [Access::Granted; 3]);
}

#[test]
fn a_call_hears_what_one_would_that_came_now() {
    for (access, denial) in [
        (Access::Granted, None),
        (Access::Revoked, Some(Denial::CredentialInvalid)),
        (Access::Inactive, Some(Denial::ProxyInactive)),
        (Access::Suspended, Some(Denial::BillingSuspended)),
    ] {
        assert_eq!(access.denial(), denial);
    }
}
