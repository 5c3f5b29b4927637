//! The naive way: a tree of all the text there is, paths walked over it one by one, what is left
//! written again.

mod readings;

use std::collections::BTreeSet;

use proptest::{prelude::*, sample::select};

/// A value, with the white space inside.
#[derive(Clone, Debug)]
pub(super) enum Tree {
    Scalar(&'static str),
    Array(Vec<Child>, &'static str),
    Object(Vec<Child>, &'static str),
}

/// A child with all that stands before it.
#[derive(Clone, Debug)]
pub(super) struct Child {
    /// Before its comma, behind it, before and behind its colon.
    blanks: [&'static str; 4],
    name: Name,
    value: Tree,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Name {
    raw: &'static str,
    /// None when it is no Unicode text.
    text: Option<&'static str>,
}

/// Where a node is: the positions of its ancestors and itself in their containers.
type Place = Vec<usize>;

#[derive(Clone, Debug)]
pub(super) struct Path(pub(super) Vec<Segment>);

#[derive(Clone, Debug)]
pub(super) struct Segment {
    is_descendant: bool,
    selectors: Vec<Selector>,
}

#[derive(Clone, Debug)]
pub(super) enum Selector {
    Name(&'static str),
    Any,
    Index(usize),
    Slice(Option<usize>, Option<usize>, Option<usize>),
    /// From the end, counted from 1.
    Last(usize),
    /// Has a member of that name.
    Has(&'static str),
    /// Has a member of that name with that value.
    Says(&'static str, &'static str),
}

#[derive(Clone, Debug)]
pub(super) struct Stage {
    pub(super) retained: Vec<Path>,
    pub(super) destroyed: Vec<Path>,
}

const NAMES: [(&str, Option<&str>); 8] = [
    ("a", Some("a")),
    ("b", Some("b")),
    ("\\u0061", Some("a")),
    ("", Some("")),
    ("c,:{", Some("c,:{")),
    ("\\ud83d\\ude00", Some("😀")),
    ("é", Some("é")),
    ("\\ud800a", None),
];

const SCALARS: [&str; 11] = [
    "null",
    "true",
    "false",
    "0",
    "-1.50e+3",
    "12345678901234567890",
    "1e400",
    "\"\"",
    "\"a,]}\\\"\"",
    "\"\\udc00é😀\"",
    "\"0123456789abcdef0123456789abcdef\"",
];

pub(super) fn tree() -> impl Strategy<Value = Tree> {
    let scalar = select(SCALARS.to_vec()).prop_map(Tree::Scalar);
    scalar.prop_recursive(5, 48, 5, |inner| {
        let children = || proptest::collection::vec(child(inner.clone()), 0..5);
        prop_oneof![
            (children(), blank()).prop_map(|(children, end)| Tree::Array(children, end)),
            (children(), blank()).prop_map(|(children, end)| Tree::Object(children, end)),
        ]
    })
}

fn child(value: impl Strategy<Value = Tree>) -> impl Strategy<Value = Child> {
    let blanks = [blank(), blank(), blank(), blank()];
    let name = select(NAMES.to_vec()).prop_map(|(raw, text)| Name { raw, text });
    (blanks, name, value).prop_map(|(blanks, name, value)| Child {
        blanks,
        name,
        value,
    })
}

fn blank() -> impl Strategy<Value = &'static str> {
    select(vec!["", "", "", " ", "\n  ", "\t\r"])
}

pub(super) fn path() -> impl Strategy<Value = Path> {
    proptest::collection::vec(segment(selector()), 0..4).prop_map(Path)
}

/// Also of selectors that need the whole document.
pub(super) fn held_path() -> impl Strategy<Value = Path> {
    let name = || select(vec!["a", "b", "c,:{"]);
    let value = select(vec!["null", "true", "0", "'a,]}\"'"]);
    let held = prop_oneof![
        1 => (1..4_usize).prop_map(Selector::Last),
        2 => name().prop_map(Selector::Has),
        3 => (name(), value).prop_map(|(name, value)| Selector::Says(name, value)),
    ];
    let segment = segment(prop_oneof![selector(), held]);
    proptest::collection::vec(segment, 0..4).prop_map(Path)
}

fn segment(selector: impl Strategy<Value = Selector>) -> impl Strategy<Value = Segment> {
    let selectors = proptest::collection::vec(selector, 1..3);
    (proptest::bool::weighted(0.25), selectors).prop_map(|(is_descendant, selectors)| Segment {
        is_descendant,
        selectors,
    })
}

fn selector() -> impl Strategy<Value = Selector> {
    let bound = || proptest::option::of(0..4_usize);
    prop_oneof![
        4 => select(vec!["a", "b", "", "c,:{", "😀", "é"]).prop_map(Selector::Name),
        2 => Just(Selector::Any),
        2 => (0..4_usize).prop_map(Selector::Index),
        1 => (bound(), bound(), bound()).prop_map(|(a, b, c)| Selector::Slice(a, b, c)),
    ]
}

pub(super) fn stages() -> impl Strategy<Value = Vec<Stage>> {
    stages_of(path)
}

pub(super) fn held_stages() -> impl Strategy<Value = Vec<Stage>> {
    stages_of(held_path)
}

fn stages_of<P: Strategy<Value = Path>>(path: impl Fn() -> P) -> impl Strategy<Value = Vec<Stage>> {
    let paths = |most| proptest::collection::vec(path(), 0..most);
    let stage = (paths(3), paths(4)).prop_map(|(retained, destroyed)| Stage {
        retained,
        destroyed,
    });
    proptest::collection::vec(stage, 0..3)
}

impl Path {
    pub(super) fn text(&self) -> String {
        let mut text = "$".to_owned();
        for segment in &self.0 {
            let selectors: Vec<_> = segment.selectors.iter().map(Selector::text).collect();
            let dots = if segment.is_descendant { ".." } else { "" };
            text.extend([dots, "[", &selectors.join(","), "]"]);
        }
        text
    }

    /// The places after each number of segments.
    fn walk(&self, tree: &Tree) -> Vec<BTreeSet<Place>> {
        let mut sets = vec![BTreeSet::from([Vec::new()])];
        for segment in &self.0 {
            let mut from = sets.last().unwrap().clone();
            if segment.is_descendant {
                from = from.iter().flat_map(|place| below(tree, place)).collect();
            }
            let to = from.iter().flat_map(|place| {
                let (children, is_array) = children(at(tree, place));
                let selected = children.iter().enumerate().filter(move |(index, child)| {
                    let length = children.len();
                    let is_selected = |one: &Selector| match one {
                        Selector::Any => true,
                        Selector::Has(name) => member(&child.value, name).is_some(),
                        Selector::Says(name, value) => {
                            member(&child.value, name).is_some_and(|tree| tree.says(value))
                        }
                        one if is_array => one.is_index(*index, length),
                        one => one.is_name(child.name),
                    };
                    segment.selectors.iter().any(is_selected)
                });
                selected.map(move |(index, _)| joined(place, index))
            });
            sets.push(to.collect());
        }
        sets
    }

    fn selected(&self, tree: &Tree) -> BTreeSet<Place> {
        self.walk(tree).pop().unwrap()
    }

    /// Containers where a proper prefix can still match.
    fn on_the_way(&self, tree: &Tree) -> BTreeSet<Place> {
        let sets = self.walk(tree);
        let prefixes = sets.iter().zip(&self.0);
        let places = prefixes.flat_map(|(set, next)| {
            let places = set.iter().flat_map(|place| {
                if next.is_descendant {
                    below(tree, place)
                } else {
                    vec![place.clone()]
                }
            });
            places.collect::<Vec<_>>()
        });
        let is_container = |place: &Place| !matches!(at(tree, place), Tree::Scalar(_));
        places.filter(is_container).collect()
    }
}

impl Selector {
    fn text(&self) -> String {
        let number = |n: &Option<usize>| n.map(|n| n.to_string()).unwrap_or_default();
        match self {
            Self::Name(name) => format!("'{name}'"),
            Self::Any => "*".to_owned(),
            Self::Index(index) => index.to_string(),
            Self::Slice(start, end, step) => {
                format!("{}:{}:{}", number(start), number(end), number(step))
            }
            Self::Last(back) => format!("-{back}"),
            Self::Has(name) => format!("?@['{name}']"),
            Self::Says(name, value) => format!("?@['{name}']=={value}"),
        }
    }

    fn is_name(&self, name: Name) -> bool {
        matches!(self, Self::Name(wanted) if name.text == Some(*wanted))
    }

    fn is_index(&self, index: usize, length: usize) -> bool {
        match self {
            Self::Index(wanted) => index == *wanted,
            Self::Last(back) => index + back == length,
            Self::Slice(start, end, step) => {
                let (start, end) = (start.unwrap_or(0), end.unwrap_or(length).min(length));
                let step = step.unwrap_or(1);
                let is_in = |step| start < end && (start..end).step_by(step).any(|at| at == index);
                step > 0 && is_in(step)
            }
            Self::Name(_) | Self::Any | Self::Has(_) | Self::Says(..) => false,
        }
    }
}

/// The member of an object without repeated names.
fn member<'t>(tree: &'t Tree, name: &str) -> Option<&'t Tree> {
    let Tree::Object(list, _) = tree else {
        return None;
    };
    let child = list.iter().find(|child| child.name.text == Some(name))?;
    Some(&child.value)
}

fn children(tree: &Tree) -> (&[Child], bool) {
    match tree {
        Tree::Scalar(_) => (&[], false),
        Tree::Array(children, _) => (children, true),
        Tree::Object(children, _) => (children, false),
    }
}

fn at<'t>(tree: &'t Tree, place: &[usize]) -> &'t Tree {
    let step = |tree, index: &usize| &children(tree).0[*index].value;
    place.iter().fold(tree, step)
}

fn joined(place: &Place, index: usize) -> Place {
    let mut place = place.clone();
    place.push(index);
    place
}

/// The place and all below it.
fn below(tree: &Tree, place: &Place) -> Vec<Place> {
    let mut places = vec![place.clone()];
    for index in 0..children(at(tree, place)).0.len() {
        places.extend(below(tree, &joined(place, index)));
    }
    places
}

impl Tree {
    /// Whether it is that literal of a path.
    fn says(&self, literal: &str) -> bool {
        match self {
            Self::Scalar(text) if text.starts_with('"') => {
                let said = text[1..text.len() - 1].replace("\\\"", "\"");
                literal == format!("'{said}'")
            }
            Self::Scalar(text) => *text == literal,
            Self::Array(..) | Self::Object(..) => false,
        }
    }

    pub(super) fn text(&self) -> String {
        let (open, close, list, end) = match self {
            Self::Scalar(text) => return (*text).to_owned(),
            Self::Array(list, end) => ("[", "]", list, end),
            Self::Object(list, end) => ("{", "}", list, end),
        };
        let mut text = open.to_owned();
        for (n, child) in list.iter().enumerate() {
            let [before_comma, behind_comma, before_colon, behind_colon] = child.blanks;
            if n > 0 {
                text.extend([before_comma, ","]);
            }
            text += behind_comma;
            if open == "{" {
                let name = ["\"", child.name.raw, "\"", before_colon, ":", behind_colon];
                text.extend(name);
            }
            text += &child.value.text();
        }
        text + end + close
    }

    pub(super) fn redacted(&self, stage: &Stage) -> Self {
        let union = |paths: &[Path], places: &dyn Fn(&Path) -> BTreeSet<Place>| {
            paths.iter().flat_map(places).collect::<BTreeSet<_>>()
        };
        let destroyed = union(&stage.destroyed, &|path| path.destroyed(self));
        let retained = union(&stage.retained, &|path| path.retained(self));
        let on_the_way = union(&stage.retained, &|path| path.passed(self));
        if destroyed.contains(&Vec::new()) {
            return Self::Scalar("null");
        }
        let is_scalar = matches!(self, Self::Scalar(_));
        let is_all_retained = stage.retained.is_empty() || retained.contains(&Vec::new());
        if is_scalar && !is_all_retained {
            return Self::Scalar("null");
        }
        let stays = |place: &Place, value: &Tree| {
            let is_below_retained = is_all_retained
                || (1..=place.len()).any(|length| retained.contains(&place[..length]));
            let is_container = !matches!(value, Self::Scalar(_));
            let is_way = on_the_way.contains(place) && is_container;
            !destroyed.contains(place) && (is_below_retained || is_way)
        };
        self.kept(&Vec::new(), &stays)
    }

    fn kept(&self, place: &Place, stays: &dyn Fn(&Place, &Tree) -> bool) -> Self {
        let keep = |list: &[Child]| {
            let mut kept = Vec::new();
            for (index, child) in list.iter().enumerate() {
                let place = joined(place, index);
                if stays(&place, &child.value) {
                    let value = child.value.kept(&place, stays);
                    kept.push(Child {
                        value,
                        ..child.clone()
                    });
                }
            }
            kept
        };
        match self {
            Self::Scalar(text) => Self::Scalar(text),
            Self::Array(list, end) => Self::Array(keep(list), end),
            Self::Object(list, end) => Self::Object(keep(list), end),
        }
    }
}
