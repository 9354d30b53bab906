//! Names and labels that meet, in one format or in all of them.

use std::sync::{Arc, Mutex};

use metercast_core::{Store, metrics};
use metercast_core::{f64_histogram, u64_counter, u64_gauge};

use super::formats::{ESCAPINGS, OPEN};
use super::reader::read;
use crate::export::prometheus::{Format, PageFormat, PageOptions, PrometheusPage, ResourceLabels, Strategy};
use crate::log::Log;

metrics! {
    /// Times.
    static TIME: Histogram<f64> = "conflicts.time" { buckets: [1.0], labels: { le: &str } };
}

/// A page, and what the log is told.
pub(super) fn page(options: PageOptions) -> (PrometheusPage, Arc<Mutex<Vec<String>>>) {
    let said: Arc<Mutex<Vec<String>>> = Arc::default();
    let log = Log::to({
        let said = Arc::clone(&said);
        move |_, line| said.lock().unwrap().push(line.to_owned())
    });
    let resource = [("service.name".to_owned(), "orders".into()), ("a.b".to_owned(), "ours".into())];
    (PrometheusPage::with("test", options, &resource, log), said)
}

pub(super) fn samples(page: &PrometheusPage, store: &Store, format: PageFormat) -> Vec<String> {
    let text = page.render_as(store, format);
    read(&text, format == OPEN);
    text.lines().filter(|line| !line.starts_with("# HELP")).map(str::to_owned).collect()
}

#[test]
fn the_log_of_a_page_hears_once_of_what_the_store_met() {
    let (store, (page, said)) = (Store::new(), page(PageOptions::new()));
    store.scope(|| {
        u64_counter!("conflicts.kind", "", 1);
        u64_gauge!("conflicts.kind", "", 2);
    });
    assert_eq!(page.render(&store), page.render(&store));
    let said = said.lock().unwrap();
    assert!(said.len() == 1 && said[0].contains("conflicts.kind"), "{said:?}");
}

#[test]
fn a_counter_whose_family_would_have_the_name_of_a_gauge_has_no_type_in_openmetrics() {
    for counter_first in [true, false] {
        let (store, (page, said)) = (Store::new(), page(PageOptions::new()));
        let counter = || u64_counter!("conflicts.x.total", "", 1);
        let gauge = || u64_gauge!("conflicts.x", "", 2);
        if counter_first {
            store.scope(counter);
            assert_eq!(samples(&page, &store, OPEN)[0], "# TYPE conflicts_x counter");
        }
        store.scope(gauge);
        store.scope(counter);
        let expected = [
            "# TYPE conflicts_x gauge",
            "conflicts_x 2",
            "# TYPE conflicts_x_total unknown",
            if counter_first { "conflicts_x_total 2" } else { "conflicts_x_total 1" },
            "# EOF",
        ];
        assert_eq!(samples(&page, &store, OPEN), expected);
        assert_eq!(samples(&page, &store, PageFormat::default())[2], "# TYPE conflicts_x_total counter");
        let said = said.lock().unwrap();
        assert_eq!(said.len(), 1, "{said:?}");
        assert!(said[0].contains("OpenMetrics gets no type for \"conflicts.x.total\""), "{said:?}");
    }
}

#[test]
fn what_openmetrics_reserves_for_a_histogram_is_free_in_text() {
    let (store, (page, said)) = (Store::new(), page(PageOptions::new()));
    store.scope(|| {
        f64_histogram!("conflicts.h", "", 0.5);
        u64_gauge!("conflicts.h.created", "", 7);
    });
    assert!(page.render(&store).contains("\nconflicts_h_created 7\n"));
    assert!(said.lock().unwrap().is_empty());
    assert!(!samples(&page, &store, OPEN).iter().any(|line| line.starts_with("conflicts_h_created")));
    assert_eq!(said.lock().unwrap().len(), 1);
}

#[test]
fn names_that_meet_in_one_spelling_are_apart_in_another() {
    let (store, (page, said)) = (Store::new(), page(PageOptions::new().strategy(Strategy::NoTranslation)));
    store.scope(|| {
        u64_gauge!("conflicts.a.b", "", 1);
        u64_gauge!("conflicts.a_b", "", 2);
    });
    for (escaping, count) in ESCAPINGS.into_iter().zip([1, 2, 2, 2]) {
        let samples = samples(&page, &store, PageFormat { format: Format::Text1, escaping });
        assert_eq!(samples.len(), 2 * count, "{samples:?}");
    }
    assert_eq!(said.lock().unwrap().len(), 1);
}

#[test]
fn the_metric_that_had_a_name_first_has_it_in_every_format() {
    let (store, (page, _)) = (Store::new(), page(PageOptions::new()));
    store.scope(|| u64_gauge!("conflicts.second_total", "", 1));
    assert!(page.render(&store).contains("conflicts_second_total 1"));
    store.scope(|| u64_counter!("conflicts.second", "", 2));
    assert!(samples(&page, &store, OPEN).contains(&"conflicts_second_total 1".to_owned()));
}

#[test]
fn labels_that_mean_something_are_moved_and_those_that_meet_are_joined_and_said_once() {
    let (store, (page, said)) = (Store::new(), page(PageOptions::new()));
    store.scope(|| {
        TIME.record(0.5, ("mine",));
        u64_counter!("conflicts.labels", "", 1, "a_b" => "2", "a.b" => "1", "a-b" => "");
    });
    for format in [PageFormat::default(), OPEN] {
        let samples = samples(&page, &store, format);
        assert_eq!(samples[1], "conflicts_labels_total{a_b=\";1;2\"} 1");
        assert!(samples[3].starts_with("conflicts_time_bucket{exported_le=\"mine\",le=\"1"), "{samples:?}");
    }
    let said = said.lock().unwrap();
    let about = |what: &str| said.iter().filter(|line| line.contains(what)).count();
    assert_eq!(about("label \"le\" of metric \"conflicts.time\""), 1, "{said:?}");
    assert_eq!(about("labels \"a.b\" and \"a_b\" of metric \"conflicts.labels\""), 1, "{said:?}");
}

#[test]
fn a_measured_label_wins_over_one_of_the_resource() {
    let options = PageOptions::new().resource_labels(ResourceLabels::All);
    let (store, (page, said)) = (Store::new(), page(options));
    store.scope(|| {
        for value in ["mine", ""] {
            u64_counter!("conflicts.labels.of.resource", "", 1, "service_name" => value.to_owned());
        }
    });
    let name = "conflicts_labels_of_resource_total";
    assert_eq!(
        samples(&page, &store, PageFormat::default())[1..],
        [
            format!("{name}{{a_b=\"ours\",service_name=\"mine\"}} 1"),
            format!("{name}{{a_b=\"ours\",service_name=\"orders\"}} 1"),
        ]
    );
    assert_eq!(said.lock().unwrap().len(), 1);
}

#[test]
fn the_name_of_what_is_known_of_the_resource_is_taken() {
    let (store, (page, said)) = (Store::new(), page(PageOptions::new().target_info(true)));
    let text = page.render_as(&store, OPEN);
    assert!(
        text.starts_with("# TYPE target info\n# HELP target Target metadata\ntarget_info{a_b=\"ours\","),
        "{text}"
    );
    store.scope(|| {
        u64_gauge!("target", "", 1);
        u64_gauge!("target.info", "", 1);
    });
    let lines = samples(&page, &store, OPEN);
    assert_eq!(lines[0], "# TYPE target_info gauge");
    assert_eq!(lines[2..], ["# TYPE target gauge", "target 1", "# EOF"]);
    let text = samples(&page, &store, PageFormat::default());
    assert_eq!(
        text[0..2],
        ["# TYPE target_info gauge", "target_info{a_b=\"ours\",service_name=\"orders\"} 1"]
    );
    assert_eq!(said.lock().unwrap().len(), 2);
}
