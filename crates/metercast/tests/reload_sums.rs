//! Sums of series of which some have ended, after reloads: what stood in one stays in it, whatever came and went meanwhile.

mod support;

use metercast::config::{ConfigBuilder, Otlp, Prometheus, Stdout};
use metercast::view::View;
use metercast::{KeyValue, Store, Telemetry, u64_counter};
use support::reload::{HOUR, MINUTE, Printed, builder, page, start};
use support::{Receiver, scrape, sums_and_starts};

/// Where the exporters of a test hand over.
struct Readers {
    receiver: Receiver,
    printed: Printed,
}

/// What each reader saw: the samples of the page, values and starts of the last message, and all that was printed.
type Seen = (Vec<String>, Vec<(i64, u64)>, Vec<u64>);

impl Readers {
    fn new() -> Readers {
        Readers { receiver: Receiver::start(), printed: Printed::default() }
    }

    /// A page, a push of totals and a print, all with these views.
    fn with(&self, views: &[View]) -> ConfigBuilder {
        let views = || views.iter().cloned();
        let push = Otlp::to(&self.receiver.endpoint).interval(HOUR);
        let print = Stdout::default().interval(HOUR).writer(self.printed.clone());
        builder()
            .exporter("page", views().fold(page(), Prometheus::view))
            .exporter("push", views().fold(push, Otlp::view))
            .exporter("stdout", views().fold(print, Stdout::view))
    }

    fn read(&self, telemetry: &Telemetry) -> Seen {
        telemetry.flush(MINUTE).unwrap();
        let told = self.receiver.messages.try_iter().last().unwrap();
        let page = scrape(telemetry.scrape_address().unwrap());
        let samples = page.lines().filter(|line| line.starts_with("regions_total")).map(str::to_owned);
        (samples.collect(), sums_and_starts(&told, "regions"), self.printed.values("regions"))
    }
}

fn count(store: &Store, region: &str, amount: u64) {
    store.scope(|| u64_counter!("regions", "By region", amount, "region" => region.to_owned()));
}

fn end(store: &Store, region: &'static str) {
    assert!(store.remove("regions", [KeyValue::new("region", region)]));
}

/// Views that make sums of series, and series for them.
fn views() -> [View; 2] {
    [View::of("regions").limit(2), View::of("regions").drop_labels(["region"])]
}

fn regions(store: &Store) {
    for (region, amount) in [("us", 200), ("eu", 100), ("as", 300), ("af", 350), ("sa", 50)] {
        count(store, region, amount);
    }
}

#[test]
fn what_has_ended_stays_in_sums_and_places_stay_taken_when_another_view_is_added() {
    for view in views() {
        let readers = Readers::new();
        let (telemetry, store, _) = start(readers.with(std::slice::from_ref(&view)));
        regions(&store);
        let (all, ..) = readers.read(&telemetry);
        end(&store, "as");
        let before = readers.read(&telemetry);
        assert_eq!(before.0, all);
        let added = readers.with(&[view, View::of("other").rename("z")]);
        let reloaded = telemetry.reload(added.build().unwrap()).unwrap();
        assert_eq!(
            reloaded.to_string(),
            "page: views changed; push: views changed; stdout: writer, views changed"
        );
        // Those with threads of their own first say what there is with the old views.
        telemetry.flush(MINUTE).unwrap();
        let after = readers.read(&telemetry);
        assert_eq!((&after.0, &after.1), (&before.0, &before.1));
        let each = all.len();
        assert_eq!(after.2[after.2.len() - each..], before.2[before.2.len() - each..]);
        telemetry.shutdown().unwrap();
    }
}

#[test]
fn an_exporter_that_goes_and_comes_back_shows_no_sum_that_is_less_than_it_was() {
    for view in views() {
        let readers = Readers::new();
        let (telemetry, store, _) = start(readers.with(std::slice::from_ref(&view)));
        regions(&store);
        let before = readers.read(&telemetry);
        let total = |seen: &Seen| seen.1.iter().map(|(sum, _)| sum).sum::<i64>();
        assert_eq!(total(&before), 1000);
        // One ends before the exporters go, one while they are away.
        end(&store, "as");
        telemetry.reload(builder().build().unwrap()).unwrap();
        end(&store, "af");
        count(&store, "us", 1);
        telemetry.reload(readers.with(&[view]).build().unwrap()).unwrap();
        let after = readers.read(&telemetry);
        assert_eq!(total(&after), 1001);
        let starts = |seen: &Seen| seen.1.iter().map(|(_, start)| *start).collect::<Vec<_>>();
        assert_eq!(starts(&after), starts(&before));
        let spelled = |line: &String| line.replace(" 200", " 201").replace(" 1000", " 1001");
        assert_eq!(after.0, before.0.iter().map(spelled).collect::<Vec<_>>());
        let each = before.0.len();
        let last = |seen: &Seen| seen.2[seen.2.len() - each..].iter().sum::<u64>();
        assert_eq!((last(&before), last(&after)), (1000, 1001));
        telemetry.shutdown().unwrap();
    }
}
