//! The state file: one process's, whole or not there, and harmless whatever is in it.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::{Duration, UNIX_EPOCH};

use conformance::program::Folder;
use metercast::log::Log;
use metercast::{MockClock, Store, metrics};
use metercast_periods::{Periods, PeriodsError, UniqueOptions, Window};

metrics! {
    /// Requests
    static REQUESTS: Counter<u64> = "state.requests";
}

const NOW: Duration = Duration::from_secs(1_709_510_400);

struct Place {
    folder: Folder,
    said: Arc<Mutex<Vec<String>>>,
}

impl Place {
    fn new() -> Place {
        Place { folder: Folder::new(), said: Arc::default() }
    }

    fn path(&self, ending: &str) -> PathBuf {
        self.folder.path().join(format!("state{ending}"))
    }

    fn open(&self) -> Result<(Periods, Store), PeriodsError> {
        let store = Store::with_clock(&MockClock::at(UNIX_EPOCH + NOW));
        let said = Arc::clone(&self.said);
        let log = Log::to(move |level, line| said.lock().unwrap().push(format!("{level}: {line}")));
        let periods = Periods::builder().store(store.clone()).state(self.path("")).log(log).open()?;
        Ok((periods, store))
    }

    /// Counts `ids` different ones and as many requests, and ends.
    fn count(&self, ids: u32) {
        let (periods, store) = self.open().unwrap();
        let (unique, _hourly) = (periods.unique("ids"), periods.settled("state.requests", Window::Hour));
        (0..ids).for_each(|id| unique.record(id.to_le_bytes()));
        store.scope(|| REQUESTS.add(u64::from(ids)));
        periods.shutdown().unwrap();
    }

    /// How many different ones are known.
    fn known(&self) -> u64 {
        let (periods, _) = self.open().unwrap();
        let known = periods.unique("ids").count(Window::Day);
        periods.shutdown().unwrap();
        known
    }

    fn said(&self) -> Vec<String> {
        std::mem::take(&mut self.said.lock().unwrap())
    }
}

#[test]
fn a_file_that_is_damaged_in_any_way_is_put_aside_with_one_warning_and_counting_begins_anew() {
    let good = Place::new();
    good.count(2_000);
    let (state, key) = (fs::read(good.path("")).unwrap(), fs::read(good.path(".key")).unwrap());
    assert!(state.len() > 10_000, "registers are in it");
    let flipped = |at: usize| {
        let mut state = state.clone();
        state[at] ^= 4;
        state
    };
    let mut cases: Vec<(&str, Vec<u8>)> = vec![
        ("empty", Vec::new()),
        ("cut in half", state[..state.len() / 2].to_vec()),
        ("without its end", state[..state.len() - 1].to_vec()),
        ("of another version", flipped(8)),
        ("another program's", b"weekly_counts v1\nhttp_requests 1=1\n".to_vec()),
        ("the key", key.clone()),
        ("zeroes", vec![0; state.len()]),
        ("zeroes at the end", [&state[..state.len() - 512], &[0; 512]].concat()),
        ("not text", vec![0xff; 100]),
        ("twice", [&state[..], &state].concat()),
    ];
    for at in (0..state.len()).step_by(state.len() / 40) {
        cases.push(("flipped", flipped(at)));
        cases.push(("cut", state[..at].to_vec()));
    }
    for (what, bytes) in cases {
        let place = Place::new();
        fs::write(place.path(""), &bytes).unwrap();
        fs::write(place.path(".key"), &key).unwrap();
        place.count(3);
        let said = place.said();
        assert_eq!(said.len(), 1, "{what}: {said:?}");
        assert!(
            said[0].starts_with("warning: periods: ") && said[0].contains("state.bad"),
            "{what}: {said:?}"
        );
        assert_eq!(fs::read(place.path(".bad")).unwrap(), bytes, "{what}: it is kept");
        assert_eq!((place.known(), place.said().len()), (3, 0), "{what}: the new one is sound");
    }
}

#[test]
fn a_key_that_is_lost_or_another_makes_different_ones_anew_and_leaves_counters_alone() {
    for key in [None, Some("nonsense"), Some("000102030405060708090a0b0c0d0e0f\n")] {
        let place = Place::new();
        place.count(5);
        match key {
            None => fs::remove_file(place.path(".key")).unwrap(),
            Some(key) => fs::write(place.path(".key"), key).unwrap(),
        }
        let (periods, store) = place.open().unwrap();
        assert_eq!(periods.unique("ids").count(Window::Day), 0);
        let hourly = periods.settled("state.requests", Window::Hour);
        store.clock().unwrap().advance(Duration::from_secs(3_600));
        assert_eq!(hourly.figure(), Some(5), "{key:?}");
        let said = place.said();
        assert!(said.iter().any(|line| line.contains("another key")), "{said:?}");
        assert!(said.len() <= 2 && !said.join("").contains("nonsense"), "{said:?}");
    }
}

#[test]
fn two_do_not_count_in_one_file() {
    let place = Place::new();
    let (periods, _) = place.open().unwrap();
    let error = place.open().unwrap_err();
    assert!(matches!(&error, PeriodsError::InUse { path } if *path == place.path("")));
    assert!(error.to_string().ends_with("give each its own file"), "{error}");
    drop(periods);
    assert!(place.open().is_ok());
}

#[test]
fn a_folder_that_is_not_there_is_an_error_that_names_it() {
    let folder = Folder::new();
    let path = folder.path().join("nowhere").join("state");
    let error = Periods::builder().store(Store::new()).state(&path).open().unwrap_err();
    assert!(error.to_string().contains("nowhere") && error.to_string().contains("must be there"), "{error}");
}

#[test]
fn a_file_that_cannot_be_written_is_said_once_and_counting_goes_on() {
    let place = Place::new();
    let (periods, store) = place.open().unwrap();
    let ids = periods.unique("ids");
    // No file can be put where a folder is.
    let _ = fs::remove_file(place.path(""));
    fs::create_dir(place.path("")).unwrap();
    let clock = store.clock().unwrap().clone();
    for id in 0..3_u8 {
        ids.record([id]);
        clock.advance(Duration::from_secs(60));
    }
    let said = place.said();
    assert_eq!(said.len(), 1, "{said:?}");
    assert!(said[0].contains("counts are not kept"), "{said:?}");
    assert!(periods.flush().is_err());
    fs::remove_dir(place.path("")).unwrap();
    clock.advance(Duration::from_secs(60));
    assert!(place.path("").is_file(), "as soon as it can be, it is kept");
    assert_eq!(
        (ids.count(Window::Day), names(place.folder.path())),
        (3, ["state", "state.key", "state.lock"].map(str::to_owned).to_vec())
    );
}

#[test]
fn the_state_is_written_at_the_interval_and_only_if_it_is_another() {
    let place = Place::new();
    let (periods, store) = place.open().unwrap();
    let (ids, clock) = (periods.unique("ids"), store.clock().unwrap().clone());
    clock.advance(Duration::from_secs(59));
    assert!(!place.path("").exists());
    clock.advance(Duration::from_secs(1));
    let written = || fs::metadata(place.path("")).unwrap().modified().unwrap();
    let (first, empty) = (written(), fs::metadata(place.path("")).unwrap().len());
    clock.advance(Duration::from_secs(60));
    assert_eq!(written(), first);
    ids.record("a");
    clock.advance(Duration::from_secs(60));
    assert!(fs::metadata(place.path("")).unwrap().len() > empty);
}

#[cfg(unix)]
#[test]
fn the_files_are_for_the_eyes_of_the_owner() {
    use std::os::unix::fs::PermissionsExt;
    let place = Place::new();
    place.count(1);
    for ending in ["", ".key", ".lock"] {
        let mode = fs::metadata(place.path(ending)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{ending}");
    }
}

#[test]
fn another_precision_is_said_and_begins_anew_and_another_cap_does_not() {
    let place = Place::new();
    place.count(500);
    let (periods, _) = place.open().unwrap();
    let less = periods.unique_with("ids", UniqueOptions::new().exact_up_to(10));
    let off = less.count(Window::Day).abs_diff(500);
    assert!(off < 25, "what was exact is put into registers: {off}");
    periods.shutdown().unwrap();
    assert!(place.said().is_empty());
    let (periods, _) = place.open().unwrap();
    assert_eq!(periods.unique_with("ids", UniqueOptions::new().precision(12)).count(Window::Day), 0);
    assert!(place.said()[0].contains("precision 12 instead of 14"));
}

#[test]
fn a_small_state_is_small_and_a_large_one_is_bounded() {
    let place = Place::new();
    place.count(10);
    assert!(fs::metadata(place.path("")).unwrap().len() < 500);
    place.count(100_000);
    let length = fs::metadata(place.path("")).unwrap().len();
    assert!(length < 2 * 12_288 + 500, "an hour and a day of 16,384 registers with 6 bits: {length}");
}

#[test]
fn the_system_clock_and_its_thread_write_and_end() {
    let folder = Folder::new();
    let store = Store::new();
    let builder = Periods::builder().store(store).state(folder.path().join("state")).every(Duration::ZERO);
    let periods = builder.open().unwrap();
    let ids = periods.unique("ids");
    ids.record("a");
    let until = std::time::Instant::now() + Duration::from_secs(20);
    while !folder.path().join("state").exists() {
        assert!(std::time::Instant::now() < until, "it is not written");
        std::thread::sleep(Duration::from_millis(20));
    }
    drop(periods);
    ids.record("b");
    assert_eq!(ids.count(Window::Week), 2, "who counts may outlive it");
}

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> =
        fs::read_dir(folder).unwrap().map(|file| file.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}
