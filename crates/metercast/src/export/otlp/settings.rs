//! Where, when and with what an exporter pushes.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use super::known::Receiver;
use super::options::{OtlpEncoding, OtlpOptions};
use super::retry::Backoff;
use crate::config::{Compression, OtlpConfig, Protocol, ProxyConfig, Signal, TlsConfig, from_base64};
use crate::view::Projection;

/// The settings of one exporter. `Debug` shows nothing that may be a secret.
#[derive(Clone, PartialEq)]
pub(crate) struct Settings {
    /// The exporter's name.
    pub(crate) name: String,
    /// The URL for messages: it has no user, no password and no query.
    pub(crate) url: String,
    /// The name or address to connect to; an IPv6 address without brackets.
    pub(crate) host: String,
    /// The port to connect to.
    pub(crate) port: u16,
    /// The Unix socket to connect to instead.
    pub(crate) socket: Option<PathBuf>,
    /// What an encrypted connection is made with; `None` if it is not encrypted.
    pub(crate) tls: Option<TlsConfig>,
    /// The proxy to connect through.
    pub(crate) proxy: Option<Proxy>,
    /// Who takes it, if that is known.
    pub(crate) receiver: Option<Receiver>,
    /// What is spoken.
    pub(crate) protocol: Protocol,
    /// What is pushed.
    pub(crate) signal: Signal,
    /// Host and port as the `Host` header has them.
    pub(crate) authority: String,
    /// Path and query as the request line has them. Some vendors take a key in the query.
    pub(crate) path: String,
    /// More headers, names in lower case, each once. Their values are secrets.
    pub(crate) headers: Vec<(String, String)>,
    /// What is sent of the store.
    pub(crate) options: OtlpOptions,
    /// Which metrics are sent, and how they look.
    pub(crate) projection: Arc<Projection>,
    /// How bodies are compressed.
    pub(crate) compression: Compression,
    /// From the start of one push to the start of the next.
    pub(crate) interval: Duration,
    /// How long a push may take from the reading of the store on, with all its attempts; `None` is no limit.
    pub(crate) timeout: Option<Duration>,
    /// How long to wait between attempts.
    pub(crate) backoff: Backoff,
}

/// An HTTP proxy.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Proxy {
    /// Its URL, for messages.
    pub(crate) url: String,
    /// The name or address to connect to; an IPv6 address without brackets.
    pub(crate) host: String,
    /// The port to connect to.
    pub(crate) port: u16,
    /// The `proxy-authorization` header, which is a secret.
    pub(crate) authorization: Option<String>,
}

impl Proxy {
    pub(crate) fn of(config: &ProxyConfig) -> Proxy {
        Proxy {
            url: config.to_string(),
            host: config.host().to_owned(),
            port: config.port(),
            authorization: config.authorization().map(|secret| secret.expose().to_owned()),
        }
    }
}

impl Settings {
    /// What the configuration says about the exporter `name`.
    pub(crate) fn of(name: &str, config: &OtlpConfig) -> Settings {
        let endpoint = config.endpoint();
        Settings {
            name: name.to_owned(),
            url: endpoint.to_string(),
            host: endpoint.host().to_owned(),
            port: endpoint.port(),
            authority: endpoint.authority(),
            path: endpoint.request_target(),
            headers: config
                .headers()
                .iter()
                .map(|(name, value)| (name.to_owned(), value.expose().to_owned()))
                .collect(),
            socket: endpoint.socket().map(Into::into),
            tls: endpoint.is_https().then(|| config.tls().clone()),
            proxy: config.proxy().map(Proxy::of),
            receiver: Receiver::of(config),
            protocol: config.protocol(),
            signal: config.signal(),
            options: options_of(config),
            projection: Arc::new(config.projection().clone()),
            compression: config.compression(),
            interval: config.interval(),
            timeout: config.timeout(),
            backoff: Backoff::default(),
        }
    }

    /// Whether a request that was made for these settings is, byte by byte, one for the others too.
    pub(super) fn sends_as(&self, other: &Settings) -> bool {
        let to = |settings: &Settings| (settings.url.clone(), settings.path.clone(), settings.socket.clone());
        to(self) == to(other) && self.protocol == other.protocol && self.compression == other.compression
    }

    /// Whether the others differ at most in when they push, and not in what or where to.
    pub(super) fn says_as(&self, other: &Settings) -> bool {
        let Settings { compression, interval, timeout, backoff, .. } = *other;
        Settings { compression, interval, timeout, backoff, ..self.clone() } == *other
    }

    /// `text` without the secrets that this exporter sends, should an answer repeat one.
    pub(super) fn without_secrets(&self, text: &str) -> String {
        let query = self.path.split_once('?').map(|(_, query)| query);
        let keys =
            query.into_iter().flat_map(|query| query.split('&')).filter_map(|pair| pair.split_once('='));
        let (authorizations, headers): (Vec<_>, Vec<_>) =
            self.headers.iter().partition(|(name, _)| name == "authorization");
        let of_proxy = self.proxy.iter().filter_map(|proxy| proxy.authorization.as_deref());
        let authorizations = authorizations.into_iter().map(|(_, value)| value.as_str()).chain(of_proxy);
        let others = headers
            .iter()
            .flat_map(|(_, value)| [value.as_str()].into_iter().chain(value.split_whitespace()));
        hide(text, authorizations, others.chain(query).chain(keys.map(|(_, value)| value)))
    }
}

/// `text` without what these headers prove who asks by, in any of its parts, and without other secrets.
pub(in crate::export) fn hide<'a>(
    text: &str,
    authorizations: impl Iterator<Item = &'a str>,
    others: impl Iterator<Item = &'a str>,
) -> String {
    let mut secrets: Vec<String> = others.map(str::to_owned).collect();
    for authorization in authorizations {
        secrets.push(authorization.to_owned());
        // A server may repeat the token without the scheme before it, a word of it, or the password that is in it.
        let Some((_, token)) = authorization.split_once(' ') else { continue };
        secrets.push(token.to_owned());
        secrets.extend(token.split_whitespace().map(str::to_owned));
        let plain = from_base64(token.trim().as_bytes()).and_then(|plain| String::from_utf8(plain).ok());
        if let Some((user, password)) = plain.as_deref().and_then(|plain| plain.split_once(':')) {
            secrets.extend([format!("{user}:{password}"), password.to_owned()]);
        }
    }
    // A whole one goes before its parts, and what is this short is a flag or a number, and in every text.
    secrets.retain(|secret| secret.len() >= 4);
    secrets.sort_unstable_by_key(|secret| std::cmp::Reverse(secret.len()));
    secrets.iter().fold(text.to_owned(), |text, secret| text.replace(secret, "***"))
}

fn options_of(config: &OtlpConfig) -> OtlpOptions {
    OtlpOptions {
        encoding: match config.protocol() {
            Protocol::HttpJson => OtlpEncoding::Json,
            Protocol::HttpProtobuf | Protocol::Grpc => OtlpEncoding::Protobuf,
        },
        temporality: config.temporality(),
        histograms: config.histograms(),
        max_request_bytes: config.request_limit(),
        ..OtlpOptions::default()
    }
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let headers: Vec<&str> = self.headers.iter().map(|(name, _)| name.as_str()).collect();
        f.debug_struct("Settings")
            .field("name", &self.name)
            .field("url", &self.url)
            .field("headers", &headers)
            .field("protocol", &self.protocol)
            .field("compression", &self.compression)
            .field("interval", &self.interval)
            .field("timeout", &self.timeout)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings() -> Settings {
        let headers = [("authorization", "Bearer tok-12345"), ("x-org", "7"), ("x-key", "tok-12345-longer")];
        Settings {
            name: "central".into(),
            url: "http://collector:4318/v1/metrics?***".into(),
            host: "collector".into(),
            port: 4318,
            authority: "collector:4318".into(),
            path: "/v1/metrics?key=in-query&x=1".into(),
            headers: headers.map(|(name, value)| (name.into(), value.into())).into(),
            socket: None,
            tls: None,
            proxy: Some(Proxy {
                url: "http://proxy:3128".into(),
                host: "proxy".into(),
                port: 3128,
                authorization: Some("Basic dXNlcjpwYXNz".into()),
            }),
            receiver: None,
            protocol: Protocol::HttpProtobuf,
            signal: Signal::Metrics,
            options: OtlpOptions::default(),
            projection: Arc::default(),
            compression: Compression::Gzip,
            interval: Duration::from_secs(60),
            timeout: None,
            backoff: Backoff::default(),
        }
    }

    #[test]
    fn debug_shows_no_secret() {
        assert_eq!(
            format!("{:?}", settings()),
            "Settings { name: \"central\", url: \"http://collector:4318/v1/metrics?***\", headers: \
             [\"authorization\", \"x-org\", \"x-key\"], protocol: HttpProtobuf, compression: Gzip, interval: 60s, timeout: None, .. }"
        );
    }

    #[test]
    fn a_secret_that_an_answer_repeats_is_taken_out() {
        let cases = [
            ("bad header Bearer tok-12345!", "bad header ***!"),
            ("no token tok-12345, no token tok-12345", "no token ***, no token ***"),
            ("tok-12345-longer", "***"),
            ("no /v1/metrics?key=in-query&x=1 here", "no /v1/metrics?*** here"),
            ("key in-query", "key ***"),
            ("no user dXNlcjpwYXNz", "no user ***"),
            ("user, not pass", "user, not ***"),
            ("7 points", "7 points"),
        ];
        for (text, expected) in cases {
            assert_eq!(settings().without_secrets(text), expected);
        }
    }
}
