//! Calls whose target does not take the token that they carry.

use super::*;

const REFUSED: &[(&str, &str)] = &[(":status", "401")];

/// A call of such a proxy that was let through.
fn forwarded(fixture: &PolicyFixture) -> Exchange {
    let mut exchange = Exchange::new(resolved(fixture));
    let path = api("/x");
    let lines = lines("GET", &path, KEY);
    let head = RequestHead::new(&lines);
    let decision = exchange.on_request(&head, RequestBody::Whole(b""), &Admitting(0));
    assert!(matches!(decision, RequestDecision::Forward(_)));
    exchange
}

const KEY: &[(&str, &str)] = &[("authorization", "key")];

fn renewed(exchange: &mut Exchange, answer: &[u8], path: &str) -> Option<Vec<String>> {
    let renewed = exchange.renew(answer, path.as_bytes())?;
    Some(renewed.edits().iter().map(shown).collect())
}

#[test]
fn only_the_statuses_of_an_obtained_token_refuse_it() {
    for (fixture, status, is_refused) in [
        (fixture().obtained(9, &[401]), "401", true),
        (fixture().obtained(9, &[403, 500]), "500", true),
        (fixture().obtained(9, &[401]), "403", false),
        (fixture().obtained(9, &[401]), "200", false),
        (fixture().obtained(9, &[]), "401", false),
        (fixture(), "401", false),
        // Nothing of it is looked for in responses.
        (
            PolicyFixture::new()
                .api_key("key")
                .header("a", "short")
                .obtained(9, &[401]),
            "401",
            false,
        ),
    ] {
        let mut exchange = forwarded(&fixture);
        let before = exchange.renewable();
        assert_eq!(exchange.refused_token(), None);
        exchange.on_head(&FakeResponse::new(&[(":status", status)]));
        assert_eq!(exchange.renewable(), None, "it is answered");
        let refused = exchange.refused_token();
        assert_eq!(refused.is_some(), is_refused, "{status}");
        assert!(refused.is_none() || refused == before && refused == Some(fixture.carried()));
    }
}

#[test]
fn the_other_token_takes_the_place_of_the_first() {
    let mut fixture = fixture().obtained(9, &[401]);
    let other = fixture.another(|it| {
        it.header("X-Tenant", "7")
            .header("authorization", "Bearer other-token")
    });
    let mut exchange = forwarded(&fixture);
    let edits = ["x-tenant = 7", "authorization = Bearer other-token"].map(str::to_owned);
    assert_eq!(renewed(&mut exchange, &other, "/x").unwrap(), edits);
    // Again, should that try not have come to the target.
    assert_eq!(renewed(&mut exchange, &other, "/x").unwrap(), edits);
    for useless in [&b""[..], b"\xff", &other[1..]] {
        assert_eq!(renewed(&mut exchange, useless, "/x"), None);
    }
    exchange.on_head(&FakeResponse::new(REFUSED));
    assert_eq!(renewed(&mut exchange, &other, "/x"), None, "it is answered");
}

#[test]
fn in_the_query_all_else_stays() {
    let fixture = PolicyFixture::new()
        .api_key("key")
        .query("key", "first-token");
    let mut fixture = fixture.obtained(9, &[401]);
    let other = fixture.another(|it| it.query("key", "other token"));
    for (path, want) in [
        ("/b/x?a=1&key=first-token", "/b/x?a=1&key=other%20token"),
        ("/b/x?key=first-token", "/b/x?key=other%20token"),
        ("/b/x?%6bey=1&key=first-token&b", "/b/x?b&key=other%20token"),
    ] {
        let edits = renewed(&mut forwarded(&fixture), &other, path);
        assert_eq!(edits, Some(vec![format!(":path = {want}")]), "{path}");
    }
}

#[test]
fn a_response_may_repeat_either_token() {
    let mut fixture = fixture().obtained(9, &[401]);
    let other = fixture.another(|it| it.header("authorization", "Bearer other-token"));
    let mut exchange = forwarded(&fixture);
    assert!(renewed(&mut exchange, &other, "/x").is_some());
    let head = [
        (":status", "200"),
        ("x-a", "target-token"),
        ("x-b", "other-token"),
    ];
    let head = FakeResponse::new(&head);
    let ResponseDecision::Forward(edits, _) = exchange.on_response_head(&head, true, &Admitting(0))
    else {
        panic!("it passes");
    };
    let masked: Vec<&str> = edits
        .iter()
        .filter_map(|edit| match edit {
            ResponseEdit::PutLines(name, lines) if lines[0].iter().all(|byte| *byte == b'*') => {
                Some(name.as_str())
            }
            ResponseEdit::PutLines(..)
            | ResponseEdit::SetHeader(..)
            | ResponseEdit::RemoveHeader(_) => None,
        })
        .collect();
    assert_eq!(masked, ["x-a", "x-b"]);
}

/// The region seals it to the credential and its version.
#[test]
fn a_token_of_another_credential_is_none() {
    let mut stranger = fixture().obtained(9, &[401]);
    let theirs = stranger.another(|it| it.header("authorization", "Bearer other-token"));
    let fixture = fixture().obtained(9, &[401]);
    assert_eq!(renewed(&mut forwarded(&fixture), &theirs, "/x"), None);
}

#[test]
fn a_token_that_travels_by_itself_is_put_on_calls_in_the_place_of_the_one_before() {
    let mut fixture = fixture().obtained(9_000, &[401]);
    let token = fixture.apart();
    let policy = fixture.compile().unwrap();
    assert!(policy.awaits_token() && !policy.has_token(b"1"));
    let decided = |policy: Policy| {
        let resolved = Resolved::Proxy(Arc::new(policy));
        decide(&resolved, "GET", &api("/x"), KEY)
    };
    let first = policy.with_token(b"1", &token).unwrap();
    assert!(first.has_token(b"1") && !first.has_token(b"2"));
    let none = first.with_token(b"2", &[]).unwrap();
    let again = none.with_token(b"3", &token).unwrap();
    let unavailable = Some(&Denial::TargetCredentialUnavailable);
    assert_eq!(decided(policy).as_ref().err(), unavailable);
    assert_eq!(decided(none).as_ref().err(), unavailable);
    for with in [first, again] {
        let edits = decided(with).unwrap();
        let token = "authorization = Bearer target-token".to_owned();
        assert!(edits.contains(&token), "{edits:?}");
    }
}

#[test]
fn a_token_by_itself_is_of_its_policy_or_none() {
    let of = |mut fixture: PolicyFixture| (fixture.apart(), fixture.compile().unwrap());
    let (token, policy) = of(fixture().obtained(9, &[401]));
    let (theirs, _) = of(fixture().obtained(9, &[401]));
    for useless in [&theirs[..], b"\xff"] {
        assert!(policy.with_token(b"1", useless).is_err());
    }
    // One that comes with its token takes no other.
    let whole = fixture().obtained(9, &[401]).compile().unwrap();
    assert!(!whole.awaits_token());
    assert!(whole.with_token(b"1", &token).is_err());
}
