//! Any recordings as a page: valid to the letter of text format 0.0.4 or 1.0.0 or of OpenMetrics, and every value reads back as
//! it was recorded.
//!
//! The page is read by a parser of its own, which forgives nothing. Each metric alone must give its series with their
//! labels and values; all metrics on one page must give the same samples, but for those whose names collide.

#![no_main]

use std::collections::{BTreeMap, BTreeSet};

use libfuzzer_sys::fuzz_target;
use metercast::reading::{Exponential, Point, Series};
use metercast::{
    Definition, Escaping, Format, Kind, LabelSet, Log, PageFormat, PrometheusPage, Store, Value,
};
use metercast_fuzz::{Input, stores};

/// The labels of a sample: sorted, each name once.
type Labels = BTreeMap<String, String>;

/// A number as it stands on the page.
type Number<'a> = &'a str;

/// A metric, and its series in the order in which the page has them.
struct Family {
    definition: &'static Definition,
    series: Vec<Series>,
}

/// A family as it stands on the page.
#[derive(Debug, PartialEq)]
struct Parsed<'a> {
    kind: &'a str,
    help: Option<String>,
    /// By name of the sample and its labels.
    samples: BTreeMap<(&'a str, Labels), Number<'a>>,
}

fn parse(page: &str, is_open: bool) -> BTreeMap<&str, Parsed<'_>> {
    let mut families: BTreeMap<&str, Parsed<'_>> = BTreeMap::new();
    let page = if is_open { page.strip_suffix("# EOF\n").expect("the end is marked") } else { page };
    if page.is_empty() {
        return families;
    }
    let lines = page.strip_suffix('\n').expect("the last line ends as well");
    let mut help: Option<(&str, String)> = None;
    let mut current: Option<&str> = None;
    for line in lines.split('\n') {
        assert!(!line.is_empty(), "an empty line");
        if let Some(rest) = line.strip_prefix("# HELP ") {
            let (name, text) = rest.split_once(' ').expect("a name and a text");
            assert!(help.is_none(), "two texts for one family");
            let text = unescaped(text, is_open);
            if is_open {
                assert_eq!(current, Some(name), "a text of another family");
                let family = families.get_mut(name).expect("it was put there");
                assert!(family.samples.is_empty() && family.help.is_none(), "a text too late, or twice");
                family.help = Some(text);
            } else {
                help = Some((name, text));
            }
        } else if let Some(rest) = line.strip_prefix("# UNIT ").filter(|_| is_open) {
            let (name, unit) = rest.split_once(' ').expect("a name and a unit");
            assert_eq!(current, Some(name), "a unit of another family");
            assert!(name.strip_suffix(unit).is_some_and(|stem| stem.ends_with('_')), "{name} in {unit}");
            assert!(families[name].samples.is_empty() && families[name].help.is_none(), "a unit too late");
        } else if let Some(rest) = line.strip_prefix("# TYPE ") {
            let (name, kind) = rest.split_once(' ').expect("a name and a kind");
            assert!(is_metric_name(name), "{name:?}");
            assert!(suffixes(kind, is_open).is_some(), "{kind:?}");
            let help = help.take().map(|(of, text)| {
                assert_eq!(of, name, "a text of another family");
                text
            });
            let family = Parsed { kind, help, samples: BTreeMap::new() };
            assert!(families.insert(name, family).is_none(), "{name} stands twice");
            current = Some(name);
        } else {
            let family =
                families.get_mut(current.expect("a type comes before samples")).expect("it was put there");
            let (name, mut labels, number) = sample(line);
            let suffix =
                name.strip_prefix(current.unwrap_or_default()).expect("samples stand under their family");
            let suffixes = suffixes(family.kind, is_open).unwrap_or_default();
            assert!(suffixes.contains(&suffix), "{name} under {current:?}");
            let part = match (family.kind, suffix) {
                ("histogram", "_bucket") => labels.get_mut("le"),
                ("summary", "") => labels.get_mut("quantile"),
                _ => None,
            };
            if let Some(bound) = part {
                *bound = bound_of(bound, is_open);
            }
            assert!(family.samples.insert((name, labels), number).is_none(), "{line:?} stands twice");
            assert!(help.is_none(), "a text without a type");
        }
    }
    assert!(families.values().all(|family| !family.samples.is_empty()), "a family without samples");
    families
}

/// What the samples of such a family are called behind its name; `None` if there is no such type.
fn suffixes(kind: &str, is_open: bool) -> Option<&'static [&'static str]> {
    Some(match kind {
        "counter" if is_open => &["_total"],
        "counter" | "gauge" => &[""],
        "histogram" => &["_bucket", "_sum", "_count"],
        "summary" => &["", "_sum", "_count"],
        "unknown" if is_open => &[""],
        _ => return None,
    })
}

/// A bound as all formats have it. OpenMetrics wants to see that it is no whole number.
fn bound_of(text: &str, is_open: bool) -> String {
    assert!(!is_open || text.contains(['.', 'e', 'I']), "{text:?} is no bound");
    let bound: f64 = text.parse().expect("a bound is a number");
    assert!(is_open || text == double(bound), "{text:?}");
    double(bound)
}

/// `name{a="1",b="2"} 3`
fn sample(line: &str) -> (&str, Labels, Number<'_>) {
    let name_ends = line.find(['{', ' ']).expect("a name ends");
    let (name, mut rest) = line.split_at(name_ends);
    assert!(is_metric_name(name), "{name:?}");
    let mut labels = Labels::new();
    if let Some(inside) = rest.strip_prefix('{') {
        rest = inside;
        loop {
            let (label, value) = rest.split_once("=\"").expect("a label has a value");
            assert!(is_label_name(label), "{label:?}");
            let end = closing_quote(value).expect("the value ends");
            let (value, after) = value.split_at(end);
            assert!(
                labels.insert(label.to_owned(), unescaped(value, true)).is_none(),
                "{label} stands twice"
            );
            rest = &after[1..];
            match rest.split_at(1) {
                (",", more) => rest = more,
                ("}", more) => break rest = more,
                other => panic!("after a label: {other:?}"),
            }
        }
    }
    let number = rest.strip_prefix(' ').expect("a space before the number");
    assert!(["NaN", "+Inf", "-Inf"].contains(&number) || is_finite_number(number), "{number:?}");
    (name, labels, number)
}

fn is_finite_number(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit() || b"+-.e".contains(&byte))
        && text.parse::<f64>().is_ok_and(f64::is_finite)
}

fn is_metric_name(name: &str) -> bool {
    let first = |c: char| c.is_ascii_alphabetic() || c == '_' || c == ':';
    name.starts_with(first) && name.chars().all(|c| first(c) || c.is_ascii_digit())
}

/// Names that begin with two `_` are the server's own.
fn is_label_name(name: &str) -> bool {
    is_metric_name(name) && !name.contains(':') && !name.starts_with("__")
}

/// Where an unescaped quote stands first.
fn closing_quote(text: &str) -> Option<usize> {
    let mut escaped = false;
    text.char_indices().find_map(|(at, c)| {
        if !escaped && c == '"' {
            return Some(at);
        }
        escaped = !escaped && c == '\\';
        None
    })
}

fn unescaped(text: &str, quote: bool) -> String {
    let mut plain = String::new();
    let mut runes = text.chars();
    while let Some(rune) = runes.next() {
        plain.push(match rune {
            '\\' => match runes.next() {
                Some('\\') => '\\',
                Some('n') => '\n',
                Some('"') if quote => '"',
                other => panic!("no escape: {other:?} in {text:?}"),
            },
            rune => rune,
        });
    }
    plain
}

/// The labels that a series must have on a page, from the words of the specification.
fn spelled(set: &LabelSet, kind: Kind) -> Labels {
    let mut labels = Labels::new();
    for (key, value) in set.iter() {
        let mut name = String::new();
        for rune in key.chars() {
            let rune = if rune.is_ascii_alphanumeric() { rune } else { '_' };
            if rune != '_' || !name.ends_with('_') {
                name.push(rune);
            }
        }
        if name.starts_with(|first: char| first.is_ascii_digit()) {
            name = format!("key_{name}");
        }
        if matches!((kind, &*name), (Kind::Histogram, "le") | (Kind::Summary, "quantile")) {
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

/// A double in a label's value: as the page spells a sample of it, so that both are compared as text.
fn double(value: f64) -> String {
    if !value.is_finite() {
        let sign = if value > 0.0 { "+Inf" } else { "-Inf" };
        return if value.is_nan() { "NaN" } else { sign }.to_owned();
    }
    let page = GAUGE.with(|store| {
        store.scope(|| metercast::f64_gauge!("one", "", value));
        PrometheusPage::new("double", Log::default()).render(store)
    });
    let text = page.trim_end().rsplit(' ').next().expect("a number").to_owned();
    assert!(is_double(&text, value), "{text:?} is not {value:?}");
    text
}

thread_local! {
    static GAUGE: Store = Store::new();
}

fn is_double(text: &str, value: f64) -> bool {
    match text {
        "NaN" => value.is_nan(),
        "+Inf" => value == f64::INFINITY,
        "-Inf" => value == f64::NEG_INFINITY,
        text => text.parse::<f64>().is_ok_and(|read| read.to_bits() == value.to_bits()),
    }
}

/// The values of a family by the labels that its series have on a page. Series whose labels look the same there are
/// added up, but for exponential ones, which all are given; of gauges the first stays.
fn expected(family: &Family) -> BTreeMap<Labels, Vec<Point>> {
    let kind = family.definition.kind();
    let mut points: BTreeMap<Labels, Vec<Point>> = BTreeMap::new();
    for series in &family.series {
        let there = points.entry(spelled(&series.labels, kind)).or_default();
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
fn check_alone<'a>(name: &'a str, parsed: &Parsed<'a>, family: &Family, is_open: bool) {
    let definition = family.definition;
    let kind = match definition.kind() {
        // OpenMetrics has no counter without a name before the suffix.
        Kind::Counter if is_open && name == "_total" => "unknown",
        Kind::Counter => "counter",
        Kind::Histogram => "histogram",
        Kind::Summary => "summary",
        _ => "gauge",
    };
    assert_eq!(parsed.kind, kind);
    assert_eq!(parsed.help.as_deref().unwrap_or_default(), definition.description());
    assert!(kind != "counter" || is_open || name.ends_with("_total"), "{name}");
    let itself = if is_open && kind == "counter" { "_total" } else { "" };
    // OpenMetrics: what is like a counter is not negative.
    let is_total = |sum: f64| !is_open || sum >= 0.0;
    let mut samples = 0;
    for (labels, points) in expected(family) {
        let number = |suffix: &str, labels: &Labels| {
            let name = format!("{name}{suffix}");
            let found = parsed.samples.get(&(name.as_str(), labels.clone()));
            *found.unwrap_or_else(|| panic!("no sample {name} {labels:?}"))
        };
        match &points[0] {
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
                if !is_total(sum) {
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

fn page(store: &Store, format: PageFormat) -> String {
    let exporter = PrometheusPage::new("fuzzed", Log::to(|_, _| {}));
    let page = exporter.render_as(store, format);
    assert_eq!(exporter.render_as(store, format), page, "two pages of one store are the same bytes");
    page
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

fn is_own(name: &str) -> bool {
    name.starts_with("metercast.") || name.starts_with("metercast_")
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
    // The last byte, so that inputs mean what they meant before there were other formats.
    let (format, bytes) = bytes.split_last().map_or((0, bytes), |(last, rest)| (*last, rest));
    let format = PageFormat {
        format: [Format::Text0, Format::Text1, Format::OpenMetrics0, Format::OpenMetrics1]
            [usize::from(format % 4)],
        escaping: [Escaping::Underscores, Escaping::Dots, Escaping::Values, Escaping::AllowUtf8]
            [usize::from(format / 4 % 4)],
    };
    let is_open = matches!(format.format, Format::OpenMetrics0 | Format::OpenMetrics1);
    let Some(recorded) = stores(&mut Input::new(bytes)) else { return };
    let all = page(&recorded.all, format);
    let all = parse(&all, is_open);
    let families = families(&recorded.all);
    let pages: Vec<String> =
        families.iter().map(|family| page(&recorded.alone[family.definition.name()], format)).collect();
    let alone: Vec<_> = (pages.iter())
        .map(|page| {
            let mut parsed = parse(page, is_open);
            parsed.retain(|name, _| !is_own(name));
            assert_eq!(parsed.len(), 1, "one metric, one family");
            parsed.pop_first().expect("a family has a page")
        })
        .collect();
    let taken: Vec<_> = alone.iter().map(|(name, parsed)| names(name, parsed, is_open)).collect();
    for (at, (name, parsed)) in alone.iter().enumerate() {
        check_alone(name, parsed, &families[at], is_open);
        let collides =
            taken.iter().enumerate().any(|(other, names)| other != at && !names.is_disjoint(&taken[at]));
        if !collides {
            assert_eq!(all.get(name), Some(parsed), "{name} on the page of all");
        }
    }
});
