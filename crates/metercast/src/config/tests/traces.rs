//! Traces by file, by code and by variables of one's own. Those of OpenTelemetry are cases of `conformance/environment`.

use super::*;

const FILE: &str = r#"
[telemetry.traces]
endpoint = "http://collector:4318"
sampler = "traceidratio"
sampler_arg = 0.5
filter = "warn,shop=debug"
max_queue_size = 100
max_batch_size = 10
interval = "1s"
auth = { bearer = "s3cret" }
limits = { attributes = 5, value_length = 64 }
"#;

#[test]
fn a_file_says_everything_and_its_sources_are_known() {
    let config = bare().text("a.toml", FILE).build().unwrap();
    let traces = config.traces().unwrap();
    assert_eq!(traces.to_string(), "to http://collector:4318/v1/traces every 1s, traceidratio 0.5");
    assert_eq!((traces.max_queue_size(), traces.max_batch_size()), (100, 10));
    assert_eq!(traces.filter(), "warn,shop=debug");
    let limits = traces.limits();
    assert_eq!((limits.attributes, limits.events, limits.value_length), (5, 128, Some(64)));
    let source = |key| config.sources().get(key).map(|setting| setting.source().to_string());
    assert_eq!(source("telemetry.traces.sampler_arg").as_deref(), Some("a.toml:5"));
    assert_eq!(source("telemetry.traces.limits.events").as_deref(), Some("default"));
    assert_eq!(config.sources().get("telemetry.traces.auth.bearer").unwrap().value(), "***");
    assert!(config.sources().get("telemetry.traces.temporality").is_none(), "that is of metrics");
    assert!(!format!("{config:?}").contains("s3cret"));
}

#[test]
fn the_program_pins_variables_win_over_the_file_and_defaults_lie_below() {
    let defaults = Traces::new().protocol(Protocol::HttpJson).sampler(Sampler::AlwaysOff).filter("error");
    let variables = [
        ("OTEL_TRACES_SAMPLER".to_owned(), "always_on".to_owned()),
        ("OTEL_BSP_MAX_QUEUE_SIZE".to_owned(), "50".to_owned()),
        ("SHOP__TRACES__FILTER".to_owned(), "trace".to_owned()),
        ("SHOP__TRACES__LIMITS__LINKS".to_owned(), "3".to_owned()),
    ];
    let builder = Config::builder().variables(variables).env_prefix("SHOP").default_traces(defaults);
    assert_eq!(builder.clone().build().unwrap().traces(), None, "nobody says where to");
    let config = builder.clone().text("a.toml", FILE).build().unwrap();
    let traces = config.traces().unwrap();
    assert_eq!(traces.sampler(), Sampler::AlwaysOn);
    assert_eq!((traces.max_queue_size(), traces.filter(), traces.limits().links), (50, "trace", 3));
    assert_eq!(traces.otlp().protocol(), Protocol::HttpJson);
    let pinned = Traces::to("http://pinned:4318").sampler(Sampler::AlwaysOff);
    let config = builder.clone().text("a.toml", FILE).traces(pinned).build().unwrap();
    let shown = config.traces().unwrap().to_string();
    assert_eq!(shown, "to http://pinned:4318/v1/traces every 1s as http/json, always_off");
    let off = builder.text("a.toml", FILE).traces(Traces::new().enabled(false)).build().unwrap();
    assert_eq!(off.traces(), None);
}

#[test]
fn what_a_file_or_code_says_wrongly_is_an_error() {
    let wrong = |text: &str| {
        let text = format!("[telemetry.traces]\n{text}\nmax_batch_size = 1");
        bare().text("a.toml", &text).build().unwrap_err().to_string()
    };
    let at = "a.toml:2: telemetry.traces";
    let cases = [
        ("endpoint = 'collector:4318'", "endpoint: \"collector:4318\" has no scheme"),
        ("sampler_arg = 1.5\nsampler = 'traceidratio'", "sampler_arg: 1.5 is not a part of all"),
        ("max_queue_size = 0", "max_queue_size: 0 is not a number of spans"),
        ("temporality = 'delta'", "temporality: is not a key"),
        ("limits = { attributes = 4294967296 }", "limits.attributes: 4294967296 is more than anybody has"),
        ("sampler = 'sometimes'", "sampler: expected "),
    ];
    for (text, message) in cases {
        let found = wrong(text);
        assert!(found.starts_with(&format!("{at}.{message}")), "{found}");
    }
    let metrics = Otlp::to("http://h:4318").temporality(TemporalityPreference::Delta);
    let error = bare().traces(metrics).build().unwrap_err().to_string();
    assert_eq!(error, "telemetry.traces.temporality: is for metrics, and not for traces; leave it out");
}

#[test]
fn variables_that_are_for_traces_alone_change_nothing_about_metrics() {
    let variables = |lines: &str| -> Vec<(String, String)> {
        let split = lines.split_whitespace().map(|line| line.split_once('=').unwrap());
        split.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
    };
    let build = |lines: &str| {
        Config::builder().variables(variables(lines)).environment_for_traces_alone().build().unwrap()
    };
    let exporters = |config: &Config| {
        config.exporters().map(|(name, exporter)| format!("{name} {exporter}")).collect::<Vec<_>>()
    };
    let silent = build("");
    let all = "OTEL_METRICS_EXPORTER=otlp,console OTEL_EXPORTER_OTLP_METRICS_ENDPOINT=nonsense OTEL_EXPORTER_PROMETHEUS_PORT=1 \
               OTEL_METRICS_EXEMPLAR_FILTER=always_off OTEL_CONFIG_FILE=/nowhere OTEL_SERVICE_NAME=shop \
               OTEL_EXPORTER_OTLP_ENDPOINT=http://collector:4318";
    let config = build(all);
    assert_eq!(exporters(&config), exporters(&silent));
    assert_eq!(config.exemplars(), silent.exemplars());
    assert_eq!(config.resource().get("service.name"), Some(&"shop".into()));
    assert!(config.traces().is_some());
    let off = build("OTEL_SDK_DISABLED=true OTEL_EXPORTER_OTLP_ENDPOINT=http://collector:4318");
    assert!(off.is_enabled() && off.traces().is_none());
}
