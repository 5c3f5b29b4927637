//! JSON and a little JSONPath, the plainest way: a tree that keeps every occurrence of a name.

/// A value with its text in the document.
#[derive(Clone, Debug)]
pub(crate) struct Value<'t> {
    raw: &'t str,
    kind: Kind<'t>,
}

#[derive(Clone, Debug)]
enum Kind<'t> {
    Object(Vec<(String, Value<'t>)>),
    Array(Vec<Value<'t>>),
    String(String),
    Other,
}

impl<'t> Value<'t> {
    /// One JSON text.
    pub(crate) fn parse(text: &'t str) -> Option<Self> {
        let mut rest = text;
        let value = value(&mut rest)?;
        blank(&mut rest);
        rest.is_empty().then_some(value)
    }

    /// What conditions match.
    pub(crate) fn text(&self) -> String {
        match &self.kind {
            Kind::String(text) => text.clone(),
            Kind::Object(_) | Kind::Array(_) | Kind::Other => self.raw.to_owned(),
        }
    }

    /// The nodes of a path out of `$`, `.name`, `[*]` and `..name`.
    pub(crate) fn select(&self, path: &str) -> Vec<Self> {
        let mut nodes = vec![self.clone()];
        let mut rest = path.strip_prefix('$').expect("a path");
        while !rest.is_empty() {
            let is_descendant = rest.starts_with("..");
            let step = rest.trim_start_matches('.');
            let end = step
                .char_indices()
                .skip(1)
                .find(|(_, char)| matches!(char, '.' | '['))
                .map_or(step.len(), |(at, _)| at);
            let (name, after) = step.split_at(end);
            rest = after;
            let from = if is_descendant {
                nodes.iter().flat_map(Self::all).collect()
            } else {
                nodes
            };
            nodes = from.iter().flat_map(|node| node.children(name)).collect();
        }
        nodes
    }

    fn children(&self, name: &str) -> Vec<Self> {
        let is_wanted = |other: &str| name == "[*]" || other == name;
        match &self.kind {
            Kind::Object(members) => {
                let wanted = members.iter().filter(|(other, _)| is_wanted(other));
                wanted.map(|(_, value)| value.clone()).collect()
            }
            Kind::Array(items) if name == "[*]" => items.clone(),
            Kind::Array(_) | Kind::String(_) | Kind::Other => Vec::new(),
        }
    }

    /// The value and all below it.
    fn all(&self) -> Vec<Self> {
        let below = self.children("[*]");
        let below = below.iter().flat_map(Self::all);
        std::iter::once(self.clone()).chain(below).collect()
    }
}

fn blank(rest: &mut &str) {
    *rest = rest.trim_start_matches([' ', '\t', '\n', '\r']);
}

fn take(rest: &mut &str, token: &str) -> Option<()> {
    blank(rest);
    *rest = rest.strip_prefix(token)?;
    Some(())
}

fn value<'t>(rest: &mut &'t str) -> Option<Value<'t>> {
    blank(rest);
    let start = *rest;
    let kind = match start.chars().next()? {
        '{' => Kind::Object(list(rest, ("{", "}"), |rest| {
            blank(rest);
            let name = string(rest)?;
            take(rest, ":")?;
            Some((name, value(rest)?))
        })?),
        '[' => Kind::Array(list(rest, ("[", "]"), value)?),
        '"' => Kind::String(string(rest)?),
        _ => {
            other(rest)?;
            Kind::Other
        }
    };
    let (raw, _) = start.split_at(start.len() - rest.len());
    Some(Value { raw, kind })
}

fn list<'t, T>(
    rest: &mut &'t str,
    (open, close): (&str, &str),
    item: impl Fn(&mut &'t str) -> Option<T>,
) -> Option<Vec<T>> {
    take(rest, open)?;
    let mut items = Vec::new();
    if take(rest, close).is_some() {
        return Some(items);
    }
    loop {
        items.push(item(rest)?);
        if take(rest, close).is_some() {
            return Some(items);
        }
        take(rest, ",")?;
    }
}

/// Without surrogates, which no test of rules needs.
fn string(rest: &mut &str) -> Option<String> {
    let mut text = String::new();
    let mut chars = rest.strip_prefix('"')?.chars();
    loop {
        match chars.next()? {
            '"' => break,
            '\\' => match chars.next()? {
                'u' => {
                    let digits: String = chars.by_ref().take(4).collect();
                    text.push(char::from_u32(u32::from_str_radix(&digits, 16).ok()?)?);
                }
                'n' => text.push('\n'),
                't' => text.push('\t'),
                char @ ('"' | '\\' | '/') => text.push(char),
                _ => return None,
            },
            '\0'..='\u{1f}' => return None,
            char => text.push(char),
        }
    }
    *rest = chars.as_str();
    Some(text)
}

/// A number or a word.
fn other(rest: &mut &str) -> Option<()> {
    let end = rest
        .find(|char: char| !(char.is_ascii_alphanumeric() || "+-.".contains(char)))
        .unwrap_or(rest.len());
    let (token, after) = rest.split_at(end);
    let number = token.strip_prefix('-').unwrap_or(token);
    let is_number = number.starts_with(|char: char| char.is_ascii_digit())
        && (number == "0" || !number.starts_with('0') || number.starts_with("0."))
        && !number.ends_with('.')
        && number.parse::<f64>().is_ok();
    *rest = after;
    (is_number || matches!(token, "true" | "false" | "null")).then_some(())
}
