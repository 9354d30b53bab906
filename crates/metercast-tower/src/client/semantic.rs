//! The profile of the semantic conventions, "HTTP client" and "RPC client".

use std::sync::Arc;

use http::{StatusCode, Uri};
use metercast::{Guard, metrics};

use super::template::UrlTemplate;
use crate::bounded::{Host, Hosts, KnownMethod, Methods, Scheme, spell, version};
use crate::exchange::{BodyFrame, HttpEnd, HttpExchange, HttpLayer, HttpProfile, RequestHead, ResponseHead};
use crate::rpc::{Call, GrpcStatus, RpcMethods, RpcSystem, Side};

metrics! {
    /// Duration of HTTP client requests.
    static DURATION: Histogram<f64> = "http.client.request.duration" {
        unit: "s",
        buckets: [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10],
        labels: {
            "http.request.method": &str,
            "server.address": &str,
            "server.port": Option<u16>,
            "url.template": Option<&str>,
            "http.response.status_code": Option<u16>,
            "error.type": Option<&str>,
            "network.protocol.version": Option<&str>,
        }
    };
    /// Number of active HTTP requests.
    static ACTIVE: UpDownCounter<i64> = "http.client.active_requests" {
        unit: "{request}",
        labels: {
            "http.request.method": &str,
            "server.address": &str,
            "server.port": Option<u16>,
            "url.template": Option<&str>,
        }
    };
    /// Size of HTTP client request bodies.
    static REQUEST_BODY: Histogram<u64> = "http.client.request.body.size" {
        unit: "By",
        buckets: [64, 256, 1024, 4096, 16384, 65536, 262144, 1048576, 4194304, 16777216, 67108864],
        labels: {
            "http.request.method": &str,
            "server.address": &str,
            "server.port": Option<u16>,
            "url.template": Option<&str>,
            "http.response.status_code": Option<u16>,
            "error.type": Option<&str>,
            "network.protocol.version": Option<&str>,
        }
    };
    /// Size of HTTP client response bodies.
    static RESPONSE_BODY: Histogram<u64> = "http.client.response.body.size" {
        unit: "By",
        buckets: [64, 256, 1024, 4096, 16384, 65536, 262144, 1048576, 4194304, 16777216, 67108864],
        labels: {
            "http.request.method": &str,
            "server.address": &str,
            "server.port": Option<u16>,
            "url.template": Option<&str>,
            "http.response.status_code": Option<u16>,
            "error.type": Option<&str>,
            "network.protocol.version": Option<&str>,
        }
    };
    /// Measures the duration of an outgoing Remote Procedure Call (RPC).
    static CALL: Histogram<f64> = "rpc.client.call.duration" {
        unit: "s",
        buckets: [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10],
        labels: {
            "rpc.system.name": RpcSystem,
            "rpc.method": &str,
            "rpc.response.status_code": GrpcStatus,
            "error.type": Option<&str>,
            "server.address": &str,
            "server.port": Option<u16>,
        }
    };
}

/// So many hosts are told apart that nobody listed.
const MOST_HOSTS: usize = 100;

/// Measures the requests that a client sends, by the semantic conventions: `http.client.request.duration` and
/// `http.client.active_requests`; of calls of gRPC `rpc.client.call.duration` in place of the former; and the sizes of bodies
/// [where they are wanted](HttpLayer::body_sizes). Another [profile](HttpLayer::profile) measures something else.
///
/// It goes on any tower service that takes a request and answers with a response: clients of hyper-util, channels of tonic. A request is
/// for `server.address` and `server.port`, of which the first 100 that come are told apart unless [they are
/// listed](HttpLayer::hosts), and of the kind that a [`UrlTemplate`](crate::UrlTemplate) in its extensions says. Its
/// `error.type` is a status of 400 or more, or `cancelled`, `panic`, `body`, or [the type of the client's
/// error](HttpLayer::error_type). A request lasts until its response's body was read to its end or is dropped.
///
/// ```
/// use std::convert::Infallible;
/// use http_body_util::Empty;
/// use metercast_tower::{InMemoryReader, Store, UrlTemplate, bytes::Bytes, http::{Request, Response}};
/// # use metercast_tower::FutureMetricsExt;
/// use tower::{Layer, ServiceExt, service_fn};
///
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// // In place of hyper_util::client::legacy::Client.
/// let client = service_fn(async |_: Request<Empty<Bytes>>| Ok::<_, Infallible>(Response::new(Empty::<Bytes>::new())));
/// let client = metercast_tower::client().layer(client);
///
/// let request = Request::get("https://api.example.com/items/7").extension(UrlTemplate("/items/{id}"));
/// drop(client.oneshot(request.body(Empty::new()).unwrap()).await.unwrap());
///
/// let snapshot = InMemoryReader::new(Store::current()).collect();
/// let labels = &snapshot.family("http.client.request.duration").unwrap().series[0].labels;
/// assert_eq!(labels.get("server.address"), Some(&"api.example.com".into()));
/// assert_eq!(labels.get("server.port"), Some(&443.into()));
/// assert_eq!(labels.get("url.template"), Some(&"/items/{id}".into()));
/// # }.with_metrics());
/// ```
pub fn client() -> HttpLayer<ClientSemantic> {
    HttpLayer::new(ClientSemantic::default())
}

/// The profile of [`client`], which is told what to do by the methods of its [`HttpLayer`].
#[derive(Clone, Debug, Default)]
pub struct ClientSemantic(Arc<Settings>);

#[derive(Clone, Debug)]
struct Settings {
    methods: Methods,
    hosts: Arc<Hosts>,
    origin: Option<Uri>,
    body_sizes: bool,
    rpc_methods: Arc<RpcMethods>,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            methods: Methods::default(),
            hosts: Arc::new(Hosts::first(MOST_HOSTS)),
            origin: None,
            body_sizes: false,
            rpc_methods: Arc::default(),
        }
    }
}

impl Settings {
    /// Whom a request is for. Clients leave out the ports that schemes stand for.
    fn host(&self, request: &RequestHead<'_>) -> Host {
        if let Some(host) = self.hosts.of(request, Some(default_port(request.uri()))) {
            return host;
        }
        let Some(origin) = &self.origin else { return Host::OTHER };
        let known = |authority| self.hosts.known(authority, Some(default_port(origin)));
        origin.authority().map_or(Host::OTHER, known)
    }
}

fn default_port(uri: &Uri) -> u16 {
    match Scheme::from(uri) {
        Scheme::Http => 80,
        Scheme::Https => 443,
    }
}

impl<C> HttpLayer<ClientSemantic, C> {
    fn set(mut self, change: impl FnOnce(&mut Settings)) -> Self {
        change(Arc::make_mut(&mut self.profile.0));
        self
    }

    /// Measures `http.client.request.body.size` and `http.client.response.body.size` as well, in bytes as they pass on the layer's
    /// side of whatever compresses. That of a request is what its head says, unless the bytes [are
    /// counted](Self::count_request_bodies); that of a response is what was read of it.
    pub fn body_sizes(self) -> Self {
        self.set(|settings| settings.body_sizes = true)
    }

    /// The methods that are told apart; all others are `_OTHER`. Case matters. Otherwise they are those of
    /// `OTEL_INSTRUMENTATION_HTTP_KNOWN_METHODS`, a list with commas, or else those of RFC 9110, `PATCH` and `QUERY`.
    pub fn known_methods(self, methods: impl IntoIterator<Item = impl AsRef<str>>) -> Self {
        self.set(|settings| settings.methods = Methods::only(methods))
    }

    /// The hosts that are told apart, with or without a port; all others are `_OTHER`. For clients that go where somebody else
    /// tells them to. A host that is listed without a port is the same with any.
    pub fn hosts(self, hosts: impl IntoIterator<Item = impl AsRef<str>>) -> Self {
        self.set(|settings| settings.hosts = Arc::new(Hosts::only(hosts)))
    }

    /// Tells so many hosts apart, the first that come, at most 65,536; all others are `_OTHER`.
    pub fn max_hosts(self, limit: usize) -> Self {
        self.set(|settings| settings.hosts = Arc::new(Hosts::first(limit)))
    }

    /// Whom those requests are for that do not say it: a channel of tonic knows where it goes, and its requests have paths alone.
    ///
    /// ```
    /// use metercast_tower::http::Uri;
    ///
    /// let layer = metercast_tower::client().origin(Uri::from_static("http://orders.internal:50051"));
    /// ```
    pub fn origin(self, origin: Uri) -> Self {
        self.set(|settings| settings.origin = Some(origin))
    }

    /// The methods of gRPC that are told apart in `rpc.method`, as `package.Service/Method`; all others are `_OTHER`. Without a list,
    /// they are the first 200 that are called.
    pub fn rpc_methods(self, methods: impl IntoIterator<Item = impl AsRef<str>>) -> Self {
        self.set(|settings| settings.rpc_methods = Arc::new(RpcMethods::only(methods)))
    }
}

/// One request, by the semantic conventions; of [`ClientSemantic`].
#[derive(Debug)]
pub struct ClientRequest {
    settings: Arc<Settings>,
    method: KnownMethod,
    host: Host,
    template: Option<&'static str>,
    version: Option<&'static str>,
    // Apart, since few requests have one and each is moved several times.
    call: Option<Box<Call>>,
    _active: Guard,
}

impl HttpProfile for ClientSemantic {
    type Exchange = ClientRequest;

    fn begin(&self, request: &RequestHead<'_>) -> Option<ClientRequest> {
        let settings = Arc::clone(&self.0);
        let call = Call::of(request, &settings.rpc_methods, Side::Client).map(Box::new);
        let method = settings.methods.known(request.method());
        let host = settings.host(request);
        let template = request.extension::<UrlTemplate>().map(|template| template.0);
        let (address, port) = (settings.hosts.address(host), settings.hosts.port(host));
        let _active = ACTIVE.guard((method.as_str(), address, port, template));
        Some(ClientRequest { settings, method, host, template, version: None, call, _active })
    }

    fn records(&self) -> Vec<&'static str> {
        let mut names = vec!["http.client.request.duration", "http.client.active_requests"];
        if self.0.body_sizes {
            names.extend(["http.client.request.body.size", "http.client.response.body.size"]);
        }
        names
    }
}

impl HttpExchange for ClientRequest {
    fn answered(&mut self, response: &ResponseHead<'_>) {
        self.version = version(response.version());
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
        let (address, port) = (settings.hosts.address(self.host), settings.hosts.port(self.host));
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
            Some(status) if status.is_client_error() || status.is_server_error() => {
                end.outcome().error_type().or_else(|| Some(spell(status, &mut digits)))
            }
            _ => end.outcome().error_type(),
        };
        let status = end.status().as_ref().map(StatusCode::as_u16);
        let labels = (self.method.as_str(), address, port, self.template, status, error, self.version);
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
