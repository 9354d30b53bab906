//! Every pushed message, decoded with `opentelemetry-proto`, against the page.

use std::collections::BTreeMap;
use std::io::{BufReader, Read, Write};
use std::net::TcpListener;
use std::sync::{Arc, Mutex};

use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue};
use opentelemetry_proto::tonic::metrics::v1::{Metric, metric::Data, number_data_point};
use prost::Message;
use serde_json::json;

use crate::support::{Demo, Series, get, read_request, samples};

const CUMULATIVE: i32 = 2;

type Messages = Arc<Mutex<Vec<ExportMetricsServiceRequest>>>;

/// Takes every message, packed or not.
fn receiver() -> (String, Messages) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let messages = Messages::default();
    let taken = Arc::clone(&messages);
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let mut to = stream.try_clone().unwrap();
            let mut from = BufReader::new(stream);
            while let Some((head, mut body)) = read_request(&mut from) {
                assert!(head.starts_with("post /v1/metrics http/1.1\r\n"), "{head}");
                assert!(head.contains("\r\ncontent-type: application/x-protobuf\r\n"), "{head}");
                if head.contains("\r\ncontent-encoding: gzip\r\n") {
                    let packed = std::mem::take(&mut body);
                    flate2::read::GzDecoder::new(&packed[..]).read_to_end(&mut body).unwrap();
                }
                taken.lock().unwrap().push(ExportMetricsServiceRequest::decode(&body[..]).unwrap());
                let answer =
                    "HTTP/1.1 200 OK\r\ncontent-type: application/x-protobuf\r\ncontent-length: 0\r\n\r\n";
                to.write_all(answer.as_bytes()).unwrap();
            }
        }
    });
    (url, messages)
}

/// A series of a message: the samples that it is on a page, and what must hold from message to message.
struct Point {
    samples: Series,
    start: u64,
    time: u64,
    only_grows: bool,
}

/// Metrics of metercast itself change with every export.
fn is_own(name: &str) -> bool {
    ["otel.", "otel_", "metercast.", "metercast_"].iter().any(|own| name.starts_with(own))
}

fn metrics(message: &ExportMetricsServiceRequest) -> impl Iterator<Item = &Metric> {
    let scopes = message.resource_metrics.iter().flat_map(|resource| &resource.scope_metrics);
    scopes.flat_map(|scope| &scope.metrics).filter(|metric| !is_own(&metric.name))
}

/// OpenTelemetry's "Prometheus and OpenMetrics Compatibility", for the names and units of the demo.
fn page_name(metric: &Metric) -> String {
    let unit = if metric.unit == "s" { "_seconds" } else { "" };
    let total = if matches!(&metric.data, Some(Data::Sum(sum)) if sum.is_monotonic) { "_total" } else { "" };
    format!("{}{unit}{total}", metric.name.replace('.', "_"))
}

fn labels(attributes: &[KeyValue]) -> BTreeMap<String, String> {
    let text = |value: &Option<AnyValue>| match value.as_ref().and_then(|value| value.value.as_ref()) {
        Some(Value::StringValue(text)) => text.clone(),
        Some(Value::IntValue(number)) => number.to_string(),
        Some(Value::BoolValue(truth)) => truth.to_string(),
        other => panic!("an attribute of the demo is {other:?}"),
    };
    attributes.iter().map(|attribute| (attribute.key.replace('.', "_"), text(&attribute.value))).collect()
}

fn points(metric: &Metric) -> Vec<Point> {
    let name = page_name(metric);
    let number = |value: &Option<number_data_point::Value>| match value.unwrap() {
        number_data_point::Value::AsInt(value) => value as f64,
        number_data_point::Value::AsDouble(value) => value,
    };
    match metric.data.as_ref().unwrap() {
        Data::Gauge(gauge) => {
            let points = gauge.data_points.iter().map(|point| Point {
                samples: Series::from([((name.clone(), labels(&point.attributes)), number(&point.value))]),
                // A gauge has no start: it is what it is now.
                start: point.time_unix_nano,
                time: point.time_unix_nano,
                only_grows: false,
            });
            points.collect()
        }
        Data::Sum(sum) => {
            assert_eq!(sum.aggregation_temporality, CUMULATIVE, "{name}");
            let points = sum.data_points.iter().map(|point| Point {
                samples: Series::from([((name.clone(), labels(&point.attributes)), number(&point.value))]),
                start: point.start_time_unix_nano,
                time: point.time_unix_nano,
                only_grows: sum.is_monotonic,
            });
            points.collect()
        }
        Data::Histogram(histogram) => {
            assert_eq!(histogram.aggregation_temporality, CUMULATIVE, "{name}");
            let points = histogram.data_points.iter().map(|point| {
                let labels = labels(&point.attributes);
                assert_eq!(point.bucket_counts.len(), point.explicit_bounds.len() + 1, "{name}");
                assert_eq!(point.bucket_counts.iter().sum::<u64>(), point.count, "{name}");
                let mut samples = Series::from([
                    ((format!("{name}_count"), labels.clone()), point.count as f64),
                    ((format!("{name}_sum"), labels.clone()), point.sum.unwrap()),
                ]);
                let bounds = point.explicit_bounds.iter().map(f64::to_string).chain(["+Inf".to_owned()]);
                let mut below = 0;
                for (bound, count) in bounds.zip(&point.bucket_counts) {
                    below += count;
                    let mut labels = labels.clone();
                    labels.insert("le".to_owned(), bound);
                    samples.insert((format!("{name}_bucket"), labels), below as f64);
                }
                let (start, time) = (point.start_time_unix_nano, point.time_unix_nano);
                Point { samples, start, time, only_grows: true }
            });
            points.collect()
        }
        other => panic!("{name} is {other:?}"),
    }
}

#[test]
fn the_last_of_the_messages_is_the_page_and_none_goes_back() {
    let (url, messages) = receiver();
    let mut demo = Demo::start(&["--seconds", "3", "--json", "--hold", "--otlp", &url]);
    let page = demo.place("metrics  ");
    assert_eq!(demo.result().summary["equal"], json!(true));
    let page = samples(&get(&page).unwrap().1);
    let ended = demo.end();
    assert!(ended.status.success(), "{}", ended.trouble());

    let messages = messages.lock().unwrap();
    assert!(messages.len() > 1, "one each second, and a last one");
    let mut last = BTreeMap::new();
    let mut started = BTreeMap::new();
    for message in messages.iter() {
        let mut pushed = Series::new();
        for metric in metrics(message) {
            for point in points(metric) {
                assert!(point.start > 0 && point.start <= point.time, "{}", metric.name);
                for (sample, value) in point.samples {
                    if point.only_grows {
                        let start = *started.entry(sample.clone()).or_insert(point.start);
                        assert_eq!(start, point.start, "{sample:?} starts anew");
                        let before = last.get(&sample).copied().unwrap_or(0.0);
                        assert!(value >= before, "{sample:?} goes back from {before} to {value}");
                    }
                    let known = pushed.insert(sample.clone(), value);
                    assert_eq!(known, None, "{sample:?} is twice in one message");
                }
            }
        }
        assert!(
            last.keys().all(|sample| pushed.contains_key(sample)),
            "a series is missing in a later message"
        );
        last = pushed;
    }
    let scraped: Series = page.into_iter().filter(|((name, _), _)| !is_own(name)).collect();
    assert!(scraped.len() > 300, "{}", scraped.len());
    assert_eq!(last, scraped);
}

#[test]
fn every_message_says_who_sends_it() {
    let (url, messages) = receiver();
    let ended = Demo::start(&["--seconds", "1", "--json", "--otlp", &url]).end();
    assert!(ended.status.success(), "{}", ended.trouble());
    let messages = messages.lock().unwrap();
    let mut instances = std::collections::BTreeSet::new();
    for message in messages.iter() {
        let [resource_metrics] = &message.resource_metrics[..] else { panic!("one resource") };
        let resource = labels(&resource_metrics.resource.as_ref().unwrap().attributes);
        assert_eq!(resource["service_name"], "orders");
        assert_eq!(resource["service_version"], env!("CARGO_PKG_VERSION"));
        instances.insert(resource["service_instance_id"].clone());
    }
    assert_eq!(instances.len(), 1, "{instances:?}");
}
