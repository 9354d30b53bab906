//! The exporter that is the program's own.

use std::fmt;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::duration;
use super::error::Findings;
use super::place::{Given, Place, lay};
use super::projection::ProjectionSettings;
use super::resource_attributes::{self, ResourceAttributes};
use crate::export::custom::CustomExporter;
use crate::view::Projection;

/// As the specification has it for what is pushed.
pub(super) const INTERVAL: Duration = Duration::from_secs(60);

/// An exporter that the program has itself: a [`CustomExporter`], which gets what a filter and views let out, at an interval, when
/// [flushed](crate::Telemetry::flush), and once more at the shutdown. What it leaves open, the layers below decide: a file may shape it
/// by its name, as any other, and cannot make one.
///
/// [`CustomExporter`] shows one whole.
#[derive(Debug, Clone)]
#[must_use]
pub struct Custom {
    exporter: SharedExporter,
    interval: Option<Duration>,
    resource: Option<ResourceAttributes>,
    pub(super) projection: ProjectionSettings,
    pub(super) env: Option<bool>,
}

impl Custom {
    /// Hands over to this exporter. A clone of this is the same exporter, so that a reload that changes nothing else leaves it alone.
    pub fn new(exporter: impl CustomExporter) -> Self {
        let exporter = SharedExporter(Arc::new(Mutex::new(exporter)));
        Self {
            exporter,
            interval: None,
            resource: None,
            projection: ProjectionSettings::default(),
            env: None,
        }
    }

    /// The time from the start of one export to the start of the next: 1 millisecond to a year, 60 seconds unless said.
    pub fn interval(mut self, interval: Duration) -> Self {
        self.interval = Some(interval);
        self
    }

    /// Which attributes of the resource are handed over; all unless said.
    pub fn resource(mut self, attributes: ResourceAttributes) -> Self {
        self.resource = Some(attributes);
        self
    }

    /// Whether `OTEL_METRIC_EXPORT_INTERVAL` shapes this exporter. Unless it is said, it shapes the one named `custom` if no
    /// file names it.
    pub fn env(mut self, reads: bool) -> Self {
        self.env = Some(reads);
        self
    }

    pub(super) fn into_layer(self, place: &Place, findings: &mut Findings) -> CustomLayer {
        CustomLayer {
            exporter: Some(self.exporter),
            interval: self
                .interval
                .and_then(|interval| findings.take(&place.child("interval"), duration::interval(interval))),
            resource: self
                .resource
                .and_then(|attributes| findings.take(&place.child("resource"), attributes.checked())),
        }
    }
}

/// The exporter, which whoever runs it has for as long as it exports.
#[derive(Clone)]
pub(crate) struct SharedExporter(pub(crate) Arc<Mutex<dyn CustomExporter>>);

impl fmt::Debug for SharedExporter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CustomExporter")
    }
}

impl PartialEq for SharedExporter {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Eq for SharedExporter {}

/// The settings of an exporter that is the program's own, checked and complete. Prints as `every 60s`.
#[derive(Debug, Clone, PartialEq)]
pub struct CustomConfig {
    exporter: SharedExporter,
    interval: Duration,
    resource: ResourceAttributes,
    projection: Projection,
}

impl CustomConfig {
    /// The time from the start of one export to the start of the next.
    pub fn interval(&self) -> Duration {
        self.interval
    }

    /// Which metrics are handed over, and how they look.
    pub fn projection(&self) -> &Projection {
        &self.projection
    }

    /// Which attributes of the resource are handed over.
    pub fn resource(&self) -> &ResourceAttributes {
        &self.resource
    }

    pub(crate) fn exporter(&self) -> &SharedExporter {
        &self.exporter
    }
}

impl fmt::Display for CustomConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "every {}", duration::show(self.interval))
    }
}

/// What one source says about an exporter that is the program's own.
#[derive(Debug, Default)]
pub(super) struct CustomLayer {
    /// Which only the program can say.
    pub(super) exporter: Option<SharedExporter>,
    pub(super) interval: Option<Given<Duration>>,
    pub(super) resource: Option<Given<ResourceAttributes>>,
}

impl CustomLayer {
    pub(super) fn over(self, below: Self) -> Self {
        Self {
            exporter: self.exporter.or(below.exporter),
            interval: lay(self.interval, below.interval),
            resource: lay(self.resource, below.resource),
        }
    }

    /// The settings with the defaults where no source said anything; nothing without the program's exporter.
    pub(super) fn resolve(
        self,
        projection: Projection,
        place: &Place,
        findings: &mut Findings,
    ) -> Option<CustomConfig> {
        let show = |interval: &Duration| duration::show(*interval);
        Some(CustomConfig {
            exporter: self.exporter?,
            interval: findings.settle(&place.child("interval"), self.interval, INTERVAL, show),
            resource: resource_attributes::settle(self.resource, ResourceAttributes::All, place, findings),
            projection,
        })
    }
}
