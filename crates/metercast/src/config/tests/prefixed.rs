//! Variables with the application's own prefix.

use super::folder::Folder;
use super::*;

const FILE: &str = "[telemetry.exporters.grafana-cloud]\ntype = 'otlp'\nendpoint = 'http://file:1'\n\
                    interval = '1s'\n[telemetry.exporters.prometheus]\n";

fn built(variables: Given<'_>) -> Result<Config, String> {
    let builder = given(variables).env_prefix("SHOP").text("a.toml", FILE);
    builder.build().map_err(|error| error.to_string())
}

#[test]
fn a_variable_reaches_every_kind_of_value_that_a_file_can_give() {
    let config = built(&[
        ("SHOP__SELF_METRICS", "FALSE"),
        ("SHOP__SHUTDOWN_TIMEOUT", "2s"),
        ("SHOP__ON_SIGTERM", "Exit"),
        ("SHOP__CARDINALITY_LIMIT", "9"),
        ("SHOP__BUCKETS", "0.5, 1"),
        ("SHOP__RESOURCE", "team=shop, region = north"),
        ("SHOP__RESOURCE__SERVICE__NAME", "orders"),
        ("SHOP__exporters__Grafana_Cloud__ENDPOINT", "http://variable:1"),
        ("SHOP__EXPORTERS__GRAFANA_CLOUD__INCLUDE", "http.*,rpc.*"),
        ("SHOP__EXPORTERS__GRAFANA_CLOUD__HEADERS", "x-a=1,x-b=2"),
        ("SHOP__EXPORTERS__GRAFANA_CLOUD__HEADERS__X_SCOPE", "3"),
        ("SHOP__EXPORTERS__GRAFANA_CLOUD__AUTH__BASIC__USER", "u"),
        ("SHOP__EXPORTERS__GRAFANA_CLOUD__AUTH__BASIC__PASSWORD", "p"),
        ("SHOP__EXPORTERS__GRAFANA_CLOUD__RESOURCE", "ALL"),
        ("SHOP__EXPORTERS__PROMETHEUS__RESOURCE_LABELS", "team,region"),
        ("SHOP__EXPORTERS__PROMETHEUS__STRATEGY", "notranslation"),
        ("SHOP__EXPORTERS__PROMETHEUS__MAX_IN_FLIGHT", "3"),
        ("SHOP__EXPORTERS__PRINTED__TYPE", "stdout"),
        ("SHOP__EXPORTERS__PRINTED__INTERVAL", "4s"),
        ("SHOP__ENABLED", ""),
        ("SHOPPING__ENABLED", "none of ours"),
        ("SHOP_ENABLED", "none of ours"),
    ])
    .unwrap();
    assert_eq!(names(&config), "grafana-cloud printed prometheus");
    assert!(!config.self_metrics() && config.is_enabled());
    assert_eq!((config.shutdown_timeout().as_secs(), config.on_sigterm()), (2, OnSigterm::Exit));
    let attributes = ["team", "region", "service.name"].map(|key| attribute(&config, key));
    assert_eq!(attributes, ["shop", "north", "orders"]);
    let cloud = otlp(&config, "grafana-cloud");
    assert_eq!(cloud.to_string(), "to http://variable:1/v1/metrics every 1s");
    let filter = crate::view::Filter::new().include("http.*").include("rpc.*");
    let expected = crate::view::Projection::new().filter(filter).limit(9).default_buckets([0.5, 1.0]);
    assert_eq!(*cloud.projection(), expected);
    let sent = [("x-scope", "3"), ("x-a", "1"), ("x-b", "2"), ("authorization", "Basic dTpw")];
    let mut found = headers(&config, "grafana-cloud");
    found.sort_unstable();
    let mut sent = sent.to_vec();
    sent.sort_unstable();
    assert_eq!(found, sent);
    let page = prometheus(&config, "prometheus");
    let options = crate::PageOptions::new().strategy(crate::Strategy::NoTranslation);
    assert_eq!(*page.page(), options.resource_labels(crate::ResourceLabels::only(["team", "region"])));
    assert_eq!(page.listener().max_in_flight(), 3);
    assert_eq!(config.exporter("printed").unwrap().to_string(), "stdout every 4s");
}

#[test]
fn a_variable_of_the_application_wins_over_the_standard_ones_and_loses_to_a_pin() {
    let variables = [
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://standard:1"),
        ("OTEL_METRIC_EXPORT_INTERVAL", "3000"),
        ("OTEL_SERVICE_NAME", "standard"),
        ("SHOP__EXPORTERS__OTLP__ENDPOINT", "http://own:1"),
        ("SHOP__RESOURCE__SERVICE__NAME", "own"),
        ("SHOP__EXPORTERS__CENTRAL__ENDPOINT", "http://own:1"),
        ("SHOP__EXPORTERS__CENTRAL__TIMEOUT", "7s"),
    ];
    let builder = given(&variables).env_prefix("SHOP").exporter("central", Otlp::to("http://pinned:1"));
    let config = builder.clone().build().unwrap();
    assert_eq!(otlp(&config, "otlp").to_string(), "to http://own:1/v1/metrics every 3s");
    assert_eq!(attribute(&config, "service.name"), "own");
    let central = otlp(&config, "central");
    assert_eq!((central.endpoint().host(), central.timeout().unwrap().as_secs()), ("pinned", 7));
    let config = builder.resource_attribute("service.name", "pinned").build().unwrap();
    assert_eq!(attribute(&config, "service.name"), "pinned");
}

#[test]
fn a_variable_that_cannot_be_used_is_an_error_with_its_name() {
    let cases = [
        ("SHOP__ENBLED", "true", "\"enbled\" is not a key that is known here; did you mean \"enabled\"?"),
        ("SHOP__ENABLED", "yes", "expected true or false, found \"yes\""),
        ("SHOP__ENABLED__X", "true", "goes on behind \"enabled\", which is a value and no table"),
        ("SHOP__CARDINALITY_LIMIT", "many", "expected a whole number, found \"many\""),
        (
            "SHOP__CARDINALITY_LIMIT",
            "0",
            "0 leaves no series at all; write at least 1, or leave the metric out",
        ),
        ("SHOP__BUCKETS", "1,x", "expected numbers with commas between, found \"x\""),
        ("SHOP__BUCKETS", "2,1", "has the bound 1 behind 2; write bounds in increasing order, each once"),
        (
            "SHOP__ON_SIGTERM",
            "flsh",
            "expected \"auto\", \"flush\", \"exit\" or \"ignore\", found \"flsh\"; did you mean \"flush\"?",
        ),
        ("SHOP__VIEWS", "x", "is a list of tables, which only a file can give"),
        ("SHOP__INCLUDE", "x", "is a list of files, which only a file can give"),
        ("SHOP__RESOURCE", "s3cret", "entry 1 has no \"=\"; write name=value,name2=value2"),
        (
            "SHOP__EXPORTERS",
            "x",
            "is a table, \"exporters\"; give each of its keys a variable of its own, which ends for example with \
             __NAME__TYPE",
        ),
        (
            "SHOP__EXPORTERS__GRAFANA_CLOD__INTERVAL",
            "1s",
            "there is no exporter \"grafana_clod\"; set SHOP__EXPORTERS__GRAFANA_CLOD__TYPE to have one; did you mean \
             \"grafana_cloud\"?",
        ),
        (
            "SHOP__EXPORTERS__GRAFANA_CLOUD__ENDPONT",
            "1s",
            "\"endpont\" is not a key that is known here; did you mean \"endpoint\"?",
        ),
        (
            "SHOP__EXPORTERS__GRAFANA_CLOUD__INTERVAL",
            "60",
            "60 has no unit; write \"60s\" for seconds or \"60ms\" for milliseconds",
        ),
        (
            "SHOP__EXPORTERS__GRAFANA_CLOUD__AUTH",
            "s3cret",
            "is a table, \"auth\"; give each of its keys a variable of its own, which ends for example with __BEARER",
        ),
        (
            "SHOP__EXPORTERS__GRAFANA_CLOUD__TYPE",
            "stdout",
            "\"stdout\" contradicts a.toml:2: telemetry.exporters.grafana-cloud.type, which makes this exporter \
             \"otlp\"; keep one type",
        ),
        (
            "SHOP__EXPORTERS__NEW__TYPE",
            "oltp",
            "expected \"prometheus\", \"otlp\", \"pushgateway\" or \"stdout\", found \"oltp\"; did you mean \"otlp\"?",
        ),
    ];
    for (name, value, message) in cases {
        assert_eq!(built(&[(name, value)]).unwrap_err(), format!("{name}: {message}"));
    }
    let twice = built(&[("SHOP__SELF_METRICS", "true"), ("SHOP__self_metrics", "false")]).unwrap_err();
    assert_eq!(twice, "SHOP__self_metrics: is the same key as SHOP__SELF_METRICS; keep one of them");
    let basic = built(&[("SHOP__EXPORTERS__GRAFANA_CLOUD__AUTH__BASIC__USER", "u")]).unwrap_err();
    assert_eq!(
        basic,
        "SHOP__EXPORTERS__GRAFANA_CLOUD__AUTH__BASIC__PASSWORD: is missing; basic auth needs a user and a password"
    );
}

#[test]
fn a_variable_can_switch_exporters_off_also_a_private_one_of_which_nothing_else_can_be_said() {
    let vendor = |variables| {
        let builder = given(variables).env_prefix("SHOP").text("a.toml", FILE);
        builder.private_exporter("vendor", Otlp::to("http://vendor:1")).build()
    };
    let off =
        [("SHOP__EXPORTERS__VENDOR__ENABLED", "false"), ("SHOP__EXPORTERS__PROMETHEUS__ENABLED", "false")];
    assert_eq!(names(&vendor(&off).unwrap()), "grafana-cloud");
    let error = vendor(&[("SHOP__EXPORTERS__VENDOR__ENDPOINT", "http://users:1")]).unwrap_err();
    assert_eq!(
        error.to_string(),
        "SHOP__EXPORTERS__VENDOR__ENDPOINT: is not for the user to say: this exporter belongs to the program; \
         enabled = false switches it off, and is all that can be said of it"
    );
}

#[test]
fn a_prefix_that_no_variable_can_have_is_refused() {
    for prefix in ["", "1", "A-B", "A_", "A__B", "Ü"] {
        let error = bare().env_prefix(prefix).build().unwrap_err();
        let message = "is not a prefix for variables; write for example \"SHOP_TELEMETRY\"";
        assert_eq!(error.to_string(), format!("env_prefix: {prefix:?} {message}"));
    }
}

#[test]
fn variables_reach_what_an_included_file_describes() {
    let folder = Folder::new("prefixed");
    folder.write("low.toml", "[telemetry.exporters.my-central]\ntype = 'otlp'\n");
    let path = folder.write("main.toml", "[telemetry]\ninclude = ['low.toml']\n");
    let variables = [("A__EXPORTERS__MY_CENTRAL__INTERVAL", "5s")];
    let config = given(&variables).env_prefix("A").file(path).build().unwrap();
    assert_eq!(otlp(&config, "my-central").interval().as_secs(), 5);
}
