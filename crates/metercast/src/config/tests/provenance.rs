//! Who says what holds.

use super::*;

const FILE: &str = "[telemetry]\nself_metrics = false\nviews = [{ name = 'a.*', kind = 'gauge', gauges = 'sum' }]\n\
                    [telemetry.resource]\n'service.name' = 'file'\n\
                    [telemetry.exporters.otlp]\nendpoint = 'http://file:1'\nenv = true\ninterval = '2s'\n\
                    auth = { bearer = '${env:TOKEN}' }\nheaders = { x = 's3cret' }\ninclude = ['a', '${env:PATTERN}']\n";

fn config() -> Config {
    let variables = [
        ("TOKEN", "s3cret"),
        ("PATTERN", "s3cret.*"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://variable:1?key=s3cret"),
        ("OTEL_SERVICE_NAME", "variable"),
        ("SHOP__EXPORTERS__OTLP__TIMEOUT", "7s"),
    ];
    given(&variables)
        .env_prefix("SHOP")
        .service("program", "1")
        .default_exporter("otlp", Otlp::to("http://default:1").timeout(Duration::from_secs(1)))
        .exporter("page", Prometheus::listen("127.0.0.1:1"))
        .on_sigterm(OnSigterm::Exit)
        .toml("a.toml", FILE)
        .build()
        .unwrap()
}

#[test]
fn every_value_says_who_gave_it_and_over_whom() {
    let config = config();
    let file = |line| Source::File("a.toml".to_owned(), line);
    let variable = |name: &str| Source::Variable(name.to_owned());
    let cases = [
        ("telemetry.enabled", "true", Source::Default, vec![]),
        ("telemetry.on_sigterm", "exit", Source::Pinned, vec![]),
        ("telemetry.self_metrics", "false", file(2), vec![]),
        (
            "telemetry.resource.\"service.name\"",
            "variable",
            variable("OTEL_SERVICE_NAME"),
            vec![file(5), Source::Program],
        ),
        ("telemetry.resource.\"service.version\"", "1", Source::Program, vec![]),
        ("telemetry.resource.\"telemetry.sdk.name\"", "metercast", Source::Default, vec![]),
        ("telemetry.exporters.otlp.type", "otlp", Source::Program, vec![]),
        (
            "telemetry.exporters.otlp.endpoint",
            "http://variable:1/v1/metrics?***",
            variable("OTEL_EXPORTER_OTLP_ENDPOINT"),
            vec![file(7), Source::Program],
        ),
        ("telemetry.exporters.otlp.interval", "2s", file(9), vec![]),
        (
            "telemetry.exporters.otlp.timeout",
            "7s",
            variable("SHOP__EXPORTERS__OTLP__TIMEOUT"),
            vec![Source::Program],
        ),
        ("telemetry.exporters.otlp.protocol", "http/protobuf", Source::Default, vec![]),
        ("telemetry.exporters.otlp.auth.bearer", "${env:TOKEN}", file(10), vec![]),
        ("telemetry.exporters.otlp.headers.x", "***", file(11), vec![]),
        ("telemetry.exporters.otlp.include", "[\"a\", \"${env:PATTERN}\"]", file(12), vec![]),
        (
            "telemetry.exporters.otlp.views[0]",
            "{ name = \"a.*\", kind = \"gauge\", gauges = \"sum\" }",
            file(3),
            vec![],
        ),
        ("telemetry.exporters.page.listen", "127.0.0.1:1", Source::Pinned, vec![]),
        ("telemetry.exporters.page.path", "/metrics", Source::Default, vec![]),
    ];
    for (key, value, source, overruled) in cases {
        let setting = config.sources().get(key).unwrap_or_else(|| panic!("{key}"));
        assert_eq!(
            (setting.value(), setting.source(), setting.overruled()),
            (value, &source, &*overruled),
            "{key}"
        );
    }
    assert!(config.sources().get("telemetry.exporters.otlp.proxy").is_none());
    assert!(!format!("{:?} {}", config.sources(), config.sources()).contains("s3cret"));
}

#[test]
fn no_key_is_listed_twice() {
    let config = config();
    let mut keys: Vec<&str> = config.sources().settings().iter().map(Setting::key).collect();
    let all = keys.len();
    keys.sort_unstable();
    keys.dedup();
    assert_eq!(keys.len(), all);
}

#[test]
fn a_listing_has_a_line_for_each_value_in_columns() {
    let text = config().sources().to_string();
    let line = |key: &str| text.lines().find(|line| line.starts_with(key)).unwrap().to_owned();
    let endpoint = line("telemetry.exporters.otlp.endpoint");
    assert_eq!(
        endpoint.split_whitespace().collect::<Vec<_>>().join(" "),
        "telemetry.exporters.otlp.endpoint http://variable:1/v1/metrics?*** OTEL_EXPORTER_OTLP_ENDPOINT, over \
         a.toml:7, the program's default"
    );
    let column = |key| line(key).find("  default");
    assert_eq!(column("telemetry.enabled"), column("telemetry.exporters.page.path"));
}

#[test]
fn what_a_preset_decides_is_said_to_be_its_doing() {
    let config = Otlp::to("http://h:1").preset(Preset::Datadog).token("s3cret");
    let config = bare().exporter("it", config).exporter("near", Otlp::default().preset(Preset::Mimir));
    let config = config.build().unwrap();
    let source = |key: &str| {
        let setting = config.sources().get(&format!("telemetry.exporters.it.{key}")).unwrap();
        (setting.value().to_owned(), setting.source().clone())
    };
    assert_eq!(source("temporality"), ("delta".to_owned(), Source::Preset));
    assert_eq!(source("compression"), ("gzip".to_owned(), Source::Preset));
    let near = config.sources().get("telemetry.exporters.near.endpoint").unwrap();
    assert_eq!(*near.source(), Source::Preset);
    assert_eq!(source("auth.token"), ("***".to_owned(), Source::Pinned));
}
