//! Recordings that go past every scope, and whose test they may be of.

use std::cell::Cell;
use std::collections::HashMap;
use std::fmt::Write as _;
use std::io::Write as _;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::atomic::{AtomicBool, AtomicU64};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::thread::{self, ThreadId};

use metercast_core::{Noted, Store, Watch};

/// The store of a test, and a watch of what goes past it.
#[derive(Debug)]
pub(super) struct Scope {
    number: u64,
    store: Store,
    watch: Watch,
    /// Of the thread that opened it, which the test harness calls by the test's name.
    test: Option<String>,
    denies: AtomicBool,
    allows: AtomicBool,
    has_ended: AtomicBool,
}

/// A recording that went past a scope.
pub(super) struct Escape {
    noted: Noted,
    /// Whether the thread has run this scope and no other, so that it is nobody else's.
    is_certain: bool,
}

#[derive(Default)]
struct Scopes {
    living: Vec<Weak<Scope>>,
    /// Which scopes each thread has run, until none lives.
    threads: HashMap<ThreadId, Vec<u64>>,
}

static SCOPES: Mutex<Option<Scopes>> = Mutex::new(None);

/// How many there are: production code asks for the current one, and there is none.
static LIVING: AtomicU64 = AtomicU64::new(0);

thread_local! {
    /// The scope that this thread ran last.
    static LAST: Cell<u64> = const { Cell::new(0) };
}

impl Scope {
    /// A scope of this store.
    pub(super) fn of(store: Store) -> Arc<Scope> {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        let scope = Arc::new(Scope {
            number: NEXT.fetch_add(1, Relaxed),
            store,
            watch: Watch::begin(),
            test: thread::current().name().map(str::to_owned),
            denies: AtomicBool::new(false),
            allows: AtomicBool::new(false),
            has_ended: AtomicBool::new(false),
        });
        LIVING.fetch_add(1, Relaxed);
        scopes().get_or_insert_default().living.push(Arc::downgrade(&scope));
        scope
    }

    /// The scope whose store is the current one, if it is that of a test.
    pub(super) fn current() -> Option<Arc<Scope>> {
        if LIVING.load(Relaxed) == 0 {
            return None;
        }
        let store = Store::current();
        // What is upgraded here may be the last: it is dropped after the lock.
        let living: Vec<_> = scopes().iter().flat_map(|all| &all.living).filter_map(Weak::upgrade).collect();
        living.into_iter().find(|scope| scope.store.is(&store))
    }

    pub(super) fn store(&self) -> &Store {
        &self.store
    }

    /// Notes that the current thread runs what belongs to this scope.
    pub(super) fn is_run_here(&self) {
        if LAST.replace(self.number) != self.number
            && let Some(all) = &mut *scopes()
        {
            let of_thread = all.threads.entry(thread::current().id()).or_default();
            if !of_thread.contains(&self.number) {
                of_thread.push(self.number);
            }
        }
    }

    pub(super) fn deny_escapes(&self) {
        self.denies.store(true, Relaxed);
    }

    /// What went past this scope, as far as it may be of its test: not what threads recorded that ran others' scopes only.
    pub(super) fn escapes(&self) -> Vec<Escape> {
        let noted = self.watch.noted();
        let scopes = scopes();
        let threads = scopes.as_ref().map(|all| &all.threads);
        let attributed =
            noted.into_iter().filter(|noted| !noted.metric.starts_with("metercast.")).filter_map(|noted| {
                let thread = noted.thread.as_ref().and_then(|thread| threads?.get(&thread.id()));
                let is_certain = match thread.map(Vec::as_slice) {
                    Some([only]) if *only == self.number => true,
                    Some(others) if !others.contains(&self.number) => return None,
                    _ => false,
                };
                Some(Escape { noted, is_certain })
            });
        attributed.collect()
    }

    /// Says once what went past.
    ///
    /// # Panics
    ///
    /// If that is denied, unless the test fails already.
    #[track_caller]
    pub(super) fn end(&self) {
        if self.has_ended.swap(true, Relaxed) {
            return;
        }
        let escapes = self.escapes();
        if escapes.is_empty() || self.allows.load(Relaxed) {
            return;
        }
        let said = text(&escapes);
        if !thread::panicking() && self.denies.load(Relaxed) {
            panic!("{said}");
        }
        let test = self.test.as_deref().unwrap_or("a test");
        // Not by a macro, whose output the test harness keeps to itself while the test succeeds.
        let _ = writeln!(std::io::stderr().lock(), "metercast: {test}: {said}");
    }

    /// # Panics
    ///
    /// If something went past and that is denied.
    #[track_caller]
    pub(super) fn check(&self) {
        if self.denies.load(Relaxed) {
            let escapes = self.escapes();
            if !escapes.is_empty() {
                self.has_ended.store(true, Relaxed);
                panic!("{}", text(&escapes));
            }
        }
    }
}

impl Drop for Scope {
    fn drop(&mut self) {
        LIVING.fetch_sub(1, Relaxed);
        let mut scopes = scopes();
        let Some(all) = &mut *scopes else { return };
        all.living.retain(|scope| scope.strong_count() > 0);
        if all.living.is_empty() {
            *scopes = None;
        }
    }
}

impl Escape {
    pub(super) fn metric(&self) -> &str {
        self.noted.metric
    }
}

/// What went past, with its places, and how to mend it.
pub(super) fn text(escapes: &[Escape]) -> String {
    let count: u64 = escapes.iter().map(|escape| escape.noted.count).sum();
    let (recordings, it) = if count == 1 { ("recording", "it") } else { ("recordings", "they") };
    let mut text = format!("{count} {recordings} went past the scope into the global store:");
    for Escape { noted, .. } in escapes {
        let _ = write!(text, "\n  {} at {}", noted.metric, noted.place);
        if noted.count > 1 {
            let _ = write!(text, ", {} times", noted.count);
        }
        match noted.thread.as_ref().map(|thread| thread.name()) {
            Some(Some(name)) => _ = write!(text, ", on thread {name:?}"),
            Some(None) => text += ", on a thread without a name",
            None => text += ", on a thread that was just ending",
        }
    }
    text += "\nwhat is spawned does not inherit the scope: wrap the future or closure with .with_current_meter_provider(), \
             and bind handles inside the scope; what a library spawns is out of reach, so call it without a server, such as a router by oneshot";
    if escapes.iter().any(|escape| !escape.is_certain) {
        let _ = write!(
            text,
            "\n(unless {it} came from another test of this process, or from what it left running)"
        );
    }
    text
}

/// Says nothing at the end of the current scope of what went past it, for a test that means it. Failing assertions still name
/// what was recorded outside.
///
/// # Panics
///
/// If there is no scope of a test here.
#[track_caller]
pub fn allow_escapes() {
    scope_here().allows.store(true, Relaxed);
}

/// Makes every recording that goes past the current scope fail the test: at its next assertion, or at the end of the scope, also of a
/// future that is cancelled; a test that panics already fails by that, and this is said on standard error. The
/// code that records does not notice. Where tests run in one process beside others that record into the global store
/// on purpose, their recordings may be taken for this test's, which the message says.
///
/// ```should_panic
/// use metercast::{testing, u64_counter};
///
/// let _metrics = testing::scope();
/// testing::deny_escapes();
/// std::thread::spawn(|| u64_counter!("orders.placed", "Orders accepted", 1)).join().unwrap();
/// ```
///
/// # Panics
///
/// If there is no scope of a test here.
#[track_caller]
pub fn deny_escapes() {
    scope_here().deny_escapes();
}

#[track_caller]
fn scope_here() -> Arc<Scope> {
    match Scope::current() {
        Some(scope) => scope,
        None => {
            panic!("there is no scope here; open one with testing::scope(), isolated() or with_metrics()")
        }
    }
}

fn scopes() -> MutexGuard<'static, Option<Scopes>> {
    SCOPES.lock().unwrap_or_else(PoisonError::into_inner)
}
