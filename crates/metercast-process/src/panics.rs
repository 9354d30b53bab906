//! Panics, counted by where they began, in front of the hook that there was.

use std::panic::{self, Location};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use metercast_core::{Store, metrics};

metrics! {
    /// Panics, by the file and line where they began.
    static PANICS: Counter<u64> = "panics" { unit: "{panic}", labels: { location: &str } };
}

/// The most bytes of a location.
const LONGEST: usize = 200;

/// Who counts. The hook is never taken back: others may have put theirs in front of it.
static COUNTING: RwLock<Vec<Arc<Store>>> = RwLock::new(Vec::new());
/// Whether the hook is ours.
static HOOK: Mutex<bool> = Mutex::new(false);

/// Counts all panics of the process in the current store, as `panics` by `location`, until what is returned is dropped. The hook that
/// there was runs behind it as before. `location` is a file and a line; of a crate in Cargo's registry, from the name of the crate on.
///
/// A panic is counted wherever it is caught, and also where it ends the process, if there is somebody left to read. Where several stores
/// count, one in the scope of one of them is counted there, and any other in all of them. Called for the first time by a thread that
/// panics, which may not change the hook, it counts from the next call on that another makes.
///
/// ```
/// use metercast::{Store, InMemoryReader};
///
/// # let store = Store::new();
/// # store.scope(|| {
/// let counting = metercast_process::panics();
/// # std::panic::set_hook(Box::new(|_| {})); // The next one is in front of it, and silences it.
/// # drop(counting);
/// # });
/// ```
#[must_use = "dropping it ends the counting at once; keep it, or call `forever`"]
pub fn panics() -> PanicCounting {
    install();
    let store = Arc::new(Store::current());
    COUNTING.write().unwrap_or_else(PoisonError::into_inner).push(Arc::clone(&store));
    PanicCounting { store: Some(store) }
}

/// Puts the hook in front of the one that there is, unless it was.
fn install() {
    // A thread that panics may not change the hook; the next call from elsewhere does.
    if std::thread::panicking() {
        return;
    }
    let mut is_ours = HOOK.lock().unwrap_or_else(PoisonError::into_inner);
    if !std::mem::replace(&mut *is_ours, true) {
        let next = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            if let Some(location) = info.location() {
                count(location);
            }
            next(info);
        }));
    }
}

/// Panics that are counted until this is dropped.
#[derive(Debug)]
pub struct PanicCounting {
    /// `None`: for ever.
    store: Option<Arc<Store>>,
}

impl PanicCounting {
    /// Counts for as long as the process lives.
    pub fn forever(mut self) {
        self.store = None;
    }
}

impl Drop for PanicCounting {
    fn drop(&mut self) {
        if let Some(store) = &self.store {
            let mut counting = COUNTING.write().unwrap_or_else(PoisonError::into_inner);
            counting.retain(|one| !Arc::ptr_eq(one, store));
        }
    }
}

/// Counts a panic once in each store that it belongs to.
fn count(location: &Location<'_>) {
    // Who panics while the list changes is not counted: a hook must not wait.
    let Ok(counting) = COUNTING.try_read() else { return };
    let mut stores: Vec<Store> = Vec::with_capacity(counting.len());
    for store in counting.iter() {
        if !stores.contains(store) {
            stores.push(Store::clone(store));
        }
    }
    drop(counting);
    let current = Store::current();
    if stores.contains(&current) {
        stores = vec![current];
    }
    let place = place(location.file(), location.line());
    for store in stores {
        store.scope(|| PANICS.add(1, (&place,)));
    }
}

/// A file and a line, without what is only true of the machine that compiled it.
fn place(file: &str, line: u32) -> String {
    let in_registry = file
        .split_once("/registry/src/")
        .or_else(|| file.split_once("\\registry\\src\\"))
        .and_then(|(_, file)| file.split_once(['/', '\\']));
    let file = in_registry.map_or(file, |(_, file)| file);
    let from = file.len().saturating_sub(LONGEST);
    let from = (from..=file.len()).find(|at| file.is_char_boundary(*at)).unwrap_or(file.len());
    format!("{}:{line}", &file[from..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_location_says_nothing_of_the_machine_that_compiled_it() {
        for (file, expected) in [
            ("src/main.rs", "src/main.rs:7"),
            (
                "/home/me/.cargo/registry/src/an-index-1949cf8c/tokio-1.54.1/src/a.rs",
                "tokio-1.54.1/src/a.rs:7",
            ),
            (r"C:\cargo\registry\src\index\tokio-1.54.1\src\a.rs", r"tokio-1.54.1\src\a.rs:7"),
            ("", ":7"),
        ] {
            assert_eq!(place(file, 7), expected);
        }
        assert_eq!(place(&"ü".repeat(1_000), 7).len(), LONGEST + ":7".len());
    }
}
