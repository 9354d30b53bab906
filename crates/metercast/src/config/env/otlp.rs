//! `OTEL_EXPORTER_OTLP_*` and `OTEL_METRIC_EXPORT_*`.

use std::time::Duration;

use super::{Variables, fallback};
use crate::config::duration;
use crate::config::endpoint::Endpoint;
use crate::config::error::{Checked, Findings, Given, Place};
use crate::config::headers::{self, Headers};
use crate::config::otlp::{self, Compression, OtlpLayer};

impl Variables {
    pub(super) fn otlp(&self, below: &OtlpLayer, findings: &mut Findings) -> OtlpLayer {
        self.protocol(findings);
        self.warn_of_unread_otlp(findings);
        OtlpLayer {
            endpoint: self.endpoint(findings),
            interval: self.milliseconds(
                "OTEL_METRIC_EXPORT_INTERVAL",
                below.interval,
                otlp::INTERVAL,
                duration::interval,
                findings,
            ),
            timeout: self.timeout(below, findings),
            compression: self.compression(findings),
            headers: self.headers(findings),
        }
    }

    fn endpoint(&self, findings: &mut Findings) -> Option<Given<Endpoint>> {
        let (name, url) = self.for_metrics("ENDPOINT")?;
        let endpoint = if name.contains("_METRICS_") { Endpoint::exact(url) } else { Endpoint::base(url) };
        findings.take(&Place::named(&name), endpoint)
    }

    fn headers(&self, findings: &mut Findings) -> Headers {
        let given = self.for_metrics("HEADERS");
        given
            .and_then(|(name, list)| findings.take(&Place::named(&name), headers::parse_list(list)))
            .map_or_else(Headers::default, |headers| headers.value)
    }

    fn compression(&self, findings: &mut Findings) -> Option<Compression> {
        let (name, word) = self.for_metrics("COMPRESSION")?;
        let compression = Compression::named(word);
        if compression.is_none() {
            findings.warn(
                &Place::named(&name),
                format_args!("{word:?} is neither \"gzip\" nor \"none\"; it is ignored"),
            );
        }
        compression
    }

    /// `OTEL_EXPORTER_OTLP_TIMEOUT` bounds one push, and `OTEL_METRIC_EXPORT_TIMEOUT` what the periodic
    /// reader allows for it. Here a push has one limit, so the shorter of the two counts. The second has no
    /// default of its own: its 30 seconds would silently cut a longer first one.
    fn timeout(&self, below: &OtlpLayer, findings: &mut Findings) -> Option<Duration> {
        let mut read =
            |name, below| self.milliseconds(name, below, otlp::TIMEOUT, duration::bounded, findings);
        let general = read("OTEL_EXPORTER_OTLP_TIMEOUT", below.timeout);
        let specific = read("OTEL_EXPORTER_OTLP_METRICS_TIMEOUT", general.or(below.timeout)).or(general);
        let push = specific.or(below.timeout).unwrap_or(otlp::TIMEOUT);
        let reader = self.milliseconds(
            "OTEL_METRIC_EXPORT_TIMEOUT",
            specific.or(below.timeout),
            otlp::TIMEOUT,
            duration::bounded,
            findings,
        );
        match reader {
            Some(reader) if !reader.is_zero() && (push.is_zero() || reader < push) => Some(reader),
            _ => specific,
        }
    }

    /// Warns of a protocol other than the one there is.
    fn protocol(&self, findings: &mut Findings) {
        let Some((name, word)) = self.for_metrics("PROTOCOL") else { return };
        let place = Place::named(&name);
        match word.to_ascii_lowercase().as_str() {
            "http/protobuf" => {}
            "grpc" | "http/json" => {
                let message = format_args!(
                    "{word:?} is not built in; using http/protobuf, which a collector takes on port 4318"
                );
                findings.warn(&place, message);
            }
            _ => {
                findings
                    .warn(&place, format_args!("{word:?} is not a protocol of OTLP; using http/protobuf"));
            }
        }
    }

    /// Warns of a value that asks for another temporality or other buckets than are sent.
    fn warn_of_unread_otlp(&self, findings: &mut Findings) {
        let only = [
            ("OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE", "cumulative"),
            ("OTEL_EXPORTER_OTLP_METRICS_DEFAULT_HISTOGRAM_AGGREGATION", "explicit_bucket_histogram"),
        ];
        for (name, only) in only {
            if let Some(word) = self.get(name).filter(|word| !word.eq_ignore_ascii_case(only)) {
                findings.warn(&Place::named(name), format_args!("{word:?} is not built in; using {only}"));
            }
        }
    }

    /// A number of milliseconds that passes the check. One that does not is warned of, and then it is as if
    /// the variable were unset: what the sources below said counts, or the default.
    fn milliseconds(
        &self,
        name: &str,
        below: Option<Duration>,
        default: Duration,
        check: fn(Duration) -> Checked<Duration>,
        findings: &mut Findings,
    ) -> Option<Duration> {
        let text = self.get(name)?;
        // Unlike `parse`, this refuses `+5`.
        let number = text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok()).flatten();
        let instead = fallback(below.is_none(), below.unwrap_or(default).as_millis());
        let place = Place::named(name);
        match number.map(|number| check(Duration::from_millis(number))) {
            Some(Ok(duration)) => return Some(duration),
            Some(Err(_)) if number == Some(0) => {
                findings.warn(&place, format_args!("0 is too short for an interval; using {instead}"));
            }
            Some(Err(_)) => {
                findings.warn(&place, format_args!("{text:?} is longer than a year; using {instead}"));
            }
            None => {
                findings
                    .warn(&place, format_args!("{text:?} is not a number of milliseconds; using {instead}"));
            }
        }
        None
    }
}
