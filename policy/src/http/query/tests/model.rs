//! The query against a model that splits, decodes and joins strings.

use super::*;

/// Percent-decoding the slow way.
fn decode(text: &str) -> Vec<u8> {
    let bytes = text.as_bytes();
    let mut out = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        let escape = text.get(at + 1..at + 3).filter(|_| bytes[at] == b'%');
        let escape = escape.filter(|hex| hex.bytes().all(|b| b.is_ascii_hexdigit()));
        if let Some(hex) = escape {
            out.push(u8::from_str_radix(hex, 16).unwrap());
            at += 3;
        } else {
            out.push(bytes[at]);
            at += 1;
        }
    }
    out
}

fn name_and_value(parameter: &str) -> (Vec<u8>, &str) {
    let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
    (decode(name), value)
}

fn is_ours(parameter: &str) -> bool {
    name_and_value(parameter)
        .0
        .eq_ignore_ascii_case(b"authorization")
}

/// What carries a credential, written another way.
fn expected(query: &str) -> Carried {
    let carriers: Vec<&str> = query.split('&').filter(|one| is_ours(one)).collect();
    if carriers.is_empty() {
        return Carried::Nothing;
    }
    let values = carriers
        .into_iter()
        .map(|one| name_and_value(one).1)
        .map(|raw| {
            let (word, rest) = raw.split_once('+').unwrap_or((raw, ""));
            let scheme = decode(word).to_ascii_lowercase();
            if raw.contains('+') && (scheme == b"bearer" || scheme == b"basic") {
                [decode(word), b" ".to_vec(), decode(rest)].concat()
            } else {
                decode(raw)
            }
        });
    let is_blank = |value: &Vec<u8>| value.iter().all(|b| *b == b' ' || *b == b'\t');
    let mut presented = values.filter(|value| !is_blank(value));
    match (presented.next(), presented.next()) {
        (None, _) => Carried::Blank,
        (Some(value), None) => Carried::One(SecretBytes::from(value)),
        (Some(_), Some(_)) => Carried::Several,
    }
}

/// Dropping, sentence by sentence: what is left is joined again, and without any no `?` is left.
fn without_carriers(query: &str) -> String {
    let kept: Vec<&str> = query.split('&').filter(|one| !is_ours(one)).collect();
    let has_dropped = kept.len() < query.split('&').count();
    if has_dropped && kept.iter().all(|one| one.is_empty()) {
        String::new()
    } else {
        format!("?{}", kept.join("&"))
    }
}

fn query() -> impl Strategy<Value = String> {
    let names = [
        "Authorization",
        "authorization",
        "%41uthorization",
        "authorizatio%6e",
        "auth",
        "a",
        "Authorization%20",
        "%2541uthorization",
        "",
    ];
    let values = [
        "",
        "=",
        "=key",
        "=a+b",
        "=Bearer+t",
        "=bearer+a+b",
        "=Basic+dTpw",
        "=%42asic+x",
        "=%20",
        "=%09%20",
        "=%zz%4",
        "=a=b",
        "=Bearer%2Bt",
        "=a;Authorization=b",
        "=%ff",
    ];
    let parameter = (
        proptest::sample::select(names.to_vec()),
        proptest::sample::select(values.to_vec()),
    );
    proptest::collection::vec(
        parameter.prop_map(|(name, value)| format!("{name}{value}")),
        0..6,
    )
    .prop_map(|parameters| parameters.join("&"))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn what_is_carried_follows_details_26(query in query()) {
        let (got, want) = (carried(query.as_bytes()), expected(&query));
        prop_assert!(got == want, "{}", query);
    }

    #[test]
    fn what_is_left_follows_details_26(query in query()) {
        let mut out = Vec::new();
        rewrite_into(Some(query.as_bytes()), &is_authorization, std::iter::empty(), &mut out);
        prop_assert_eq!(String::from_utf8(out).unwrap(), without_carriers(&query), "{}", query);
    }

    #[test]
    fn decoding_agrees_with_the_slow_way(text in "[%a-f0-9A-Fx+é]{0,16}") {
        prop_assert_eq!(decoded(text.as_bytes()).collect::<Vec<_>>(), decode(&text));
    }
}
