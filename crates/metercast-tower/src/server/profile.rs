//! Which metrics a server has.

/// Which metrics [`HttpServerLayer`](super::HttpServerLayer) records.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum ServerProfile {
    /// Those of the semantic conventions: `http.server.request.duration` and `http.server.active_requests`.
    #[default]
    Semantic,
    /// Those of services in a mesh of Envoy: the counter `http_requests_total` and the histogram `http_request_latency_ms`, in
    /// milliseconds, both by `code`, `caller` and `action`.
    ///
    /// The caller is who the mesh says in `x-envoy-downstream-service-cluster`, if that has at most 64 letters, digits, `_` and `-`, and
    /// `unknown` otherwise. The action is the template of the route. What matches no route is not measured, and neither are `/health`,
    /// `/metrics` and paths that begin with `/_`. A request that the client breaks off has the code 499, and one whose handler panics
    /// or whose service fails 500.
    #[cfg(feature = "axum")]
    Callers,
}
