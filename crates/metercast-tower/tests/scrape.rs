//! The page behind an application's router: every header comes through, and tenants see their own.
#![cfg(feature = "serve")]

use axum::Router;
use axum::body::Body;
use axum::http::{Request, Response};
use http_body_util::BodyExt;
use metercast_tower::{Log, PrometheusPage, Scrape, ScrapeService, Store, u64_counter};
use tower::ServiceExt;

fn scrape() -> Scrape {
    let store = Store::new();
    store.scope(|| u64_counter!("jobs", "Jobs", 3, "tenant" => "a"));
    Scrape::new(store, PrometheusPage::new("test", Log::to(|_, _| {})))
}

fn app(scrape: Scrape) -> Router {
    Router::new().route_service("/metrics", ScrapeService::new(scrape))
}

async fn asked(app: &Router, method: &str, uri: &str, headers: &[(&str, &str)]) -> Response<Body> {
    let mut request = Request::builder().method(method).uri(uri);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    app.clone().oneshot(request.body(Body::from("a body that nobody reads")).unwrap()).await.unwrap()
}

async fn text(response: Response<Body>) -> String {
    String::from_utf8(response.into_body().collect().await.unwrap().to_bytes().to_vec()).unwrap()
}

#[tokio::test]
async fn the_format_and_the_packing_are_those_that_were_asked_for() {
    let app = app(scrape());
    let page = "# HELP jobs_total Jobs\n# TYPE jobs_total counter\njobs_total{tenant=\"a\"} 3\n";
    let plain = asked(&app, "GET", "/metrics", &[]).await;
    assert_eq!(plain.headers()["content-length"], page.len().to_string());
    assert_eq!(text(plain).await, page);
    let accepts = [("accept", "image/png"), ("accept", "application/openmetrics-text;version=1.0.0")];
    let open = asked(&app, "GET", "/metrics", &accepts).await;
    assert_eq!(
        open.headers()["content-type"],
        "application/openmetrics-text; version=1.0.0; charset=utf-8; escaping=underscores"
    );
    assert!(text(open).await.ends_with("# EOF\n"));
    let packed = asked(&app, "GET", "/metrics", &[("accept-encoding", "gzip")]).await;
    assert_eq!(packed.headers()["content-encoding"], "gzip");
    assert_eq!(packed.headers()["vary"], "accept, accept-encoding");
    let bytes = packed.into_body().collect().await.unwrap().to_bytes();
    assert_eq!(bytes[..2], [0x1f, 0x8b]);
}

#[tokio::test]
async fn every_request_has_an_answer() {
    let app = app(scrape());
    let cases = [
        ("GET", "/metrics?name[]=other", 200, ""),
        ("HEAD", "/metrics", 200, ""),
        ("POST", "/metrics", 405, "the metrics are read with GET\n"),
        ("GET", "/other", 404, ""),
    ];
    for (method, uri, status, body) in cases {
        let response = asked(&app, method, uri, &[]).await;
        assert_eq!(response.status(), status, "{method} {uri}");
        assert_eq!(text(response).await, body, "{method} {uri}");
    }
}

#[tokio::test]
async fn a_page_that_was_not_sent_counts_as_under_way() {
    let app = app(scrape().max_in_flight(1));
    let unsent = asked(&app, "GET", "/metrics", &[]).await;
    let refused = asked(&app, "GET", "/metrics", &[]).await;
    assert_eq!((refused.status().as_u16(), refused.headers()["retry-after"].to_str().unwrap()), (503, "1"));
    drop(unsent);
    assert_eq!(asked(&app, "GET", "/metrics", &[]).await.status(), 200);
}

#[tokio::test]
async fn tenants_have_services_of_their_own() {
    let scrape = scrape();
    let request = Request::get("/").body(()).unwrap();
    for (tenant, page) in [("a", "jobs_total 3\n"), ("b", "")] {
        let response =
            ScrapeService::new(scrape.tenant("tenant", tenant)).oneshot(request.clone()).await.unwrap();
        let body = response.into_body().collect().await.unwrap().to_bytes();
        assert!(body.ends_with(page.as_bytes()) && body.is_empty() == page.is_empty(), "{tenant}: {body:?}");
    }
}
