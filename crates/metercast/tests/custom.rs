//! Exporters of the program's own run as all others do: views, files, reloads, failures, the last delivery.

mod support;

use std::error::Error;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use metercast::config::{ConfigBuilder, Custom, ResourceAttributes};
use metercast::snapshot::Point;
use metercast::view::View;
use metercast::{Config, CustomExporter, Export, InMemoryReader, Store, Telemetry, u64_counter};

/// What it was handed, and what it answers: an error or a panic as often as is said.
#[derive(Clone, Default)]
struct Kept(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    deliveries: Vec<Delivered>,
    errors: u32,
    panics: u32,
}

struct Delivered {
    names: Vec<String>,
    orders: Option<Point>,
    resource: Vec<String>,
    is_awaited: bool,
}

impl CustomExporter for Kept {
    fn export(&mut self, export: &Export<'_>) -> Result<(), Box<dyn Error + Send + Sync>> {
        let mut state = self.0.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        let collection = export.collection();
        state.deliveries.push(Delivered {
            names: collection.metrics.iter().map(|metric| metric.name.clone()).collect(),
            orders: collection.metric("orders").map(|metric| metric.series[0].point.clone()),
            resource: export.resource().iter().map(|(key, _)| key.clone()).collect(),
            is_awaited: export.deadline().is_some(),
        });
        if state.panics > 0 {
            state.panics -= 1;
            panic!("the test says so");
        }
        if state.errors > 0 {
            state.errors -= 1;
            return Err("the line is down".into());
        }
        Ok(())
    }
}

impl Kept {
    fn count(&self) -> usize {
        self.0.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).deliveries.len()
    }

    fn last<T>(&self, of: impl Fn(&Delivered) -> T) -> T {
        of(self.0.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).deliveries.last().unwrap())
    }
}

const LONG: Duration = Duration::from_secs(3600);
const SOON: Duration = Duration::from_secs(60);

fn builder() -> ConfigBuilder {
    Config::builder().environment(false).self_metrics(false).service("shop", "1.0.0")
}

fn start(config: Config, store: &Store) -> Telemetry {
    Telemetry::builder(config).store(store.clone()).log(support::log().0).start().unwrap()
}

fn order(store: &Store, n: u64) {
    store.scope(|| u64_counter!("orders", "Orders", n));
}

#[test]
fn it_gets_what_its_views_let_out_cumulatively_and_a_last_time_at_the_shutdown() {
    let (kept, store) = (Kept::default(), Store::new());
    let custom = Custom::new(kept.clone())
        .interval(LONG)
        .resource(ResourceAttributes::only(["service.name"]))
        .view(View::of("debug.*").drop());
    let telemetry = start(builder().exporter("kept", custom).build().unwrap(), &store);
    telemetry.flush(SOON).unwrap();
    assert_eq!(kept.count(), 0, "nothing was recorded");

    order(&store, 2);
    store.scope(|| u64_counter!("debug.retries", "Tries that failed", 1));
    telemetry.flush(SOON).unwrap();
    order(&store, 3);
    telemetry.shutdown().unwrap();
    assert_eq!(kept.count(), 2);
    kept.last(|last| {
        assert_eq!(last.names, ["orders"]);
        assert_eq!(last.orders, Some(Point::U64(5)));
        assert_eq!(last.resource, ["service.name"]);
        assert!(last.is_awaited);
    });
}

#[test]
fn a_delivery_that_fails_or_panics_is_told_and_counted_and_the_next_has_it_all() {
    let (kept, store) = (Kept::default(), Store::new());
    let config =
        builder().self_metrics(true).exporter("kept", Custom::new(kept.clone()).interval(LONG)).build();
    let telemetry = start(config.unwrap(), &store);
    order(&store, 1);
    {
        let mut state = kept.0.lock().unwrap();
        (state.errors, state.panics) = (1, 1);
    }
    let panicked = telemetry.flush(SOON).unwrap_err().to_string();
    assert!(panicked.contains("kept") && panicked.contains("panicked: \"the test says so\""), "{panicked}");
    order(&store, 1);
    let refused = telemetry.flush(SOON).unwrap_err().to_string();
    assert!(refused.contains("the line is down"), "{refused}");
    telemetry.flush(SOON).unwrap();
    assert_eq!(kept.last(|last| last.orders.clone()), Some(Point::U64(2)));

    let snapshot = InMemoryReader::new(store).collect();
    let exported = snapshot.family("otel.sdk.exporter.metric_data_point.exported").unwrap();
    let labels: Vec<_> = exported.series.iter().map(|series| series.labels.to_string()).collect();
    for error in [Some("panic"), Some("_OTHER"), None] {
        let is_it = |labels: &&String| match error {
            Some(error) => labels.contains(&format!("error.type=\"{error}\"")),
            None => !labels.contains("error.type"),
        };
        let found = labels.iter().find(is_it).unwrap_or_else(|| panic!("{error:?}: {labels:?}"));
        assert!(found.contains("custom_metric_exporter"), "{found}");
    }
}

#[test]
fn a_file_shapes_one_by_its_name_and_makes_none() {
    let custom = || Custom::new(Kept::default());
    let config = |text: &str| builder().default_exporter("kept", custom()).text("shop.toml", text).build();
    let shaped = config("[telemetry.exporters.kept]\ninterval = '5s'\ninclude = ['orders']").unwrap();
    assert_eq!(shaped.exporter("kept").unwrap().to_string(), "custom every 5s");
    assert!(config("[telemetry.exporters.kept]\nenabled = false").unwrap().exporter("kept").is_none());
    let wrong = config("[telemetry.exporters.kept]\nendpoint = 'http://h'").unwrap_err();
    assert!(wrong.to_string().contains("endpoint"), "{wrong}");
    let contradicts = builder()
        .exporter("kept", custom())
        .text("shop.toml", "[telemetry.exporters.kept]\ntype = 'stdout'")
        .build()
        .unwrap_err();
    assert!(contradicts.to_string().contains("custom"), "{contradicts}");
    let made = config("[telemetry.exporters.other]\ntype = 'custom'").unwrap_err();
    assert!(made.to_string().contains("stdout"), "the types that there are: {made}");
}

#[test]
fn a_reload_goes_on_with_the_same_and_hands_over_to_another() {
    let (one, other, store) = (Kept::default(), Kept::default(), Store::new());
    let custom = Custom::new(one.clone()).interval(LONG);
    let config = |custom: Custom| builder().exporter("kept", custom).build().unwrap();
    let telemetry = start(config(custom.clone()), &store);
    order(&store, 4);
    assert!(telemetry.reload(config(custom.clone())).unwrap().is_unchanged());
    let slower = telemetry.reload(config(custom.clone().interval(2 * LONG))).unwrap();
    assert_eq!(slower.to_string(), "kept: interval changed");
    let replaced = telemetry.reload(config(Custom::new(other.clone()).interval(2 * LONG))).unwrap();
    assert_eq!(replaced.to_string(), "kept: exporter changed");
    telemetry.shutdown().unwrap();
    for kept in [one, other] {
        assert_eq!(kept.last(|last| last.orders.clone()), Some(Point::U64(4)));
    }
}
