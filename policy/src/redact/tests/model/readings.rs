//! Repeated names: a tree for each way to read the document, and places by what they are called.

use super::*;

/// What a node is called: its names and indices from the root.
type Location = Vec<String>;

/// The places of nodes in a tree.
type Places<'p> = &'p dyn Fn(&Path, &Tree) -> BTreeSet<Place>;

impl Path {
    fn is_streamable(&self) -> bool {
        let is_held = |one: &Selector| {
            matches!(
                one,
                Selector::Last(_) | Selector::Has(_) | Selector::Says(..)
            )
        };
        !self
            .0
            .iter()
            .any(|segment| segment.selectors.iter().any(is_held))
    }

    pub(super) fn destroyed(&self, tree: &Tree) -> BTreeSet<Place> {
        self.joined(tree, &Self::selected, |sets| {
            sets.into_iter().reduce(|all, set| &all | &set)
        })
    }

    pub(super) fn retained(&self, tree: &Tree) -> BTreeSet<Place> {
        self.joined(tree, &Self::selected, |sets| {
            sets.into_iter().reduce(|all, set| &all & &set)
        })
    }

    pub(super) fn passed(&self, tree: &Tree) -> BTreeSet<Place> {
        self.joined(tree, &Self::on_the_way, |sets| {
            sets.into_iter().reduce(|all, set| &all & &set)
        })
    }

    fn joined(
        &self,
        tree: &Tree,
        places: Places<'_>,
        join: impl Fn(Vec<BTreeSet<Location>>) -> Option<BTreeSet<Location>>,
    ) -> BTreeSet<Place> {
        if self.is_streamable() {
            return places(self, tree);
        }
        let locations = tree.readings().into_iter().map(|reading| {
            let places = places(self, &reading);
            places.iter().map(|place| reading.location(place)).collect()
        });
        let locations = join(locations.collect()).unwrap();
        let all = below(tree, &Vec::new());
        let is_in = |place: &Place| locations.contains(&tree.location(place));
        all.into_iter().filter(is_in).collect()
    }
}

impl Stage {
    pub(in crate::redact::tests) fn is_streamable(&self) -> bool {
        self.retained
            .iter()
            .chain(&self.destroyed)
            .all(Path::is_streamable)
    }
}

impl Name {
    fn said(self) -> &'static str {
        self.text.unwrap_or(self.raw)
    }
}

impl Tree {
    fn location(&self, place: &Place) -> Location {
        let mut tree = self;
        let mut location = Vec::new();
        for index in place {
            let (list, is_array) = children(tree);
            let name = list[*index].name.said().to_owned();
            location.push(if is_array {
                index.to_string()
            } else {
                format!(".{name}")
            });
            tree = &list[*index].value;
        }
        location
    }

    /// In how many ways the members of each name can be chosen, all over the document.
    pub(in crate::redact::tests) fn ways(&self) -> usize {
        let (list, is_array) = children(self);
        let below = list.iter().map(|child| child.value.ways());
        let same = |child: &Child| {
            let is_same = |other: &&Child| other.name.said() == child.name.said();
            list.iter().filter(is_same).count()
        };
        let names: BTreeSet<_> = list
            .iter()
            .map(|child| (child.name.said(), same(child)))
            .collect();
        let here = names
            .iter()
            .map(|(_, count)| if is_array { 1 } else { *count });
        below.chain(here).fold(1, usize::saturating_mul)
    }

    /// All trees without repeated names that this one may be taken for.
    fn readings(&self) -> Vec<Tree> {
        match self {
            Self::Scalar(_) => vec![self.clone()],
            Self::Array(list, end) => {
                let each = list.iter().map(|child| child.readings()).collect();
                let lists = combined(each).into_iter();
                lists.map(|list| Self::Array(list, end)).collect()
            }
            Self::Object(list, end) => {
                let names: BTreeSet<_> = list.iter().map(|child| child.name.said()).collect();
                let of_name = |name: &&str| {
                    let same = list.iter().filter(|child| child.name.said() == *name);
                    same.flat_map(Child::readings).collect()
                };
                let each = names.iter().map(of_name).collect();
                let lists = combined(each).into_iter();
                lists.map(|list| Self::Object(list, end)).collect()
            }
        }
    }
}

impl Child {
    fn readings(&self) -> Vec<Child> {
        let values = self.value.readings().into_iter();
        values
            .map(|value| Child {
                value,
                ..self.clone()
            })
            .collect()
    }
}

/// One of each, in every combination.
fn combined(each: Vec<Vec<Child>>) -> Vec<Vec<Child>> {
    each.into_iter().fold(vec![Vec::new()], |lists, more| {
        let with = |list: Vec<Child>| {
            let longer = more
                .iter()
                .map(move |one| [list.as_slice(), &[one.clone()]].concat());
            longer.collect::<Vec<_>>()
        };
        lists.into_iter().flat_map(with).collect()
    })
}
