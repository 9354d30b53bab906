//! Push to a Prometheus Pushgateway, for jobs that end before anybody scrapes them.

mod error;
mod grouping;
mod push;
mod request;

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use hyper::Method;
use metercast_core::{Store, Value};
use tokio::runtime;

use error::Kind;
pub use error::PushgatewayError;
use grouping::Grouping;
pub(crate) use push::Push;
use request::{Sent, send};

use crate::Log;
use crate::config::{self, Gateway, ProxyConfig, PushgatewayConfig, Secret, TlsConfig};
use crate::export::prometheus::{PageFormat, PrometheusPage};
use crate::reader::Reader;
use crate::view::When;

/// Pushes a store to a Prometheus Pushgateway, when the application says so: at the end of a batch job, as a rule.
///
/// The gateway keeps what was pushed last for each group, which is the job and the labels that are given here; it puts them on
/// every series. It forgets nothing by itself: a group that is no longer true is to be deleted.
///
/// Each call is one attempt, and blocks its thread until the gateway has answered, at most for the timeout. It works on any
/// thread, in a Tokio runtime too; there it is best called by `spawn_blocking`.
///
/// ```no_run
/// use metercast::{Pushgateway, PushgatewayError, Store};
///
/// fn main() -> Result<(), PushgatewayError> {
///     // ... the job ...
///     let gateway = Pushgateway::to("http://gateway:9091", "nightly-import").group("instance", "host-1");
///     gateway.put(&Store::global())
/// }
/// ```
///
/// What cannot be used is an error of the push that says so:
///
/// ```
/// use metercast::{Pushgateway, Store};
///
/// let error = Pushgateway::to("gateway:9091", "import").put(&Store::new()).unwrap_err();
/// assert_eq!(
///     error.to_string(),
///     "cannot push to a Pushgateway: \"gateway:9091\" has no scheme; write http://gateway:9091 or https://gateway:9091"
/// );
/// ```
#[must_use = "nothing is pushed until `put` or `post`"]
pub struct Pushgateway {
    gateway: Result<Gateway, String>,
    grouping: Result<Grouping, String>,
    authorization: Option<Result<Secret, String>>,
    tls: TlsConfig,
    proxy: Result<Option<ProxyConfig>, String>,
    format: PageFormat,
    page: PrometheusPage,
    timeout: Duration,
}

impl Pushgateway {
    /// Pushes to the gateway with this URL, to which `/metrics/job/...` is added, for the job of this name.
    pub fn to(url: &str, job: &str) -> Pushgateway {
        Pushgateway {
            gateway: Gateway::parse(url),
            grouping: Grouping::of(job),
            authorization: None,
            tls: TlsConfig::default(),
            proxy: Ok(None),
            format: PageFormat::default(),
            page: PrometheusPage::new("pushgateway", Log::default()),
            timeout: Duration::from_secs(10),
        }
    }

    /// Adds a label to the group. The value may be anything; the label is one of Prometheus, which is not `job`.
    pub fn group(mut self, label: &str, value: &str) -> Pushgateway {
        self.grouping = self.grouping.and_then(|mut grouping| grouping.add(label, value).map(|()| grouping));
        self
    }

    /// Proves who it is by a user and a password.
    pub fn basic(mut self, user: &str, password: &str) -> Pushgateway {
        self.authorization = Some(config::basic(user, password));
        self
    }

    /// Proves who it is by a token.
    pub fn bearer(mut self, token: &str) -> Pushgateway {
        self.authorization = Some(config::bearer(token));
        self
    }

    /// Trusts the certificates in this PEM file, and no others, when the URL is `https://`. Unless it is said those that
    /// browsers trust. The file is read with each push.
    pub fn ca(mut self, file: impl Into<PathBuf>) -> Pushgateway {
        self.tls = self.tls.with_ca(file.into());
        self
    }

    /// Shows this certificate, with the private key to it, to a gateway that asks who is there (mTLS); both are PEM files, which
    /// are read with each push.
    pub fn client_identity(
        mut self,
        certificate: impl Into<PathBuf>,
        key: impl Into<PathBuf>,
    ) -> Pushgateway {
        self.tls = self.tls.with_client_identity(certificate.into(), key.into());
        self
    }

    /// Goes through this HTTP proxy, `http://host:port` or with `user:password@` in front of the host; `"none"` is no proxy,
    /// which it is unless said: no variable of the environment is read here.
    pub fn proxy(mut self, proxy: &str) -> Pushgateway {
        self.proxy = ProxyConfig::or_none(proxy);
        self
    }

    /// How long a push may take from the reading of the store on; 10 seconds unless said.
    pub fn timeout(mut self, timeout: Duration) -> Pushgateway {
        self.timeout = timeout;
        self
    }

    /// Takes the place of another: metrics keep the names that they had on its page.
    fn succeed(&mut self, other: &Pushgateway) {
        self.page.succeed(&other.page);
    }

    /// Spells metrics as this page does.
    pub fn page(mut self, page: PrometheusPage) -> Pushgateway {
        self.page = page;
        self
    }

    /// Writes the body in this format. Prometheus' own gateway reads text 0.0.4, which it is unless said, and reads OpenMetrics
    /// as if it were that; others take OpenMetrics.
    pub fn format(mut self, format: PageFormat) -> Pushgateway {
        self.format = format;
        self
    }

    /// Replaces everything that the gateway holds of the group by what is in the store. Views and patterns that match nothing are said
    /// with the first push.
    ///
    /// # Errors
    ///
    /// Why it was not accepted: what the gateway answered, or why there was no answer.
    pub fn put(&self, store: &Store) -> Result<(), PushgatewayError> {
        self.put_body(self.only_body(store), self.timeout)
    }

    /// Replaces the metrics of the group that are in the store too, by their names; others stay.
    ///
    /// # Errors
    ///
    /// As [`put`](Self::put).
    pub fn post(&self, store: &Store) -> Result<(), PushgatewayError> {
        self.push(Method::POST, self.only_body(store), self.timeout)
    }

    /// Makes the gateway forget the group.
    ///
    /// # Errors
    ///
    /// As [`put`](Self::put).
    pub fn delete(&self) -> Result<(), PushgatewayError> {
        self.push(Method::DELETE, Vec::new(), self.timeout)
    }

    /// The gateway of a configuration, with a group that nobody else has.
    #[cfg(feature = "serve")]
    pub(crate) fn to_try(config: &PushgatewayConfig) -> Pushgateway {
        Pushgateway {
            gateway: Ok(config.gateway().clone()),
            authorization: config.authorization().cloned().map(Ok),
            tls: config.tls().clone(),
            proxy: Ok(config.proxy().cloned()),
            timeout: config.timeout().min(super::otlp::LONGEST_TRIAL),
            ..Pushgateway::to("", "metercast_doctor")
        }
    }

    /// As the configuration says it for the exporter of this name.
    fn of(
        name: &str,
        config: &PushgatewayConfig,
        resource: &[(String, Value)],
        reader: &Reader,
    ) -> Pushgateway {
        let mut grouping = Grouping::of(config.job());
        for (label, value) in config.grouping() {
            grouping = grouping.and_then(|mut grouping| grouping.add(label, value).map(|()| grouping));
        }
        let page = PrometheusPage::with(name, config.page().clone(), resource, reader.log().clone());
        Pushgateway {
            gateway: Ok(config.gateway().clone()),
            grouping,
            authorization: config.authorization().cloned().map(Ok),
            tls: config.tls().clone(),
            proxy: Ok(config.proxy().cloned()),
            format: PageFormat::default(),
            page: page.projection(config.projection().clone()).read_by(reader),
            timeout: config.timeout(),
        }
    }

    fn body(&self, store: &Store) -> Vec<u8> {
        let mut body = Vec::new();
        self.page.write_as(store, self.format, &mut |chunk| body.extend_from_slice(chunk));
        body
    }

    /// The body, which may be the only one.
    fn only_body(&self, store: &Store) -> Vec<u8> {
        let body = self.body(store);
        self.page.conclude(When::Meanwhile);
        body
    }

    fn put_body(&self, body: Vec<u8>, timeout: Duration) -> Result<(), PushgatewayError> {
        self.push(Method::PUT, body, timeout)
    }

    fn push(&self, method: Method, body: Vec<u8>, timeout: Duration) -> Result<(), PushgatewayError> {
        let shown = self.gateway.as_ref().map(ToString::to_string).unwrap_or_default();
        let failed = |kind| PushgatewayError { url: shown.clone(), kind };
        let given = |message: &String| failed(Kind::Given(message.clone()));
        let gateway = self.gateway.as_ref().map_err(given)?;
        let grouping = self.grouping.as_ref().map_err(given)?;
        let authorization = self.authorization.as_ref().map(Result::as_ref).transpose();
        let authorization =
            authorization.map_err(|message| failed(Kind::Given(format!("the auth {message}"))))?;
        let proxy =
            self.proxy.as_ref().map_err(|message| failed(Kind::Given(format!("the proxy {message}"))))?;
        let sent = Sent {
            method,
            gateway,
            tls: &self.tls,
            proxy: proxy.as_ref(),
            path: format!("{}{}", gateway.path, grouping.path()),
            authorization: authorization.map(Secret::expose),
            content_type: self.format.content_type(),
            body,
        };
        // A thread of its own, since that of the caller may be in a runtime already, which cannot have another.
        let answered = std::thread::scope(|scope| scope.spawn(|| within(timeout, sent)).join());
        answered
            .unwrap_or_else(|_| Err(Kind::Given("its thread panicked; please report this".to_owned())))
            .map_err(failed)
    }
}

fn within(timeout: Duration, sent: Sent<'_>) -> Result<(), Kind> {
    let runtime = runtime::Builder::new_current_thread()
        .enable_io()
        .enable_time()
        .build()
        .map_err(|error| Kind::Given(format!("its runtime cannot be started: {error}")))?;
    let answered = runtime.block_on(async { tokio::time::timeout(timeout, send(sent)).await });
    // The name of a host may still be looked up.
    runtime.shutdown_background();
    answered.unwrap_or(Err(Kind::Late { timeout }))
}

impl fmt::Debug for Pushgateway {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pushgateway")
            .field("gateway", &self.gateway)
            .field("grouping", &self.grouping)
            .field("format", &self.format)
            .field("timeout", &self.timeout)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
