//! What stands on the screen, held against captures in `conformance/top`; `UPDATE=1` writes them anew.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use ratatui::style::Color;

use super::view::{Asked, View};
use super::{plain, screen};
use crate::fetch::Fetched;
use crate::page::{Limits, Page};

/// Shortly after the second page of the demo was made.
const NOW: f64 = 1_795_302_432.0;

fn conformance() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../conformance")
}

fn take(view: &mut View, text: &str, at: f64, limits: &Limits) {
    let page = Page::read(text.as_bytes(), limits).unwrap();
    let troubles = page.troubles(limits);
    let shown = view.newest();
    shown.time = NOW;
    shown.take(&Fetched { page, took: Duration::from_millis(3) }, troubles, None, at);
}

/// What is seen of a program whose two pages were served five seconds apart.
fn view_of(program: &str) -> View {
    let mut view = View { url: "http://127.0.0.1:9464/metrics".to_owned(), every: 5.0, ..View::default() };
    for number in [1, 2] {
        let path = conformance().join(format!("pages/{program}/{number}.txt"));
        take(&mut view, &fs::read_to_string(path).unwrap(), 5.0 * f64::from(number), &Limits::default());
    }
    view
}

fn press(view: &mut View, keys: &str) {
    for key in keys.chars() {
        let code = match key {
            '\n' => KeyCode::Enter,
            '\x1b' => KeyCode::Esc,
            key => KeyCode::Char(key),
        };
        assert_eq!(view.key(KeyEvent::new(code, KeyModifiers::NONE)), Asked::Nothing);
    }
}

fn drawn(view: &mut View, width: u16, height: u16) -> String {
    let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
    terminal.draw(|frame| screen::draw(frame, view)).unwrap();
    let buffer = terminal.backend().buffer();
    let lines = buffer.content.chunks(usize::from(width)).map(|cells| {
        let line: String = cells.iter().map(|cell| cell.symbol()).collect();
        line.trim_end().to_owned() + "\n"
    });
    lines.collect()
}

#[track_caller]
fn check(name: &str, view: &mut View, (width, height): (u16, u16)) {
    compare(&format!("{name}-{width}x{height}"), &drawn(view, width, height));
}

#[track_caller]
fn compare(name: &str, capture: &str) {
    let path = conformance().join(format!("top/{name}.txt"));
    if std::env::var_os("UPDATE").is_some() {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, capture).unwrap();
    }
    let expected = fs::read_to_string(&path).unwrap_or_default();
    assert!(capture == expected, "{} says\n{expected}\nbut the screen\n{capture}", path.display());
}

const SIZES: [(u16, u16); 2] = [(80, 24), (200, 50)];

#[test]
fn our_own_page_is_shown_with_its_exporters_and_requests() {
    for size in SIZES {
        check("demo", &mut view_of("demo"), size);
    }
}

#[test]
fn the_page_of_node_exporter_is_shown() {
    for size in SIZES {
        check("node-exporter", &mut view_of("node-exporter"), size);
    }
}

#[test]
fn the_page_of_prometheus_is_shown_with_its_requests() {
    for size in SIZES {
        check("prometheus", &mut view_of("prometheus"), size);
    }
}

#[test]
fn both_formats_of_a_page_look_the_same() {
    let mut view = view_of("demo");
    view.shown.bytes = 0;
    let mut open = View { url: view.url.clone(), every: 5.0, ..View::default() };
    for number in [1, 2] {
        let path = conformance().join(format!("pages/demo/{number}.openmetrics.txt"));
        take(&mut open, &fs::read_to_string(path).unwrap(), 5.0 * f64::from(number), &Limits::default());
    }
    open.shown.bytes = 0;
    // They were read a moment apart, so names and kinds are compared, not figures.
    let names = |view: &View| {
        let metrics = view.shown.history.metrics().iter();
        metrics.map(|metric| (metric.name.clone(), metric.kind, metric.series.len())).collect::<Vec<_>>()
    };
    assert_eq!(names(&view), names(&open));
    press(&mut view, "ss");
    press(&mut open, "ss");
    assert_eq!(drawn(&mut view, 80, 24).lines().count(), drawn(&mut open, 80, 24).lines().count());
}

#[test]
fn keys_filter_sort_and_go_into_a_metric_and_back() {
    let mut view = view_of("demo");
    press(&mut view, "/PLACED\n");
    assert_eq!(view.wanted().rows(&view.shown.history).len(), 1);
    press(&mut view, "\n");
    check("series-of-a-metric", &mut view, SIZES[0]);
    press(&mut view, "/sell");
    check("filter-being-typed", &mut view, SIZES[0]);
    press(&mut view, "\x1b\x1b");
    assert_eq!((view.inside.as_deref(), view.filter.as_str()), (None, ""));
    press(&mut view, "sdj?");
    check("keys", &mut view, SIZES[0]);
    press(&mut view, "?/nothing\n");
    assert!(
        drawn(&mut view, 80, 24).contains("nothing has \"nothing\" in its name or labels; esc shows all")
    );
    press(&mut view, "\x1b");
    let quit = [
        KeyEvent::new(KeyCode::Char('q'), KeyModifiers::NONE),
        KeyEvent::new(KeyCode::Char('c'), KeyModifiers::CONTROL),
    ];
    for key in quit {
        assert_eq!(view.key(key), Asked::Quit);
    }
}

#[test]
fn rows_are_in_the_order_that_is_asked_for() {
    let mut view = view_of("demo");
    let mut first = |keys: &str| {
        press(&mut view, keys);
        view.wanted().rows(&view.shown.history)[0].name.clone()
    };
    assert_eq!(first(""), "http_server_request_duration_seconds", "by rate");
    assert_eq!(first("s"), "account_credit_limit", "by name");
    assert_eq!(first("s"), "http_server_request_duration_seconds", "by series");
    assert_eq!(first("s"), "http_server_request_duration_seconds", "what changed last");
}

#[test]
fn a_screen_that_stands_still_can_be_filtered_and_catches_up() {
    let mut view = view_of("demo");
    press(&mut view, "p");
    let before = drawn(&mut view, 80, 24);
    assert!(before.contains("paused") && before.contains("p go on"), "{before}");
    take(&mut view, "only 1\n", 15.0, &Limits::default());
    assert_eq!(drawn(&mut view, 80, 24), before, "what is read meanwhile is not shown");
    press(&mut view, "/placed\n");
    assert!(drawn(&mut view, 80, 24).contains("> orders_placed_total"));
    press(&mut view, "\x1bp");
    let after = drawn(&mut view, 80, 24);
    assert!(after.contains("> only") && after.contains("1 metric "), "{after}");
}

#[test]
fn what_is_wrong_is_said_above_the_table() {
    let mut view = view_of("demo");
    let failing = "# TYPE metercast_exporter_failures_total counter\n# TYPE metercast_series_limits_reached_total counter\n\
        metercast_exporter_last_success_seconds{otel_component_name=\"central\"} 1795302400\n\
        metercast_config_last_reload_successful 0\nmetercast_series_limits_reached_total{metric=\"tool.calls\"} 3\n";
    let page = |failures: u64| {
        format!(
            "{failing}metercast_exporter_failures_total{{otel_component_name=\"central\"}} {failures}\nwrong\n"
        )
    };
    take(&mut view, &page(0), 15.0, &Limits::default());
    take(&mut view, &page(2), 20.0, &Limits { series: 4, ..Limits::default() });
    view.shown.error = Some("cannot reach http://127.0.0.1:9464/metrics: connection refused".to_owned());
    check("troubles", &mut view, SIZES[0]);
    let mut waiting = View { url: "http://127.0.0.1:9464/metrics".to_owned(), ..View::default() };
    check("before-the-first-page", &mut waiting, SIZES[0]);
}

#[test]
fn no_terminal_is_too_small_to_draw_on() {
    let mut view = view_of("prometheus");
    press(&mut view, "jjjG?");
    for (width, height) in [(1, 1), (10, 3), (40, 10), (300, 5)] {
        drawn(&mut view, width, height);
    }
    press(&mut view, "?");
    assert!(drawn(&mut view, 80, 24).contains('>'), "the row that is chosen is in sight");
}

#[test]
fn there_are_colours_only_if_there_may_be() {
    for colours in [false, true] {
        let mut view = View { colours, ..view_of("demo") };
        let mut terminal = Terminal::new(TestBackend::new(80, 24)).unwrap();
        terminal.draw(|frame| screen::draw(frame, &mut view)).unwrap();
        let has_colour = terminal.backend().buffer().content.iter().any(|cell| cell.fg != Color::Reset);
        assert_eq!(has_colour, colours);
    }
}

#[test]
fn figures_for_programs_are_those_of_the_screen() {
    let view = view_of("demo");
    let json = plain::json(&view);
    let metric = |name: &str| {
        json["metrics"].as_array().unwrap().iter().find(|metric| metric["name"] == name).unwrap().clone()
    };
    let placed = metric("orders_placed_total");
    assert_eq!((&placed["kind"], placed["series"].as_array().unwrap().len()), (&"counter".into(), 4));
    let sum: f64 =
        placed["series"].as_array().unwrap().iter().map(|series| series["delta"].as_f64().unwrap()).sum();
    assert_eq!(placed["delta"].as_f64().unwrap(), sum);
    assert_eq!(placed["rate"].as_f64().unwrap(), sum / 5.0);
    assert_eq!(json["interval"], 5.0);
    assert_eq!(json["http"]["rate"], metric("http_server_request_duration_seconds")["rate"]);
    assert!(metric("order_settle_duration_seconds")["p99"].as_f64().unwrap() > 0.0);
    assert_eq!(json["exporters"][0]["name"], "otlp");
}

#[test]
fn lines_for_people_have_what_stands_above_the_table_on_the_screen() {
    for program in ["demo", "node-exporter", "prometheus"] {
        compare(&format!("{program}-once"), &plain::text(&view_of(program)));
    }
}

#[test]
fn what_is_recorded_can_be_read_as_a_table() {
    let view = view_of("demo");
    let path = std::env::temp_dir().join(format!("metercast-top-{}.csv", std::process::id()));
    let _ = fs::remove_file(&path);
    let mut csv = plain::Csv::create(&path).unwrap();
    csv.record(&view.shown.history, "placed", NOW).unwrap();
    let again = plain::Csv::create(&path).unwrap_err();
    assert!(again.ends_with(".csv is there already; name another file for --csv"), "{again}");
    let text = fs::read_to_string(&path).unwrap();
    fs::remove_file(&path).unwrap();
    let lines: Vec<_> = text.lines().collect();
    assert_eq!(lines.len(), 5, "{text}");
    assert_eq!(lines[0], "time,metric,labels,kind,value,delta,rate,p50,p95,p99");
    let first = r#"1795302432.000,orders_placed_total,"region=""eu"",side=""buy""",counter,185,"#;
    assert!(lines[1].starts_with(first), "{}", lines[1]);
    assert!(
        lines.iter().all(|line| line.matches("\"\"").count() == if line.starts_with("time") { 0 } else { 4 })
    );
}

#[test]
fn no_page_is_so_broken_that_it_ends_the_program() {
    // The same numbers each time (a generator of Lehmer's).
    let mut state: u64 = 1_795_302_432;
    let mut below = |end: usize| {
        state = state * 48_271 % 0x7fff_ffff;
        state as usize % end
    };
    let whole = fs::read(conformance().join("pages/demo/1.txt")).unwrap();
    let limits = Limits { series: 20, text: 20_000, ..Limits::default() };
    let mut view = View { url: "http://127.0.0.1:9464/metrics".to_owned(), ..View::default() };
    for at in 0..60 {
        let begin = below(whole.len());
        let mut page = whole[begin..whole.len().min(begin + 8000)].to_vec();
        for _ in 0..below(200) {
            let place = below(page.len());
            match below(3) {
                0 => page[place] = below(256) as u8,
                1 => page[place] = b"{}\",=\\ \n#\t_+.eNi0"[below(17)],
                _ => page.truncate(place.max(1)),
            }
        }
        let page = Page::read(&page[..], &limits).unwrap();
        assert!(page.series <= 20, "{page:?}");
        let troubles = page.troubles(&limits);
        view.shown.take(&Fetched { page, took: Duration::ZERO }, troubles, None, f64::from(at));
        drawn(&mut view, 80, 24);
        let series: usize = plain::json(&view)["metrics"]
            .as_array()
            .unwrap()
            .iter()
            .map(|metric| metric["series"].as_array().unwrap().len())
            .sum();
        assert!(series <= 20);
    }
}
