//! Claims about files in YAML.

#[cfg(feature = "yaml")]
use std::fmt::Write;

use super::*;
#[cfg(feature = "yaml")]
use crate::config::error::Findings;
#[cfg(feature = "yaml")]
use crate::config::place::Place;
#[cfg(feature = "yaml")]
use crate::config::tree::{Entries, Value};

/// Files that say everything that a file can say, and some that say it wrongly.
#[cfg(feature = "yaml")]
const CASES: [&str; 11] = [
    "[telemetry]\nenabled = false\n",
    "[telemetry]\nshutdown_timeout = '7s'\non_sigterm = 'flush'\nself_metrics = false\nexemplars = 'always_off'\n\
     [telemetry.resource]\n'service.name' = 'orders'\nreplicas = 3\nratio = 0.5\ncanary = true\nteam.name = 'on'\n",
    "[telemetry.exporters.page]\ntype = 'prometheus'\nlisten = '[::1]:0'\npath = '/m'\nany_path = true\n\
     auth = { bearer = 'token' }\nhealth = false\nmax_in_flight = 3\ntimeout = '5s'\nstrategy = 'NoTranslation'\n\
     unit_suffix = false\ntotal_suffix = true\nscope_labels = true\ntarget_info = true\n\
     resource_labels = ['service.name', 'k8s.pod.name']\ncreated = true\nexemplars = false\nenv = true\n",
    "[telemetry.exporters.central]\ntype = 'otlp'\nendpoint = 'http://h:4318'\nprotocol = 'http/json'\ninterval = '1500ms'\n\
     timeout = '0s'\ncompression = 'gzip'\nproxy = 'none'\ntemporality = 'delta'\nhistograms = 'exponential'\n\
     auth = { basic = { user = 'u', password = 'p: #x' } }\nheaders = { 'x-scope' = 'a', 'x-tenant' = '17' }\n",
    "[telemetry.exporters.cloud]\ntype = 'otlp'\npreset = 'honeycomb'\nauth = { token = 'k' }\ndataset = 'd'\n",
    "[telemetry.exporters.stdout]\ninterval = '2m'\n[other]\nkey = [1, 2.5, 'x', { y = [] }]\n",
    "[telemetry]\nshutdown_timeout = 5\non_sigterm = 'flsh'\n[telemetry.exporters.a]\nintervall = '1s'\n",
    "[telemetry.exporters.central]\ntype = 'otlp'\nendpoint = 'h'\nheaders = ['s3cret']\nauth = 's3cret'\n",
    "[telemetri]\nenabled = true\n",
    "[telemetry]\nbuckets = [0.5, 1, 10.0]\ncardinality_limit = 100\n[telemetry.exporters.stdout]\nvisibility = 'both'\n\
     include = ['http.*']\nexclude_scopes = ['noisy']\nresource = ['service.name']\n[[telemetry.exporters.stdout.views]]\n\
     name = 'a.b'\nkind = 'histogram'\nrename = 'a.c'\nbuckets = [1, 2]\nrename_labels = { 'http.route' = 'route' }\n\
     [[telemetry.exporters.stdout.views]]\nname = 'x.*'\nexponential = { max_size = 80, max_scale = 3 }\n",
    "[[telemetry.views]]\nname = 'a'\naggregation = 'dorp'\n[[telemetry.views]]\nname = 'b'\nbuckets = [2, 1]\nkeep_lables = ['x']\n",
];

#[cfg(feature = "yaml")]
#[test]
fn a_file_says_the_same_in_yaml_as_in_toml() {
    for case in CASES {
        let mut findings = Findings::default();
        let entries = crate::config::toml::parse(case, &Place::file("a"), &mut findings);
        for in_flow in [false, true] {
            let mut yaml = String::new();
            put(&mut yaml, &entries, if in_flow { None } else { Some(0) });
            let said = |name: &str, text: &str| match bare().text(name, text).build() {
                Ok(config) => {
                    let placeless: Vec<_> =
                        config.warnings().iter().map(|line| without_place(line)).collect();
                    format!(
                        "{:?} {:?} {placeless:?}",
                        config.resource().get("service.name"),
                        config.exporters
                    ) + &format!("{:?} {:?}", config.shutdown_timeout, config.resource().get("ratio"))
                        + &format!("{:?} {:?} {:?}", config.on_sigterm, config.self_metrics, config.enabled)
                }
                Err(error) => error
                    .problems()
                    .iter()
                    .map(|problem| format!("{}: {}\n", problem.key(), problem.message()))
                    .collect(),
            };
            assert_eq!(said("a.yaml", &yaml), said("a.toml", case), "{yaml}");
        }
    }
}

#[cfg(feature = "yaml")]
fn without_place(warning: &str) -> String {
    warning.split_once(": ").unwrap().1.to_owned()
}

/// The same tree as YAML, indented or in one line.
#[cfg(feature = "yaml")]
fn put(out: &mut String, entries: &Entries, depth: Option<usize>) {
    let Some(depth) = depth else {
        out.push('{');
        for (key, node) in entries {
            write!(out, "{key:?}: ").unwrap();
            put_value(out, &node.value, None);
            out.push_str(", ");
        }
        return out.push('}');
    };
    for (key, node) in entries {
        write!(out, "{}{key:?}:", "  ".repeat(depth)).unwrap();
        put_value(out, &node.value, Some(depth));
        out.push('\n');
    }
}

#[cfg(feature = "yaml")]
fn put_value(out: &mut String, value: &Value, depth: Option<usize>) {
    match value {
        Value::String(text) if depth.is_some() => write!(out, " '{text}'").unwrap(),
        Value::String(text) => write!(out, " {text:?}").unwrap(),
        Value::Bool(truth) => write!(out, " {truth}").unwrap(),
        Value::Integer(number) => write!(out, " {number}").unwrap(),
        Value::Float(number) => write!(out, " {number:?}").unwrap(),
        Value::Table(entries) if depth.is_some() && !entries.is_empty() => {
            out.push('\n');
            put(out, entries, depth.map(|depth| depth + 1));
        }
        Value::Table(entries) => {
            out.push(' ');
            put(out, entries, None);
        }
        Value::List(items) => {
            out.push_str(" [");
            for item in items {
                put_value(out, &item.value, None);
                out.push_str(", ");
            }
            out.push(']');
        }
        Value::Other(kind) => panic!("{kind}"),
    }
}

#[cfg(feature = "yaml")]
#[test]
fn the_name_of_a_file_says_that_it_is_yaml() {
    let folder = std::env::temp_dir().join(format!("metercast-yaml-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    for name in ["a.yaml", "a.yml", "a.YAML"] {
        let file = folder.join(name);
        std::fs::write(&file, "telemetry:\n  exporters:\n    stdout: {interval: 3s}\n").unwrap();
        let config = bare().file(&file).build().unwrap();
        assert_eq!(config.exporter("stdout").unwrap().to_string(), "stdout every 3s", "{name}");
        let error = bare().text(name, "telemetry:\n  enabled: maybe\n").build().unwrap_err();
        assert_eq!(
            error.to_string(),
            format!("{name}:2: telemetry.enabled: expected true or false, found a string")
        );
    }
    std::fs::remove_dir_all(&folder).unwrap();
}

#[cfg(feature = "yaml")]
#[test]
fn a_key_without_a_value_is_told_so() {
    let error = bare().text("a.yml", "telemetry:\n  exporters:\n    central:\n").build().unwrap_err();
    assert_eq!(
        error.to_string(),
        "a.yml:3: telemetry.exporters.central: expected a table of settings, found nothing"
    );
}

#[cfg(not(feature = "yaml"))]
#[test]
fn without_the_feature_a_yaml_file_is_an_error_that_names_it() {
    let error = bare().text("a.yaml", "telemetry: {}\n").build().unwrap_err();
    assert_eq!(
        error.to_string(),
        "a.yaml: is YAML, which this build does not read; enable the feature \"yaml\" of metercast, or write TOML"
    );
}
