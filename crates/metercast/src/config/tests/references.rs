//! `${env:NAME}` and `${file:path}` in a file.

use super::folder::Folder;
use super::*;

/// The value of an attribute that is written so.
fn filled(variables: Given<'_>, text: &str) -> Result<String, String> {
    let text = format!("[telemetry.resource]\nit = '{text}'\n");
    let config = given(variables).text("a.toml", &text).build().map_err(|error| error.to_string())?;
    Ok(attribute(&config, "it"))
}

#[test]
fn a_reference_to_a_variable_becomes_its_value() {
    let variables = [("NAME", "value"), ("EMPTY", ""), ("TRICK", "${env:NAME}$")];
    let cases = [
        ("${env:NAME}", "value"),
        ("a-${env:NAME}-b${env:NAME}", "a-value-bvalue"),
        ("${env:NAME:-other}", "value"),
        ("${env:MISSING:-other}", "other"),
        ("${env:MISSING:-}", ""),
        ("${env:EMPTY:-other}", "other"),
        ("${env:MISSING:-a:-b}", "a:-b"),
        ("$${env:NAME}", "${env:NAME}"),
        ("$$$$", "$$"),
        ("a$b 5$", "a$b 5$"),
        ("${env:TRICK}", "${env:NAME}$"),
    ];
    for (text, value) in cases {
        assert_eq!(filled(&variables, text).as_deref(), Ok(value), "{text}");
    }
}

#[test]
fn a_reference_that_leads_nowhere_is_an_error_with_file_line_and_key() {
    let unset = |name| {
        format!("refers to the variable {name}, which is not set; set it, or write ${{env:{name}:-default}}")
    };
    let cases = [
        ("${env:MISSING}", unset("MISSING")),
        ("${env:EMPTY}", unset("EMPTY")),
        ("${MISSING}", NEITHER.to_owned()),
        ("${env:}", NEITHER.to_owned()),
        ("${vault:a}", NEITHER.to_owned()),
        ("a ${env:NAME", "has a ${ without a } behind it; write $$ for the character $".to_owned()),
    ];
    for (text, message) in cases {
        let found = filled(&[("EMPTY", "")], text).unwrap_err();
        assert_eq!(found, format!("a.toml:2: telemetry.resource.it: {message}"), "{text}");
    }
}

const NEITHER: &str =
    "has a reference (not shown) that is neither ${env:NAME} nor ${file:path}; write $$ for the character $";

#[test]
fn references_stand_in_lists_and_tables_and_for_numbers_and_truths() {
    let variables = [("ON", "TRUE"), ("MOST", " 7"), ("KEY", "a.b"), ("BOUND", "0.5"), ("TIME", "5s")];
    let text = "[telemetry.exporters.prometheus]\ntarget_info = '${env:ON}'\nmax_in_flight = '${env:MOST}'\n\
                timeout = '${env:TIME}'\nresource_labels = ['x', '${env:KEY}']\nbuckets = [0, '${env:BOUND}']\n\
                views = [{ name = '${env:KEY}', cardinality_limit = '${env:MOST}' }]\n";
    let config = given(&variables).text("a.toml", text).build().unwrap();
    let page = prometheus(&config, "prometheus");
    assert_eq!((page.listener().max_in_flight(), page.listener().timeout().as_secs()), (7, 5));
    let options = crate::PageOptions::new().target_info(true);
    assert_eq!(*page.page(), options.resource_labels(crate::ResourceLabels::only(["x", "a.b"])));
    let projection = crate::view::Projection::new().default_buckets([0.0, 0.5]);
    assert_eq!(*page.projection(), projection.view(crate::view::View::of("a.b").limit(7)));
}

#[test]
fn only_our_table_has_references() {
    let text = "[database]\nurl = '${env:MISSING}'\n[telemetry]\n";
    assert!(bare().text("a.toml", text).build().is_ok());
}

#[test]
fn a_reference_to_a_file_starts_from_the_file_that_it_stands_in() {
    let folder = Folder::new("references");
    folder.write("sub/token", "t0ken\r\n\n");
    let text = "[telemetry.exporters.central]\ntype = 'otlp'\nauth = { bearer = '${file:sub/token}' }\n\
                headers = { x = '${file:none:-d}' }\n";
    let path = folder.write("a.toml", text);
    let config = bare().file(&path).build().unwrap();
    assert_eq!(headers(&config, "central"), [("x", "d"), ("authorization", "Bearer t0ken")]);
    assert_eq!(config.files(), [path, folder.path("sub/token"), folder.path("none")]);
    folder.write("sub/token", "second");
    let again = config.reread().unwrap();
    assert_ne!(config, again);
    assert_eq!(headers(&again, "central")[1], ("authorization", "Bearer second"));
}

#[test]
fn a_secret_file_that_has_vanished_is_an_error_and_nothing_else_is() {
    let folder = Folder::new("vanished");
    folder.write("sub/token", "t0ken");
    let text = "[telemetry.exporters.central]\ntype = 'otlp'\nauth = { bearer = '${file:sub/token}' }\n";
    let config = bare().file(folder.write("a.toml", text)).build().unwrap();
    std::fs::remove_file(folder.path("sub/token")).unwrap();
    let error = config.reread().unwrap_err();
    assert_eq!(
        folder.without(error),
        "a.toml:3: telemetry.exporters.central.auth.bearer: refers to the file \"sub/token\", which cannot be \
         read: No such file or directory (os error 2); mend that, or write another path"
    );
}

#[test]
fn a_file_of_a_value_may_not_be_long() {
    let folder = Folder::new("long-value");
    folder.write("token", &"x".repeat((64 << 10) + 1));
    let path = folder.write("a.toml", "[telemetry.resource]\nit = '${file:token}'\n");
    assert_eq!(
        folder.without(bare().file(path).build().unwrap_err()),
        "a.toml:2: telemetry.resource.it: refers to the file \"token\", which cannot be read: it is longer than 64 \
         KiB; mend that, or write another path"
    );
}

#[test]
fn what_was_filled_in_is_in_no_error_and_no_warning() {
    let variables = [
        ("S", "s3cret"),
        ("PATH_", "s3cret/../.."),
        ("NUMBER", "s3cr"),
        ("SHORT", "s3"),
        ("HOST", "s3cret:99999"),
    ];
    let cases = [
        (
            "endpoint = '${env:S}:4318'",
            "endpoint: \"***:4318\" has no scheme; write http://***:4318 or https://***:4318",
        ),
        (
            "interval = '${env:S}'",
            "interval: \"***\" is not a length of time; write a whole number and a unit, such as \"500ms\", \"60s\" or \"5m\"",
        ),
        ("compression = '${env:S}'", "compression: expected \"gzip\", \"zstd\" or \"none\", found \"***\""),
        ("enabled = '${env:S}'", "enabled: expected true or false, found \"***\""),
        (
            "cardinality_limit = '${env:NUMBER}'",
            "cardinality_limit: expected an integer such as 500, found \"***\"",
        ),
        (
            "resource = '${env:S}'",
            "resource: expected \"all\", \"none\" or a list of attributes such as [\"service.name\"], found \"***\"",
        ),
        (
            "cardinality_limit = '${env:SHORT}'",
            "cardinality_limit: cannot be used as it is once ${env:SHORT} has been filled in (not shown)",
        ),
        (
            "endpoint = 'http://${env:HOST}'",
            "endpoint: cannot be used as it is once ***${env:HOST} has been filled in (not shown)",
        ),
    ];
    for (line, message) in cases {
        let text = format!("[telemetry.exporters.it]\ntype = 'otlp'\n{line}\n");
        let error = given(&variables).text("a.toml", &text).build().unwrap_err();
        assert_eq!(error.to_string(), format!("a.toml:3: telemetry.exporters.it.{message}"));
        assert!(!format!("{error:?} {:?}", error.problems()).contains("s3cret"));
    }
    let grpc = "[telemetry.exporters.it]\ntype = 'otlp'\nendpoint = 'http://h/${env:S}'\nprotocol = 'grpc'\n";
    let config = given(&variables).text("a.toml", grpc).build();
    let said = config.map(|config| config.warnings().join("\n")).unwrap_or_else(|error| error.to_string());
    assert!(!said.contains("s3cret"), "{said}");
}

#[test]
fn references_that_come_to_too_much_are_refused() {
    let long = "x".repeat(1 << 20);
    let text = format!("[telemetry.resource]\nit = '{}'\n", "${env:LONG}".repeat(17));
    let error = given(&[("LONG", &long)]).text("a.toml", &text).build().unwrap_err();
    assert_eq!(
        error.to_string(),
        "a.toml:2: telemetry.resource.it: comes to more than 16 MiB of what is referred to"
    );
}

#[test]
fn a_host_that_was_filled_in_stays_hidden_beside_a_port_of_the_environment() {
    let variables = [("HOST", "s3cret"), ("OTEL_EXPORTER_PROMETHEUS_PORT", "2")];
    let text = "[telemetry.exporters.prometheus]\nlisten = '${env:HOST}:1'\nenv = true\n";
    let config = given(&variables).text("a.toml", text).build().unwrap();
    assert_eq!(prometheus(&config, "prometheus").listen(), "s3cret:2");
    assert!(!config.sources().to_string().contains("s3cret"));
}

#[test]
fn a_key_that_was_filled_into_a_path_is_sent_and_not_shown() {
    let text =
        "[telemetry.exporters.it]\ntype = 'otlp'\nendpoint = 'http://${env:HOST}/${env:KEY}/v1/metrics'\n";
    let config = given(&[("HOST", "h"), ("KEY", "s3cret")]).text("a.toml", text).build().unwrap();
    let it = otlp(&config, "it");
    assert_eq!(it.endpoint().path(), "/s3cret/v1/metrics");
    assert_eq!(it.to_string(), "to http://h/*** every 60s");
    assert!(!format!("{config:?} {}", config.sources()).contains("s3cret"));
}
