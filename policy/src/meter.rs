//! Meters of a proxy: which calls they count, and what of a response they add.

use crate::{
    authz::{Call, Conditions, Hold, Mode, Paths, Probe},
    json::path::JsonPath,
    limit::{Charge, Micros},
};

/// All meters of a proxy.
#[derive(Debug)]
pub(crate) struct Meters {
    all: Box<[Meter]>,
    /// What their conditions look up in JSON.
    paths: Paths,
    names_methods: bool,
}

/// A compiled meter.
#[derive(Debug)]
pub(crate) struct Meter {
    pub(crate) charge: Charge,
    pub(crate) extraction: Extraction,
    pub(crate) conditions: Conditions,
}

/// What an admitted call adds.
#[derive(Debug)]
pub(crate) enum Extraction {
    /// 1.
    Count,
    /// The number in a response header, whose name is in lower case.
    Header(Box<str>),
    /// The sum of the numbers that a path selects in the response's body.
    Body(JsonPath),
}

/// Which meters count a call.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Metered {
    /// These, by place.
    By(Vec<usize>),
    /// The request's body decides.
    NeedsBody,
    /// The request's body decides, and cannot be read without doubt.
    Unreadable,
}

impl Meters {
    pub(crate) fn new(meters: Vec<Meter>, paths: Paths) -> Self {
        Self {
            names_methods: meters.iter().any(|meter| meter.conditions.names_methods()),
            all: meters.into(),
            paths,
        }
    }

    pub(crate) fn get(&self, place: usize) -> Option<&Meter> {
        self.all.get(place)
    }

    #[cfg(any(test, feature = "explain"))]
    pub(crate) fn all(&self) -> &[Meter] {
        &self.all
    }

    #[cfg(any(test, feature = "explain"))]
    pub(crate) fn paths(&self) -> &Paths {
        &self.paths
    }

    /// Whether one of them depends on the method.
    pub(crate) fn name_methods(&self) -> bool {
        self.names_methods
    }

    /// Whether one of them depends on the claims of a token.
    pub(crate) fn read_claims(&self) -> bool {
        !self.paths.claims.is_empty()
    }

    /// The meters whose conditions hold.
    pub(crate) async fn of(&self, call: &Call<'_>) -> Metered {
        let probe = Probe::new(call, &self.paths);
        let mut places = Vec::new();
        for (place, meter) in self.all.iter().enumerate() {
            match meter.conditions.hold(&probe, Mode::Any).await {
                Hold::Yes => places.push(place),
                Hold::No => {}
                Hold::NeedsBody => return Metered::NeedsBody,
                Hold::Unreadable => return Metered::Unreadable,
            }
        }
        Metered::By(places)
    }
}

impl Meter {
    pub(crate) fn awaits_value(&self) -> bool {
        match self.extraction {
            Extraction::Count => false,
            Extraction::Header(_) | Extraction::Body(_) => true,
        }
    }
}

/// What was found for one meter in one response: several values are summed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct ValueSum {
    total: Micros,
    has_any: bool,
    /// Something stood there that is no number from 0 on.
    has_other: bool,
}

impl ValueSum {
    /// Adds the text of a number, or of a string that holds one; none is no number.
    pub(crate) fn add(&mut self, text: Option<&str>) {
        match text.and_then(Micros::parse) {
            Some(amount) => {
                self.total = self.total.plus(amount);
                self.has_any = true;
            }
            None => self.has_other = true,
        }
    }

    pub(crate) fn total(self) -> Micros {
        self.total
    }

    /// Whether there was no value, or one that does not count.
    pub(crate) fn is_missing(self) -> bool {
        !self.has_any || self.has_other
    }
}

#[cfg(test)]
mod tests;
