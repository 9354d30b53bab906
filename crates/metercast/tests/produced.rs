//! Metrics that producers say, as exporters let them out.
#![cfg(feature = "otlp")]

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex};

use metercast::config::TemporalityPreference;
use metercast::reading::Exponential;
use metercast::view::{Projection, View};
use metercast::{
    Format, Kind, Log, OtlpEncoding, OtlpMessage, OtlpOptions, PageFormat, Produced, PrometheusPage,
    PrometheusType, Store, metrics,
};
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::metrics::v1::{Metric, metric::Data};
use prost::Message;

metrics! {
    /// Ours.
    static OURS: Histogram<f64> = "produced.ours" { buckets: [1.0] };
}

fn delta(projection: Projection) -> OtlpMessage {
    let mut options = OtlpOptions::default();
    options.temporality = TemporalityPreference::Delta;
    OtlpMessage::with_projection(&[], options, projection)
}

fn metrics_of(body: &[u8]) -> Vec<Metric> {
    let request = ExportMetricsServiceRequest::decode(body).unwrap();
    let scopes = request.resource_metrics.into_iter().flat_map(|resource| resource.scope_metrics);
    scopes.flat_map(|scope| scope.metrics).collect()
}

#[test]
fn deltas_of_exponential_histograms_add_up_when_these_get_coarser_and_begin_anew() {
    let store = Store::new();
    let said = Arc::new(Mutex::new(Exponential::default()));
    let of_producer = Arc::clone(&said);
    let _producer = store.produce("exponential", move |producer| {
        let widths = Produced::new("produced.widths", Kind::Histogram);
        producer.family(&widths).series(&[]).exponential(&of_producer.lock().unwrap());
    });
    let of = |scale: i32, offset: i32, counts: &[u64], zero: u64| {
        let mut exponential = Exponential::default();
        (exponential.scale, exponential.zero_count) = (scale, zero);
        (exponential.positive.offset, exponential.positive.counts) = (offset, counts.to_vec());
        exponential.sum = counts.iter().sum::<u64>() as f64;
        exponential
    };
    let mut message = delta(Projection::new());
    let (mut count, mut sum) = (0, 0.0);
    for (now, expected) in [
        (of(2, 0, &[1, 2], 0), 3),
        (of(2, 0, &[1, 2], 0), 3),
        (of(2, -1, &[4, 1, 5], 2), 12),
        // Two buckets become one.
        (of(1, -1, &[4, 8], 2), 14),
        // It began anew.
        (of(1, 0, &[1], 0), 15),
        (of(1, 0, &[3], 0), 17),
    ] {
        *said.lock().unwrap() = now;
        for request in message.requests(&store, usize::MAX) {
            let Some(Data::ExponentialHistogram(data)) = &metrics_of(request.body())[0].data else {
                panic!()
            };
            assert_eq!(data.aggregation_temporality, 1);
            count += data.data_points[0].count;
            sum += data.data_points[0].sum.unwrap();
            message.delivered(request);
        }
        assert_eq!(count, expected);
    }
    // What is in the zero bucket adds nothing.
    assert_eq!(sum, 15.0);
}

#[test]
fn readers_that_change_their_temporality_and_views_lose_nothing_of_what_is_said() {
    let store = Store::new();
    let total = Arc::new(AtomicU64::new(0));
    let of_producer = Arc::clone(&total);
    let _producer = store.produce("totals", move |producer| {
        let now = of_producer.load(Relaxed);
        let jobs = Produced::prometheus("jobs_total", PrometheusType::Counter);
        let mut jobs = producer.family(&jobs);
        jobs.series(&[("kind", "a".into())]).set(now as f64);
        jobs.series(&[("kind", "b".into())]).set(2.0 * now as f64);
        let times = Produced::prometheus("times", PrometheusType::Histogram);
        let mut times = producer.family(&times);
        times.series(&[("kind", "a".into())]).histogram(&[1.0, 2.0], &[now, 0, now], now as f64);
        times.series(&[("kind", "b".into())]).histogram(&[1.0, 2.0], &[now, now, 0], now as f64);
    });
    let view = View::of("*").drop_labels(["kind"]);
    let mut message = delta(Projection::new().view(view));
    let (mut jobs, mut counts) = (0.0, [0; 3]);
    for now in [3, 3, 10, 11, 40] {
        total.store(now, Relaxed);
        // Refused first.
        drop(message.requests(&store, usize::MAX));
        for request in message.requests(&store, usize::MAX) {
            for metric in metrics_of(request.body()) {
                match metric.data.unwrap() {
                    Data::Sum(sum) => {
                        assert_eq!(sum.data_points.len(), 1);
                        let value = sum.data_points[0].value.unwrap();
                        let opentelemetry_proto::tonic::metrics::v1::number_data_point::Value::AsDouble(came) =
                            value
                        else {
                            panic!("{value:?}")
                        };
                        jobs += came;
                    }
                    Data::Histogram(histogram) => {
                        let came = &histogram.data_points[0].bucket_counts;
                        counts.iter_mut().zip(came).for_each(|(to, count)| *to += count);
                    }
                    other => panic!("{other:?}"),
                }
            }
            message.delivered(request);
        }
        assert_eq!((jobs, counts), (3.0 * now as f64, [2 * now, now, now]));
    }
}

#[test]
fn every_format_has_them() {
    let store = Store::new();
    store.scope(|| OURS.record(0.5));
    let _producer = store.produce("all", |producer| {
        let info = Produced::prometheus("build_info", PrometheusType::Info);
        producer.family(&info).series(&[("version", "1".into())]).set(1.0);
        let unknown = Produced::prometheus("whatever", PrometheusType::Unknown);
        producer.family(&unknown).series(&[]).set(f64::INFINITY);
        let wait =
            Produced::prometheus("wait_seconds", PrometheusType::Summary).unit("s").description("Waits");
        producer.family(&wait).series(&[]).summary(2, 0.5, &[(0.5, f64::NAN)]);
        let plain = Produced::new("plain.size", Kind::Histogram).unit("By");
        producer.family(&plain).series(&[]).histogram(&[-1.0, 1.0], &[1, 2, 3], -4.0);
    });
    let page = |format| {
        let format = PageFormat { format, ..PageFormat::default() };
        PrometheusPage::new("own", Log::default()).render_as(&store, format)
    };
    assert_eq!(
        page(Format::OpenMetrics1).lines().collect::<Vec<_>>(),
        [
            "# TYPE build info",
            r#"build_info{version="1"} 1"#,
            "# TYPE plain_size_bytes histogram",
            "# UNIT plain_size_bytes bytes",
            r#"plain_size_bytes_bucket{le="-1.0"} 1"#,
            r#"plain_size_bytes_bucket{le="1.0"} 3"#,
            r#"plain_size_bytes_bucket{le="+Inf"} 6"#,
            "# TYPE produced_ours histogram",
            "# HELP produced_ours Ours.",
            r#"produced_ours_bucket{le="1.0"} 1"#,
            r#"produced_ours_bucket{le="+Inf"} 1"#,
            "produced_ours_sum 0.5",
            "produced_ours_count 1",
            "# TYPE wait_seconds summary",
            "# UNIT wait_seconds seconds",
            "# HELP wait_seconds Waits",
            r#"wait_seconds{quantile="0.5"} NaN"#,
            "wait_seconds_sum 0.5",
            "wait_seconds_count 2",
            "# TYPE whatever unknown",
            "whatever +Inf",
            "# EOF",
        ]
    );
    assert!(page(Format::Text0).contains("# TYPE whatever untyped\n"));
    let mut protobuf = Vec::new();
    let format = PageFormat { format: Format::Protobuf, ..PageFormat::default() };
    PrometheusPage::new("own", Log::default())
        .write_as(&store, format, &mut |chunk| protobuf.extend_from_slice(chunk));
    assert!(protobuf.windows(b"wait_seconds".len()).any(|part| part == b"wait_seconds"));

    let mut options = OtlpOptions::default();
    options.encoding = OtlpEncoding::Json;
    let mut body = Vec::new();
    OtlpMessage::with_options(&[], options).encode(&store, &mut body);
    // Their own parser reads it.
    let request: ExportMetricsServiceRequest = serde_json::from_slice(&body).unwrap();
    let scopes = request.resource_metrics.into_iter().flat_map(|resource| resource.scope_metrics);
    let metadata: Vec<String> = scopes
        .flat_map(|scope| scope.metrics)
        .filter_map(|metric| {
            Some(format!("{} {:?}", metric.name, metric.metadata.first()?.value.as_ref()?.value))
        })
        .collect();
    assert_eq!(
        metadata,
        [
            r#"build_info Some(StringValue("info"))"#,
            r#"wait_seconds Some(StringValue("summary"))"#,
            r#"whatever Some(StringValue("unknown"))"#
        ]
    );
}
