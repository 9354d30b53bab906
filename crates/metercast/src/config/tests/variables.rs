//! Every environment variable, read and misread.

use super::*;

const OTLP: (&str, &str) = ("OTEL_METRICS_EXPORTER", "otlp");

/// The `otlp` exporter that these variables make, and what is warned of.
fn pushed(variables: Given<'_>) -> (OtlpConfig, Vec<String>) {
    let config = given(&[&[OTLP], variables].concat()).build().unwrap();
    (otlp(&config, "otlp").clone(), config.warnings().to_vec())
}

fn warnings(variables: Given<'_>) -> Vec<String> {
    given(variables).build().unwrap().warnings().to_vec()
}

fn error(variables: Given<'_>) -> String {
    given(variables).build().unwrap_err().to_string()
}

#[test]
fn only_true_disables() {
    for value in ["true", "TRUE", " True "] {
        assert!(!given(&[("OTEL_SDK_DISABLED", value)]).build().unwrap().is_enabled(), "{value}");
    }
    for value in ["false", "False", ""] {
        let config = given(&[("OTEL_SDK_DISABLED", value)]).build().unwrap();
        assert!(config.is_enabled() && config.warnings().is_empty(), "{value}");
    }
    for value in ["1", "yes"] {
        let config = given(&[("OTEL_SDK_DISABLED", value)]).build().unwrap();
        assert!(config.is_enabled(), "{value}");
        let warning =
            format!("OTEL_SDK_DISABLED: {value:?} is neither \"true\" nor \"false\"; it is ignored");
        assert_eq!(config.warnings(), [warning]);
    }
}

#[test]
fn disabled_telemetry_starts_whatever_else_is_wrong() {
    let wrong = [("OTEL_SDK_DISABLED", "true"), ("OTEL_EXPORTER_OTLP_ENDPOINT", "grafana:4318")];
    let config = given(&wrong).build().unwrap();
    assert!(!config.is_enabled());
    assert_eq!(
        config.warnings(),
        ["OTEL_EXPORTER_OTLP_ENDPOINT: \"grafana:4318\" has no scheme; \
          write http://grafana:4318 or https://grafana:4318"]
    );
}

#[test]
fn attributes_come_decoded_and_the_service_name_from_its_own_variable() {
    let config = given(&[
        ("OTEL_RESOURCE_ATTRIBUTES", " team = shop%2C%20eu ,service.name=loses,a%3Db=c=d,empty=,"),
        ("OTEL_SERVICE_NAME", "wins"),
    ])
    .build()
    .unwrap();
    let found = ["team", "service.name", "a=b", "empty"].map(|key| attribute(&config, key));
    assert_eq!(found, ["shop, eu", "wins", "c=d", ""]);
    assert!(config.resource().get("empty").is_some());
    let list = [("OTEL_RESOURCE_ATTRIBUTES", "service.name=listed"), ("OTEL_SERVICE_NAME", "")];
    assert_eq!(attribute(&given(&list).build().unwrap(), "service.name"), "listed");
}

#[test]
fn one_error_discards_all_attributes_of_the_variable() {
    let cases = [
        ("good=1,bad", "\"bad\" has no \"=\""),
        ("good=1,=x", "\"=x\" has no key before its \"=\""),
        (
            "good=1,bad=50%",
            "\"bad=50%\" has a % without two hexadecimal digits after it; write %25 for the character %",
        ),
        ("good=1,bad=%ff", "\"bad=%ff\" is not UTF-8 once it is decoded"),
    ];
    for (list, message) in cases {
        let config = given(&[("OTEL_RESOURCE_ATTRIBUTES", list)]).build().unwrap();
        assert_eq!(config.resource().get("good"), None, "{list}");
        let warning = format!("OTEL_RESOURCE_ATTRIBUTES: {message}; the whole variable is ignored");
        assert_eq!(config.warnings(), [warning]);
    }
}

#[test]
fn the_environment_cannot_pose_as_another_sdk() {
    let config =
        given(&[("OTEL_RESOURCE_ATTRIBUTES", "telemetry.sdk.name=other,team=shop")]).build().unwrap();
    assert_eq!(attribute(&config, "telemetry.sdk.name"), "metercast");
    assert_eq!(attribute(&config, "team"), "shop");
    assert_eq!(
        config.warnings(),
        ["OTEL_RESOURCE_ATTRIBUTES: telemetry.sdk.name describes metercast itself and cannot be set; it \
             is ignored"]
    );
    let pinned = bare().resource_attribute("telemetry.sdk.name", "mine").build().unwrap();
    assert_eq!(attribute(&pinned, "telemetry.sdk.name"), "mine");
}

#[test]
fn an_unknown_exporter_is_warned_of_and_the_known_ones_count() {
    let cases = [
        (
            "statsd,otlp",
            "\"statsd\" is not \"otlp\", \"prometheus\", \"console\" or \"none\"; it is ignored",
            "otlp",
        ),
        ("none,otlp", "\"none\" counts only alone; it is ignored", "otlp"),
    ];
    for (list, message, expected) in cases {
        let config = given(&[("OTEL_METRICS_EXPORTER", list)]).build().unwrap();
        assert_eq!(names(&config), expected, "{list}");
        assert_eq!(config.warnings(), [format!("OTEL_METRICS_EXPORTER: {message}")]);
    }
}

#[test]
fn the_endpoint_is_a_base_and_the_endpoint_for_metrics_is_taken_as_it_is() {
    let cases = [
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://h:4318", "http://h:4318/v1/metrics"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://h:4318/", "http://h:4318/v1/metrics"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://h/otlp/", "http://h/otlp/v1/metrics"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://h/v1/metrics", "http://h/v1/metrics"),
        ("OTEL_EXPORTER_OTLP_METRICS_ENDPOINT", "http://h:4318", "http://h:4318/"),
        ("OTEL_EXPORTER_OTLP_METRICS_ENDPOINT", "http://h/custom", "http://h/custom"),
    ];
    for (name, value, resolved) in cases {
        assert_eq!(pushed(&[(name, value)]).0.endpoint().to_string(), resolved, "{name}={value}");
    }
}

#[test]
fn the_variable_for_metrics_replaces_the_general_one() {
    let (otlp, warnings) = pushed(&[
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://general"),
        ("OTEL_EXPORTER_OTLP_METRICS_ENDPOINT", "http://metrics"),
        ("OTEL_EXPORTER_OTLP_HEADERS", "a=general,b=general"),
        ("OTEL_EXPORTER_OTLP_METRICS_HEADERS", "a=metrics"),
        ("OTEL_EXPORTER_OTLP_COMPRESSION", "none"),
        ("OTEL_EXPORTER_OTLP_METRICS_COMPRESSION", "GZIP"),
        ("OTEL_EXPORTER_OTLP_TIMEOUT", "1000"),
        ("OTEL_EXPORTER_OTLP_METRICS_TIMEOUT", "2000"),
        ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc"),
        ("OTEL_EXPORTER_OTLP_METRICS_PROTOCOL", "http/protobuf"),
    ]);
    assert_eq!(otlp.endpoint().to_string(), "http://metrics/");
    let headers: Vec<_> = otlp.headers().iter().map(|(name, value)| (name, value.expose())).collect();
    assert_eq!(headers, [("a", "metrics")]);
    assert_eq!(otlp.compression(), Compression::Gzip);
    assert_eq!(otlp.timeout(), Some(Duration::from_secs(2)));
    assert_eq!(warnings, [""; 0]);
}

#[test]
fn headers_are_decoded_and_may_have_equals_signs_in_their_values() {
    let (otlp, _) = pushed(&[("OTEL_EXPORTER_OTLP_HEADERS", "Authorization=Basic%20dTpw=,X-Dataset=a=b")]);
    let headers: Vec<_> = otlp.headers().iter().map(|(name, value)| (name, value.expose())).collect();
    assert_eq!(headers, [("authorization", "Basic dTpw="), ("x-dataset", "a=b")]);
}

#[test]
fn a_url_a_header_or_a_host_that_cannot_be_used_is_an_error() {
    let cases = [
        (
            [OTLP, ("OTEL_EXPORTER_OTLP_ENDPOINT", "grafana:4318")],
            "OTEL_EXPORTER_OTLP_ENDPOINT: \"grafana:4318\" has no scheme; \
             write http://grafana:4318 or https://grafana:4318",
        ),
        (
            [OTLP, ("OTEL_EXPORTER_OTLP_METRICS_ENDPOINT", "grpc://h:4317")],
            "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT: \"grpc://h:4317\" begins neither with http:// nor with \
             https://; \
             write one of them",
        ),
        (
            [OTLP, ("OTEL_EXPORTER_OTLP_METRICS_HEADERS", "s3cret")],
            "OTEL_EXPORTER_OTLP_METRICS_HEADERS: entry 1 (not shown) has no \"=\"; write \
             name=value,name2=value2",
        ),
        (
            [("OTEL_METRICS_EXPORTER", "prometheus"), ("OTEL_EXPORTER_PROMETHEUS_HOST", "http://h")],
            "OTEL_EXPORTER_PROMETHEUS_HOST: \"http://h\" is not a host; write a name or an IP address, \
             for example 127.0.0.1",
        ),
    ];
    for (variables, message) in cases {
        assert_eq!(error(&variables), message);
    }
}

#[test]
fn a_bad_number_is_warned_of_and_what_would_have_counted_counts() {
    let bad = |name, value| pushed(&[(name, value)]).1;
    for value in ["abc", "-1", "1.5", "+5", "5s", "99999999999999999999"] {
        assert_eq!(
            bad("OTEL_METRIC_EXPORT_INTERVAL", value),
            [format!(
                "OTEL_METRIC_EXPORT_INTERVAL: {value:?} is not a number of milliseconds; using the default, \
                 60000"
            )]
        );
    }
    assert_eq!(
        bad("OTEL_METRIC_EXPORT_INTERVAL", "0"),
        ["OTEL_METRIC_EXPORT_INTERVAL: 0 is too short for an interval; using the default, 60000"]
    );
    assert_eq!(
        bad("OTEL_METRIC_EXPORT_INTERVAL", "99999999999"),
        ["OTEL_METRIC_EXPORT_INTERVAL: \"99999999999\" is longer than a year; using the default, 60000"]
    );
    for name in
        ["OTEL_EXPORTER_OTLP_TIMEOUT", "OTEL_EXPORTER_OTLP_METRICS_TIMEOUT", "OTEL_METRIC_EXPORT_TIMEOUT"]
    {
        let warning = format!("{name}: \"x\" is not a number of milliseconds; using the default, 10000");
        assert_eq!(bad(name, "x"), [warning]);
    }
    let (otlp, warnings) =
        pushed(&[("OTEL_EXPORTER_OTLP_TIMEOUT", "5000"), ("OTEL_EXPORTER_OTLP_METRICS_TIMEOUT", "x")]);
    assert_eq!(otlp.timeout(), Some(Duration::from_secs(5)));
    assert_eq!(
        warnings,
        ["OTEL_EXPORTER_OTLP_METRICS_TIMEOUT: \"x\" is not a number of milliseconds; using 5000"]
    );
}

#[test]
fn a_bad_number_leaves_what_the_program_said() {
    let config = given(&[("OTEL_METRIC_EXPORT_INTERVAL", "x")])
        .default_exporter("otlp", Otlp::default().interval(Duration::from_secs(7)))
        .build()
        .unwrap();
    assert_eq!(otlp(&config, "otlp").interval(), Duration::from_secs(7));
    assert_eq!(
        config.warnings(),
        ["OTEL_METRIC_EXPORT_INTERVAL: \"x\" is not a number of milliseconds; using 7000"]
    );
}

#[test]
fn the_shorter_of_the_two_timeouts_bounds_a_push_and_nought_is_no_limit() {
    let cases: [(Given<'_>, Option<u64>); 9] = [
        (&[], Some(10_000)),
        (&[("OTEL_EXPORTER_OTLP_TIMEOUT", "60000")], Some(60_000)),
        (&[("OTEL_EXPORTER_OTLP_TIMEOUT", "0")], None),
        (&[("OTEL_METRIC_EXPORT_TIMEOUT", "3000")], Some(3_000)),
        (&[("OTEL_METRIC_EXPORT_TIMEOUT", "30000")], Some(10_000)),
        (&[("OTEL_METRIC_EXPORT_TIMEOUT", "0")], Some(10_000)),
        (&[("OTEL_EXPORTER_OTLP_TIMEOUT", "2000"), ("OTEL_METRIC_EXPORT_TIMEOUT", "3000")], Some(2_000)),
        (&[("OTEL_EXPORTER_OTLP_TIMEOUT", "0"), ("OTEL_METRIC_EXPORT_TIMEOUT", "3000")], Some(3_000)),
        (&[("OTEL_EXPORTER_OTLP_TIMEOUT", "0"), ("OTEL_METRIC_EXPORT_TIMEOUT", "0")], None),
    ];
    for (variables, milliseconds) in cases {
        assert_eq!(pushed(variables).0.timeout(), milliseconds.map(Duration::from_millis), "{variables:?}");
    }
}

#[test]
fn the_interval_is_in_milliseconds() {
    assert_eq!(pushed(&[("OTEL_METRIC_EXPORT_INTERVAL", "1500")]).0.interval(), Duration::from_millis(1500));
}

#[test]
fn a_word_that_is_unknown_is_warned_of_and_ignored() {
    let cases = [
        ("OTEL_EXPORTER_OTLP_PROTOCOL", "udp", "\"http/protobuf\", \"http/json\" or \"grpc\""),
        ("OTEL_EXPORTER_OTLP_METRICS_PROTOCOL", "http", "\"http/protobuf\", \"http/json\" or \"grpc\""),
        ("OTEL_EXPORTER_OTLP_COMPRESSION", "lz4", "\"gzip\", \"zstd\" or \"none\""),
        (
            "OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE",
            "low_memory",
            "\"cumulative\", \"delta\" or \"lowmemory\"",
        ),
        (
            "OTEL_EXPORTER_OTLP_METRICS_DEFAULT_HISTOGRAM_AGGREGATION",
            "exponential",
            "\"explicit_bucket_histogram\" or \"base2_exponential_bucket_histogram\"",
        ),
    ];
    let without = pushed(&[]).0;
    for (name, value, known) in cases {
        let (otlp, warnings) = pushed(&[(name, value)]);
        assert_eq!(otlp, without, "{name}");
        assert_eq!(warnings, [format!("{name}: {value:?} is not {known}; it is ignored")]);
    }
}

#[test]
fn host_and_port_shape_the_page() {
    let host = |value| ("OTEL_EXPORTER_PROMETHEUS_HOST", value);
    let port = |value| ("OTEL_EXPORTER_PROMETHEUS_PORT", value);
    let cases: [(Given<'_>, &str); 6] = [
        (&[host("0.0.0.0")], "0.0.0.0:9464"),
        (&[port("9100")], "127.0.0.1:9100"),
        (&[host("localhost"), port("9100")], "localhost:9100"),
        (&[host("::"), port("0")], "[::]:0"),
        (&[host("[::1]")], "[::1]:9464"),
        (&[host(""), port("")], "127.0.0.1:9464"),
    ];
    for (variables, listen) in cases {
        assert_eq!(
            prometheus(&given(variables).build().unwrap(), "prometheus").listen(),
            listen,
            "{variables:?}"
        );
    }
    assert_eq!(
        warnings(&[port("99999")]),
        ["OTEL_EXPORTER_PROMETHEUS_PORT: \"99999\" is not a port; using the default, 9464"]
    );
}

#[test]
fn one_bad_variable_that_shapes_two_exporters_is_warned_of_once() {
    let config = given(&[("OTEL_METRIC_EXPORT_INTERVAL", "x")])
        .exporter("a", Otlp::default().env(true))
        .exporter("b", Otlp::default().env(true))
        .build()
        .unwrap();
    assert_eq!(config.warnings().len(), 1);
}
