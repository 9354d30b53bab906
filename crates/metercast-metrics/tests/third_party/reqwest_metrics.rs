//! reqwest-metrics: a middleware that measures what a client asks for.

use std::net::SocketAddr;

use reqwest_metrics::MetricsMiddleware;
use reqwest_middleware::ClientBuilder;

use crate::Page;

/// Asks for two orders, and for what is broken.
pub(crate) async fn request(server: SocketAddr) {
    let client = ClientBuilder::new(reqwest::Client::new()).with(MetricsMiddleware::new()).build();
    for (path, status) in [("orders/1", 200), ("orders/2", 200), ("broken", 500)] {
        let response = client.get(format!("http://{server}/{path}")).send().await.unwrap();
        assert_eq!(response.status(), status);
        response.bytes().await.unwrap();
    }
}

/// What it leaves of that.
pub(crate) fn check(page: &Page, server: SocketAddr) {
    let name = "http_client_request_duration_seconds";
    page.has(name, "Duration of HTTP client requests.", "histogram");
    page.has("http_client_response_body_size_bytes", "Size of HTTP client response bodies.", "histogram");
    let labels = format!(
        "http_request_method=\"GET\",url_scheme=\"http\",network_protocol_name=\"http\",server_address=\"{}\",server_port=\"{}\",\
         network_protocol_version=\"1.1\"",
        server.ip(),
        server.port()
    );
    let ok = format!("{labels},http_response_status_code=\"200\"");
    let failed = format!("{labels},http_response_status_code=\"500\",error_type=\"500\"");
    assert_eq!(page.value(&format!("{name}_count{{{ok}}}")), "2");
    assert_eq!(page.value(&format!("{name}_bucket{{{ok},le=\"10\"}}")), "2");
    assert_eq!(page.value(&format!("{name}_count{{{failed}}}")), "1");
    assert_eq!(page.value(&format!("http_client_response_body_size_bytes_sum{{{ok}}}")), "16");
}
