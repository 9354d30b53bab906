//! Any text as the instruments of a stage: reading it never panics, what it says of the text is where it says, and what it
//! defines measures operations of every kind without a panic, within the bounds of the store.

#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use metercast::config::{Config, ConfigError};
use metercast::dynamic::{
    Found, Level, Measures, Moment, Selection, Selector, Source, Stage, Stages, Standard,
};
use metercast::{Log, PrometheusPage, Store, Telemetry};

const FILE: &str = "fuzzed.toml";

fn stages() -> Stages {
    const ALL: [Moment; 6] = Moment::ALL;
    let jobs = Stage::new("jobs")
        .selector(Selector::text("header", "A header", &[Moment::Request]))
        .selector(Selector::words("status", &["code", "reason"], "The status", &[Moment::Response]))
        .selector(Selector::truth("size", "Of an event", &[Moment::Event]))
        .selector(Selector::truth("cost", "Of a field", &[Moment::Field]))
        .selector(Selector::truth("cause", "Of an error", &[Moment::Error, Moment::End]))
        .selector(Selector::truth("any", "At any moment", &ALL))
        .standard(
            Standard::histogram("job.duration", Measures::Duration, "s")
                .attribute("status", Level::Required, "status", "code")
                .attribute("header", Level::OptIn, "header", "x"),
        )
        .standard(Standard::up_down_counter("job.active", Measures::Unit, "{job}"));
    Stages::new([jobs])
}

/// Shows one thing to whoever asks, a text, a number or nothing.
struct Shows(u8);

impl Source for Shows {
    fn find<'a>(&'a self, selection: &'a Selection) -> Found<'a> {
        match (self.0 as usize + selection.argument().len()) % 6 {
            0 => selection.argument().into(),
            1 => f64::NAN.into(),
            2 => (-1i64).into(),
            3 => u64::MAX.into(),
            4 => "1e999".into(),
            _ => Found::Nothing,
        }
    }
}

fn read(stages: &Stages, text: &str) -> Result<Config, ConfigError> {
    let config = Config::builder().environment(false).without_exporter("prometheus").stages(stages);
    config.text(FILE, &format!("[telemetry.instruments.jobs]\n{text}")).build()
}

/// The store of all runs, so that what is kept for ever is seen to have a bound.
static STORE: LazyLock<Store> = LazyLock::new(Store::new);

fn measure(stages: &Stages, config: Config) {
    // There are so many instruments in a process, and no more.
    let telemetry = Telemetry::builder(config).store(STORE.clone()).log(Log::to(|_, _| {})).start();
    let (Ok(_telemetry), Some(jobs)) = (telemetry, stages.stage("jobs")) else { return };
    STORE.scope(|| {
        for way in 0..12 {
            let Some(mut job) = jobs.begin(&Shows(way)) else { return };
            job.field(&Shows(way + 1));
            if way % 4 != 1 {
                job.response(&Shows(way + 2));
                job.event(&Shows(way));
                job.event(&Shows(way + 3));
            }
            match way % 4 {
                0 => job.end(&Shows(way)),
                1 => job.error(&Shows(way)),
                2 => job.abandon(&Shows(way)),
                _ => drop(job),
            }
        }
    });
    let _ = PrometheusPage::new("fuzzed", Log::to(|_, _| {})).render(&STORE);
}

fuzz_target!(|text: &str| {
    let stages = stages();
    let lines = text.split('\n').count() + 1;
    match read(&stages, text) {
        Ok(config) => measure(&stages, config),
        Err(error) => {
            let problems = error.problems();
            assert!(!problems.is_empty(), "an error without a problem");
            for problem in problems {
                if let (Some(file), Some(line)) = (problem.file(), problem.line()) {
                    assert!(file == FILE && (1..=lines).contains(&line), "line {line} of {lines}: {problem}");
                }
                assert!(!problem.message().is_empty(), "nothing is said: {problem}");
            }
            let again = read(&stages, text).map(|_| ()).unwrap_err();
            assert_eq!(error.to_string(), again.to_string(), "the same text says the same");
        }
    }
});
