//! Exporters that a reload has removed: each hands over what it has in the background, and ends.

#[cfg(feature = "serve")]
use std::sync::Weak;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread;
use std::time::Instant;

use super::exporter::Exporter;
use crate::log::Level;
#[cfg(feature = "serve")]
use crate::serve::Listener;

/// An exporter on its way out.
pub(super) struct Retiring {
    name: String,
    is_private: bool,
    /// Which may not have closed yet.
    #[cfg(feature = "serve")]
    listener: Weak<Listener>,
    ended: Arc<Ended>,
}

#[derive(Default)]
struct Ended {
    is_so: Mutex<bool>,
    changed: Condvar,
}

impl Retiring {
    /// Ends the exporter, at the latest at `deadline`. What goes wrong is logged.
    pub(super) fn start(name: &str, exporter: Exporter, deadline: Instant) -> Retiring {
        let ended = Arc::new(Ended::default());
        let is_private = exporter.is_private;
        #[cfg(feature = "serve")]
        let listener = exporter.listener().map_or_else(Weak::new, Arc::downgrade);
        // Shared, so that it is not lost if there is no thread.
        let end = Arc::new({
            let (ended, name) = (Arc::clone(&ended), name.to_owned());
            move || {
                if let Err(error) = exporter.end(deadline) {
                    let line = format!("exporter {name:?} was removed before all was handed over: {error}");
                    exporter.log.write(Level::Error, &line);
                }
                ended.set();
            }
        });
        let spawned = thread::Builder::new().name(format!("metercast-retire-{name}")).spawn({
            let end = Arc::clone(&end);
            move || end()
        });
        if spawned.is_err() {
            end();
        }
        Retiring {
            name: name.to_owned(),
            is_private,
            #[cfg(feature = "serve")]
            listener,
            ended,
        }
    }

    /// The listener, if it is one and still there.
    #[cfg(feature = "serve")]
    pub(super) fn listener(&self) -> Option<Arc<Listener>> {
        self.listener.upgrade()
    }

    pub(super) fn has_ended(&self) -> bool {
        *self.ended.is_so.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for its end, at most until `deadline`; an error with its name if it goes on, unless nobody asked for it.
    pub(super) fn wait(self, deadline: Instant) -> Result<(), (String, String)> {
        let left = deadline.saturating_duration_since(Instant::now());
        let is_so = self.ended.is_so.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = self.ended.changed.wait_timeout_while(is_so, left, |is_so| !*is_so);
        if *waited.unwrap_or_else(PoisonError::into_inner).0 || self.is_private {
            return Ok(());
        }
        Err((self.name, "was removed by a reload, and has not handed over what it had in time".to_owned()))
    }
}

impl Ended {
    fn set(&self) {
        *self.is_so.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.changed.notify_all();
    }
}
