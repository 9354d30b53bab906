//! Claims about a whole configuration: who wins, who exists, what is said about a bad one.

#[cfg(feature = "yaml")]
mod declarative;
#[cfg(feature = "config")]
mod environment;
mod exporters;
#[cfg(feature = "config")]
mod folder;
#[cfg(feature = "config")]
mod includes;
mod listener;
#[cfg(feature = "config")]
mod mapping;
#[cfg(feature = "config")]
mod messages;
mod precedence;
#[cfg(feature = "config")]
mod prefixed;
#[cfg(feature = "config")]
mod presets;
mod projection;
#[cfg(feature = "config")]
mod provenance;
#[cfg(feature = "config")]
mod pushgateway;
#[cfg(feature = "config")]
mod references;
#[cfg(feature = "config")]
mod schema;
#[cfg(feature = "config")]
mod secrets;
#[cfg(feature = "config")]
mod sources;
#[cfg(feature = "config")]
mod tls_files;
#[cfg(feature = "config")]
mod traces;
#[cfg(feature = "config")]
mod validator;
mod variables;
#[cfg(feature = "config")]
mod views;
#[cfg(feature = "config")]
mod yaml;

use std::time::Duration;

use super::*;

/// Variables by name.
type Given<'a> = &'a [(&'a str, &'a str)];

/// A builder that sees these variables and none of the process.
fn given(variables: Given<'_>) -> ConfigBuilder {
    Config::builder()
        .variables(variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())))
}

/// A builder that sees no variables.
fn bare() -> ConfigBuilder {
    given(&[])
}

/// The names of the exporters, in one string.
fn names(config: &Config) -> String {
    config.exporters().map(|(name, _)| name).collect::<Vec<_>>().join(" ")
}

fn otlp<'a>(config: &'a Config, name: &str) -> &'a OtlpConfig {
    match config.exporter(name) {
        Some(ExporterConfig::Otlp(otlp)) => otlp,
        other => panic!("{name} is not an otlp exporter but {other:?}"),
    }
}

fn prometheus<'a>(config: &'a Config, name: &str) -> &'a PrometheusConfig {
    match config.exporter(name) {
        Some(ExporterConfig::Prometheus(prometheus)) => prometheus,
        other => panic!("{name} is not a prometheus exporter but {other:?}"),
    }
}

/// Names and values of all headers, secrets included.
fn headers<'a>(config: &'a Config, name: &str) -> Vec<(&'a str, &'a str)> {
    otlp(config, name).headers().iter().map(|(name, value)| (name, value.expose())).collect()
}

fn attribute(config: &Config, key: &str) -> String {
    config.resource().get(key).map(ToString::to_string).unwrap_or_default()
}

#[test]
fn without_configuration_there_is_a_page_on_loopback_and_nothing_else() {
    let config = bare().build().unwrap();
    assert!(config.is_enabled());
    assert_eq!(names(&config), "prometheus");
    assert_eq!(prometheus(&config, "prometheus").listen(), "127.0.0.1:9464");
    assert_eq!(prometheus(&config, "prometheus").path(), "/metrics");
    assert_eq!(config.shutdown_timeout(), Duration::from_secs(5));
    assert_eq!(config.on_sigterm(), OnSigterm::Auto);
    assert_eq!(config.warnings(), [""; 0]);
}

#[test]
fn an_otlp_exporter_has_the_defaults_of_the_specification() {
    let config = bare().exporter("otlp", Otlp::default()).build().unwrap();
    let otlp = otlp(&config, "otlp");
    assert_eq!(otlp.endpoint().to_string(), "http://localhost:4318/v1/metrics");
    assert_eq!(otlp.interval(), Duration::from_secs(60));
    assert_eq!(otlp.timeout(), Some(Duration::from_secs(10)));
    assert_eq!(otlp.compression(), Compression::None);
    assert_eq!(headers(&config, "otlp"), []);
}

#[test]
fn a_process_describes_itself() {
    let config = bare().build().unwrap();
    assert!(attribute(&config, "service.name").starts_with("unknown_service:"));
    assert_eq!(attribute(&config, "service.instance.id").len(), 36);
    assert_eq!(attribute(&config, "telemetry.sdk.name"), "metercast");
    assert_eq!(attribute(&config, "telemetry.sdk.language"), "rust");
    assert_eq!(attribute(&config, "telemetry.sdk.version"), env!("CARGO_PKG_VERSION"));
    assert_eq!(config.resource().get("service.version"), None);
    let again = bare().build().unwrap();
    assert_eq!(attribute(&config, "service.instance.id"), attribute(&again, "service.instance.id"));
}

#[test]
fn the_settings_of_code_arrive() {
    let config = bare()
        .exporter(
            "central",
            Otlp::to("http://h:4318")
                .basic("u", "p")
                .header("X-Scope", "a")
                .interval(Duration::from_millis(1500))
                .timeout(Duration::ZERO)
                .compression(Compression::Gzip),
        )
        .exporter("page", Prometheus::listen("[::1]:0").path("/m"))
        .shutdown_timeout(Duration::from_secs(1))
        .on_sigterm(OnSigterm::Ignore)
        .resource_attribute("replicas", 3)
        .build()
        .unwrap();
    assert_eq!(
        config.exporter("central").unwrap().to_string(),
        "otlp to http://h:4318/v1/metrics every 1500ms"
    );
    assert_eq!(otlp(&config, "central").timeout(), None);
    assert_eq!(otlp(&config, "central").compression(), Compression::Gzip);
    assert_eq!(headers(&config, "central"), [("x-scope", "a"), ("authorization", "Basic dTpw")]);
    assert_eq!(config.exporter("page").unwrap().to_string(), "prometheus on http://[::1]:0/m");
    assert_eq!(config.shutdown_timeout(), Duration::from_secs(1));
    assert_eq!(config.on_sigterm(), OnSigterm::Ignore);
    assert_eq!(config.resource().get("replicas"), Some(&metercast_core::Value::I64(3)));
}

#[test]
fn no_secret_prints_from_a_builder_a_configuration_or_an_error() {
    let builder = given(&[
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://h:1?key=s3cret"),
        ("OTEL_EXPORTER_OTLP_HEADERS", "authorization=s3cret"),
    ])
    .exporter("a", Otlp::to("http://h:2").bearer("s3cret").header("x", "s3cret"))
    .exporter("b", Otlp::to("http://h:3").basic("s3cret", "s3cret").proxy("http://s3cret:s3cret@proxy"))
    .exporter("c", Otlp::to("http://h:4").preset(Preset::Honeycomb).token("s3cret").dataset("s3cret"));
    let bad = builder.clone().exporter(
        "d",
        Otlp::to("http://s3cret:s3cret@h").bearer("s3cret\n").header("x y s3cret", "s3cret\n"),
    );
    let config = builder.clone().build().unwrap();
    assert_eq!(names(&config), "a b c otlp");
    let error = bad.clone().build().unwrap_err();
    assert_eq!(error.problems().len(), 3);
    for text in
        [format!("{builder:?}"), format!("{bad:?}"), format!("{config:?}"), format!("{error} {error:?}")]
    {
        assert!(!text.contains("s3cret"), "{text}");
    }
}

#[cfg(feature = "config")]
mod files {
    use super::*;

    /// A file of this test alone.
    fn path(name: &str) -> std::path::PathBuf {
        std::env::temp_dir().join(format!("metercast-config-{}-{name}.toml", std::process::id()))
    }

    #[test]
    fn every_key_of_a_file_arrives() {
        let config = bare()
            .text(
                "metercast.toml",
                r#"
                [telemetry]
                enabled = false
                shutdown_timeout = "250ms"
                on_sigterm = "flush"
                self_metrics = false
                exemplars = "always_off"

                [telemetry.resource]
                "service.name" = "orders"
                team = "shop"
                canary = true
                replicas = 3
                weight = 0.5
                deployment.environment.name = "prod"

                [telemetry.exporters.prometheus]
                listen = "0.0.0.0:9100"
                path = "/internal"

                [telemetry.exporters.central]
                type = "otlp"
                endpoint = "http://collector:4318/otlp"
                interval = "5m"
                timeout = "0s"
                compression = "gzip"
                protocol = "http/json"
                proxy = "http://proxy:3128"
                temporality = "lowmemory"
                histograms = "exponential"
                auth = { bearer = "t" }
                headers = { "X-Scope" = "a" }
                env = false

                [telemetry.exporters.second]
                type = "otlp"
                auth = { basic = { user = "u", password = "p" } }

                [telemetry.exporters.printed]
                type = "stdout"
                interval = "1s"

                [telemetry.exporters.off]
                type = "prometheus"
                enabled = false

                [database]
                url = "none of our business"
                "#,
            )
            .build()
            .unwrap();
        assert!(!config.is_enabled());
        assert_eq!(config.shutdown_timeout(), Duration::from_millis(250));
        assert_eq!(config.on_sigterm(), OnSigterm::Flush);
        let attributes =
            ["service.name", "team", "canary", "replicas", "weight", "deployment.environment.name"]
                .map(|key| attribute(&config, key));
        assert_eq!(attributes, ["orders", "shop", "true", "3", "0.5", "prod"]);
        assert!(!config.self_metrics());
        assert_eq!(config.exemplars(), ExemplarFilter::AlwaysOff);
        assert_eq!(names(&config), "central printed prometheus second");
        assert_eq!(config.exporter("printed").unwrap().to_string(), "stdout every 1s");
        assert_eq!(
            config.exporter("prometheus").unwrap().to_string(),
            "prometheus on http://0.0.0.0:9100/internal"
        );
        let central = otlp(&config, "central");
        assert_eq!(central.endpoint().to_string(), "http://collector:4318/otlp/v1/metrics");
        assert_eq!(central.interval(), Duration::from_secs(300));
        assert_eq!(central.timeout(), None);
        assert_eq!(central.compression(), Compression::Gzip);
        assert_eq!(central.protocol(), Protocol::HttpJson);
        assert_eq!(central.proxy().unwrap().to_string(), "http://proxy:3128");
        assert_eq!(central.temporality(), TemporalityPreference::LowMemory);
        assert_eq!(central.histograms(), HistogramAggregation::Exponential);
        assert_eq!(headers(&config, "central"), [("x-scope", "a"), ("authorization", "Bearer t")]);
        assert_eq!(headers(&config, "second"), [("authorization", "Basic dTpw")]);
        assert_eq!(config.warnings(), [""; 0]);
    }

    #[test]
    fn an_empty_file_and_one_without_our_table_say_nothing() {
        for text in ["", "[database]\nurl = 1\n", "[telemetry]\n", "\u{feff}[telemetry]\n"] {
            let config = bare().text("a.toml", text).build().unwrap();
            assert_eq!(names(&config), "prometheus", "{text}");
            assert_eq!(config.warnings(), [""; 0], "{text}");
        }
    }

    #[test]
    fn a_table_that_is_nearly_ours_is_pointed_out() {
        let config = bare().text("a.toml", "\n[telemtry]\nenabled = false\n").build().unwrap();
        assert!(config.is_enabled());
        assert_eq!(
            config.warnings(),
            ["a.toml:2: telemtry: there is no table \"telemetry\" in this file; is it meant by this one?"]
        );
    }

    #[test]
    fn our_tables_outside_of_ours_are_pointed_out() {
        use crate::dynamic::{Stage, Stages};

        let stages = Stages::new([Stage::new("router")]);
        let says = |key: &str, line: usize| {
            format!(
                "a.toml:{line}: {key}: there is no table \"telemetry\" in this file, so this one does nothing here; write \
                 telemetry.{key} if it is for metercast"
            )
        };
        let text = "[instruments.router]\n[exporters.prometheus]\n[traces]\n";
        let warnings =
            |text: &str| bare().stages(&stages).text("a.toml", text).build().unwrap().warnings().to_vec();
        assert_eq!(warnings(text), [says("instruments", 1), says("exporters", 2), says("traces", 3)]);
        assert_eq!(warnings("exporters = ['x']\ntraces = true"), [""; 0], "no tables");
        assert_eq!(warnings(&format!("[telemetry]\n{text}")), [""; 0], "those of the application");
        let without = bare().text("a.toml", "[instruments.piano]\n").build().unwrap();
        assert_eq!(without.warnings(), [""; 0], "this program has no stages");
    }

    #[test]
    fn a_file_is_read_from_its_path() {
        let path = path("read");
        std::fs::write(&path, "[telemetry]\non_sigterm = 'exit'\n").unwrap();
        let required = bare().file(&path).build().map(|config| config.on_sigterm());
        let optional = bare().file_if_exists(&path).build().map(|config| config.on_sigterm());
        std::fs::remove_file(&path).unwrap();
        assert_eq!((required.unwrap(), optional.unwrap()), (OnSigterm::Exit, OnSigterm::Exit));
    }

    #[test]
    fn a_missing_file_is_an_error_unless_it_may_be_missing() {
        use std::error::Error;

        let path = path("missing");
        assert_eq!(names(&bare().file_if_exists(&path).build().unwrap()), "prometheus");
        let error = bare().file(&path).build().unwrap_err();
        assert_eq!(
            error.to_string(),
            format!("{}: cannot be read: {}; create it", path.display(), std::fs::read(&path).unwrap_err())
        );
        let cause = error.source().unwrap().downcast_ref::<std::io::Error>().unwrap();
        assert_eq!(cause.kind(), std::io::ErrorKind::NotFound);
        let error = bare().file("").build().unwrap_err();
        assert_eq!(error.to_string(), "\"\": is no path of a file; write one, or name no file");
    }

    #[test]
    fn a_file_that_cannot_be_read_is_an_error_even_if_it_may_be_missing() {
        let folder = std::env::temp_dir();
        let error = bare().file_if_exists(&folder).build().unwrap_err();
        let expected =
            format!("{}: cannot be read: {}", folder.display(), std::fs::read(&folder).unwrap_err());
        assert_eq!(error.to_string(), expected);
    }
}
