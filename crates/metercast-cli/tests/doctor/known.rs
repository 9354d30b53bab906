//! Each known answer of a receiver is explained as `conformance/doctor` says.

use std::fmt::Write as _;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use metercast_tower::config::{Config, Prometheus};
use metercast_tower::{Log, Store, Telemetry};
use opentelemetry_proto::tonic::collector::metrics::v1::{
    ExportMetricsPartialSuccess, ExportMetricsServiceResponse,
};
use prost::Message as _;
use toml::{Table, Value};

use crate::server::{Answer, Server, http};
use crate::support::{file, run};

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../conformance/doctor")
}

/// The text under a key of a case; empty if there is none.
fn text<'a>(case: &'a Table, key: &str) -> &'a str {
    case.get(key).map_or("", |value| value.as_str().unwrap())
}

fn number(case: &Table, key: &str) -> Option<i64> {
    case.get(key).map(|value| value.as_integer().unwrap())
}

fn answer(case: &Table) -> Answer {
    let empty = Table::new();
    let headers = case.get("headers").map_or(&empty, |headers| headers.as_table().unwrap());
    let mut headers: Vec<_> =
        headers.iter().map(|(name, value)| (name.as_str(), value.as_str().unwrap())).collect();
    let over_http = match number(case, "rejected") {
        Some(rejected_data_points) => {
            let error_message = text(case, "says").to_owned();
            let partial_success = Some(ExportMetricsPartialSuccess { rejected_data_points, error_message });
            headers.push(("content-type", "application/x-protobuf"));
            http("200 OK", &headers, &ExportMetricsServiceResponse { partial_success }.encode_to_vec())
        }
        None => http(text(case, "status"), &headers, text(case, "body").as_bytes()),
    };
    match text(case, "server") {
        "" | "http" => Answer::Http(over_http),
        "https" => Answer::Https(over_http),
        "grpc" => Answer::Grpc {
            code: number(case, "code").unwrap().try_into().unwrap(),
            says: text(case, "says").to_owned(),
        },
        "bytes" => {
            let digits = text(case, "bytes");
            let byte = |at| u8::from_str_radix(&digits[at..at + 2], 16).unwrap();
            Answer::Bytes((0..digits.len()).step_by(2).map(byte).collect())
        }
        "silent" => Answer::Silent,
        "closed" => Answer::Closed,
        other => panic!("there is no server {other:?}"),
    }
}

/// The file of a case, with the server that it is about.
fn configured(case: &Table) -> (Server, String) {
    let server = Server::start(answer(case));
    let exporter = text(case, "exporter").replace("{address}", &server.address);
    let page = "[telemetry.exporters.prometheus]\nenabled = false\n";
    (server, format!("{page}[telemetry.exporters.one]\ntype = \"otlp\"\n{exporter}"))
}

/// What is said of the exporter.
fn said(case: &Table) -> String {
    let (server, text) = configured(case);
    let path = file(&format!("known-{}.toml", server.address.replace(':', "-")), text);
    let ran = run(&["doctor", "--send", "-c", &path]);
    assert_eq!((ran.status, ran.stderr.as_str()), (1, ""), "{}", ran.stdout);
    let line = ran.stdout.lines().find_map(|line| line.trim_start().strip_prefix("tried        FAILED: "));
    line.unwrap_or_else(|| panic!("{}", ran.stdout)).replace(&server.address, "{address}")
}

#[test]
fn each_known_answer_is_explained() {
    let update = std::env::var_os("UPDATE").is_some();
    let (mut count, mut differences) = (0, String::new());
    let mut files: Vec<_> = std::fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|extension| extension == "toml"));
    files.sort();
    for path in &files {
        let whole = std::fs::read_to_string(path).unwrap();
        let mut rewritten = String::new();
        let mut blocks = whole.split("[[case]]\n");
        rewritten.push_str(blocks.next().unwrap());
        for block in blocks {
            let case: Table = block.parse().unwrap();
            let said = said(&case);
            count += 1;
            if said != text(&case, "expected") {
                let (name, was) = (text(&case, "name"), text(&case, "expected"));
                writeln!(differences, "{}: {name}\n  was {was}\n  is  {said}", path.display()).unwrap();
            }
            let kept: Vec<_> =
                block.trim_end().lines().filter(|line| !line.starts_with("expected = ")).collect();
            write!(rewritten, "[[case]]\n{}\nexpected = {}\n\n", kept.join("\n"), Value::from(said)).unwrap();
        }
        if update {
            std::fs::write(path, rewritten.trim_end().to_owned() + "\n").unwrap();
        }
    }
    assert!(count >= 40, "{count}");
    assert!(update || differences.is_empty(), "{differences}UPDATE=1 rewrites what is expected");
}

/// A program says the same in its log and on its page.
#[test]
fn a_log_and_the_live_page_say_what_the_doctor_says() {
    for (name, at) in [("grafana-cloud.toml", 0), ("datadog.toml", 1), ("collector.toml", 6)] {
        let whole: Table = std::fs::read_to_string(folder().join(name)).unwrap().parse().unwrap();
        let case = whole["case"].as_array().unwrap()[at].as_table().unwrap();
        let (server, text) = configured(case);
        let lines = Arc::new(Mutex::new(Vec::new()));
        let log = Log::to({
            let lines = Arc::clone(&lines);
            move |_, line| lines.lock().unwrap().push(line.to_owned())
        });
        let page = Prometheus::listen("127.0.0.1:0").live(true);
        let config = Config::builder().environment(false).text("one.toml", &text).exporter("scrape", page);
        let store = Store::new();
        let telemetry =
            Telemetry::builder(config.build().unwrap()).store(store.clone()).log(log).start().unwrap();
        store.scope(|| metercast_tower::u64_counter!("orders", "Orders.", 2));
        assert!(telemetry.flush(Duration::from_secs(30)).is_err(), "{name}");
        let explained = self::text(case, "expected").replace("{address}", &server.address);
        // How many points there are is not the doctor's business.
        let explained = explained.rsplit_once(": ").map_or(explained.as_str(), |(_, mend)| mend);
        let explained = explained.rsplit_once("); ").map_or(explained, |(_, mend)| mend);
        let logged = lines.lock().unwrap().join("\n");
        assert!(logged.contains(explained), "{name}: {explained}\n{logged}");
        let url = format!("http://{}/live/api/health", telemetry.scrape_address().unwrap());
        let health = ureq::get(&url).call().unwrap().into_body().read_to_string().unwrap();
        let health: serde_json::Value = serde_json::from_str(&health).unwrap();
        let exporters = health["exporters"].as_array().unwrap();
        let one = exporters.iter().find(|exporter| exporter["name"] == "one").unwrap();
        assert!(one["error"]["text"].as_str().unwrap().contains(explained), "{name}: {one}");
    }
}
