use super::*;

#[test]
fn members_are_read_by_their_decoded_names() {
    let object = Object::parse(br#"{"\u0061":"x\n","n":1.5e3,"t":true,"z":null}"#).unwrap();
    assert_eq!(object.get("a"), Some(Value::Text("x\n".into())));
    assert_eq!(object.get("n"), Some(Value::Number(1500.0)));
    assert_eq!(object.get("t"), Some(Value::Bool(true)));
    assert_eq!(object.get("z"), Some(Value::Null));
    assert_eq!(object.get("A"), None);
    assert!(object.has("z") && !object.has("y"));
}

#[test]
fn what_no_check_understands_equals_nothing() {
    let object = Object::parse(br#"{"o":{"a":1},"l":["a",[1],{}],"s":"\ud800"}"#).unwrap();
    assert_eq!(object.get("o"), Some(Value::Other));
    assert_eq!(object.get("s"), Some(Value::Other));
    let list = vec![Value::Text("a".into()), Value::Other, Value::Other];
    assert_eq!(object.get("l"), Some(Value::Array(list)));
}

#[test]
fn what_readers_may_see_differently_is_refused() {
    use InvalidObject::{Json, NoObject, Repeated};
    for (text, want) in [
        (r#"{"a":1,"a":1}"#, Repeated),
        (r#"{"a":1,"\u0061":2}"#, Repeated),
        (r#"{"o":{"x":1,"x":2}}"#, Repeated),
        (r#"{"l":[{"x":1,"b":2,"x":2}]}"#, Repeated),
        ("[]", NoObject),
        ("\"a\"", NoObject),
        ("", Json),
        ("{}x", Json),
        ("{}{}", Json),
        ("{'a':1}", Json),
        ("{\"a\":1,}", Json),
        ("{\"a\":NaN}", Json),
        ("{\"a\":01}", Json),
        ("\u{feff}{}", Json),
    ] {
        assert_eq!(Object::parse(text.as_bytes()).err(), Some(want), "{text}");
    }
    assert_eq!(Object::parse(b"{\"a\":\"\xff\"}").err(), Some(Json));
    assert!(Object::parse(b" {\"a\":{\"a\":1}}\n").is_ok());
}

#[test]
fn the_longest_honest_object_is_read_and_a_deep_one_refused() {
    let members: Vec<String> = (0..1500).map(|n| format!("\"m{n}\":{n}")).collect();
    let long = format!("{{{}}}", members.join(","));
    assert!(Object::parse(long.as_bytes()).is_ok());
    let deep = format!("{{\"a\":{}{}}}", "[".repeat(600), "]".repeat(600));
    assert_eq!(
        Object::parse(deep.as_bytes()).err(),
        Some(InvalidObject::Json)
    );
}
