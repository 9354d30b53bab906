//! `OTEL_EXPORTER_OTLP_*`, and the times of `OTEL_METRIC_EXPORT_*` and `OTEL_BSP_*`.

use std::path::PathBuf;
use std::time::Duration;

use super::{Variables, truth};
use crate::config::duration;
use crate::config::error::Findings;
use crate::config::headers::{self, GivenHeaders};
use crate::config::otlp::{
    self, Compression, HistogramAggregation, OtlpLayer, Protocol, TemporalityPreference, TlsLayer,
};
use crate::config::place::{Given, Place};
use crate::config::signal::Signal;
use crate::config::url::Url;

impl Variables {
    pub(super) fn otlp(&self, signal: Signal, below: &OtlpLayer, findings: &mut Findings) -> OtlpLayer {
        let (interval, _) = signal.times();
        let of_metrics = |name| self.named(name).filter(|_| signal == Signal::Metrics);
        OtlpLayer {
            preset: None,
            endpoint: self.endpoint(signal, findings),
            protocol: self.word(
                self.for_signal(signal, "PROTOCOL"),
                &Protocol::NAMES,
                Protocol::named,
                findings,
            ),
            insecure: self
                .for_signal(signal, "INSECURE")
                .find_map(|(name, value)| truth(&name, value, findings)),
            interval: self.milliseconds(
                interval,
                below.interval.as_ref(),
                signal.interval(),
                duration::interval,
                findings,
            ),
            timeout: self.timeout(signal, below, findings),
            compression: self.word(
                self.for_signal(signal, "COMPRESSION"),
                &Compression::NAMES,
                Compression::named,
                findings,
            ),
            tls: TlsLayer {
                ca: self.path(signal, "CERTIFICATE"),
                client_certificate: self.path(signal, "CLIENT_CERTIFICATE"),
                client_key: self.path(signal, "CLIENT_KEY"),
            },
            // That is not a matter of one exporter.
            proxy: None,
            temporality: self.word(
                of_metrics("OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE"),
                &TemporalityPreference::NAMES,
                TemporalityPreference::named,
                findings,
            ),
            histograms: self.word(
                of_metrics("OTEL_EXPORTER_OTLP_METRICS_DEFAULT_HISTOGRAM_AGGREGATION"),
                &HistogramAggregation::LONG_NAMES,
                HistogramAggregation::long_named,
                findings,
            ),
            token: None,
            request_limit: None,
            dataset: None,
            resource: None,
            headers: self.headers(signal, findings),
            auth_key: None,
        }
    }

    fn endpoint(&self, signal: Signal, findings: &mut Findings) -> Option<Given<Url>> {
        let (name, url) = self.for_signal(signal, "ENDPOINT").next()?;
        let endpoint = if name.contains(signal.word()) { Url::exact(url) } else { Url::base(url) };
        findings.take(&Place::variable(&name), endpoint)
    }

    fn headers(&self, signal: Signal, findings: &mut Findings) -> GivenHeaders {
        let given = self.for_signal(signal, "HEADERS").next();
        given
            .and_then(|(name, list)| findings.take(&Place::variable(&name), headers::parse_list(list)))
            .map(|headers| GivenHeaders::at(headers.value, &headers.place))
            .unwrap_or_default()
    }

    fn path(&self, signal: Signal, last: &str) -> Option<Given<PathBuf>> {
        self.for_signal(signal, last)
            .next()
            .map(|(name, path)| Given { value: path.into(), place: Place::variable(&name) })
    }

    /// `OTEL_EXPORTER_OTLP_TIMEOUT` bounds one push, and `OTEL_METRIC_EXPORT_TIMEOUT` or `OTEL_BSP_EXPORT_TIMEOUT` what the
    /// periodic reader or the batches of spans allow for it. Here a push has one limit, so the shorter of the two counts. The second has no
    /// default of its own: its 30 seconds would silently cut a longer first one.
    fn timeout(&self, signal: Signal, below: &OtlpLayer, findings: &mut Findings) -> Option<Given<Duration>> {
        let (_, of_reader) = signal.times();
        let own = format!("OTEL_EXPORTER_OTLP_{}_TIMEOUT", signal.word());
        let below = below.timeout.as_ref();
        let mut read = |name: &str, below: Option<&Given<Duration>>| {
            self.milliseconds(name, below, otlp::TIMEOUT, duration::bounded, findings)
        };
        let general = read("OTEL_EXPORTER_OTLP_TIMEOUT", below);
        let specific = read(&own, general.as_ref().or(below)).or(general);
        let push = specific.as_ref().or(below).map_or(otlp::TIMEOUT, |push| push.value);
        let reader = read(of_reader, specific.as_ref().or(below));
        let is_shorter = |reader: Duration| !reader.is_zero() && (push.is_zero() || reader < push);
        reader.filter(|reader| is_shorter(reader.value)).or(specific)
    }
}
