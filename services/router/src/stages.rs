//! What instruments of the configuration can be defined for: the requests of clients, the operations that they ask for, the
//! calls of upstreams, and what is asked of caches.

use std::sync::Arc;

use metercast_tower::dynamic::{
    Found, Level, Moment, Selection, Selector, Source, Stage, StageHandle, Stages,
};
use metercast_tower::http::HeaderMap;
use metercast_tower::{Configured, HttpLayer, Value, http_client_stage, http_server_stage};

/// The name of the header that names the operation.
const OPERATION: &str = "x-operation";

/// The stages of the gateway, and what asks them.
#[derive(Clone, Debug)]
pub(crate) struct Measured {
    pub(crate) stages: Stages,
    router: StageHandle,
    pub(crate) operation: StageHandle,
    subgraph: StageHandle,
    pub(crate) cache: StageHandle,
}

impl Default for Measured {
    fn default() -> Measured {
        let (request, response) = (&[Moment::Request], &[Moment::Response]);
        let operation = Stage::new("operation")
            .selector(Selector::truth("operation_name", "The name in x-operation", request))
            .selector(Selector::truth("operation_kind", "The field `kind` of a JSON body", request))
            .selector(Selector::truth("response_status", "The status as a number", response));
        let name = || Selector::truth("subgraph_name", "The upstream that is called", request);
        let level = Level::Required;
        let subgraph = http_client_stage("subgraph").selector(name());
        let subgraph = subgraph.attribute("subgraph.name", level, "subgraph_name", "");
        let found = Selector::truth("cache_hit", "Whether there was an answer: true or false", response);
        let cache = Stage::new("cache").selector(name()).selector(found);
        let stages = Stages::new([http_server_stage("router"), operation, subgraph, cache]);
        let stage = |name| stages.stage(name).unwrap_or_else(|| unreachable!("{name} is among them"));
        Measured {
            router: stage("router"),
            operation: stage("operation"),
            subgraph: stage("subgraph"),
            cache: stage("cache"),
            stages,
        }
    }
}

impl Measured {
    /// Measures the requests of clients.
    pub(crate) fn requests(&self) -> HttpLayer<Configured> {
        HttpLayer::new(Configured::server(self.router.clone()))
    }

    /// Measures calls of upstreams.
    pub(crate) fn calls(&self) -> HttpLayer<Configured> {
        let profile = Configured::client(self.subgraph.clone());
        HttpLayer::new(profile.of_requests(|request, selection| match selection.name() {
            "subgraph_name" => request.extension::<Subgraph>().map(|subgraph| &*subgraph.0).into(),
            _ => Found::Nothing,
        }))
    }
}

/// In the extensions of a call: the name of the upstream.
#[derive(Clone, Debug)]
pub(crate) struct Subgraph(pub(crate) Arc<str>);

/// An operation that a client asks for.
pub(crate) struct Asked<'a> {
    pub(crate) headers: &'a HeaderMap,
    pub(crate) body: &'a [u8],
}

impl Source for Asked<'_> {
    fn find<'a>(&'a self, selection: &'a Selection) -> Found<'a> {
        #[derive(serde::Deserialize)]
        struct Body {
            kind: String,
        }
        match selection.name() {
            "operation_name" => self.headers.get(OPERATION).and_then(|name| name.to_str().ok()).into(),
            // The body of a client that is no JSON, or has no kind, says nothing.
            "operation_kind" => serde_json::from_slice::<Body>(self.body).ok().map(|body| body.kind).into(),
            _ => Found::Nothing,
        }
    }
}

/// The one thing that there is to be seen: a status, the name of an upstream, whether there was an answer.
pub(crate) struct Seen<T>(pub(crate) T);

impl<T: Clone + Into<Value>> Source for Seen<T> {
    fn find<'a>(&'a self, _: &'a Selection) -> Found<'a> {
        Found::Owned(self.0.clone().into())
    }
}
