//! What comes while something else is under way: a shutdown during a reload, reloads at once, files that change.

use std::net::TcpListener;
use std::path::PathBuf;
use std::sync::{Mutex, mpsc};
use std::thread;

use conformance::program::free_address;

use super::watch::Eye;
use super::*;
use crate::config::Prometheus;
use crate::log::Level;

/// A configuration on a port of its own choice.
fn page() -> Config {
    Config::builder().environment(false).exporter("page", Prometheus::listen("127.0.0.1:0")).build().unwrap()
}

type Lines = Arc<Mutex<Vec<(Level, String)>>>;

fn start(config: Config) -> (Telemetry, Lines) {
    let lines = Lines::default();
    let log = Log::to({
        let lines = Arc::clone(&lines);
        move |level, line| lines.lock().unwrap().push((level, line.to_owned()))
    });
    (Telemetry::builder(config).store(Store::new()).log(log).start().unwrap(), lines)
}

#[test]
fn a_reload_that_a_shutdown_overtakes_is_refused_and_leaves_nothing() {
    let (telemetry, lines) = start(page());
    let running = Arc::clone(&telemetry.running);
    let free = free_address();
    let listen = free.clone();
    let (begun, begins) = mpsc::channel();
    let (gate, opens) = mpsc::channel::<()>();
    let reload = thread::spawn(move || {
        running.reload("a test", |_| {
            begun.send(()).unwrap();
            let _ = opens.recv();
            let page = Prometheus::listen(&listen);
            Config::builder().environment(false).exporter("page", page).build()
        })
    });
    begins.recv().unwrap();
    telemetry.shutdown().unwrap();
    drop(gate);
    let error = reload.join().unwrap().unwrap_err();
    assert_eq!(error.to_string(), "metercast was shut down; nothing is reloaded any more");
    assert!(TcpListener::bind(free).is_ok());
    assert_eq!(lines.lock().unwrap().iter().filter(|(level, _)| *level == Level::Error).count(), 1);
}

#[test]
fn a_program_that_panics_at_a_reload_is_said_and_measured_and_reloads_again() {
    let lines = Lines::default();
    let log = Log::to({
        let lines = Arc::clone(&lines);
        move |level, line| lines.lock().unwrap().push((level, line.to_owned()))
    });
    let step = std::sync::atomic::AtomicU32::new(0);
    let page = |path: &str| {
        let page = Prometheus::listen("127.0.0.1:0").path(path);
        Config::builder().environment(false).exporter("page", page).build().unwrap()
    };
    let store = Store::new();
    let builder = Telemetry::builder(page("/a")).store(store.clone()).log(log).reread_by(move || {
        let step = step.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        assert!(step > 1, "the program cannot read");
        Ok((page("/b"), move || assert!(step != 2, "the program cannot do its part")))
    });
    let telemetry = builder.start().unwrap();
    let panicked = || std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| telemetry.reread())).is_err();
    let last = |lines: &Lines| lines.lock().unwrap().last().unwrap().clone();
    let success = |value: u8| {
        let page = crate::PrometheusPage::new("test", Log::default()).render(&store);
        page.contains(&format!("\nmetercast_config_last_reload_successful {value}\n"))
    };

    assert!(std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| telemetry.plan_reread())).is_err());
    let unknown = "what a reload would do is not known: the program panicked when it was to read it: the program cannot read";
    assert_eq!(last(&lines), (Level::Error, unknown.to_owned()));

    assert!(panicked());
    let held = "configuration not reloaded by the program, the old one holds: the program panicked when it was to read it: the \
                program cannot read";
    assert_eq!(last(&lines), (Level::Error, held.to_owned()));
    assert!(telemetry.scrape_url().unwrap().ends_with("/a"));
    assert!(success(0));

    assert!(panicked());
    let halved = "configuration reloaded by the program, but not all of it: page: path changed; the program panicked when it was to do \
                  its own part: the program cannot do its part";
    assert_eq!(last(&lines), (Level::Error, halved.to_owned()));
    assert!(telemetry.scrape_url().unwrap().ends_with("/b"));
    assert!(success(0));

    assert!(telemetry.reread().unwrap().is_unchanged());
    assert_eq!(last(&lines).0, Level::Info);
    assert!(success(1));
}

#[test]
fn reloads_come_one_after_the_other_and_a_request_does_not_wait_for_another() {
    use std::io::{Read, Write};
    let prometheus = Prometheus::listen("127.0.0.1:0").reload(true);
    let config = Config::builder().environment(false).exporter("page", prometheus).build().unwrap();
    let (telemetry, _) = start(config);
    let address = telemetry.scrape_address().unwrap();
    let post = || {
        let mut stream = std::net::TcpStream::connect(address).unwrap();
        write!(stream, "POST /-/reload HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    };
    let (begun, begins) = mpsc::channel();
    let (gate, opens) = mpsc::channel::<()>();
    let done = thread::scope(|scope| {
        let running = &telemetry.running;
        let first = scope.spawn(move || {
            running.reload("a test", |old| {
                begun.send(()).unwrap();
                let _ = opens.recv();
                Ok::<_, ReloadError>(old.clone())
            })
        });
        begins.recv().unwrap();
        let busy = post();
        assert!(busy.starts_with("HTTP/1.1 409") && busy.contains("retry-after: 1"), "{busy}");
        let second = scope.spawn(|| telemetry.reload(page()));
        assert!(!second.is_finished());
        drop(gate);
        [first.join().unwrap(), second.join().unwrap()].map(|result| result.unwrap().to_string())
    });
    assert_eq!(done, ["nothing changed", "page: reload changed"]);
    assert!(post().starts_with("HTTP/1.1 404"));
}

/// A folder that goes with the test.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Folder {
        let folder = std::env::temp_dir().join(format!("metercast-watch-{}-{name}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        Folder(folder)
    }

    fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.0.join(name);
        std::fs::write(&path, text).unwrap();
        path
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// A file with a page under this path.
fn with_path(path: &str) -> String {
    format!("[telemetry.exporters.prometheus]\nlisten = \"127.0.0.1:0\"\npath = \"{path}\"\n")
}

/// Whether two looks change the path to this one, or leave it.
fn look_twice(eye: &mut Eye, telemetry: &Telemetry) -> String {
    let running = Arc::downgrade(&telemetry.running);
    eye.look(&running);
    eye.look(&running);
    let url = telemetry.scrape_url().unwrap();
    url[url.rfind('/').unwrap()..].to_owned()
}

#[test]
fn a_file_that_is_replaced_or_written_over_is_read_once_it_is_at_rest() {
    let folder = Folder::new("replaced");
    let path = folder.write("a.toml", &with_path("/a"));
    let (telemetry, lines) = start(Config::builder().environment(false).file(&path).build().unwrap());
    let reloads = || lines.lock().unwrap().iter().filter(|(_, line)| line.contains("reloaded")).count();
    let mut eye = Eye::default();
    assert_eq!((look_twice(&mut eye, &telemetry).as_str(), reloads()), ("/a", 0));
    // As long, and perhaps within the same tick of the file system's clock.
    folder.write("a.toml", &with_path("/b"));
    eye.look(&Arc::downgrade(&telemetry.running));
    assert_eq!(reloads(), 0, "it may be under way");
    assert_eq!((look_twice(&mut eye, &telemetry).as_str(), reloads()), ("/b", 1));
    std::fs::rename(folder.write("new.toml", &with_path("/c")), &path).unwrap();
    assert_eq!((look_twice(&mut eye, &telemetry).as_str(), reloads()), ("/c", 2));
    // Touched, and taken away for a moment.
    std::fs::rename(folder.write("new.toml", &with_path("/c")), &path).unwrap();
    assert_eq!(look_twice(&mut eye, &telemetry), "/c");
    std::fs::rename(&path, folder.0.join("away.toml")).unwrap();
    eye.look(&Arc::downgrade(&telemetry.running));
    std::fs::rename(folder.0.join("away.toml"), &path).unwrap();
    assert_eq!((look_twice(&mut eye, &telemetry).as_str(), reloads()), ("/c", 2));
    assert_eq!(lines.lock().unwrap().iter().filter(|(level, _)| *level != Level::Info).count(), 0);
}

#[test]
fn half_a_file_keeps_what_there_was_and_is_said_once_until_it_changes() {
    let folder = Folder::new("half");
    let path = folder.write("a.toml", &with_path("/a"));
    let (telemetry, lines) = start(Config::builder().environment(false).file(&path).build().unwrap());
    let errors = || {
        let lines = lines.lock().unwrap();
        lines
            .iter()
            .filter(|(level, _)| *level == Level::Error)
            .map(|(_, line)| line.clone())
            .collect::<Vec<_>>()
    };
    let mut eye = Eye::default();
    for (text, expected) in [
        ("[telemetry.exporters.prometheus]\nlisten = \"127", "a.toml:2: "),
        ("[telemetry.exporters.prometheus]\nlistn = \"127.0.0.1:0\"\n", "did you mean \"listen\"?"),
    ] {
        let before = errors().len();
        folder.write("a.toml", text);
        for _ in 0..4 {
            assert_eq!(look_twice(&mut eye, &telemetry), "/a");
        }
        let errors = errors();
        assert_eq!(errors.len(), before + 1, "{errors:?}");
        assert!(errors[before].contains(expected), "{errors:?}");
        assert!(
            errors[before]
                .starts_with("configuration not reloaded by a change of its file, the old one holds: ")
        );
    }
    folder.write("a.toml", &with_path("/b"));
    assert_eq!((look_twice(&mut eye, &telemetry).as_str(), errors().len()), ("/b", 2));
}

#[test]
fn a_file_that_is_included_is_watched_also_when_it_is_why_nothing_changed() {
    let folder = Folder::new("included");
    let path = folder.write("a.toml", &with_path("/a"));
    let (telemetry, lines) = start(Config::builder().environment(false).file(&path).build().unwrap());
    let errors = || lines.lock().unwrap().iter().filter(|(level, _)| *level == Level::Error).count();
    let mut eye = Eye::default();
    assert_eq!(look_twice(&mut eye, &telemetry), "/a");
    folder.write("b.toml", "[telemetry.exporters.prometheus]\npaht = \"/b\"\n");
    folder.write(
        "a.toml",
        "[telemetry]\ninclude = [\"b.toml\"]\n[telemetry.exporters.prometheus]\nlisten = \"127.0.0.1:0\"\n",
    );
    for _ in 0..3 {
        assert_eq!((look_twice(&mut eye, &telemetry).as_str(), errors()), ("/a", 1));
    }
    folder.write("b.toml", &with_path("/b"));
    assert_eq!((look_twice(&mut eye, &telemetry).as_str(), errors()), ("/b", 1));
    folder.write("b.toml", &with_path("/c"));
    // Once more, as it was not among the files that were looked at before.
    look_twice(&mut eye, &telemetry);
    assert_eq!((look_twice(&mut eye, &telemetry).as_str(), errors()), ("/c", 1));
}

#[cfg(unix)]
#[test]
fn a_volume_whose_link_is_swapped_is_seen() {
    use std::os::unix::fs::symlink;
    let folder = Folder::new("volume");
    // As the kubelet lays it out: file -> ..data/file, ..data -> ..2026_1/.
    for (version, path) in [("..2026_1", "/a"), ("..2026_2", "/b")] {
        std::fs::create_dir(folder.0.join(version)).unwrap();
        folder.write(&format!("{version}/a.toml"), &with_path(path));
    }
    symlink("..2026_1", folder.0.join("..data")).unwrap();
    symlink("..data/a.toml", folder.0.join("a.toml")).unwrap();
    let config = Config::builder().environment(false).file(folder.0.join("a.toml")).build().unwrap();
    let (telemetry, _) = start(config);
    let mut eye = Eye::default();
    assert_eq!(look_twice(&mut eye, &telemetry), "/a");
    symlink("..2026_2", folder.0.join("..data_tmp")).unwrap();
    std::fs::rename(folder.0.join("..data_tmp"), folder.0.join("..data")).unwrap();
    std::fs::remove_dir_all(folder.0.join("..2026_1")).unwrap();
    assert_eq!(look_twice(&mut eye, &telemetry), "/b");
}
