//! The exporter that prints.

use std::fmt;
use std::io::Write;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::duration;
use super::error::Findings;
use super::place::{Given, Place, lay};
use super::projection::ProjectionSettings;
use super::resource_attributes::{self, ResourceAttributes};
use crate::view::Projection;

/// As the specification has it for what is printed.
pub(super) const INTERVAL: Duration = Duration::from_secs(10);

/// An exporter that prints every series as a line of JSON, to look at while a program is written, or for a log
/// collector. What it leaves open, the layers below decide; in the end standard output every 10 seconds, and once more at
/// the shutdown.
///
/// | field | value |
/// | --- | --- |
/// | `time`, `started` | when the series was read, and when it began to count; RFC 3339 |
/// | `name`, `kind`, `unit` | of the metric; the unit is left out if there is none |
/// | `labels` | an object of strings, numbers and booleans |
/// | `value` | a number |
/// | `count`, `sum`, `bounds`, `counts` | of a histogram: `counts[i]` values are in the bucket up to `bounds[i]`, the last in that above |
/// | `count`, `sum`, `scale`, `zero_count`, `positive`, `negative` | of an exponential one; the last two are `{"offset":0,"counts":[1]}` |
/// | `count`, `sum`, `quantiles` | of a summary: `[[0.5,1.5],[0.99,2]]` |
/// | `resource` | an object of attributes of the resource, if there are some that are [asked for](Stdout::resource) |
///
/// What JSON has no number for is `"NaN"`, `"Infinity"` or `"-Infinity"`.
///
/// ```
/// use metercast::config::{Config, Stdout};
/// use metercast::{Store, Telemetry, u64_counter};
/// # #[derive(Clone, Default)]
/// # struct Shared(std::sync::Arc<std::sync::Mutex<Vec<u8>>>);
/// # impl std::io::Write for Shared {
/// #     fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> { self.0.lock().unwrap().write(bytes) }
/// #     fn flush(&mut self) -> std::io::Result<()> { Ok(()) }
/// # }
/// # let shared = Shared::default();
///
/// let printed = Stdout::default().writer(shared.clone());
/// let config = Config::builder().environment(false).self_metrics(false).exporter("stdout", printed).build()?;
/// let store = Store::new();
/// let telemetry = Telemetry::builder(config).store(store.clone()).start()?;
/// store.scope(|| u64_counter!("orders.placed", "Orders accepted", 3, "side" => "buy"));
/// telemetry.shutdown()?;
/// # let text = String::from_utf8(shared.0.lock().unwrap().clone())?;
/// assert!(text.ends_with("\"name\":\"orders.placed\",\"kind\":\"counter\",\"labels\":{\"side\":\"buy\"},\"value\":3}\n"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Default)]
#[must_use]
pub struct Stdout {
    interval: Option<Duration>,
    writer: Option<Writer>,
    resource: Option<ResourceAttributes>,
    pub(super) projection: ProjectionSettings,
    pub(super) env: Option<bool>,
}

impl Stdout {
    /// The time from the start of one print to the start of the next: 1 millisecond to a year, 10 seconds unless said.
    pub fn interval(mut self, interval: Duration) -> Self {
        self.interval = Some(interval);
        self
    }

    /// Prints here instead of to standard output. Each print is one call of `write_all` and one of `flush`.
    pub fn writer(mut self, writer: impl Write + Send + 'static) -> Self {
        self.writer = Some(Writer(Arc::new(Mutex::new(writer))));
        self
    }

    /// Which attributes of the resource are printed on every line; none unless said.
    pub fn resource(mut self, attributes: ResourceAttributes) -> Self {
        self.resource = Some(attributes);
        self
    }

    /// Whether `OTEL_METRIC_EXPORT_INTERVAL` shapes this exporter. Unless it is said, it shapes the one named `stdout` if no
    /// file names it.
    pub fn env(mut self, reads: bool) -> Self {
        self.env = Some(reads);
        self
    }

    pub(super) fn into_layer(self, place: &Place, findings: &mut Findings) -> StdoutLayer {
        StdoutLayer {
            interval: self
                .interval
                .and_then(|interval| findings.take(&place.child("interval"), duration::interval(interval))),
            writer: self.writer.map(|writer| Given::new(writer, &place.child("writer"))),
            resource: self
                .resource
                .and_then(|attributes| findings.take(&place.child("resource"), attributes.checked())),
        }
    }
}

/// Where to print, other than to standard output.
#[derive(Clone)]
pub(crate) struct Writer(pub(crate) Arc<Mutex<dyn Write + Send>>);

impl fmt::Debug for Writer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Writer")
    }
}

impl PartialEq for Writer {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Eq for Writer {}

/// The settings of an exporter that prints, checked and complete. Prints as `every 10s`.
#[derive(Debug, Clone, PartialEq)]
pub struct StdoutConfig {
    interval: Duration,
    writer: Option<Writer>,
    resource: ResourceAttributes,
    projection: Projection,
}

impl StdoutConfig {
    /// The time from the start of one print to the start of the next.
    pub fn interval(&self) -> Duration {
        self.interval
    }

    /// Which metrics are printed, and how they look.
    pub fn projection(&self) -> &Projection {
        &self.projection
    }

    /// Which attributes of the resource are printed on every line.
    pub fn resource(&self) -> &ResourceAttributes {
        &self.resource
    }

    /// Where to print; `None` is standard output.
    pub(crate) fn writer(&self) -> Option<&Writer> {
        self.writer.as_ref()
    }
}

impl fmt::Display for StdoutConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "every {}", duration::show(self.interval))
    }
}

/// What one source says about an exporter that prints.
#[derive(Debug, Default)]
pub(super) struct StdoutLayer {
    pub(super) interval: Option<Given<Duration>>,
    pub(super) writer: Option<Given<Writer>>,
    pub(super) resource: Option<Given<ResourceAttributes>>,
}

impl StdoutLayer {
    pub(super) fn over(self, below: Self) -> Self {
        Self {
            interval: lay(self.interval, below.interval),
            writer: lay(self.writer, below.writer),
            resource: lay(self.resource, below.resource),
        }
    }

    /// The settings with the defaults where no source said anything.
    pub(super) fn resolve(
        self,
        projection: Projection,
        place: &Place,
        findings: &mut Findings,
    ) -> StdoutConfig {
        let show = |interval: &Duration| duration::show(*interval);
        StdoutConfig {
            interval: findings.settle(&place.child("interval"), self.interval, INTERVAL, show),
            writer: self.writer.map(|writer| writer.value),
            resource: resource_attributes::settle(self.resource, ResourceAttributes::None, place, findings),
            projection,
        }
    }
}
