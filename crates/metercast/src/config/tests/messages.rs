//! What is said about a bad configuration, word by word.

use super::*;

const PUSH: &str = "[telemetry.exporters.central]\ntype = 'otlp'\n";
const PAGE: &str = "[telemetry.exporters.prometheus]\n";
const PRINT: &str = "[telemetry.exporters.stdout]\n";

fn error(text: &str) -> String {
    bare().text("metercast.toml", text).build().unwrap_err().to_string()
}

#[test]
fn a_bad_value_in_a_file_is_an_error_with_its_line_its_key_and_its_mend() {
    let cases = [
        (
            PUSH,
            "endpoint = 'grafana:4318'",
            "endpoint: \"grafana:4318\" has no scheme; write http://grafana:4318 or https://grafana:4318",
        ),
        (
            PUSH,
            "endpoint = 4318",
            "endpoint: expected a string such as \"http://localhost:4318\", found an integer",
        ),
        (
            PUSH,
            "interval = '0s'",
            "interval: 0s is too short for an interval; write at least 1ms, for example 60s",
        ),
        (
            PUSH,
            "interval = 60",
            "interval: 60 has no unit; write \"60s\" for seconds or \"60ms\" for milliseconds",
        ),
        (
            PUSH,
            "interval = '60'",
            "interval: 60 has no unit; write \"60s\" for seconds or \"60ms\" for milliseconds",
        ),
        (
            PUSH,
            "interval = '1 min'",
            "interval: \"1 min\" is not a length of time; write a whole number and a unit, such as \
             \"500ms\", \"60s\" or \"5m\"",
        ),
        (PUSH, "timeout = 1.5", "timeout: expected a string such as \"60s\", found a float"),
        (PUSH, "timeout = '9999h'", "timeout: is longer than a year; write a shorter time"),
        (
            PUSH,
            "compression = 'gzpi'",
            "compression: expected \"gzip\", \"zstd\" or \"none\", found \"gzpi\"; did you mean \"gzip\"?",
        ),
        (PUSH, "compression = true", "compression: expected \"gzip\", \"zstd\" or \"none\", found a boolean"),
        (
            PUSH,
            "protocol = 'http'",
            "protocol: expected \"http/protobuf\", \"http/json\" or \"grpc\", found \"http\"",
        ),
        (PUSH, "insecure = 'yes'", "insecure: expected true or false, found a string"),
        (
            PUSH,
            "temporality = 'dleta'",
            "temporality: expected \"cumulative\", \"delta\" or \"lowmemory\", found \"dleta\"; did you mean \"delta\"?",
        ),
        (
            PUSH,
            "histograms = 'base2'",
            "histograms: expected \"explicit\" or \"exponential\", found \"base2\"",
        ),
        (
            PUSH,
            "tls = '/etc/ca.pem'",
            "tls: expected a table such as { ca = \"/etc/ssl/ca.pem\" }, found a string",
        ),
        (
            PUSH,
            "tls = { cert = '/etc/ca.pem' }",
            "tls.cert: is not a key that is known here; expected \"ca\", \"client_certificate\" or \"client_key\"",
        ),
        (PUSH, "tls = { ca = 1 }", "tls.ca: expected a string such as \"/etc/ssl/ca.pem\", found an integer"),
        (
            PUSH,
            "proxy = 'socks5://u:s3cret@h:1'",
            "proxy: \"socks5://***@h:1\" is not an HTTP proxy, and no other is spoken to; write an http:// URL",
        ),
        (PUSH, "proxy = false", "proxy: expected a string such as \"http://proxy:3128\", found a boolean"),
        (
            PUSH,
            "endpoint = 'unix:otel.sock'",
            "endpoint: \"unix:otel.sock\" has no absolute path of a socket; write for example unix:///run/otel.sock",
        ),
        (PUSH, "dataset = 1", "dataset: expected a string such as \"metrics\", found an integer"),
        (PUSH, "auth = { token = '' }", "auth.token: is empty; write the token"),
        (
            PRINT,
            "listen = 'x'",
            "listen: is not a key that is known here; expected \"type\", \"enabled\", \"env\", \"visibility\", \
             \"include\", \"exclude\", \"include_scopes\", \"exclude_scopes\", \"views\", \"buckets\", \
             \"cardinality_limit\", \"interval\" or \"resource\"",
        ),
        (
            PRINT,
            "interval = '0s'",
            "interval: 0s is too short for an interval; write at least 1ms, for example 60s",
        ),
        (PUSH, "env = 'yes'", "env: expected true or false, found a string"),
        (PUSH, "endpont = 'x'", "endpont: is not a key that is known here; did you mean \"endpoint\"?"),
        (
            PUSH,
            "auth = 's3cret'",
            "auth: expected { bearer = \"token\" }, { basic = { user = \"name\", password = \"word\" } } or, with a preset, { token = \"key\" }, \
             found a string",
        ),
        (
            PUSH,
            "auth = {}",
            "auth: expected { bearer = \"token\" }, { basic = { user = \"name\", password = \"word\" } } or, with a preset, { token = \"key\" }, \
             found an empty table",
        ),
        (
            PUSH,
            "auth = { bearer = 's3cret', basic = {} }",
            "auth: has 2 keys; keep one, { bearer = \"token\" }, { basic = { user = \"name\", password = \"word\" } } or, with a preset, { token = \"key\" }",
        ),
        (
            PUSH,
            "auth = { baerer = 's3cret' }",
            "auth.baerer: is not a key that is known here; did you mean \
             \"bearer\"?",
        ),
        (PUSH, "auth = { bearer = '' }", "auth.bearer: is empty; write the token"),
        (
            PUSH,
            "auth = { bearer = \"s3cret\\n\" }",
            "auth.bearer: has a value (not shown) that no header can carry: its character number 7 is not \
             printable ASCII; check for a line break at its end",
        ),
        (PUSH, "auth = { bearer = 1 }", "auth.bearer: expected a string such as \"token\", found an integer"),
        (
            PUSH,
            "auth = { basic = { user = 'u' } }",
            "auth.basic.password: is missing; basic auth needs a user and a password",
        ),
        (
            PUSH,
            "auth = { basic = { user = 'u', password = 's3cret', realm = 'r' } }",
            "auth.basic.realm: is not a key that is known here; expected \"user\" or \"password\"",
        ),
        (
            PUSH,
            "auth = { basic = { user = 'u:v', password = 's3cret' } }",
            "auth.basic: has a user name with a colon in it, which basic auth cannot carry",
        ),
        (
            PUSH,
            "auth = { bearer = 's3cret' }\nheaders = { Authorization = 's3cret' }",
            "auth: is given beside an authorization header; keep one of them",
        ),
        (
            PUSH,
            "headers = { 'x y' = 's3cret' }",
            "headers: has a header whose name begins \"x\" and then has the character ' ', which no \
             header's name may have; give name and value apart",
        ),
        (
            PUSH,
            "headers = { x = \"s3cret\\r\" }",
            "headers: the header \"x\" has a value (not shown) that no header can carry: its character \
             number 7 is not printable ASCII; check for a line break at its end",
        ),
        (
            PUSH,
            "headers = { host = 's3cret' }",
            "headers: sets the header \"host\", which belongs to the push itself; leave it out",
        ),
        (
            PUSH,
            "headers = ['x: s3cret']",
            "headers: expected a table such as { \"x-scope\" = \"a\" }, found an array",
        ),
        (
            PUSH,
            "headers = { x = 1 }",
            "headers: expected a string such as \"a\" for each header, found an integer",
        ),
        (PAGE, "listen = '127.0.0.1'", "listen: \"127.0.0.1\" has no port; write 127.0.0.1:9464"),
        (PAGE, "listen = 9464", "listen: expected a string such as \"127.0.0.1:9464\", found an integer"),
        (PAGE, "path = 'metrics'", "path: \"metrics\" does not start with a slash; write \"/metrics\""),
        (
            PAGE,
            "endpoint = 'x'",
            "endpoint: is not a key that is known here; expected \"type\", \"enabled\", \"env\", \"visibility\", \
             \"include\", \"exclude\", \"include_scopes\", \"exclude_scopes\", \"views\", \"buckets\", \
             \"cardinality_limit\", \"listen\", \"path\", \"auth\", \"tls\", \"any_path\", \"health\", \"liveness_path\", \"readiness_path\", \"reload\", \"max_in_flight\", \"timeout\", \"live\", \"live_history\", \"live_lines\", \
             \"profile\", \"strategy\", \"namespace\", \"unit_suffix\", \"total_suffix\", \"scope_labels\", \
             \"target_info\", \"resource_labels\", \"created\" or \"exemplars\"",
        ),
        (
            PAGE,
            "profile = 'metrics_rs'",
            "profile: expected \"otel\" or \"metrics-rs\", found \"metrics_rs\"; did you mean \"metrics-rs\"?",
        ),
        (
            PAGE,
            "strategy = 'NoUtf8EscapingWithSuffix'",
            "strategy: expected \"UnderscoreEscapingWithSuffixes\", \"UnderscoreEscapingWithoutSuffixes\", \
             \"NoUTF8EscapingWithSuffixes\" or \"NoTranslation\", found \"NoUtf8EscapingWithSuffix\"; did you \
             mean \"NoUTF8EscapingWithSuffixes\"?",
        ),
        (
            PAGE,
            "strategy = 'NoTranslation'\nprofile = 'metrics-rs'",
            "strategy: is given beside the profile \"metrics-rs\", which has a way of its own; keep one of them",
        ),
        (PAGE, "scope_labels = 'yes'", "scope_labels: expected true or false, found a string"),
        (
            PAGE,
            "resource_labels = true",
            "resource_labels: expected \"all\", \"none\" or a list of attributes such as [\"service.name\"], \
             found a boolean",
        ),
        (
            PAGE,
            "resource_labels = 'service.name'",
            "resource_labels: expected \"all\", \"none\" or a list of attributes such as [\"service.name\"], \
             found \"service.name\"",
        ),
        (
            PAGE,
            "resource_labels = [1]",
            "resource_labels: expected a string such as \"service.name\" for each attribute, found an integer",
        ),
        (PAGE, "resource_labels = ['']", "resource_labels: has an attribute without a key; leave it out"),
    ];
    for (table, line, message) in cases {
        let (name, number) = match table {
            PUSH => ("central", 3),
            PRINT => ("stdout", 2),
            _ => ("prometheus", 2),
        };
        let expected = format!("metercast.toml:{number}: telemetry.exporters.{name}.{message}");
        assert_eq!(error(&format!("{table}{line}\n")), expected);
        assert!(!expected.contains("s3cret"), "{expected}");
    }
}

#[test]
fn a_bad_table_is_an_error_with_its_line_its_key_and_its_mend() {
    let cases = [
        ("telemetry = 1", "1: telemetry: expected a table, [telemetry], found an integer"),
        (
            "[telemetry]\nself_metrics = 1",
            "2: telemetry.self_metrics: expected true or false, found an integer",
        ),
        (
            "[telemetry]\nexemplars = 'off'",
            "2: telemetry.exemplars: expected \"trace_based\", \"always_on\" or \"always_off\", found \"off\"",
        ),
        ("[telemetry]\nenabled = 'no'", "2: telemetry.enabled: expected true or false, found a string"),
        (
            "[telemetry]\nexporter = {}",
            "2: telemetry.exporter: is not a key that is known here; did you mean \"exporters\"?",
        ),
        (
            "[telemetry]\nshutdown_timeout = '0s'",
            "2: telemetry.shutdown_timeout: 0s leaves no time for the final flush; write at least 1ms, for \
             example 5s",
        ),
        (
            "[telemetry]\non_sigterm = 'flsh'",
            "2: telemetry.on_sigterm: expected \"auto\", \"flush\", \"exit\" or \"ignore\", found \"flsh\"; \
             did you mean \"flush\"?",
        ),
        (
            "[telemetry]\nresource = 'x'",
            "2: telemetry.resource: expected a table of attributes, found a string",
        ),
        (
            "[telemetry.resource]\nteams = ['a']",
            "2: telemetry.resource.teams: expected a string, a boolean, an integer or a float, found an \
             array",
        ),
        (
            "[telemetry.resource]\n'telemetry.sdk.name' = 'x'",
            "2: telemetry.resource.\"telemetry.sdk.name\": describes metercast itself and cannot be set; \
             leave it out",
        ),
        (
            "[telemetry.resource]\nservice.name = 'x'\n'service.name' = 'y'",
            "3: telemetry.resource.\"service.name\": gives \"service.name\" a second time; keep one of them",
        ),
        (
            "[telemetry.resource]\n'' = 'x'",
            "2: telemetry.resource.\"\": is an attribute without a key; give it one",
        ),
        (
            "[telemetry]\nexporters = 1",
            "2: telemetry.exporters: expected a table of exporters by name, found an integer",
        ),
        (
            "[telemetry.exporters]\nprometheus = true",
            "2: telemetry.exporters.prometheus: expected a table of settings, found a boolean",
        ),
        (
            "\n[telemetry.exporters.central]\nendpoint = 'http://h'",
            "2: telemetry.exporters.central.type: is missing; write \"prometheus\", \"otlp\", \"pushgateway\" or \"stdout\"",
        ),
        (
            "[telemetry.exporters.central]\ntype = 'oltp'",
            "2: telemetry.exporters.central.type: expected \"prometheus\", \"otlp\", \"pushgateway\" or \"stdout\", found \"oltp\"; \
             did you mean \"otlp\"?",
        ),
        (
            "[telemetry.exporters.'my central']\ntype = 'otlp'",
            "1: telemetry.exporters.\"my central\": is not a name for an exporter; \
             use 1 to 64 of the characters A-Z, a-z, 0-9, _ and -",
        ),
        (
            "[telemetry.exporters.otlp]\ntype = 'prometheus'",
            "1: telemetry.exporters.otlp: is the name of the standard otlp exporter; \
             give the prometheus exporter another",
        ),
        (
            "[telemetry.exporters.prometheus]\n[telemetry.exporters.second]\ntype = 'prometheus'\nlisten = \
             'localhost:9464'",
            "4: telemetry.exporters.second.listen: \"localhost:9464\" is where the exporter \"prometheus\" \
             listens \
             already; give each a port of its own",
        ),
    ];
    for (text, message) in cases {
        assert_eq!(error(text), format!("metercast.toml:{message}"));
    }
}

#[test]
fn a_file_that_is_not_toml_says_where_and_quotes_nothing() {
    let error =
        error("[telemetry]\nenabled = true\nenabled = false\n[telemetry.exporters.otlp]\nauth = s3cret\n");
    let lines: Vec<&str> = error.lines().collect();
    assert_eq!(lines[0], "metercast.toml:3: is not TOML: duplicate key");
    assert!(lines[1].starts_with("metercast.toml:5: is not TOML: "), "{error}");
    assert!(!error.contains("s3cret"), "{error}");
}

#[test]
fn words_of_a_file_are_written_as_they_are_documented() {
    let cases = [
        ("temporality", "Delta", "\"cumulative\", \"delta\" or \"lowmemory\"", "delta"),
        ("compression", "GZIP", "\"gzip\", \"zstd\" or \"none\"", "gzip"),
        ("histograms", "Explicit", "\"explicit\" or \"exponential\"", "explicit"),
    ];
    for (key, found, words, meant) in cases {
        let text = format!("[telemetry.exporters.it]\ntype = 'otlp'\n{key} = '{found}'\n");
        let error = bare().text("a.toml", &text).build().unwrap_err();
        assert_eq!(
            error.to_string(),
            format!(
                "a.toml:3: telemetry.exporters.it.{key}: expected {words}, found {found:?}; did you mean {meant:?}?"
            )
        );
    }
    let variables = [("OTEL_METRICS_EXPORTER", "otlp"), ("OTEL_EXPORTER_OTLP_COMPRESSION", "GZIP")];
    assert_eq!(otlp(&given(&variables).build().unwrap(), "otlp").compression(), Compression::Gzip);
}
