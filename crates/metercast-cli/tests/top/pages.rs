//! Figures of real pages, for programs.

use serde_json::Value;

use crate::support::{Server, page, printed, send};

fn once(arguments: &[&str]) -> Value {
    serde_json::from_str(&printed(&[&["--once", "--json", "--interval", "0.1"], arguments].concat())).unwrap()
}

fn metric<'a>(json: &'a Value, name: &str) -> &'a Value {
    let mut metrics = json["metrics"].as_array().unwrap().iter();
    metrics.find(|metric| metric["name"] == name).unwrap_or_else(|| panic!("{name} is not there"))
}

#[test]
fn rates_and_quantiles_are_of_one_interval() {
    let server = Server::pages(vec![page("demo/1.txt"), page("demo/2.txt")]);
    let json = once(&[&server.address]);
    let interval = json["interval"].as_f64().unwrap();
    let placed = metric(&json, "orders_placed_total");
    let rate = placed["delta"].as_f64().unwrap() / interval;
    assert!((placed["rate"].as_f64().unwrap() - rate).abs() < 1e-6, "{placed}");
    assert_eq!(placed["delta"], 321.0);
    assert!(metric(&json, "order_settle_duration_seconds")["p99"].is_f64());
    assert_eq!(json["exporters"][1]["name"], "prometheus");
    assert_eq!((&json["troubles"], &json["http"]["failed"]), (&serde_json::json!([]), &0.0.into()));
}

#[test]
fn foreign_pages_are_read_as_well() {
    let server = Server::pages(vec![page("node-exporter/1.txt"), page("node-exporter/2.txt")]);
    let json = once(&[&server.address]);
    assert_eq!(json["metrics"].as_array().unwrap().len(), 117);
    assert_eq!(metric(&json, "node_cpu_seconds_total")["series"].as_array().unwrap().len(), 16);
    assert_eq!(json["http"], Value::Null);
    let asked = server.heads.lock().unwrap();
    assert!(asked.iter().all(|head| head.starts_with("GET /metrics ")), "nobody asks others for a live page");
}

#[test]
fn what_the_live_page_knows_of_exporters_is_said() {
    let live = r#"{"exporters":[{"name":"central","status":"failing","failures":3,"last_success":null,
        "error":{"class":"401","text":"push to http://c failed: 401; check the token"}}],"problems":[]}"#;
    let demo = page("demo/1.txt");
    let server = Server::start(move |_, head, stream| match head.starts_with("GET /live/api/health ") {
        true => send(stream, "200 OK", "application/json", live),
        false => send(stream, "200 OK", "text/plain; version=0.0.4", &demo),
    });
    let json = once(&[&server.address]);
    assert_eq!(json["exporters"][0]["cause"], "push to http://c failed: 401; check the token");
}

#[test]
fn a_filter_and_an_order_hold_for_programs_too() {
    let server = Server::pages(vec![page("demo/1.txt")]);
    let json = once(&[&server.address, "--filter", "ORDERS_", "--sort", "name"]);
    let names: Vec<_> = json["metrics"].as_array().unwrap().iter().map(|metric| &metric["name"]).collect();
    assert_eq!(
        names,
        ["orders_open_amount", "orders_placed_total", "orders_refused_total", "orders_settled_total"]
    );
}

#[test]
fn each_interval_is_a_line_and_a_part_of_the_record() {
    let server =
        Server::pages(vec!["# TYPE a counter\na 1\n".to_owned(), "# TYPE a counter\na 4\n".to_owned()]);
    let file = std::env::temp_dir().join(format!("metercast-top-test-{}.csv", std::process::id()));
    let _ = std::fs::remove_file(&file);
    let said = printed(&[
        &server.address,
        "--json",
        "--count",
        "3",
        "--interval",
        "0.1",
        "--csv",
        file.to_str().unwrap(),
    ]);
    let deltas: Vec<_> = said
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap()["metrics"][0]["delta"].as_f64().unwrap())
        .collect();
    assert_eq!(deltas, [3.0, 0.0, 0.0]);
    let recorded = std::fs::read_to_string(&file).unwrap();
    std::fs::remove_file(&file).unwrap();
    let values: Vec<_> = recorded.lines().map(|line| line.split(',').nth(5).unwrap()).collect();
    assert_eq!(values, ["delta", "3", "0", "0"]);
}

#[test]
fn lines_for_people_without_a_terminal_have_no_colours() {
    let server = Server::pages(vec![page("prometheus/1.txt"), page("prometheus/2.txt")]);
    let said = printed(&[&server.address, "--once", "--interval", "0.1"]);
    let lines: Vec<_> = said.lines().map(|line| line.split(' ').next().unwrap()).collect();
    assert!(lines.starts_with(&["HTTP:", "METRIC"]) && !said.contains('\x1b'), "{said}");
    assert!(said.lines().any(|line| line.starts_with("prometheus_http_requests_total ")), "{said}");
}
