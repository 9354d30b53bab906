//! Which trace a line of a log belongs to.
#![cfg(feature = "json")]

use std::io;
use std::sync::{Arc, Mutex};

use conformance::collector::Collector;
use metercast::Config;
use metercast::config::Traces as Settings;
use metercast_tracing::{JsonLogs, Traces};
use serde_json::Value;
use tracing::{debug_span, info, info_span};
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::layer::{Layer, SubscriberExt};

#[derive(Clone, Default)]
struct Buffer(Arc<Mutex<Vec<u8>>>);

impl io::Write for Buffer {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// What is logged, with traces or without; flat or not.
fn lines(is_on: bool, flat: bool, run: impl FnOnce()) -> Vec<Value> {
    let settings = Settings::to("http://127.0.0.1:1").enabled(is_on).filter("info,untraced=off");
    let traces = Traces::start(&Config::builder().environment(false).traces(settings).build().unwrap());
    let buffer = Buffer::default();
    let writer = {
        let buffer = buffer.clone();
        move || buffer.clone()
    };
    // Logs do not see all spans that are traced.
    let logs = JsonLogs::new().flatten_event(flat).with_writer(writer).layer().with_filter(
        tracing_subscriber::filter::Targets::new()
            .with_default(LevelFilter::INFO)
            .with_target("unlogged", LevelFilter::OFF),
    );
    let subscriber = tracing_subscriber::registry().with(logs).with(traces.layer());
    tracing::subscriber::with_default(subscriber, run);
    drop(traces.shutdown_within(std::time::Duration::ZERO));
    let text = String::from_utf8(buffer.0.lock().unwrap().clone()).unwrap();
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}")))
        .collect()
}

fn ids(line: &Value) -> Option<(&str, &str)> {
    Some((line.get("trace_id")?.as_str()?, line.get("span_id")?.as_str()?))
}

#[test]
fn a_line_has_the_ids_of_the_span_that_it_is_in() {
    let lines = lines(true, false, || {
        info!("outside");
        let order = info_span!("order").entered();
        info!(trace_id = "further in, which disturbs nobody", "in order");
        info_span!("insert").in_scope(|| info!("in insert"));
        // Not traced, so the next one around it counts.
        info_span!(target: "untraced", "noise").in_scope(|| info!("in noise"));
        debug_span!("detail").in_scope(|| info!("in detail"));
        // Traced, but logs do not see it.
        info_span!(target: "unlogged", "hidden").in_scope(|| info!("in hidden"));
        info!(parent: None, "in none");
        drop(order);
        info!("outside again");
    });
    let of: Vec<_> = lines.iter().map(ids).collect();
    let Some((trace, order)) = of[1] else { panic!("{lines:#?}") };
    assert_eq!((trace.len(), order.len()), (32, 16));
    assert_eq!(lines[1]["fields"]["trace_id"], "further in, which disturbs nobody");
    assert_eq!((of[2].unwrap().0, of[5].unwrap().0), (trace, trace));
    assert_ne!(of[2], of[1]);
    assert_ne!(of[5], of[1]);
    assert_eq!([of[3], of[4]], [of[1]; 2]);
    assert_eq!([of[0], of[6], of[7]], [None; 3]);
}

#[test]
fn a_parent_that_an_event_names_counts_and_fields_of_the_same_name_give_way() {
    let lines = lines(true, true, || {
        let order = info_span!("order");
        let noise = info_span!(target: "untraced", parent: &order, "noise");
        order.in_scope(|| info!("in order"));
        info!(parent: &order, "by name");
        info!(parent: &noise, "by the name of one that is not traced");
        order.in_scope(|| info!(trace_id = 7, span_id = "mine", other = 1, "taken"));
        info!(trace_id = 7, "nobody is in the way");
    });
    let of: Vec<_> = lines.iter().map(ids).collect();
    assert!(of[0].is_some());
    assert_eq!(of[..4], [of[0]; 4], "{lines:#?}");
    assert_eq!((&lines[3]["other"], &lines[3]["message"]), (&1.into(), &"taken".into()));
    assert_eq!(lines[4]["trace_id"], 7);
}

#[test]
fn without_traces_lines_are_as_they_were() {
    let lines = lines(false, false, || info_span!("order").in_scope(|| info!(a = 1, "accepted")));
    assert_eq!(ids(&lines[0]), None);
    assert_eq!(lines[0]["fields"]["message"], "accepted");
    assert_eq!(lines[0]["span"]["name"], "order");
}

#[test]
fn what_is_logged_and_what_is_traced_do_not_decide_for_each_other() {
    let collector = Collector::start();
    let run = |logged: LevelFilter, traced: &str| {
        let settings = Settings::to(&collector.url()).filter(traced);
        let traces = Traces::start(&Config::builder().environment(false).traces(settings).build().unwrap());
        let buffer = Buffer::default();
        let writer = {
            let buffer = buffer.clone();
            move || buffer.clone()
        };
        let logs = JsonLogs::new().with_writer(writer).layer().with_filter(logged);
        let subscriber = tracing_subscriber::registry().with(traces.layer()).with(logs);
        tracing::subscriber::with_default(subscriber, || {
            info_span!("outer").in_scope(|| debug_span!("inner").in_scope(|| info!("said")));
        });
        traces.shutdown().unwrap();
        String::from_utf8(buffer.0.lock().unwrap().clone()).unwrap()
    };
    assert_eq!(run(LevelFilter::OFF, "debug"), "");
    let spans = collector.spans();
    let names: Vec<_> = spans.iter().map(|span| span.name.as_str()).collect();
    assert_eq!(names, ["inner", "outer"]);
    let line: Value = serde_json::from_str(&run(LevelFilter::DEBUG, "off")).unwrap();
    assert_eq!((line["spans"][1]["name"].as_str(), ids(&line)), (Some("inner"), None));
    assert_eq!(collector.spans().len(), 2, "none more");
}
