//! Who may reload beside the program: a request, a file that changes, SIGHUP. All read the same, and refuse the same.

mod support;

use std::fs;
use std::path::PathBuf;
use std::sync::mpsc;
use std::time::Duration;

use metercast::config::Prometheus;
use metercast::log::Level;
use metercast::{Config, Log, Store, Telemetry};
use serde_json::json;
use support::{request, request_for, scrape, value};

const MINUTE: Duration = Duration::from_secs(60);

/// A configuration file that goes with the test.
struct ConfigFile(PathBuf);

impl ConfigFile {
    fn new(name: &str, path: &str) -> ConfigFile {
        let file = std::env::temp_dir().join(format!("metercast-sources-{}-{name}.toml", std::process::id()));
        let file = ConfigFile(file);
        file.write(path);
        file
    }

    /// The page is under this path from now on.
    fn write(&self, path: &str) {
        fs::write(&self.0, with_path(path)).unwrap();
    }

    fn config(&self) -> Config {
        let page = Prometheus::listen("127.0.0.1:0");
        Config::builder().environment(false).exporter("page", page).file(&self.0).build().unwrap()
    }
}

impl Drop for ConfigFile {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

fn with_path(path: &str) -> String {
    format!("[telemetry.exporters.page]\nreload = true\npath = \"{path}\"\n")
}

/// A log, and its lines as they come.
fn log() -> (Log, mpsc::Receiver<(Level, String)>) {
    let (sender, lines) = mpsc::channel();
    let log = Log::to(move |level, line| {
        let _ = sender.send((level, line.to_owned()));
    });
    (log, lines)
}

fn status(head: &str) -> &str {
    head.split(' ').nth(1).unwrap()
}

#[test]
fn a_request_reloads_where_it_may_and_says_what_changed_or_what_is_wrong() {
    let file = ConfigFile::new("request", "/metrics");
    let (log, lines) = log();
    let telemetry = Telemetry::builder(file.config()).store(Store::new()).log(log).start().unwrap();
    let address = telemetry.scrape_address().unwrap();
    assert_eq!(value(&scrape(address), "metercast_config_last_reload_successful"), Some(1.0));
    let post = || {
        let (head, body) = request(address, "POST", "/-/reload");
        (status(&head).to_owned(), body)
    };
    assert_eq!(post(), ("200".to_owned(), "nothing changed\n".to_owned()));
    let plan = || {
        let (head, body) = request(address, "POST", "/-/reload/plan");
        (status(&head).to_owned(), body)
    };
    assert_eq!(plan(), ("200".to_owned(), "page: unchanged\n".to_owned()));
    file.write("/m");
    assert_eq!(plan(), ("200".to_owned(), "page: path changed\n".to_owned()));
    assert_eq!(plan(), ("200".to_owned(), "page: path changed\n".to_owned()), "a plan changes nothing");
    assert_eq!(post(), ("200".to_owned(), "page: path changed\n".to_owned()));
    fs::write(&file.0, "[telemetry.exporters.page]\nreload = true\npaht = \"/x\"\n").unwrap();
    let name = file.0.display();
    let (planned, refused) = (plan(), post());
    assert_eq!((planned.0.as_str(), refused.0.as_str()), ("422", "422"));
    for (_, body) in [planned, refused] {
        assert!(
            body.starts_with(&format!("{name}:3: telemetry.exporters.page.paht: is not a key")),
            "{body}"
        );
    }
    let (_, page) = request(address, "GET", "/m");
    assert_eq!(value(&page, "metercast_config_last_reload_successful"), Some(0.0));
    for method in ["GET", "HEAD", "PUT"] {
        let (head, _) = request(address, method, "/-/reload");
        assert_eq!(status(&head), "405", "{head}");
        assert!(head.contains("\r\nallow: POST"), "{head}");
        assert_eq!(status(&request(address, method, "/-/reload/plan").0), "405");
    }
    // Where it is not said that it may, there is nothing.
    fs::write(&file.0, "").unwrap();
    assert_eq!(post(), ("200".to_owned(), "page: path, reload changed\n".to_owned()));
    assert_eq!((post().0.as_str(), plan().0.as_str()), ("404", "404"));
    let said: Vec<_> = lines.try_iter().skip(1).map(|(level, _)| level).collect();
    assert_eq!(said, [Level::Info, Level::Info, Level::Error, Level::Info]);
}

#[test]
fn a_program_that_asks_for_json_gets_what_people_are_told() {
    let file = ConfigFile::new("json", "/metrics");
    let telemetry =
        Telemetry::builder(file.config()).store(Store::new()).log(Log::to(|_, _| {})).start().unwrap();
    let post = |path: &str| {
        let (head, body) = request_for(telemetry.scrape_address().unwrap(), "POST", path, "application/json");
        assert!(head.contains("\r\ncontent-type: application/json"), "{head}");
        (status(&head).to_owned(), serde_json::from_str::<serde_json::Value>(&body).unwrap())
    };
    file.write("/m");
    let changes =
        json!({ "settings": [], "exporters": [{ "name": "page", "change": "changed", "keys": ["path"] }] });
    let expected = json!({ "successful": true, "text": "page: path changed", "changes": changes });
    assert_eq!(post("/-/reload/plan"), ("200".to_owned(), expected.clone()));
    assert_eq!(post("/-/reload"), ("200".to_owned(), expected));
    fs::write(&file.0, "[telemetry").unwrap();
    let (status, refused) = post("/-/reload");
    assert_eq!((&*status, &refused["successful"], &refused["changes"]), ("422", &json!(false), &json!(null)));
    assert!(refused["text"].as_str().unwrap().contains(&file.0.display().to_string()), "{refused}");
    let text = "there is nothing at /a/-/reload; the metrics are at /m";
    assert_eq!(
        post("/a/-/reload"),
        ("404".to_owned(), json!({ "successful": false, "text": text, "path": "/a/-/reload" }))
    );
}

#[test]
fn a_request_without_the_token_reloads_nothing() {
    let file = ConfigFile::new("token", "/metrics");
    let page = Prometheus::listen("127.0.0.1:0").bearer("s3cret");
    let config = Config::builder().environment(false).exporter("page", page).file(&file.0).build().unwrap();
    let (log, lines) = log();
    let telemetry = Telemetry::builder(config).store(Store::new()).log(log).start().unwrap();
    file.write("/m");
    for path in ["/-/reload", "/-/reload/plan"] {
        let (head, _) = request(telemetry.scrape_address().unwrap(), "POST", path);
        assert_eq!(status(&head), "401");
    }
    assert!(telemetry.scrape_url().unwrap().ends_with("/metrics"));
    assert_eq!(lines.try_iter().count(), 1, "that it has started");
}

#[test]
fn a_watched_file_reloads_when_it_changes_and_only_then() {
    let file = ConfigFile::new("watched", "/a");
    let (log, lines) = log();
    let telemetry = Telemetry::builder(file.config())
        .store(Store::new())
        .log(log)
        .watch(Duration::from_millis(10))
        .start()
        .unwrap();
    assert!(lines.recv().unwrap().1.contains("metrics http://"));
    for path in ["/b", "/c"] {
        file.write(path);
        let (level, line) = lines.recv_timeout(MINUTE).unwrap();
        assert_eq!(
            (level, line.as_str()),
            (Level::Info, "configuration reloaded by a change of its file: page: path changed")
        );
        assert!(telemetry.scrape_url().unwrap().ends_with(path));
    }
    fs::write(&file.0, "[telemetry").unwrap();
    let (level, line) = lines.recv_timeout(MINUTE).unwrap();
    assert_eq!(level, Level::Error, "{line}");
    telemetry.shutdown().unwrap();
    assert!(lines.try_recv().is_err());
}

#[cfg(unix)]
mod signals {
    use std::os::unix::process::ExitStatusExt;

    use super::*;
    use metercast::config::{OnSigterm, Otlp};
    use metercast::u64_counter;
    use support::child::{ENDPOINT, child, hang_up, say, terminate};
    use support::{Receiver, points};

    #[test]
    fn what_happens_on_sigterm_is_what_the_new_configuration_says() {
        let name = "signals::what_happens_on_sigterm_is_what_the_new_configuration_says";
        if let Ok(endpoint) = std::env::var(ENDPOINT) {
            let config = |on_sigterm| {
                let push = Otlp::to(&endpoint).interval(Duration::from_secs(3600));
                let config = Config::builder().environment(false).exporter("push", push);
                config.on_sigterm(on_sigterm).build().unwrap()
            };
            let telemetry = Telemetry::start(config(OnSigterm::Ignore)).unwrap();
            let reloaded = telemetry.reload(config(OnSigterm::Exit)).unwrap();
            assert_eq!(reloaded.settings(), ["on_sigterm"]);
            u64_counter!("work", "Work", 5);
            say("ready");
            let end = std::time::Instant::now() + MINUTE;
            while std::time::Instant::now() < end {
                std::thread::park_timeout(MINUTE);
            }
            return;
        }
        let receiver = Receiver::start();
        let (mut child, _output) = child(name, &receiver.endpoint);
        terminate(&child);
        assert_eq!(child.wait().unwrap().signal(), Some(15));
        assert_eq!(points(&receiver.messages.try_recv().unwrap(), "work")[0].1, 5);
    }

    #[test]
    fn sighup_reloads_for_who_asked_for_it_and_ends_the_program_as_ever_when_nothing_is_left_to_reload() {
        let name = "signals::sighup_reloads_for_who_asked_for_it_and_ends_the_program_as_ever_when_nothing_is_left_to_reload";
        if let Ok(file) = std::env::var(ENDPOINT) {
            let file = PathBuf::from(file);
            let config =
                Config::builder().environment(false).exporter("page", Prometheus::listen("127.0.0.1:0"));
            let (log, lines) = log();
            let telemetry = Telemetry::builder(config.file(&file).build().unwrap())
                .store(Store::new())
                .log(log)
                .reload_on_sighup()
                .start()
                .unwrap();
            lines.recv().unwrap();
            say("ready");
            for _ in 0..2 {
                let (level, line) = lines.recv_timeout(MINUTE).unwrap();
                say(&format!("{level}: {line}"));
            }
            telemetry.shutdown().unwrap();
            say("shut down");
            // Until the signal; and not for ever, should it not come. Parking may end for no reason.
            let end = std::time::Instant::now() + MINUTE;
            while std::time::Instant::now() < end {
                std::thread::park_timeout(MINUTE);
            }
            return;
        }
        let file = ConfigFile::new("sighup", "/a");
        let (mut child, mut output) = child(name, file.0.to_str().unwrap());
        let mut until = |expected: &str| loop {
            let line = output.next().expect("the child says so").unwrap();
            if line.contains(expected) {
                return line;
            }
        };
        file.write("/b");
        hang_up(&child);
        until("info: configuration reloaded by SIGHUP: page: path changed");
        fs::write(&file.0, "[telemetry]\nenabeld = true").unwrap();
        hang_up(&child);
        until("did you mean \"enabled\"?");
        until("shut down");
        hang_up(&child);
        assert_eq!(child.wait().unwrap().signal(), Some(1));
    }
}
