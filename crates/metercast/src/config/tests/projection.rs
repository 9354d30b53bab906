//! What an exporter takes, and whom a private one listens to.

use super::*;
use crate::view::{Filter, Projection, View, Visibilities};

fn all_alike(projection: Projection) -> [crate::config::Exporter; 3] {
    [
        Prometheus::default().projection(projection.clone()).into(),
        Otlp::default().projection(projection.clone()).into(),
        Stdout::default().projection(projection).into(),
    ]
}

#[test]
fn every_type_of_exporter_has_the_projection_that_code_gives_it() {
    let projection = Projection::new()
        .filter(Filter::new().visibility(Visibilities::Both).include("http.*").exclude_scope("noise"))
        .view(View::of("http.*").drop_labels(["user.id"]))
        .limit(50)
        .default_buckets([0.1, 1.0]);
    for exporter in all_alike(projection.clone()) {
        let config = bare().exporter("it", exporter).build().unwrap();
        assert_eq!(*config.exporter("it").unwrap().projection(), projection);
    }
    let silent = bare().exporter("it", Otlp::default()).build().unwrap();
    assert!(silent.exporter("it").unwrap().projection().is_plain());
}

#[test]
fn views_of_a_pin_come_behind_those_of_a_default_and_its_filter_replaces_theirs() {
    let (first, second) = (View::of("a").unit("ms"), View::of("a").unit("s"));
    let default = Otlp::default().view(first.clone()).filter(Filter::new().include("a"));
    let pinned = Otlp::default().view(second.clone()).filter(Filter::new().exclude("b"));
    let config = bare().default_exporter("it", default).exporter("it", pinned).build().unwrap();
    let expected = Projection::new().filter(Filter::new().exclude("b")).view(first).view(second);
    assert_eq!(*otlp(&config, "it").projection(), expected);
}

#[test]
fn what_code_says_of_views_is_checked_as_in_a_file() {
    let cases = [
        (
            View::of("a").buckets([2.0, 1.0]),
            "has the bound 1 behind 2; write bounds in increasing order, each once",
        ),
        (
            View::of("a").buckets([1.0, 1.0]),
            "has the bound 1 behind 1; write bounds in increasing order, each once",
        ),
        (
            View::of("a").buckets([f64::INFINITY]),
            "has the bound inf, which is not finite; leave it out: the last bucket has no bound anyway",
        ),
        (View::of("a").limit(0), "0 leaves no series at all; write at least 1, or leave the metric out"),
        (View::of("").drop(), "is an empty pattern, which nothing matches; write for example \"http.*\""),
        (View::of("a"), "changes nothing; say what to make of the metrics that it selects"),
        (
            View::of("a").rename("b").alias("c"),
            "has a rename beside an alias; an alias is a name of its own, so write two views or keep one of them",
        ),
        (
            View::of("a.*").rename("b"),
            "has the rename \"b\" for every metric that it selects, and one name is for one metric; select a \
             metric by its whole name",
        ),
    ];
    for (view, message) in cases {
        let error = bare().exporter("it", Otlp::default().view(view)).build().unwrap_err();
        assert_eq!(error.to_string(), format!("telemetry.exporters.it.views[0]: {message}"));
    }
    let limit = bare().exporter("it", Otlp::default().projection(Projection::new().limit(0)));
    assert_eq!(
        limit.build().unwrap_err().to_string(),
        "telemetry.exporters.it.cardinality_limit: 0 leaves no series at all; write at least 1, or leave the \
         metric out"
    );
}

#[test]
fn an_exporter_sends_the_attributes_of_the_resource_that_it_is_told_to() {
    let config = bare()
        .resource_attribute("team", "shop")
        .exporter("all", Otlp::default())
        .exporter("none", Otlp::default().resource(ResourceAttributes::None))
        .exporter("printed", Stdout::default().resource(ResourceAttributes::only(["team", "missing"])))
        .build()
        .unwrap();
    let keys = |attributes: &ResourceAttributes| {
        attributes.of(config.resource()).map(|(key, _)| key.clone()).collect::<Vec<_>>()
    };
    assert_eq!(keys(otlp(&config, "all").resource()).len(), config.resource().attributes().len());
    assert_eq!(keys(otlp(&config, "none").resource()), [""; 0]);
    let Some(ExporterConfig::Stdout(printed)) = config.exporter("printed") else { panic!() };
    assert_eq!(keys(printed.resource()), ["team"]);
    let error = bare().exporter("it", Otlp::default().resource(ResourceAttributes::only([""])));
    assert_eq!(
        error.build().unwrap_err().to_string(),
        "telemetry.exporters.it.resource: has an attribute without a key; leave it out"
    );
}

#[test]
fn no_variable_reaches_a_private_exporter() {
    let variables = [
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://users:1"),
        ("OTEL_EXPORTER_OTLP_HEADERS", "x=users"),
        ("OTEL_METRICS_EXPORTER", "none"),
        ("HTTP_PROXY", "http://users:3128"),
    ];
    let config = given(&variables).private_exporter("otlp", Otlp::to("http://vendor:1")).build().unwrap();
    assert_eq!(names(&config), "otlp");
    assert_eq!(config.exporter("otlp").unwrap().to_string(), "otlp to http://vendor:1/v1/metrics every 60s");
    assert_eq!(headers(&config, "otlp"), []);
}

#[test]
fn a_private_exporter_is_none_of_those_that_the_user_has() {
    let config = bare().private_exporter("vendor", Otlp::to("http://vendor:1")).build().unwrap();
    assert_eq!(names(&config), "prometheus vendor");
    assert!(config.is_private("vendor") && !config.is_private("prometheus"));
    let config = bare().private_exporter("it", Otlp::default()).exporter("it", Stdout::default()).build();
    assert!(!config.unwrap().is_private("it"));
    let config = bare().private_exporter("it", Otlp::default()).without_exporter("it").build();
    assert_eq!(names(&config.unwrap()), "prometheus");
}

#[cfg(feature = "config")]
mod files {
    use super::*;

    #[test]
    fn a_file_can_switch_a_private_exporter_off_and_nothing_else() {
        let vendor = || bare().private_exporter("vendor", Otlp::to("http://vendor:1"));
        let switch = |enabled| format!("[telemetry.exporters.vendor]\nenabled = {enabled}\n");
        let off = vendor().text("a.toml", &switch(false)).build().unwrap();
        assert_eq!(names(&off), "prometheus");
        assert!(off.is_private("vendor"));
        let on = vendor().text("a.toml", &switch(true)).build().unwrap();
        assert_eq!(names(&on), "prometheus vendor");
        let text = "[telemetry.exporters.vendor]\ntype = 'otlp'\nendpoint = 'http://users:1'\n";
        let error = vendor().text("a.toml", text).build().unwrap_err();
        let refusal = "is not for the user to say: this exporter belongs to the program; enabled = false switches it \
                       off, and is all that can be said of it";
        assert_eq!(
            error.to_string(),
            format!(
                "a.toml:2: telemetry.exporters.vendor.type: {refusal}\n\
                 a.toml:3: telemetry.exporters.vendor.endpoint: {refusal}"
            )
        );
    }

    #[test]
    fn reading_again_sees_what_the_file_has_become_and_keeps_what_code_says() {
        let path = std::env::temp_dir().join(format!("metercast-reread-{}.toml", std::process::id()));
        let write = |interval| {
            std::fs::write(&path, format!("[telemetry.exporters.central]\ninterval = '{interval}'\n"))
                .unwrap();
        };
        write("1s");
        let config =
            bare().file(&path).exporter("central", Otlp::to("http://h:1").bearer("t")).build().unwrap();
        assert_eq!(config, config.reread().unwrap());
        write("2s");
        let again = config.reread().unwrap();
        assert_ne!(config, again);
        assert_eq!(otlp(&again, "central").interval(), Duration::from_secs(2));
        assert_eq!(headers(&again, "central"), [("authorization", "Bearer t")]);
        write("2");
        assert!(again.reread().is_err());
        std::fs::remove_file(&path).unwrap();
        assert!(again.reread().unwrap_err().to_string().ends_with("; create it"));
    }
}
