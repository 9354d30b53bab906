//! The server side: how long requests take, and how many are being worked on.
//!
//! Semantic conventions, "HTTP server": `http.server.request.duration` and `http.server.active_requests`. Everything
//! that a client controls is bounded: unknown methods are `_OTHER`, the route is the template that matched and never
//! the path, and there is no host.

mod body;
#[cfg(feature = "axum")]
mod callers;
mod future;
mod layer;
mod method;
mod profile;
mod request;

pub use body::MeasuredBody;
pub use future::ResponseFuture;
pub use layer::{HttpServer, HttpServerLayer, server};
pub use profile::ServerProfile;
