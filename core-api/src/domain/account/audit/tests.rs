use super::*;

struct Thing(Value);

impl Subject for Thing {
    const KIND: &'static str = "thing";

    fn log(&self) -> Log {
        Log::Operator
    }

    fn named(&self) -> (String, String) {
        ("7".to_owned(), "Seven".to_owned())
    }

    fn members(&self) -> Map<String, Value> {
        self.0.as_object().unwrap().clone()
    }
}

#[test]
fn a_row_shows_what_changed_and_nothing_else() {
    let before = Thing(json!({"a": 1, "b": [2], "c": null, "updatedAt": "1"}));
    let after = Thing(json!({"a": 1, "b": [3], "c": "x", "updatedAt": "2"}));
    let entry = Entry::updated(before.members(), &after);
    assert_eq!(entry.action, "thing.update");
    assert_eq!(
        Value::from(entry.before.unwrap()),
        json!({"b": [2], "c": null})
    );
    assert_eq!(
        Value::from(entry.after.unwrap()),
        json!({"b": [3], "c": "x"})
    );
}

#[test]
fn what_is_made_has_no_before_and_what_is_deleted_no_after() {
    let thing = Thing(json!({"a": 1}));
    let made = Entry::created(&thing);
    assert_eq!((made.before, made.after), (None, Some(thing.members())));
    let gone = Entry::deleted(&thing).along("rules", vec!["r".to_owned()]);
    assert_eq!(gone.after, None);
    assert_eq!(
        Value::from(gone.before.unwrap()),
        json!({"a": 1, "rules": ["r"]})
    );
}

#[test]
fn a_row_names_who_did_it_and_from_where() {
    let author = Author {
        actor: Actor::User {
            id: UserId::random(),
            token: Some(TokenId::random()),
        },
        origin: Origin {
            address: Some("2001:db8::1".parse().unwrap()),
            ..Origin::default()
        }
        .using(Some(&"x".repeat(300))),
    };
    let at = Moment::of_unix_ms(0).unwrap();
    let row = Entry::created(&Thing(json!({}))).document(&author, "Ada L", (at, 7));
    assert_eq!(row["actor"]["type"], "user");
    assert_eq!(row["actor"]["name"], "Ada L");
    assert!(row["actor"]["tokenId"].is_string());
    assert_eq!(row["address"], "2001:db8::1");
    assert_eq!(row["userAgent"].as_str().unwrap().len(), 256);
    assert_eq!(row["requestId"], Value::Null);
    assert_eq!(row["configVersion"], 7);
    assert_eq!(row["at"], "1970-01-01T00:00:00.000Z");
}
