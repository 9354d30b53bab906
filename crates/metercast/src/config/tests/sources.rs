//! What is wrong in code, in several sources at once, or only with this build.

use super::*;

#[test]
fn all_problems_of_all_sources_are_reported_at_once() {
    let text = "[telemetry]\nenbled = true\n[telemetry.exporters.central]\ntype = 'otlp'\ninterval = 60\n";
    let error = given(&[("OTEL_EXPORTER_OTLP_ENDPOINT", "h")])
        .text("metercast.toml", text)
        .exporter("central", Otlp::to("h"))
        .build()
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "metercast.toml:2: telemetry.enbled: is not a key that is known here; did you mean \"enabled\"?\n\
         metercast.toml:5: telemetry.exporters.central.interval: 60 has no unit; write \"60s\" for seconds \
         or \
         \"60ms\" for milliseconds\n\
         telemetry.exporters.central.endpoint: \"h\" has no scheme; write http://h or https://h\n\
         OTEL_EXPORTER_OTLP_ENDPOINT: \"h\" has no scheme; write http://h or https://h"
    );
    let places: Vec<_> = error.problems().iter().map(|problem| (problem.file(), problem.line())).collect();
    let file = Some("metercast.toml");
    assert_eq!(places, [(file, Some(2)), (file, Some(5)), (None, None), (None, None)]);
}

#[test]
fn a_bad_value_in_code_is_an_error_with_the_key_that_a_file_would_have() {
    let error = bare()
        .exporter("a", Otlp::to("http://h:1").interval(Duration::ZERO).timeout(Duration::MAX))
        .exporter("b", Otlp::to("http://h:1").bearer("s3cret").header("authorization", "s3cret"))
        .exporter("c d", Prometheus::listen("9464").path("m"))
        .exporter("otlp", Prometheus::default())
        .default_exporter("e", Otlp::default().bearer("s3cret\n").header("s3cret key", "x"))
        .shutdown_timeout(Duration::ZERO)
        .build()
        .unwrap_err()
        .to_string();
    let expected = [
        "telemetry.exporters.e.headers: has a header whose name begins \"s3cret\" and then has the \
         character ' ', \
         which no header's name may have; give name and value apart",
        "telemetry.exporters.e.auth.bearer: has a value (not shown) that no header can carry: its character \
         number 7 \
         is not printable ASCII; check for a line break at its end",
        "telemetry.shutdown_timeout: 0s leaves no time for the final flush; write at least 1ms, for example \
         5s",
        "telemetry.exporters.a.interval: 0s is too short for an interval; write at least 1ms, for example \
         60s",
        "telemetry.exporters.a.timeout: is longer than a year; write a shorter time",
        "telemetry.exporters.b.auth: is given beside an authorization header; keep one of them",
        "telemetry.exporters.\"c d\": is not a name for an exporter; use 1 to 64 of the characters A-Z, \
         a-z, 0-9, _ and -",
        "telemetry.exporters.\"c d\".listen: \"9464\" has no host; \
         write 127.0.0.1:9464, or 0.0.0.0:9464 to listen on every interface",
        "telemetry.exporters.\"c d\".path: \"m\" does not start with a slash; write \"/m\"",
        "telemetry.exporters.otlp: is the name of the standard otlp exporter; give the prometheus exporter \
         another",
    ];
    assert_eq!(error.lines().collect::<Vec<_>>(), expected);
}

#[test]
fn a_file_cannot_change_the_type_of_what_the_program_pins() {
    let error = bare()
        .exporter("central", Otlp::default())
        .text("metercast.toml", "[telemetry.exporters.central]\ntype = 'prometheus'\n")
        .build()
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "metercast.toml:2: telemetry.exporters.central.type: \"prometheus\" contradicts the program, \
         which makes this exporter \"otlp\"; leave the type out"
    );
}

#[test]
fn what_this_build_has_not_is_an_error_only_where_it_counts_and_names_the_feature() {
    let tls = "\"https://h/v1/metrics\" needs TLS, which this build does not have; enable the feature \"tls\" of \
               metercast, or write an http:// URL, for example of a local collector that passes it on by https";
    let grpc = "\"grpc\" needs gRPC, which this build does not have; enable the feature \"grpc\" of metercast, or \
                choose \"http/protobuf\", which a collector takes on port 4318";
    let zstd = "\"zstd\" needs zstd, which this build does not have; enable the feature \"zstd\" of metercast, or \
                choose \"gzip\"";
    let cases = [
        (has::TLS, "endpoint = 'https://h'", "endpoint", tls, "OTEL_EXPORTER_OTLP_ENDPOINT", "https://h"),
        (has::GRPC, "protocol = 'grpc'", "protocol", grpc, "OTEL_EXPORTER_OTLP_PROTOCOL", "grpc"),
        (has::ZSTD, "compression = 'zstd'", "compression", zstd, "OTEL_EXPORTER_OTLP_COMPRESSION", "zstd"),
    ];
    for (built_in, line, key, refusal, variable, value) in cases {
        let file = bare().text("metercast.toml", &format!("[telemetry.exporters.otlp]\n{line}\n")).build();
        let variables = given(&[("OTEL_METRICS_EXPORTER", "otlp"), (variable, value)]).build();
        if built_in {
            assert!(file.is_ok() && variables.is_ok(), "{line}");
            continue;
        }
        let expected = format!("metercast.toml:2: telemetry.exporters.otlp.{key}: {refusal}");
        assert_eq!(file.unwrap_err().to_string(), expected);
        assert_eq!(variables.unwrap_err().to_string(), format!("{variable}: {refusal}"));
    }
    let overruled = bare()
        .default_exporter("otlp", Otlp::to("https://h").protocol(Protocol::Grpc).compression(Compression::Zstd))
        .text(
            "metercast.toml",
            "[telemetry.exporters.otlp]\nendpoint = 'http://h'\nprotocol = 'http/json'\ncompression = 'none'\n",
        );
    assert!(overruled.build().is_ok());
}
