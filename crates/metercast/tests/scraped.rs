//! The real Prometheus scrapes the listener: encrypted, with a token, in the format that it asks for.
#![cfg(all(feature = "serve", feature = "tls", feature = "config"))]

use std::net::SocketAddr;
use std::process::Command;

use conformance::program::{Folder, Program, free_address};
use conformance::{http, use_programs};
use metercast::{Config, Store, Telemetry, f64_histogram, u64_counter};

mod support;

struct Prometheus {
    program: Program,
    url: String,
}

impl Prometheus {
    /// One that scrapes `target`, and trusts and shows what `security` says; `tls.crt` is there.
    fn scraping(target: SocketAddr, security: &str, certificate: &str) -> Prometheus {
        let config = format!(
            "global: {{ scrape_interval: 1s, scrape_timeout: 1s }}\nscrape_configs:\n- job_name: metercast\n  \
             scheme: https\n{security}  static_configs:\n  - targets: ['{target}']\n"
        );
        let folder = Folder::new();
        folder.write("tls.crt", certificate);
        let config = folder.write("prometheus.yml", &config);
        let address = free_address();
        let mut command = Command::new("prometheus");
        command
            .arg(format!("--config.file={config}"))
            .arg(format!("--storage.tsdb.path={}", folder.path().join("data").display()))
            .arg(format!("--web.listen-address={address}"));
        let url = format!("http://{address}");
        let mut program = Program::start(command, folder);
        program.wait_until_ready(&format!("{url}/-/ready"));
        Prometheus { program, url }
    }

    /// Waits until what it answers to a path has a text in it.
    fn says(&mut self, path: &str, text: &str) {
        let url = format!("{}{path}", self.url);
        self.program.wait_for(&format!("{path} says {text}"), || {
            String::from_utf8_lossy(&http::get(&url)).contains(text).then_some(())
        });
    }
}

#[test]
fn prometheus_scrapes_an_encrypted_listener_with_its_token_and_is_refused_without() {
    if !use_programs(
        "prometheus_scrapes_an_encrypted_listener_with_its_token_and_is_refused_without",
        "prometheus",
    ) {
        return;
    }
    let folder = Folder::new();
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let certificate = folder.write("tls.crt", &made.cert.pem());
    let key = folder.write("tls.key", &made.signing_key.serialize_pem());
    let file = format!(
        "[telemetry.exporters.prometheus]\nlisten = '127.0.0.1:0'\nauth = {{ bearer = 's3cret' }}\n\
         tls = {{ certificate = '{certificate}', key = '{key}' }}\n"
    );
    let config = Config::builder().environment(false).text("metercast.toml", &file).build().unwrap();
    let store = Store::new();
    store.scope(|| {
        u64_counter!("jobs", "Jobs", 3, "kind" => "a");
        f64_histogram!("took", "Took", 0.3);
    });
    let (log, lines) = support::log();
    let telemetry = Telemetry::builder(config).store(store).log(log).start().unwrap();
    let address = telemetry.scrape_address().unwrap();
    assert_eq!(telemetry.scrape_url(), Some(format!("https://{address}/metrics")));

    let tls = "  tls_config: { ca_file: tls.crt, server_name: localhost }\n";
    let token = "  authorization: { credentials: s3cret }\n";
    let mut prometheus = Prometheus::scraping(address, &format!("{tls}{token}"), &made.cert.pem());
    prometheus.says("/api/v1/query?query=jobs_total", "\"kind\":\"a\"");
    prometheus.says("/api/v1/query?query=took_count", "\"1\"]");
    prometheus.says("/api/v1/targets", "\"health\":\"up\"");
    drop(prometheus);
    let mut refused = Prometheus::scraping(address, tls, &made.cert.pem());
    refused.says("/api/v1/targets", "server returned HTTP status 401 Unauthorized");
    assert!(!lines.lock().unwrap().iter().any(|(_, line)| line.contains("s3cret")));
}
