//! Whether the relay lives, and whether it is ready for clients.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::get;
use axum::{Json, Router};
use serde_json::{Value, json};

use crate::relay::Relay;

/// How long database and Redis may take to answer.
const LIMIT: Duration = Duration::from_secs(1);

/// What whoever watches over the relay asks for.
pub(crate) fn router(relay: Arc<Relay>) -> Router {
    Router::new()
        .route("/_liveness", get(|| async { "ok\n" }))
        .route("/_readiness", get(readiness))
        .route("/_status", get(status))
        .with_state(relay)
}

async fn readiness(State(relay): State<Arc<Relay>>) -> (StatusCode, &'static str) {
    if relay.draining.is_cancelled() {
        return (StatusCode::SERVICE_UNAVAILABLE, "draining\n");
    }
    let (database, bus) = reachable(&relay).await;
    match (database, bus) {
        (true, true) => (StatusCode::OK, "ok\n"),
        (false, _) => (StatusCode::SERVICE_UNAVAILABLE, "PostgreSQL does not answer\n"),
        (true, false) => (StatusCode::SERVICE_UNAVAILABLE, "Redis does not answer\n"),
    }
}

async fn status(State(relay): State<Arc<Relay>>) -> Json<Value> {
    let (database, bus) = reachable(&relay).await;
    Json(json!({
        "draining": relay.draining.is_cancelled(),
        "connections": relay.connections.len(),
        "postgresql": database,
        "redis": bus,
    }))
}

/// Whether database and Redis answer in time.
async fn reachable(relay: &Relay) -> (bool, bool) {
    let database = tokio::time::timeout(LIMIT, relay.database.ping());
    let bus = tokio::time::timeout(LIMIT, relay.bus.ping());
    let (database, bus) = tokio::join!(database, bus);
    (matches!(database, Ok(Ok(()))), matches!(bus, Ok(Ok(()))))
}
