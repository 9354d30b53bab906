//! What one source says about an OTLP exporter, and what holds in the end.

use std::time::Duration;

use super::{
    Auth, Compression, HistogramAggregation, OtlpConfig, Preset, Protocol, TIMEOUT, TOKEN,
    TemporalityPreference, TlsLayer,
};
use crate::config::duration;
use crate::config::endpoint::Endpoint;
use crate::config::error::{Checked, Findings};
use crate::config::has;
use crate::config::headers::{GivenHeaders, Headers};
use crate::config::place::{Given, Place, lay};
use crate::config::proxy::Proxy;
use crate::config::resource_attributes::{self, ResourceAttributes};
use crate::config::secret::Secret;
use crate::config::signal::Signal;
use crate::config::sources::Source;
use crate::config::url::{Target, Url};
use crate::view::Projection;

/// What one source says about an OTLP exporter. A timeout of zero is no limit.
#[derive(Debug, Default)]
pub(in crate::config) struct OtlpLayer {
    pub(in crate::config) preset: Option<Given<Preset>>,
    pub(in crate::config) endpoint: Option<Given<Url>>,
    pub(in crate::config) protocol: Option<Given<Protocol>>,
    pub(in crate::config) insecure: Option<Given<bool>>,
    pub(in crate::config) interval: Option<Given<Duration>>,
    pub(in crate::config) timeout: Option<Given<Duration>>,
    pub(in crate::config) compression: Option<Given<Compression>>,
    pub(in crate::config) tls: TlsLayer,
    pub(in crate::config) proxy: Option<Given<Proxy>>,
    pub(in crate::config) temporality: Option<Given<TemporalityPreference>>,
    pub(in crate::config) histograms: Option<Given<HistogramAggregation>>,
    /// A key that goes where the preset says.
    pub(in crate::config) token: Option<Given<Secret>>,
    pub(in crate::config) dataset: Option<Given<Secret>>,
    pub(in crate::config) resource: Option<Given<ResourceAttributes>>,
    /// The most bytes of a request.
    pub(in crate::config) request_limit: Option<Given<usize>>,
    pub(in crate::config) headers: GivenHeaders,
    /// The key of `auth` that gives the header `authorization`, unless `headers` do.
    pub(in crate::config) auth_key: Option<&'static str>,
}

const AUTHORIZATION: &str = "authorization";

impl OtlpLayer {
    /// Adds the `authorization` header, unless this source has given it already; or the token.
    pub(in crate::config) fn authorize(&mut self, auth: Auth, place: &Place, findings: &mut Findings) {
        if self.headers.contains(AUTHORIZATION) {
            findings.problem(place, "is given beside an authorization header; keep one of them");
        }
        let secret = findings.take(&place.child(auth.key), auth.secret);
        if auth.key == TOKEN {
            self.token = secret;
        } else if let Some(header) = secret {
            self.headers.set(AUTHORIZATION.to_owned(), header);
            self.auth_key = Some(auth.key);
        }
    }

    pub(in crate::config) fn over(self, below: Self) -> Self {
        Self {
            preset: lay(self.preset, below.preset),
            endpoint: lay(self.endpoint, below.endpoint),
            protocol: lay(self.protocol, below.protocol),
            insecure: lay(self.insecure, below.insecure),
            interval: lay(self.interval, below.interval),
            timeout: lay(self.timeout, below.timeout),
            compression: lay(self.compression, below.compression),
            tls: self.tls.over(below.tls),
            proxy: lay(self.proxy, below.proxy),
            temporality: lay(self.temporality, below.temporality),
            histograms: lay(self.histograms, below.histograms),
            auth_key: if self.headers.contains(AUTHORIZATION) { self.auth_key } else { below.auth_key },
            // What a higher source says of who we are replaces what a lower one does.
            token: if self.headers.contains(AUTHORIZATION) {
                self.token
            } else {
                lay(self.token, below.token)
            },
            dataset: lay(self.dataset, below.dataset),
            resource: lay(self.resource, below.resource),
            request_limit: lay(self.request_limit, below.request_limit),
            headers: self.headers.over(below.headers),
        }
    }

    /// The settings with the defaults where no source said anything. Only here is it known which of them count, and so
    /// whether this build can do what they ask for. `proxy_of` says which proxy the surroundings want.
    pub(in crate::config) fn resolve(
        self,
        signal: Signal,
        projection: Projection,
        place: &Place,
        proxy_of: impl FnOnce(&Endpoint, &mut Findings) -> Option<Given<Proxy>>,
        findings: &mut Findings,
    ) -> Option<OtlpConfig> {
        let preset = self.preset.as_ref().map(|preset| preset.value);
        let protocol = self.protocol.as_ref().map_or_else(Protocol::default, |protocol| protocol.value);
        let compression = match &self.compression {
            Some(compression) => compression.value,
            None if preset.is_some() => Compression::Gzip,
            None => Compression::default(),
        };
        if let Some(given) = &self.protocol {
            findings.take(&given.place, built_in(protocol == Protocol::Grpc, has::GRPC, GRPC));
            findings.take(&given.place, preset.map_or(Ok(()), |preset| preset.check_protocol(protocol)));
        }
        if let Some(given) = &self.compression {
            findings.take(&given.place, built_in(compression == Compression::Zstd, has::ZSTD, ZSTD));
            findings
                .take(&given.place, preset.map_or(Ok(()), |preset| preset.check_compression(compression)));
        }
        let temporality = match (&self.temporality, preset) {
            (Some(given), preset) => {
                let checked = preset.map_or(Ok(()), |preset| preset.check_temporality(given.value));
                findings.take(&given.place, checked);
                given.value
            }
            (None, Some(preset)) => preset.temporality(),
            (None, None) => TemporalityPreference::default(),
        };
        for (name, header) in self.headers.iter() {
            // What was given as `auth` is shown so.
            let key = match self.auth_key {
                Some(kind) if name == AUTHORIZATION => place.child("auth").child(kind),
                _ => place.child("headers").child(name),
            };
            findings.note_secret(&key, header.clone());
        }
        if let Some(token) = &self.token {
            findings.note_secret(&place.child("auth").child(TOKEN), token.clone());
        }
        if let Some(dataset) = &self.dataset {
            findings.note_secret(&place.child("dataset"), dataset.clone());
        }
        let headers = headers(preset, self.headers.values(), self.token, self.dataset, place, findings);
        let is_default_endpoint = self.endpoint.is_none();
        let url = match self.endpoint {
            Some(url) => url,
            None => {
                let place = place.child("endpoint");
                let url = preset.map_or(Ok(protocol.default_endpoint()), Preset::endpoint);
                findings.take(&place, url.and_then(Url::base))?
            }
        };
        let (given_path, is_exact) = (url.value.path.clone(), url.value.is_exact);
        let url = match preset {
            Some(preset) if protocol != Protocol::Grpc => {
                findings.take(&url.place, preset.complete(url.value))?
            }
            _ => url,
        };
        warn_of_unused(&url, protocol, findings);
        let endpoint = Endpoint::of(
            url.value,
            signal,
            protocol,
            self.insecure.as_ref().is_some_and(|insecure| insecure.value),
        );
        let endpoint = findings.take(&url.place, endpoint)?.value.given_at(&url.place);
        findings.take(&url.place, endpoint.reachable());
        let at = |key| place.child(key);
        let of_preset = if preset.is_some() { Source::Preset } else { Source::Default };
        match is_default_endpoint {
            true => findings.note_as(&at("endpoint"), endpoint.to_string(), of_preset.clone()),
            false => {
                // The whole of it, with what was added to it.
                findings.note_url(&at("endpoint"), Given::new((), &url.place), |()| endpoint.to_string());
            }
        }
        let given_path = given_path.trim_end_matches('/');
        match endpoint
            .path()
            .strip_prefix(given_path)
            .filter(|_| protocol != Protocol::Grpc && !is_default_endpoint)
        {
            Some(_) if is_exact && preset.is_none() => findings.remark("used as it is".to_owned()),
            Some(added) if !added.is_empty() => findings.remark(format!("{added} was added")),
            _ => {}
        }
        findings.settle_if(&at("preset"), self.preset, |preset| preset.name().to_owned());
        findings.settle(&at("protocol"), self.protocol, protocol, |protocol| protocol.name().to_owned());
        findings.settle(&at("insecure"), self.insecure, false, bool::to_string);
        match self.compression {
            Some(given) => _ = findings.note(&at("compression"), given, |word| word.name().to_owned()),
            None => findings.note_as(&at("compression"), compression.name().to_owned(), of_preset.clone()),
        }
        match self.temporality {
            Some(given) => _ = findings.note(&at("temporality"), given, |word| word.name().to_owned()),
            None if signal == Signal::Metrics => {
                findings.note_as(&at("temporality"), temporality.name().to_owned(), of_preset);
            }
            None => {}
        }
        let tls = self.tls.resolve(endpoint.is_https(), place, findings);
        let proxy = self.proxy.or_else(|| proxy_of(&endpoint, findings));
        let proxy = proxy.map(|proxy| findings.note_url(&at("proxy"), proxy, Proxy::shown));
        let proxy = match proxy {
            Some(Proxy::Through(proxy)) if endpoint.socket().is_none() => Some(proxy),
            _ => None,
        };
        let show = |time: &Duration| duration::show(*time);
        let histograms = match signal {
            Signal::Metrics => findings.settle(
                &at("histograms"),
                self.histograms,
                HistogramAggregation::default(),
                |histograms| histograms.name().to_owned(),
            ),
            Signal::Traces => HistogramAggregation::default(),
        };
        Some(OtlpConfig {
            preset,
            signal,
            endpoint,
            protocol,
            interval: findings.settle(&at("interval"), self.interval, signal.interval(), show),
            timeout: Some(findings.settle(&at("timeout"), self.timeout, TIMEOUT, show))
                .filter(|timeout| !timeout.is_zero()),
            compression,
            tls,
            proxy,
            temporality,
            histograms,
            request_limit: findings
                .settle_if(&at("max_request_size"), self.request_limit, usize::to_string)
                .or_else(|| preset.and_then(|preset| preset.request_limit(compression)))
                .unwrap_or(REQUEST_LIMIT),
            headers,
            resource: resource_attributes::settle(self.resource, ResourceAttributes::All, place, findings),
            projection,
        })
    }
}

/// What OTLP allows a client to send at once.
const REQUEST_LIMIT: usize = 64 << 20;

const GRPC: &str = "\"grpc\" needs gRPC, which this build does not have; enable the feature \"grpc\" of metercast, or choose \
                    \"http/protobuf\", which a collector takes on port 4318";
const ZSTD: &str = "\"zstd\" needs zstd, which this build does not have; enable the feature \"zstd\" of metercast, or choose \
                    \"gzip\"";

/// Refuses what is asked for and not there.
fn built_in(is_wanted: bool, is_there: bool, refusal: &str) -> Checked<()> {
    if is_wanted && !is_there { Err(refusal.to_owned()) } else { Ok(()) }
}

/// The headers with those that a preset makes of the token and the dataset.
fn headers(
    preset: Option<Preset>,
    mut headers: Headers,
    token: Option<Given<Secret>>,
    dataset: Option<Given<Secret>>,
    place: &Place,
    findings: &mut Findings,
) -> Headers {
    let without_preset = "is sent as the preset says, and there is none; name one";
    // It has been said what is wrong with it.
    let mut has_bad_key = false;
    if let Some(token) = token {
        let header = preset.map_or_else(
            || Err(format!("{without_preset}, or write {{ bearer = \"token\" }}")),
            |preset| preset.authorize(&token.value),
        );
        match findings.take(&token.place, header).map(|header| header.value) {
            Some((name, value)) if !headers.contains(name) => headers.set(name.to_owned(), value),
            Some(_) => {}
            None => has_bad_key = true,
        }
    }
    if let Some(dataset) = dataset {
        let header = preset.map_or_else(|| Err(without_preset.to_owned()), Preset::dataset);
        if let Some(name) = findings.take(&dataset.place, header) {
            headers.set(name.value.to_owned(), dataset.value);
        }
    }
    if let Some(preset) = preset {
        if !has_bad_key {
            findings.take(&place.child("auth"), preset.check_key(&headers));
        }
        findings.take(&place.child("dataset"), preset.check_dataset(&headers));
    }
    headers
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

/// Less would hardly hold one series.
const LEAST_REQUEST: usize = 4 << 10;

/// The most bytes of a request.
pub(in crate::config) fn check_request_limit(bytes: usize) -> Checked<usize> {
    if (LEAST_REQUEST..=REQUEST_LIMIT).contains(&bytes) {
        return Ok(bytes);
    }
    Err(format!("{bytes} bytes are not a size for a request; write {LEAST_REQUEST} to {REQUEST_LIMIT}"))
}
