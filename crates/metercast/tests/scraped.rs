//! The real Prometheus scrapes the listener: encrypted, with a token, in the format that it asks for.
#![cfg(all(feature = "serve", feature = "tls", feature = "config"))]

use std::fs;
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use metercast::{Config, Store, Telemetry, f64_histogram, u64_counter};

mod support;

struct Prometheus {
    child: Child,
    address: SocketAddr,
}

impl Drop for Prometheus {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Prometheus {
    /// One that scrapes `target`, and trusts and shows what `security` says.
    fn scraping(target: SocketAddr, security: &str, folder: &Path) -> Prometheus {
        let config = format!(
            "global: {{ scrape_interval: 1s, scrape_timeout: 1s }}\nscrape_configs:\n- job_name: metercast\n  \
             scheme: https\n{security}  static_configs:\n  - targets: ['{target}']\n"
        );
        fs::write(folder.join("prometheus.yml"), config).unwrap();
        let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let child = Command::new("prometheus")
            .arg("--config.file=prometheus.yml")
            .arg("--storage.tsdb.path=data")
            .arg(format!("--web.listen-address={address}"))
            .current_dir(folder)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("prometheus, which `cargo xtask test` installs");
        Prometheus { child, address }
    }

    /// Waits until what it answers to a path has a text in it.
    fn says(&self, path: &str, text: &str) {
        let end = Instant::now() + Duration::from_secs(60);
        let mut last = String::new();
        while Instant::now() < end {
            if std::net::TcpStream::connect(self.address).is_ok() {
                last = support::request(self.address, "GET", path).1;
                if last.contains(text) {
                    return;
                }
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        panic!("{path} never says {text}: {last}");
    }
}

fn folder() -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("scraped");
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).unwrap();
    folder
}

#[test]
fn prometheus_scrapes_an_encrypted_listener_with_its_token_and_is_refused_without() {
    if !support::use_programs(
        "prometheus_scrapes_an_encrypted_listener_with_its_token_and_is_refused_without",
        "prometheus",
    ) {
        return;
    }
    let folder = folder();
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    fs::write(folder.join("tls.crt"), made.cert.pem()).unwrap();
    fs::write(folder.join("tls.key"), made.signing_key.serialize_pem()).unwrap();
    let file = format!(
        "[telemetry.exporters.prometheus]\nlisten = '127.0.0.1:0'\nauth = {{ bearer = 's3cret' }}\n\
         tls = {{ certificate = '{0}/tls.crt', key = '{0}/tls.key' }}\n",
        folder.display()
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
    let prometheus = Prometheus::scraping(address, &format!("{tls}{token}"), &folder);
    prometheus.says("/api/v1/query?query=jobs_total", "\"kind\":\"a\"");
    prometheus.says("/api/v1/query?query=took_count", "\"1\"]");
    prometheus.says("/api/v1/targets", "\"health\":\"up\"");
    drop(prometheus);
    let refused = Prometheus::scraping(address, tls, &folder);
    refused.says("/api/v1/targets", "server returned HTTP status 401 Unauthorized");
    assert!(!lines.lock().unwrap().iter().any(|(_, line)| line.contains("s3cret")));
}
