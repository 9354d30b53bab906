//! The samples of a page, in the one form in which they are compared.

use std::collections::BTreeMap;
use std::fmt::{self, Write};

/// The labels of a sample.
pub type Labels = BTreeMap<String, String>;

/// How much a value may differ from the one that was recorded.
#[derive(Clone, Copy, Debug)]
pub enum Allowed {
    /// Not by a bit.
    Nothing,
    /// Zero may have lost its sign.
    SignOfZero,
    /// By so much of itself, and what is next to nothing may be zero.
    Part(f64),
}

impl Allowed {
    fn covers(self, got: f64, expected: f64) -> bool {
        match self {
            Allowed::Nothing => got.to_bits() == expected.to_bits(),
            Allowed::SignOfZero => got.to_bits() == expected.to_bits() || (got == 0.0 && expected == 0.0),
            Allowed::Part(part) => {
                (got - expected).abs() <= part * expected.abs() || (got == 0.0 && expected.abs() < 1e-300)
            }
        }
    }
}

/// Samples by name and labels.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Samples(BTreeMap<(String, Labels), f64>);

impl Samples {
    /// Takes a sample. What metercast says of itself is left out, and when series began: both are no part of what was recorded.
    ///
    /// # Errors
    ///
    /// If a sample of this name with these labels is there already.
    pub fn add(&mut self, name: &str, mut labels: Labels, value: f64) -> Result<(), String> {
        if is_own(name) || name.ends_with("_created") {
            return Ok(());
        }
        normalize(&mut labels);
        match self.0.insert((name.to_owned(), labels), value) {
            None => Ok(()),
            Some(_) => Err(format!("{name} stands twice with the same labels")),
        }
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// What differs from these, which were to come; empty if nothing does.
    pub fn differences(&self, expected: &Samples, allowed: Allowed) -> String {
        let mut out = String::new();
        for (sample, value) in &expected.0 {
            match self.0.get(sample) {
                None => out += &format!("\n  missing {}", Line(sample, *value)),
                Some(got) if !allowed.covers(*got, *value) => {
                    let _ = write!(out, "\n  {got:?} instead of {}", Line(sample, *value));
                }
                Some(_) => {}
            }
        }
        for (sample, value) in self.0.iter().filter(|(sample, _)| !expected.0.contains_key(*sample)) {
            let _ = write!(out, "\n  not recorded {}", Line(sample, *value));
        }
        out
    }
}

fn normalize(labels: &mut Labels) {
    // To Prometheus a label without a value is absent.
    labels.retain(|_, value| !value.is_empty());
    for key in ["le", "quantile"] {
        // `1`, `1.0` and `1e+00` are one bound, and so are `0` and `-0`.
        if let Some(bound) = labels.get_mut(key)
            && let Ok(number) = bound.parse::<f64>()
        {
            *bound = (number + 0.0).to_string();
        }
    }
}

/// An exemplar of a sample, in the one form in which they are compared: what it was of, its own labels, its value.
pub(crate) fn exemplar(name: &str, mut labels: Labels, of_it: &Labels, value: f64) -> String {
    normalize(&mut labels);
    format!("{name}{labels:?} # {of_it:?} {value:?}")
}

/// Whether a metric is one of metercast's own, in any escaping.
pub(crate) fn is_own(name: &str) -> bool {
    let name = name.strip_prefix("U__").unwrap_or(name);
    name.starts_with("metercast") || name.starts_with("otel_sdk_")
}

struct Line<'a>(&'a (String, Labels), f64);

impl fmt::Display for Line<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{:?} {:?}", self.0.0, self.0.1, self.1)
    }
}
