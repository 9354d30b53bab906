//! Which exporters there are, and which of them the standard variables shape.

use super::*;

const ENDPOINT: (&str, &str) = ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://env:1");
const METRICS_ENDPOINT: (&str, &str) = ("OTEL_EXPORTER_OTLP_METRICS_ENDPOINT", "http://env:1");

#[test]
fn the_environment_decides_which_standard_exporters_there_are() {
    let ask = |list| ("OTEL_METRICS_EXPORTER", list);
    let cases: [(Given<'_>, &str); 15] = [
        (&[], "prometheus"),
        (&[ENDPOINT], "otlp prometheus"),
        (&[METRICS_ENDPOINT], "otlp prometheus"),
        (&[("OTEL_EXPORTER_OTLP_ENDPOINT", "")], "prometheus"),
        (&[("OTEL_EXPORTER_OTLP_HEADERS", "a=1")], "prometheus"),
        (&[ask("otlp")], "otlp"),
        (&[ask("prometheus")], "prometheus"),
        (&[ask("prometheus"), ENDPOINT], "prometheus"),
        (&[ask(" OTLP , Prometheus ")], "otlp prometheus"),
        (&[ask("none")], ""),
        (&[ask("none"), ENDPOINT], ""),
        (&[ask("")], "prometheus"),
        (&[ask("console")], "stdout"),
        (&[ask("console,otlp")], "otlp stdout"),
        (&[ask("statsd")], "prometheus"),
    ];
    for (variables, expected) in cases {
        assert_eq!(names(&given(variables).build().unwrap()), expected, "{variables:?}");
    }
}

#[test]
fn an_exporter_that_the_program_names_replaces_the_implied_one() {
    let central = || Otlp::to("http://central:1");
    assert_eq!(names(&bare().exporter("central", central()).build().unwrap()), "central");
    assert_eq!(names(&bare().default_exporter("central", central()).build().unwrap()), "central");
    assert_eq!(names(&given(&[ENDPOINT]).exporter("central", central()).build().unwrap()), "central otlp");
    let asked = given(&[("OTEL_METRICS_EXPORTER", "prometheus")]).exporter("central", central());
    assert_eq!(names(&asked.build().unwrap()), "central prometheus");
}

#[test]
fn the_environment_removes_standard_exporters_that_are_only_defaults() {
    let none = given(&[("OTEL_METRICS_EXPORTER", "none")])
        .default_exporter("prometheus", Prometheus::default())
        .default_exporter("otlp", Otlp::default())
        .default_exporter("central", Otlp::default());
    assert_eq!(names(&none.build().unwrap()), "central");
    let pinned = given(&[("OTEL_METRICS_EXPORTER", "none")]).exporter("otlp", Otlp::default());
    assert_eq!(names(&pinned.build().unwrap()), "otlp");
}

#[test]
fn the_program_has_the_last_word_on_what_there_is_not() {
    assert_eq!(names(&bare().without_exporter("prometheus").build().unwrap()), "");
    assert_eq!(names(&given(&[ENDPOINT]).without_exporter("otlp").build().unwrap()), "prometheus");
    let both = bare().without_exporter("a").exporter("a", Otlp::default());
    assert_eq!(names(&both.clone().build().unwrap()), "a");
    assert_eq!(names(&both.without_exporter("a").build().unwrap()), "prometheus");
}

#[test]
fn a_bad_variable_of_an_unwanted_exporter_is_not_read() {
    let bad = [("OTEL_EXPORTER_OTLP_ENDPOINT", "https://traces"), ("OTEL_EXPORTER_OTLP_HEADERS", "bad")];
    assert_eq!(names(&given(&bad).without_exporter("otlp").build().unwrap()), "prometheus");
}

#[test]
fn only_the_standard_exporters_read_variables_unless_told_so() {
    let variables = [ENDPOINT, ("OTEL_EXPORTER_PROMETHEUS_PORT", "1")];
    let config = given(&variables)
        .exporter("plain", Otlp::default())
        .exporter("shaped", Otlp::default().env(true))
        .exporter("otlp", Otlp::default().env(false))
        .exporter("page", Prometheus::listen("h:2"))
        .default_exporter("shaped-page", Prometheus::listen("h:2").env(true))
        .build()
        .unwrap();
    let seen: Vec<String> = config.exporters().map(|(name, exporter)| format!("{name} {exporter}")).collect();
    assert_eq!(
        seen,
        [
            "otlp otlp to http://localhost:4318/v1/metrics every 60s",
            "page prometheus on http://h:2/metrics",
            "plain otlp to http://localhost:4318/v1/metrics every 60s",
            "shaped otlp to http://env:1/v1/metrics every 60s",
            "shaped-page prometheus on http://h:1/metrics",
        ]
    );
}

#[cfg(feature = "config")]
mod files {
    use super::*;

    #[test]
    fn an_exporter_that_the_file_names_replaces_the_implied_one_and_keeps_out_the_variables() {
        let named = |text: &str| given(&[ENDPOINT]).text("a.toml", text);
        let cases = [
            ("[telemetry.exporters.central]\ntype = 'otlp'\n", "central otlp"),
            ("[telemetry.exporters.otlp]\n", "otlp"),
            ("[telemetry.exporters.prometheus]\n", "otlp prometheus"),
            ("[telemetry.exporters.prometheus]\nenabled = false\n", "otlp"),
            ("[telemetry.exporters]\n", "otlp prometheus"),
        ];
        for (text, expected) in cases {
            assert_eq!(names(&named(text).build().unwrap()), expected, "{text}");
        }
        let host = |text| otlp(&named(text).build().unwrap(), "otlp").endpoint().host().to_owned();
        assert_eq!(host("[telemetry.exporters.otlp]\n"), "localhost");
        assert_eq!(host("[telemetry.exporters.otlp]\nenv = true\n"), "env");
        assert_eq!(host("[telemetry.exporters.otlp]\nenv = true\nendpoint = 'http://file:1'\n"), "env");
    }

    #[test]
    fn the_environment_does_not_remove_what_the_file_names() {
        let config = given(&[("OTEL_METRICS_EXPORTER", "none")])
            .text("a.toml", "[telemetry.exporters.otlp]\n[telemetry.exporters.prometheus]\n")
            .build()
            .unwrap();
        assert_eq!(names(&config), "otlp prometheus");
    }

    #[test]
    fn a_file_switches_off_a_default_and_not_a_pin() {
        let off = bare().text("a.toml", "[telemetry.exporters.central]\nenabled = false\n");
        let config = off.clone().default_exporter("central", Otlp::default()).build().unwrap();
        assert_eq!(names(&config), "");
        let config = off.exporter("central", Otlp::default()).build().unwrap();
        assert_eq!(names(&config), "central");
        assert_eq!(
            config.warnings(),
            ["a.toml:2: telemetry.exporters.central.enabled: false is ignored, as the program pins this \
                 exporter"]
        );
    }

    #[test]
    fn a_file_may_make_another_type_of_a_default() {
        let config = bare()
            .default_exporter("main", Otlp::to("http://h:1"))
            .text("a.toml", "[telemetry.exporters.main]\ntype = 'prometheus'\n")
            .build()
            .unwrap();
        assert_eq!(
            config.exporter("main").unwrap().to_string(),
            "prometheus on http://127.0.0.1:9464/metrics"
        );
    }
}
