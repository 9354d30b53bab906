//! Label types with a fallback, metrics that want zeros, and frequencies.

use metercast_core::label::{Bounded, Label};
use metercast_core::reading::Point;
use metercast_core::{KeyValue, Kind, Store, Value, frequency, labels, metrics, u64_counter};

const LOWEST: i64 = -2;

labels! {
    /// Kinds of events that we know by name.
    pub one_of EventKind { "note", "reaction", "zap" } else "other"
    /// Which side, to show that forms mix.
    enum Side { Buy, Sell = "SELL" }
    /// HTTP status.
    pub(crate) range Status { 100..=199, 400..=599 } else "invalid"
    range Depth { LOWEST..=2, } else "deep"
    /// A tenant's name.
    #[doc(alias = "customer")]
    pub pattern Tenant { "a-z0-9-", 1..=8 } else "unknown"
    pattern MaybeEmpty { "A-C_", 0..=2 } else "bad"
}

metrics! {
    /// Events.
    static EVENTS: Counter<u64> = "bounded.events" { labels: { kind: EventKind, status: Status, tenant: Tenant } };
    /// Kinds alone.
    static KINDS: Counter<u64> = "bounded.kinds" { labels: { kind: EventKind, side: Side } };
    /// Up and down.
    static ACTIVE: UpDownCounter<i64> = "bounded.active" { labels: { kind: EventKind } };
    /// A level.
    static LEVEL: Gauge<i64> = "bounded.level" { labels: { depth: Depth } };
    /// A distribution.
    static SIZES: Histogram<u64> = "bounded.sizes" { buckets: [1, 10], labels: { tenant: Option<Tenant> } };
}

fn lines(store: &Store) -> Vec<String> {
    let families = store.collect();
    let series = families.iter().flat_map(|family| family.series.iter().map(move |series| (family, series)));
    series
        .map(|(family, series)| {
            let point = match &series.point {
                Point::U64(value) => value.to_string(),
                Point::I64(value) => value.to_string(),
                Point::Histogram(buckets) => buckets.count().to_string(),
                other => panic!("{other:?}"),
            };
            format!("{}{} {point}", family.definition.name(), series.labels)
        })
        .collect()
}

#[test]
fn a_value_outside_is_recorded_under_the_fallback_of_its_label() {
    let store = Store::new();
    store.scope(|| {
        EVENTS.add(1, ("note", 200, "acme"));
        EVENTS.add(2, ("note", 404, "acme"));
        EVENTS.add(4, ("spam", 404, "Acme"));
        EVENTS.add(8, ("", i64::MIN, ""));
        EVENTS.add(16, ("other", 999, "unknown"));
    });
    assert_eq!(
        lines(&store),
        [
            r#"bounded.events{kind="note",status="invalid",tenant="acme"} 1"#,
            r#"bounded.events{kind="note",status=404,tenant="acme"} 2"#,
            r#"bounded.events{kind="other",status="invalid",tenant="unknown"} 24"#,
            r#"bounded.events{kind="other",status=404,tenant="unknown"} 4"#,
        ]
    );
}

#[test]
fn every_instrument_takes_them() {
    let store = Store::new();
    store.scope(|| {
        KINDS.add(1, ("zap", Side::Sell));
        KINDS.add(1, ("zapp", Side::Buy));
        KINDS.bind(("zap", Side::Sell)).add(1);
        ACTIVE.add(5, ("reaction",));
        ACTIVE.add(-3, ("?",));
        LEVEL.set(7, (-2,));
        LEVEL.set(8, (-3,));
        SIZES.record(5, (Some("a-1"),));
        SIZES.record(5, (Some("a 1"),));
        SIZES.record(5, (None,));
    });
    let mut lines = lines(&store);
    lines.sort();
    assert_eq!(
        lines,
        [
            r#"bounded.active{kind="other"} -3"#,
            r#"bounded.active{kind="reaction"} 5"#,
            r#"bounded.kinds{kind="other",side="buy"} 1"#,
            r#"bounded.kinds{kind="zap",side="SELL"} 2"#,
            r#"bounded.level{depth="deep"} 8"#,
            "bounded.level{depth=-2} 7",
            "bounded.sizes 1",
            r#"bounded.sizes{tenant="a-1"} 1"#,
            r#"bounded.sizes{tenant="unknown"} 1"#,
        ]
    );
}

#[test]
fn an_unbounded_stream_of_values_makes_the_series_of_its_type_and_no_more() {
    let store = Store::new();
    store.scope(|| {
        for number in 0..10_000 {
            EVENTS.add(1, (&format!("kind{number}"), number * 1000 + 999, &format!("T{number}")));
        }
    });
    assert_eq!(lines(&store), [r#"bounded.events{kind="other",status="invalid",tenant="unknown"} 10000"#]);
}

#[test]
fn a_one_of_knows_its_values_and_their_places() {
    assert_eq!(EventKind::ALL, ["note", "reaction", "zap", "other"]);
    assert_eq!(EventKind::FALLBACK, "other");
    assert_eq!(EventKind::VALUES.map(<[_]>::len), Some(4));
    for (at, text) in EventKind::ALL.iter().enumerate() {
        assert_eq!(EventKind::index(text), at);
        assert_eq!(EventKind::of(text), Bounded::text(text));
    }
    for text in ["", "not", "notes", "Note", "note ", "zap\0"] {
        assert_eq!(EventKind::index(text), 3, "{text:?}");
        assert_eq!(EventKind::of(text), Bounded::text("other"), "{text:?}");
    }
}

#[test]
fn a_range_ends_where_it_says_for_every_integer_type() {
    for (value, recorded) in
        [(99, "invalid"), (100, "100"), (199, "199"), (200, "invalid"), (400, "400"), (600, "invalid")]
    {
        assert_eq!(Status::of(value).to_string(), recorded);
    }
    assert_eq!(Status::of(404u16).to_string(), "404");
    assert_eq!(Status::of(404usize).to_string(), "404");
    assert_eq!(Status::of(u64::MAX).to_string(), "invalid");
    assert_eq!(Status::of(404 + (1i128 << 64)).to_string(), "invalid");
    assert_eq!(Depth::of(-2i8).to_string(), "-2");
    assert_eq!(Depth::of(-3).to_string(), Depth::FALLBACK);
    assert_eq!(Value::from(Status::of(404)), Value::from(404), "a number stays one");
}

#[test]
fn a_pattern_looks_at_every_character_and_at_the_length() {
    for text in ["a", "acme-2", "-", "12345678"] {
        assert_eq!(Tenant::of(text), Bounded::text(text));
    }
    for text in ["", "123456789", "A", "a_b", "a b", "a\n", "é", "a\0", "ａ"] {
        assert_eq!(Tenant::of(text), Bounded::text(Tenant::FALLBACK), "{text:?}");
    }
    assert_eq!(MaybeEmpty::of(""), Bounded::text(""));
    assert_eq!(MaybeEmpty::of("_C"), Bounded::text("_C"));
    assert_eq!(MaybeEmpty::of("D"), Bounded::text("bad"));
}

#[test]
fn call_sites_and_key_values_take_what_of_gives() {
    let store = Store::new();
    store.scope(|| {
        for (kind, status) in [("zap", 404u16), ("x", 1)] {
            let labels = [
                KeyValue::new("kind", EventKind::of(kind)),
                KeyValue::new("status", Status::of(status)),
                KeyValue::new("tenant", Tenant::of(kind)),
            ];
            u64_counter!("bounded.calls", "Calls", 1, labels);
            u64_counter!("bounded.calls", "Calls", 1, "kind" => EventKind::of(kind), status = Status::of(status),
                "tenant" => Tenant::of(&String::from(kind)));
        }
    });
    assert_eq!(
        lines(&store),
        [
            r#"bounded.calls{kind="other",status="invalid",tenant="x"} 2"#,
            r#"bounded.calls{kind="zap",status=404,tenant="zap"} 2"#,
        ]
    );
}

#[test]
fn types_can_be_declared_within_a_function() {
    labels! {
        one_of Colour { "red" } else "none"
        range Digit { 0..=9 } else "many"
        pattern Word { "a-z", 1..=3 } else "long"
    }
    assert_eq!(
        (Colour::of("red").to_string(), Digit::of(10).to_string(), Word::of("abc").to_string()),
        ("red".to_owned(), "many".to_owned(), "abc".to_owned())
    );
}

#[test]
fn a_metric_says_whether_it_wants_zeros() {
    metrics! {
        /// All closed.
        static CLOSED: Counter<u64> = "bounded.closed" {
            zeroes: true, labels: { kind: EventKind, side: Side, late: bool }
        };
        /// No labels.
        static BARE: UpDownCounter<i64> = "bounded.bare" { zeroes: true };
        /// A distribution.
        static TIMES: Histogram<f64> = "bounded.times" { labels: { side: Side }, buckets: [1], zeroes: true };
        /// Does not, and may have any label.
        static OPEN: Counter<u64> = "bounded.open" { labels: { name: &str }, zeroes: false };
        /// Says nothing.
        static SILENT: Counter<u64> = "bounded.silent";
        /// A frequency of closed values.
        static OFTEN: Frequency<u64> = "bounded.often" { labels: { kind: EventKind }, zeroes: true };
    }
    let store = Store::new();
    store.scope(|| {
        CLOSED.add(1, ("zap", Side::Buy, true));
        BARE.add(1);
        TIMES.record(0.5, (Side::Buy,));
        OPEN.add(1, ("x",));
        SILENT.add(1);
        OFTEN.record("zap");
    });
    let wants: Vec<_> = store
        .collect()
        .iter()
        .map(|family| (family.definition.name().to_owned(), family.definition.zeroes()))
        .collect();
    let expected = [
        ("bounded.bare", true),
        ("bounded.closed", true),
        ("bounded.often", true),
        ("bounded.open", false),
        ("bounded.silent", false),
        ("bounded.times", true),
    ];
    assert_eq!(wants, expected.map(|(name, zeroes)| (name.to_owned(), zeroes)));
}

#[test]
fn a_frequency_counts_each_value_of_its_label() {
    metrics! {
        /// By a type with a fallback.
        static BY_KIND: Frequency<u64> = "frequency.kind" { unit: "{event}", labels: { kind: EventKind } };
        /// By an enum.
        static BY_SIDE: Frequency<u64> = "frequency.side" { labels: { "order.side": Side } };
        /// By text.
        static BY_TEXT: Frequency<u64> = "frequency.text" { labels: { text: &str, }, };
        /// By number.
        static BY_NUMBER: Frequency<u64> = "frequency.number" { labels: { number: u16 } };
    }
    let store = Store::new();
    store.scope(|| {
        for kind in ["zap", "zap", "?"] {
            BY_KIND.record(kind);
        }
        BY_KIND.bind("zap").add(1);
        BY_SIDE.record(Side::Sell);
        BY_TEXT.record(&String::from("a"));
        BY_NUMBER.record(7);
        BY_NUMBER.record(7);
    });
    assert_eq!(
        lines(&store),
        [
            r#"frequency.kind{kind="other"} 1"#,
            r#"frequency.kind{kind="zap"} 3"#,
            "frequency.number{number=7} 2",
            r#"frequency.side{order.side="SELL"} 1"#,
            r#"frequency.text{text="a"} 1"#,
        ]
    );
    assert!(store.collect().iter().all(|family| family.definition.kind() == Kind::Counter));
}

#[test]
fn a_call_site_counts_each_value_as_well() {
    let store = Store::new();
    store.scope(|| {
        for text in ["a", "b", "a"] {
            frequency!("frequency.call", "Calls", "text" => text);
        }
        frequency!("frequency.call", "Calls", "text" => "a");
        frequency!("frequency.call", "Calls", text = "b",);
        frequency!(frequency.call, "Calls", text => Tenant::of("c"));
    });
    assert_eq!(
        lines(&store),
        [r#"frequency.call{text="a"} 3"#, r#"frequency.call{text="b"} 2"#, r#"frequency.call{text="c"} 1"#,]
    );
}
