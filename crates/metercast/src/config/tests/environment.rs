//! Every variable and every rule of the specifications as data: `conformance/environment/*.toml`, and the one runner.
//!
//! A table is a case: its name is the claim, and its texts have a line for each
//!
//! * `variables`: `NAME=value`;
//! * `config`: setting of the configuration that comes out; those that are the defaults are left out;
//! * `traces`: what holds for traces, or `none` and why; not looked at if the case says nothing;
//! * `warnings`, or `error`: thing that is said;
//!
//! and in a build without the Cargo feature that `needs` names the error is `without` instead, or the reason why there are no traces.

use std::fmt::Write;
use std::path::Path;

use ::toml::de::{DeTable, DeValue};

use super::*;

#[test]
fn every_case_comes_out_as_its_table_says() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../conformance/environment");
    let (mut cases, mut faults) = (0, Vec::new());
    let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().path()).collect();
    files.sort();
    for file in files {
        let text = std::fs::read_to_string(&file).unwrap();
        let name = file.file_name().unwrap().to_string_lossy().into_owned();
        for (claim, table) in DeTable::parse(&text).unwrap().into_inner() {
            let DeValue::Table(table) = table.into_inner() else { panic!("{name}: {claim:?}") };
            cases += 1;
            if let Some(fault) = fault(&Case::of(&table)) {
                faults.push(format!("{name}: {}: {fault}", claim.into_inner()));
            }
        }
    }
    assert!(cases >= 60, "{cases} cases");
    assert!(faults.is_empty(), "{}", faults.join("\n\n"));
}

/// A case, with the empty text where the table says nothing.
#[derive(Default)]
struct Case {
    variables: String,
    config: String,
    traces: String,
    warnings: String,
    error: String,
    needs: String,
    without: String,
}

impl Case {
    fn of(table: &DeTable<'_>) -> Case {
        let mut case = Case::default();
        for (key, value) in table {
            let DeValue::String(text) = value.get_ref() else { panic!("{key:?} is not a text") };
            let field = match key.get_ref().as_ref() {
                "variables" => &mut case.variables,
                "config" => &mut case.config,
                "traces" => &mut case.traces,
                "warnings" => &mut case.warnings,
                "error" => &mut case.error,
                "needs" => &mut case.needs,
                "without" => &mut case.without,
                other => panic!("{other:?} is no key of a case"),
            };
            *field = text.trim().to_owned();
        }
        case
    }
}

/// What is not as the case says.
fn fault(case: &Case) -> Option<String> {
    let variables: Vec<_> = case.variables.lines().map(|line| line.split_once('=').expect(line)).collect();
    let is_built_in = match case.needs.as_str() {
        "" => true,
        "tls" => has::TLS,
        "grpc" => has::GRPC,
        "zstd" => has::ZSTD,
        "yaml" => cfg!(feature = "yaml"),
        other => panic!("{other:?} is no feature"),
    };
    let without_traces = format!("none {}", case.without);
    let expected = match (is_built_in, case.traces.is_empty()) {
        (true, _) => [&case.config, &case.traces, &case.warnings, &case.error].map(String::as_str),
        (false, true) => ["", "", "", &case.without],
        (false, false) => [&case.config, &without_traces, "", ""],
    };
    let found = match given(&variables).build() {
        Ok(config) => {
            let traces = if case.traces.is_empty() { String::new() } else { traces(&config) };
            [shown(&config), traces, config.warnings().join("\n"), String::new()]
        }
        Err(error) => [String::new(), String::new(), String::new(), error.to_string()],
    };
    (found != expected).then(|| {
        format!(
            "from\n{}\nexpected\n{}\nfound\n{}",
            case.variables,
            expected.join("\n--\n"),
            found.join("\n--\n")
        )
    })
}

/// The configuration, a line for each setting that is not the default.
pub(super) fn shown(config: &Config) -> String {
    let mut text = String::new();
    if !config.is_enabled() {
        text += "disabled\n";
    }
    match config.exemplars() {
        ExemplarFilter::AlwaysOff => text += "exemplars always_off\n",
        ExemplarFilter::AlwaysOn => text += "exemplars always_on\n",
        _ => {}
    }
    for (key, value) in config.resource().attributes() {
        let is_default = match key.as_str() {
            "service.name" => value.to_string().starts_with("unknown_service"),
            key => key == "service.instance.id" || key.starts_with("telemetry.sdk."),
        };
        if !is_default {
            writeln!(text, "resource {key}={value}").unwrap();
        }
    }
    for (name, exporter) in config.exporters() {
        writeln!(text, "{name}: {exporter}").unwrap();
        if let ExporterConfig::Otlp(otlp) = exporter {
            settings(otlp, &mut text);
        }
    }
    text.trim_end().to_owned()
}

/// What holds for traces, a line for each setting that is not the default.
pub(super) fn traces(config: &Config) -> String {
    let Some(traces) = config.traces() else {
        return format!("none {}", config.traces_problem().unwrap_or_default()).trim_end().to_owned();
    };
    let mut text = format!("{traces}\n");
    settings(traces.otlp(), &mut text);
    if (traces.max_queue_size(), traces.max_batch_size()) != (2_048, 512) {
        writeln!(text, "  queue {} batch {}", traces.max_queue_size(), traces.max_batch_size()).unwrap();
    }
    let SpanLimits { attributes, events, links, event_attributes, link_attributes, value_length } =
        traces.limits();
    let limits = [attributes, events, links, event_attributes, link_attributes];
    if limits != [128; 5] || value_length.is_some() {
        writeln!(text, "  limits {limits:?} {value_length:?}").unwrap();
    }
    text.trim_end().to_owned()
}

fn settings(otlp: &OtlpConfig, text: &mut String) {
    match otlp.timeout() {
        None => *text += "  timeout none\n",
        Some(timeout) if timeout == Duration::from_secs(10) => {}
        Some(timeout) => writeln!(text, "  timeout {}", duration::show(timeout)).unwrap(),
    }
    if otlp.compression() != Compression::None {
        writeln!(text, "  compression {:?}", otlp.compression()).unwrap();
    }
    if otlp.histograms() != HistogramAggregation::Explicit {
        writeln!(text, "  histograms {:?}", otlp.histograms()).unwrap();
    }
    let tls = otlp.tls();
    let files = [("ca", tls.ca()), ("certificate", tls.client_certificate()), ("key", tls.client_key())];
    for (what, file) in files {
        if let Some(file) = file {
            writeln!(text, "  {what} {}", file.display()).unwrap();
        }
    }
    if let Some(authorization) = otlp.proxy().and_then(ProxyConfig::authorization) {
        writeln!(text, "  proxy-authorization: {}", authorization.expose()).unwrap();
    }
    for (name, value) in otlp.headers().iter() {
        writeln!(text, "  {name}: {}", value.expose()).unwrap();
    }
}
