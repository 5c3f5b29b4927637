use super::*;

const NOW_S: u64 = 1_800_000_000;
const NOW_MS: u64 = NOW_S * 1000;

fn checks() -> ClaimChecks {
    ClaimChecks {
        issuer: None,
        audience: Box::default(),
        required: Box::default(),
        scopes: Box::default(),
        skew_ms: 60_000,
        requires_exp: true,
    }
}

fn check(checks: &ClaimChecks, claims: &str) -> Result<Option<u64>, InvalidClaims> {
    checks.check(&Object::parse(claims.as_bytes())?, NOW_MS)
}

/// With an `exp` that is far away.
fn endless(members: &str) -> String {
    format!("{{\"exp\":{},{members}}}", NOW_S + 3600)
}

fn table(checks: &ClaimChecks, rows: &[(&str, Result<(), InvalidClaims>)]) {
    for (members, want) in rows {
        let got = check(checks, &endless(members)).map(drop);
        assert_eq!(got, *want, "{members}");
    }
}

#[test]
fn a_token_ends_at_its_exp_give_or_take_the_skew() {
    for (exp, want) in [
        ("1800000001", Ok(Some(NOW_MS + 1000))),
        ("1800000000", Ok(Some(NOW_MS))),
        ("1799999940.5", Ok(Some(NOW_MS - 59_500))),
        ("1799999940", Err(InvalidClaims::Expired)),
        ("0", Err(InvalidClaims::Expired)),
        ("-5", Err(InvalidClaims::Expired)),
        ("1.8e9", Ok(Some(NOW_MS))),
        ("253402300799", Ok(Some(253_402_300_799_000))),
        ("1e99", Err(InvalidClaims::Time)),
        ("1800000000000", Err(InvalidClaims::Time)),
        ("1e999", Err(InvalidClaims::Time)),
        ("\"1800000001\"", Err(InvalidClaims::Time)),
        ("null", Err(InvalidClaims::Time)),
        ("true", Err(InvalidClaims::Time)),
        ("[1800000001]", Err(InvalidClaims::Time)),
        ("{}", Err(InvalidClaims::Time)),
    ] {
        assert_eq!(
            check(&checks(), &format!("{{\"exp\":{exp}}}")),
            want,
            "{exp}"
        );
    }
}

#[test]
fn without_exp_a_token_is_refused_unless_the_credential_says_so() {
    assert_eq!(check(&checks(), "{}"), Err(InvalidClaims::Endless));
    let lax = ClaimChecks {
        requires_exp: false,
        ..checks()
    };
    assert_eq!(check(&lax, "{}"), Ok(None));
    assert_eq!(check(&lax, r#"{"exp":1}"#), Err(InvalidClaims::Expired));
    assert_eq!(check(&lax, r#"{"exp":"1"}"#), Err(InvalidClaims::Time));
}

#[test]
fn what_is_not_valid_yet_is_refused() {
    for name in ["nbf", "iat"] {
        let claim = |value: &str| check(&checks(), &endless(&format!("\"{name}\":{value}")));
        assert!(claim("1799999999").is_ok());
        assert!(claim("1800000060").is_ok());
        assert_eq!(claim("1800000060.5"), Err(InvalidClaims::Early));
        assert_eq!(claim("1800003600"), Err(InvalidClaims::Early));
        assert_eq!(claim("\"now\""), Err(InvalidClaims::Time));
        assert_eq!(claim("null"), Err(InvalidClaims::Time));
    }
}

#[test]
fn the_issuer_is_compared_exactly() {
    let ours = ClaimChecks {
        issuer: Some("https://a.example/".into()),
        ..checks()
    };
    let wrong = Err(InvalidClaims::Issuer);
    table(
        &ours,
        &[
            (r#""iss":"https://a.example/""#, Ok(())),
            (r#""iss":"https:\/\/a.example\/""#, Ok(())),
            (r#""iss":"https://a.example""#, wrong),
            (r#""iss":"https://A.example/""#, wrong),
            (r#""iss":["https://a.example/"]"#, wrong),
            (r#""iss":null"#, wrong),
            (r#""x":1"#, wrong),
        ],
    );
}

#[test]
fn the_audience_names_one_of_ours() {
    let ours = ClaimChecks {
        audience: Box::new(["a".into(), "b".into()]),
        ..checks()
    };
    let wrong = Err(InvalidClaims::Audience);
    table(
        &ours,
        &[
            (r#""aud":"b""#, Ok(())),
            (r#""aud":["x","a"]"#, Ok(())),
            (r#""aud":"a b""#, wrong),
            (r#""aud":[]"#, wrong),
            (r#""aud":[["a"]]"#, wrong),
            (r#""aud":{"a":"a"}"#, wrong),
            (r#""aud":"c""#, wrong),
            (r#""x":1"#, wrong),
        ],
    );
    table(
        &checks(),
        &[(r#""aud":"anybody""#, Ok(())), (r#""x":1"#, Ok(()))],
    );
}

#[test]
fn required_claims_have_one_of_their_values() {
    let ours = ClaimChecks {
        required: Box::new([
            Requirement {
                name: "tier".into(),
                allowed: Box::new([Scalar::Text("gold".into()), Scalar::Number(2.0)]),
            },
            Requirement {
                name: "ok".into(),
                allowed: Box::new([Scalar::Bool(true)]),
            },
        ]),
        ..checks()
    };
    let wrong = Err(InvalidClaims::Required);
    table(
        &ours,
        &[
            (r#""ok":true,"tier":"gold""#, Ok(())),
            (r#""ok":true,"tier":2"#, Ok(())),
            (r#""ok":true,"tier":2.0"#, Ok(())),
            (r#""ok":true,"tier":["iron","gold"]"#, Ok(())),
            (r#""ok":true,"tier":"2""#, wrong),
            (r#""ok":true,"tier":"Gold""#, wrong),
            (r#""ok":"true","tier":"gold""#, wrong),
            (r#""ok":true,"tier":{"gold":"gold"}"#, wrong),
            (r#""ok":true,"tier":[["gold"]]"#, wrong),
            (r#""ok":true"#, wrong),
            (r#""x":{"tier":"gold","ok":true}"#, wrong),
        ],
    );
}

#[test]
fn all_required_scopes_are_there() {
    let ours = ClaimChecks {
        scopes: Box::new(["read".into(), "write".into()]),
        ..checks()
    };
    let wrong = Err(InvalidClaims::Scope);
    table(
        &ours,
        &[
            (r#""scope":"write read more""#, Ok(())),
            (r#""scope":["read","write"]"#, Ok(())),
            (r#""scp":"read write""#, Ok(())),
            (r#""scp":["read","write"]"#, Ok(())),
            (r#""scope":"read""#, wrong),
            (r#""scope":"readwrite""#, wrong),
            (r#""scope":"read,write""#, wrong),
            (r#""scope":"READ WRITE""#, wrong),
            (r#""x":1"#, wrong),
        ],
    );
}
