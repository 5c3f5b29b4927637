//! Reads the members of a JSON object one by one and notes every problem, not just the first.

use std::fmt::{self, Display};
use std::str::FromStr;

use serde_json::{Map, Value};

use super::problem::{Fault, Invalid, Problems};
use crate::secret::SecretBytes;

/// An object being read. What is left at [`Fields::finish`] is unknown. It may hold secrets and
/// prints as its path only.
pub struct Fields<'a> {
    object: Map<String, Value>,
    /// Path of the object with its dot; empty for the body itself.
    prefix: String,
    problems: &'a mut Problems,
}

impl<'a> Fields<'a> {
    /// Reads the body itself.
    pub fn new(object: Map<String, Value>, problems: &'a mut Problems) -> Self {
        Self {
            object,
            prefix: String::new(),
            problems,
        }
    }

    /// A member that must be there.
    pub fn required<T>(
        &mut self,
        name: &str,
        read: impl FnOnce(&Value) -> Result<T, Invalid>,
    ) -> Option<T> {
        let value = self.take(name);
        if value.is_none() {
            self.problem(Fault::ValidationFailed, name, "is required");
        }
        self.checked(name, read(&value?))
    }

    /// A member that may be absent or null.
    pub fn optional<T>(
        &mut self,
        name: &str,
        read: impl FnOnce(&Value) -> Result<T, Invalid>,
    ) -> Option<T> {
        let value = self.take(name)?;
        self.checked(name, read(&value))
    }

    /// An object that may be absent or null; `read` must end with [`Fields::finish`].
    pub fn object<T>(&mut self, name: &str, read: impl FnOnce(Fields<'_>) -> T) -> Option<T> {
        let value = self.take(name)?;
        let path = self.path(name);
        self.nested(path, value, read)
    }

    /// An object that must be there; `read` must end with [`Fields::finish`].
    pub fn required_object<T>(
        &mut self,
        name: &str,
        read: impl FnOnce(Fields<'_>) -> Option<T>,
    ) -> Option<T> {
        if !self.has(name) {
            self.problem(Fault::ValidationFailed, name, "is required");
        }
        self.object(name, read).flatten()
    }

    /// A list of objects that may be absent or null, of at most `limit` items, none of them
    /// refused; `read` must end with [`Fields::finish`].
    pub fn objects<T>(
        &mut self,
        name: &str,
        limit: usize,
        read: impl Fn(Fields<'_>) -> Option<T>,
    ) -> Option<Vec<T>> {
        let items = self.items(name, limit)?;
        let (count, mut list) = (items.len(), Vec::with_capacity(items.len()));
        for (index, item) in items.into_iter().enumerate() {
            let path = self.path(&format!("{name}[{index}]"));
            list.extend(self.nested(path, item, &read).flatten());
        }
        (list.len() == count).then_some(list)
    }

    /// A list that may be absent or null, of at most `limit` items, none of them refused.
    pub fn list<T>(
        &mut self,
        name: &str,
        limit: usize,
        read: impl Fn(&Value) -> Result<T, Invalid>,
    ) -> Option<Vec<T>> {
        let items = self.items(name, limit)?;
        let mut list = Vec::with_capacity(items.len());
        for (index, item) in items.iter().enumerate() {
            list.extend(self.checked(&format!("{name}[{index}]"), read(item)));
        }
        (list.len() == items.len()).then_some(list)
    }

    /// The bare value of a member, None when absent or null.
    pub fn take(&mut self, name: &str) -> Option<Value> {
        self.object.remove(name).filter(|value| !value.is_null())
    }

    /// The member is there and not null.
    pub fn has(&self, name: &str) -> bool {
        self.object.get(name).is_some_and(|value| !value.is_null())
    }

    /// The good outcome of a check of member `name`; a bad one is noted.
    pub fn checked<T>(&mut self, name: &str, result: Result<T, Invalid>) -> Option<T> {
        match result {
            Ok(value) => Some(value),
            Err(invalid) => {
                let path = self.path(name);
                self.problems.push(invalid.at(path));
                None
            }
        }
    }

    /// Notes a problem at member `name`.
    pub fn problem(&mut self, fault: Fault, name: &str, text: impl Into<String>) {
        let path = self.path(name);
        self.problems.add(fault, path, text);
    }

    /// What was not read yet, as JSON text: what is sealed of a secret is what was sent.
    ///
    /// # Errors
    /// Never for JSON; the writer's own.
    pub fn json(&self) -> serde_json::Result<SecretBytes> {
        serde_json::to_vec(&self.object).map(SecretBytes::from)
    }

    /// The names of all members that were not read yet.
    pub fn names(&self) -> Vec<String> {
        self.object.keys().cloned().collect()
    }

    /// Notes every member that nothing has read.
    pub fn finish(self) {
        for name in self.object.keys() {
            let path = self.path(name);
            self.problems
                .add(Fault::UnknownField, path, "is not a known field");
        }
    }

    fn items(&mut self, name: &str, limit: usize) -> Option<Vec<Value>> {
        let Value::Array(items) = self.take(name)? else {
            self.problem(Fault::ValidationFailed, name, "must be a list");
            return None;
        };
        // Before any is read: a body may hold tens of thousands, each with a problem.
        if items.len() > limit {
            let text = format!("must have at most {limit} items");
            self.problem(Fault::ValidationFailed, name, text);
            return None;
        }
        Some(items)
    }

    fn nested<T>(
        &mut self,
        path: String,
        value: Value,
        read: impl FnOnce(Fields<'_>) -> T,
    ) -> Option<T> {
        let Value::Object(object) = value else {
            self.problems
                .add(Fault::ValidationFailed, path, "must be an object");
            return None;
        };
        Some(read(Fields {
            object,
            prefix: format!("{path}."),
            problems: self.problems,
        }))
    }

    fn path(&self, name: &str) -> String {
        format!("{}{name}", self.prefix)
    }
}

impl fmt::Debug for Fields<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Fields({})", self.prefix)
    }
}

/// A string.
///
/// # Errors
/// Any other type.
pub fn string(value: &Value) -> Result<String, Invalid> {
    value
        .as_str()
        .map(str::to_owned)
        .ok_or_else(|| Invalid::value("must be a string"))
}

/// A string that `T` parses.
///
/// # Errors
/// Any other type, or what `T` says.
pub fn parsed<T>(value: &Value) -> Result<T, Invalid>
where
    T: FromStr,
    T::Err: Display,
{
    string(value)?
        .parse()
        .map_err(|error: T::Err| Invalid::value(error.to_string()))
}

/// `true` or `false`.
///
/// # Errors
/// Any other type.
pub fn boolean(value: &Value) -> Result<bool, Invalid> {
    value
        .as_bool()
        .ok_or_else(|| Invalid::value("must be true or false"))
}

/// A whole number from `least` to `most`.
pub fn integer(least: u64, most: u64) -> impl Fn(&Value) -> Result<u64, Invalid> {
    move |value| {
        let number = value
            .as_u64()
            .or_else(|| whole(value))
            .filter(|number| (least..=most).contains(number));
        number.ok_or_else(|| Invalid::value(format!("must be an integer from {least} to {most}")))
    }
}

/// `1.0` and `1e3` are whole numbers of JSON, too, as far as they are exact.
fn whole(value: &Value) -> Option<u64> {
    let text = format!(
        "{:.0}",
        value.as_f64().filter(|number| number.fract() == 0.0)?
    );
    // From there on several whole numbers are one float.
    text.parse().ok().filter(|number| *number < 1 << 53)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn whole_numbers_are_whole_however_they_are_written() {
        for (text, want) in [
            ("1000", Some(1000)),
            ("1e3", Some(1000)),
            ("5.0", Some(5)),
            ("5.5", None),
            ("-1.0", None),
            ("1e30", None),
            ("\"5\"", None),
        ] {
            let value = serde_json::from_str(text).unwrap();
            assert_eq!(integer(1, 1000)(&value).ok(), want, "{text}");
        }
    }

    #[test]
    fn every_problem_is_listed_with_its_path() {
        let Value::Object(body) = json!({
            "name": 7, "limits": {"minute": 0, "hours": 1}, "tags": ["a", 1], "extra": null
        }) else {
            return;
        };
        let mut problems = Problems::default();
        let mut fields = Fields::new(body, &mut problems);
        assert_eq!(fields.required("name", string), None);
        assert_eq!(fields.required("absent", string), None);
        fields.object("limits", |mut limits| {
            limits.optional("minute", integer(1, 9));
            limits.finish();
        });
        assert_eq!(fields.list("tags", 5, string), None);
        fields.finish();
        let found: Vec<_> = problems
            .into_parts()
            .0
            .into_iter()
            .map(|p| (p.field, p.fault))
            .collect();
        let want = [
            ("name", Fault::ValidationFailed),
            ("absent", Fault::ValidationFailed),
            ("limits.minute", Fault::ValidationFailed),
            ("limits.hours", Fault::UnknownField),
            ("tags[1]", Fault::ValidationFailed),
            ("extra", Fault::UnknownField),
        ];
        assert_eq!(found, want.map(|(field, fault)| (field.to_owned(), fault)));
    }
}
