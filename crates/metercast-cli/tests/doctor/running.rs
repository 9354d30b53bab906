//! `metercast reload` and `metercast preview` against a program that runs, and against what is none.

use std::time::Duration;

use metercast_tower::config::{Config, Otlp, Prometheus};
use metercast_tower::view::{Filter, Visibilities};
use metercast_tower::{Log, Store, Telemetry, metrics};
use serde_json::Value;

use crate::server::{Answer, Server, http};
use crate::support::{Ran, file, run};

metrics! {
    /// Orders accepted.
    static ORDERS: Counter<u64> = "orders.placed" { unit: "{order}", labels: { side: &str, "user.id": &str } };
    /// Nobody else's.
    static SECRET: Gauge<i64> = "vendor.secret" { visibility: private };
}

const PROGRAM: &str = env!("CARGO_BIN_EXE_metercast");

/// A program with a page that may reload, and a push to nobody.
struct Program {
    telemetry: Telemetry,
    path: String,
}

impl Program {
    fn start(name: &str, page: Prometheus) -> Program {
        let path = file(&format!("{name}.toml"), PUSH);
        let vendor = Otlp::to("http://127.0.0.1:1").bearer("v3ndor");
        let vendor = vendor.filter(Filter::new().visibility(Visibilities::Both));
        let config = Config::builder().environment(false).service("shop", "1.0").file(&path);
        // Nobody is there to be waited for at the end.
        let config = config.shutdown_timeout(Duration::from_millis(1));
        let config = config.exporter("scrape", page).private_exporter("vendor", vendor).build().unwrap();
        let store = Store::new();
        let log = Log::to(|_, _| {});
        let telemetry = Telemetry::builder(config).store(store.clone()).log(log).start().unwrap();
        store.scope(|| {
            ORDERS.add(1, ("buy", "7"));
            SECRET.set(1);
        });
        Program { telemetry, path }
    }

    fn run(&self, arguments: &[&str]) -> Ran {
        let address = self.telemetry.scrape_address().unwrap().to_string();
        run(&[arguments, &[&address]].concat())
    }
}

const PUSH: &str = "[telemetry.exporters.central]\ntype = \"otlp\"\nendpoint = \"http://127.0.0.1:1\"\ninterval = \"1h\"\n\
                    auth = { bearer = \"s3cret-one\" }\nviews = [{ name = \"orders.*\", drop_labels = [\"user.id\"] }, \
                    { name = \"orders.placed\", rename = \"shop.orders\" }]\n";

fn page() -> Prometheus {
    Prometheus::listen("127.0.0.1:0").reload(true)
}

#[test]
fn a_reload_is_planned_then_done_then_refused() {
    let program = Program::start("reload", page());
    let ran = program.run(&["reload", "--dry-run"]);
    assert_eq!(
        (ran.status, ran.stdout.as_str(), ran.stderr.as_str()),
        (0, "central: unchanged\nscrape: unchanged\n", "")
    );

    let changed = PUSH.replace("s3cret-one", "s3cret-two").replace("1h", "2h");
    file(
        "reload.toml",
        format!(
            "{changed}[telemetry]\nexemplars = \"always_off\"\n[telemetry.exporters.stdout]\ninterval = \"1h\"\n"
        ),
    );
    let plan = "exemplars changed\ncentral: interval, headers changed\nscrape: unchanged\nstdout: added\n";
    for _ in 0..2 {
        let ran = program.run(&["reload", "--dry-run"]);
        assert_eq!((ran.status, ran.stdout.as_str()), (0, plan), "{}", ran.stderr);
    }
    let json: Value = serde_json::from_str(&program.run(&["reload", "--dry-run", "--json"]).stdout).unwrap();
    assert_eq!((&json["ok"], &json["dry_run"]), (&true.into(), &true.into()));
    assert_eq!(json["changes"]["settings"], serde_json::json!(["exemplars"]));
    assert_eq!(json["changes"]["exporters"][0]["keys"], serde_json::json!(["interval", "headers"]));
    let ran = program.run(&["reload"]);
    assert_eq!(
        (ran.status, ran.stdout.as_str()),
        (0, "exemplars changed; central: interval, headers changed; scrape: unchanged; stdout: added\n")
    );
    assert_eq!(program.run(&["reload"]).stdout, "nothing changed\n");

    file("reload.toml", format!("{PUSH}intervall = \"s3cret-three\"\n"));
    for arguments in [["reload"].as_slice(), &["reload", "--dry-run"]] {
        let ran = program.run(arguments);
        assert_eq!((ran.status, ran.stdout.as_str()), (1, ""));
        let said = format!(
            "error: the configuration is refused, and the one before it holds:\n{}:7: ",
            program.path
        );
        assert!(ran.stderr.starts_with(&said), "{}", ran.stderr);
        assert!(!ran.stderr.contains("s3cret"), "{}", ran.stderr);
    }
    let ran = program.run(&["reload", "--json"]);
    let json: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!((ran.status, &json["ok"], &json["changes"]), (1, &false.into(), &Value::Null));
}

#[test]
fn a_page_in_a_folder_has_the_reload_at_the_root() {
    let program = Program::start("folder", page().path("/api/metrics"));
    let address = program.telemetry.scrape_address().unwrap();
    for url in [format!("http://{address}/api/metrics?name=orders"), format!("http://{address}")] {
        for arguments in [&["reload", "--dry-run"][..], &["reload"], &["preview", "central"]] {
            let ran = run(&[arguments, &[&url]].concat());
            assert_eq!((ran.status, ran.stderr.as_str()), (0, ""), "{arguments:?} {url}");
        }
    }
    let closed = Program::start("folder-closed", Prometheus::listen("127.0.0.1:0").path("/api/metrics"));
    let url = format!("http://{}/api/metrics", closed.telemetry.scrape_address().unwrap());
    let ran = run(&["reload", &url]);
    assert_eq!(ran.status, 1);
    let said = "(there is nothing at /-/reload; the metrics are at /api/metrics); set reload = true";
    assert!(ran.stderr.contains(said), "{}", ran.stderr);
}

#[test]
fn the_root_of_a_proxy_is_another_program_and_not_asked() {
    // What the proxy leaves of the path, or what another program says.
    for body in [
        r#"{"successful":false,"text":"there is nothing at /-/reload","path":"/-/reload"}"#,
        "<html>there is nothing at /ops/shop/-/reload</html>",
    ] {
        let answer = http("404 Not Found", &[("content-type", "application/json")], body.as_bytes());
        let server = Server::start(Answer::Http(answer));
        let ran = run(&["reload", &format!("http://{}/ops/shop/metrics", server.address)]);
        assert_eq!(ran.status, 1);
        let requests = server.requests.lock().unwrap();
        let lines = requests.iter().filter_map(|(head, _)| head.lines().next());
        // An empty body that comes in chunks is no request.
        let asked: Vec<_> = lines.filter(|line| *line != "0").collect();
        assert_eq!(asked, ["post /ops/shop/-/reload http/1.1"], "{}", ran.stderr);
    }
}

#[test]
fn what_cannot_be_had_is_found_by_the_plan() {
    let program = Program::start("plan", page());
    let held = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let held = held.local_addr().map(|address| (held, address)).unwrap();
    file(
        "plan.toml",
        format!("{PUSH}[telemetry.exporters.more]\ntype = \"prometheus\"\nlisten = \"{}\"\n", held.1),
    );
    let ran = program.run(&["reload", "--dry-run"]);
    assert_eq!(ran.status, 1);
    assert!(
        ran.stderr.contains(&format!("exporter \"more\" cannot listen on {}: ", held.1)),
        "{}",
        ran.stderr
    );
}

#[test]
fn who_has_no_token_is_told_so_and_where_nobody_may_reload_that_is_said() {
    let program = Program::start("token", page().bearer("s3cret-page"));
    let ran = program.run(&["reload", "--dry-run"]);
    assert_eq!((ran.status, ran.stdout.as_str()), (1, ""));
    assert!(ran.stderr.starts_with("error: it wants its token: --token-file FILE ("), "{}", ran.stderr);
    assert!(program.run(&["preview", "central"]).stderr.contains("it wants its token: --token-file FILE"));
    let (right, wrong) = (file("right", "s3cret-page\n"), file("wrong", "s3cret-other\n"));
    let ran = program.run(&["reload", "--dry-run", "--token-file", &right]);
    assert_eq!(
        (ran.status, ran.stdout.as_str()),
        (0, "central: unchanged\nscrape: unchanged\n"),
        "{}",
        ran.stderr
    );
    assert_eq!(program.run(&["preview", "central", "--token-file", &right]).status, 0);
    let ran = program.run(&["reload", "--token-file", &wrong]);
    assert!(ran.stderr.starts_with("error: the token is not the one that it wants"), "{}", ran.stderr);
    assert!(!ran.stderr.contains("s3cret"), "{}", ran.stderr);

    let closed = Program::start("closed", Prometheus::listen("127.0.0.1:0"));
    let ran = closed.run(&["reload", "--dry-run"]);
    assert_eq!(ran.status, 1);
    assert!(
        ran.stderr.contains("set reload = true in the table of the exporter that serves its page"),
        "{}",
        ran.stderr
    );
}

#[test]
fn what_an_exporter_lets_out_is_told_with_its_names_there() {
    let program = Program::start("preview", page());
    let ran = program.run(&["preview", "central"]);
    assert_eq!((ran.status, ran.stderr.as_str()), (0, ""));
    assert!(
        ran.stdout.starts_with("central: otlp, http://127.0.0.1:1/v1/metrics\n\nMETRIC "),
        "{}",
        ran.stdout
    );
    let lines: Vec<Vec<&str>> = ran.stdout.lines().map(|line| line.split_whitespace().collect()).collect();
    let order =
        ["orders.placed", "shop.orders", "counter", "{order}", "public", "side", "Orders", "accepted."];
    assert!(lines.contains(&order.to_vec()), "{}", ran.stdout);
    assert!(lines.contains(&vec!["resource", "service.name", "=", "shop"]), "{}", ran.stdout);
    assert!(!ran.stdout.contains("vendor.secret") && !ran.stdout.contains("s3cret"), "{}", ran.stdout);
    let json: Value = serde_json::from_str(&program.run(&["preview", "central", "--json"]).stdout).unwrap();
    let metrics = json["metrics"].as_array().unwrap();
    assert!(
        metrics.iter().any(|metric| metric["name"] == "shop.orders" && metric["attributes"][0] == "side")
    );

    let ran = program.run(&["preview", "nobody"]);
    assert_eq!(ran.status, 1);
    assert_eq!(ran.stderr, "error: there is no exporter \"nobody\"; there are: central, scrape, vendor\n");
    let ran = program.run(&["preview", "../../x y"]);
    assert!(ran.stderr.starts_with("error: there is no exporter \"../../x y\""), "{}", ran.stderr);
    // The user's hold on it is to see all that it sends, and to switch it off.
    let ran = program.run(&["preview", "vendor"]);
    assert!(
        ran.stdout.contains(", which the program keeps to itself\n") && ran.stdout.contains("vendor.secret"),
        "{}",
        ran.stdout
    );
    assert!(!ran.stdout.contains("v3ndor"), "{}", ran.stdout);
}

#[test]
fn a_program_that_does_not_run_is_read_from_its_file() {
    let config = "[telemetry.exporters.central]\ntype = \"otlp\"\nendpoint = \"http://collector:4318\"\ninclude = [\"orders.*\"]\n\
                  resource = [\"service.name\"]\nviews = [{ name = \"orders.placed\", rename = \"shop.orders\" }]\n";
    let path = file("offline.toml", config);
    let ran = run(&["preview", "central", "-c", &path, "--binary", PROGRAM]);
    assert_eq!((ran.status, ran.stderr.as_str()), (0, ""));
    let json: Value = serde_json::from_str(
        &run(&["preview", "central", "-c", &path, "--binary", PROGRAM, "--json"]).stdout,
    )
    .unwrap();
    let metrics = json["metrics"].as_array().unwrap();
    assert!(
        metrics.iter().all(|metric| metric["declared"].as_str().unwrap().starts_with("orders.")),
        "{json}"
    );
    let placed = metrics.iter().find(|metric| metric["declared"] == "orders.placed").unwrap();
    assert_eq!((&placed["name"], &placed["kind"]), (&"shop.orders".into(), &"counter".into()));
    // What the program's catalogue has of it.
    let catalogue: Value =
        serde_json::from_str(&run(&["docs", "--binary", PROGRAM, "--json"]).stdout).unwrap();
    let declared =
        catalogue["metrics"].as_array().unwrap().iter().find(|metric| metric["name"] == "orders.placed");
    let labels = declared.unwrap()["labels"].as_array().unwrap();
    let mut keys: Vec<_> = labels.iter().map(|label| label["key"].clone()).collect();
    keys.sort_by_key(|key| key.as_str().unwrap().to_owned());
    assert_eq!(placed["attributes"].as_array().unwrap(), &keys);
    assert!(
        ran.stdout.contains("resource service.name = ") && !ran.stdout.contains("service.instance.id"),
        "{}",
        ran.stdout
    );

    let ran = run(&["preview", "other", "-c", &path, "--binary", PROGRAM]);
    assert_eq!(
        (ran.status, ran.stderr.as_str()),
        (1, "error: there is no exporter \"other\"; there are: central\n")
    );
    assert_eq!(run(&["preview", "central", "-c", &path]).status, 2);
    let ran = run(&["preview", "central", "-c", &path, "--binary", &path]);
    assert_eq!(ran.status, 1);
    assert!(ran.stderr.starts_with("error: "), "{}", ran.stderr);
}

#[test]
fn what_is_no_such_program_is_said_within_bounds() {
    let evil = http(
        "404 Not Found",
        &[("content-type", "text/plain")],
        "\u{1b}[2J\u{7} there is \u{202e}nothing".as_bytes(),
    );
    let large = http("200 OK", &[("content-type", "application/json")], &vec![b' '; 100 << 20]);
    let page = http("200 OK", &[("content-type", "text/html")], b"<html>");
    let yes = http("200 OK", &[("content-type", "application/json")], b"{\"status\":\"ok\"}");
    let elsewhere = http("302 Found", &[("location", "http://127.0.0.1:1/")], b"");
    let cases = [
        (Answer::Http(evil), "it has no live page (", "it does not reload at the request of others ("),
        (Answer::Http(large), "is longer than 16 MB", "is longer than 16 MB"),
        (
            Answer::Http(page),
            "has no live page of metercast",
            "/metrics is no metercast listener: it answers 200",
        ),
        (Answer::Http(yes), "is no live page of metercast", "is no metercast listener"),
        (Answer::Http(elsewhere), "leads elsewhere", "leads elsewhere"),
        (Answer::Silent, "within 0.3 s", "within 0.3 s"),
        (Answer::Closed, "error: ", "error: "),
    ];
    for (answer, previewed, reloaded) in cases {
        let timeout = if matches!(answer, Answer::Silent) { "0.3" } else { "60" };
        let server = Server::start(answer);
        for (arguments, said) in [
            (["preview", "central"].as_slice(), previewed),
            (&["reload", "--dry-run"], reloaded),
            (&["reload", "--json"], reloaded),
        ] {
            let ran = run(&[arguments, &["--timeout", timeout, &server.address]].concat());
            assert_eq!((ran.status, ran.stdout.as_str()), (1, ""), "{arguments:?}");
            assert!(ran.stderr.contains(said), "{arguments:?}: {}", ran.stderr);
            assert!(
                !ran.stderr.contains(|c: char| (c.is_control() && c != '\n') || c == '\u{202e}'),
                "{:?}",
                ran.stderr
            );
        }
    }
    let ran = run(&["reload", "127.0.0.1:1"]);
    assert!(ran.stderr.contains("connection refused; is the program running"), "{}", ran.stderr);
    let ran = run(&["reload", "http://me:s3cret@127.0.0.1:1/?key=s3cret"]);
    assert!(!ran.stderr.contains("s3cret"), "{}", ran.stderr);
}
