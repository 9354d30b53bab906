//! What one source (the program's defaults, a file, the environment, the program's pins) says about each
//! setting.
//!
//! Every source becomes a [`Layer`] of checked values; [`resolve`](super::resolve) lays them over each other.
//! A new source needs nothing but a way to become a layer.

use std::collections::BTreeMap;
use std::time::Duration;

use super::error::{Given, Place};
use super::exporter::Kind;
use super::otlp::OtlpLayer;
use super::projection::ProjectionLayer;
use super::prometheus::PrometheusLayer;
use super::pushgateway::PushgatewayLayer;
use super::stdout::StdoutLayer;
use super::{OnError, OnSigterm};
use metercast_core::{ExemplarFilter, Value};

/// Everything one source says. `None` is silence.
#[derive(Debug, Default)]
pub(super) struct Layer {
    pub(super) enabled: Option<bool>,
    pub(super) shutdown_timeout: Option<Duration>,
    pub(super) on_sigterm: Option<OnSigterm>,
    pub(super) on_error: Option<OnError>,
    pub(super) self_metrics: Option<bool>,
    pub(super) exemplars: Option<ExemplarFilter>,
    pub(super) resource: BTreeMap<String, Value>,
    /// What holds for every exporter that is not private, below its own: views, buckets, limit.
    pub(super) projection: ProjectionLayer,
    pub(super) exporters: BTreeMap<String, ExporterLayer>,
}

/// What one source says about one exporter.
#[derive(Debug)]
pub(super) struct ExporterLayer {
    /// Where its type was decided, to complain there if another source decides otherwise.
    pub(super) type_place: Place,
    pub(super) enabled: Option<Given<bool>>,
    pub(super) env: Option<bool>,
    pub(super) projection: ProjectionLayer,
    pub(super) settings: Settings,
}

impl ExporterLayer {
    /// Nothing said about an exporter of this type.
    #[cfg(feature = "config")]
    pub(super) fn silent(kind: Kind) -> Self {
        Self {
            type_place: Place::named(""),
            enabled: None,
            env: None,
            projection: ProjectionLayer::default(),
            settings: Settings::silent(kind),
        }
    }

    pub(super) fn kind(&self) -> Kind {
        match self.settings {
            Settings::Prometheus(_) => Kind::Prometheus,
            Settings::Otlp(_) => Kind::Otlp,
            Settings::Pushgateway(_) => Kind::Pushgateway,
            Settings::Stdout(_) => Kind::Stdout,
        }
    }
}

/// The settings that only exporters of one type have.
#[derive(Debug)]
#[allow(clippy::large_enum_variant, reason = "there are few of them, and they live as long as the program")]
pub(super) enum Settings {
    Prometheus(PrometheusLayer),
    Otlp(OtlpLayer),
    Pushgateway(PushgatewayLayer),
    Stdout(StdoutLayer),
}

impl Settings {
    /// Nothing said about an exporter of this type.
    pub(super) fn silent(kind: Kind) -> Self {
        match kind {
            Kind::Prometheus => Self::Prometheus(PrometheusLayer::default()),
            Kind::Otlp => Self::Otlp(OtlpLayer::default()),
            Kind::Pushgateway => Self::Pushgateway(PushgatewayLayer::default()),
            Kind::Stdout => Self::Stdout(StdoutLayer::default()),
        }
    }

    /// These settings, and where they are silent those of `below`. Settings of another type say nothing here.
    pub(super) fn over(self, below: Self) -> Self {
        match (self, below) {
            (Self::Prometheus(above), Self::Prometheus(below)) => Self::Prometheus(above.over(below)),
            (Self::Otlp(above), Self::Otlp(below)) => Self::Otlp(above.over(below)),
            (Self::Pushgateway(above), Self::Pushgateway(below)) => Self::Pushgateway(above.over(below)),
            (Self::Stdout(above), Self::Stdout(below)) => Self::Stdout(above.over(below)),
            (above, _) => above,
        }
    }
}
