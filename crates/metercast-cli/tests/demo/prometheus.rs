//! Debian's Prometheus scrapes the demo, and its query API gives back what was sent.

use std::collections::BTreeMap;
use std::io::Write;
use std::net::TcpListener;
use std::process::{Child, Command, Stdio};

use serde_json::{Value, json};

use crate::support::{Demo, Folder, Series, get, until};

/// A private Prometheus, stopped at the end of the test.
struct Prometheus {
    child: Child,
    url: String,
    _folder: Folder,
}

impl Prometheus {
    /// Scrapes a page each second.
    fn start(page: &str) -> Prometheus {
        let (target, path) = page.strip_prefix("http://").unwrap().split_once('/').unwrap();
        let folder = Folder::new();
        let config = folder.write(
            "prometheus.yml",
            &format!(
                "global: {{ scrape_interval: 1s, scrape_timeout: 1s }}\nscrape_configs:\n  - job_name: orders\n    \
                 metrics_path: /{path}\n    static_configs: [{{ targets: ['{target}'] }}]\n"
            ),
        );
        // Free a moment ago; Prometheus cannot be asked which port it took.
        let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let child = Command::new("prometheus")
            .arg(format!("--config.file={config}"))
            .arg(format!("--storage.tsdb.path={}", folder.path().join("data").display()))
            .arg(format!("--web.listen-address={free}"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("prometheus runs; `cargo xtask test` installs it");
        Prometheus { child, url: format!("http://{free}"), _folder: folder }
    }

    /// The samples that a query finds now.
    fn query(&self, query: &str) -> Option<Series> {
        let query: String = query.bytes().map(|byte| format!("%{byte:02x}")).collect();
        let (status, body) = get(&format!("{}/api/v1/query?query={query}", self.url)).ok()?;
        if status != 200 {
            return None;
        }
        let answer: Value = serde_json::from_str(&body).unwrap();
        assert_eq!(answer["data"]["resultType"], json!("vector"));
        let mut series = Series::new();
        for result in answer["data"]["result"].as_array().unwrap() {
            let mut labels: BTreeMap<String, String> =
                serde_json::from_value(result["metric"].clone()).unwrap();
            let name = labels.remove("__name__").unwrap_or_default();
            // What Prometheus adds: where it scraped.
            labels.remove("job");
            labels.remove("instance");
            // Prometheus asks for OpenMetrics, which spells the bound 1 as 1.0.
            if let Some(bound) = labels.get_mut("le")
                && let Some(whole) = bound.strip_suffix(".0")
            {
                *bound = whole.to_owned();
            }
            series.insert((name, labels), result["value"][1].as_str().unwrap().parse().unwrap());
        }
        Some(series)
    }
}

impl Drop for Prometheus {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Whether to do without the real programs; then the test says that it was skipped.
fn is_skipped(test: &str) -> bool {
    if std::env::var_os("METERCAST_WITHOUT_SERVICES").is_none() {
        return false;
    }
    let list = std::env::var_os("METERCAST_SKIPPED").expect("METERCAST_SKIPPED names a file");
    let mut list = std::fs::File::options().append(true).create(true).open(list).unwrap();
    writeln!(list, "{test}: prometheus").unwrap();
    true
}

#[test]
fn prometheus_gives_back_what_was_sent() {
    if is_skipped("prometheus_gives_back_what_was_sent") {
        return;
    }
    let mut demo = Demo::start(&["--seconds", "3", "--json", "--hold"]);
    let prometheus = Prometheus::start(&demo.place("metrics  "));
    let result = demo.result();
    assert_eq!(result.summary["equal"], json!(true));

    // Per route and status, and everything else that was sent: each series by its name.
    let names: std::collections::BTreeSet<&str> = result.sent.keys().map(|(name, _)| name.as_str()).collect();
    assert!(
        names.contains("http_server_request_duration_seconds_count") && names.contains("orders_placed_total")
    );
    for name in names {
        let sent: Series = result
            .sent
            .iter()
            .filter(|((of, _), _)| of == name)
            .map(|(series, value)| (series.clone(), *value))
            .collect();
        // Only the buckets that the load generator can know are in `sent`.
        let known = |mut found: Series| {
            found.retain(|series, _| !name.ends_with("_bucket") || sent.contains_key(series));
            found
        };
        let mut last = Series::new();
        until(&format!("a scrape of {name} after the load"), || {
            last = known(prometheus.query(name)?);
            (last == sent).then_some(())
        });
    }

    // The totals as somebody would ask for them on a dashboard.
    let total = |query: &str| prometheus.query(query).unwrap().into_values().sum::<f64>();
    let requests = result.summary["requests_sent"].as_f64().unwrap();
    assert_eq!(total("sum(http_server_request_duration_seconds_count)"), requests);
    assert_eq!(total("sum(http_server_request_duration_seconds_bucket{le=\"+Inf\"})"), requests);
    assert_eq!(total("sum(http_server_active_requests)"), 0.0);
    let cancelled = total("sum(http_server_request_duration_seconds_count{error_type=\"cancelled\"})");
    assert!(cancelled > 0.0);
    assert!(demo.end().status.success());
}
