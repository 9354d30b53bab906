//! What a watch sees beside the file itself: files that come later, files that are emptied, and that all is well again.

use std::fs;
use std::path::PathBuf;
use std::sync::mpsc;
use std::time::Duration;

use metercast::config::Prometheus;
use metercast::log::Level;
use metercast::{Config, Log, Store, Telemetry};

const MINUTE: Duration = Duration::from_secs(60);

/// A folder of files that goes with the test.
struct Folder(PathBuf);

impl Folder {
    /// With a file that says nothing of note.
    fn new(name: &str) -> Folder {
        let folder = std::env::temp_dir().join(format!("metercast-watch-{}-{name}", std::process::id()));
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).unwrap();
        let folder = Folder(folder);
        folder.write("main.toml", "[telemetry]\n");
        folder
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.0.join(name), text).unwrap();
    }

    /// Watches the main file.
    fn watch(&self) -> Watched {
        let page = Prometheus::listen("127.0.0.1:0");
        let config = Config::builder().environment(false).exporter("page", page);
        let config = config.file(self.0.join("main.toml")).build().unwrap();
        let (sender, lines) = mpsc::channel();
        let log = Log::to(move |level, line| {
            let _ = sender.send((level, line.to_owned()));
        });
        let telemetry = Telemetry::builder(config)
            .store(Store::new())
            .log(log)
            .watch(Duration::from_millis(10))
            .start()
            .unwrap();
        let watched = Watched { telemetry, lines };
        assert!(watched.said(Level::Info).contains("metrics http://"));
        watched
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

struct Watched {
    telemetry: Telemetry,
    lines: mpsc::Receiver<(Level, String)>,
}

impl Watched {
    /// The next line, which is of this level.
    fn said(&self, expected: Level) -> String {
        let (level, line) = self.lines.recv_timeout(MINUTE).unwrap();
        assert_eq!(level, expected, "{line}");
        line
    }

    /// The line about the reload that succeeds; those before it were refused.
    fn reloaded(&self) -> String {
        loop {
            let (level, line) = self.lines.recv_timeout(MINUTE).unwrap();
            if level == Level::Info {
                return line;
            }
            assert!(line.starts_with("configuration not reloaded by "), "{line}");
        }
    }
}

#[test]
fn a_file_that_is_referred_to_is_seen_when_it_comes() {
    let folder = Folder::new("reference");
    let watched = folder.watch();
    folder.write("main.toml", "[telemetry.exporters.page]\npath = '${file:later}'\n");
    assert!(watched.said(Level::Error).contains("cannot be read: No such file"));
    folder.write("later", "/later\n");
    assert!(watched.reloaded().ends_with("page: path changed"));
    assert!(watched.telemetry.scrape_url().unwrap().ends_with("/later"));
}

#[test]
fn a_file_that_is_included_is_seen_when_it_comes() {
    let folder = Folder::new("include");
    let watched = folder.watch();
    folder.write("main.toml", "[telemetry]\ninclude = ['later.toml']\n");
    assert!(watched.said(Level::Error).contains("later.toml\" cannot be read: No such file"));
    folder.write("later.toml", "[telemetry.exporters.page]\npath = '/later'\n");
    assert!(watched.reloaded().ends_with("page: path changed"));
}

#[cfg(feature = "tls")]
#[test]
fn a_certificate_is_seen_when_it_comes() {
    let folder = Folder::new("certificate");
    let watched = folder.watch();
    let (certificate, key) = (folder.0.join("tls.crt"), folder.0.join("tls.key"));
    let tls =
        format!("[telemetry.exporters.page]\ntls = {{ certificate = {certificate:?}, key = {key:?} }}\n");
    folder.write("main.toml", &tls);
    assert!(watched.said(Level::Error).contains("tls.crt\": No such file"));
    let signed = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    folder.write("tls.crt", &signed.cert.pem());
    folder.write("tls.key", &signed.signing_key.serialize_pem());
    assert!(watched.reloaded().ends_with("page: tls changed"));
    assert!(watched.telemetry.scrape_url().unwrap().starts_with("https://"));
}

#[test]
fn a_file_that_is_emptied_is_not_taken_for_one_that_says_nothing() {
    let folder = Folder::new("emptied");
    folder.write("main.toml", "[telemetry.exporters.page]\npath = '/a'\n");
    let watched = folder.watch();
    for empty in ["", " \n\t"] {
        folder.write("main.toml", empty);
        let said = watched.said(Level::Error);
        assert!(said.ends_with("write a comment into it if it is to say nothing"), "{said}");
        assert!(watched.telemetry.scrape_url().unwrap().ends_with("/a"));
    }
    folder.write("main.toml", "[telemetry.exporters.page]\npath = '/b'\n");
    assert!(watched.reloaded().ends_with("page: path changed"));
    folder.write("main.toml", "# Nothing.\n");
    assert!(watched.reloaded().ends_with("page: path changed"));
}

#[test]
fn a_file_that_is_emptied_is_taken_as_it_is_by_who_asks_for_it() {
    let folder = Folder::new("asked");
    folder.write("main.toml", "[telemetry.exporters.page]\npath = '/a'\n");
    let watched = folder.watch();
    folder.write("main.toml", "");
    assert_eq!(watched.telemetry.reread().unwrap().to_string(), "page: path changed");
}

#[test]
fn what_a_reference_and_an_include_lead_to_may_not_be_emptied_either() {
    let folder = Folder::new("parts");
    folder.write("low.toml", "[telemetry]\nself_metrics = false\n");
    folder.write("team", "shop\n");
    folder.write("main.toml", "[telemetry]\ninclude = ['low.toml']\nresource = { team = '${file:team}' }\n");
    let watched = folder.watch();
    folder.write("low.toml", "");
    assert!(watched.said(Level::Error).contains("low.toml\" cannot be read: it has become empty"));
    folder.write("low.toml", "[telemetry]\nself_metrics = true\n");
    assert!(watched.reloaded().contains("self_metrics changed"));
    folder.write("team", "");
    assert!(watched.said(Level::Error).contains("team\", which cannot be read: it has become empty"));
}

#[test]
fn that_all_is_well_again_is_said_though_nothing_changed() {
    let folder = Folder::new("well");
    let watched = folder.watch();
    folder.write("main.toml", "[telemetry");
    watched.said(Level::Error);
    folder.write("main.toml", "[telemetry]\n");
    assert_eq!(watched.said(Level::Info), "configuration reloaded by a change of its file: nothing changed");
    // Once.
    folder.write("main.toml", "[telemetry]\n# Touched.\n");
    folder.write("main.toml", "[telemetry]\non_error = 'degrade'\n");
    let said = watched.said(Level::Info);
    assert!(said.starts_with("configuration reloaded by a change of its file: on_error changed"), "{said}");
}
