//! What operators ask: whether it is well, and that it reads its configuration again.

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::{get, post};
use tokio::net::TcpListener;

use crate::reload::Service;

/// Answers until it is dropped.
pub(crate) async fn serve(listener: TcpListener, service: Arc<Service>) {
    let router = Router::new()
        .route("/healthz", get(|| async { "ok\n" }))
        .route("/readyz", get(|| async { "ok\n" }))
        .route("/-/reload", post(reload))
        .with_state(service);
    // It never ends by itself.
    let _ = axum::serve(listener, router).await;
}

async fn reload(State(service): State<Arc<Service>>) -> (StatusCode, String) {
    match service.reload().await {
        Ok(done) => (StatusCode::OK, format!("{done}\n")),
        Err(refused) => (StatusCode::UNPROCESSABLE_ENTITY, format!("{refused}\n")),
    }
}
