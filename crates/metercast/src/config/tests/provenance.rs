//! Who says what holds.

use super::*;
use crate::config::exporter::Kind;
use crate::config::keys::{self, Key, Takes};

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
        .text("a.toml", FILE)
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

/// The lines that give this key the value of its example, with what it needs beside it.
fn example(kind: Kind, key: &Key) -> Vec<String> {
    let name = key.name;
    let table = |keys: &[Key]| {
        let inner: Vec<_> = keys.iter().map(|key| format!("{} = {}", key.name, key.example)).collect();
        format!("{name} = {{ {} }}", inner.join(", "))
    };
    let lines = match key.takes {
        Takes::OneOf(keys) => {
            keys.iter().map(|key| format!("{name}.{} = {}", key.name, key.example)).collect()
        }
        Takes::Table(keys) => vec![table(keys)],
        _ if name == "enabled" => vec!["enabled = true".to_owned()],
        _ => vec![format!("{name} = {}", key.example)],
    };
    let beside = |line: &str| match kind {
        _ if name == "type" => "",
        Kind::Otlp if name == "dataset" => "preset = 'honeycomb'\nauth.token = 't'\n",
        Kind::Otlp if line.contains("auth.token") => "preset = 'honeycomb'\ndataset = 'd'\n",
        Kind::Otlp if name == "preset" => "endpoint = 'http://h'\n",
        Kind::Otlp if name == "tls" => "endpoint = 'https://h'\n",
        Kind::Pushgateway if name == "tls" => "url = 'https://h'\njob = 'j'\n",
        Kind::Pushgateway if name == "url" => "job = 'j'\n",
        Kind::Pushgateway if name == "job" => "url = 'http://h'\n",
        Kind::Pushgateway => "url = 'http://h'\njob = 'j'\n",
        _ => "",
    };
    lines.iter().map(|line| format!("{}{line}\n", beside(line))).collect()
}

#[test]
fn every_key_of_the_table_that_has_a_value_is_listed() {
    for kind in Kind::ALL {
        for key in keys::of_kind(kind).iter().flat_map(|table| table.iter()).filter(|key| key.name != "type")
        {
            for lines in example(kind, key) {
                let text = format!("[telemetry.exporters.it]\ntype = '{}'\n{lines}", kind.name());
                let config = bare().text("a.toml", &text).build();
                let config = config.unwrap_or_else(|error| panic!("{error}\n{text}"));
                let last = lines.lines().count() + 2;
                let path = format!("telemetry.exporters.it.{}", key.name);
                let listed = config.sources().settings().iter().filter(|setting| {
                    let behind = setting.key().strip_prefix(&path);
                    behind.is_some_and(|behind| behind.is_empty() || behind.starts_with(['.', '[']))
                });
                let listed: Vec<_> = listed.collect();
                assert!(!listed.is_empty(), "{text}");
                let file = Source::File("a.toml".to_owned(), last);
                assert!(listed.iter().all(|setting| *setting.source() == file), "{text} {listed:?}");
            }
        }
    }
}

#[test]
fn every_default_of_the_table_is_listed() {
    for kind in Kind::ALL {
        let needed = if kind == Kind::Pushgateway { "url = 'http://h'\njob = 'j'\n" } else { "" };
        let text = format!("[telemetry.exporters.it]\ntype = '{}'\n{needed}", kind.name());
        let config = bare().text("a.toml", &text).build().unwrap();
        let of_kind = keys::of_kind(kind).iter().flat_map(|table| table.iter());
        let all = keys::TELEMETRY.iter().map(|key| (format!("telemetry.{}", key.name), key));
        let all = all.chain(of_kind.map(|key| (format!("telemetry.exporters.it.{}", key.name), key)));
        // An empty list is nothing.
        for (path, key) in all.filter(|(_, key)| !["", "[]"].contains(&key.default)) {
            let setting = config.sources().get(&path).unwrap_or_else(|| panic!("{path}"));
            let default = key.default.trim_matches('"');
            // The rest of the URL has been added to it.
            assert!(
                setting.value() == default
                    || (key.name == "endpoint" && setting.value().starts_with(default)),
                "{setting:?}, not {default}"
            );
        }
    }
}

#[test]
fn one_secret_has_one_key_whoever_gives_it() {
    let variables = [("SHOP__EXPORTERS__IT__AUTH__BEARER", "t"), ("SHOP__EXPORTERS__IT__TYPE", "otlp")];
    let in_file = |text: &str| bare().text("a.toml", &format!("[telemetry.exporters.it]\n{text}"));
    let builders = [
        given(&variables).env_prefix("SHOP"),
        in_file("type = 'otlp'\nauth.bearer = 't'"),
        in_file("type = 'otlp'\nauth.bearer = '${env:NOPE:-t}'"),
        in_file("type = 'pushgateway'\nurl = 'http://h'\njob = 'j'\nauth.bearer = 't'"),
        in_file("type = 'prometheus'\nauth.bearer = 't'"),
        bare().exporter("it", Otlp::to("http://h").bearer("t")),
    ];
    for builder in builders {
        let config = builder.build().unwrap();
        assert!(config.sources().get("telemetry.exporters.it.auth.bearer").is_some(), "{}", config.sources());
    }
}

#[test]
fn a_view_is_listed_as_it_is_written() {
    let view =
        "{ name = \"a\", kind = \"up_down_counter\", rename_labels = { \"a\" = \"b\", \"c\" = \"d\" } }";
    let config = bare().text("a.toml", &format!("[telemetry]\nviews = [{view}]\n")).build().unwrap();
    assert_eq!(config.sources().get("telemetry.exporters.prometheus.views[0]").unwrap().value(), view);
}

#[test]
fn an_exporter_that_is_switched_off_is_listed_as_that() {
    let text = "[telemetry.exporters.it]\ntype = 'otlp'\nenabled = false\n";
    let config = bare().text("a.toml", text).build().unwrap();
    let of_it = config.sources().settings().iter().filter(|setting| setting.key().contains(".it."));
    let of_it: Vec<_> = of_it.map(|setting| (setting.key(), setting.value())).collect();
    assert_eq!(of_it, [("telemetry.exporters.it.enabled", "false")]);
}

#[test]
fn a_url_has_a_remark_of_what_was_made_of_it() {
    let remark = |variables: &[(&str, &str)], exporter: Otlp| {
        let config = given(variables).exporter("one", exporter.env(true)).build().unwrap();
        let setting = config.sources().get("telemetry.exporters.one.endpoint").unwrap();
        setting.remark().map(str::to_owned)
    };
    let exact = [("OTEL_EXPORTER_OTLP_METRICS_ENDPOINT", "http://h:1/as/it/is")];
    assert_eq!(remark(&[], Otlp::to("http://h:1/base/")).as_deref(), Some("/v1/metrics was added"));
    assert_eq!(remark(&[], Otlp::to("http://h:1/v1/metrics")), None);
    assert_eq!(remark(&exact, Otlp::default()).as_deref(), Some("used as it is"));
    let mimir = Otlp::to("http://h:1").preset(crate::config::Preset::Mimir);
    assert_eq!(remark(&[], mimir).as_deref(), Some("/otlp/v1/metrics was added"));
    assert_eq!(remark(&[], Otlp::default()), None, "it is the default");
}
