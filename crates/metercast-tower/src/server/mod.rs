//! The server side: what is measured of the requests that a service gets.

#[cfg(feature = "axum")]
mod callers;
mod endpoints;
mod route;
mod semantic;
mod totals;

#[cfg(feature = "axum")]
pub use callers::{Callers, CallersRequest};
pub use endpoints::{EndpointRequest, Endpoints};
pub use route::HttpRoute;
pub use semantic::{ServerRequest, ServerSemantic, server};
pub use totals::{Totals, TotalsRequest};
