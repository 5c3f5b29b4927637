//! What a call costs before its caller is known.

use super::{super::admission::MAX_ADMISSION_BYTES, *};

#[test]
fn what_is_attached_to_a_proxy_makes_its_admission_no_longer() {
    let light = full();
    let mut heavy = full();
    let texts: Vec<String> = (0..100).map(|n| format!("deny 1 p:^/{n}")).collect();
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    for name in [
        LayerName::ProxyCredential,
        LayerName::TargetCredential,
        LayerName::Target,
        LayerName::Proxy,
    ] {
        heavy = heavy.rules(name, "allow", &texts);
    }
    let (admission, policy) = heavy.encode();
    assert_eq!(admission.len(), light.encode().0.len());
    assert!(policy.len() > 10 * light.encode().1.len());
    let weight = |fixture: &PolicyFixture| fixture.admission().unwrap().weight();
    assert_eq!(weight(&heavy), weight(&light));
}

#[test]
fn a_hundred_credentials_with_long_prefixes_fit() {
    let mut fixture = PolicyFixture::new();
    for n in 0..100 {
        let prefix = format!("{n:256}");
        fixture = fixture.bearer(&prefix, &n.to_string()).also("b", 1);
    }
    assert!(fixture.compile().is_ok());
    let long = vec![0xff; MAX_ADMISSION_BYTES + 1];
    let got = Admission::compile(&long, &fixture.keys).err();
    assert_eq!(got, Some(InvalidPolicy::TooLong(MAX_ADMISSION_BYTES)));
}

#[test]
fn a_policy_goes_only_with_its_admission() {
    let another = Some(InvalidPolicy::AnotherAdmission);
    let mut fewer = full();
    fewer.admission.proxy_credentials.pop();
    let got = Policy::compile(fewer.admission().unwrap(), &fewer.encode().1).err();
    assert_eq!(got, another);
    let mut turned = full();
    turned.admission.proxy_credentials.reverse();
    assert_eq!(turned.compile().err(), another);
    // Calls of a proxy whose responses matter would be forgotten.
    let redacting = full().redactions(LayerName::Proxy, &["destroy $.s"]);
    let (policy, light) = (redacting.encode().1, full());
    let got = Policy::compile(light.admission().unwrap(), &policy).err();
    assert_eq!(got, another);
    let got = Policy::compile(redacting.admission().unwrap(), &light.encode().1).err();
    assert_eq!(got, another);
}
