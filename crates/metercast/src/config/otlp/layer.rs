//! What one source says about an OTLP exporter, and what holds in the end.

use std::time::Duration;

use super::{
    Auth, Compression, HistogramAggregation, INTERVAL, OtlpConfig, Protocol, TIMEOUT, TemporalityPreference,
    TlsLayer,
};
use crate::config::endpoint::Endpoint;
use crate::config::error::{Findings, Given, Place};
use crate::config::has;
use crate::config::headers::Headers;
use crate::config::proxy::Proxy;
use crate::config::url::{Target, Url};

/// What one source says about an OTLP exporter. A timeout of zero is no limit.
#[derive(Debug, Default)]
pub(in crate::config) struct OtlpLayer {
    pub(in crate::config) endpoint: Option<Given<Url>>,
    pub(in crate::config) protocol: Option<Given<Protocol>>,
    pub(in crate::config) insecure: Option<bool>,
    pub(in crate::config) interval: Option<Duration>,
    pub(in crate::config) timeout: Option<Duration>,
    pub(in crate::config) compression: Option<Given<Compression>>,
    pub(in crate::config) tls: TlsLayer,
    pub(in crate::config) proxy: Option<Given<Proxy>>,
    pub(in crate::config) temporality: Option<Given<TemporalityPreference>>,
    pub(in crate::config) histograms: Option<HistogramAggregation>,
    pub(in crate::config) headers: Headers,
}

impl OtlpLayer {
    /// Adds the `authorization` header, unless this source has given it already.
    pub(in crate::config) fn authorize(&mut self, auth: Auth, place: &Place, findings: &mut Findings) {
        if self.headers.contains("authorization") {
            findings.problem(place, "is given beside an authorization header; keep one of them");
        }
        if let Some(header) = findings.take(&place.child(auth.key), auth.header) {
            self.headers.set("authorization".to_owned(), header.value);
        }
    }

    pub(in crate::config) fn over(self, below: Self) -> Self {
        Self {
            endpoint: self.endpoint.or(below.endpoint),
            protocol: self.protocol.or(below.protocol),
            insecure: self.insecure.or(below.insecure),
            interval: self.interval.or(below.interval),
            timeout: self.timeout.or(below.timeout),
            compression: self.compression.or(below.compression),
            tls: self.tls.over(below.tls),
            proxy: self.proxy.or(below.proxy),
            temporality: self.temporality.or(below.temporality),
            histograms: self.histograms.or(below.histograms),
            headers: self.headers.over(below.headers),
        }
    }

    /// The settings with the defaults where no source said anything. Only here is it known which of them count, and so
    /// whether this build can do what they ask for. `proxy_of` says which proxy the surroundings want.
    pub(in crate::config) fn resolve(
        self,
        place: &Place,
        proxy_of: impl FnOnce(&Endpoint, &mut Findings) -> Option<Given<Proxy>>,
        findings: &mut Findings,
    ) -> Option<OtlpConfig> {
        let protocol = self.protocol.as_ref().map_or_else(Protocol::default, |protocol| protocol.value);
        let compression = self.compression.as_ref().map_or_else(Compression::default, |given| given.value);
        if let Some(given) = self.protocol.filter(|_| protocol == Protocol::Grpc && !has::GRPC) {
            findings.problem(
                &given.place,
                "\"grpc\" needs gRPC, which this build does not have; enable the feature \"grpc\" of metercast, or \
                 choose \"http/protobuf\", which a collector takes on port 4318",
            );
        }
        if let Some(given) = self.compression.filter(|_| compression == Compression::Zstd && !has::ZSTD) {
            findings.problem(
                &given.place,
                "\"zstd\" needs zstd, which this build does not have; enable the feature \"zstd\" of metercast, or \
                 choose \"gzip\"",
            );
        }
        let url = match self.endpoint {
            Some(url) => url,
            None => findings.take(&place.child("endpoint"), Url::base(protocol.default_endpoint()))?,
        };
        warn_of_unused(&url, protocol, findings);
        let endpoint = Endpoint::of(url.value, protocol, self.insecure.unwrap_or(false));
        let endpoint = findings.take(&url.place, endpoint)?.value;
        findings.take(&url.place, endpoint.reachable());
        let tls = self.tls.resolve(endpoint.is_https(), findings);
        let proxy = match self.proxy.or_else(|| proxy_of(&endpoint, findings)).map(|proxy| proxy.value) {
            Some(Proxy::Through(proxy)) if endpoint.socket().is_none() => Some(proxy),
            _ => None,
        };
        Some(OtlpConfig {
            endpoint,
            protocol,
            interval: self.interval.unwrap_or(INTERVAL),
            timeout: Some(self.timeout.unwrap_or(TIMEOUT)).filter(|timeout| !timeout.is_zero()),
            compression,
            tls,
            proxy,
            temporality: self.temporality.map_or_else(Default::default, |temporality| temporality.value),
            histograms: self.histograms.unwrap_or_default(),
            headers: self.headers,
        })
    }
}

/// Warns of what gRPC has no place for in a URL.
fn warn_of_unused(url: &Given<Url>, protocol: Protocol, findings: &mut Findings) {
    let Url { target, path, query, .. } = &url.value;
    if protocol == Protocol::Grpc && (!matches!(path.as_str(), "" | "/") || query.is_some()) {
        let example = match target {
            Target::Host { .. } => "http://collector:4317",
            Target::Socket(_) => "unix:///run/otel.sock",
        };
        findings.warn(
            &url.place,
            format_args!(
                "has a path or a query, which gRPC does not use; write host and port only, as in {example}"
            ),
        );
    }
}
