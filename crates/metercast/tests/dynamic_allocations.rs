//! What instruments of a configuration cost: nothing while there are none, and little where their conditions do not hold.

mod heap;

use metercast::dynamic::{Found, Moment, Selection, Selector, Source, Stage, Stages};
use metercast::{Config, Log, Store, Telemetry};

/// Shows a text, whoever asks.
struct Shows(&'static str);

impl Source for Shows {
    fn find<'a>(&'a self, _: &'a Selection) -> Found<'a> {
        self.0.into()
    }
}

/// How often memory is asked for by an operation that is like one before.
fn of_operation(instruments: &str) -> usize {
    let jobs = Stage::new("jobs")
        .selector(Selector::truth("queue", "Where it came from", &[Moment::Request]))
        .selector(Selector::truth("result", "How it went", &[Moment::Response]));
    let (stages, store) = (Stages::new([jobs]), Store::new());
    let config = Config::builder().environment(false).without_exporter("prometheus").stages(&stages);
    let config = config.text("jobs.toml", &format!("[telemetry.instruments.jobs]\n{instruments}")).build();
    let telemetry = Telemetry::builder(config.unwrap()).store(store.clone()).log(Log::to(|_, _| {})).start();
    let jobs = stages.stage("jobs").unwrap();
    let operation = || {
        let Some(mut job) = jobs.begin(&Shows("night")) else { return };
        job.response(&Shows("done"));
        job.end(&());
    };
    let allocations = store.scope(|| {
        operation();
        operation();
        let before = heap::allocations();
        operation();
        heap::allocations() - before
    });
    drop(telemetry);
    allocations
}

#[test]
fn where_nothing_is_defined_an_operation_costs_no_allocation() {
    assert_eq!(of_operation(""), 0);
}

#[test]
fn what_is_defined_costs_memory_for_the_operation_and_for_each_text_that_is_kept() {
    // What is found and what is decided: one each.
    assert_eq!(
        of_operation("a = { type = 'counter', value = 'unit', condition = { exists = { result = true } } }"),
        3
    );
    let labelled = "attributes = { queue = { queue = true }, result = { result = true } }";
    assert_eq!(of_operation(&format!("b = {{ type = 'counter', value = 'unit', {labelled} }}")), 4);
}

#[test]
fn the_labels_of_an_instrument_whose_condition_does_not_hold_cost_no_allocation() {
    let without = of_operation("c = { type = 'counter', value = 'unit', condition = false }");
    let condition = "condition = { eq = [1, { queue = true }] }, attributes = { result = { result = true } }";
    let with = of_operation(&format!("d = {{ type = 'counter', value = 'unit', {condition} }}"));
    // What the condition looks at, and where it is kept.
    assert!(with <= without + 2, "{with} and {without}");
}
