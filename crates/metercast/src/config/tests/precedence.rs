//! Which source wins.

use super::*;

/// Every set of sources out of these four, as flags from the lowest to the highest: default of the program,
/// file, environment, pin.
#[cfg(feature = "config")]
fn every_set_of_sources() -> impl Iterator<Item = [bool; 4]> {
    (0..16).map(|set| [0, 1, 2, 3].map(|source| set >> source & 1 == 1))
}

/// The word of the highest source in the set; the first word is that of no source.
#[cfg(feature = "config")]
fn highest(set: [bool; 4], words: [&str; 5]) -> &str {
    set.iter().rposition(|source| *source).map_or(words[0], |source| words[source + 1])
}

#[cfg(feature = "config")]
#[test]
fn for_an_otlp_exporter_each_source_wins_over_all_below_it() {
    for set @ [default, file, environment, pinned] in every_set_of_sources() {
        let variables: Given<'_> = if environment {
            &[
                ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://environment:1"),
                ("OTEL_METRIC_EXPORT_INTERVAL", "3000"),
                ("OTEL_EXPORTER_OTLP_TIMEOUT", "3000"),
                ("OTEL_EXPORTER_OTLP_HEADERS", "x=environment"),
                ("OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE", "lowmemory"),
                ("OTEL_EXPORTER_OTLP_PROTOCOL", "http/json"),
            ]
        } else {
            &[]
        };
        let described = |name: &str, seconds| {
            let seconds = Duration::from_secs(seconds);
            Otlp::to(&format!("http://{name}:1"))
                .interval(seconds)
                .timeout(seconds)
                .header("x", name)
                .temporality(TemporalityPreference::Delta)
                .protocol(Protocol::HttpProtobuf)
        };
        let mut builder = given(variables);
        if default {
            builder = builder.default_exporter("otlp", described("default", 1));
        }
        if file {
            let text = "[telemetry.exporters.otlp]\nendpoint = 'http://file:1'\ninterval = '2s'\n\
                        timeout = '2s'\nheaders = { x = 'file' }\ntemporality = 'cumulative'\n\
                        protocol = 'http/protobuf'\nenv = true\n";
            builder = builder.text("a.toml", text);
        }
        if pinned {
            builder = builder.exporter("otlp", described("pinned", 4));
        }
        if set == [false; 4] {
            continue;
        }
        let config = builder.build().unwrap();
        let otlp = otlp(&config, "otlp");
        assert_eq!(
            otlp.endpoint().host(),
            highest(set, ["", "default", "file", "environment", "pinned"]),
            "{set:?}"
        );
        let seconds = highest(set, ["60", "1", "2", "3", "4"]);
        assert_eq!(otlp.interval().as_secs().to_string(), seconds, "{set:?}");
        assert_eq!(otlp.timeout().unwrap().as_secs().to_string(), seconds, "{set:?}");
        let temporality = highest(set, ["", "delta", "cumulative", "lowmemory", "delta"]);
        assert_eq!(otlp.temporality().name(), temporality, "{set:?}");
        let protocol = highest(set, ["", "http/protobuf", "http/protobuf", "http/json", "http/protobuf"]);
        assert_eq!(otlp.protocol().name(), protocol, "{set:?}");
        let header = highest(set, ["", "default", "file", "environment", "pinned"]);
        assert_eq!(headers(&config, "otlp"), [("x", header)], "{set:?}");
    }
}

#[cfg(feature = "config")]
#[test]
fn for_a_prometheus_exporter_each_source_wins_over_all_below_it() {
    for set @ [default, file, environment, pinned] in every_set_of_sources() {
        let variables: Given<'_> = if environment { &[("OTEL_EXPORTER_PROMETHEUS_PORT", "3")] } else { &[] };
        let mut builder = given(variables);
        if default {
            builder = builder.default_exporter("prometheus", Prometheus::listen("127.0.0.1:1"));
        }
        if file {
            let text = "[telemetry.exporters.prometheus]\nlisten = '127.0.0.1:2'\nenv = true\n";
            builder = builder.text("a.toml", text);
        }
        if pinned {
            builder = builder.exporter("prometheus", Prometheus::listen("127.0.0.1:4"));
        }
        let config = builder.build().unwrap();
        let port = highest(set, ["9464", "1", "2", "3", "4"]);
        assert_eq!(prometheus(&config, "prometheus").listen(), format!("127.0.0.1:{port}"), "{set:?}");
    }
}

#[cfg(feature = "config")]
#[test]
fn for_an_attribute_each_source_wins_over_all_below_it() {
    for set @ [default, file, environment, pinned] in every_set_of_sources() {
        let variables: Given<'_> = if environment { &[("OTEL_SERVICE_NAME", "environment")] } else { &[] };
        let mut builder = given(variables);
        if default {
            builder = builder.service("default", "1.4.2");
        }
        if file {
            builder = builder.text("a.toml", "[telemetry.resource]\n'service.name' = 'file'\n");
        }
        if pinned {
            builder = builder.resource_attribute("service.name", "pinned");
        }
        let name = attribute(&builder.build().unwrap(), "service.name");
        let expected = highest(set, ["unknown", "default", "file", "environment", "pinned"]);
        assert!(name.starts_with(expected), "{set:?} {name}");
    }
}

#[cfg(feature = "config")]
#[test]
fn being_enabled_is_decided_by_the_program_then_the_environment_then_the_file() {
    let off = [("OTEL_SDK_DISABLED", "true")];
    let on = [("OTEL_SDK_DISABLED", "false")];
    let cases: [(Option<bool>, Given<'_>, Option<bool>, bool); 8] = [
        (None, &[], None, true),
        (Some(false), &[], None, false),
        (Some(true), &off, None, false),
        // What an unset variable says is silence, and `false` is what an unset variable says.
        (Some(false), &on, None, false),
        (None, &off, None, false),
        (None, &off, Some(true), true),
        (Some(true), &[], Some(false), false),
        (Some(false), &[], Some(true), true),
    ];
    for (file, variables, pinned, enabled) in cases {
        let mut builder = given(variables);
        if let Some(file) = file {
            builder = builder.text("a.toml", &format!("[telemetry]\nenabled = {file}\n"));
        }
        if let Some(pinned) = pinned {
            builder = builder.enabled(pinned);
        }
        assert_eq!(builder.build().unwrap().is_enabled(), enabled, "{file:?} {variables:?} {pinned:?}");
    }
}

#[cfg(feature = "config")]
#[test]
fn the_program_pins_shutdown_and_signal_over_the_file() {
    let file = bare().text("a.toml", "[telemetry]\nshutdown_timeout = '1s'\non_sigterm = 'exit'\n");
    let config = file.clone().build().unwrap();
    assert_eq!((config.shutdown_timeout(), config.on_sigterm()), (Duration::from_secs(1), OnSigterm::Exit));
    let config = file.shutdown_timeout(Duration::from_secs(2)).on_sigterm(OnSigterm::Flush).build().unwrap();
    assert_eq!((config.shutdown_timeout(), config.on_sigterm()), (Duration::from_secs(2), OnSigterm::Flush));
}

#[cfg(feature = "config")]
#[test]
fn each_value_is_laid_over_alone() {
    let config = bare()
        .default_exporter(
            "central",
            Otlp::to("http://default:1").bearer("t").header("a", "1").header("b", "1"),
        )
        .text("a.toml", "[telemetry.exporters.central]\ninterval = '2s'\nheaders = { b = '2' }\n")
        .exporter("central", Otlp::default().compression(Compression::Gzip))
        .build()
        .unwrap();
    assert_eq!(
        config.exporter("central").unwrap().to_string(),
        "otlp to http://default:1/v1/metrics every 2s"
    );
    assert_eq!(otlp(&config, "central").compression(), Compression::Gzip);
    assert_eq!(headers(&config, "central"), [("a", "1"), ("b", "2"), ("authorization", "Bearer t")]);
}

#[test]
fn the_environment_wins_over_the_defaults_of_the_program_and_loses_to_its_pins() {
    let variables = [("OTEL_SERVICE_NAME", "env"), ("OTEL_EXPORTER_PROMETHEUS_HOST", "0.0.0.0")];
    let builder =
        given(&variables).service("default", "1").default_exporter("prometheus", Prometheus::listen("h:1"));
    let config = builder.clone().build().unwrap();
    assert_eq!(attribute(&config, "service.name"), "env");
    assert_eq!(attribute(&config, "service.version"), "1");
    assert_eq!(prometheus(&config, "prometheus").listen(), "0.0.0.0:1");
    let config = builder
        .resource_attribute("service.name", "pinned")
        .exporter("prometheus", Prometheus::listen("h:2"))
        .build()
        .unwrap();
    assert_eq!(attribute(&config, "service.name"), "pinned");
    assert_eq!(prometheus(&config, "prometheus").listen(), "h:2");
}
