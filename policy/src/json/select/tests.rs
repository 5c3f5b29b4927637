//! The automaton, one child at a time. Whole documents are `redact`'s and `find`'s tests.

use super::*;

/// Asks for the nodes on a way down, entering all but the last; `name` or `[index]`.
fn ask(selection: &mut Selection, way: &[&str]) -> Answer {
    let mut answer = selection.root();
    for step in way {
        selection.enter();
        answer = match step
            .strip_prefix('[')
            .and_then(|step| step.strip_suffix(']'))
        {
            Some(index) => selection.element(index.parse().unwrap()),
            None => selection.member(step.as_bytes()),
        };
    }
    answer
}

fn selection(paths: &[&str]) -> Selection {
    let mut selection = Selection::default();
    for path in paths {
        selection.add(&JsonPath::parse(path).unwrap(), Groups::FIRST);
    }
    selection
}

/// `selected alive`.
fn check(paths: &[&str], way: &[&str], want: &str) {
    let answer = ask(&mut selection(paths), way);
    let word = |groups: Groups, word| if groups.is_empty() { "-" } else { word };
    let said = [
        word(answer.selected, "selected"),
        word(answer.alive, "alive"),
    ];
    assert_eq!(said.join(" "), want, "{paths:?} at {way:?}");
}

#[test]
fn a_node_is_selected_or_something_below_may_be() {
    for (path, way, want) in [
        ("$", &[][..], "selected -"),
        ("$.a", &[], "- alive"),
        ("$.a", &["a"], "selected -"),
        ("$.a", &["b"], "- -"),
        ("$.a", &["[0]"], "- -"),
        ("$.a.b", &["a"], "- alive"),
        ("$.a.b", &["a", "b"], "selected -"),
        ("$.a.b", &["a", "a"], "- -"),
        ("$.a.b", &["b", "b"], "- -"),
        ("$.*.b", &["[7]", "b"], "selected -"),
        ("$[1]", &["[1]"], "selected -"),
        ("$[1]", &["[0]"], "- -"),
        ("$[1]", &["1"], "- -"),
        ("$[2:9:3]", &["[1]"], "- -"),
        ("$[2:9:3]", &["[2]"], "selected -"),
        ("$[2:9:3]", &["[5]"], "selected -"),
        ("$[2:9:3]", &["[6]"], "- -"),
        ("$[2:9:3]", &["[11]"], "- -"),
        (
            "$[::9007199254740991]",
            &["[9007199254740991]"],
            "selected -",
        ),
        ("$..a", &["b"], "- alive"),
        ("$..a", &["b", "[3]", "a"], "selected alive"),
        ("$..a.b", &["a", "a", "b"], "selected alive"),
        ("$..a..b", &["a", "x", "y", "b"], "selected alive"),
        ("$..a..b", &["x", "b"], "- alive"),
        ("$.x..a", &["y"], "- -"),
        // What no stream can decide selects nothing here.
        ("$[-1]", &["[0]"], "- -"),
        ("$[-2:]", &["[0]"], "- -"),
        ("$[::-1]", &["[0]"], "- -"),
        ("$[?@.a]", &["[0]"], "- -"),
    ] {
        check(&[path], way, want);
    }
}

#[test]
fn paths_are_told_apart_by_number_and_group() {
    let mut selection = selection(&["$.a", "$", "$.*", "$.a['b','b']"]);
    selection.add(&JsonPath::parse("$.a").unwrap(), Groups::SECOND);
    let root = ask(&mut selection, &[]);
    assert_eq!(selection.selected(), [1]);
    assert!(root.alive.has(Groups::FIRST) && root.alive.has(Groups::SECOND));
    selection.enter();
    let answer = selection.member(b"a");
    assert_eq!(selection.selected(), [0, 2, 4]);
    assert!(answer.selected.has(Groups::FIRST) && answer.selected.has(Groups::SECOND));
    assert!(answer.alive.has(Groups::FIRST) && !answer.alive.has(Groups::SECOND));
    let answer = selection.member(b"b");
    assert_eq!(selection.selected(), [2]);
    assert!(!answer.selected.has(Groups::SECOND));
}

#[test]
fn leaving_goes_back_to_the_siblings() {
    let mut selection = selection(&["$.a.x", "$.b"]);
    selection.root();
    selection.enter();
    for _ in 0..3 {
        assert!(!selection.member(b"a").alive.is_empty());
        selection.enter();
        assert!(!selection.member(b"x").selected.is_empty());
        assert!(selection.member(b"b").selected.is_empty());
        selection.leave();
        assert!(!selection.member(b"b").selected.is_empty());
        assert!(selection.member(b"x").selected.is_empty());
    }
    selection.leave();
    // Calls that do not match are answered, too.
    selection.leave();
    assert!(selection.member(b"a").selected.is_empty());
}

/// A level has each state once, however many ways lead to it.
#[test]
fn states_do_not_multiply() {
    let path = format!("${}", "..a".repeat(20));
    let mut selection = selection(&[&path]);
    let way = vec!["a"; 500];
    let answer = ask(&mut selection, &way);
    assert!(!answer.selected.is_empty());
    let level = selection.states.len() - selection.level_end;
    assert!(level <= 20, "{level}");
}
