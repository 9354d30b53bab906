//! Claims about files of other applications.

use super::*;

fn from(mapping: Mapping, name: &str, text: &str) -> Result<Config, ConfigError> {
    bare().mapping(mapping).text(name, text).build()
}

fn error(mapping: Mapping, name: &str, text: &str) -> String {
    from(mapping, name, text).unwrap_err().to_string()
}

#[test]
fn an_operator_of_the_mailroom_pushes_with_a_token() {
    let text = "listener = '[::]:8080'\n[telemetry]\nendpoint = 'http://central:4318'\nauth_token = 's3cret'\n\
                operator_domain = 'example.org'\n";
    let config = from(Mapping::payjoin(), "config.toml", text).unwrap();
    assert_eq!(names(&config), "otlp");
    assert_eq!(otlp(&config, "otlp").to_string(), "to http://central:4318/v1/metrics every 60s");
    assert_eq!(headers(&config, "otlp"), [("authorization", "Basic s3cret")]);
    assert_eq!(attribute(&config, "operator.domain"), "example.org");
    assert_eq!(config.warnings(), [""; 0]);
}

#[test]
fn the_mailroom_without_telemetry_exports_nothing_and_half_of_it_is_an_error() {
    let config = from(Mapping::payjoin(), "config.toml", "listener = '[::]:8080'\n").unwrap();
    assert_eq!(names(&config), "");
    assert_eq!(
        error(
            Mapping::payjoin(),
            "config.toml",
            "[telemetry]\nendpoint = 'http://central:4318'\nauth_tokn = 's3cret'\n"
        ),
        "config.toml:3: telemetry.auth_tokn: is not a key that is known here; did you mean \"auth_token\"?\n\
         config.toml:1: telemetry.auth_token: is missing; its table needs it\n\
         config.toml:1: telemetry.operator_domain: is missing; its table needs it"
    );
    assert_eq!(
        error(
            Mapping::payjoin(),
            "config.toml",
            "[telemetry]\nendpoint = 'central'\nauth_token = \"s3cret\\n\"\noperator_domain = 1.5\n"
        ),
        "config.toml:3: telemetry.auth_token: the header \"authorization\" has a value (not shown) that no header can carry: its \
         character number 13 is not printable ASCII; check for a line break at its end\n\
         config.toml:2: telemetry.endpoint: \"central\" has no scheme; write http://central or https://central"
    );
}

#[test]
fn a_table_whose_name_has_a_slip_is_pointed_out() {
    let config = from(Mapping::payjoin(), "config.toml", "[telemetri]\nendpoint = 'x'\n").unwrap();
    assert_eq!(
        config.warnings(),
        ["config.toml:1: telemetri: there is no table \"telemetry\" in this file; is it meant by this one?"]
    );
}

#[test]
fn osapi_serves_a_page_if_it_is_told_to() {
    let cases = [
        ("[controller.api]\nport = 8080\n", ""),
        ("[telemetry.metrics]\n", ""),
        ("[telemetry.metrics]\nenabled = false\npath = '/m'\n", ""),
        ("[telemetry.metrics]\nenabled = true\n", "prometheus on http://0.0.0.0:9090/metrics"),
        (
            "[telemetry.metrics]\nenabled = true\npath = '/m'\nport = 9091\n",
            "prometheus on http://0.0.0.0:9091/m",
        ),
        ("[telemetry.tracing]\nenabled = true\n", ""),
    ];
    for (text, expected) in cases {
        let config = from(Mapping::osapi(), "osapi.toml", text).unwrap();
        let shown = config.exporter("prometheus").map(ToString::to_string).unwrap_or_default();
        assert_eq!(shown, expected, "{text}");
    }
    let text = "[telemetry.metrics]\nenabled = 'yes'\nport = 'http'\npaht = '/m'\n";
    assert_eq!(
        error(Mapping::osapi(), "osapi.toml", text),
        "osapi.toml:4: telemetry.metrics.paht: is not a key that is known here; did you mean \"path\"?\n\
         osapi.toml:3: telemetry.metrics.port: expected an integer such as 9090, found a string\n\
         osapi.toml:2: telemetry.metrics.enabled: expected true or false, found a string"
    );
}

#[test]
fn a_mapping_can_be_changed_and_its_length_of_time_is_what_it_says() {
    let mapping = Mapping::osapi().without_effect("telemetry.metrics.port", "the page is behind the proxy");
    let config = from(mapping, "osapi.toml", "[telemetry.metrics]\nenabled = true\nport = 1\n").unwrap();
    assert_eq!(prometheus(&config, "prometheus").listen(), "0.0.0.0:9090");
    assert_eq!(
        config.warnings(),
        ["osapi.toml:3: telemetry.metrics.port: has no effect: the page is behind the proxy"]
    );
    let mapping = Mapping::new()
        .convert("m.every", "exporters.otlp.interval", Conversion::Duration)
        .convert("m.off", "exporters.otlp.enabled", Conversion::Opposite)
        .key("m.type", "exporters.otlp.type");
    for (every, expected) in [("90", "90s"), ("'1m 30s'", "90s"), ("0.25", "250ms"), ("'60s'", "60s")] {
        let config =
            from(mapping.clone(), "a.toml", &format!("[m]\nevery = {every}\noff = false\n")).unwrap();
        assert!(otlp(&config, "otlp").to_string().ends_with(&format!("every {expected}")), "{every}");
    }
    assert_eq!(names(&from(mapping.clone(), "a.toml", "[m]\nevery = 1\noff = true\n").unwrap()), "");
    let error = error(mapping, "a.toml", "[m]\nevery = 0\ntype = 'prometheus'\n");
    assert!(error.starts_with("a.toml:2: m.every: "), "{error}");
}

#[cfg(feature = "yaml")]
mod gateway {
    use super::*;
    use crate::view::{Aggregation, LabelRule, Rule};

    const ROUTER: &str = r#"
upstreams: {accounts: "http://127.0.0.1:4101"}
telemetry:
  exporters:
    metrics:
      common:
        service_name: router
        resource: {environment.name: test}
        views:
          - {name: "http.client.*", aggregation: drop}
          - {name: gateway.operations, description: All of them}
          - name: acme.cost
            rename: acme.query.cost
            unit: "{cost}"
            aggregation: {histogram: {buckets: [1, 5, 10]}}
          - {name: http.server.request.duration, allowed_attribute_keys: [http.response.status_code]}
          - {name: acme.by_path, cardinality_limit: 100}
          - {name: "gateway.*", aggregation: default}
        buckets: [0.1, 1, 10]
        cardinality_limit: 2000
      prometheus: {enabled: true, listen: "127.0.0.1:9090", path: /metrics, resource_selector: none}
      otlp:
        enabled: true
        endpoint: "http://127.0.0.1:4318"
        protocol: http
        temporality: delta
        http: {headers: {authorization: "Bearer ${env.TOKEN}"}}
        batch_processor: {scheduled_delay: 1s, max_export_timeout: 5s, max_queue_size: 10}
    tracing: {propagation: {jaeger: true}}
  instrumentation:
    spans: {mode: spec_compliant, router: {attributes: {acme.user: "${env.NOT_SET}"}}}
"#;

    fn with(variables: Given<'_>, text: &str) -> Result<Config, ConfigError> {
        given(variables).mapping(Mapping::gateway()).text("router.yaml", text).build()
    }

    #[test]
    fn the_gateways_keys_are_all_there() {
        let config = with(&[("TOKEN", "s3cret")], ROUTER).unwrap();
        assert_eq!(names(&config), "otlp prometheus");
        let pushed = otlp(&config, "otlp");
        assert_eq!(pushed.to_string(), "to http://127.0.0.1:4318/v1/metrics every 1s with delta values");
        assert_eq!(pushed.timeout(), Some(Duration::from_secs(5)));
        assert_eq!(headers(&config, "otlp"), [("authorization", "Bearer s3cret")]);
        let page = prometheus(&config, "prometheus");
        assert_eq!(page.to_string(), "on http://127.0.0.1:9090/metrics");
        assert_eq!(attribute(&config, "service.name"), "router");
        assert_eq!(attribute(&config, "environment.name"), "test");
        assert_eq!(
            config.warnings(),
            [
                "router.yaml:28: telemetry.exporters.metrics.otlp.batch_processor.max_queue_size: has no effect: metrics wait in the \
              store, not in a queue"
            ]
        );
        for projection in [pushed.projection(), page.projection()] {
            assert_eq!(projection.rule, Rule::Layered);
            assert_eq!(projection.limit, Some(2_000));
            let views: Vec<_> = projection.views.iter().collect();
            let selected: Vec<_> =
                views.iter().map(|view| view.selector.name.as_ref().unwrap().as_str()).collect();
            let all =
                ["*", "http.client.*", "gateway.operations", "acme.cost", "http.server.request.duration"];
            assert_eq!(selected, [&all[..], &["acme.by_path", "gateway.*"]].concat());
            assert_eq!(views[0].aggregation, Some(Aggregation::Buckets(vec![0.1, 1.0, 10.0])));
            assert_eq!(views[1].aggregation, Some(Aggregation::Drop));
            assert_eq!(views[2].description.as_deref(), Some("All of them"));
            assert_eq!(
                (views[3].name.as_deref(), views[3].unit.as_deref()),
                (Some("acme.query.cost"), Some("{cost}"))
            );
            assert_eq!(views[3].aggregation, Some(Aggregation::Buckets(vec![1.0, 5.0, 10.0])));
            assert!(matches!(&views[4].labels[..], [LabelRule::Keep(keys)] if keys.len() == 1));
            assert_eq!(views[5].limit, Some(100));
            assert_eq!(views[6].aggregation, Some(Aggregation::Default));
        }
    }

    #[test]
    fn exporters_of_the_gateway_are_off_unless_they_are_switched_on() {
        let config = with(
            &[],
            "telemetry: {exporters: {metrics: {prometheus: {listen: 'x:1'}, otlp: {endpoint: default}}}}",
        )
        .unwrap();
        assert_eq!(names(&config), "");
        assert_eq!(names(&with(&[], "supergraph: {listen: 'x:1'}\n").unwrap()), "");
        let text = "telemetry: {exporters: {metrics: {prometheus: {enabled: true}, otlp: {enabled: true, endpoint: default, protocol: http}}}}";
        let config = with(&[], text).unwrap();
        assert_eq!(prometheus(&config, "prometheus").to_string(), "on http://127.0.0.1:9090/metrics");
        assert_eq!(otlp(&config, "otlp").to_string(), "to http://localhost:4318/v1/metrics every 5s");
        assert_eq!(otlp(&config, "otlp").timeout(), Some(Duration::from_secs(30)));
    }

    #[test]
    fn an_endpoint_of_the_gateway_with_a_path_is_used_as_it_is() {
        let cases = [
            ("collector:4318", "http://collector:4318/v1/metrics"),
            ("http://collector", "http://collector:80/v1/metrics"),
            ("http://collector:1/custom", "http://collector:1/custom"),
            ("http://collector:1/v1/metrics", "http://collector:1/v1/metrics"),
        ];
        for (endpoint, expected) in cases {
            let text = format!(
                "telemetry: {{exporters: {{metrics: {{otlp: {{enabled: true, endpoint: '{endpoint}', protocol: http}}}}}}}}"
            );
            let config = with(&[], &text).unwrap();
            let shown = otlp(&config, "otlp").endpoint().to_string();
            assert!(shown == expected || shown == expected.replace(":80/", "/"), "{endpoint}: {shown}");
        }
    }

    #[test]
    fn a_broken_file_of_the_gateway_is_told_by_its_own_keys() {
        let cases = [
            (
                "path: /metrics",
                "pth: /metrics",
                "21: telemetry.exporters.metrics.prometheus.pth: is not a key that is known here; did you mean \"path\"?",
            ),
            (
                "aggregation: drop",
                "aggregation: dorp",
                "10: telemetry.exporters.metrics.common.views[0].aggregation: expected \"default\" or \"drop\", found \"dorp\"; did you mean \"drop\"?",
            ),
            (
                "aggregation: drop",
                "aggregation: histgram",
                "10: telemetry.exporters.metrics.common.views[0].aggregation: expected \"default\", \"drop\" or \"histogram\" with its buckets, found \"histgram\"; did you mean \"histogram\"?",
            ),
            (
                "aggregation: {histogram: {buckets: [1, 5, 10]}}",
                "aggregation: {histgram: {buckets: [1]}}",
                "15: telemetry.exporters.metrics.common.views[2].aggregation.histgram: is not a key that is known here; did you mean \"histogram\"?",
            ),
            (
                "buckets: [0.1, 1, 10]",
                "buckets: [0.1, 10, 1]",
                "19: telemetry.exporters.metrics.common.buckets: has the bound 1 behind 10; write bounds in increasing order, each once",
            ),
            (
                "protocol: http",
                "protocol: htp",
                "25: telemetry.exporters.metrics.otlp.protocol: expected \"grpc\" or \"http\", found \"htp\"; did you mean \"http\"?",
            ),
            (
                "scheduled_delay: 1s",
                "scheduled_delay: soon",
                "28: telemetry.exporters.metrics.otlp.batch_processor.scheduled_delay: \"soon\" is not a length of time; write a number of seconds, or a text such as \"1s\", \"250ms\" or \"1m 30s\"",
            ),
            (
                "${env.TOKEN}",
                "${env.NONE}",
                "27: telemetry.exporters.metrics.otlp.http.headers.authorization: refers to the variable NONE, which is not set; set it, or write ${env:NONE:-default}",
            ),
            (
                "- {name: acme.by_path,",
                "- {",
                "17: telemetry.exporters.metrics.common.views[4].name: is missing; its table needs it",
            ),
        ];
        for (from, to, expected) in cases {
            assert!(ROUTER.contains(from));
            let error = with(&[("TOKEN", "s3cret")], &ROUTER.replacen(from, to, 1)).unwrap_err().to_string();
            assert_eq!(error, format!("router.yaml:{expected}"), "{to}");
        }
    }

    #[test]
    fn a_pem_file_of_the_gateway_is_named_by_its_path_or_by_a_reference() {
        if !has::TLS {
            return;
        }
        let folder = std::env::temp_dir().join(format!("metercast-mapping-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let ca = folder.join("ca.pem");
        std::fs::write(&ca, "-----BEGIN CERTIFICATE-----\n").unwrap();
        let text = |value: &str| {
            format!("telemetry: {{exporters: {{metrics: {{otlp: {{endpoint: 'https://c:1', protocol: http, grpc: {{ca: \"{value}\"}}}}}}}}}}")
                .replace("otlp: {", "otlp: {enabled: true, ")
        };
        let path = ca.to_str().unwrap();
        for value in [path.to_owned(), format!("${{file.{path}}}")] {
            let config = with(&[], &text(&value)).unwrap();
            assert_eq!(otlp(&config, "otlp").tls().ca(), Some(ca.as_path()), "{value}");
        }
        let error =
            with(&[("PEM", "-----BEGIN CERTIFICATE-----")], &text("${env.PEM}")).unwrap_err().to_string();
        assert_eq!(
            error.lines().next().unwrap(),
            "router.yaml:1: telemetry.exporters.metrics.otlp.grpc.ca: has the content of a PEM file; write the path of the file"
        );
        std::fs::remove_dir_all(&folder).unwrap();
    }
}

#[test]
fn variables_with_the_prefix_are_keys_of_the_other_application_and_win_over_its_file() {
    let variables = [
        ("PJ_TELEMETRY__AUTH_TOKEN", "s3cret"),
        ("PJ_TELEMETRY__ENDPOINT", "http://central:1"),
        ("PJ_LISTENER", "x"),
    ];
    let builder = given(&variables).mapping(Mapping::payjoin()).env_prefix("PJ_TELEMETRY");
    assert_eq!(
        builder.clone().build().unwrap_err().to_string(),
        "PJ_TELEMETRY__OPERATOR_DOMAIN: is missing; its table needs it"
    );
    let file = "[telemetry]\nendpoint = 'http://file:1'\noperator_domain = 'example.org'\n";
    let config = builder.clone().text("config.toml", file).build().unwrap();
    assert_eq!(otlp(&config, "otlp").to_string(), "to http://central:1/v1/metrics every 60s");
    assert_eq!(headers(&config, "otlp"), [("authorization", "Basic s3cret")]);
    assert_eq!(attribute(&config, "operator.domain"), "example.org");

    let variables = [("X__METRICS__ENABLED", "true"), ("X__METRICS__PORT", "9999"), ("X__METRICS__PATH", "")];
    let builder = given(&variables).mapping(Mapping::osapi()).env_prefix("X");
    assert_eq!(
        prometheus(&builder.build().unwrap(), "prometheus").to_string(),
        "on http://0.0.0.0:9999/metrics"
    );
    let variables = [("X__METRICS__ENABLED", "maybe"), ("X__METRICS__PROT", "1")];
    let error = given(&variables).mapping(Mapping::osapi()).env_prefix("X").build().unwrap_err().to_string();
    assert_eq!(
        error,
        "X__METRICS__PROT: is no key that a variable can say; did you mean \"X__METRICS__PORT\"?\n\
         X__METRICS__ENABLED: expected true or false, found \"maybe\""
    );
}
