//! Counts the requests that do not come from the load generator, such as those of a person who looks around: what they
//! cause is measured like all else, so the comparison must know of them.

use std::sync::Arc;

use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderName, Version};
use axum::middleware::Next;
use axum::response::Response;

use super::order::Outcome;
use crate::demo::tally::{Ended, RequestKey, SharedTally};

/// The load generator marks its requests with this header, and counts them itself.
pub(crate) const LOAD: HeaderName = HeaderName::from_static("x-metercast-load");

/// Sits around the layer that measures.
pub(super) async fn count(
    State(visitors): State<Arc<SharedTally>>,
    request: Request,
    next: Next,
) -> Response {
    if request.headers().contains_key(LOAD) {
        return next.run(request).await;
    }
    let route = request.extensions().get::<MatchedPath>().map(|path| path.as_str().to_owned());
    let version = if request.version() == Version::HTTP_10 { "1.0" } else { "1.1" };
    let key = RequestKey::new(request.method(), route.as_deref(), version);
    visitors.lock().sent();
    let mut visit = Visit { visitors, key, ended: Ended::Cancelled };
    let response = next.run(request).await;
    visit.ended = Ended::Status(response.status().as_u16());
    if let Some(outcome) = response.extensions().get::<Outcome>() {
        visit.visitors.lock().outcome(*outcome);
    }
    response
}

/// Counted when it is dropped, with or without an answer.
struct Visit {
    visitors: Arc<SharedTally>,
    key: RequestKey,
    ended: Ended,
}

impl Drop for Visit {
    fn drop(&mut self) {
        self.visitors.lock().ended(self.key.clone(), self.ended);
    }
}
