//! Pages in each format, read back.

use metercast_core::{ExemplarFilter, SpanContext, Store, metrics};
use metercast_core::{f64_counter, f64_counter_with_unit, f64_histogram, i64_gauge, u64_counter, u64_gauge};

use super::reader::{Page, read};
use super::{Lcg, filled};
use crate::export::prometheus::{Escaping, Format, PageFormat, PageOptions, PrometheusPage, Strategy};
use crate::log::Log;

metrics! {
    /// Temperatures.
    static COLD: Histogram<f64> = "formats.cold" { unit: "Cel", buckets: [-1.0, 0.0, 1.0] };
    /// Times.
    static TIME: Histogram<f64> = "formats.time" { unit: "s", buckets: [0.25, 1.0, 1e6] };
    /// Times.
    static WAIT: Summary<f64> = "formats.wait" { unit: "s", quantiles: [0.5, 1.0] };
    /// Sizes.
    static SIZE: Histogram<f64> = "formats.size" { unit: "By", exponential: true, labels: { route: &str } };
}

pub(super) const ESCAPINGS: [Escaping; 4] =
    [Escaping::Underscores, Escaping::Dots, Escaping::Values, Escaping::AllowUtf8];

pub(super) fn page(options: PageOptions) -> PrometheusPage {
    PrometheusPage::with("test", options, &[], Log::to(|_, _| {}))
}

pub(super) const OPEN: PageFormat =
    PageFormat { format: Format::OpenMetrics1, escaping: Escaping::Underscores };

fn read_as(page: &PrometheusPage, store: &Store, format: Format, escaping: Escaping) -> Page {
    let text = page.render_as(store, PageFormat { format, escaping });
    assert_eq!(text, page.render_as(store, PageFormat { format, escaping }), "the same twice");
    read(&text, matches!(format, Format::OpenMetrics0 | Format::OpenMetrics1))
}

#[test]
fn every_format_says_the_same() {
    let mut random = Lcg(11);
    let strategies = [
        Strategy::UnderscoreEscapingWithSuffixes,
        Strategy::UnderscoreEscapingWithoutSuffixes,
        Strategy::NoUtf8EscapingWithSuffixes,
        Strategy::NoTranslation,
    ];
    for times in [0, 5, 300] {
        let store = filled(&mut random, times);
        for strategy in strategies {
            let page = page(PageOptions::new().strategy(strategy));
            for escaping in ESCAPINGS {
                let text = read_as(&page, &store, Format::Text0, escaping);
                assert_eq!(text.samples, read_as(&page, &store, Format::Text1, escaping).samples);
                let open = read_as(&page, &store, Format::OpenMetrics1, escaping);
                assert_eq!(open.samples, read_as(&page, &store, Format::OpenMetrics0, escaping).samples);
                let number = |text: &str| text.replace("Inf", "inf").parse::<f64>().unwrap();
                assert_eq!(text.samples.len(), open.samples.len());
                for (text, open) in text.samples.iter().zip(&open.samples) {
                    assert_eq!((&text.0, &text.2), (&open.0, &open.2));
                    for ((name, value), (other, same)) in text.1.iter().zip(&open.1) {
                        // What is a bound is spelled as the format wants it.
                        let is_bound = matches!(&**name, "le" | "quantile");
                        assert!(
                            name == other && (value == same || is_bound && number(value) == number(same))
                        );
                    }
                }
            }
        }
    }
}

#[test]
fn openmetrics_has_its_own_words() {
    let store = Store::new();
    store.scope(|| {
        f64_counter_with_unit!("formats.busy", "Time \"at\"\nwork\\", "s", 1.5, "w" => "a");
        i64_gauge!("formats.level", "", -3);
        TIME.record(0.25);
        TIME.record(2e6);
        WAIT.record(0.5);
    });
    assert_eq!(
        page(PageOptions::new()).render_as(&store, OPEN),
        r#"# TYPE formats_busy_seconds counter
# UNIT formats_busy_seconds seconds
# HELP formats_busy_seconds Time \"at\"\nwork\\
formats_busy_seconds_total{w="a"} 1.5
# TYPE formats_level gauge
formats_level -3
# TYPE formats_time_seconds histogram
# UNIT formats_time_seconds seconds
# HELP formats_time_seconds Times.
formats_time_seconds_bucket{le="0.25"} 1
formats_time_seconds_bucket{le="1.0"} 1
formats_time_seconds_bucket{le="1e+06"} 1
formats_time_seconds_bucket{le="+Inf"} 2
formats_time_seconds_sum 2000000.25
formats_time_seconds_count 2
# TYPE formats_wait_seconds summary
# UNIT formats_wait_seconds seconds
# HELP formats_wait_seconds Times.
formats_wait_seconds{quantile="0.5"} 0.5
formats_wait_seconds{quantile="1.0"} 0.5
formats_wait_seconds_sum 0.5
formats_wait_seconds_count 1
# EOF
"#
    );
}

#[test]
fn an_empty_store_has_a_page_too() {
    let (store, page) = (Store::new(), page(PageOptions::new()));
    assert_eq!(page.render(&store), "");
    assert_eq!(page.render_as(&store, OPEN), "# EOF\n");
}

#[test]
fn openmetrics_shows_no_sum_that_is_like_no_counter() {
    let store = Store::new();
    store.scope(|| {
        COLD.record(2.0);
        f64_histogram!("formats.below", "", -3.0);
        WAIT.record(-0.5);
    });
    let page = page(PageOptions::new());
    let samples = |format| {
        let read = read_as(&page, &store, format, Escaping::Underscores);
        let names = read.samples.into_iter().map(|(name, ..)| name).filter(|name| !name.ends_with("_bucket"));
        names.collect::<Vec<_>>()
    };
    assert_eq!(samples(Format::OpenMetrics1), ["formats_wait_seconds_count"]);
    let all = [
        "formats_below_sum",
        "formats_below_count",
        "formats_cold_celsius_sum",
        "formats_cold_celsius_count",
        "formats_wait_seconds",
        "formats_wait_seconds",
        "formats_wait_seconds_sum",
        "formats_wait_seconds_count",
    ];
    assert_eq!(samples(Format::Text0), all);
}

#[test]
fn exemplars_stand_on_counters_and_in_the_buckets_of_their_values() {
    let store = Store::new();
    store.take_exemplars(|| Some(SpanContext::new([0xab; 16], [0x01; 8])));
    store.scope(|| {
        u64_counter!("formats.orders", "", 3, "n" => 1.to_string());
        TIME.record(0.5);
        SIZE.record(3.0, ("a",));
        u64_gauge!("formats.level", "", 3);
    });
    let without_time = |page: String| -> Vec<String> {
        let lines = page.lines().filter(|line| line.contains(" # "));
        lines.map(|line| line.rsplit_once(' ').unwrap().0.to_owned()).collect()
    };
    let span = "trace_id=\"abababababababababababababababab\",span_id=\"0101010101010101\"";
    assert_eq!(
        without_time(page(PageOptions::new()).render_as(&store, OPEN)),
        [
            format!("formats_orders_total{{n=\"1\"}} 3 # {{{span}}} 3"),
            format!("formats_size_bytes_bucket{{route=\"a\",le=\"4.0\"}} 1 # {{{span}}} 3"),
            format!("formats_time_seconds_bucket{{le=\"1.0\"}} 1 # {{{span}}} 0.5"),
        ]
    );
    let no_lines: [String; 0] = [];
    assert_eq!(without_time(page(PageOptions::new()).render(&store)), no_lines);
    assert_eq!(without_time(page(PageOptions::new().exemplars(false)).render_as(&store, OPEN)), no_lines);
}

#[test]
fn exponential_buckets_of_negative_values_have_neither_sum_nor_count_in_openmetrics() {
    metrics! {
        /// Exponential.
        static CHANGES: Histogram<f64> = "formats.changes" { exponential: true, labels: { of: &str } };
    }
    let store = Store::new();
    store.scope(|| {
        // The sum is positive, and yet no counter: a value took from it.
        [-2.0, 4.0].iter().for_each(|value| CHANGES.record(*value, ("both",)));
        CHANGES.record(4.0, ("above",));
    });
    let ends = |format| {
        let page = page(PageOptions::new()).render_as(&store, format);
        let lines = page.lines().filter(|line| line.contains("_sum{") || line.contains("_count{"));
        lines.map(str::to_owned).collect::<Vec<_>>()
    };
    let above = ["formats_changes_sum{of=\"above\"} 4", "formats_changes_count{of=\"above\"} 1"];
    let both = ["formats_changes_sum{of=\"both\"} 2", "formats_changes_count{of=\"both\"} 2"];
    assert_eq!(ends(OPEN), above);
    assert_eq!(ends(PageFormat::default()), [both, above].concat());
}

#[test]
fn an_exemplar_without_a_span_has_no_labels() {
    let store = Store::new();
    store.set_exemplars(ExemplarFilter::AlwaysOn);
    store.scope(|| {
        u64_counter!("formats.orders", "", 3, "n" => 1.to_string());
        TIME.record(0.5);
    });
    let page = page(PageOptions::new()).render_as(&store, OPEN);
    for begin in
        ["formats_orders_total{n=\"1\"} 3 # {} 3 ", "formats_time_seconds_bucket{le=\"1.0\"} 1 # {} 0.5 "]
    {
        assert!(page.lines().any(|line| line.starts_with(begin)), "{begin} in {page}");
    }
}

#[test]
fn a_series_says_when_it_began_if_asked() {
    let store = Store::new();
    store.scope(|| {
        u64_counter!("formats.orders", "", 3, "side" => "buy".to_owned());
        u64_gauge!("formats.level", "", 3);
        TIME.record(0.5);
        WAIT.record(0.5);
    });
    let page = page(PageOptions::new().created(true));
    let created = |text: String| -> Vec<String> {
        let lines = text.lines().filter(|line| line.contains("_created"));
        lines.map(|line| line.rsplit_once(' ').unwrap().0.to_owned()).collect()
    };
    assert_eq!(
        created(page.render_as(&store, OPEN)),
        [
            "formats_orders_created{side=\"buy\"}",
            "formats_time_seconds_created",
            "formats_wait_seconds_created"
        ]
    );
    let read = read_as(&page, &store, Format::OpenMetrics1, Escaping::Underscores);
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs_f64();
    let times = read.samples.iter().filter(|(name, ..)| name.ends_with("_created"));
    assert!(times.clone().all(|(_, _, time)| (now - time.parse::<f64>().unwrap()).abs() < 3600.0));
    assert!(!page.render(&store).contains("_created"));
}

#[test]
fn names_that_are_not_legal_are_escaped_or_quoted_as_the_scraper_asks() {
    let store = Store::new();
    store.scope(|| u64_counter!("formats.a_b", "Help", 1, "c.d" => "e", "f" => "g"));
    let page = page(PageOptions::new().strategy(Strategy::NoUtf8EscapingWithSuffixes));
    let last = |format, escaping| {
        let page = page.render_as(&store, PageFormat { format, escaping });
        page.lines().map(str::to_owned).collect::<Vec<_>>()
    };
    for (escaping, name, label) in [
        (Escaping::Underscores, "formats_a_b", "c_d"),
        (Escaping::Dots, "formats_dot_a__b_", "c_dot_d"),
        (Escaping::Values, "U__formats_2e_a__b_", "U__c_2e_d"),
    ] {
        let sample = format!("{name}_total{{{label}=\"e\",f=\"g\"}} 1");
        assert_eq!(
            last(Format::Text0, escaping)[1..],
            [format!("# TYPE {name}_total counter"), sample.clone()]
        );
        assert_eq!(last(Format::OpenMetrics1, escaping)[2..], [sample, "# EOF".to_owned()]);
    }
    assert_eq!(
        last(Format::Text1, Escaping::AllowUtf8),
        [
            r#"# HELP "formats.a_b_total" Help"#,
            r#"# TYPE "formats.a_b_total" counter"#,
            r#"{"formats.a_b_total","c.d"="e",f="g"} 1"#
        ]
    );
    assert_eq!(
        last(Format::OpenMetrics1, Escaping::AllowUtf8),
        [
            r#"# TYPE "formats.a_b" counter"#,
            r#"# HELP "formats.a_b" Help"#,
            r#"{"formats.a_b_total","c.d"="e",f="g"} 1"#,
            "# EOF"
        ]
    );
}

#[test]
fn an_exponential_histogram_has_the_same_buckets_in_all_its_series() {
    let store = Store::new();
    store.scope(|| {
        [0.0, 3.0, 4.0].iter().for_each(|size| SIZE.record(*size, ("a",)));
        SIZE.record(10.0, ("b",));
    });
    let bucket = |route: &str, counts: [u64; 7]| {
        let bounds = ["0", "2", "4", "8", "16", "+Inf"];
        let line = |(bound, count)| {
            format!("formats_size_bytes_bucket{{route=\"{route}\",le=\"{bound}\"}} {count}\n")
        };
        let lines: String = bounds.iter().zip(counts).map(line).collect();
        let of = |suffix: &str| format!("formats_size_bytes_{suffix}{{route=\"{route}\"}}");
        format!("{lines}{} {}\n{} {}\n", of("sum"), counts[6], of("count"), counts[5])
    };
    let page = page(PageOptions::new()).render(&store);
    let header = "# HELP formats_size_bytes Sizes.\n# TYPE formats_size_bytes histogram\n";
    assert_eq!(
        page,
        header.to_owned() + &bucket("a", [1, 1, 3, 3, 3, 3, 7]) + &bucket("b", [0, 0, 0, 0, 1, 1, 10])
    );
}

#[test]
fn a_counter_beyond_all_numbers_stays_valid() {
    let store = Store::new();
    store.scope(|| (0..3).for_each(|_| f64_counter!("formats.huge", "", f64::MAX)));
    let read = read_as(&page(PageOptions::new()), &store, Format::OpenMetrics1, Escaping::Underscores);
    assert_eq!(read.samples, [("formats_huge_total".to_owned(), vec![], "+Inf".to_owned())]);
}

#[test]
fn hostile_labels_units_and_descriptions_come_back() {
    use metercast_core::__private::{Adhoc, Descriptor, Scope};
    use metercast_core::{KeyValue, Kind, NumberType};
    let texts = [
        "\"",
        "\\",
        "\n",
        "a\\n\nb\\",
        "\0",
        "é🦀",
        "{}",
        "le",
        "quantile",
        "a=\"b\",c=\"d\"",
        "# EOF",
        "\r\n",
        "9",
        ":",
        "a/b",
        "_",
        "%",
        "m^3",
        "\"} 1\nx{a=\"",
        "__name__",
        "s",
        "1",
    ];
    let kinds = [Kind::Counter, Kind::Gauge, Kind::Histogram, Kind::Summary];
    let store = Store::new();
    store.scope(|| {
        for (at, text) in texts.iter().enumerate() {
            for kind in kinds {
                let name: &'static str = Box::leak(format!("hostile.{at}.{kind}").into());
                let scope = Scope::new("\"\n\\", "");
                let descriptor = Descriptor::new(name, kind, NumberType::F64, scope, "tests.rs", 1);
                let descriptor = descriptor.description(text).unit(text);
                let site: &Adhoc = Box::leak(Box::new(Adhoc::new(Box::leak(Box::new(descriptor)))));
                let labels = [KeyValue::new(*text, *text), KeyValue::new("other", at)];
                match kind {
                    Kind::Counter => site.add::<f64>(0.5, &labels[..]),
                    Kind::Gauge => site.set::<f64>(0.5, &labels[..]),
                    _ => site.record::<f64>(0.5, &labels[..]),
                }
            }
        }
    });
    for strategy in [
        Strategy::UnderscoreEscapingWithSuffixes,
        Strategy::UnderscoreEscapingWithoutSuffixes,
        Strategy::NoUtf8EscapingWithSuffixes,
        Strategy::NoTranslation,
    ] {
        let page = page(PageOptions::new().strategy(strategy).scope_labels(true).created(true));
        for escaping in ESCAPINGS {
            for format in [Format::Text1, Format::OpenMetrics1] {
                let read = read_as(&page, &store, format, escaping);
                if (strategy, escaping) != (Strategy::NoTranslation, Escaping::AllowUtf8) {
                    continue;
                }
                for (at, text) in texts.iter().enumerate() {
                    let name = format!("hostile.{at}.gauge");
                    let sample = read.samples.iter().find(|(sample, ..)| *sample == name).unwrap();
                    let key = if *text == "__name__" { "exported___name__" } else { text };
                    assert!(sample.1.contains(&(key.to_owned(), (*text).to_owned())), "{sample:?}");
                    let help = text.trim_ascii();
                    let family = &read.families[&name];
                    assert_eq!(family.help.as_deref(), (!help.is_empty()).then_some(help));
                }
            }
        }
    }
}
