//! What prost reads of pages, beside pages in text and what was recorded.

mod messages;

use std::time::{Duration, UNIX_EPOCH};

use metercast_core::{ExemplarFilter, SpanContext, Store, Value, metrics};
use metercast_core::{f64_gauge, f64_histogram, i64_gauge, u64_counter, u64_counter_with_unit, u64_gauge};

use self::messages::{Histogram, Metric, MetricFamily, MetricType, Timestamp, decode};
use super::super::labels::begin;
use super::super::number::Spelling;
use super::super::page::tests::{Lcg, filled};
use super::super::{Escaping, Format, PageFormat, PageOptions, PrometheusPage, ResourceLabels, Strategy};
use crate::log::Log;

metrics! {
    /// Sizes.
    static SIZES: Histogram<f64> = "protobuf.sizes" { exponential: true, labels: { of: &str } };
    /// Sizes in several words.
    static ALIKE: Histogram<f64> = "protobuf.alike" { exponential: true, labels: { a: Option<&str>, b: Option<&str> } };
    /// Waits.
    static WAITS: Summary<f64> = "protobuf.waits" { quantiles: [0.5] };
    /// Calls.
    static CALLS: Counter<u64> = "protobuf.calls" { labels: { of: &str } };
    /// Times.
    static TIMES: Histogram<f64> = "protobuf.times" { buckets: [1, 2], labels: { of: &str } };
}

const UTF8: PageFormat = PageFormat { format: Format::Protobuf, escaping: Escaping::AllowUtf8 };

fn page_with(options: PageOptions) -> PrometheusPage {
    let resource = [("service.name".to_owned(), Value::from("orders")), ("b c".to_owned(), Value::from(1))];
    PrometheusPage::with("test", options, &resource, Log::to(|_, _| {}))
}

fn page() -> PrometheusPage {
    page_with(PageOptions::new())
}

fn bytes(page: &PrometheusPage, store: &Store, format: PageFormat) -> Vec<u8> {
    let mut bytes = Vec::new();
    page.write_as(store, format, &mut |chunk| {
        assert!((1..=16 * 1024).contains(&chunk.len()), "{}", chunk.len());
        bytes.extend_from_slice(chunk);
    });
    bytes
}

fn families(page: &PrometheusPage, store: &Store) -> Vec<MetricFamily> {
    decode(&bytes(page, store, UTF8))
}

/// A page as the lines that text has for it, its numbers as doubles.
fn lines_of(families: &[MetricFamily]) -> Vec<String> {
    let mut lines = Vec::new();
    for family in families {
        let kind = MetricType::try_from(family.kind.expect("the type is always there")).unwrap();
        let name = family.name.as_ref().unwrap();
        lines
            .push(format!("{kind:?} {name} {:?}", family.help.as_deref().unwrap_or_default()).to_lowercase());
        for metric in &family.metrics {
            lines.extend(samples_of(name, kind, metric));
        }
    }
    lines
}

fn samples_of(name: &str, kind: MetricType, metric: &Metric) -> Vec<String> {
    let labels: Vec<(&str, &str)> = metric
        .labels
        .iter()
        .map(|pair| (pair.name.as_deref().unwrap(), pair.value.as_deref().unwrap()))
        .collect();
    assert!(labels.iter().all(|(name, value)| !name.is_empty() && !value.is_empty()), "{labels:?}");
    let sample = |suffix: &str, further: Option<(&str, f64)>, value: f64| {
        let bound = further.map(|(name, bound)| (name, Spelling::Shortest.bound(bound)));
        let bound = bound.as_ref().map(|(name, bound)| (*name, &**bound));
        let spelled = |(name, value): &(&str, &str)| {
            let value = value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
            format!("{}=\"{value}\"", super::super::escape::Of::Label.spelled(name))
        };
        let all: Vec<String> = labels.iter().chain(&bound).map(spelled).collect();
        let [_, begin] = begin(&format!("{name}{suffix}"), &all.join(","));
        format!("{begin}{value:?}")
    };
    let which = [
        (MetricType::Gauge, metric.gauge.is_some()),
        (MetricType::Counter, metric.counter.is_some()),
        (MetricType::Summary, metric.summary.is_some()),
        (MetricType::Untyped, metric.untyped.is_some()),
        (MetricType::Histogram, metric.histogram.is_some()),
    ];
    assert_eq!(which.iter().filter(|(_, is)| *is).map(|(kind, _)| *kind).collect::<Vec<_>>(), [kind]);
    assert_eq!(metric.timestamp_ms, None);
    if let Some(histogram) = &metric.histogram {
        let mut samples: Vec<String> = histogram
            .buckets
            .iter()
            .map(|bucket| (bucket.upper_bound.unwrap(), bucket.cumulative_count.unwrap()))
            .map(|(bound, count)| sample("_bucket", Some(("le", bound)), count as f64))
            .collect();
        assert_eq!(histogram.buckets.last().unwrap().cumulative_count, histogram.count);
        samples.push(sample("_sum", None, histogram.sum.unwrap()));
        samples.push(sample("_count", None, histogram.count.unwrap() as f64));
        return samples;
    }
    if let Some(summary) = &metric.summary {
        let quantile =
            |it: &messages::Quantile| sample("", Some(("quantile", it.quantile.unwrap())), it.value.unwrap());
        let mut samples: Vec<String> = summary.quantiles.iter().map(quantile).collect();
        samples.push(sample("_sum", None, summary.sum.unwrap()));
        samples.push(sample("_count", None, summary.count.unwrap() as f64));
        return samples;
    }
    let number = metric.counter.as_ref().map(|counter| counter.value.unwrap());
    let number = number.or(metric.gauge.as_ref().or(metric.untyped.as_ref()).map(|it| it.value.unwrap()));
    vec![sample("", None, number.unwrap())]
}

/// A page in text as such lines.
fn lines_in(text: &str) -> Vec<String> {
    let mut lines = Vec::new();
    let mut help = String::new();
    for line in text.lines() {
        let unquoted = |name: &str| {
            name.strip_prefix('"').and_then(|name| name.strip_suffix('"')).unwrap_or(name).to_owned()
        };
        if let Some(said) = line.strip_prefix("# HELP ") {
            let at = match said.strip_prefix('"') {
                Some(quoted) => quoted.find('"').unwrap() + 2,
                None => said.find(' ').unwrap(),
            };
            help = said[at + 1..].replace("\\n", "\n").replace("\\\\", "\\");
        } else if let Some(said) = line.strip_prefix("# TYPE ") {
            let (name, kind) = said.rsplit_once(' ').unwrap();
            lines.push(format!("{kind} {} {:?}", unquoted(name), std::mem::take(&mut help)).to_lowercase());
        } else {
            let (begin, value) = line.rsplit_once(' ').unwrap();
            lines.push(format!("{begin} {:?}", value.parse::<f64>().unwrap()));
        }
    }
    lines
}

fn assert_same(got: &[String], expected: &[String]) {
    for (at, (got, expected)) in got.iter().zip(expected).enumerate() {
        assert_eq!(got, expected, "line {at}");
    }
    assert_eq!(got.len(), expected.len());
}

#[test]
fn a_page_says_what_the_page_in_text_says() {
    let strategies = [
        Strategy::UnderscoreEscapingWithSuffixes,
        Strategy::UnderscoreEscapingWithoutSuffixes,
        Strategy::NoUtf8EscapingWithSuffixes,
        Strategy::NoTranslation,
    ];
    let escapings = [Escaping::Underscores, Escaping::Dots, Escaping::Values, Escaping::AllowUtf8];
    let mut random = Lcg(7);
    for (at, strategy) in strategies.into_iter().cycle().take(12).enumerate() {
        let options = PageOptions::new()
            .strategy(strategy)
            .scope_labels(at % 2 == 1)
            .target_info(at % 3 == 1)
            .resource_labels(if at % 5 == 2 { ResourceLabels::All } else { ResourceLabels::None });
        let page = page_with(options);
        for times in [0, 1, 30, 1000] {
            let store = filled(&mut random, times);
            for escaping in escapings {
                let text = page.render_as(&store, PageFormat { format: Format::Text1, escaping });
                let got = bytes(&page, &store, PageFormat { format: Format::Protobuf, escaping });
                assert_same(&lines_of(&decode(&got)), &lines_in(&text));
                assert!(got == bytes(&page, &store, PageFormat { format: Format::Protobuf, escaping }));
            }
        }
    }
}

#[test]
fn names_stand_as_they_are_and_are_not_quoted() {
    let store = Store::new();
    store.scope(|| u64_counter_with_unit!("jobs.done", "Jobs", "s", 3, "a.b" => "x\"\\\n"));
    let page = page_with(PageOptions::new().strategy(Strategy::NoUtf8EscapingWithSuffixes));
    let [family] = &families(&page, &store)[..] else { panic!("one family") };
    assert_eq!(family.name.as_deref(), Some("jobs.done_seconds_total"));
    assert_eq!((family.help.as_deref(), family.unit.as_deref()), (Some("Jobs"), Some("seconds")));
    let [label] = &family.metrics[0].labels[..] else { panic!("one label") };
    assert_eq!((label.name.as_deref(), label.value.as_deref()), (Some("a.b"), Some("x\"\\\n")));
    let dots = bytes(&page, &store, PageFormat { escaping: Escaping::Dots, ..UTF8 });
    assert_eq!(decode(&dots)[0].name.as_deref(), Some("jobs_dot_done__seconds__total"));
}

#[test]
fn a_unit_that_the_name_does_not_end_with_is_not_said() {
    let store = Store::new();
    store.scope(|| u64_counter_with_unit!("seconds", "", "s", 3));
    let page = page_with(PageOptions::new().strategy(Strategy::UnderscoreEscapingWithoutSuffixes));
    assert_eq!(families(&page, &store)[0].unit, None);
    assert_eq!(
        families(&self::page(), &store)[0].unit,
        None,
        "Prometheus takes no unit that is the whole name"
    );
}

/// The native buckets by their indexes.
fn native(spans: &[messages::BucketSpan], deltas: &[i64]) -> Vec<(i64, i64)> {
    let (mut index, mut count, mut buckets) = (0, 0, Vec::new());
    let mut deltas = deltas.iter();
    for span in spans {
        index += i64::from(span.offset.unwrap());
        for _ in 0..span.length.unwrap() {
            count += deltas.next().expect("a delta for each bucket");
            buckets.extend(Some((index, count)).filter(|_| count != 0));
            index += 1;
        }
    }
    assert_eq!(deltas.next(), None);
    buckets
}

/// The buckets for these values: Prometheus' bucket ends at `2^(index / 2^schema)`.
fn buckets_of(values: impl Iterator<Item = f64>, schema: i32) -> Vec<(i64, i64)> {
    let mut buckets = std::collections::BTreeMap::new();
    for value in values {
        *buckets.entry((value.log2() * f64::from(schema).exp2()).ceil() as i64).or_insert(0) += 1;
    }
    buckets.into_iter().collect()
}

fn assert_holds(histogram: &Histogram, values: &[f64]) {
    let schema = histogram.schema.expect("native buckets");
    assert!((-4..=8).contains(&schema), "{schema}");
    let positive = native(&histogram.positive_spans, &histogram.positive_deltas);
    let negative = native(&histogram.negative_spans, &histogram.negative_deltas);
    let of = |sign: f64| values.iter().filter(move |value| *value * sign > 0.0).map(|value| value.abs());
    assert_eq!(positive, buckets_of(of(1.0), schema), "schema {schema}");
    assert_eq!(negative, buckets_of(of(-1.0), schema), "schema {schema}");
    let zeros = values.iter().filter(|value| **value == 0.0).count() as u64;
    assert_eq!((histogram.zero_count, histogram.zero_threshold), (Some(zeros), Some(1e-128)));
    assert_eq!(histogram.count, Some(values.len() as u64));
    assert!((histogram.sum.unwrap() - values.iter().sum::<f64>()).abs() < 1e-6);
    let last = histogram.buckets.last().expect("classic buckets beside");
    assert_eq!((last.upper_bound, last.cumulative_count), (Some(f64::INFINITY), Some(values.len() as u64)));
}

fn histograms(family: &MetricFamily) -> Vec<&Histogram> {
    family.metrics.iter().map(|metric| metric.histogram.as_ref().expect("a histogram")).collect()
}

#[test]
fn exponential_histograms_have_native_buckets_for_each_value() {
    let mut random = Lcg(3);
    let spread = |random: &mut Lcg, powers: u64| {
        let power = random.below(powers) as f64 - powers as f64 / 2.0;
        power.exp2() * (1.0 + (random.below(1 << 20) as f64 + 0.5) / f64::from(1 << 20))
    };
    // Scales above the finest schema, between, and as coarse as there are.
    for (count, powers) in [(1, 1), (5, 1), (40, 2), (100, 8), (300, 60), (300, 1000)] {
        let mut values: Vec<f64> = (0..count).map(|_| spread(&mut random, powers)).collect();
        values.extend([0.0, 0.0]);
        values.extend((0..count / 4).map(|_| -spread(&mut random, powers)));
        let store = Store::new();
        store.scope(|| values.iter().for_each(|value| SIZES.record(*value, ("x",))));
        let families = families(&page(), &store);
        let [histogram] = histograms(&families[0])[..] else { panic!("one series") };
        assert_holds(histogram, &values);
    }
}

#[test]
fn values_on_a_bound_belong_to_the_bucket_that_ends_there() {
    let store = Store::new();
    store.scope(|| [0.25, 1.0, 2.0, 4.0, 1024.0, -8.0].iter().for_each(|value| SIZES.record(*value, ("x",))));
    let families = families(&page(), &store);
    let histogram = histograms(&families[0])[0];
    let each = 1i64 << histogram.schema.unwrap();
    let positive = native(&histogram.positive_spans, &histogram.positive_deltas);
    assert_eq!(positive, [-2, 0, 1, 2, 10].map(|power| (power * each, 1)));
    assert_eq!(native(&histogram.negative_spans, &histogram.negative_deltas), [(3 * each, 1)]);
}

#[test]
fn the_least_and_the_greatest_value_fit_the_coarsest_schema() {
    let store = Store::new();
    let values = [f64::MAX, 1e-300, -f64::MAX, -1.5];
    store.scope(|| values.iter().for_each(|value| SIZES.record(*value, ("x",))));
    let families = families(&page(), &store);
    let histogram = histograms(&families[0])[0];
    assert_eq!(histogram.schema, Some(-4));
    let positive = native(&histogram.positive_spans, &histogram.positive_deltas);
    assert_eq!(positive, [(-62, 1), (64, 1)]);
    assert_eq!(native(&histogram.negative_spans, &histogram.negative_deltas), [(1, 1), (64, 1)]);
}

#[test]
fn a_histogram_without_values_is_known_to_be_native_by_a_span_of_none() {
    let store = Store::new();
    store.scope(|| SIZES.bind(("x",)));
    let families = families(&page(), &store);
    let [histogram] = histograms(&families[0])[..] else { panic!("{families:?}") };
    let [span] = &histogram.positive_spans[..] else { panic!("{histogram:?}") };
    assert_eq!((span.offset, span.length), (Some(0), Some(0)));
    assert_eq!((histogram.count, histogram.zero_count), (Some(0), Some(0)));
    assert!(histogram.negative_spans.is_empty() && histogram.positive_deltas.is_empty());
}

#[test]
fn histograms_whose_labels_look_the_same_are_added_up_in_native_buckets_too() {
    let store = Store::new();
    let (one, two) = ([0.3, 0.0, 7.5, -2.5], [1e9, 0.31, 0.0]);
    store.scope(|| {
        one.iter().for_each(|value| ALIKE.record(*value, (Some("x"), None)));
        two.iter().for_each(|value| ALIKE.record(*value, (Some("x"), Some(""))));
    });
    let families = families(&page(), &store);
    let [histogram] = histograms(&families[0])[..] else { panic!("{families:?}") };
    assert_holds(histogram, &[&one[..], &two].concat());
}

#[test]
fn exemplars_and_starts_have_their_times() {
    let store = Store::new();
    store.take_exemplars(|| Some(SpanContext::new([0x1f; 16], [0xa0; 8])));
    store.scope(|| {
        CALLS.add(2, ("x",));
        [0.5, 1.5, 1.75, 9.0].iter().for_each(|value| TIMES.record(*value, ("x",)));
        SIZES.record(3.0, ("x",));
        WAITS.record(1.0);
    });
    let page = page_with(PageOptions::new().created(true));
    let families = families(&page, &store);
    let of = |name: &str| {
        let family = families.iter().find(|family| family.name.as_deref() == Some(name));
        &family.unwrap_or_else(|| panic!("{name} of {families:?}")).metrics[0]
    };
    let check = |exemplar: &messages::Exemplar| {
        let labels: Vec<_> = exemplar
            .labels
            .iter()
            .map(|pair| (pair.name.clone().unwrap(), pair.value.clone().unwrap()))
            .collect();
        let [(trace, of_trace), (span, of_span)] = &labels[..] else { panic!("{labels:?}") };
        assert_eq!((&**trace, &**span), ("trace_id", "span_id"));
        assert_eq!((of_trace, of_span), (&"1f".repeat(16), &"a0".repeat(8)));
        recent(exemplar.time.as_ref());
        exemplar.value.unwrap()
    };
    let counter = of("protobuf_calls_total").counter.as_ref().unwrap();
    assert_eq!(check(counter.exemplar.as_ref().unwrap()), 2.0);
    recent(counter.start.as_ref());
    let times = of("protobuf_times").histogram.as_ref().unwrap();
    let values: Vec<f64> =
        times.buckets.iter().map(|bucket| check(bucket.exemplar.as_ref().unwrap())).collect();
    assert_eq!(values, [0.5, 1.75, 9.0]);
    assert!(times.exemplars.is_empty(), "those are for native buckets");
    recent(times.start.as_ref());
    let sizes = of("protobuf_sizes").histogram.as_ref().unwrap();
    assert_eq!(sizes.exemplars.iter().map(check).collect::<Vec<_>>(), [3.0]);
    recent(sizes.start.as_ref());
    recent(of("protobuf_waits").summary.as_ref().unwrap().start.as_ref());
    let without = decode(&bytes(&page_with(PageOptions::new().exemplars(false)), &store, UTF8));
    let counter = without.iter().find_map(|family| family.metrics[0].counter.as_ref()).unwrap();
    assert_eq!((&counter.exemplar, &counter.start), (&None, &None));
}

#[test]
fn an_exemplar_without_a_span_has_a_value_and_a_time() {
    let store = Store::new();
    store.set_exemplars(ExemplarFilter::AlwaysOn);
    store.scope(|| CALLS.add(2, ("x",)));
    let families = families(&page_with(PageOptions::new()), &store);
    let exemplar = families[0].metrics[0].counter.as_ref().unwrap().exemplar.as_ref().unwrap();
    assert_eq!((exemplar.labels.len(), exemplar.value), (0, Some(2.0)));
    recent(exemplar.time.as_ref());
}

fn recent(time: Option<&Timestamp>) {
    let time = time.expect("a time");
    let since = Duration::new(time.seconds as u64, time.nanos as u32);
    let ago = UNIX_EPOCH.elapsed().unwrap().checked_sub(since).expect("a time in the past");
    assert!(ago < Duration::from_secs(600), "{ago:?}");
}

#[test]
fn numbers_are_doubles_whatever_they_were() {
    let store = Store::new();
    store.scope(|| {
        u64_gauge!("a", "", u64::MAX);
        i64_gauge!("b", "", i64::MIN);
        f64_gauge!("c", "", -0.0);
        u64_counter!("d", "", 0);
        f64_histogram!("e", "", 1e300);
    });
    let families = families(&page(), &store);
    let gauge = |at: usize| families[at].metrics[0].gauge.as_ref().and_then(|gauge| gauge.value).unwrap();
    assert_eq!((gauge(0), gauge(1)), (u64::MAX as f64, i64::MIN as f64));
    assert_eq!(gauge(2).to_bits(), (-0.0f64).to_bits());
    // Zero is said too.
    assert_eq!(families[3].metrics[0].counter.as_ref().and_then(|counter| counter.value), Some(0.0));
    assert_eq!(families[4].metrics[0].histogram.as_ref().and_then(|it| it.sum), Some(1e300));
}

#[test]
fn a_sink_that_panics_leaves_nothing_behind() {
    let store = filled(&mut Lcg(5), 300);
    let page = page();
    let expected = bytes(&page, &store, UTF8);
    let broken = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        page.write_as(&store, UTF8, &mut |_| panic!("no"));
    }));
    assert!(broken.is_err());
    assert!(bytes(&page, &store, UTF8) == expected);
}
