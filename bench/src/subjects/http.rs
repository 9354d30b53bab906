//! Layers that measure the requests of an axum router, each with one exporter attached.

use std::sync::OnceLock;

use ::metercast::Store;
use axum::Router;
use axum_prometheus::BaseMetricLayer;
use opentelemetry_instrumentation_tower::http::extractors::AxumMatchedPathExtractor;
use opentelemetry_instrumentation_tower::http::server::LayerBuilder;

use super::{FLOOR, OWN, metercast, metrics, otel};

/// Who measures requests, in the order of the tables' columns.
pub(crate) const HTTP: &[HttpSubject] = &[
    HttpSubject { name: FLOOR, layered: |router, _| Measured { router, total: None, keep_up: || {} } },
    HttpSubject { name: OWN, layered: own },
    HttpSubject { name: "axum-prometheus", layered: axum_prometheus },
    HttpSubject { name: "otel-tower", layered: otel_tower },
];

/// One layer.
pub(crate) struct HttpSubject {
    pub(crate) name: &'static str,
    /// Puts it on a router, with the sizes of bodies or without.
    pub(crate) layered: fn(Router, bool) -> Measured,
}

/// A router whose requests are measured.
pub(crate) struct Measured {
    pub(crate) router: Router,
    /// How many requests were counted since the program began.
    pub(crate) total: Option<Box<dyn Fn() -> u64 + Send>>,
    /// What has to be done now and then by whoever uses the layer.
    pub(crate) keep_up: fn(),
}

fn own(router: Router, sizes: bool) -> Measured {
    metercast::export_global();
    let layer = metercast_tower::server();
    let layer = if sizes { layer.body_sizes() } else { layer };
    let total = || metercast::total(&Store::global(), "http.server.request.duration");
    Measured { router: router.layer(layer), total: Some(Box::new(total)), keep_up: || {} }
}

fn axum_prometheus(router: Router, sizes: bool) -> Measured {
    metrics::global();
    let router = if sizes {
        router.layer(BaseMetricLayer::with_response_body_size())
    } else {
        router.layer(BaseMetricLayer::new())
    };
    let total = || metrics::total("axum_http_requests_total", false);
    Measured { router, total: Some(Box::new(total)), keep_up: || metrics::global().run_upkeep() }
}

/// With its metrics and without its spans. It always measures the sizes that heads say.
fn otel_tower(router: Router, _sizes: bool) -> Measured {
    static SDK: OnceLock<otel::Sdk> = OnceLock::new();
    let sdk = SDK.get_or_init(|| {
        let sdk = otel::Sdk::new(1);
        opentelemetry::global::set_meter_provider(sdk.provider());
        sdk
    });
    let layer = LayerBuilder::builder()
        .with_route_extractor(AxumMatchedPathExtractor)
        .with_tracing(false)
        .build()
        .expect("nothing is missing");
    let total = || sdk.count("http.server.request.duration");
    Measured { router: router.layer(layer), total: Some(Box::new(total)), keep_up: || {} }
}
