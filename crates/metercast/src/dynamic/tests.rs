//! Instruments as they come and go, of a stage that knows no HTTP.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use metercast_core::reading::Point;
use metercast_core::{MockClock, Store};

use super::{Found, Moment, Operation, Selection, Selector, Source, Stage, StageHandle, Stages};
use crate::config::{Config, ConfigError, Stdout};
use crate::view::{Filter, Projection, Visibilities};
use crate::{Log, Telemetry};

/// A moment that shows one value, whoever asks.
struct Shows(i64);

impl Source for Shows {
    fn find<'a>(&'a self, _: &'a Selection) -> Found<'a> {
        self.0.into()
    }
}

fn stages() -> Stages {
    let jobs = Stage::new("jobs")
        .selector(Selector::truth("size", "How large it is", &[Moment::Request]))
        .selector(Selector::truth("result", "How it went", &[Moment::Response]))
        .selector(Selector::truth("cause", "Why it failed", &[Moment::Error]))
        .selector(Selector::truth("cost", "What a field costs", &[Moment::Field]));
    Stages::new([jobs])
}

fn config(stages: &Stages, instruments: &str) -> Result<Config, ConfigError> {
    let config = Config::builder().environment(false).without_exporter("prometheus").stages(stages);
    let head = if instruments.starts_with('[') { "" } else { "[telemetry.instruments.jobs]\n" };
    config.text("jobs.toml", &format!("{head}{instruments}")).build()
}

/// A program with one stage.
struct Program {
    stages: Stages,
    store: Store,
    clock: MockClock,
    telemetry: Telemetry,
}

impl Program {
    fn new(instruments: &str) -> Program {
        let (stages, clock) = (stages(), MockClock::new());
        let store = Store::with_clock(&clock);
        let config = config(&stages, instruments).unwrap();
        let telemetry = Telemetry::builder(config).store(store.clone()).log(Log::to(|_, _| {}));
        Program { telemetry: telemetry.start().unwrap(), stages, store, clock }
    }

    fn jobs(&self) -> StageHandle {
        self.stages.stage("jobs").unwrap()
    }

    fn begin(&self) -> Operation {
        self.store.scope(|| self.jobs().begin(&Shows(5))).expect("it is measured")
    }

    fn job(&self, result: i64) {
        let mut job = self.begin();
        job.response(&Shows(result));
        job.end(&());
    }

    /// The sum of all series of a metric: of histograms how many values there are.
    fn total(&self, name: &str) -> Option<f64> {
        let families = self.store.collect();
        let family = families.iter().find(|family| family.definition.name() == name)?;
        let values = family.series.iter().map(|series| match &series.point {
            Point::U64(value) => *value as f64,
            Point::I64(value) => *value as f64,
            Point::F64(value) => *value,
            Point::Histogram(buckets) => buckets.count() as f64,
            other => panic!("{other:?}"),
        });
        Some(values.sum())
    }

    fn reload(&self, instruments: &str) {
        self.telemetry.reload(config(&self.stages, instruments).unwrap()).unwrap();
    }
}

const DONE: &str = "\"dyn.done\" = { type = 'counter', value = 'unit' }\n";
const COST: &str = "\"dyn.size\" = { type = 'histogram', value = { size = true } }\n";

#[test]
fn a_reload_keeps_the_counts_of_what_stays_and_ends_what_leaves() {
    let program = Program::new(&[DONE, COST].concat());
    program.job(0);
    program.reload(DONE);
    program.job(0);
    assert_eq!((program.total("dyn.done"), program.total("dyn.size")), (Some(2.0), None));
    program.reload(&[DONE, COST].concat());
    program.job(0);
    assert_eq!((program.total("dyn.done"), program.total("dyn.size")), (Some(3.0), Some(1.0)));
    program.reload("");
    assert!(program.jobs().begin(&()).is_none(), "nothing is measured any more");
    assert_eq!(program.total("dyn.done"), None);
}

#[test]
fn the_shutdown_of_one_who_was_there_before_leaves_what_another_put_in_place() {
    let older = Program::new(DONE);
    let start = |instruments: &str| {
        let config = config(&older.stages, instruments).unwrap();
        let telemetry = Telemetry::builder(config).store(older.store.clone()).log(Log::to(|_, _| {}));
        telemetry.start().unwrap()
    };
    let younger = start(COST);
    older.telemetry.shutdown().unwrap();
    let job = older.store.scope(|| older.stages.stage("jobs").unwrap().begin(&Shows(5)));
    job.expect("the younger one measures it").end(&());
    younger.reload(config(&older.stages, "").unwrap()).unwrap();
    assert!(older.stages.stage("jobs").unwrap().begin(&()).is_none());
    younger.reload(config(&older.stages, COST).unwrap()).unwrap();
    younger.shutdown().unwrap();
    assert!(older.stages.stage("jobs").unwrap().begin(&()).is_none(), "its own it takes along");
}

#[test]
fn an_operation_ends_with_the_instruments_that_it_began_with() {
    let program = Program::new("\"dyn.open\" = { type = 'up_down_counter', value = 'unit' }");
    let before = program.begin();
    assert_eq!(program.total("dyn.open"), Some(1.0));
    program.reload(&format!("{DONE}\"dyn.open\" = {{ type = 'up_down_counter', value = 'unit' }}"));
    let after = program.begin();
    assert_eq!(program.total("dyn.open"), Some(2.0));
    before.end(&());
    after.end(&());
    assert_eq!((program.total("dyn.open"), program.total("dyn.done")), (Some(0.0), Some(1.0)));
}

#[test]
fn what_ends_late_does_not_bring_back_what_has_left() {
    let program = Program::new(&[DONE, COST].concat());
    let job = program.begin();
    program.reload(COST);
    job.end(&());
    assert_eq!((program.total("dyn.done"), program.total("dyn.size")), (None, Some(1.0)));
}

#[test]
fn what_the_program_itself_measures_stays_when_a_configuration_measures_it_no_more() {
    use super::{Measures, Standard};
    let standard = Standard::counter("dyn.shared", Measures::Unit, "");
    let stages = Stages::new([stages().each().next().unwrap().clone().standard(standard)]);
    let store = Store::new();
    let measured = |is_on: bool| config(&stages, &format!("\"dyn.shared\" = {is_on}")).unwrap();
    let telemetry = Telemetry::builder(measured(true)).store(store.clone()).log(Log::to(|_, _| {}));
    let telemetry = telemetry.start().unwrap();
    let count = || store.scope(|| crate::u64_counter!("dyn.shared", "The program's own", 1));
    count();
    store.scope(|| drop(stages.stage("jobs").unwrap().begin(&Shows(5))));
    telemetry.reload(measured(false)).unwrap();
    count();
    let families = store.collect();
    let family = families.iter().find(|family| family.definition.name() == "dyn.shared");
    let point = family.map(|family| family.series[0].point.clone());
    assert_eq!(point, Some(Point::U64(3)), "it is the program's own, too");
}

#[test]
fn where_telemetry_is_switched_off_no_operation_is_looked_at() {
    let program = Program::new(DONE);
    program.job(0);
    let switched = |enabled: bool| {
        let text = format!("[telemetry]\nenabled = {enabled}\n[telemetry.instruments.jobs]\n{DONE}");
        let config =
            Config::builder().environment(false).without_exporter("prometheus").stages(&program.stages);
        program.telemetry.reload(config.text("jobs.toml", &text).build().unwrap()).unwrap();
    };
    switched(false);
    assert!(program.jobs().begin(&()).is_none());
    switched(true);
    program.job(0);
    assert_eq!(program.total("dyn.done"), Some(2.0));
}

#[test]
fn an_operation_counts_once_however_it_ends() {
    let program = Program::new(DONE);
    program.begin().end(&());
    program.begin().abandon(&());
    drop(program.begin());
    let mut job = program.begin();
    job.error(&Shows(1));
    drop(job);
    let job = program.begin();
    let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(move || {
        let _job = job;
        panic!("in the middle");
    }));
    assert!(panicked.is_err());
    assert_eq!(program.total("dyn.done"), Some(5.0));
}

#[test]
fn an_error_is_known_and_so_is_that_there_was_none() {
    let condition = |name: &str, condition: &str| {
        format!("\"{name}\" = {{ type = 'counter', value = 'unit', condition = {condition} }}\n")
    };
    let program = Program::new(
        &[
            condition("dyn.failed", "{ exists = { cause = true } }"),
            condition("dyn.fine", "{ not = { exists = { cause = true } } }"),
            condition("dyn.unanswered", "{ not = { exists = { result = true } } }"),
        ]
        .concat(),
    );
    program.job(0);
    let mut job = program.begin();
    job.error(&Shows(7));
    job.end(&());
    drop(program.begin());
    let totals = ["dyn.failed", "dyn.fine", "dyn.unanswered"].map(|name| program.total(name));
    assert_eq!(totals, [Some(1.0), Some(1.0), Some(1.0)]);
}

#[test]
fn fields_are_counted_and_measured_one_by_one() {
    let program = Program::new(
        "\"dyn.fields\" = { type = 'counter', value = 'field_unit', condition = { gt = [{ cost = true }, 1] } }
         \"dyn.costs\" = { type = 'histogram', value = { field_custom = { cost = true } }, attributes = { size = { size = true } } }",
    );
    let mut job = program.begin();
    for cost in [1, 2, 3] {
        job.field(&Shows(cost));
    }
    assert_eq!((program.total("dyn.fields"), program.total("dyn.costs")), (Some(2.0), Some(3.0)));
    job.end(&());
    assert_eq!((program.total("dyn.fields"), program.total("dyn.costs")), (Some(2.0), Some(3.0)));
}

#[test]
fn durations_are_those_of_the_stores_clock() {
    let program = Program::new("\"dyn.took\" = { type = 'gauge', value = 'duration', unit = 'ms' }");
    let job = program.begin();
    program.clock.advance(Duration::from_millis(1_500));
    job.end(&());
    assert_eq!(program.total("dyn.took"), Some(1_500.0));
}

#[test]
fn a_name_keeps_its_kind_and_its_unit_as_long_as_the_program_runs() {
    let program = Program::new(DONE);
    for changed in ["type = 'histogram', value = 'unit'", "type = 'counter', value = 'unit', unit = 's'"] {
        let error = config(&program.stages, &format!("\"dyn.done\" = {{ {changed} }}")).unwrap_err();
        assert_eq!(
            error.to_string(),
            "jobs.toml:2: telemetry.instruments.jobs.\"dyn.done\": was a counter with no unit before, and a metric stays what it is \
             as long as the program runs; give this instrument another name"
        );
    }
    program.job(0);
    assert_eq!(program.total("dyn.done"), Some(1.0));
}

#[test]
fn a_private_exporter_takes_none_whatever_its_filter_says() {
    #[derive(Clone, Default)]
    struct Printed(Arc<Mutex<Vec<u8>>>);
    impl std::io::Write for Printed {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let (public, private, stages, store) = (Printed::default(), Printed::default(), stages(), Store::new());
    let all = || Projection::new().filter(Filter::new().visibility(Visibilities::Both).include("*"));
    let to = |printed: &Printed| Stdout::default().writer(printed.clone()).projection(all());
    let config = Config::builder()
        .environment(false)
        .exporter("ours", to(&public))
        .private_exporter("vendor", to(&private))
        .stages(&stages)
        .text("jobs.toml", &format!("[telemetry.instruments.jobs]\n{DONE}"))
        .build()
        .unwrap();
    let telemetry = Telemetry::builder(config).store(store.clone()).log(Log::to(|_, _| {})).start().unwrap();
    store.scope(|| {
        crate::u64_counter!("dyn.own", "The program's own", 1);
        drop(stages.stage("jobs").unwrap().begin(&Shows(5)));
    });
    telemetry.shutdown().unwrap();
    let has = |printed: &Printed, name: &str| {
        String::from_utf8(printed.0.lock().unwrap().clone()).unwrap().contains(name)
    };
    assert_eq!((has(&public, "dyn.own"), has(&public, "dyn.done")), (true, true));
    assert_eq!((has(&private, "dyn.own"), has(&private, "dyn.done")), (true, false));
}

#[test]
fn conditions_are_bounded_in_depth_and_number() {
    let deep = format!("{}true{}", "{ not = ".repeat(17), " }".repeat(17));
    let wide = format!("{{ all = [{}] }}", vec!["true"; 300].join(", "));
    let attributes: Vec<String> = (0..33).map(|n| format!("a{n} = {{ static = 1 }}")).collect();
    let cases = [
        (format!("condition = {deep}"), "is at most 16 deep and made of at most 256 conditions"),
        (format!("condition = {wide}"), "is at most 16 deep and made of at most 256 conditions"),
        (format!("attributes = {{ {} }}", attributes.join(", ")), "an instrument has at most 32"),
        (format!("description = '{}'", "x".repeat(1_025)), "is longer than 1024 bytes"),
    ];
    for (key, expected) in cases {
        let instrument = format!("\"dyn.bounded\" = {{ type = 'counter', value = 'unit', {key} }}");
        let error = config(&stages(), &instrument).unwrap_err();
        assert_eq!(error.problems().len(), 1, "{error}");
        assert!(error.to_string().contains(expected), "{error}");
    }
    let many: String =
        (0..1_002).map(|n| format!("i{n} = {{ type = 'counter', value = 'unit' }}\n")).collect();
    assert!(config(&stages(), &many).unwrap_err().to_string().contains("the 1000 that a file may define"));
}

#[test]
fn without_stages_the_table_is_an_error() {
    let error = config(&Stages::default(), DONE).unwrap_err();
    assert_eq!(
        error.to_string(),
        "jobs.toml:1: telemetry.instruments: cannot be used: this program has no stages that instruments can be defined for; \
         leave it out"
    );
}

#[test]
fn default_instruments_are_there_until_a_file_says_otherwise() {
    use super::{Level, Measures, Standard};
    let standard = Standard::counter("dyn.standard", Measures::Unit, "{job}")
        .attribute("size", Level::Required, "size", "")
        .attribute("result", Level::Recommended, "result", "")
        .by_default();
    let jobs = stages().each().next().unwrap().clone().standard(standard);
    let stages = Stages::new([jobs]);
    let labels = |instruments: &str| {
        let store = Store::new();
        let config = config(&stages, instruments).unwrap();
        let telemetry =
            Telemetry::builder(config).store(store.clone()).log(Log::to(|_, _| {})).start().unwrap();
        if let Some(mut job) = store.scope(|| stages.stage("jobs").unwrap().begin(&Shows(5))) {
            job.response(&Shows(1));
            job.end(&());
        }
        let families = store.collect();
        drop(telemetry);
        families.first().map(|family| family.series[0].labels.to_string())
    };
    assert_eq!(labels("").as_deref(), Some("{size=5}"));
    assert_eq!(labels("\"dyn.standard\" = false"), None);
    let at = |level: &str| format!("[telemetry.instruments]\ndefault_requirement_level = '{level}'\n");
    assert_eq!(labels(&at("recommended")).as_deref(), Some("{result=1,size=5}"));
    assert_eq!(labels(&at("none")).as_deref(), Some(""));
}
