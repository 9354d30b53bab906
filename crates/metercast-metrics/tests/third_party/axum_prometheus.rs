//! axum-prometheus: a layer that measures what a server answers.

use axum::Router;
use axum::http::StatusCode;
use axum::routing::get;
use axum_prometheus::BaseMetricLayer;

use crate::Page;

/// A service under the layer.
pub(crate) fn service() -> Router {
    Router::new()
        .route("/orders/{id}", get(|| async { "an order" }))
        .route("/broken", get(|| async { StatusCode::INTERNAL_SERVER_ERROR }))
        .layer(BaseMetricLayer::with_response_body_size())
}

/// What it leaves of two orders and one failure.
pub(crate) fn check(page: &Page) {
    let orders = "method=\"GET\",status=\"200\",endpoint=\"/orders/{id}\"";
    let broken = "method=\"GET\",status=\"500\",endpoint=\"/broken\"";
    let value = |name: &str, labels: &str| page.value(&format!("{name}{{{labels}}}")).to_owned();
    assert_eq!(value("axum_http_requests_total", orders), "2");
    assert_eq!(value("axum_http_requests_total", broken), "1");
    assert_eq!(value("axum_http_requests_duration_seconds_count", orders), "2");
    let quick = format!("{orders},le=\"0.005\"");
    assert!(value("axum_http_requests_duration_seconds_bucket", &quick).parse::<u64>().is_ok());
    assert_eq!(value("axum_http_requests_pending", "method=\"GET\",endpoint=\"/orders/{id}\""), "0");
    assert_eq!(value("axum_http_response_body_size_sum", "method=\"GET\",endpoint=\"/orders/{id}\""), "16");
}
