use super::*;

fn row(kind: &str, id: &str, is_removed: i64) -> ChangeRow {
    ChangeRow {
        kind: kind.to_owned(),
        record_id: id.to_owned(),
        revision: 1,
        is_removed,
    }
}

fn credential_state(side: &str, auth_type: &str, sealed: Option<&str>) -> CredentialState {
    CredentialState {
        credential_id: "c".to_owned(),
        organisation_id: "o".to_owned(),
        credential_side: side.to_owned(),
        auth_type: auth_type.to_owned(),
        is_active: 1,
        version: 3,
        sealed_secret: sealed.map(str::to_owned),
    }
}

fn proxy_state() -> ProxyState {
    ProxyState {
        proxy_id: "p".to_owned(),
        organisation_id: "o".to_owned(),
        live_target_id: Some("t".to_owned()),
        live_target_credential_id: None,
        is_active: 1,
        timeout_seconds: 30,
        max_response_bytes: 1024,
        alias: None,
    }
}

fn with_credential(state: CredentialState) -> Present {
    Present {
        credentials: [("c".to_owned(), state)].into(),
        ..Present::default()
    }
}

#[test]
fn an_organisation_is_suspended_unless_it_is_active() {
    for (status, is_suspended) in [("active", false), ("suspended", true), ("odd", true)] {
        let state = OrganisationState {
            organisation_id: "o".into(),
            status: status.into(),
        };
        let present = Present {
            organisations: [("o".to_owned(), state)].into(),
            ..Present::default()
        };
        let told = present.change(&row("organisation", "o", 0)).unwrap().kind;
        let want = Organisation {
            organisation_id: "o".into(),
            is_suspended,
        };
        assert_eq!(told, Some(Kind::Organisation(want)), "{status}");
    }
}

#[test]
fn a_proxy_is_told_with_its_credentials_in_order_and_without_what_is_gone() {
    let present = Present {
        proxies: [("p".to_owned(), proxy_state())].into(),
        proxy_credentials: [("p".to_owned(), vec!["z".to_owned(), "a".to_owned()])].into(),
        ..Present::default()
    };
    let want = Proxy {
        proxy_id: "p".into(),
        organisation_id: "o".into(),
        is_active: true,
        proxy_credential_ids: vec!["z".into(), "a".into()],
        target_id: "t".into(),
        target_credential_id: String::new(),
        timeout_seconds: 30,
        max_response_bytes: 1024,
        alias: String::new(),
    };
    let told = present.change(&row("proxy", "p", 0)).unwrap().kind;
    assert_eq!(told, Some(Kind::Proxy(want)));
}

#[test]
fn a_credential_is_told_with_its_sealed_secret_while_there_is_one() {
    for (sealed, want) in [(Some("c2VhbGVk"), &b"sealed"[..]), (None, b"")] {
        let present = with_credential(credential_state("target", "basicAuth", sealed));
        let Some(Kind::Credential(told)) = present.change(&row("credential", "c", 0)).unwrap().kind
        else {
            panic!("no credential")
        };
        assert_eq!(told.sealed_secret, want);
        assert_eq!((told.version, told.is_active), (3, true));
        assert_eq!(told.side(), CredentialSide::Target);
        assert_eq!(told.auth_type(), CredentialAuthType::BasicAuth);
    }
}

#[test]
fn every_auth_type_of_the_api_is_told() {
    for (text, want) in [
        ("none", CredentialAuthType::None),
        ("apiKey", CredentialAuthType::ApiKey),
        ("bearer", CredentialAuthType::Bearer),
        ("basicAuth", CredentialAuthType::BasicAuth),
        ("jwt", CredentialAuthType::Jwt),
        ("custom", CredentialAuthType::Custom),
    ] {
        assert_eq!(auth_type_of(text), Ok(want));
    }
}

#[test]
fn what_is_gone_is_told_as_removed() {
    let present = Present {
        proxies: [("p".to_owned(), proxy_state())].into(),
        ..Present::default()
    };
    for (kind, id, is_removed, want) in [
        ("proxy", "p", 1, RecordKind::Proxy),
        ("proxy", "vanished", 0, RecordKind::Proxy),
        ("organisation", "o", 1, RecordKind::Organisation),
        ("credential", "c", 1, RecordKind::Credential),
        ("target", "t", 1, RecordKind::Target),
    ] {
        let told = present.change(&row(kind, id, is_removed)).unwrap().kind;
        let removed = Removed {
            kind: want.into(),
            id: id.to_owned(),
        };
        assert_eq!(told, Some(Kind::Removed(removed)));
    }
}

#[test]
fn a_row_without_meaning_is_not_told() {
    let of = |side, auth_type, sealed| {
        let present = with_credential(credential_state(side, auth_type, sealed));
        present.change(&row("credential", "c", 0)).unwrap_err()
    };
    assert_eq!(of("both", "jwt", None), InvalidRecord::Side);
    assert_eq!(of("proxy", "magic", None), InvalidRecord::AuthType);
    assert_eq!(of("proxy", "jwt", Some("*")), InvalidRecord::SealedSecret);
    let unknown = Present::default().change(&row("moon", "m", 0)).unwrap_err();
    assert_eq!(unknown, InvalidRecord::Kind);
}
