use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use requestrocket_policy::json::path::JsonPath;
use serde_json::json;

use super::*;

const NOW_MS: u64 = 1_800_000_000_000;
const DEFAULT_MS: u64 = 300_000;

fn path(text: &str) -> JsonPath {
    JsonPath::parse(text).unwrap()
}

fn reading() -> Reading {
    Reading {
        token: path("$.access_token"),
        expires_in: Some(path("$.expires_in")),
        expires_in_unit_ms: 1_000,
        expires_at: None,
        default_life_ms: DEFAULT_MS,
    }
}

fn read_with(reading: &Reading, status: u16, body: &str) -> Result<Obtained, Failure> {
    let answer = Answer {
        status,
        retry_after_ms: None,
        body: body.as_bytes(),
    };
    read(answer, reading, &["hunter2-secret"], NOW_MS)
}

/// Token and life, or code and permanence.
fn outcome(status: u16, body: &str) -> Result<(String, u64), (String, bool)> {
    match read_with(&reading(), status, body) {
        Ok(got) => Ok((got.token.expose().to_owned(), got.life_ms)),
        Err(failure) => Err((failure.code, failure.is_permanent)),
    }
}

#[test]
fn a_life_is_read_however_it_is_written() {
    for (member, want_ms) in [
        ("", DEFAULT_MS),
        (r#", "expires_in": 3600"#, 3_600_000),
        (r#", "expires_in": "3600""#, 3_600_000),
        (r#", "expires_in": 3599.9"#, 3_599_000),
        (r#", "expires_in": " 60.0 ""#, 60_000),
        (r#", "expires_in": 0"#, 1_000),
        (r#", "expires_in": -5"#, 1_000),
        (r#", "expires_in": 1e300"#, schedule_max()),
        (r#", "expires_in": 99999999999999999999"#, schedule_max()),
        (r#", "expires_in": "soon""#, DEFAULT_MS),
        (r#", "expires_in": null"#, DEFAULT_MS),
        (r#", "expires_in": {}"#, DEFAULT_MS),
    ] {
        let body = format!(r#"{{"access_token": "t"{member}}}"#);
        assert_eq!(outcome(200, &body), Ok(("t".to_owned(), want_ms)), "{body}");
    }
}

fn schedule_max() -> u64 {
    super::super::schedule::MAX_LIFE_MS
}

#[test]
fn a_life_may_be_of_milliseconds_or_a_moment() {
    let in_ms = Reading {
        expires_in_unit_ms: 1,
        ..reading()
    };
    let body = r#"{"access_token": "t", "expires_in": 7200000}"#;
    assert_eq!(read_with(&in_ms, 200, body).unwrap().life_ms, 7_200_000);
    let ends = Reading {
        expires_at: Some(path("$.issued.until")),
        ..reading()
    };
    for until in [
        json!(1_800_000_060),
        json!(1_800_000_060_000_u64),
        json!("1800000060"),
        json!("2027-01-15T08:01:00Z"),
        json!("2027-01-15T09:01:00.000+01:00"),
    ] {
        let body = json!({"access_token": "t", "expires_in": 5, "issued": {"until": until}});
        let got = read_with(&ends, 200, &body.to_string()).unwrap();
        assert_eq!(got.life_ms, 60_000, "{body}");
    }
}

#[test]
fn a_jwt_says_its_own_end_where_the_answer_says_none() {
    // {"exp": 1800000090}
    let token = "eyJhbGciOiJub25lIn0.eyJleHAiOiAxODAwMDAwMDkwfQ.c2ln";
    let body = format!(r#"{{"access_token": "{token}"}}"#);
    assert_eq!(read_with(&reading(), 200, &body).unwrap().life_ms, 90_000);
    let body = format!(r#"{{"access_token": "{token}", "expires_in": 40}}"#);
    assert_eq!(read_with(&reading(), 200, &body).unwrap().life_ms, 40_000);
}

#[test]
fn forms_are_read_and_pages_are_not() {
    for (body, want) in [
        ("access_token=a%2Bb&expires_in=60", Ok(("a+b", 60_000))),
        ("\n access_token=t \n", Ok(("t", DEFAULT_MS))),
        ("error=invalid_grant&x=1", Err(("invalid_grant", true))),
        (
            "<html><a href='?access_token=t'></html>",
            Err(("unreadable_answer", false)),
        ),
        ("<access_token=t>", Err(("unreadable_answer", false))),
        ("", Err(("unreadable_answer", false))),
        ("\"t\"", Err(("unreadable_answer", false))),
    ] {
        let want = want
            .map(|(token, life)| (token.to_owned(), life))
            .map_err(|(code, permanent)| (code.to_owned(), permanent));
        assert_eq!(outcome(200, body), want, "{body}");
    }
}

#[test]
fn an_answer_without_a_usable_token_is_a_failure() {
    let long = format!(
        r#"{{"access_token": "{}"}}"#,
        "a".repeat(MAX_TOKEN_BYTES + 1)
    );
    for (body, code) in [
        ("{}", "missing_token"),
        (r#"{"access_token": ""}"#, "missing_token"),
        (r#"{"access_token": null}"#, "missing_token"),
        (r#"{"access_token": 5}"#, "missing_token"),
        (r#"{"access_token": "a\r\nX-Evil: 1"}"#, "unusable_token"),
        (r#"{"access_token": "é"}"#, "unusable_token"),
        (long.as_str(), "unusable_token"),
        (r#"{"access_token": "t", "error": "denied"}"#, "denied"),
        (r#"{"access_token": "t", "ok": false}"#, "not_ok"),
        (r#"{"ok": false, "error": "invalid_auth"}"#, "invalid_auth"),
        (
            r#"{"access_token": "t", "token_type": "DPoP"}"#,
            "unsupported_token_type",
        ),
        (
            r#"{"access_token": "t", "token_type": "MAC"}"#,
            "unsupported_token_type",
        ),
        (r#"{"error": {"code": 190, "message": "no"}}"#, "190"),
        (r#"{"error": {"reason": "no"}}"#, "error"),
    ] {
        assert_eq!(outcome(200, body), Err((code.to_owned(), false)), "{body}");
    }
    let longest = format!(r#"{{"access_token": "{}"}}"#, "a".repeat(MAX_TOKEN_BYTES));
    assert!(outcome(200, &longest).is_ok());
    for fine in [
        r#""token_type": "BEARER""#,
        r#""token_type": "bot""#,
        r#""error": null"#,
    ] {
        let body = format!(r#"{{"access_token": "t", {fine}}}"#);
        assert!(outcome(200, &body).is_ok(), "{body}");
    }
}

#[test]
fn only_a_parsed_oauth_error_is_permanent() {
    for code in PERMANENT {
        let body = json!({"error": code}).to_string();
        for (status, is_permanent) in [
            (200, true),
            (400, true),
            (401, true),
            (429, false),
            (503, false),
        ] {
            assert_eq!(outcome(status, &body), Err((code.to_owned(), is_permanent)));
        }
    }
    for (status, body, code) in [
        (403, "<html>blocked: invalid_grant</html>", "http_403"),
        (400, "invalid_grant", "http_400"),
        (
            400,
            r#"{"error": "temporarily_unavailable"}"#,
            "temporarily_unavailable",
        ),
        (400, r#"{"error": "INVALID_GRANT"}"#, "INVALID_GRANT"),
        (500, "", "http_500"),
        (401, r#"{"access_token": "t"}"#, "http_401"),
        (302, r#"{"access_token": "t"}"#, "redirect"),
    ] {
        assert_eq!(
            outcome(status, body),
            Err((code.to_owned(), false)),
            "{body}"
        );
    }
}

#[test]
fn what_is_shown_of_an_error_is_short_and_holds_no_secret() {
    let body = json!({
        "error": "invalid_client",
        "error_description": format!("bad\r\n hunter2-secret {}", "x".repeat(500)),
    });
    let failure = read_with(&reading(), 400, &body.to_string()).unwrap_err();
    let want = format!("invalid_client: bad *** {}", "x".repeat(192));
    assert_eq!(failure.text, want);
    assert_eq!(
        failure.text.chars().count(),
        "invalid_client: ".len() + MAX_DESCRIPTION_CHARS
    );
}

/// Whoever is asked knows the secret, and may repeat it in any form.
#[test]
fn no_form_of_a_secret_is_shown_and_no_code_but_a_word() {
    let secret = "hunter2-secret";
    let basic = STANDARD.encode(format!("client:{secret}"));
    let each = |form: fn(u8) -> String| secret.bytes().map(form).collect::<Vec<_>>().concat();
    let digits = each(|byte| format!("{byte:02x}"));
    let escaped = each(|byte| format!("%{byte:02X}"));
    for form in [secret.to_owned(), basic, digits, escaped] {
        let body = json!({"error": form, "error_description": format!("no: {form}.")});
        let failure = read_with(&reading(), 400, &body.to_string()).unwrap_err();
        assert_eq!(failure.code, "provider_error", "{form}");
        let middle = form.get(4..form.len() - 4).unwrap();
        assert!(!failure.text.contains(middle), "{form}: {}", failure.text);
        assert!(failure.text.contains("no: "), "{}", failure.text);
    }
}

#[test]
fn a_rotated_refresh_token_is_taken_and_a_missing_one_is_none() {
    for (body, want) in [
        (r#"{"access_token": "t", "refresh_token": "r"}"#, Some("r")),
        (r#"{"access_token": "t", "refresh_token": ""}"#, None),
        (r#"{"access_token": "t", "refresh_token": null}"#, None),
        (r#"{"access_token": "t"}"#, None),
    ] {
        let got = read_with(&reading(), 200, body).unwrap().refresh_token;
        assert_eq!(got.as_ref().map(SecretText::expose), want, "{body}");
    }
}

#[test]
fn retry_after_is_seconds_or_a_moment() {
    for (value, want) in [
        ("5", Some(5_000)),
        (" 120 ", Some(120_000)),
        ("Fri, 15 Jan 2027 08:01:00 GMT", Some(60_000)),
        ("Fri, 15 Jan 2027 07:00:00 GMT", Some(0)),
        ("soon", None),
        ("-5", None),
    ] {
        assert_eq!(retry_after_ms(value, NOW_MS), want, "{value}");
    }
    let answer = Answer {
        status: 429,
        retry_after_ms: Some(7_000),
        body: b"slow down",
    };
    let failure = read(answer, &reading(), &[], NOW_MS).unwrap_err();
    assert_eq!(failure.retry_after_ms, Some(7_000));
}

#[test]
fn secrets_that_are_made_of_what_hides_them_do_not_make_words_grow() {
    let stars: Vec<String> = (6..70).map(|count| "*".repeat(count)).collect();
    let secrets: Vec<&str> = stars.iter().map(String::as_str).collect();
    let shown = shown(&"*".repeat(100_000), 200, &secrets);
    assert!(shown.len() <= 200, "{}", shown.len());
}

#[test]
fn a_long_secret_that_is_cut_off_is_not_shown() {
    for bytes in [7, 1_000, 30_000, MAX_TOKEN_BYTES] {
        let secret = "s".repeat(bytes);
        let escaped = "%73".repeat(bytes);
        // Shorter ones are hidden as they are only.
        for form in [&secret, &escaped]
            .into_iter()
            .take(1 + usize::from(bytes >= 8))
        {
            for before in [0, MAX_BEGINNING_BYTES - 1, MAX_BEGINNING_BYTES] {
                // Once, and so often that it fills all that is looked at.
                for times in [1, 2 + MAX_WORDS_BYTES / form.len()] {
                    let text = ["w".repeat(before).as_str(), &form.repeat(times), "end"].concat();
                    let shown = shown(&text, MAX_WORDS_BYTES, &[&secret]);
                    let is_shown = shown.contains('s') || shown.contains("%73");
                    assert!(!is_shown, "{bytes} {before} {times}");
                    let is_star = before < MAX_BEGINNING_BYTES;
                    assert_eq!(shown.contains('*'), is_star, "{bytes} {before} {times}");
                }
            }
        }
    }
}
