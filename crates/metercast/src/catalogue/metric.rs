//! What the catalogue says of one metric.

use std::fmt;
use std::ops::RangeInclusive;

use metercast_core::{Kind, NumberType, Visibility};

use crate::PageOptions;
use crate::export::prometheus::{complete, label_of, name_of};

/// A metric as the program text has it. What several places say of it is together here: labels that only some of them give are
/// [optional](Label::optional).
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Metric {
    /// The name as declared, such as `orders.placed`.
    pub name: String,
    /// What the values mean.
    pub kind: Kind,
    /// Which number it holds.
    pub number: NumberType,
    /// The unit in UCUM; empty if none was given.
    pub unit: String,
    /// What it measures, in words; may be empty.
    pub description: String,
    /// Who may see it.
    pub visibility: Visibility,
    /// Whether callbacks say its values.
    pub observable: bool,
    /// Whether all its series are shown at zero before they are recorded.
    pub zeroes: bool,
    /// How a distribution is kept; `None` for metrics that are none. Views of exporters may want something else.
    pub buckets: Option<Buckets>,
    /// Its labels, in the order in which the program text has them.
    pub labels: Vec<Label>,
    /// Whether it may have other labels as well, which are known at run time alone.
    pub open_labels: bool,
    /// Where it is, sorted by crate, file and line; empty for what was met at run time.
    pub places: Vec<Place>,
    /// Whether it was met at run time, and is not in the program text.
    pub met: bool,
    /// Whether the name is that of a page already, without anything behind it: so are those that a Prometheus library keeps.
    pub named_for_prometheus: bool,
}

/// How a distribution is kept.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Buckets {
    /// A histogram with these upper bounds.
    Bounds(Vec<f64>),
    /// A histogram without bounds of its own: it has those that fit its unit.
    ByUnit(Vec<f64>),
    /// A base-2 exponential histogram.
    Exponential,
    /// Quantiles, from 0 to 1, of what came within the window.
    Quantiles {
        /// From 0 to 1.
        quantiles: Vec<f64>,
        /// In seconds.
        window_seconds: u32,
    },
}

/// A label, and which values it can have as far as the program text says so.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Label {
    /// The key as declared, such as `http.route`.
    pub key: String,
    /// Whether series may do without it.
    pub optional: bool,
    /// Which values it can have.
    pub values: Values,
}

/// Which values a label can have.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Values {
    /// Any text.
    Text,
    /// Any whole number.
    Whole,
    /// One of these texts, or the fallback.
    OneOf {
        /// In the order of the declaration.
        texts: Vec<String>,
        /// What is recorded of all others; `None` if there can be no others.
        fallback: Option<String>,
    },
    /// A whole number in one of these ranges, or the fallback.
    Ranges {
        /// In the order of the declaration.
        ranges: Vec<RangeInclusive<i64>>,
        /// What is recorded of all others.
        fallback: String,
    },
    /// A text of these characters and of such a length, or the fallback.
    Pattern {
        /// As in a bracket expression: `a-z0-9-`.
        characters: String,
        /// In bytes.
        length: RangeInclusive<u64>,
        /// What is recorded of all others.
        fallback: String,
    },
}

/// A place of the program text that names a metric.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub struct Place {
    /// The crate, as its package is called.
    pub package: String,
    /// The version of that.
    pub version: String,
    /// The source file, seen from the folder of the package.
    pub file: String,
    /// The line, counted from 1; of a declaration, that where its `metrics!` begins.
    pub line: u32,
    /// The module, whose first part is the name of what was built: a library, a program or a test.
    pub module: String,
    /// Whether it is a declaration, by `metrics!`; call sites are none.
    pub declared: bool,
}

impl Metric {
    /// What it is called on a Prometheus page with these options; buckets, sum and count have suffixes besides.
    ///
    /// ```
    /// use metercast::PageOptions;
    ///
    /// let catalogue = metercast::catalogue()?;
    /// let dropped = catalogue.metric("metercast.recordings.dropped").unwrap();
    /// assert_eq!(dropped.prometheus_name(&PageOptions::new()), "metercast_recordings_dropped_total");
    /// # Ok::<(), metercast::catalogue::CatalogueError>(())
    /// ```
    pub fn prometheus_name(&self, options: &PageOptions) -> String {
        if self.named_for_prometheus {
            complete(&self.name, options)
        } else {
            name_of(&self.name, self.kind, &self.unit, options)
        }
    }

    /// The package that defines it: that of the first place. Empty for what was met at run time.
    pub fn package(&self) -> &str {
        self.places.first().map_or("", |place| &place.package)
    }
}

impl Label {
    /// What it is called on a Prometheus page with these options.
    pub fn prometheus_name(&self, options: &PageOptions) -> String {
        label_of(&self.key, options)
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}:{}", self.package, self.file, self.line)
    }
}

impl Values {
    /// What a label can have that is the one at one place and the other at another.
    pub(super) fn or(&self, other: &Values) -> Values {
        if self == other {
            return self.clone();
        }
        let (Values::OneOf { texts, fallback }, Values::OneOf { texts: others, fallback: beside }) =
            (self, other)
        else {
            return Values::Text;
        };
        let mut all: Vec<&String> = texts.iter().chain(others).collect();
        let fallback = match (fallback, beside) {
            (Some(one), Some(other)) if one != other => {
                all.extend([one, other]);
                None
            }
            (one, other) => one.as_ref().or(other.as_ref()),
        };
        let mut texts: Vec<String> = Vec::new();
        for text in all {
            if !texts.contains(text) && Some(text) != fallback {
                texts.push(text.clone());
            }
        }
        Values::OneOf { texts, fallback: fallback.cloned() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one_of(texts: &[&str], fallback: Option<&str>) -> Values {
        let texts = texts.iter().map(|text| (*text).to_owned()).collect();
        Values::OneOf { texts, fallback: fallback.map(str::to_owned) }
    }

    #[test]
    fn values_of_two_places_are_those_of_either() {
        let (ab, bc) = (one_of(&["a", "b"], None), one_of(&["b", "c"], None));
        assert_eq!(ab.or(&bc), one_of(&["a", "b", "c"], None));
        assert_eq!(
            ab.or(&one_of(&["c"], Some("b"))),
            one_of(&["a", "c"], Some("b")),
            "what is a fallback at one place"
        );
        let two = one_of(&["a"], Some("x")).or(&one_of(&["b"], Some("y")));
        assert_eq!(two, one_of(&["a", "b", "x", "y"], None), "two fallbacks are two values");
        assert_eq!(ab.or(&Values::Whole), Values::Text, "which may be anything");
        assert_eq!(Values::Whole.or(&Values::Whole), Values::Whole);
    }
}
