//! A service with axum: every request is measured by two lines, and orders by a metric of its own.
//!
//! ```text
//! $ cargo run -q -p docs --example hello
//! http_server_request_duration_seconds_count{http_request_method="GET",url_scheme="http",http_route="/orders/{id}",http_response_status_code="200",network_protocol_version="1.1"} 2
//! http_server_request_duration_seconds_count{http_request_method="GET",url_scheme="http",http_response_status_code="404",network_protocol_version="1.1"} 1
//! orders_shown_total{size="small"} 1
//! orders_shown_total{size="large"} 1
//! ```

// A program talks to its terminal.
#![allow(clippy::print_stdout)]

use std::error::Error;

use axum::Router;
use axum::extract::Path;
use axum::routing::get;
use metercast_tower::config::Prometheus;
use metercast_tower::{Config, Telemetry, labels, metrics};
use tokio::net::TcpListener;

labels! {
    /// How large an order is.
    enum Size { Small, Large }
}

metrics! {
    /// Orders that were shown.
    static ORDERS_SHOWN: Counter<u64> = "orders.shown" { unit: "{order}", labels: { size: Size } };
}

async fn order(Path(id): Path<u32>) -> String {
    ORDERS_SHOWN.add(1, (if id < 100 { Size::Small } else { Size::Large },));
    format!("order {id}\n")
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    // Most programs say `metercast_tower::start()?`, and are scraped at port 9464; this one takes any that is free.
    let page = Prometheus::listen("127.0.0.1:0");
    let config = Config::builder().environment(false).service("hello", "1.0.0").exporter("prometheus", page);
    let telemetry = Telemetry::start(config.build()?)?;
    let app = Router::new().route("/orders/{id}", get(order)).layer(metercast_tower::server());
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    tokio::spawn(async move { axum::serve(listener, app).await });

    // What clients and Prometheus would ask for.
    for path in ["orders/7", "orders/700", "nothing"] {
        reqwest::get(format!("http://{address}/{path}")).await?;
    }
    let page = reqwest::get(telemetry.scrape_url().ok_or("there is no page")?).await?.text().await?;
    for line in page.lines().filter(|line| line.contains("_count{http") || line.starts_with("orders_")) {
        println!("{line}");
    }
    drop(telemetry);
    Ok(())
}
