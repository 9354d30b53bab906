//! One request from its arrival to the end of its response, however that comes.

use std::time::Instant;

use http::Version;
use metercast::{Guard, Store, metrics};

#[cfg(feature = "axum")]
use super::callers::Call;
use super::method::{Method, Scheme};
use super::profile::ServerProfile;

metrics! {
    /// Duration of HTTP server requests.
    static DURATION: Histogram<f64> = "http.server.request.duration" {
        unit: "s",
        buckets: [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10],
        labels: {
            "http.request.method": Method,
            "url.scheme": Scheme,
            "http.route": Option<&str>,
            "http.response.status_code": Option<u16>,
            "error.type": Option<&str>,
            "network.protocol.version": Option<&str>,
        }
    };
    /// Number of active HTTP server requests.
    static ACTIVE: UpDownCounter<i64> = "http.server.active_requests" {
        unit: "{request}",
        labels: { "http.request.method": Method, "url.scheme": Scheme }
    };
}

/// A request in progress. Dropping it counts it, so that none is forgotten: not a cancelled one, not one whose handler
/// panics.
#[derive(Debug)]
pub(crate) struct InProgress {
    measured: Measured,
    status: Option<u16>,
    failure: Option<&'static str>,
    finished: bool,
    started: Instant,
    store: Store,
}

/// What is known of a request when it arrives, as its metrics want it.
#[derive(Debug)]
enum Measured {
    Semantic {
        method: Method,
        scheme: Scheme,
        route: Route,
        version: Option<&'static str>,
        _active: Guard,
    },
    #[cfg(feature = "axum")]
    Callers(Call),
}

/// The template of the route that matched.
#[derive(Clone, Debug)]
enum Route {
    None,
    #[cfg(feature = "axum")]
    Axum(axum::extract::MatchedPath),
}

impl Route {
    fn of<B>(request: &http::Request<B>) -> Route {
        #[cfg(feature = "axum")]
        if let Some(path) = request.extensions().get::<axum::extract::MatchedPath>() {
            return Route::Axum(path.clone());
        }
        let _ = request;
        Route::None
    }

    fn as_str(&self) -> Option<&str> {
        match self {
            Route::None => None,
            #[cfg(feature = "axum")]
            Route::Axum(path) => Some(path.as_str()),
        }
    }
}

impl Measured {
    fn of<B>(request: &http::Request<B>, profile: ServerProfile) -> Option<Measured> {
        match profile {
            ServerProfile::Semantic => Some(Measured::semantic(request)),
            #[cfg(feature = "axum")]
            ServerProfile::Callers => Call::of(request).map(Measured::Callers),
        }
    }

    fn semantic<B>(request: &http::Request<B>) -> Measured {
        let (method, scheme) = (Method::from(request.method()), Scheme::from(request.uri()));
        let version = match request.version() {
            Version::HTTP_10 => Some("1.0"),
            Version::HTTP_11 => Some("1.1"),
            Version::HTTP_2 => Some("2"),
            Version::HTTP_3 => Some("3"),
            _ => None,
        };
        let _active = ACTIVE.guard((method, scheme));
        Measured::Semantic { method, scheme, route: Route::of(request), version, _active }
    }
}

impl InProgress {
    /// `None` if a request like this is not measured.
    pub(crate) fn begin<B>(request: &http::Request<B>, profile: ServerProfile) -> Option<InProgress> {
        Some(InProgress {
            measured: Measured::of(request, profile)?,
            status: None,
            failure: None,
            finished: false,
            started: Instant::now(),
            store: Store::current(),
        })
    }

    /// The service answered.
    pub(crate) fn answered(&mut self, status: http::StatusCode) {
        self.status = Some(status.as_u16());
    }

    /// The service, or the body of its answer, failed.
    pub(crate) fn failed(&mut self, failure: &'static str) {
        self.failure = Some(failure);
    }

    /// Whether the whole answer is on its way: then what drops this is not a cancellation.
    pub(crate) fn finished(&mut self, finished: bool) {
        self.finished = finished;
    }

    /// Why it ended before its answer was on its way, if it did.
    fn broken(&self) -> Option<&'static str> {
        match self.failure {
            Some(failure) => Some(failure),
            None if !self.finished && std::thread::panicking() => Some("panic"),
            None if !self.finished => Some("cancelled"),
            None => None,
        }
    }
}

impl Drop for InProgress {
    fn drop(&mut self) {
        let (broken, took) = (self.broken(), self.started.elapsed());
        self.store.scope(|| match &self.measured {
            Measured::Semantic { method, scheme, route, version, .. } => {
                let mut digits = [0; 3];
                let error = match (broken, self.status) {
                    (None, Some(status @ 500..=599)) => Some(spell(status, &mut digits)),
                    (broken, _) => broken,
                };
                let labels = (*method, *scheme, route.as_str(), self.status, error, *version);
                DURATION.record(took.as_secs_f64(), labels);
            }
            #[cfg(feature = "axum")]
            Measured::Callers(call) => {
                // 499 is what proxies of the field log for clients that went away.
                let without_answer = if broken == Some("cancelled") { 499 } else { 500 };
                call.record(self.status.unwrap_or(without_answer), took);
            }
        });
    }
}

/// A status of three digits as text, without an allocation.
fn spell(status: u16, digits: &mut [u8; 3]) -> &str {
    *digits = [status / 100, status / 10 % 10, status % 10].map(|digit| b'0' + digit as u8);
    std::str::from_utf8(digits).unwrap_or("500")
}
