//! The catalogue of this very test: everything that its text declares or names is in it, used or not.
#![forbid(unsafe_code)]

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use metercast::catalogue::{Buckets, Catalogue, Metric, Values};
use metercast::{
    Instrument, KeyValue, Kind, NumberType, Store, Visibility, assert_catalogue, f64_histogram_with_unit,
    frequency, labels, metrics, u64_counter, u64_counter_with_unit, u64_gauge,
};

labels! {
    /// The side of an order.
    enum Side { Buy, SellShort = "short" }
    one_of Venue { "xetra", "lse" } else "elsewhere"
    range Status { 100..=199, 400..=599 } else "invalid"
    pattern Tenant { "a-z0-9-", 1..=32 } else "unknown"
}

const BOUNDS: [f64; 3] = [0.5, 1.0, 2.5];

metrics! {
    /// Orders accepted,
    /// by everything that a label can be.
    ///
    /// A second paragraph.
    static EVERY_LABEL: Counter<u64> = "noted.every_label" {
        unit: "{order}",
        labels: {
            side: Side, venue: Venue, status: Status, tenant: Tenant, dark: bool, "order.id": u32, region: &str, desk: Option<Venue>
        }
    };
    /// Of a private kind.
    static PRIVATE: UpDownCounter<f64> = "noted.private" { visibility: private };
    /// With bounds of a constant.
    static BOUNDED: Histogram<f64> = "noted.bounded" { unit: "s", buckets: BOUNDS };
    /// With those of its unit.
    static BY_UNIT: Histogram<u64> = "noted.by_unit" { unit: "ms" };
    /// With none.
    static EXPONENTIAL: Histogram<f64> = "noted.exponential" { exponential: true };
    /// With quantiles.
    static QUANTILES: Summary<f64> = "noted.quantiles" { quantiles: [0.5, 0.99], window_seconds: 300 };
    /// With the usual ones.
    static USUAL: Summary<u64> = "noted.usual";
    /// Asked for.
    static ASKED: ObservableGauge<i64> = "noted.asked";
    /// Replaced as a whole.
    static SET: GaugeSet<f64> = "noted.set" { labels: { tenant: &str } };
    /// At zero.
    static ZEROES: Counter<u64> = "noted.zeroes" { labels: { side: Side }, zeroes: true };
}

#[allow(dead_code, reason = "nobody calls it, and it is listed")]
fn never() {
    u64_counter!("noted.never", "In a function that nobody calls", 1);
}

#[allow(dead_code, reason = "nobody calls it, and it is listed")]
fn generic<T: Default>() -> T {
    u64_counter!("noted.generic", "In a generic function that nobody calls", 1);
    T::default()
}

trait Measured {
    #[allow(dead_code, reason = "nobody calls it, and it is listed")]
    fn by_default(&self) {
        u64_gauge!(noted.by_default, "In a method that a trait brings along", 3);
    }
}

impl Measured for () {}

#[allow(dead_code, reason = "nobody calls it, and it is listed")]
async fn places(route: String) {
    u64_counter!("noted.places", "At four places", 1, "kind" => "query", "cached" => true);
    u64_counter!("noted.places", "At four places", 1, "kind" => "mutation", "cached" => false);
    u64_counter!("noted.places", "At four places", 1, "kind" => "query");
    let closure = || u64_counter!("noted.places", "At four places", 1, "kind" => "query", http.route = route);
    closure();
}

#[allow(dead_code, reason = "nobody calls it, and it is listed")]
fn at_run_time(labels: &[KeyValue], trigger: &str) {
    f64_histogram_with_unit!("noted.open", "With labels of run time", "s", 0.5, labels);
    frequency!("noted.frequency", "How often", "trigger" => Venue::of(trigger));
}

#[allow(dead_code, reason = "nobody calls it, and it is listed")]
fn contradictions() {
    u64_counter!("noted.contradiction", "One thing", 1);
    u64_counter!("noted.contradiction", "Another thing", 1);
    u64_gauge!("noted.contradiction", "One thing", 1);
    u64_counter!("noted.Contradiction", "One thing", 1);
}

fn ours() -> Catalogue {
    metercast::catalogue().unwrap().retain(|metric| metric.name.to_lowercase().starts_with("noted."))
}

fn metric(name: &str) -> Metric {
    ours().metric(name).unwrap_or_else(|| panic!("{name} is not listed")).clone()
}

fn one_of<const N: usize>(texts: [&str; N], fallback: Option<&str>) -> Values {
    Values::OneOf { texts: texts.map(str::to_owned).to_vec(), fallback: fallback.map(str::to_owned) }
}

#[test]
fn what_is_declared_is_listed_with_all_that_was_said() {
    let metric = metric("noted.every_label");
    assert_eq!((metric.kind, metric.number), (Kind::Counter, NumberType::U64));
    assert_eq!(metric.unit, "{order}");
    assert_eq!(
        metric.description, "Orders accepted, by everything that a label can be.\nA second paragraph.",
        "as exporters show it"
    );
    assert_eq!(metric.visibility, Visibility::Public);
    assert!(!metric.observable && !metric.zeroes && !metric.open_labels && !metric.met);
    assert_eq!(metric.buckets, None);
    let [place] = &*metric.places else { panic!("{:?}", metric.places) };
    assert_eq!((&*place.package, &*place.version), ("metercast", env!("CARGO_PKG_VERSION")));
    assert_eq!((&*place.file, &*place.module), ("tests/catalogue.rs", "catalogue"));
    assert!(place.line > 20 && place.declared, "{place:?}");
}

#[test]
fn labels_are_listed_with_the_values_that_they_can_have() {
    let labels = metric("noted.every_label").labels;
    let keys: Vec<&str> = labels.iter().map(|label| &*label.key).collect();
    assert_eq!(keys, ["side", "venue", "status", "tenant", "dark", "order.id", "region", "desk"]);
    let optional: Vec<bool> = labels.iter().map(|label| label.optional).collect();
    assert_eq!(optional, [false, false, false, false, false, false, false, true]);
    assert_eq!(labels[0].values, one_of(["buy", "short"], None));
    assert_eq!(labels[1].values, one_of(["xetra", "lse"], Some("elsewhere")));
    let Values::Ranges { ranges, fallback } = &labels[2].values else { panic!("{:?}", labels[2]) };
    assert_eq!((&**ranges, &**fallback), (&[100..=199, 400..=599][..], "invalid"));
    let Values::Pattern { characters, length, fallback } = &labels[3].values else {
        panic!("{:?}", labels[3])
    };
    assert_eq!((&**characters, length, &**fallback), ("a-z0-9-", &(1..=32), "unknown"));
    assert_eq!(labels[4].values, one_of(["false", "true"], None));
    assert_eq!(labels[5].values, Values::Whole);
    assert_eq!(labels[6].values, Values::Text);
    assert_eq!(labels[7].values, labels[1].values);
}

#[test]
fn every_kind_is_listed_as_what_it_is() {
    let kind = |name| (metric(name).kind, metric(name).number);
    assert_eq!(kind("noted.private"), (Kind::UpDownCounter, NumberType::F64));
    assert_eq!(kind("noted.bounded"), (Kind::Histogram, NumberType::F64));
    assert_eq!(kind("noted.quantiles"), (Kind::Summary, NumberType::F64));
    assert_eq!(kind("noted.asked"), (Kind::Gauge, NumberType::I64));
    assert_eq!(kind("noted.set"), (Kind::Gauge, NumberType::F64));
    assert_eq!(kind("noted.frequency"), (Kind::Counter, NumberType::U64));
    assert_eq!(metric("noted.private").visibility, Visibility::Private);
    assert!(metric("noted.asked").observable);
    assert!(metric("noted.zeroes").zeroes);
}

#[test]
fn distributions_are_listed_with_how_they_are_kept() {
    let buckets = |name| metric(name).buckets.unwrap();
    assert_eq!(buckets("noted.bounded"), Buckets::Bounds(BOUNDS.to_vec()));
    let Buckets::ByUnit(bounds) = buckets("noted.by_unit") else { panic!() };
    assert_eq!((bounds[1], bounds.len()), (5.0, 15), "those that it has on a page");
    assert_eq!(buckets("noted.exponential"), Buckets::Exponential);
    let Buckets::Quantiles { quantiles, window_seconds } = buckets("noted.quantiles") else { panic!() };
    assert_eq!((quantiles, window_seconds), (vec![0.5, 0.99], 300));
    let Buckets::Quantiles { quantiles, window_seconds } = buckets("noted.usual") else { panic!() };
    assert_eq!((quantiles, window_seconds), (vec![0.5, 0.9, 0.95, 0.99], 60));
}

#[test]
fn places_that_nobody_runs_are_listed() {
    for name in ["noted.never", "noted.generic", "noted.by_default"] {
        assert!(!metric(name).places[0].declared, "{name}");
    }
}

#[test]
fn several_places_are_one_metric() {
    let metric = metric("noted.places");
    assert_eq!(metric.places.len(), 4);
    assert!(metric.places.is_sorted_by_key(|place| place.line));
    let labels: Vec<_> = metric.labels.iter().map(|label| (&*label.key, label.optional)).collect();
    assert_eq!(labels, [("kind", false), ("cached", true), ("http.route", true)]);
    assert_eq!(metric.labels[0].values, one_of(["query", "mutation"], None), "literals are all there is");
    assert_eq!(metric.labels[1].values, one_of(["true", "false"], None));
    assert_eq!(metric.labels[2].values, Values::Text, "any expression");
}

#[test]
fn labels_of_run_time_are_said_to_be_open() {
    assert!(metric("noted.open").open_labels && metric("noted.open").labels.is_empty());
    assert!(!metric("noted.frequency").open_labels);
}

#[test]
fn contradictions_are_told_with_their_places() {
    let catalogue = metercast::catalogue().unwrap();
    let ours: Vec<&String> =
        catalogue.conflicts().iter().filter(|conflict| conflict.to_lowercase().contains("noted.")).collect();
    let [case, descriptions, meanings] = &*ours else { panic!("{ours:?}") };
    assert!(case.contains("differ in the case of letters alone"), "{case}");
    assert!(descriptions.contains(r#""One thing" at metercast tests/catalogue.rs:"#), "{descriptions}");
    assert!(descriptions.contains(r#""Another thing" at metercast tests/catalogue.rs:"#), "{descriptions}");
    assert!(meanings.contains("two meanings, a counter of u64 without unit at"), "{meanings}");
}

#[test]
fn what_is_linked_is_listed_with_its_package() {
    let catalogue = metercast::catalogue().unwrap();
    assert_eq!(catalogue.packages(), ["metercast", "metercast-core"]);
    let core = catalogue.of_packages(["metercast-core"]);
    assert!(core.metric("metercast.recordings.dropped").is_some());
    assert!(core.metric("noted.never").is_none());
}

#[test]
fn what_a_store_has_met_is_added_and_marked() {
    let store = Store::new();
    store.scope(|| EVERY_LABEL.add(1, (Side::Buy, "lse", 404, "t", true, 7, "eu", Some("lse"))));
    let known = ours().and_met(&store);
    assert_eq!(known.metrics(), ours().metrics(), "the text has it, so nothing is added");
    let met = ours().retain(|metric| metric.name == "noted.never").and_met(&store);
    let [met] = &*met.metrics().iter().filter(|metric| metric.met).collect::<Vec<_>>() else {
        panic!("{met:?}")
    };
    assert_eq!((&*met.name, met.package(), &*met.unit), ("noted.every_label", "", "{order}"));
    let mut keys: Vec<&str> = met.labels.iter().map(|label| &*label.key).collect();
    keys.sort_unstable();
    assert_eq!(keys, ["dark", "desk", "order.id", "region", "side", "status", "tenant", "venue"]);
}

#[test]
fn a_metric_whose_name_is_made_at_run_time_is_met() {
    let store = Store::new();
    let name = format!("noted.made.{}", std::process::id());
    store.scope(|| {
        let made =
            Instrument::builder(Kind::Histogram, NumberType::F64, name.clone()).unit("s").bounds(&[0.5, 1.0]);
        made.build().unwrap().record(0.7, []);
    });
    assert_eq!(ours().metric(&name), None, "no text has it");
    let catalogue = ours().and_met(&store);
    let made = catalogue.metric(&name).unwrap();
    assert!(made.met && made.places.is_empty());
    assert_eq!(made.buckets, Some(Buckets::Bounds(vec![0.5, 1.0])));
    assert!(catalogue.markdown().contains("## Met at run time\n"));
}

#[test]
fn the_json_is_json_and_says_the_same() {
    let catalogue = ours();
    let json: serde_json::Value = serde_json::from_str(&catalogue.json()).unwrap();
    let metrics = json["metrics"].as_array().unwrap();
    let names: Vec<&str> = metrics.iter().map(|metric| metric["name"].as_str().unwrap()).collect();
    let expected: Vec<&str> = catalogue.metrics().iter().map(|metric| &*metric.name).collect();
    assert_eq!(names, expected);
    let every = metrics.iter().find(|metric| metric["name"] == "noted.every_label").unwrap();
    assert_eq!(every["prometheus"], "noted_every_label_total");
    assert_eq!(every["labels"][1]["values"]["one_of"], serde_json::json!(["xetra", "lse"]));
    assert_eq!(every["labels"][1]["values"]["fallback"], "elsewhere");
    assert_eq!(every["labels"][2]["values"]["ranges"], serde_json::json!([[100, 199], [400, 599]]));
    assert_eq!(every["labels"][3]["values"]["length"], serde_json::json!([1, 32]));
    assert_eq!(every["labels"][5]["prometheus"], "order_id");
    assert_eq!(every["labels"][5]["values"], "whole");
    let quantiles = metrics.iter().find(|metric| metric["name"] == "noted.quantiles").unwrap();
    assert_eq!(quantiles["buckets"], serde_json::json!({ "quantiles": [0.5, 0.99], "window_seconds": 300 }));
}

/// Where the child has its reference; it is a child if this is set.
const REFERENCE: &str = "METERCAST_TEST_REFERENCE";

/// Runs one test of this binary again, and gives whether it passed and what it said.
fn child(reference: &PathBuf, update: bool) -> (bool, String) {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "a_reference_is_held_against_the_program", "--nocapture"]);
    command.env(REFERENCE, reference).env_remove("UPDATE");
    if update {
        command.env("UPDATE", "1");
    }
    let output = command.output().unwrap();
    (output.status.success(), String::from_utf8_lossy(&output.stderr).into_owned())
}

#[test]
fn a_reference_is_held_against_the_program() {
    if let Some(reference) = std::env::var_os(REFERENCE) {
        return assert_catalogue!(reference, ours());
    }
    let folder = std::env::temp_dir().join(format!("metercast-catalogue-{}", std::process::id()));
    let reference = folder.join("docs/metrics.md");
    let (passed, said) = child(&reference, false);
    assert!(!passed && said.contains("UPDATE=1 writes it"), "{said}");
    assert!(child(&reference, true).0, "and so it does, with the folder");
    assert!(child(&reference, false).0, "what was written is what the program says");

    let written = fs::read_to_string(&reference).unwrap();
    let changed = written
        .replace("| `{order}` |", "| `{orders}` |")
        .replace("noted.zeroes", "noted.zeros")
        .replace("# Metrics\n", "# Ours\n\nAsk us.\n");
    fs::write(&reference, &changed).unwrap();
    let (passed, said) = child(&reference, false);
    assert!(!passed);
    for line in [
        "  added    noted.zeroes (counter)\n",
        "  removed  noted.zeros (counter)\n",
        "  changed  noted.every_label (counter)\n           unit: `{orders}` -> `{order}`\n",
        "  noted.contradiction has two meanings",
    ] {
        assert!(said.contains(line), "{line} is not in\n{said}");
    }
    assert!(child(&reference, true).0);
    let mended = fs::read_to_string(&reference).unwrap();
    assert_eq!(mended, written.replace("# Metrics\n", "# Ours\n\nAsk us.\n"), "what is ours stays");

    fs::write(&reference, "# Ours, and nothing about a place\n").unwrap();
    let (passed, said) = child(&reference, true);
    assert!(!passed && said.contains("write these two where it is to stand"), "{said}");
    fs::remove_dir_all(folder).unwrap();
}

/// A metric that metercast has too.
#[allow(dead_code, reason = "what is never called is in the catalogue")]
fn fail() {
    u64_counter_with_unit!("metercast.exporter.failures", "Exports that failed.", "{export}", 1);
}

#[test]
fn a_reference_of_the_program_says_nothing_of_the_test_that_holds_it() {
    let name = "a_reference_of_the_program_says_nothing_of_the_test_that_holds_it";
    if let Some(reference) = std::env::var_os(REFERENCE) {
        return assert_catalogue!(reference);
    }
    let reference =
        std::env::temp_dir().join(format!("metercast-catalogue-program-{}.md", std::process::id()));
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", name]).env(REFERENCE, &reference).env("UPDATE", "0");
    assert!(
        !command.output().unwrap().status.success() && !reference.exists(),
        "UPDATE=1 writes it, and nothing else"
    );
    assert!(command.env("UPDATE", "1").output().unwrap().status.success());
    let written = fs::read_to_string(&reference).unwrap();
    assert!(
        written.contains("| `metercast.exporter.failures` |") && !written.contains("tests/"),
        "{written}"
    );
    fs::remove_file(reference).unwrap();
}

#[test]
#[should_panic(expected = "cannot read")]
fn without_a_second_argument_the_program_itself_is_meant() {
    assert_catalogue!("docs/there/is/none.md");
}

#[test]
fn what_is_no_program_is_called_what_it_is() {
    let folder = std::env::temp_dir().join(format!("metercast-catalogue-kinds-{}", std::process::id()));
    fs::create_dir_all(&folder).unwrap();
    let file = folder.join("file");
    for (content, what) in [
        (&b""[..], "is empty, not a program"),
        (b"#!/bin/sh\n", "is a script, not a program"),
        (b"[package]\n", "is a text, not a program"),
        (b"\x1f\x8b\x08\0", "is packed by gzip, not a program"),
        (b"\x00\x01\x02\xff", "is of a kind that is not known, not a program"),
    ] {
        fs::write(&file, content).unwrap();
        let error = Catalogue::of_file(&file).unwrap_err().to_string();
        assert!(error.contains(what) && error.contains("target/debug/app"), "{error}");
    }
    fs::write(&file, b"\x7fELF\x02\x01\x01").unwrap();
    assert_eq!(Catalogue::of_file(&file).unwrap().metrics(), [], "a program without metrics");
    let error = Catalogue::of_file(&folder).unwrap_err().to_string();
    assert!(error.starts_with("cannot read"), "a folder: {error}");
    let error = Catalogue::of_file(folder.join("none")).unwrap_err().to_string();
    assert!(error.starts_with("cannot read"), "none: {error}");
    fs::remove_dir_all(folder).unwrap();
}
