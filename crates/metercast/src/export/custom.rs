//! Exporters of the program's own: what they get, and what becomes of it.

use std::error::Error;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, PoisonError};
use std::time::Instant;

use metercast_core::{MockClock, Value};

use crate::collection::Collection;
use crate::config::{CustomConfig, SharedExporter};
use crate::export::ending::{Ending, reading_panicked};
use crate::export::timer;
use crate::log::Level;
use crate::panic::panic_message;
use crate::reader::Reader;
use crate::view::{Plan, When};

/// A format and a transport that metercast does not have. [`config::Custom`](crate::config::Custom) gives it an interval, a filter and views;
/// it runs on a thread of its own, is flushed and shut down with the others, and is measured and logged about as they are.
///
/// ```
/// use std::error::Error;
/// use std::io::Write;
/// use metercast::config::{Config, Custom};
/// use metercast::{CustomExporter, Export, Store, Telemetry, u64_counter};
///
/// /// A line for each series.
/// struct Lines<W>(W);
///
/// impl<W: Write + Send + 'static> CustomExporter for Lines<W> {
///     fn export(&mut self, export: &Export<'_>) -> Result<(), Box<dyn Error + Send + Sync>> {
///         for metric in &export.collection().metrics {
///             for series in &metric.series {
///                 writeln!(self.0, "{}{} {:?}", metric.name, series.labels, series.point)?;
///             }
///         }
///         Ok(self.0.flush()?)
///     }
/// }
///
/// # let folder = std::env::temp_dir();
/// # let path = folder.join(format!("metercast-custom-{}.txt", std::process::id()));
/// let lines = Custom::new(Lines(std::fs::File::create(&path)?));
/// let config = Config::builder().environment(false).self_metrics(false).exporter("lines", lines).build()?;
/// let store = Store::new();
/// let telemetry = Telemetry::builder(config).store(store.clone()).start()?;
/// store.scope(|| u64_counter!("orders.placed", "Orders accepted", 3, "side" => "buy"));
/// telemetry.shutdown()?;
/// assert_eq!(std::fs::read_to_string(&path)?, "orders.placed{side=\"buy\"} U64(3)\n");
/// # std::fs::remove_file(&path)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub trait CustomExporter: Send + 'static {
    /// Hands over what was collected. Blocks this thread, which is its own; nothing else waits for it, but for a flush and the shutdown,
    /// until their deadline. It is not called while nothing was recorded.
    ///
    /// Values are cumulative, so that a delivery that fails loses nothing: the next has it too. A panic is an error.
    ///
    /// # Errors
    ///
    /// Why not everything was handed over. It is logged, not each time; counted by `otel.sdk.exporter.metric_data_point.exported` with an
    /// `error.type`; and what a flush or the shutdown returns. Secrets do not belong in it.
    fn export(&mut self, export: &Export<'_>) -> Result<(), Box<dyn Error + Send + Sync>>;
}

/// What an exporter is to hand over.
pub struct Export<'a> {
    collection: &'a Collection,
    resource: &'a [(String, Value)],
    deadline: Option<Instant>,
}

impl Export<'_> {
    /// The metrics that its filter takes, as its views have them; at least one, each with at least one series.
    pub fn collection(&self) -> &Collection {
        self.collection
    }

    /// The attributes of the resource that it is told, by default all.
    pub fn resource(&self) -> &[(String, Value)] {
        self.resource
    }

    /// Until when somebody waits for it, if somebody does.
    pub fn deadline(&self) -> Option<Instant> {
        self.deadline
    }
}

impl fmt::Debug for Export<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Export").field("points", &self.collection.points()).finish_non_exhaustive()
    }
}

/// What is done at the interval: reads the store, and lets the program's exporter hand over.
pub(crate) struct Work {
    name: String,
    exporter: SharedExporter,
    reader: Reader,
    plan: Plan,
    resource: Vec<(String, Value)>,
}

impl Work {
    /// The work of the exporter of this name, which hands over these attributes of the resource.
    pub(crate) fn of(
        name: &str,
        config: &CustomConfig,
        resource: &[(String, Value)],
        reader: Reader,
    ) -> Work {
        let plan = Plan::new(Arc::new(config.projection().clone()), name).read_by(&reader);
        Work {
            name: name.to_owned(),
            exporter: config.exporter().clone(),
            reader,
            plan,
            resource: resource.to_vec(),
        }
    }

    /// What lines about its failures are about: another exporter may have had the name.
    fn subject(&self) -> String {
        format!("{} (custom)", self.name)
    }

    /// What the program's code returns, or that it panicked; and what went wrong in one word.
    fn export(
        &self,
        collection: &Collection,
        deadline: Option<Instant>,
    ) -> Result<(), (&'static str, String)> {
        let export = Export { collection, resource: &self.resource, deadline };
        let exported = catch_unwind(AssertUnwindSafe(|| {
            self.exporter.0.lock().unwrap_or_else(PoisonError::into_inner).export(&export)
        }));
        match exported {
            Ok(Ok(())) => Ok(()),
            // What the conventions say of errors that have no word of their own.
            Ok(Err(error)) => Err(("_OTHER", error.to_string())),
            Err(panic) => Err(("panic", format!("panicked: {:?}", panic_message(&*panic)))),
        }
    }
}

impl timer::Work for Work {
    const LATE: &'static str = "did not export before the deadline; what it hands over to may hang";

    fn work(&mut self, deadline: Option<Instant>) -> Result<(), String> {
        let started = Instant::now();
        // The reading calls into the application too.
        let read = catch_unwind(AssertUnwindSafe(|| {
            self.reader.read(|store| Collection::of(&mut self.plan, store, store.time()))
        }));
        for warning in self.plan.warnings() {
            self.reader.log().write_once(Level::Warn, &warning);
        }
        let outcome = match read {
            Ok(collection) if collection.metrics.is_empty() => return Ok(()),
            Ok(collection) => {
                let points = u64::try_from(collection.points()).unwrap_or(u64::MAX);
                let _inflight = self.reader.own().inflight(points);
                let exported = self.export(&collection, deadline);
                self.reader.own().points(points, exported.as_ref().err().map(|(kind, _)| *kind));
                exported
            }
            Err(panic) => Err(reading_panicked(&*panic)),
        };
        let (reader, name, subject) = (&self.reader, &self.name, &self.subject());
        let outcome = outcome.map_err(|(kind, says)| (kind, format!("cannot export: {says}")));
        Ending { reader, name, subject, again: "exports again" }.of(started, outcome)
    }

    fn clock(&self) -> Option<MockClock> {
        self.reader.store().clock().cloned()
    }

    fn begin(&mut self) {
        self.plan.commit(self.reader.store());
    }

    fn conclude(&mut self) {
        if let Some(store) = self.plan.unsaid() {
            store.read(|reading| self.plan.conclude(reading, When::AtTheEnd));
        }
        for warning in self.plan.warnings() {
            self.reader.log().write_once(Level::Warn, &warning);
        }
    }

    fn succeed(&mut self, other: &Work) {
        self.plan.succeed(other.plan.estate());
        // What the new settings come to is worth a line, whatever was said about the old ones.
        self.reader.log().settle(&self.subject());
    }
}
