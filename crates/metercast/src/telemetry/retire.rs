//! Exporters that a reload has removed: each hands over what it has in the background, and ends.

#[cfg(feature = "serve")]
use std::sync::Weak;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread;
#[cfg(feature = "otlp")]
use std::time::Duration;
use std::time::Instant;

use super::exporter::Exporter;
#[cfg(feature = "otlp")]
use crate::export::otlp::{Heritage, OtlpMessage, Push};
use crate::log::Level;
#[cfg(feature = "serve")]
use crate::serve::Listener;

/// How long after the deadline an exporter may say that it has ended.
#[cfg(feature = "otlp")]
const GRACE: Duration = Duration::from_secs(1);

/// An exporter on its way out.
pub(super) struct Retiring {
    name: String,
    is_private: bool,
    /// Which may not have closed yet.
    #[cfg(feature = "serve")]
    listener: Weak<Listener>,
    #[cfg(feature = "otlp")]
    push: Option<Arc<Push>>,
    /// When it has ended at the latest.
    #[cfg(feature = "otlp")]
    deadline: Instant,
    ended: Arc<Ended>,
}

/// The end of an exporter that there was no thread for.
pub(super) struct End(Arc<dyn Fn() + Send + Sync>);

impl End {
    /// Blocks until it has ended.
    pub(super) fn run(self) {
        (self.0)();
    }
}

#[derive(Default)]
struct Ended {
    is_so: Mutex<bool>,
    changed: Condvar,
}

impl Retiring {
    /// Ends the exporter, at the latest at `deadline`. What goes wrong is logged. If no thread can be had the end is returned, to
    /// be run where nobody waits for it.
    pub(super) fn start(name: &str, exporter: Exporter, deadline: Instant) -> (Retiring, Option<End>) {
        let thread = thread::Builder::new().name(format!("metercast-retire-{name}").replace('\0', ""));
        Retiring::start_on(thread, name, exporter, deadline)
    }

    fn start_on(
        thread: thread::Builder,
        name: &str,
        exporter: Exporter,
        deadline: Instant,
    ) -> (Retiring, Option<End>) {
        let ended = Arc::new(Ended::default());
        let is_private = exporter.is_private;
        #[cfg(feature = "serve")]
        let listener = exporter.listener().map_or_else(Weak::new, Arc::downgrade);
        #[cfg(feature = "otlp")]
        let push = exporter.push().cloned();
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
        let spawned = thread.spawn({
            let end = Arc::clone(&end);
            move || end()
        });
        let retiring = Retiring {
            name: name.to_owned(),
            is_private,
            #[cfg(feature = "serve")]
            listener,
            #[cfg(feature = "otlp")]
            push,
            #[cfg(feature = "otlp")]
            deadline,
            ended,
        };
        (retiring, spawned.is_err().then(|| End(end)))
    }

    #[cfg(feature = "otlp")]
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// What it has told, once it has ended. There is one who gets it.
    #[cfg(feature = "otlp")]
    pub(super) fn heritage(&mut self) -> Option<Heritage> {
        let (push, ended) = (self.push.take()?, Arc::clone(&self.ended));
        let deadline = self.deadline + GRACE;
        Some(Box::new(move || {
            ended.within(deadline);
            push.told()
        }))
    }

    /// Its name and what it has told, if that matters to who takes its place.
    #[cfg(feature = "otlp")]
    pub(super) fn told(&self) -> Option<(String, Box<OtlpMessage>)> {
        self.push.as_ref()?.told().map(|told| (self.name.clone(), told))
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
        if self.ended.within(deadline) || self.is_private {
            return Ok(());
        }
        Err((self.name, "was removed by a reload, and has not handed over what it had in time".to_owned()))
    }
}

impl Ended {
    /// Whether it has ended, which is waited for at most until then.
    fn within(&self, deadline: Instant) -> bool {
        let left = deadline.saturating_duration_since(Instant::now());
        let is_so = self.is_so.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = self.changed.wait_timeout_while(is_so, left, |is_so| !*is_so);
        *waited.unwrap_or_else(PoisonError::into_inner).0
    }

    fn set(&self) {
        *self.is_so.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.changed.notify_all();
    }
}

#[cfg(all(test, target_os = "linux", target_pointer_width = "64"))]
mod tests {
    use super::super::prepare::tests::{builder, exporters, print, soon};
    use super::*;

    #[test]
    fn an_end_without_a_thread_is_left_to_who_does_not_hold_the_lock() {
        let exporter = || exporters(builder().exporter("a", print())).remove("a").unwrap();
        // Larger than all addresses there are.
        let none = thread::Builder::new().stack_size(1 << 47);
        let (retiring, end) = Retiring::start_on(none, "a", exporter(), soon());
        assert!(!retiring.has_ended());
        end.unwrap().run();
        assert!(retiring.has_ended());
        let (retiring, end) = Retiring::start("a", exporter(), soon());
        assert!(end.is_none());
        retiring.wait(soon()).unwrap();
    }
}
