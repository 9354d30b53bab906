//! One request and its response, from the request's head to the end of the response's body: what the server side and the
//! client side have in common.
//!
//! ```text
//! layer (the service) -> progress (begun) -> future (the response's head) -> body (its frames) -> progress (dropped: the end)
//! ```
//!
//! What is recorded at each of these stages is for the [`HttpProfile`](profile::HttpProfile) of the layer to say.

mod body;
mod error;
mod future;
mod head;
mod layer;
mod pair;
mod profile;
mod progress;
mod rules;

pub use body::{CountedBody, MeasuredBody};
pub use error::io_error_type;
pub use future::ResponseFuture;
pub use head::{RequestHead, ResponseHead};
pub use layer::{AsGiven, Counted, HttpLayer, HttpService};
pub use profile::{BodyFrame, HttpEnd, HttpExchange, HttpOutcome, HttpProfile};
