//! What is recorded arrives at a server.

use std::io::Read;
use std::net::TcpListener;
use std::time::Duration;

use metercast::config::{Config, Custom};
use metercast::view::View;
use metercast::{Log, Store, Telemetry, f64_histogram_with_unit, u64_counter};
use metercast_graphite::Graphite;

#[test]
fn what_is_recorded_arrives_as_lines_with_labels_that_end_none() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let graphite = Custom::new(Graphite::to(&listener.local_addr().unwrap().to_string()))
        .interval(Duration::from_secs(3600))
        .view(View::of("http.*").drop_labels(["user"]));
    let config = Config::builder().environment(false).self_metrics(false).exporter("graphite", graphite);
    let config = config.build().unwrap();
    let store = Store::new();
    let telemetry = Telemetry::builder(config).store(store.clone()).log(Log::to(|_, _| {})).start().unwrap();

    store.scope(|| u64_counter!("orders.placed", "Orders", 2, "side" => "b=u;y\n"));
    telemetry.flush(Duration::from_secs(60)).unwrap();
    store.scope(|| {
        u64_counter!("http.requests", "Requests", 1, "user" => "ada");
        u64_counter!("http.requests", "Requests", 1, "user" => "bob");
        f64_histogram_with_unit!("settle", "Time", "s", 0.5);
    });
    telemetry.shutdown().unwrap();

    let mut text = String::new();
    listener.accept().unwrap().0.read_to_string(&mut text).unwrap();
    let without_time: Vec<_> = text.lines().map(|line| line.rsplit_once(' ').unwrap().0).collect();
    let orders = "orders.placed;side=b_u_y_ 2";
    assert_eq!(without_time, [orders, "http.requests 2", orders, "settle.count 1", "settle.sum 0.5"]);
}
