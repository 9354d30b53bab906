//! The variable that says which methods are told apart, in a process of its own.

use std::process::Command;

use axum::Router;
use axum::body::Body;
use http::Request;
use metercast_tower::FutureMetricsExt;
use metercast_tower::{InMemoryReader, Store, server};
use tower::ServiceExt;

const VARIABLE: &str = "OTEL_INSTRUMENTATION_HTTP_KNOWN_METHODS";
const CHILD: &str = "METERCAST_TEST_CHILD";

#[test]
fn the_variable_replaces_the_methods_that_are_known() {
    if std::env::var_os(CHILD).is_some() {
        return child();
    }
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "the_variable_replaces_the_methods_that_are_known"])
        .envs([(CHILD, "1"), (VARIABLE, "GET, PURGE")])
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
}

fn child() {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let methods = |layer| async move {
        let app: Router = Router::new().layer(layer);
        for method in ["GET", "PURGE", "POST"] {
            let request = Request::builder().method(method).uri("/").body(Body::empty()).unwrap();
            drop(app.clone().oneshot(request).await.unwrap());
        }
        let snapshot = InMemoryReader::new(Store::current()).collect();
        let series = &snapshot.family("http.server.active_requests").unwrap().series;
        let methods =
            series.iter().map(|series| series.labels.get("http.request.method").unwrap().to_string());
        methods.collect::<Vec<_>>()
    };
    let said = runtime.block_on(methods(server()).with_metrics());
    assert_eq!(said, ["GET", "PURGE", "_OTHER"]);
    let pinned = runtime.block_on(methods(server().known_methods(["POST"])).with_metrics());
    assert_eq!(pinned, ["POST", "_OTHER"], "what the program says counts");
}
