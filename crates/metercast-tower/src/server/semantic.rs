//! The profile of the semantic conventions, "HTTP server" and "RPC server".

use std::sync::Arc;

use http::StatusCode;
use metercast::{Guard, metrics};

use super::route::Route;
use crate::bounded::{Host, Hosts, KnownMethod, Methods, Scheme, spell, version};
use crate::exchange::{BodyFrame, HttpEnd, HttpExchange, HttpLayer, HttpProfile, RequestHead, ResponseHead};
use crate::rpc::{Call, GrpcStatus, RpcMethods, RpcSystem, Side};

metrics! {
    /// Duration of HTTP server requests.
    static DURATION: Histogram<f64> = "http.server.request.duration" {
        unit: "s",
        buckets: [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10],
        labels: {
            "http.request.method": &str,
            "url.scheme": Scheme,
            "http.route": Option<&str>,
            "http.response.status_code": Option<u16>,
            "error.type": Option<&str>,
            "network.protocol.version": Option<&str>,
            "server.address": Option<&str>,
            "server.port": Option<u16>,
        }
    };
    /// Number of active HTTP server requests.
    static ACTIVE: UpDownCounter<i64> = "http.server.active_requests" {
        unit: "{request}",
        labels: {
            "http.request.method": &str,
            "url.scheme": Scheme,
            "server.address": Option<&str>,
            "server.port": Option<u16>,
        }
    };
    /// Size of HTTP server request bodies.
    static REQUEST_BODY: Histogram<u64> = "http.server.request.body.size" {
        unit: "By",
        buckets: [64, 256, 1024, 4096, 16384, 65536, 262144, 1048576, 4194304, 16777216, 67108864],
        labels: {
            "http.request.method": &str,
            "url.scheme": Scheme,
            "http.route": Option<&str>,
            "http.response.status_code": Option<u16>,
            "error.type": Option<&str>,
            "network.protocol.version": Option<&str>,
            "server.address": Option<&str>,
            "server.port": Option<u16>,
        }
    };
    /// Size of HTTP server response bodies.
    static RESPONSE_BODY: Histogram<u64> = "http.server.response.body.size" {
        unit: "By",
        buckets: [64, 256, 1024, 4096, 16384, 65536, 262144, 1048576, 4194304, 16777216, 67108864],
        labels: {
            "http.request.method": &str,
            "url.scheme": Scheme,
            "http.route": Option<&str>,
            "http.response.status_code": Option<u16>,
            "error.type": Option<&str>,
            "network.protocol.version": Option<&str>,
            "server.address": Option<&str>,
            "server.port": Option<u16>,
        }
    };
    /// Measures the duration of an incoming Remote Procedure Call (RPC).
    static CALL: Histogram<f64> = "rpc.server.call.duration" {
        unit: "s",
        buckets: [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10],
        labels: {
            "rpc.system.name": RpcSystem,
            "rpc.method": &str,
            "rpc.response.status_code": GrpcStatus,
            "error.type": Option<&str>,
            "server.address": Option<&str>,
            "server.port": Option<u16>,
        }
    };
}

/// Measures the requests of a server by the semantic conventions: `http.server.request.duration` and
/// `http.server.active_requests`; of calls of gRPC `rpc.server.call.duration` in place of the former; and the sizes of bodies
/// [where they are wanted](HttpLayer::body_sizes). Another [profile](HttpLayer::profile) measures something else.
///
/// On an axum router, put it on with [`Router::layer`] after the routes, so that it sees which one matched; what
/// matched none is measured without `http.route`, unless [something else](HttpLayer::unmatched) is said. Other services say the
/// route by an [`HttpRoute`](crate::HttpRoute).
///
/// Everything that a client controls is bounded: methods that are not known are `_OTHER`, the route is a template and never the
/// path, and there is no host unless [they are listed](HttpLayer::hosts). `error.type` is the status of a server's error, or `cancelled`, `panic`, `body`,
/// or [the type of the service's error](HttpLayer::error_type).
///
/// [`Router::layer`]: https://docs.rs/axum/0.8/axum/struct.Router.html#method.layer
///
/// ```
/// use axum::{Router, body::Body, routing::get};
/// use metercast_tower::{InMemoryReader, Store, FutureMetricsExt};
/// use tower::ServiceExt;
///
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// let app = Router::new().route("/orders/{id}", get(|| async { "an order" })).layer(metercast_tower::server());
/// # let app: Router = app;
/// let request = axum::http::Request::get("/orders/17").body(Body::empty()).unwrap();
/// drop(app.oneshot(request).await.unwrap());
///
/// let snapshot = InMemoryReader::new(Store::current()).collect();
/// let labels = &snapshot.family("http.server.request.duration").unwrap().series[0].labels;
/// assert_eq!(labels.get("http.route"), Some(&"/orders/{id}".into()));
/// assert_eq!(labels.get("http.response.status_code"), Some(&200.into()));
/// # }.with_metrics());
/// ```
pub fn server() -> HttpLayer<ServerSemantic> {
    HttpLayer::new(ServerSemantic::default())
}

/// The profile of [`server`], which is told what to do by the methods of its [`HttpLayer`].
#[derive(Clone, Debug, Default)]
pub struct ServerSemantic(Arc<Settings>);

#[derive(Clone, Debug, Default)]
struct Settings {
    methods: Methods,
    hosts: Option<Arc<Hosts>>,
    body_sizes: bool,
    unmatched: Unmatched,
    rpc_methods: Arc<RpcMethods>,
}

/// What becomes of requests that match no route.
#[derive(Clone, Copy, Debug, Default)]
enum Unmatched {
    #[default]
    WithoutRoute,
    Named(&'static str),
    Skipped,
}

impl<C> HttpLayer<ServerSemantic, C> {
    fn set(mut self, change: impl FnOnce(&mut Settings)) -> Self {
        change(Arc::make_mut(&mut self.profile.0));
        self
    }

    /// Measures `http.server.request.body.size` and `http.server.response.body.size` as well, in bytes as they pass on the layer's
    /// side of whatever compresses. That of a request is what its head says, unless the bytes [are
    /// counted](Self::count_request_bodies); that of a response is what was sent of it.
    pub fn body_sizes(self) -> Self {
        self.set(|settings| settings.body_sizes = true)
    }

    /// The methods that are told apart; all others are `_OTHER`. Case matters. Otherwise they are those of
    /// `OTEL_INSTRUMENTATION_HTTP_KNOWN_METHODS`, a list with commas, or else those of RFC 9110, `PATCH` and `QUERY`.
    pub fn known_methods(self, methods: impl IntoIterator<Item = impl AsRef<str>>) -> Self {
        self.set(|settings| settings.methods = Methods::only(methods))
    }

    /// Says for whom requests are, as `server.address` and `server.port`: those of these hosts, with or without a port, that the request's URI
    /// or else its `Host` has; for all others the address is `_OTHER`. Headers by which proxies say who was asked are not read.
    ///
    /// A host that is listed without a port is the same with any.
    pub fn hosts(self, hosts: impl IntoIterator<Item = impl AsRef<str>>) -> Self {
        self.set(|settings| settings.hosts = Some(Arc::new(Hosts::only(hosts))))
    }

    /// What matches no route has this one instead of none, such as `other`.
    pub fn unmatched(self, route: &'static str) -> Self {
        self.set(|settings| settings.unmatched = Unmatched::Named(route))
    }

    /// Records nothing of what matches no route; calls of gRPC need none. The route must be known when the request comes, so this is for
    /// axum, and for services behind a layer that says an [`HttpRoute`](crate::HttpRoute).
    pub fn skip_unmatched(self) -> Self {
        self.set(|settings| settings.unmatched = Unmatched::Skipped)
    }

    /// The methods of gRPC that are told apart in `rpc.method`, as `package.Service/Method`; all others are `_OTHER`.
    ///
    /// Without a list, they are the first 200 that were answered as only a method is that exists: calls of what is not there, or
    /// what was refused before anybody looked, make no series.
    pub fn rpc_methods(self, methods: impl IntoIterator<Item = impl AsRef<str>>) -> Self {
        self.set(|settings| settings.rpc_methods = Arc::new(RpcMethods::only(methods)))
    }
}

/// One request, by the semantic conventions; of [`ServerSemantic`].
#[derive(Debug)]
pub struct ServerRequest {
    settings: Arc<Settings>,
    method: KnownMethod,
    scheme: Scheme,
    route: Route,
    version: Option<&'static str>,
    host: Option<Host>,
    // Apart, since few requests have one and each is moved several times.
    call: Option<Box<Call>>,
    _active: Guard,
}

impl Settings {
    fn address(&self, host: Option<Host>) -> (Option<&str>, Option<u16>) {
        match (&self.hosts, host) {
            (Some(hosts), Some(host)) => (Some(hosts.address(host)), hosts.port(host)),
            _ => (None, None),
        }
    }
}

impl HttpProfile for ServerSemantic {
    type Exchange = ServerRequest;

    fn begin(&self, request: &RequestHead<'_>) -> Option<ServerRequest> {
        let settings = Arc::clone(&self.0);
        let call = Call::of(request, &settings.rpc_methods, Side::Server).map(Box::new);
        let route = Route::of_request(request);
        if call.is_none() && matches!((settings.unmatched, &route), (Unmatched::Skipped, Route::Unmatched)) {
            return None;
        }
        let method = settings.methods.known(request.method());
        let scheme = Scheme::from(request.uri());
        let host = settings.hosts.as_ref().map(|hosts| hosts.of(request, None).unwrap_or(Host::OTHER));
        let (address, port) = settings.address(host);
        let _active = ACTIVE.guard((method.as_str(), scheme, address, port));
        let version = version(request.version());
        Some(ServerRequest { settings, method, scheme, route, version, host, call, _active })
    }

    fn records(&self) -> Vec<&'static str> {
        let mut names = vec!["http.server.request.duration", "http.server.active_requests"];
        if self.0.body_sizes {
            names.extend(["http.server.request.body.size", "http.server.response.body.size"]);
        }
        names
    }
}

impl HttpExchange for ServerRequest {
    fn answered(&mut self, response: &ResponseHead<'_>) {
        self.route.answered(response);
        if let Some(call) = &mut self.call {
            call.answered(response);
        }
    }

    fn frame(&mut self, frame: &BodyFrame<'_>) {
        if let (Some(call), BodyFrame::Trailers(trailers)) = (&mut self.call, frame) {
            call.trailers(trailers);
        }
    }

    fn ended(&mut self, end: &HttpEnd<'_>) {
        let settings = &*self.settings;
        let (address, port) = settings.address(self.host);
        let took = end.took().as_secs_f64();
        let is_call = self.call.is_some();
        if let Some(call) = &mut self.call {
            let call = call.ended(end, &settings.rpc_methods);
            CALL.record(took, (RpcSystem::Grpc, call.method, call.status, call.error, address, port));
        }
        if is_call && !settings.body_sizes {
            return;
        }
        let mut digits = [0; 3];
        let error = match end.status() {
            Some(status) if status.is_server_error() => {
                end.outcome().error_type().or_else(|| Some(spell(status, &mut digits)))
            }
            _ => end.outcome().error_type(),
        };
        let route = match (self.route.as_str(), settings.unmatched) {
            (None, Unmatched::Named(name)) if !is_call => Some(name),
            (route, _) => route,
        };
        let status = end.status().as_ref().map(StatusCode::as_u16);
        let labels = (self.method.as_str(), self.scheme, route, status, error, self.version, address, port);
        if !is_call {
            DURATION.record(took, labels);
        }
        if settings.body_sizes {
            if let Some(bytes) = end.request_body() {
                REQUEST_BODY.record(bytes, labels);
            }
            RESPONSE_BODY.record(end.response_body(), labels);
        }
    }
}
