//! What each preset makes of a URL and a key, and what it refuses.

use super::*;

/// A configuration with one exporter, which a file describes in these lines.
fn from_file(lines: &str) -> Result<Config, ConfigError> {
    bare().text("a.toml", &format!("[telemetry.exporters.main]\ntype = 'otlp'\n{lines}\n")).build()
}

/// What is in the way of building it, without its place in the file; https is not always there.
fn problems(lines: &str) -> Vec<String> {
    let Err(error) = from_file(lines) else { return Vec::new() };
    error
        .problems()
        .iter()
        .filter(|problem| {
            !problem.message().contains("needs TLS") && !problem.message().contains("needs gRPC")
        })
        .map(|problem| {
            format!(
                "{}: {}",
                problem.key().trim_start_matches("telemetry.exporters.main."),
                problem.message()
            )
        })
        .collect()
}

#[test]
fn each_preset_fixes_path_values_compression_and_headers() {
    const BASIC: &str = "auth = { basic = { user = 'u', password = 'p' } }";
    const TOKEN: &str = "auth = { token = 'k' }";
    type Preset<'a> = (&'a str, String, &'a str, &'a [(&'a str, &'a str)]);
    let cases: [Preset<'_>; 11] = [
        ("grafana-cloud", BASIC.into(), "/otlp/v1/metrics every 60s", &[("authorization", "Basic dTpw")]),
        (
            "mimir",
            "headers = { 'X-Scope-OrgID' = 't' }".into(),
            "/otlp/v1/metrics every 60s",
            &[("x-scope-orgid", "t")],
        ),
        ("mimir", BASIC.into(), "/otlp/v1/metrics every 60s", &[("authorization", "Basic dTpw")]),
        ("prometheus", String::new(), "/api/v1/otlp/v1/metrics every 60s", &[]),
        ("victoriametrics", String::new(), "/opentelemetry/v1/metrics every 60s", &[]),
        ("datadog", TOKEN.into(), "/v1/metrics every 60s with delta values", &[("dd-api-key", "k")]),
        (
            "axiom",
            format!("{TOKEN}\ndataset = 'd'"),
            "/v1/metrics every 60s",
            &[("authorization", "Bearer k"), ("x-axiom-metrics-dataset", "d")],
        ),
        (
            "dynatrace",
            TOKEN.into(),
            "/api/v2/otlp/v1/metrics every 60s with delta values",
            &[("authorization", "Api-Token k")],
        ),
        ("new-relic", TOKEN.into(), "/v1/metrics every 60s with delta values", &[("api-key", "k")]),
        ("honeycomb", TOKEN.into(), "/v1/metrics every 60s", &[("x-honeycomb-team", "k")]),
        (
            "honeycomb",
            format!("{TOKEN}\ndataset = 'd'\ntemporality = 'delta'\nprotocol = 'http/json'"),
            "/v1/metrics every 60s as http/json with delta values",
            &[("x-honeycomb-team", "k"), ("x-honeycomb-dataset", "d")],
        ),
    ];
    for (preset, lines, expected, expected_headers) in cases {
        let config =
            from_file(&format!("preset = '{preset}'\nendpoint = 'http://h:1'\n{lines}")).expect(preset);
        let shown = config.exporter("main").unwrap().to_string();
        assert_eq!(shown, format!("otlp to http://h:1{expected}"), "{preset}");
        assert_eq!(headers(&config, "main"), expected_headers, "{preset}");
        assert_eq!(otlp(&config, "main").compression(), Compression::Gzip, "{preset}");
    }
}

#[test]
fn a_preset_knows_its_endpoint_or_asks_for_it() {
    let known = [
        ("mimir", "http://localhost:8080/otlp/v1/metrics"),
        ("prometheus", "http://localhost:9090/api/v1/otlp/v1/metrics"),
        ("victoriametrics", "http://localhost:8428/opentelemetry/v1/metrics"),
    ];
    for (preset, url) in known {
        let config = from_file(&format!("preset = '{preset}'")).unwrap();
        assert_eq!(otlp(&config, "main").endpoint().to_string(), url);
    }
    let hosted = [
        ("datadog", "otlp.datadoghq.com"),
        ("axiom", "us-east-1.aws.edge.axiom.co"),
        ("new-relic", "otlp.nr-data.net"),
        ("honeycomb", "api.honeycomb.io"),
    ];
    for (preset, host) in hosted {
        let dataset = if preset == "axiom" { "dataset = 'd'" } else { "" };
        match from_file(&format!("preset = '{preset}'\nauth = {{ token = 'k' }}\n{dataset}")) {
            Ok(config) => assert_eq!(otlp(&config, "main").endpoint().host(), host),
            Err(error) => assert!(!has::TLS && error.to_string().contains(host), "{error}"),
        }
    }
    let asks = problems("preset = 'dynatrace'\nauth = { token = 'k' }");
    assert_eq!(
        asks,
        ["endpoint: is missing; every account of dynatrace has its own, such as https://HOST/api/v2/otlp"]
    );
}

#[test]
fn a_url_may_have_the_path_already_and_what_stands_in_front_of_it() {
    let cases = [
        ("http://h/otlp", "http://h/otlp/v1/metrics"),
        ("http://h/otlp/", "http://h/otlp/v1/metrics"),
        ("http://h/otlp/v1/metrics", "http://h/otlp/v1/metrics"),
        ("http://h/in/front/otlp", "http://h/in/front/otlp/v1/metrics"),
        ("http://h/", "http://h/otlp/v1/metrics"),
        ("unix:///run/mimir.sock", "unix:///run/mimir.sock:/otlp/v1/metrics"),
    ];
    for (given, expected) in cases {
        let config = from_file(&format!("preset = 'mimir'\nendpoint = '{given}'")).unwrap();
        assert_eq!(otlp(&config, "main").endpoint().to_string(), expected);
    }
    let exact = given(&[("OTEL_EXPORTER_OTLP_METRICS_ENDPOINT", "http://h")])
        .exporter("otlp", Otlp::default().preset(Preset::Prometheus))
        .build()
        .unwrap();
    assert_eq!(otlp(&exact, "otlp").endpoint().path(), "/api/v1/otlp/v1/metrics");
}

#[test]
fn a_wrong_combination_is_an_error_with_its_mend() {
    let cases = [
        (
            "preset = 'datadog'\nauth = { token = 's3cret' }\ntemporality = 'cumulative'",
            "temporality: \"cumulative\" is nothing that datadog takes; write \"delta\" or leave it out",
        ),
        (
            "preset = 'datadog'\nauth = { token = 's3cret' }\ntemporality = 'lowmemory'",
            "temporality: \"lowmemory\" is nothing that datadog takes; write \"delta\" or leave it out",
        ),
        (
            "preset = 'prometheus'\ntemporality = 'delta'",
            "temporality: \"delta\" is nothing that prometheus takes; write \"cumulative\" or leave it out",
        ),
        (
            "preset = 'victoriametrics'\nprotocol = 'http/json'",
            "protocol: \"http/json\" is nothing that victoriametrics takes; write \"http/protobuf\" or leave it out",
        ),
        (
            "preset = 'axiom'\nauth = { token = 's3cret' }\ndataset = 'd'\nprotocol = 'http/json'",
            "protocol: \"http/json\" is nothing that axiom takes; write \"http/protobuf\" or leave it out",
        ),
        (
            "preset = 'prometheus'\nprotocol = 'grpc'",
            "protocol: \"grpc\" is nothing that prometheus takes; write \"http/protobuf\" or leave it out",
        ),
        (
            "preset = 'prometheus'\nendpoint = 'http://h/metrics'",
            "endpoint: has the path \"/metrics\", where prometheus has \"/api/v1/otlp\"; write that, or leave the path out",
        ),
        (
            "preset = 'datadog'",
            "auth: is not what datadog asks for: a key in the header \"dd-api-key\"; write { token = \"key\" }",
        ),
        (
            "preset = 'datadog'\nauth = { bearer = 's3cret' }",
            "auth: is not what datadog asks for: a key in the header \"dd-api-key\"; write { token = \"key\" }",
        ),
        (
            "preset = 'dynatrace'\nendpoint = 'http://h'\nauth = { bearer = 's3cret' }",
            "auth: is not what dynatrace asks for: a token behind \"Api-Token\"; write { token = \"token\" }",
        ),
        (
            "preset = 'grafana-cloud'\nendpoint = 'http://h'\nauth = { token = 's3cret' }",
            "auth.token: is not what grafana-cloud asks for: the number of the stack and a token; write { basic = { user = \
             \"123456\", password = \"token\" } }",
        ),
        (
            "preset = 'mimir'\nauth = { token = 's3cret' }",
            "auth.token: is nothing that mimir has a header for; write { bearer = \"token\" } or { basic = { user = \"name\", \
             password = \"word\" } }, as whoever stands in front of it wants it",
        ),
        (
            "preset = 'axiom'\nauth = { token = 's3cret' }",
            "dataset: is missing; axiom asks for the name of a dataset for metrics",
        ),
        ("preset = 'mimir'\ndataset = 'd'", "dataset: is nothing that mimir has; leave it out"),
        (
            "auth = { token = 's3cret' }",
            "auth.token: is sent as the preset says, and there is none; name one, or write { bearer = \"token\" }",
        ),
        ("dataset = 'd'", "dataset: is sent as the preset says, and there is none; name one"),
        (
            "preset = 'grafana'",
            "preset: expected \"grafana-cloud\", \"mimir\", \"prometheus\", \"victoriametrics\", \"datadog\", \"axiom\", \
             \"dynatrace\", \"new-relic\" or \"honeycomb\", found \"grafana\"",
        ),
    ];
    for (lines, message) in cases {
        assert_eq!(problems(lines), [message], "{lines}");
    }
}

#[test]
fn what_is_said_of_a_key_above_replaces_what_is_said_below() {
    let file = "[telemetry.exporters.otlp]\npreset = 'honeycomb'\nendpoint = 'http://h'\nauth = { token = 'file' }\nenv = true\n";
    let key = |variables: Given<'_>| {
        let config = given(variables).text("a.toml", file).build().unwrap();
        headers(&config, "otlp")
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect::<Vec<_>>()
            .join(" ")
    };
    assert_eq!(key(&[]), "x-honeycomb-team=file");
    assert_eq!(
        key(&[("OTEL_EXPORTER_OTLP_HEADERS", "x-honeycomb-team=variable")]),
        "x-honeycomb-team=variable"
    );
}

#[test]
fn a_receiver_that_takes_little_gets_little_at_once() {
    let limit = |lines: &str| {
        let lines = format!("endpoint = 'http://h'\nauth = {{ token = 'k' }}\n{lines}");
        otlp(&from_file(&lines).unwrap(), "main").request_limit()
    };
    assert_eq!(limit("preset = 'datadog'"), 5_000_000);
    assert_eq!(limit("preset = 'datadog'\ncompression = 'none'"), 500_000);
    assert_eq!(limit("preset = 'new-relic'"), 1_000_000);
    assert_eq!(limit("preset = 'honeycomb'"), 64 << 20);
}
