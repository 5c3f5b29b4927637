use super::*;

fn next(version: u64, failed_at_ms: u64) -> NextSecret {
    NextSecret {
        version,
        secret: Ok(crate::records::record::StoredSecret::Injections(Vec::new())),
        given_from_ms: 0,
        is_given: false,
        failed_at_ms,
    }
}

fn all(rows: &[(&str, u64, u64)]) -> BTreeMap<String, NextSecret> {
    let rows = rows.iter();
    rows.map(|(id, version, failed)| ((*id).to_owned(), next(*version, *failed)))
        .collect()
}

fn ids(messages: &[region::SlotFailures]) -> Vec<(&str, u64)> {
    let failures = messages.iter().flat_map(|message| &message.failures);
    failures
        .map(|it| (it.credential_id.as_str(), it.version))
        .collect()
}

#[test]
fn every_failure_is_told_once_and_all_of_them_to_who_knows_nothing() {
    let register = SlotRegister::default();
    let now = || register.subscribe().borrow().clone();
    register.replace(&all(&[("a", 2, 0), ("b", 2, 9)]));
    let first = now();
    assert_eq!(ids(&told(None, &first)), [("b", 2)]);
    register.update(
        &["a".to_owned(), "b".to_owned()],
        &all(&[("a", 2, 10), ("b", 2, 9)]),
    );
    let second = now();
    assert_eq!(ids(&told(Some(&first), &second)), [("a", 2)]);
    register.update(&["a".to_owned(), "b".to_owned()], &all(&[("a", 3, 0)]));
    let third = now();
    assert_eq!(told(Some(&second), &third), []);
    assert_eq!(third.keys().map(|id| &**id).collect::<Vec<_>>(), ["a"]);
    assert_eq!(told(None, &third), []);
}

#[test]
fn only_changes_wake() {
    let register = SlotRegister::default();
    register.replace(&all(&[("a", 2, 0)]));
    let mut watched = register.subscribe();
    register.update(&["a".to_owned(), "b".to_owned()], &all(&[("a", 2, 0)]));
    assert!(!watched.has_changed().unwrap());
    register.update(&["a".to_owned()], &all(&[("a", 3, 0)]));
    assert!(watched.has_changed().unwrap());
    watched.mark_unchanged();
}
