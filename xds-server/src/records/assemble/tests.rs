use std::num::NonZeroU32;

use requestrocket_policy::destination::AllowedHosts;

use super::*;
use crate::fixtures::{layer_denying, limits, meter};
use crate::records::record::{OrganisationKeys, SecretProblem};

fn organisation() -> Organisation {
    let keys = OrganisationKeys {
        data_key: vec![1],
        digest_key: vec![2],
    };
    Organisation {
        organisation_id: "o".to_owned(),
        is_suspended: false,
        credential_limits: limits(60),
        keys,
    }
}

/// Every record has another one.
fn layer(of: &str) -> wire::Layer {
    layer_denying(&[of])
}

fn presented() -> wire::proxy_credential::Presented {
    wire::proxy_credential::Presented::ApiKey(wire::ApiKey {
        digests: Vec::new(),
    })
}

fn credential(id: &str, secret: StoredSecret) -> Credential {
    let side = match secret {
        StoredSecret::Presented(_) | StoredSecret::Published(..) => Side::Proxy,
        StoredSecret::Injections(_) | StoredSecret::Obtained(..) => Side::Target,
    };
    Credential {
        credential_id: id.to_owned(),
        organisation_id: "o".to_owned(),
        side,
        is_active: true,
        version: 4,
        ends_at_ms: 0,
        allowed_hosts: AllowedHosts::default(),
        secret: Ok(secret),
        previous: None,
        next: None,
        layer: layer(id),
    }
}

fn target(base_url: &str) -> Target {
    Target {
        target_id: "x".to_owned(),
        organisation_id: "o".to_owned(),
        base_url: base_url.to_owned(),
        layer: layer("x"),
        check_seconds: 0,
        test_path: String::new(),
    }
}

/// Proxy `p` with callers `c2`, `c1`, target `x` and target credential `t`, all usable.
fn records() -> Records {
    let mut records = Records::default();
    records.organisations.insert("o".to_owned(), organisation());
    for id in ["c1", "c2"] {
        let caller = credential(id, StoredSecret::Presented(presented()));
        records.credentials.insert(id.to_owned(), caller);
    }
    let injected = credential("t", StoredSecret::Injections(Vec::new()));
    records.credentials.insert("t".to_owned(), injected);
    records
        .targets
        .insert("x".to_owned(), target("https://api.example.com:8443/v1/"));
    let proxy = Proxy {
        proxy_id: "p".to_owned(),
        organisation_id: "o".to_owned(),
        is_active: true,
        proxy_credential_ids: vec!["c2".to_owned(), "c1".to_owned()],
        target_id: "x".to_owned(),
        target_credential_id: "t".to_owned(),
        timeout_seconds: NonZeroU32::new(30).unwrap(),
        max_response_bytes: 5,
        max_inspected_bytes: 6,
        cors: None,
        alias: Some("weather".to_owned()),
        layer: layer("p"),
        limits: limits(7),
        meters: vec![meter("m")],
    };
    records.proxies.insert("p".to_owned(), proxy);
    records
}

fn assembled(spoil: impl Fn(&mut Records)) -> ProxyConfig {
    let mut records = records();
    spoil(&mut records);
    assemble(&records.proxies["p"], &records).config.unwrap()
}

fn told(proxy: &Proxy, records: &Records) -> Option<String> {
    assemble(proxy, records).unusable
}

fn callers(config: &ProxyConfig) -> Vec<&str> {
    config
        .proxy_credentials
        .iter()
        .map(|caller| caller.credential_id.as_str())
        .collect()
}

#[test]
fn everything_comes_together() {
    let config = assembled(|_| ());
    let target = config.target.as_ref().unwrap();
    assert_eq!(
        (target.scheme, target.authority.as_str()),
        (Scheme::Https, "api.example.com:8443")
    );
    assert_eq!(target.base_path, "/v1");
    assert_eq!(callers(&config), ["c2", "c1"]);
    assert_eq!(config.target_credential.unwrap().version, 4);
    assert_eq!((config.data_key, config.digest_key), (vec![1], vec![2]));
    assert_eq!(config.alias.as_deref(), Some("weather"));
    assert_eq!(
        (config.max_response_bytes, config.max_inspected_bytes),
        (5, 6)
    );
}

#[test]
fn every_part_brings_what_is_attached_to_it() {
    let config = assembled(|_| ());
    let of_callers: Vec<_> = config
        .proxy_credentials
        .iter()
        .map(|caller| (caller.layer.clone(), caller.limits))
        .collect();
    let plan = limits(60);
    assert_eq!(of_callers, [(layer("c2"), plan), (layer("c1"), plan)]);
    assert_eq!(config.target_credential.unwrap().layer.unwrap(), layer("t"));
    assert_eq!(config.target.unwrap().layer, layer("x"));
    assert_eq!(config.layer, layer("p"));
    assert_eq!(
        (config.limits, config.meters),
        (limits(7), vec![meter("m")])
    );
}

#[test]
fn what_is_gone_or_unusable_is_left_out() {
    type Spoil = fn(&mut Records);
    fn of<'a>(records: &'a mut Records, id: &str) -> &'a mut Credential {
        records.credentials.get_mut(id).unwrap()
    }
    let without_target: &[Spoil] = &[
        |r| r.targets.clear(),
        |r| r.targets.get_mut("x").unwrap().organisation_id = "other".to_owned(),
        |r| r.targets.get_mut("x").unwrap().base_url = "ftp://x".to_owned(),
    ];
    for spoil in without_target {
        assert_eq!(assembled(spoil).target, None);
    }
    let without_target_credential: &[Spoil] = &[
        |r| drop(r.credentials.remove("t")),
        |r| of(r, "t").is_active = false,
        |r| of(r, "t").secret = Err(SecretProblem::Missing),
        |r| of(r, "t").organisation_id = "other".to_owned(),
        |r| of(r, "t").side = Side::Proxy,
    ];
    for (case, spoil) in without_target_credential.iter().enumerate() {
        assert_eq!(assembled(spoil).target_credential, None, "case {case}");
    }
    let without_caller: &[Spoil] = &[
        |r| drop(r.credentials.remove("c2")),
        |r| of(r, "c2").secret = Err(SecretProblem::Value),
        |r| of(r, "c2").organisation_id = "other".to_owned(),
        |r| of(r, "c2").side = Side::Target,
    ];
    for (case, spoil) in without_caller.iter().enumerate() {
        assert_eq!(callers(&assembled(spoil)), ["c1"], "case {case}");
    }
    let inactive = assembled(|r| of(r, "c2").is_active = false);
    assert!(!inactive.proxy_credentials[0].is_active);
    assert!(assembled(|r| r.organisations.get_mut("o").unwrap().is_suspended = true).is_suspended);
}

#[test]
fn a_proxy_without_its_organisation_is_unknown() {
    let mut records = records();
    records.organisations.clear();
    assert!(assemble_all(&records).all(|(_, assembled)| assembled.config.is_none()));
    let ids = BTreeSet::from(["p".to_owned(), "removed".to_owned()]);
    let got = assemble_some(&ids, &records).map(|(id, assembled)| (id, assembled.config));
    assert_eq!(got.collect::<Vec<_>>(), [("p", None), ("removed", None)]);
}

#[test]
fn base_urls_are_taken_apart() {
    let got = |raw: &str| {
        parse_base_url(raw, &layer("x")).map(
            |TargetConfig {
                 scheme,
                 authority,
                 base_path,
                 layer: _,
             }| { format!("{scheme:?} {authority} [{base_path}]") },
        )
    };
    for (raw, want) in [
        ("http://a", Some("Http a []")),
        ("http://a/", Some("Http a []")),
        ("https://a.b:1/v1", Some("Https a.b:1 [/v1]")),
        ("https://a/v1/", Some("Https a [/v1]")),
        ("https://a/v1//", Some("Https a [/v1]")),
        ("https://a/%7Ex", Some("Https a [/%7Ex]")),
        ("http://[::1]:8080/x", Some("Http [::1]:8080 [/x]")),
        ("http://u:p@a", None),
        ("http://a/?q", None),
        ("http://a/#f", None),
        ("ftp://a", None),
        ("a", None),
        ("http://", None),
        ("", None),
    ] {
        assert_eq!(got(raw).as_deref(), want, "{raw}");
    }
}

type Spoil = fn(&mut Records);

fn of<'a>(records: &'a mut Records, id: &str) -> &'a mut Credential {
    records.credentials.get_mut(id).unwrap()
}

/// The target credential puts its secret there.
fn inject(records: &mut Records, location: wire::Location, name: &str) {
    of(records, "t").secret = Ok(StoredSecret::Injections(vec![wire::Injection {
        location: location.into(),
        name: name.to_owned(),
        ..wire::Injection::default()
    }]));
}

#[test]
fn what_is_gone_or_switched_off_is_not_named_as_unusable() {
    let cases: [Spoil; 5] = [
        |_| (),
        |r| drop(r.credentials.remove("c2")),
        |r| r.targets.clear(),
        |r| of(r, "t").is_active = false,
        |r| inject(r, wire::Location::Header, "x-key"),
    ];
    for (case, spoil) in cases.iter().enumerate() {
        let mut records = records();
        spoil(&mut records);
        let told = told(&records.proxies["p"], &records);
        assert_eq!(told, None, "case {case}");
    }
}

#[test]
fn what_is_stored_and_cannot_be_used_is_named_and_not_used() {
    let name = "credential t: secret names a header or parameter that cannot be set";
    let side = "credential t: auth type does not fit the side of the credential";
    let damaged = "credential t: stored secret is damaged";
    let cases: [(Spoil, &str); 6] = [
        (
            |r| inject(r, wire::Location::Header, "http2-settings"),
            name,
        ),
        (|r| inject(r, wire::Location::Header, "x_rr_valve"), name),
        (|r| inject(r, wire::Location::Query, ""), name),
        (|r| of(r, "t").side = Side::Proxy, side),
        (|r| of(r, "t").organisation_id = "other".to_owned(), side),
        (
            |r| of(r, "t").secret = Ok(StoredSecret::Presented(presented())),
            damaged,
        ),
    ];
    for (case, (spoil, want)) in cases.iter().enumerate() {
        let mut records = records();
        spoil(&mut records);
        let told = told(&records.proxies["p"], &records);
        assert_eq!(told.as_deref(), Some(*want), "case {case}");
        assert_eq!(assembled(spoil).target_credential, None, "case {case}");
    }
}

#[test]
fn all_that_cannot_be_used_is_named() {
    let mut records = records();
    of(&mut records, "c2").secret = Err(SecretProblem::Expiry);
    records.targets.get_mut("x").unwrap().base_url = "ftp://x".to_owned();
    let want =
        "credential c2: token has an `exp` that is no time; target x: base URL cannot be used";
    assert_eq!(told(&records.proxies["p"], &records).as_deref(), Some(want));
    records.organisations.clear();
    assert_eq!(
        told(&records.proxies["p"], &records).as_deref(),
        Some("organisation is not known to the region")
    );
}

/// Whatever the control plane let pass.
#[test]
fn a_target_credential_goes_to_the_hosts_that_its_owner_allows() {
    for (hosts, is_allowed) in [
        (&[][..], true),
        (&["api.example.com"], true),
        (&["other.example", "*.example.com"], true),
        (&["API.example.com"], true),
        (&["example.com"], false),
        (&["*.api.example.com"], false),
        // Of a kind that this version does not know.
        (&["api.*.com"], false),
        (&["https://api.example.com"], false),
    ] {
        let mut records = records();
        let credential = records.credentials.get_mut("t").unwrap();
        let hosts_of_owner = hosts.iter().map(|&host| host.to_owned()).collect();
        credential.allowed_hosts = AllowedHosts::read(hosts_of_owner);
        let proxy = &records.proxies["p"];
        let assembled = assemble(proxy, &records).config.unwrap();
        assert_eq!(
            assembled.target_credential.is_some(),
            is_allowed,
            "{hosts:?}"
        );
        let said = "credential t: credential may not be given to the host of the target";
        let unusable = told(proxy, &records);
        let said = (!is_allowed).then(|| said.to_owned());
        assert_eq!(unusable, said, "{hosts:?}");
    }
}

/// The filter would refuse such a policy, and each refresh would send it again.
#[test]
fn callers_whose_keys_are_too_long_together_are_left_out_and_told_of() {
    let mut records = records();
    let long = wire::proxy_credential::Presented::Bearer(wire::Bearer {
        prefix: "a".repeat(600 << 10),
        digests: Vec::new(),
    });
    let caller = records.credentials.get_mut("c1").unwrap();
    caller.secret = Ok(StoredSecret::Presented(long));
    let proxy = &records.proxies["p"];
    assert_eq!(told(proxy, &records), None);
    let callers = |records: &Records| {
        let config = assemble(proxy, records).config.unwrap();
        config.proxy_credentials.len()
    };
    assert_eq!(callers(&records), 2);
    let mut more = records.clone();
    more.credentials.get_mut("c2").unwrap().secret = records.credentials["c1"].secret.clone();
    let said = "keys of all callers are too long together";
    assert_eq!(told(proxy, &more).as_deref(), Some(said));
    assert_eq!(callers(&more), 0);
}
