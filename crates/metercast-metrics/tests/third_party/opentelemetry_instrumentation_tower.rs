//! opentelemetry-instrumentation-tower: a layer that measures what a server answers, by the OpenTelemetry API.

use axum::Router;
use metercast::Store;
use metercast_opentelemetry::MeterProvider;
use opentelemetry_instrumentation_tower::http::server::Layer;

use crate::Page;

/// The service under the layer, which has its meter from the provider of the process.
pub(crate) fn layered(service: Router, store: &Store) -> Router {
    opentelemetry::global::set_meter_provider(MeterProvider::of(store.clone()));
    service.layer(Layer::new())
}

/// What it leaves of two orders and one failure.
pub(crate) fn check(page: &Page) {
    let name = "http_server_request_duration_seconds";
    page.has(name, "Duration of HTTP server requests.", "histogram");
    let orders =
        ["http_route=\"/orders/{id}\"", "http_request_method=\"GET\"", "http_response_status_code=\"200\""];
    let broken = ["http_route=\"/broken\"", "http_response_status_code=\"500\""];
    assert_eq!(page.value_with(&format!("{name}_count"), &orders), "2");
    assert_eq!(page.value_with(&format!("{name}_count"), &broken), "1");
    assert_eq!(page.value_with("http_server_active_requests", &["http_request_method=\"GET\""]), "0");
}
