//! What a program says of views that matched nothing, if it ends before anybody has read it three times.

mod support;

use metercast::config::{Otlp, Stdout};
use metercast::log::Level;
use metercast::view::View;
use support::reload::{HOUR, builder, order, page, start};
use support::{Receiver, scrape};

fn view() -> View {
    View::of("ordrs").drop()
}

/// What was said of the view, sorted.
fn said(lines: &support::Lines) -> Vec<String> {
    let lines = lines.lock().unwrap();
    let warnings = lines.iter().filter(|(level, line)| *level == Level::Warn && line.contains("ordrs"));
    let mut said: Vec<String> = warnings.map(|(_, line)| line.clone()).collect();
    said.sort();
    said
}

#[test]
fn every_exporter_says_at_its_end_what_matched_nothing_however_seldom_it_read() {
    let receiver = Receiver::start();
    let exporters = || {
        builder()
            .exporter("page", page().view(view()))
            .exporter("print", Stdout::default().writer(std::io::sink()).view(view()))
            .exporter("push", Otlp::to(&receiver.endpoint).interval(HOUR).view(view()))
    };
    let (telemetry, store, lines) = start(exporters());
    order(&store);
    assert!(said(&lines).is_empty());
    telemetry.shutdown().unwrap();
    let said_at_the_end = said(&lines);
    assert_eq!(said_at_the_end.len(), 3, "{said_at_the_end:?}");
    for (line, exporter) in said_at_the_end.iter().zip(["page", "print", "push"]) {
        let end = "(of \"ordrs\") matches no metric until the end; check the pattern";
        assert!(line.starts_with(&format!("exporter \"{exporter}\": ")) && line.ends_with(end), "{line}");
    }

    let (telemetry, _, lines) = start(exporters().self_metrics(false));
    telemetry.shutdown().unwrap();
    assert!(said(&lines).is_empty(), "where nothing was measured nothing is known");
}

#[test]
fn what_was_said_is_not_said_again_at_the_end() {
    let (telemetry, store, lines) = start(builder().exporter("page", page().view(view())));
    order(&store);
    for _ in 0..3 {
        scrape(telemetry.scrape_address().unwrap());
    }
    let before = said(&lines);
    assert_eq!(before.len(), 1, "{before:?}");
    assert!(before[0].ends_with("unless such metrics come later"), "{before:?}");
    telemetry.shutdown().unwrap();
    assert_eq!(said(&lines), before);
}
