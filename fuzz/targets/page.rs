//! Any recordings as a page: valid to the letter of text format 0.0.4 or 1.0.0, of OpenMetrics or of protobuf, and every value reads
//! back as it was recorded.
//!
//! The page is read by a parser of its own, which forgives nothing. Each metric alone must give its series with their
//! labels and values; all metrics on one page must give the same samples, but for those whose names collide.

#![no_main]

use std::collections::{BTreeMap, BTreeSet};

use libfuzzer_sys::fuzz_target;
use metercast::reading::{Exponential, Point, Series};
use metercast::{
    Definition, Escaping, ExemplarFilter, Format, Kind, LabelSet, Log, PageFormat, PageOptions,
    PrometheusPage, Store, Strategy, Value,
};
use metercast_fuzz::parsed::{Labels, Parsed, double, is_double, parse};
use metercast_fuzz::{Input, protobuf, stores_with};

/// How a page is asked for.
#[derive(Clone, Copy)]
struct Asked {
    format: PageFormat,
    strategy: Strategy,
    has_created: bool,
}

impl Asked {
    fn is_open(self) -> bool {
        matches!(self.format.format, Format::OpenMetrics0 | Format::OpenMetrics1)
    }

    fn is_protobuf(self) -> bool {
        self.format.format == Format::Protobuf
    }

    /// Whether names become legal before they are escaped.
    fn makes_legal(self) -> bool {
        matches!(
            self.strategy,
            Strategy::UnderscoreEscapingWithSuffixes | Strategy::UnderscoreEscapingWithoutSuffixes
        )
    }

    fn has_suffixes(self) -> bool {
        matches!(
            self.strategy,
            Strategy::UnderscoreEscapingWithSuffixes | Strategy::NoUtf8EscapingWithSuffixes
        )
    }
}

/// A metric, and its series in the order in which the page has them.
struct Family {
    definition: &'static Definition,
    series: Vec<Series>,
}

/// The labels that a series must have on a page, from the words of the specification.
fn spelled(set: &LabelSet, kind: Kind, asked: Asked) -> Labels {
    let mut labels = Labels::new();
    for (key, value) in set.iter() {
        let mut name = if asked.makes_legal() { legal(key) } else { key.to_owned() };
        if matches!((kind, &*name), (Kind::Histogram, "le") | (Kind::Summary, "quantile"))
            || name.starts_with("__")
        {
            name = format!("exported_{name}");
        }
        let value = match value {
            Value::F64(value) => double(*value),
            other => other.to_string(),
        };
        labels.entry(name).and_modify(|there| *there += &format!(";{value}")).or_insert(value);
    }
    labels.retain(|_, value| !value.is_empty());
    labels
}

fn legal(key: &str) -> String {
    let mut name = String::new();
    for rune in key.chars() {
        let rune = if rune.is_ascii_alphanumeric() { rune } else { '_' };
        if rune != '_' || !name.ends_with('_') {
            name.push(rune);
        }
    }
    if name.starts_with(|first: char| first.is_ascii_digit()) { format!("key_{name}") } else { name }
}

/// The values of a family by the labels that its series have on a page. Series whose labels look the same there are
/// added up, but for exponential ones, which all are given; of gauges the first stays.
fn expected(family: &Family, asked: Asked) -> BTreeMap<Labels, Vec<Point>> {
    let kind = family.definition.kind();
    let mut points: BTreeMap<Labels, Vec<Point>> = BTreeMap::new();
    for series in &family.series {
        let there = points.entry(spelled(&series.labels, kind, asked)).or_default();
        if let Point::Exponential(_) = series.point {
            there.push(series.point.clone());
            continue;
        }
        match there.first_mut() {
            None => there.push(series.point.clone()),
            Some(_) if kind == Kind::Gauge => {}
            Some(Point::U64(sum)) => *sum = sum.wrapping_add(whole(&series.point) as u64),
            Some(Point::I64(sum)) => *sum = sum.wrapping_add(whole(&series.point) as i64),
            Some(Point::F64(sum)) => match series.point {
                Point::F64(value) => *sum += value,
                ref other => panic!("a double beside {other:?}"),
            },
            Some(Point::Histogram(sum)) => match &series.point {
                Point::Histogram(buckets) => {
                    assert_eq!(sum.bounds, buckets.bounds);
                    for (to, count) in sum.counts.iter_mut().zip(&buckets.counts) {
                        *to += count;
                    }
                    sum.sum += buckets.sum;
                }
                other => panic!("a histogram beside {other:?}"),
            },
            Some(Point::Summary(sum)) => match &series.point {
                Point::Summary(summary) => {
                    sum.count += summary.count;
                    sum.sum += summary.sum;
                    // Nobody knows those of both together.
                    sum.quantiles.clear();
                }
                other => panic!("a summary beside {other:?}"),
            },
            Some(other) => panic!("a point of a new kind: {other:?}"),
        }
    }
    points
}

fn whole(point: &Point) -> i128 {
    match point {
        Point::U64(value) => (*value).into(),
        Point::I64(value) => (*value).into(),
        other => panic!("no whole number: {other:?}"),
    }
}

/// A page of this family alone says what the family holds.
fn check_alone<'a>(name: &'a str, parsed: &Parsed<'a>, family: &Family, asked: Asked) {
    let is_open = asked.is_open();
    let definition = family.definition;
    let kind = match definition.kind() {
        // OpenMetrics has no counter without a name before the suffix.
        Kind::Counter if is_open && name == "_total" => "unknown",
        // Nor one that does not end with it.
        Kind::Counter if is_open && !asked.has_suffixes() && parsed.kind == "unknown" => {
            assert!(!name.ends_with("_total"), "{name}");
            "unknown"
        }
        Kind::Counter => "counter",
        Kind::Histogram => "histogram",
        Kind::Summary => "summary",
        _ => "gauge",
    };
    assert_eq!(parsed.kind, kind);
    assert_eq!(parsed.help.as_deref().unwrap_or_default(), definition.description());
    assert!(kind != "counter" || is_open || !asked.has_suffixes() || name.ends_with("_total"), "{name}");
    let itself = if is_open && kind == "counter" { "_total" } else { "" };
    // OpenMetrics: what is like a counter is not negative.
    let is_total = |sum: f64| !is_open || sum >= 0.0;
    let mut samples = 0;
    for (labels, points) in expected(family, asked) {
        let number = |suffix: &str, labels: &Labels| {
            let name = format!("{name}{suffix}");
            let found = parsed.samples.get(&(name.as_str(), labels.clone()));
            *found.unwrap_or_else(|| panic!("no sample {name} {labels:?}"))
        };
        match &points[0] {
            // Protobuf has doubles alone.
            Point::U64(value) if asked.is_protobuf() => {
                assert!(is_double(number(itself, &labels), *value as f64));
            }
            Point::I64(value) if asked.is_protobuf() => {
                assert!(is_double(number(itself, &labels), *value as f64));
            }
            Point::U64(value) => assert_eq!(number(itself, &labels), value.to_string()),
            Point::I64(value) => assert_eq!(number(itself, &labels), value.to_string()),
            Point::F64(value) => {
                let number = number(itself, &labels);
                assert!(is_double(number, *value), "{number} is not {value}");
            }
            Point::Histogram(buckets) => {
                let mut below = 0;
                let bounds = buckets.bounds.iter().copied().chain([f64::INFINITY]);
                for (count, bound) in buckets.counts.iter().zip(bounds) {
                    below += count;
                    let mut labels = labels.clone();
                    labels.insert("le".to_owned(), double(bound));
                    assert_eq!(number("_bucket", &labels), below.to_string());
                }
                samples += buckets.counts.len();
                let has_negative = buckets.bounds.first().is_some_and(|bound| *bound < 0.0);
                if !is_total(buckets.sum) || (is_open && has_negative) {
                    continue;
                }
                assert_eq!(number("_count", &labels), below.to_string());
                assert!(is_double(number("_sum", &labels), buckets.sum));
                samples += 1;
            }
            Point::Exponential(_) => {
                let alike: Vec<&Exponential> = points.iter().filter_map(exponential).collect();
                let (mut count, mut sum) = (0, alike[0].sum);
                sum = alike[1..].iter().fold(sum, |sum, one| sum + one.sum);
                let mut others = labels.clone();
                for ((_, these), number) in &parsed.samples {
                    let Some(bound) = these.get("le") else { continue };
                    others.insert("le".to_owned(), bound.clone());
                    if *these == others {
                        let bound: f64 = bound.parse().expect("a bound is a number");
                        let below: u64 = alike.iter().map(|one| below_or_at(one, bound)).sum();
                        assert_eq!(*number, below.to_string(), "up to {bound} of {alike:?}");
                        count = count.max(below);
                        samples += 1;
                    }
                }
                assert_eq!(count, alike.iter().map(|one| one.count()).sum::<u64>(), "all are in a bucket");
                let has_negative = alike.iter().any(|one| one.negative.count() > 0);
                if !is_total(sum) || (is_open && has_negative) {
                    continue;
                }
                assert_eq!(number("_count", &labels), count.to_string());
                assert!(is_double(number("_sum", &labels), sum));
                samples += 1;
            }
            Point::Summary(summary) => {
                for (quantile, value) in &summary.quantiles {
                    if !is_open || *value >= 0.0 {
                        let mut labels = labels.clone();
                        labels.insert("quantile".to_owned(), double(*quantile));
                        assert!(is_double(number("", &labels), *value));
                        samples += 1;
                    }
                }
                assert_eq!(number("_count", &labels), summary.count.to_string());
                if is_total(summary.sum) {
                    assert!(is_double(number("_sum", &labels), summary.sum));
                    samples += 1;
                }
            }
            other => panic!("a point of a new kind: {other:?}"),
        }
        samples += 1;
    }
    assert_eq!(parsed.samples.len(), samples, "as many samples as there should be");
}

fn exponential(point: &Point) -> Option<&Exponential> {
    match point {
        Point::Exponential(exponential) => Some(exponential),
        _ => None,
    }
}

/// How many values there are up to a bound of classic buckets, which is one of exponential buckets as well.
fn below_or_at(exponential: &Exponential, bound: f64) -> u64 {
    let positive = &exponential.positive;
    // Bounds are computed, and the next one is much farther away.
    let is_below = |index: i32| exponential.upper_bound(index) <= bound * (1.0 + 1e-10);
    let at = |(index, count): (i32, &u64)| if is_below(index) { *count } else { 0 };
    let above_zero: u64 = (positive.offset..).zip(&positive.counts).map(at).sum();
    exponential.zero_count + exponential.negative.count() + above_zero
}

/// The page in text; what is in protobuf is told as text would tell it.
fn page(store: &Store, asked: Asked) -> String {
    let options = PageOptions::new().strategy(asked.strategy).created(asked.has_created);
    let exporter = PrometheusPage::with("fuzzed", options, &[], Log::to(|_, _| {}));
    let [page, again] = [(); 2].map(|()| {
        let mut page = Vec::new();
        exporter.write_as(store, asked.format, &mut |chunk| page.extend_from_slice(chunk));
        page
    });
    assert!(page == again, "two pages of one store are the same bytes");
    if asked.is_protobuf() {
        return protobuf::as_text(&page);
    }
    String::from_utf8(page).expect("text is UTF-8")
}

/// What a store holds, but for what metercast says of itself.
fn families(store: &Store) -> Vec<Family> {
    store.read(|reading| {
        let families = reading.families().map(|family| {
            let mut series = Vec::new();
            family.each(|view| series.push(Series::from(view)));
            Family { definition: family.definition(), series }
        });
        families.filter(|family| !family.series.is_empty() && !is_own(family.definition.name())).collect()
    })
}

/// Whether a metric is one of metercast's own, in any escaping.
fn is_own(name: &str) -> bool {
    let name = name.strip_prefix("U__").unwrap_or(name);
    name.strip_prefix("metercast").is_some_and(|rest| rest.starts_with(['.', '_']))
}

/// The names of all samples that a family may have.
fn names(name: &str, parsed: &Parsed<'_>, is_open: bool) -> BTreeSet<String> {
    let suffixes: &[&str] = match (parsed.kind, is_open) {
        ("counter", true) => &["", "_total", "_created"],
        ("histogram", false) => &["", "_bucket", "_sum", "_count"],
        ("histogram", true) => &["", "_bucket", "_sum", "_count", "_created"],
        ("summary", false) => &["", "_sum", "_count"],
        ("summary", true) => &["", "_sum", "_count", "_created"],
        _ => &[""],
    };
    suffixes.iter().map(|suffix| format!("{name}{suffix}")).collect()
}

fuzz_target!(|bytes: &[u8]| {
    let mut input = Input::new(bytes);
    let format = PageFormat {
        format: [Format::Text0, Format::Text1, Format::OpenMetrics0, Format::OpenMetrics1, Format::Protobuf]
            [input.below(5)],
        escaping: [Escaping::Underscores, Escaping::Dots, Escaping::Values, Escaping::AllowUtf8]
            [input.below(4)],
    };
    let strategy = [
        Strategy::UnderscoreEscapingWithSuffixes,
        Strategy::UnderscoreEscapingWithoutSuffixes,
        Strategy::NoUtf8EscapingWithSuffixes,
        Strategy::NoTranslation,
    ][input.below(4)];
    let switches = input.byte();
    let asked = Asked { format, strategy, has_created: switches & 1 > 0 };
    let exemplars = if switches & 2 > 0 { ExemplarFilter::AlwaysOn } else { ExemplarFilter::TraceBased };
    let is_open = asked.is_open();
    let Some(recorded) = stores_with(&mut input, exemplars) else { return };
    let all = page(&recorded.all, asked);
    let all = parse(&all, is_open);
    let families = families(&recorded.all);
    let pages: Vec<String> =
        families.iter().map(|family| page(&recorded.alone[family.definition.name()], asked)).collect();
    let alone: Vec<_> = (pages.iter())
        .map(|page| {
            let mut parsed = parse(page, is_open);
            parsed.retain(|name, _| !is_own(name));
            assert_eq!(parsed.len(), 1, "one metric, one family");
            parsed.pop_first().expect("a family has a page")
        })
        .collect();
    // Other escapings of names that are not legal spell them in ways that the rules here do not tell.
    let is_told = asked.makes_legal() || format.escaping == Escaping::AllowUtf8;
    let taken: Vec<_> = alone.iter().map(|(name, parsed)| names(name, parsed, is_open)).collect();
    for (at, (name, parsed)) in alone.iter().enumerate() {
        if is_told {
            check_alone(name, parsed, &families[at], asked);
        }
        let collides =
            taken.iter().enumerate().any(|(other, names)| other != at && !names.is_disjoint(&taken[at]));
        if !collides {
            assert_eq!(all.get(name), Some(parsed), "{name} on the page of all");
        }
    }
});
