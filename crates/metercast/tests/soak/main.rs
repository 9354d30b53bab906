//! A program under load whose configuration changes again and again, for good and for bad: nothing begins anew, nothing is lost
//! or told twice, and nothing is left behind.
#![cfg(target_os = "linux")]

#[path = "../support/mod.rs"]
mod support;

mod load;
mod receivers;
mod scraper;
mod setup;

use std::collections::BTreeMap;
use std::fs;
use std::net::TcpListener;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use metercast::{Config, Store, Telemetry};

use load::{BOUNDS, Truth};
use receivers::Pushed;
use scraper::{Access, ask};
use setup::{Places, Setup};
use support::Receiver;
use support::random::Random;
use support::told::{Key, Sample, page};

/// How many pages of memory more there may be after the first quarter: 48 MiB.
const MORE_PAGES: usize = 48 << 8;

/// What the process has of what must not grow.
#[derive(Clone, Copy, Debug)]
struct Held {
    threads: usize,
    files: usize,
    pages: usize,
    parts: usize,
}

impl Held {
    fn now(store: &Store) -> Held {
        let count = |folder| fs::read_dir(folder).unwrap().count();
        let mut parts = 0;
        store.read(|reading| {
            reading.families().for_each(|family| family.each(|series| parts += series.parts().count()));
        });
        let pages = fs::read_to_string("/proc/self/statm").unwrap();
        let pages = pages.split(' ').nth(1).unwrap().parse().unwrap();
        // Those that render pages come and go with the scrapes.
        let threads = threads().iter().filter(|name| *name != "tokio-rt-worker").count();
        Held { threads, files: count("/proc/self/fd"), pages, parts }
    }

    /// Waits for what is gone, which takes its time: until there are no more threads and files than this.
    fn settled(store: &Store, first: Held) -> Held {
        let begun = Instant::now();
        loop {
            let held = Held::now(store);
            if held.threads <= first.threads && held.files <= first.files {
                return held;
            }
            assert!(
                begun.elapsed() < Duration::from_secs(60),
                "{held:?} rather than {first:?}: {:?}",
                threads()
            );
            thread::yield_now();
        }
    }
}

/// The names of all threads.
fn threads() -> Vec<String> {
    let tasks = fs::read_dir("/proc/self/task").unwrap();
    let names = tasks.filter_map(|task| fs::read_to_string(task.unwrap().path().join("comm")).ok());
    names.map(|name| name.trim().to_owned()).collect()
}

/// One that runs, its file, and who asks for its page.
struct Soak {
    random: Random,
    places: Places,
    file: PathBuf,
    telemetry: Telemetry,
    setup: Setup,
    access: Arc<Mutex<Access>>,
}

impl Soak {
    fn config(file: &PathBuf) -> Result<Config, metercast::config::ConfigError> {
        Config::builder().environment(false).file(file).build()
    }

    /// Reloads in one of three ways; whether that went well, and what was said.
    fn reload(&mut self, text: &str) -> Result<(), String> {
        fs::write(&self.file, text).unwrap();
        match self.random.below(3) {
            0 => self.telemetry.reread().map(drop).map_err(|error| error.to_string()),
            1 => match Self::config(&self.file) {
                Ok(config) => self.telemetry.reload(config).map(drop).map_err(|error| error.to_string()),
                Err(error) => Err(error.to_string()),
            },
            _ => {
                let access = self.access.lock().unwrap().clone();
                match ask(&access, "POST", "/-/reload") {
                    Some((200, _)) => Ok(()),
                    Some((422, body)) => Err(body),
                    other => panic!("{other:?} for {access:?}"),
                }
            }
        }
    }

    /// Goes on with this one.
    fn change(&mut self, setup: Setup) {
        self.access.lock().unwrap().reloads += 1;
        if let Err(error) = self.reload(&setup.text) {
            panic!("{error}\n{}", setup.text);
        }
        let mut access = self.access.lock().unwrap();
        access.address = self.telemetry.scrape_address();
        (access.path, access.token) = (setup.path, setup.token.clone());
        access.buckets += u64::from(self.setup.buckets != setup.buckets);
        access.reloads += 1;
        self.setup = setup;
    }

    fn step(&mut self) {
        if self.random.one_in(4) {
            let text = self.setup.broken(&mut self.random, &self.places);
            assert!(self.reload(&text).is_err(), "{text}");
            // The page is asked for all the time, and nothing of it has changed.
        }
        let setup = Setup::at_random(&mut self.random, &self.places);
        self.change(setup);
        if self.random.one_in(4) {
            // Some of it is refused, which is as good.
            let _ = self.telemetry.flush(Duration::from_secs(10));
        }
    }
}

/// Full series of what was recorded, as `spell` has the names.
fn expected(truth: &Truth, spell: fn(&'static str) -> String) -> BTreeMap<Key, Sample> {
    let mut all = BTreeMap::new();
    for ((side, region), recorded) in truth {
        let labels =
            || vec![("region".to_owned(), (*region).to_owned()), ("side".to_owned(), (*side).to_owned())];
        all.insert((spell("soak.orders"), labels()), Sample::Number(recorded.orders));
        all.insert((spell("soak.open"), labels()), Sample::Number(recorded.open));
        let (bounds, counts) = (BOUNDS.to_vec(), recorded.waits.to_vec());
        all.insert((spell("soak.wait"), labels()), Sample::Buckets { bounds, counts, sum: recorded.waited });
    }
    all
}

fn on_page(name: &'static str) -> String {
    match name {
        "soak.orders" => "soak_orders_total".to_owned(),
        "soak.wait" => "soak_wait_seconds".to_owned(),
        other => other.replace('.', "_"),
    }
}

#[test]
fn reloads_under_load_lose_nothing_tell_nothing_twice_and_leave_nothing_behind() {
    let rounds: u64 = if support::is_long() { 1_000 } else { 100 };
    let seed = Random::seed();
    let mut random = Random::new(seed);
    let calm = Arc::new(AtomicBool::new(false));
    let [mut cumulative, mut delta] =
        [false, true].map(|is_delta| Pushed::start(random.next(), &calm, is_delta));
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let places = Places {
        cumulative: cumulative.endpoints.clone(),
        delta: delta.endpoints.clone(),
        other: Receiver::start().endpoint,
        taken: taken.local_addr().unwrap(),
    };
    let folder = std::env::temp_dir().join(format!("metercast-soak-{}", std::process::id()));
    fs::create_dir_all(&folder).unwrap();
    let file = folder.join("soak.toml");
    let setup = Setup::plain(&places);
    fs::write(&file, &setup.text).unwrap();
    let (store, (log, lines)) = (Store::new(), support::log());
    let telemetry =
        Telemetry::builder(Soak::config(&file).unwrap()).store(store.clone()).log(log).start().unwrap();
    let access = Access {
        address: telemetry.scrape_address(),
        path: setup.path,
        token: setup.token.clone(),
        ..Access::default()
    };
    let access = Arc::new(Mutex::new(access));
    let mut soak = Soak { random, places, file, telemetry, setup, access };

    let done = Arc::new(AtomicBool::new(false));
    let recording: Vec<_> = (0..4)
        .map(|_| {
            let (store, done, seed) = (store.clone(), Arc::clone(&done), soak.random.next());
            thread::spawn(move || load::record(&store, seed, &done))
        })
        .collect();
    let scraping = thread::spawn({
        let (access, done) = (Arc::clone(&soak.access), Arc::clone(&done));
        move || scraper::scrape(&access, &done)
    });
    // All connections are there once something was sent.
    while soak.telemetry.flush(Duration::from_secs(10)).is_err() {}
    let first = Held::now(&store);
    let mut warm = first;
    for round in 0..rounds {
        soak.step();
        cumulative.hear();
        delta.hear();
        lines.lock().unwrap().clear();
        assert!(!scraping.is_finished(), "METERCAST_SEED={seed} round {round}: the scraper has ended");
        if round == rounds / 4 {
            soak.change(Setup::plain(&soak.places));
            warm = Held::settled(&store, first);
        }
    }
    calm.store(true, Ordering::Relaxed);
    soak.change(Setup::plain(&soak.places));
    let now = Held::settled(&store, first);
    assert!(now.parts <= 2 * warm.parts, "{now:?} after {warm:?}");
    assert!(now.pages <= warm.pages + MORE_PAGES, "{now:?} after {warm:?}");
    done.store(true, Ordering::Relaxed);
    let mut truth = Truth::new();
    for thread in recording {
        for (labels, recorded) in thread.join().unwrap() {
            truth.entry(labels).or_default().add(&recorded);
        }
    }
    let pages = scraping.join().unwrap();
    assert!(pages > rounds, "{pages} pages");

    soak.telemetry.flush(Duration::from_secs(60)).unwrap();
    // Nothing comes at the other addresses any more, so what comes now came last.
    cumulative.hear();
    delta.hear();
    soak.telemetry.flush(Duration::from_secs(60)).unwrap();
    let access = soak.access.lock().unwrap().clone();
    let (_, body) = ask(&access, "GET", access.path).unwrap();
    let is_ours = |key: &Key| key.0.starts_with("soak");
    let mut shown = page(&body);
    shown.retain(|key, _| is_ours(key));
    assert_eq!(shown, expected(&truth, on_page), "METERCAST_SEED={seed}");
    soak.telemetry.shutdown().unwrap();
    cumulative.hear();
    delta.hear();
    let mut told = cumulative.last.samples;
    told.retain(|key, _| is_ours(key));
    assert_eq!(told, expected(&truth, str::to_owned), "METERCAST_SEED={seed}");
    let mut wanted = BTreeMap::new();
    for ((side, _), recorded) in &truth {
        for (what, value) in [
            ("orders", recorded.orders),
            ("open", recorded.open),
            ("waits", recorded.count()),
            ("waited", recorded.waited),
        ] {
            *wanted.entry((what.to_owned(), (*side).to_owned())).or_default() += value;
        }
    }
    assert_eq!(*delta.added_up(), wanted, "METERCAST_SEED={seed}");
    fs::remove_dir_all(folder).unwrap();
}
