//! The global meter provider of each version.

use std::cell::Cell;
use std::error::Error;
use std::fmt;
use std::sync::{Mutex, PoisonError};

use metercast_core::Store;

use crate::version;

/// Makes a provider that [follows the current store](crate::MeterProvider::new) the global one of each version of the API
/// whose feature is on, so that `opentelemetry::global::meter` gives meters that record into metercast. Call it first thing
/// in `main`: an instrument that is built earlier keeps the provider that was there, and records nothing. It need not wait
/// for anything of metercast to be started.
///
/// Called again it changes nothing. Should a program set another global provider later, that one is in force, what was built
/// before goes on recording here, and [`Store::problems`] of the global store says so.
///
/// # Errors
///
/// If the program has set a provider of its own for some version. It is left alone; the other versions are installed.
///
/// ```
/// # use metercast_core::Store;
/// metercast_opentelemetry::install().unwrap();
///
/// // Anywhere in the program or its dependencies:
/// let requests = opentelemetry::global::meter("my.lib").u64_counter("requests").build();
/// requests.add(1, &[]);
/// assert_eq!(Store::global().collect()[0].definition.name(), "requests");
/// ```
pub fn install() -> Result<(), InstallError> {
    // Of two threads, each would find no provider yet, and one would replace that of the other.
    static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
    let _one_at_a_time = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    let taken: Vec<_> =
        version::ALL.iter().filter(|version| !(version.install)()).map(|version| version.number).collect();
    if taken.is_empty() { Ok(()) } else { Err(InstallError { taken }) }
}

/// Why [`install`] left some global providers as they were.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InstallError {
    taken: Vec<&'static str>,
}

impl InstallError {
    /// The versions of the API that have a global provider of somebody else's, such as `0.33`, the newest first.
    pub fn versions(&self) -> &[&'static str] {
        &self.taken
    }
}

impl fmt::Display for InstallError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let versions = self.taken.join(", ");
        write!(
            f,
            "opentelemetry {versions} has a global meter provider already, which was left alone, so what is measured with it does not reach \
             metercast; call install() first and set no other, or replace that one with \
             opentelemetry::global::set_meter_provider(MeterProvider::new())"
        )
    }
}

impl Error for InstallError {}

thread_local! {
    /// Whether a provider of ours was asked for a meter on this thread since this was last set to false.
    static ASKED: Cell<bool> = const { Cell::new(false) };
}

/// Notes that a provider of ours was asked for a meter.
pub(crate) fn asked() {
    let _ = ASKED.try_with(|asked| asked.set(true));
}

/// Whether `ask` asks a provider of ours for a meter.
pub(crate) fn asks_us(ask: impl FnOnce()) -> bool {
    ASKED.set(false);
    ask();
    ASKED.replace(false)
}

/// Lives as long as a provider of ours is the global one of a version.
pub(crate) struct Installed {
    pub(crate) version: &'static str,
}

impl Drop for Installed {
    fn drop(&mut self) {
        let message = "has another global meter provider now: instruments that are built from here on do not record into \
                       metercast; do not set one after install()";
        Store::global().report(&format!("opentelemetry {}", self.version), message);
    }
}
