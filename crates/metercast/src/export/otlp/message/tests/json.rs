//! The JSON is the same message as the protobuf.

use metercast_core::{ExemplarFilter, SpanContext};

use super::random::Random;
use super::*;
use crate::OtlpEncoding;

metrics! {
    static NAMED: Gauge<f64> = "json.named" { labels: { text: &str } };
    static SAMPLED: Histogram<f64> = "json.sampled" { buckets: [1.0, 10.0] };
    static SAMPLED_COUNTS: Counter<u64> = "json.sampled.counts" { labels: { at: &str } };
    static SAMPLED_WIDTHS: Histogram<f64> = "json.sampled.widths" { exponential: true };
}

fn json() -> OtlpOptions {
    OtlpOptions { encoding: OtlpEncoding::Json, ..OtlpOptions::default() }
}

/// What a store is in both encodings, which is one message.
pub(super) fn both(store: &Store, resource: &[(String, Value)]) -> (String, ExportMetricsServiceRequest) {
    let time = SystemTime::now();
    let (mut protobuf, mut text) = (Vec::new(), Vec::new());
    let points = OtlpMessage::new(resource).encode_at(time, store, &mut protobuf);
    assert_eq!(OtlpMessage::with_options(resource, json()).encode_at(time, store, &mut text), points);
    let text = String::from_utf8(text).expect("JSON is text");
    let of_protobuf = decoded(&protobuf);
    let of_json: ExportMetricsServiceRequest =
        serde_json::from_str(&text).expect("it is JSON as OTLP has it");
    assert!(format!("{of_json:?}") == format!("{of_protobuf:?}"), "{text}");
    (text, of_protobuf)
}

#[test]
fn whatever_was_recorded_is_the_same_in_json() {
    let mut random = Random(7);
    for _ in 0..15 {
        let store = Store::new();
        let records = 1 + random.below(200);
        store.scope(|| (0..records).for_each(|_| random.record()));
        both(&store, &[("service.name".to_owned(), "ran\"dom\n".into()), ("pid".to_owned(), 7.into())]);
    }
}

#[test]
fn it_is_spelled_as_otlp_says() {
    let store = Store::new();
    store.scope(|| {
        ORDERS.add(3, ("buy", true));
        SETTLE.record(0.5, ("b\"uy\\\n\t\u{1}é",));
        SPREAD.record(2.0, (7,));
        LIMIT.set(u64::MAX);
        RESULT.record(4);
    });
    let (text, _) = both(&store, &[("service.name".to_owned(), "orders".into())]);
    let message: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(message.to_string().len(), text.len(), "there is no space between");
    let resource = &message["resourceMetrics"][0];
    assert_eq!(
        resource["resource"]["attributes"].to_string(),
        r#"[{"key":"service.name","value":{"stringValue":"orders"}}]"#
    );
    let scope = &resource["scopeMetrics"][0];
    assert_eq!(scope["scope"]["name"], env!("CARGO_PKG_NAME"));
    let metric = |name: &str| {
        let all = scope["metrics"].as_array().unwrap();
        all.iter().find(|metric| metric["name"] == name).unwrap().clone()
    };
    let orders = metric("orders.placed");
    assert_eq!((&orders["unit"], &orders["description"]), (&"{order}".into(), &"Orders accepted.".into()));
    assert_eq!(orders["sum"]["aggregationTemporality"], 2);
    assert_eq!(orders["sum"]["isMonotonic"], true);
    let point = &orders["sum"]["dataPoints"][0];
    assert_eq!(point["asInt"], "3");
    assert_eq!(
        point["attributes"].to_string(),
        r#"[{"key":"side","value":{"stringValue":"buy"}},{"key":"http.ok","value":{"boolValue":true}}]"#
    );
    assert!(point["startTimeUnixNano"].as_str().unwrap().parse::<u64>().unwrap() > 1_700_000_000_000_000_000);
    let settle = &metric("order.settle.duration")["histogram"]["dataPoints"][0];
    assert_eq!(settle["bucketCounts"].to_string(), r#"["0","1","0","0"]"#);
    assert_eq!(settle["explicitBounds"].to_string(), "[0.25,1.0,10.0]");
    assert_eq!((&settle["count"], &settle["sum"]), (&"1".into(), &0.5.into()));
    assert!(text.contains(r#""stringValue":"b\"uy\\\n\t\u0001é""#), "{text}");
    let spread = &metric("spread")["exponentialHistogram"]["dataPoints"][0];
    assert_eq!(spread["scale"], 20);
    assert_eq!(spread["positive"]["bucketCounts"].to_string(), r#"["1"]"#);
    assert_eq!(metric("book.limit")["gauge"]["dataPoints"][0]["asDouble"], 18_446_744_073_709_551_616.0);
    let result = &metric("result.size")["summary"]["dataPoints"][0];
    assert_eq!(result["quantileValues"][1].to_string(), r#"{"quantile":0.5,"value":4.0}"#);
}

#[test]
fn what_is_no_finite_number_is_a_word() {
    let store = Store::new();
    // Sums may leave what a double can be.
    store.scope(|| (0..2).for_each(|_| SAMPLED.record(f64::MAX)));
    let mut text = Vec::new();
    OtlpMessage::with_options(&[], json()).encode(&store, &mut text);
    assert!(String::from_utf8(text).unwrap().contains(r#""sum":"Infinity""#));
}

#[test]
fn an_exemplar_without_a_span_has_no_ids() {
    let store = Store::new();
    store.set_exemplars(ExemplarFilter::AlwaysOn);
    store.scope(|| SAMPLED_COUNTS.add(3, ("here",)));
    let (text, request) = both(&store, &[]);
    assert!(text.contains("exemplars") && !text.contains("spanId") && !text.contains("traceId"), "{text}");
    let Data::Sum(sum) = data(&request, "json.sampled.counts") else { panic!("{request:?}") };
    let [exemplar] = &sum.data_points[0].exemplars[..] else { panic!("{sum:?}") };
    assert!(exemplar.trace_id.is_empty() && exemplar.span_id.is_empty() && exemplar.time_unix_nano > 0);
}

#[test]
fn exemplars_come_with_trace_and_span_in_every_kind_of_point_that_has_them() {
    let store = Store::new();
    store.take_exemplars(|| Some(SpanContext::new([0xab; 16], [0x01; 8])));
    store.scope(|| {
        SAMPLED.record(0.5);
        SAMPLED.record(20.0);
        SAMPLED_COUNTS.add(3, ("here",));
        SAMPLED_WIDTHS.record(8.0);
    });
    let (text, request) = both(&store, &[]);
    assert!(text.contains(r#""spanId":"0101010101010101","traceId":"abababababababababababababababab""#));
    let exemplars = |name| match data(&request, name) {
        Data::Sum(sum) => sum.data_points[0].exemplars.clone(),
        Data::Histogram(histogram) => histogram.data_points[0].exemplars.clone(),
        Data::ExponentialHistogram(histogram) => histogram.data_points[0].exemplars.clone(),
        other => panic!("{other:?}"),
    };
    for (name, values) in
        [("json.sampled", &[0.5, 20.0][..]), ("json.sampled.counts", &[3.0]), ("json.sampled.widths", &[8.0])]
    {
        let exemplars = exemplars(name);
        let told: Vec<_> = exemplars
            .iter()
            .map(|exemplar| match exemplar.value {
                Some(opentelemetry_proto::tonic::metrics::v1::exemplar::Value::AsDouble(value)) => value,
                other => panic!("{other:?}"),
            })
            .collect();
        assert_eq!(told, values, "{name}");
        for exemplar in exemplars {
            assert_eq!((&exemplar.trace_id[..], &exemplar.span_id[..]), (&[0xab; 16][..], &[1; 8][..]));
            assert!(exemplar.time_unix_nano > 0 && exemplar.filtered_attributes.is_empty());
        }
    }
}

#[test]
fn requests_in_json_are_no_longer_than_their_limit_and_complete() {
    let store = Store::new();
    store.scope(|| {
        for number in 0..300 {
            NAMED.set(f64::from(number), (&format!("{number}"),));
        }
        SETTLE.record(0.5, ("buy",));
    });
    for limit in [300, 1000, 5000] {
        let mut message = OtlpMessage::with_options(&[], json());
        let requests = message.requests(&store, limit);
        let mut points = 0;
        for request in requests {
            assert!(request.body().len() <= limit);
            let decoded: ExportMetricsServiceRequest = serde_json::from_slice(request.body()).unwrap();
            assert_eq!(sorted_points(&decoded) as u64, request.points());
            points += request.points();
        }
        assert_eq!(points + message.left_out(), 301, "at most {limit} bytes");
    }
}

fn sorted_points(request: &ExportMetricsServiceRequest) -> usize {
    super::random::sorted(metrics_of(request)).values().map(Vec::len).sum()
}
