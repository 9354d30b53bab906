//! What one page has and the other has not, and which values are apart.

use std::fmt;

use serde_json::{Value as Json, json};

use crate::page::{Distribution, Family, Labels, Page, Value};

/// How values are compared.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Values {
    /// Not at all.
    Ignored,
    /// They may differ by such a part of the larger one.
    Within(f64),
}

/// One thing that two pages differ in.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Difference {
    pub(super) metric: String,
    /// The series, if it is of one.
    pub(super) labels: Option<String>,
    pub(super) what: What,
}

/// What is different.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum What {
    /// It is on the old page only.
    Missing,
    /// It is on the new page only.
    Added,
    /// Both have it, and say something else of it.
    Differs {
        of: &'static str,
        /// Which bucket or quantile, as its label has it.
        at: Option<String>,
        old: String,
        new: String,
    },
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = match self.what {
            What::Missing => "missing",
            What::Added => "added",
            What::Differs { .. } => "differs",
        };
        write!(f, "{word:<8} {}", self.metric)?;
        if let Some(labels) = self.labels.as_ref().filter(|labels| !labels.is_empty()) {
            write!(f, "{{{labels}}}")?;
        }
        match &self.what {
            What::Differs { of, at: Some(at), old, new } => write!(f, ": {of} {at}: {old} -> {new}")?,
            What::Differs { of, at: None, old, new } => write!(f, ": {of} {old} -> {new}")?,
            What::Missing | What::Added => {}
        }
        Ok(())
    }
}

impl Difference {
    /// The same as data.
    pub(super) fn json(&self) -> Json {
        let (metric, labels) = (&self.metric, &self.labels);
        let (what, of, at, old, new) = match &self.what {
            What::Missing => ("missing", None, None, None, None),
            What::Added => ("added", None, None, None, None),
            What::Differs { of, at, old, new } => ("differs", Some(*of), at.as_ref(), Some(old), Some(new)),
        };
        json!({ "metric": metric, "labels": labels, "what": what, "of": of, "at": at, "old": old, "new": new })
    }
}

/// What differs: in the order of the old page, and then what only the new one has.
pub(super) fn differences(old: &Page, new: &Page, values: Values) -> Vec<Difference> {
    let mut found = Vec::new();
    for family in &old.families {
        match new.get(&family.name) {
            Some(now) => of_family(family, now, values, &mut found),
            None => found.push(Difference { metric: family.name.clone(), labels: None, what: What::Missing }),
        }
    }
    let added = new.families.iter().filter(|family| old.get(&family.name).is_none());
    found.extend(added.map(|family| Difference {
        metric: family.name.clone(),
        labels: None,
        what: What::Added,
    }));
    found
}

fn of_family(old: &Family, new: &Family, values: Values, found: &mut Vec<Difference>) {
    let mut find = |labels: Option<&Labels>, what: What| {
        found.push(Difference { metric: old.name.clone(), labels: labels.map(written), what });
    };
    let mut differs = |of: &'static str, old: &str, new: &str| {
        if old != new {
            find(None, What::Differs { of, at: None, old: old.to_owned(), new: new.to_owned() });
        }
    };
    differs("kind", old.kind.name(), new.kind.name());
    // One format names units and the other does not.
    if !old.unit.is_empty() && !new.unit.is_empty() {
        differs("unit", &old.unit, &new.unit);
    }
    for series in &old.series {
        let labels = Some(&series.labels);
        let Some(now) = new.get(&series.labels) else {
            find(labels, What::Missing);
            continue;
        };
        let mut said = "";
        for Figure { of, at, was, is } in figures(&series.value, &now.value) {
            let same = match (of, values) {
                // One bucket that is apart says enough.
                (of, _) if of == said => true,
                ("bounds" | "shape", _) => false,
                (_, Values::Ignored) => true,
                (_, Values::Within(part)) => is_near(was, is, part),
            };
            if !same {
                said = of;
                let (old, new) = match of {
                    "bounds" | "shape" => (shape(&series.value), shape(&now.value)),
                    _ => (spelled(was), spelled(is)),
                };
                find(labels, What::Differs { of, at: at.map(spelled), old, new });
            }
        }
    }
    for series in new.series.iter().filter(|series| old.get(&series.labels).is_none()) {
        find(Some(&series.labels), What::Added);
    }
}

/// A figure that two values have, side by side.
struct Figure {
    of: &'static str,
    /// Which bucket or quantile.
    at: Option<f64>,
    was: f64,
    is: f64,
}

/// The figures that two values have; other bounds are one figure that is never the same.
fn figures(old: &Value, new: &Value) -> Vec<Figure> {
    let figure = |of, was, is| Figure { of, at: None, was, is };
    let (old, new) = match (old, new) {
        (Value::Number(old), Value::Number(new)) => return vec![figure("value", *old, *new)],
        (Value::Distribution(old), Value::Distribution(new)) => (old, new),
        _ => return vec![figure("shape", 0.0, 0.0)],
    };
    let bounds = |distribution: &Distribution| {
        let parts = distribution.buckets.iter().chain(&distribution.quantiles);
        parts.map(|(bound, _)| bound.to_bits()).collect::<Vec<_>>()
    };
    let mut figures = Vec::new();
    if bounds(old) == bounds(new) {
        for (of, old, new) in
            [("bucket", &old.buckets, &new.buckets), ("quantile", &old.quantiles, &new.quantiles)]
        {
            let parts = old.iter().zip(new);
            figures.extend(parts.map(|((at, was), (_, is))| Figure {
                of,
                at: Some(*at),
                was: *was,
                is: *is,
            }));
        }
    } else {
        figures.push(figure("bounds", 0.0, 0.0));
    }
    figures.extend(old.count().zip(new.count()).map(|(old, new)| figure("count", old, new)));
    figures.extend(old.sum.zip(new.sum).map(|(old, new)| figure("sum", old, new)));
    figures
}

fn is_near(old: f64, new: f64, part: f64) -> bool {
    old == new || (old.is_nan() && new.is_nan()) || (old - new).abs() <= part * old.abs().max(new.abs())
}

fn shape(value: &Value) -> String {
    match value {
        Value::Number(_) => "a number".to_owned(),
        Value::Distribution(distribution) => {
            let parts = distribution.buckets.iter().chain(&distribution.quantiles);
            let bounds: Vec<_> = parts.map(|(bound, _)| spelled(*bound)).collect();
            format!("[{}]", bounds.join(" "))
        }
    }
}

/// A number as pages spell it.
fn spelled(number: f64) -> String {
    match number.is_infinite() {
        true if number > 0.0 => "+Inf".to_owned(),
        true => "-Inf".to_owned(),
        false => number.to_string(),
    }
}

fn written(labels: &Labels) -> String {
    let pairs: Vec<_> = labels.iter().map(|(key, value)| format!("{key}={value:?}")).collect();
    pairs.join(",")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::page::Limits;

    fn found(old: &str, new: &str, values: Values) -> Vec<String> {
        let page = |text: &str| Page::read(text.as_bytes(), &Limits::default()).unwrap();
        differences(&page(old), &page(new), values).iter().map(Difference::to_string).collect()
    }

    const EXACT: Values = Values::Within(0.0);

    #[test]
    fn what_is_missing_added_and_different_is_told() {
        let old = "# TYPE a counter\na{x=\"1\"} 1\na{x=\"2\"} 2\ngone 1\nsame 1\n";
        let new = "# TYPE a gauge\na{x=\"1\"} 3\na{x=\"3\"} 2\nsame 1\nnew 1\n";
        let expected = [
            "differs  a: kind counter -> gauge",
            "differs  a{x=\"1\"}: value 1 -> 3",
            "missing  a{x=\"2\"}",
            "added    a{x=\"3\"}",
            "missing  gone",
            "added    new",
        ];
        assert_eq!(found(old, new, EXACT), expected);
        assert_eq!(found(old, old, EXACT), [""; 0]);
        assert!(!found(old, new, Values::Ignored).iter().any(|line| line.contains("value")));
    }

    #[test]
    fn values_may_be_apart_by_so_much() {
        assert_eq!(found("a 100\n", "a 101\n", Values::Within(0.01)), [""; 0]);
        assert_eq!(found("a 100\n", "a 102\n", Values::Within(0.01)), ["differs  a: value 100 -> 102"]);
        assert_eq!(found("a NaN\nb +Inf\n", "a NaN\nb +Inf\n", EXACT), [""; 0]);
    }

    #[test]
    fn histograms_are_compared_by_bounds_buckets_count_and_sum() {
        let page = |bound: &str, one: u64, sum: u64| {
            format!(
                "# TYPE h histogram\nh_bucket{{le=\"{bound}\"}} {one}\nh_bucket{{le=\"+Inf\"}} 3\nh_sum {sum}\nh_count 3\n"
            )
        };
        let old = page("1", 2, 4);
        assert_eq!(
            found(&old, &page("2", 2, 4), Values::Ignored),
            ["differs  h: bounds [1 +Inf] -> [2 +Inf]"]
        );
        assert_eq!(
            found(&old, &page("1", 1, 5), EXACT),
            ["differs  h: bucket 1: 2 -> 1", "differs  h: sum 4 -> 5"]
        );
        assert_eq!(found(&old, "# TYPE h histogram\nh 1\n", EXACT).len(), 1);
        let summary =
            |p99: u64| format!("# TYPE s summary\ns{{quantile=\"0.5\"}} 7\ns{{quantile=\"0.99\"}} {p99}\n");
        assert_eq!(found(&summary(64), &summary(0), EXACT), ["differs  s: quantile 0.99: 64 -> 0"]);
    }

    #[test]
    fn both_formats_of_a_page_say_the_same() {
        let open = "# TYPE a counter\n# UNIT a seconds\na_total{x=\"1\"} 1.0\n# EOF\n";
        assert_eq!(found("# TYPE a_total counter\na_total{x=\"1\"} 1\n", open, EXACT), [""; 0]);
    }
}
