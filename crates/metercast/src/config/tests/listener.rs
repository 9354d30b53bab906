//! What a listener is told, by code and by a file, and what is said if it cannot be.

use super::*;

fn listener(builder: ConfigBuilder) -> ListenerConfig {
    let config = builder.build().unwrap();
    prometheus(&config, "prometheus").listener().clone()
}

#[test]
fn a_listener_is_open_and_plain_unless_it_is_said() {
    let listener = listener(bare());
    assert!(!listener.has_bearer() && listener.tls().is_none() && !listener.any_path() && listener.health());
    assert_eq!((listener.max_in_flight(), listener.timeout()), (16, Duration::from_secs(10)));
}

#[test]
fn code_says_all_of_it_and_the_token_never_prints() {
    let told = Prometheus::listen("127.0.0.1:1")
        .bearer("s3cret")
        .any_path(true)
        .max_in_flight(3)
        .timeout(Duration::from_secs(2));
    assert!(!format!("{told:?}").contains("s3cret"));
    let listener = listener(bare().exporter("prometheus", told));
    assert_eq!(listener.bearer().unwrap().expose(), "Bearer s3cret");
    assert!(listener.any_path() && !listener.health(), "with the page under every path there is no other");
    assert_eq!((listener.max_in_flight(), listener.timeout()), (3, Duration::from_secs(2)));
    assert!(!format!("{listener:?}").contains("s3cret"));
}

#[test]
fn health_may_be_had_beside_a_page_under_every_path() {
    let both = Prometheus::default().any_path(true).health(true);
    assert!(listener(bare().exporter("prometheus", both)).health());
    assert!(!listener(bare().exporter("prometheus", Prometheus::default().health(false))).health());
}

#[test]
fn what_code_says_wrongly_is_an_error_without_the_token() {
    let wrong = Prometheus::default().bearer("s3cret\n").max_in_flight(0).timeout(Duration::ZERO);
    let error = bare().exporter("p", wrong).build().unwrap_err().to_string();
    assert_eq!(
        error,
        "telemetry.exporters.p.max_in_flight: 0 would refuse every scrape; write at least 1\n\
         telemetry.exporters.p.timeout: 0s leaves no time to write the page; write at least 1ms, for example 10s\n\
         telemetry.exporters.p.auth.bearer: has a value (not shown) that no header can carry: its character number 7 \
         is not printable ASCII; check for a line break at its end"
    );
}

#[test]
fn the_health_has_its_path_for_itself() {
    for path in ["/-/healthy", "/-/ready"] {
        let at = |prometheus: Prometheus| bare().exporter("p", prometheus.path(path)).build();
        assert_eq!(
            at(Prometheus::default()).unwrap_err().to_string(),
            format!(
                "telemetry.exporters.p.path: {path:?} is where the listener says how it is; choose another, or set \
                 health = false"
            )
        );
        assert!(at(Prometheus::default().health(false)).is_ok());
        assert!(at(Prometheus::default().any_path(true)).is_ok());
    }
}

#[test]
fn probes_have_paths_of_their_own() {
    let told = Prometheus::default().liveness_path("/healthz").readiness_path("/readyz");
    let paths = listener(bare().exporter("prometheus", told));
    assert_eq!((paths.liveness_path(), paths.readiness_path()), ("/healthz", "/readyz"));
    let wrong = |prometheus: Prometheus| {
        bare()
            .exporter("p", prometheus)
            .build()
            .unwrap_err()
            .to_string()
            .replace("telemetry.exporters.p.", "")
    };
    assert_eq!(
        wrong(Prometheus::default().path("/ok").liveness_path("/ok")),
        "path: \"/ok\" is where the listener says how it is; choose another, or set health = false"
    );
    assert_eq!(
        wrong(Prometheus::default().liveness_path("/ok").readiness_path("/ok")),
        "readiness_path: \"/ok\" is the liveness_path too; choose another for one of them"
    );
    assert_eq!(
        wrong(Prometheus::default().readiness_path("/-/reload")),
        "readiness_path: \"/-/reload\" is where a listener is told to reload; choose another"
    );
    assert_eq!(
        wrong(Prometheus::default().readiness_path("ready")),
        "readiness_path: \"ready\" does not start with a slash; write \"/ready\""
    );
}

#[cfg(not(feature = "tls"))]
#[test]
fn a_build_without_tls_says_so() {
    let error = bare().exporter("p", Prometheus::default().tls("a", "b")).build().unwrap_err().to_string();
    assert_eq!(
        error,
        "telemetry.exporters.p.tls: cannot be had, as this build has no TLS; enable the feature \"tls\" of metercast, or \
         leave it out"
    );
}

#[cfg(feature = "tls")]
#[test]
fn with_tls_the_page_is_https() {
    let config = bare().exporter("p", Prometheus::listen("h:1").tls("a", "b")).build().unwrap();
    assert_eq!(config.exporter("p").unwrap().to_string(), "prometheus on https://h:1/metrics");
}

#[cfg(feature = "config")]
mod file {
    use super::*;

    fn in_file(lines: &str) -> Result<Config, String> {
        let text = format!("[telemetry.exporters.prometheus]\n{lines}\n");
        bare().text("metercast.toml", &text).build().map_err(|error| error.to_string())
    }

    #[test]
    fn a_file_says_all_of_it() {
        let config = in_file(
            "auth = { bearer = 's3cret' }\nany_path = true\nhealth = true\nmax_in_flight = 2\ntimeout = '500ms'\n\
             liveness_path = '/_liveness'\nreadiness_path = '/_readiness'",
        );
        let config = config.unwrap();
        let listener = prometheus(&config, "prometheus").listener();
        assert_eq!(listener.bearer().unwrap().expose(), "Bearer s3cret");
        assert!(listener.any_path() && listener.health());
        assert_eq!((listener.liveness_path(), listener.readiness_path()), ("/_liveness", "/_readiness"));
        assert_eq!((listener.max_in_flight(), listener.timeout()), (2, Duration::from_millis(500)));
    }

    #[test]
    fn code_wins_over_a_file_setting_by_setting() {
        let text = "[telemetry.exporters.prometheus]\nmax_in_flight = 2\ntimeout = '1s'\nany_path = true\n";
        let pinned = Prometheus::default().max_in_flight(3);
        let listener = listener(bare().text("metercast.toml", text).exporter("prometheus", pinned));
        assert_eq!((listener.max_in_flight(), listener.timeout()), (3, Duration::from_secs(1)));
        assert!(listener.any_path());
    }

    #[cfg(feature = "tls")]
    #[test]
    fn a_file_names_the_files_of_a_certificate() {
        let config = in_file("tls = { certificate = '/a.crt', key = '/a.key' }").unwrap();
        let tls = prometheus(&config, "prometheus").listener().tls().unwrap().clone();
        assert_eq!((tls.certificate(), tls.key()), ("/a.crt".as_ref(), "/a.key".as_ref()));
    }

    #[test]
    fn what_a_file_says_wrongly_is_an_error_with_its_line_and_its_mend() {
        let cases = [
            ("any_path = 'yes'", "any_path: expected true or false, found a string"),
            ("health = 1", "health: expected true or false, found an integer"),
            ("max_in_flight = 0", "max_in_flight: 0 would refuse every scrape; write at least 1"),
            ("max_in_flight = -1", "max_in_flight: -1 is less than nothing; write at least 1"),
            (
                "max_in_flight = 5000",
                "max_in_flight: 5000 pages at once may take a lot of memory; write at most 1000",
            ),
            ("max_in_flight = '16'", "max_in_flight: expected an integer such as 16, found a string"),
            (
                "timeout = '0s'",
                "timeout: 0s leaves no time to write the page; write at least 1ms, for example 10s",
            ),
            (
                "timeout = 10",
                "timeout: 10 has no unit; write \"10s\" for seconds or \"10ms\" for milliseconds",
            ),
            ("auth = 's3cret'", "auth: expected { bearer = \"token\" }, found a string"),
            ("auth = {}", "auth: expected { bearer = \"token\" }, found an empty table"),
            ("auth = { bearer = '' }", "auth.bearer: is empty; write the token"),
            (
                "auth = { basic = 's3cret' }",
                "auth.basic: is not a key that is known here; expected \"bearer\"",
            ),
            ("tls = { certificate = 'a' }", "tls.key: is missing; TLS needs a certificate and its key"),
            (
                "tls = { certificate = 'a', kee = 'b' }",
                "tls.kee: is not a key that is known here; did you mean \"key\"?",
            ),
            (
                "tls = true",
                "tls: expected a table such as { certificate = \"/etc/tls/tls.crt\", key = \"/etc/tls/tls.key\" }, \
                 found a boolean",
            ),
        ];
        for (line, message) in cases {
            let error = in_file(line).unwrap_err();
            assert!(!error.contains("s3cret"), "{error}");
            let expected = format!("metercast.toml:2: telemetry.exporters.prometheus.{message}");
            assert_eq!(error, expected, "{line}");
        }
    }
}

#[cfg(feature = "serve")]
#[test]
fn how_to_listen_elsewhere_is_what_counts_there() {
    let mend =
        |config: crate::config::ConfigBuilder, name: &str| config.build().unwrap().mend_of_listen(name);
    let both = "set telemetry.exporters.prometheus.listen or OTEL_EXPORTER_PROMETHEUS_PORT to another";
    assert_eq!(mend(bare(), "prometheus"), both);
    assert_eq!(
        mend(bare().exporter("p", Prometheus::default()), "p"),
        "set telemetry.exporters.p.listen to another"
    );
    assert_eq!(
        mend(bare().exporter("p", Prometheus::listen("h:1")), "p"),
        "let the program listen on another"
    );
    #[cfg(feature = "config")]
    {
        let file = bare().text("a.toml", "[telemetry.exporters.prometheus]\nlisten = 'h:1'\n");
        assert_eq!(mend(file, "prometheus"), "set telemetry.exporters.prometheus.listen to another");
        let own = [("SHOP__EXPORTERS__P__LISTEN".to_owned(), "h:1".to_owned())];
        let own = bare().default_exporter("p", Prometheus::default()).env_prefix("SHOP").variables(own);
        assert_eq!(mend(own, "p"), "set SHOP__EXPORTERS__P__LISTEN to another");
    }
}
