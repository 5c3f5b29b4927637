//! Evaluation beyond the compliance suite: bounds, numbers, what the RFC leaves open.

use super::*;
use crate::json::doc::Doc;

fn try_select(path: &str, text: &str) -> Result<Vec<String>, Problem> {
    let doc = Doc::parse(text.as_bytes()).unwrap();
    let path = JsonPath::parse(path).unwrap();
    let mut budget = Budget::new();
    let nodes = Evaluator::new(View::whole(&doc), &mut budget).select(&path)?;
    Ok(nodes
        .iter()
        .map(|node| doc.json(*node).to_owned())
        .collect())
}

fn check(path: &str, text: &str, want: &str) {
    let selected = try_select(path, text).unwrap();
    assert_eq!(selected.join(" "), want, "{path} in {text}");
}

#[test]
fn whole_numbers_are_compared_exactly() {
    let ids = r#"[{"a":9007199254740993,"b":9007199254740992},{"a":1,"b":1.0}]"#;
    check("$[?@.a == @.b].b", ids, "1.0");
    check("$[?@.a > @.b].a", ids, "9007199254740993");
    check(
        "$[?@ == 9007199254740991]",
        "[9007199254740992,9007199254740991]",
        "9007199254740991",
    );
    check(
        "$[?@ == 1e2]",
        "[100,1E2,100.0,1000e-1,\"100\"]",
        "100 1E2 100.0 1000e-1",
    );
    check("$[?@ == -0]", "[0,-0,0.0,-0.0e5,1]", "0 -0 0.0 -0.0e5");
    check(
        "$[?@ == 0.00000000000000000001]",
        "[0,1e-20,2e-20]",
        "1e-20",
    );
    check("$[?@ > 1e300]", "[1e301,1e400,-1e400,1e299]", "1e301 1e400");
    check("$[?@ < -1e300]", "[1e400,-1e400]", "-1e400");
}

#[test]
fn functions_count_what_is_there() {
    check("$[?count(@.*) == 0]", "[{},[],1,{\"a\":1}]", "{} [] 1");
    check("$[?count(@['a','a']) == 2]", "[{\"a\":1}]", "{\"a\":1}");
    check("$[?count(@..*..*) == 3]", "[[[[1]]],[1]]", "[[[1]]]");
    check(
        "$[?value(@.*) == 1]",
        "[[1],[1,1],{\"x\":1},[]]",
        "[1] {\"x\":1}",
    );
    check(
        "$[?length(@) == 2]",
        r#"["éé","\ud83d\ude00a","ab\u0000",[1,2],{"a":1,"b":2},12,"\ud800a"]"#,
        r#""éé" "\ud83d\ude00a" [1,2] {"a":1,"b":2} "\ud800a""#,
    );
    check("$[?length(@) == @]", "[1]", "");
    check(
        "$[?length(value(@.*)) == 1]",
        r#"[["a"],["ab"]]"#,
        r#"["a"]"#,
    );
}

#[test]
fn containers_are_equal_by_what_is_in_them() {
    let text = r#"[{"a":[1,{"x":2,"y":[]}],"b":[1.0,{"y":[],"\u0078":2}]},{"a":[1],"b":[1,1]},{"a":{"x":1},"b":{"y":1}},{"a":{},"b":[]}]"#;
    let equal = r#"[1,{"x":2,"y":[]}]"#;
    check("$[?@.a == @.b].a", text, equal);
    check("$[?@.a <= @.b].a", text, equal);
    check("$[?@.a < @.b].a", text, "");
    check("$[?@.none == @.nothing].none", text, "");
    check("$[?@.none == @.nothing]", "[1]", "1");
}

#[test]
fn patterns_are_i_regexps() {
    let text = r#"["ab","a\rb","a\nb","axb","xaxbx",5,"\ud800b"]"#;
    check("$[?match(@, 'a.b')]", text, "\"axb\"");
    check("$[?search(@, 'a.b')]", text, "\"axb\" \"xaxbx\"");
    check("$[?match(@, '[ax.]+b')]", text, "\"ab\" \"axb\"");
    check(r"$[?match(@, 'a\\.?b')]", text, "\"ab\"");
    check("$[?match(@, 'a|ab')]", text, "\"ab\"");
    check("$[?match(@, '.b')]", text, r#""ab" "\ud800b""#);
    check(
        "$[?search(@.s, @.p)].s",
        r#"[{"s":"abc","p":"b"},{"s":"abc","p":"("},{"s":"abc","p":1}]"#,
        "\"abc\"",
    );
    check(
        "$[?match('abc', @)]",
        r#"["abc","b",".*"]"#,
        "\"abc\" \".*\"",
    );
}

#[test]
fn filters_look_at_members_and_from_the_root() {
    let text = r#"{"min":2,"list":[1,2,3],"o":{"x":3,"y":1}}"#;
    check("$.list[?@ >= $.min]", text, "2 3");
    check("$.o[?@ > 1]", text, "3");
    check("$.list[?$.min == 2 && !(@ == 2)]", text, "1 3");
    check("$.list[?$.none || @ == 1]", text, "1");
    check("$[?@[?@ > 2]]", text, r#"[1,2,3] {"x":3,"y":1}"#);
    check("$..[?@ == 3]", text, "3 3");
    check("$.min[?@]", text, "");
}

/// Names are decoded to be compared, as often as somebody looks for one.
#[test]
fn looking_for_long_names_is_paid_for() {
    let name = |letters: usize| format!("{}\\u0061", "b".repeat(letters));
    let wanted = format!("{}a", "b".repeat(600));
    let elements = vec!["1"; 20_000].join(",");
    let of = |members: usize, letters: usize| {
        let members: Vec<_> = (0..members)
            .map(|_| format!("\"{}\":0", name(letters)))
            .collect();
        format!("{{{},\"items\":[{elements}]}}", members.join(","))
    };
    let path = format!("$.items[?$['{wanted}'] == 0]");
    assert!(try_select(&path, &of(1, 600)).is_ok());
    assert_eq!(try_select(&path, &of(20, 600)), Err(Problem::TooMuchWork));
    // What cannot be it, in whatever spelling, is not decoded.
    assert!(try_select(&path, &of(20, 5_000)).is_ok());
    assert!(try_select(&path, &of(20, 500)).is_ok());
}

#[test]
fn comparing_objects_with_long_names_is_paid_for() {
    let object = |members: usize| {
        let members: Vec<_> = (0..members)
            .map(|n| format!("\"{}\\u0061{n}\":0", "b".repeat(2_000)))
            .collect();
        format!("{{{}}}", members.join(","))
    };
    let path = "$.items[?$.o == $.p]";
    let of = |members: usize, elements: usize| {
        let (o, items) = (object(members), vec!["1"; elements].join(","));
        format!("{{\"o\":{o},\"p\":{o},\"items\":[{items}]}}")
    };
    assert!(try_select(path, &of(4, 100)).is_ok());
    assert_eq!(try_select(path, &of(20, 2_000)), Err(Problem::TooMuchWork));
}

/// `$..*..*` and the like would select more nodes than there are atoms.
#[test]
fn work_is_bounded() {
    let deep = format!("{}1{}", "[".repeat(400), "]".repeat(400));
    assert_eq!(try_select("$..*..*..*..*", &deep).unwrap().len(), 397);
    let counted = try_select("$[?count(@..*..*..*..*) > 0]", &deep);
    assert_eq!(counted, Err(Problem::TooMuchWork));
    let wide = format!("[{}0]", "0,".repeat(20_000));
    assert_eq!(
        try_select("$[?$[?@ == 1]]", &wide),
        Err(Problem::TooMuchWork)
    );
    assert_eq!(try_select("$[?@ == 0]", &wide).unwrap().len(), 20_001);
    let pattern = format!("[{}\"a\"]", "\"a\",".repeat(20_000));
    assert_eq!(
        try_select("$[?match('a', @)]", &pattern),
        Err(Problem::TooMuchWork)
    );
}

#[test]
fn what_a_prefix_passes_is_on_the_way() {
    let text = r#"{"a":[{"b":1},{"c":[2]}],"d":{}}"#;
    let doc = Doc::parse(text.as_bytes()).unwrap();
    for (path, want) in [
        ("$", ""),
        ("$.a", "$"),
        ("$.a[?@.b].x", "$ $['a'] $['a'][0]"),
        ("$.a..x", "$ $['a'] $['a'][0] $['a'][1] $['a'][1]['c']"),
        ("$.d.x", "$ $['d']"),
    ] {
        let path = JsonPath::parse(path).unwrap();
        let mut budget = Budget::new();
        let nodes = Evaluator::new(View::whole(&doc), &mut budget)
            .on_the_way(&path)
            .unwrap();
        let places = nodes
            .iter()
            .map(|node| crate::json::location::normalized(&doc, *node));
        assert_eq!(places.collect::<Vec<_>>().join(" "), want, "{path}");
    }
}
