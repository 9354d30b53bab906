//! A browser, one for all tests: Chromium, driven by `driver.mjs` on Node.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, LazyLock, Mutex};
use std::time::Duration;

use serde_json::{Value, json};

/// How long anything that is waited for may take.
const LIMIT: Duration = Duration::from_secs(30);

static BROWSER: LazyLock<Browser> = LazyLock::new(Browser::start);

struct Browser {
    /// Ends when this process does, since nobody writes to it any more.
    _child: Child,
    asks: Mutex<ChildStdin>,
    waiting: Arc<Mutex<HashMap<u64, Sender<Value>>>>,
}

impl Browser {
    fn start() -> Browser {
        // As `xtask/src/node.rs` makes it.
        let packages = Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("xtask").join("node");
        assert!(
            packages.join("packages.txt").exists(),
            "{} is not there; `cargo xtask test --only services` makes it",
            packages.display()
        );
        let path = std::env::var_os("PATH").unwrap();
        let chromium = std::env::split_paths(&path).map(|folder| folder.join("chromium"));
        let chromium = chromium.into_iter().find(|file| file.exists());
        let chromium = chromium.expect("chromium; `cargo xtask test --only services` installs it");
        let driver = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/page/driver.mjs");
        let mut child = Command::new("node")
            .args([Path::new(driver), &packages, &chromium])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| {
                panic!("node cannot be started: {error}; `cargo xtask test --only services` installs it")
            });
        let (asks, answers) = (child.stdin.take().unwrap(), BufReader::new(child.stdout.take().unwrap()));
        let waiting: Arc<Mutex<HashMap<u64, Sender<Value>>>> = Arc::default();
        let waits = Arc::clone(&waiting);
        std::thread::spawn(move || {
            for line in answers.lines().map_while(Result::ok) {
                let answer: Value = serde_json::from_str(&line).unwrap();
                let waits = waits.lock().unwrap().remove(&answer["id"].as_u64().unwrap());
                // Who does not wait any more has failed.
                let _ = waits.unwrap().send(answer);
            }
            // Whoever waits is told that nothing will come.
            waits.lock().unwrap().clear();
        });
        Browser { _child: child, asks: Mutex::new(asks), waiting }
    }

    fn ask(&self, act: &str, page: u64, mut what: Value) -> Value {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let id = NEXT.fetch_add(1, Ordering::Relaxed);
        let (told, answer) = channel();
        self.waiting.lock().unwrap().insert(id, told);
        what["id"] = id.into();
        what["act"] = act.into();
        what["page"] = page.into();
        writeln!(self.asks.lock().unwrap(), "{what}").expect("the driver has ended; its words are above");
        let answer = answer.recv_timeout(LIMIT * 2).expect("an answer of the driver");
        assert!(answer.get("error").is_none(), "{act}: {}", answer["error"].as_str().unwrap_or_default());
        answer["value"].clone()
    }
}

/// How a page is looked at.
#[derive(Clone, Copy)]
pub(crate) struct Look<'a> {
    pub(crate) width: u32,
    pub(crate) height: u32,
    pub(crate) dark: bool,
    /// Whether less motion is wished.
    pub(crate) calm: bool,
    /// Whether time stands still for its scripts until [`Page::pass`].
    pub(crate) timers: bool,
    /// What it is opened with where it has a token.
    pub(crate) token: Option<&'a str>,
}

pub(crate) const LIGHT: Look<'_> =
    Look { width: 1280, height: 900, dark: false, calm: false, timers: false, token: None };

/// A page in a window of its own, which is closed when it is dropped.
pub(crate) struct Page(u64);

impl Page {
    /// Opens an address in light colours, on a desk.
    pub(crate) fn open(url: &str) -> Page {
        Page::open_as(url, LIGHT)
    }

    pub(crate) fn open_as(url: &str, look: Look<'_>) -> Page {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let page = Page(NEXT.fetch_add(1, Ordering::Relaxed));
        let Look { width, height, dark, calm, timers, token } = look;
        let what = json!({ "url": url, "width": width, "height": height, "dark": dark, "calm": calm, "timers": timers, "token": token });
        page.ask("open", what);
        page
    }

    fn ask(&self, act: &str, what: Value) -> Value {
        BROWSER.ask(act, self.0, what)
    }

    /// What an expression comes to.
    pub(crate) fn js(&self, text: &str) -> Value {
        self.ask("js", json!({ "text": text }))
    }

    /// Waits until an expression holds.
    pub(crate) fn until(&self, text: &str) -> Value {
        let limit = u64::try_from(LIMIT.as_millis()).unwrap();
        self.ask(
            "until",
            json!({ "text": text, "limit": limit, "shown": "document.body.innerText.slice(0, 2500)" }),
        )
    }

    /// Waits until what is shown at a place has all of these texts.
    pub(crate) fn see(&self, place: &str, texts: &[&str]) {
        self.until(&format!(
            "((text, texts) => texts.every(one => text.includes(one)))([...document.querySelectorAll({place:?})].map(it => it.innerText).join('\\n'), {})",
            json!(texts)
        ));
    }

    /// What is shown at a place.
    pub(crate) fn text(&self, place: &str) -> String {
        let text = self
            .js(&format!("[...document.querySelectorAll({place:?})].map(it => it.innerText).join('\\n')"));
        text.as_str().unwrap().to_owned()
    }

    /// Presses a key, as `/`, `Tab` or `Shift+Tab`.
    pub(crate) fn press(&self, key: &str) {
        self.ask("press", json!({ "key": key }));
    }

    pub(crate) fn type_text(&self, text: &str) {
        self.ask("type", json!({ "text": text }));
    }

    /// Lets so much time pass for scripts that look at a clock.
    pub(crate) fn pass(&self, time: Duration) {
        self.ask("pass", json!({ "ms": u64::try_from(time.as_millis()).unwrap() }));
    }

    /// What axe-core finds serious or critical.
    pub(crate) fn axe(&self) -> Vec<String> {
        serde_json::from_value(self.ask("axe", json!({}))).unwrap()
    }

    /// What the browser complained of so far: errors of scripts, what a policy forbids, and what could not be loaded.
    pub(crate) fn troubles(&self) -> Vec<String> {
        serde_json::from_value(self.ask("heard", json!({}))["troubles"].take()).unwrap()
    }

    /// Every address that was asked for.
    pub(crate) fn requests(&self) -> Vec<String> {
        serde_json::from_value(self.ask("heard", json!({}))["requests"].take()).unwrap()
    }

    /// Takes a picture for people, where `METERCAST_PICTURES` names a folder.
    pub(crate) fn picture(&self, name: &str) {
        if let Some(folder) = std::env::var_os("METERCAST_PICTURES").filter(|folder| !folder.is_empty()) {
            let file = Path::new(&folder).join(name).with_extension("png");
            self.ask("picture", json!({ "file": file.display().to_string() }));
        }
    }
}

impl Drop for Page {
    fn drop(&mut self) {
        // A second panic would end all tests.
        if !std::thread::panicking() {
            self.ask("close", json!({}));
        }
    }
}
