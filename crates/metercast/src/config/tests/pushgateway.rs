//! Exporters that push to a Pushgateway, from a file, from code and from both.

use super::*;
use crate::config::{ExporterConfig, Pushgateway};
use crate::export::prometheus::{PageOptions, Strategy};

fn built(builder: ConfigBuilder) -> Config {
    builder.build().unwrap()
}

fn gateway(config: &Config) -> &crate::config::PushgatewayConfig {
    match config.exporter("till") {
        Some(ExporterConfig::Pushgateway(settings)) => settings,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_file_says_all_that_there_is_to_say() {
    let file = "[telemetry.exporters.till]\n\
                type = \"pushgateway\"\n\
                url = \"https://gateway/base/\"\n\
                job = \"checkout\"\n\
                grouping = { instance = \"a/b\", zone = \"\" }\n\
                interval = \"15s\"\n\
                timeout = \"3s\"\n\
                auth = { basic = { user = \"u\", password = \"s3cret\" } }\n\
                tls = { ca = \"/ca.pem\" }\n\
                proxy = \"http://u:s3cret@proxy:3128\"\n\
                strategy = \"UnderscoreEscapingWithoutSuffixes\"\n\
                target_info = true\n";
    let config = built(bare().text("f.toml", file));
    let settings = gateway(&config);
    assert_eq!(
        config.exporter("till").unwrap().to_string(),
        "pushgateway to https://gateway/base as \"checkout\" every 15s through http://proxy:3128"
    );
    assert_eq!(settings.grouping().collect::<Vec<_>>(), [("instance", "a/b"), ("zone", "")]);
    assert_eq!(settings.timeout(), Duration::from_secs(3));
    assert_eq!(settings.tls().ca(), Some("/ca.pem".as_ref()));
    assert_eq!(
        settings.page(),
        &PageOptions::new().strategy(Strategy::UnderscoreEscapingWithoutSuffixes).target_info(true)
    );
    assert!(!format!("{config:?}").contains("s3cret"));
}

#[test]
fn a_file_may_say_which_instance_a_program_is() {
    let file = "telemetry.exporters.till.grouping.instance = \"b\"\n";
    let code = Pushgateway::to("http://gateway:9091", "checkout").group("zone", "z").group("instance", "a");
    let config = built(bare().default_exporter("till", code).text("f.toml", file));
    assert_eq!(gateway(&config).grouping().collect::<Vec<_>>(), [("instance", "b"), ("zone", "z")]);
}

#[test]
fn the_environment_names_the_proxy_and_the_interval_of_one_that_asks_for_it() {
    let variables = [("HTTP_PROXY", "http://proxy:3128"), ("OTEL_METRIC_EXPORT_INTERVAL", "1500")];
    let to = |url: &str| Pushgateway::to(url, "checkout").env(true);
    for (url, shown) in [
        (
            "http://gateway:9091",
            "pushgateway to http://gateway:9091 as \"checkout\" every 1500ms through http://proxy:3128",
        ),
        ("http://127.0.0.1:9091", "pushgateway to http://127.0.0.1:9091 as \"checkout\" every 1500ms"),
    ] {
        let config = built(given(&variables).exporter("till", to(url)));
        assert_eq!(config.exporter("till").unwrap().to_string(), shown);
    }
}

#[test]
fn no_variable_takes_a_gateway_away() {
    let code = Pushgateway::to("http://gateway:9091", "checkout");
    let config = built(given(&[("OTEL_METRICS_EXPORTER", "none")]).default_exporter("pushgateway", code));
    assert!(config.exporter("pushgateway").is_some());
}

#[test]
fn what_is_missing_or_wrong_is_said_with_its_place() {
    for (text, expected) in [
        (
            "job = \"a\"",
            "telemetry.exporters.till.url: is missing; write for example \"http://gateway:9091\"",
        ),
        (
            "url = \"http://g\"",
            "telemetry.exporters.till.job: is missing; write the name of the program or the job",
        ),
        ("url = \"g:9091\"\njob = \"a\"", "\"g:9091\" has no scheme; write http://g:9091 or https://g:9091"),
        ("url = \"http://g\"\njob = \"\"", "the job has no name, and a Pushgateway wants one"),
        (
            "url = \"http://g\"\njob = \"a\"\ngrouping = { \"a-b\" = \"c\" }",
            "\"a-b\" cannot be a label of the group; use letters, digits and _, and no digit or __ in front",
        ),
        (
            "url = \"http://g\"\njob = \"a\"\nauth = { token = \"s3cret\" }",
            "is for the presets of an exporter of type otlp",
        ),
        ("url = \"http://g\"\njob = \"a\"\ngroping = {}", "did you mean \"grouping\"?"),
    ] {
        let file = format!("[telemetry.exporters.till]\ntype = \"pushgateway\"\n{text}\n");
        let error = bare().text("f.toml", &file).build().unwrap_err();
        assert_eq!(error.problems().len(), 1, "{error}");
        let says = error.to_string();
        assert!(says.contains(expected) && !says.contains("s3cret"), "{says}");
    }
}
