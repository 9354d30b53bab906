//! What operators ask: whether it is well, and that it reads its configuration again.

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::{get, post};
use metercast_tower::Telemetry;
use tokio::net::TcpListener;
use tokio::task::spawn_blocking;

/// Answers until it is dropped.
pub(crate) async fn serve(listener: TcpListener, telemetry: Arc<Telemetry>) {
    let router = Router::new()
        .route("/healthz", get(|| async { "ok\n" }))
        .route("/readyz", get(|| async { "ok\n" }))
        .route("/-/reload", post(reload))
        .with_state(telemetry);
    // It never ends by itself.
    let _ = axum::serve(listener, router).await;
}

async fn reload(State(telemetry): State<Arc<Telemetry>>) -> (StatusCode, String) {
    // Files are read, and exporters are built.
    match spawn_blocking(move || telemetry.reread()).await {
        Ok(Ok(done)) => (StatusCode::OK, format!("{done}\n")),
        Ok(Err(refused)) => (StatusCode::UNPROCESSABLE_ENTITY, format!("{refused}\n")),
        Err(panicked) => (StatusCode::INTERNAL_SERVER_ERROR, format!("{panicked}\n")),
    }
}
