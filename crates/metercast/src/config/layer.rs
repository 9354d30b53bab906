//! What one source (the program's defaults, a file, the environment, the program's pins) says about each
//! setting.
//!
//! Every source becomes a [`Layer`] of checked values; [`resolve`](super::resolve) lays them over each other.
//! A new source needs nothing but a way to become a layer.

use std::collections::BTreeMap;
use std::time::Duration;

use super::custom::CustomLayer;
#[cfg(feature = "config")]
use super::error::Findings;
use super::exporter::Kind;
use super::instruments::InstrumentsLayer;
use super::otlp::OtlpLayer;
#[cfg(feature = "config")]
use super::place::lay;
use super::place::{Given, Place};
use super::projection::ProjectionLayer;
use super::prometheus::PrometheusLayer;
use super::pushgateway::PushgatewayLayer;
use super::stdout::StdoutLayer;
use super::traces::TracesLayer;
use super::{OnError, OnSigterm};
use metercast_core::{ExemplarFilter, Value};

/// Everything one source says. `None` is silence.
#[derive(Debug, Default)]
pub(super) struct Layer {
    pub(super) enabled: Option<Given<bool>>,
    pub(super) shutdown_timeout: Option<Given<Duration>>,
    pub(super) on_sigterm: Option<Given<OnSigterm>>,
    pub(super) on_error: Option<Given<OnError>>,
    pub(super) self_metrics: Option<Given<bool>>,
    pub(super) exemplars: Option<Given<ExemplarFilter>>,
    pub(super) resource: BTreeMap<String, Given<Value>>,
    /// What holds for every exporter that is not private, below its own: views, buckets, limit.
    pub(super) projection: ProjectionLayer,
    pub(super) exporters: BTreeMap<String, ExporterLayer>,
    pub(super) traces: TracesLayer,
    pub(super) instruments: InstrumentsLayer,
    /// Whether there are no exporters but those that somebody names, even if nobody does.
    pub(super) is_everything: bool,
}

#[cfg(feature = "config")]
impl Layer {
    /// The URL of this exporter is used as it is.
    pub(super) fn use_exactly(&mut self, exporter: &str) {
        if let Some(Settings::Otlp(otlp)) = self.exporters.get_mut(exporter).map(|layer| &mut layer.settings)
            && let Some(endpoint) = &mut otlp.endpoint
        {
            endpoint.value.is_exact = true;
        }
    }

    /// This, and where it is silent what `below` says. Notes exporters of which the two make different types.
    pub(super) fn over(self, below: Self, findings: &mut Findings) -> Self {
        let mut layer = Self {
            enabled: lay(self.enabled, below.enabled),
            shutdown_timeout: lay(self.shutdown_timeout, below.shutdown_timeout),
            on_sigterm: lay(self.on_sigterm, below.on_sigterm),
            on_error: lay(self.on_error, below.on_error),
            self_metrics: lay(self.self_metrics, below.self_metrics),
            exemplars: lay(self.exemplars, below.exemplars),
            resource: below.resource,
            projection: self.projection.over(below.projection),
            exporters: below.exporters,
            traces: self.traces.over(below.traces),
            instruments: self.instruments.over(below.instruments),
            is_everything: self.is_everything || below.is_everything,
        };
        for (key, value) in self.resource {
            let old = layer.resource.remove(&key);
            layer.resource.extend(lay(Some(value), old).map(|value| (key, value)));
        }
        for (name, exporter) in self.exporters {
            let exporter = match layer.exporters.remove(&name) {
                Some(old) => exporter.over(old, findings),
                None => exporter,
            };
            layer.exporters.insert(name, exporter);
        }
        layer
    }
}

/// What one source says about one exporter.
#[derive(Debug)]
pub(super) struct ExporterLayer {
    /// Where its type was decided, to complain there if another source decides otherwise.
    pub(super) type_place: Place,
    pub(super) enabled: Option<Given<bool>>,
    pub(super) env: Option<Given<bool>>,
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

    /// This, and where it is silent what `below` says.
    #[cfg(feature = "config")]
    fn over(self, below: Self, findings: &mut Findings) -> Self {
        if self.kind() != below.kind() {
            let (found, place, other) = (self.kind().name(), &below.type_place, below.kind().name());
            let message =
                format!("{found:?} contradicts {place}, which makes this exporter {other:?}; keep one type");
            findings.problem(&self.type_place, message);
        }
        Self {
            type_place: self.type_place,
            enabled: lay(self.enabled, below.enabled),
            env: lay(self.env, below.env),
            projection: self.projection.over(below.projection),
            settings: self.settings.over(below.settings),
        }
    }

    pub(super) fn kind(&self) -> Kind {
        self.settings.kind()
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
    Custom(CustomLayer),
}

impl Settings {
    pub(super) fn kind(&self) -> Kind {
        match self {
            Self::Prometheus(_) => Kind::Prometheus,
            Self::Otlp(_) => Kind::Otlp,
            Self::Pushgateway(_) => Kind::Pushgateway,
            Self::Stdout(_) => Kind::Stdout,
            Self::Custom(_) => Kind::Custom,
        }
    }

    /// Nothing said about an exporter of this type.
    pub(super) fn silent(kind: Kind) -> Self {
        match kind {
            Kind::Prometheus => Self::Prometheus(PrometheusLayer::default()),
            Kind::Otlp => Self::Otlp(OtlpLayer::default()),
            Kind::Pushgateway => Self::Pushgateway(PushgatewayLayer::default()),
            Kind::Stdout => Self::Stdout(StdoutLayer::default()),
            Kind::Custom => Self::Custom(CustomLayer::default()),
        }
    }

    /// These settings, and where they are silent those of `below`. Settings of another type say nothing here.
    pub(super) fn over(self, below: Self) -> Self {
        match (self, below) {
            (Self::Prometheus(above), Self::Prometheus(below)) => Self::Prometheus(above.over(below)),
            (Self::Otlp(above), Self::Otlp(below)) => Self::Otlp(above.over(below)),
            (Self::Pushgateway(above), Self::Pushgateway(below)) => Self::Pushgateway(above.over(below)),
            (Self::Stdout(above), Self::Stdout(below)) => Self::Stdout(above.over(below)),
            (Self::Custom(above), Self::Custom(below)) => Self::Custom(above.over(below)),
            (above, _) => above,
        }
    }
}
