//! Every key of OpenTelemetry's declarative files as data: `conformance/declarative/*.yaml`, what comes out beside each, the one
//! runner, and the table in `docs/declarative.md` that is made of them.
//!
//! `UPDATE=1` writes down what comes out; the difference is to be looked at.

mod files;

use std::fmt::{Debug, Write};
use std::path::{Path, PathBuf};

use ::toml::de::{DeTable, DeValue};

use super::environment::{shown, traces};
use super::*;
use crate::view::{Glob, LabelRule, Projection, Rule, View};

/// The sections of the table, and how the names of their files begin.
const SECTIONS: [(&str, &[&str]); 8] = [
    (
        "The file",
        &[
            "file_format",
            "disabled",
            "log_level",
            "attribute_limits",
            "resource",
            "other_signals",
            "no_meter_provider",
            "unknown_keys",
            "duplicate_keys",
            "substitution",
            "structure_stays",
        ],
    ),
    (
        "Readers",
        &[
            "readers",
            "reader_",
            "periodic",
            "pull",
            "several_readers",
            "cardinality_limits",
            "exemplar_filter",
        ],
    ),
    ("OTLP", &["otlp_http", "otlp_grpc", "otlp_file"]),
    ("Other exporters", &["console", "prometheus"]),
    ("Views", &["view"]),
    ("Meters", &["meters"]),
    ("Traces", &["traces"]),
    ("What only metercast has", &["distribution"]),
];

#[test]
fn every_key_comes_out_as_the_file_beside_it_says_and_the_table_shows_it() {
    let update = std::env::var_os("UPDATE").is_some();
    let mut cases = cases();
    let mut faults = Vec::new();
    for case in &mut cases {
        if !case.is_built_in() {
            continue;
        }
        let found = case.outcome();
        if update {
            case.expected = found;
            std::fs::write(case.file("toml"), case.as_toml()).unwrap();
        } else if found != case.expected {
            faults.push(format!(
                "{}: expected\n{}\nfound\n{}",
                case.name,
                case.expected.join("\n--\n"),
                found.join("\n--\n")
            ));
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n\n"));

    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/declarative.md");
    let document = std::fs::read_to_string(&path).unwrap();
    let (before, _) = document.split_once(BEGIN).unwrap();
    let expected = format!("{before}{BEGIN}\n\n{}", tables(&cases));
    if update {
        std::fs::write(&path, &expected).unwrap();
    }
    assert!(
        update || document == expected,
        "docs/declarative.md is not what the cases say; UPDATE=1 writes it"
    );
}

/// Behind this line the document is made of the cases.
const BEGIN: &str = "<!-- What follows is made by a test; `UPDATE=1 cargo test -p metercast --all-features declarative` writes it. -->";

fn tables(cases: &[Case]) -> String {
    let mut text = String::new();
    let mut rows = 0;
    for (section, prefixes) in SECTIONS {
        write!(text, "## {section}\n\n| key | what metercast does |\n| --- | --- |\n").unwrap();
        for prefix in prefixes {
            for case in cases.iter().filter(|case| case.section() == Some(*prefix)) {
                rows += 1;
                let Case { name, key, .. } = case;
                writeln!(text, "| [`{key}`](../conformance/declarative/{name}.yaml) | {} |", case.summary())
                    .unwrap();
            }
        }
        text.push('\n');
    }
    assert_eq!(rows, cases.len(), "each case is in one section");
    text.truncate(text.trim_end().len());
    text + "\n"
}

/// The keys of the schema's `meter_provider` and `tracer_provider`, of 1.1 and then those of 1.0 that are spelled otherwise.
const KEYS: &str = "\
    exemplar_filter readers views meter_configurator/development periodic pull interval timeout \
    max_export_batch_size/development producers opencensus cardinality_limits default counter gauge \
    histogram observable_counter observable_gauge observable_up_down_counter up_down_counter exporter \
    otlp_http otlp_grpc otlp_file/development console prometheus/development endpoint tls ca_file \
    cert_file key_file insecure headers name value headers_list compression encoding max_request_size \
    max_response_size temporality_preference default_histogram_aggregation output_stream host port \
    scope_info_enabled target_info_enabled/development resource_constant_labels included excluded \
    translation_strategy selector stream instrument_name instrument_type unit meter_name meter_version \
    meter_schema_url description aggregation aggregation_cardinality_limit attribute_keys drop \
    explicit_bucket_histogram boundaries record_min_max base2_exponential_bucket_histogram max_scale \
    max_size last_value sum default_config meters config enabled without_scope_info \
    without_target_info/development with_resource_constant_labels disabled \
    processors batch simple schedule_delay export_timeout max_queue_size max_export_batch_size sampler always_on always_off \
    trace_id_ratio_based ratio parent_based root remote_parent_sampled remote_parent_not_sampled local_parent_sampled \
    local_parent_not_sampled limits attribute_value_length_limit attribute_count_limit event_count_limit link_count_limit \
    event_attribute_count_limit link_attribute_count_limit";

#[test]
fn every_key_of_the_schema_has_a_case() {
    let texts: Vec<String> =
        cases().iter().map(|case| std::fs::read_to_string(case.file("yaml")).unwrap()).collect();
    for key in KEYS.split_whitespace() {
        let is_given = |text: &String| {
            text.match_indices(&format!("{key}:")).any(|(at, _)| text[..at].ends_with([' ', '{', '\n']))
        };
        assert!(texts.iter().any(is_given), "{key} is in no case");
    }
}

struct Case {
    name: String,
    key: String,
    variables: String,
    needs: String,
    /// The configuration, the warnings, the error.
    expected: [String; 3],
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../conformance/declarative")
}

fn cases() -> Vec<Case> {
    let mut files: Vec<_> = std::fs::read_dir(folder()).unwrap().map(|file| file.unwrap().path()).collect();
    files.retain(|file| file.extension().is_some_and(|ending| ending == "yaml"));
    files.sort();
    assert!(files.len() >= 100, "{} cases", files.len());
    files.iter().map(|file| Case::read(file)).collect()
}

impl Case {
    fn read(yaml: &Path) -> Case {
        let text = std::fs::read_to_string(yaml.with_extension("toml")).unwrap();
        let table = DeTable::parse(&text).unwrap().into_inner();
        let text = |key: &str| match table.iter().find(|(known, _)| known.get_ref() == key) {
            Some((_, value)) => match value.get_ref() {
                DeValue::String(text) => text.trim().to_owned(),
                _ => panic!("{yaml:?}: {key} is not a text"),
            },
            None => String::new(),
        };
        for (key, _) in &table {
            let keys = ["key", "variables", "needs", "config", "warnings", "error"];
            assert!(keys.contains(&key.get_ref().as_ref()), "{yaml:?}: {key:?}");
        }
        Case {
            name: yaml.file_stem().unwrap().to_str().unwrap().to_owned(),
            key: text("key"),
            variables: text("variables"),
            needs: text("needs"),
            expected: ["config", "warnings", "error"].map(text),
        }
    }

    fn file(&self, ending: &str) -> PathBuf {
        folder().join(&self.name).with_extension(ending)
    }

    fn is_built_in(&self) -> bool {
        match self.needs.as_str() {
            "" => true,
            "tls" => has::TLS,
            "grpc" => has::GRPC,
            "zstd" => has::ZSTD,
            other => panic!("{other:?} is no feature"),
        }
    }

    /// What comes out, with the file called by its name only.
    fn outcome(&self) -> [String; 3] {
        let path = self.file("yaml");
        let variables = self.variables.lines().map(|line| line.split_once('=').expect(line));
        let variables: Vec<_> = variables.chain([("OTEL_CONFIG_FILE", path.to_str().unwrap())]).collect();
        let found = match given(&variables).build() {
            Ok(config) => {
                let traces =
                    config.traces().map(|_| format!("\ntraces {}", traces(&config))).unwrap_or_default();
                let shown = shown(&config) + &projections(&config) + &traces;
                [shown.trim_start().to_owned(), config.warnings().join("\n"), String::new()]
            }
            Err(error) => [String::new(), String::new(), error.to_string()],
        };
        found.map(|text| text.replace(path.to_str().unwrap(), &format!("{}.yaml", self.name)))
    }

    fn as_toml(&self) -> String {
        let mut text = String::new();
        let values = [("key", &self.key), ("variables", &self.variables), ("needs", &self.needs)];
        let [config, warnings, error] = &self.expected;
        for (key, value) in
            values.into_iter().chain([("config", config), ("warnings", warnings), ("error", error)])
        {
            let is_long = value.contains(['\n', '\'']);
            match value.as_str() {
                "" => {}
                value if is_long => write!(text, "{key} = '''\n{value}\n'''\n").unwrap(),
                value => writeln!(text, "{key} = '{value}'").unwrap(),
            }
        }
        text
    }

    /// How the names of the files of its section begin.
    fn section(&self) -> Option<&'static str> {
        let prefixes = SECTIONS.iter().flat_map(|(_, prefixes)| prefixes.iter());
        prefixes.copied().filter(|prefix| self.name.starts_with(prefix)).max_by_key(|prefix| prefix.len())
    }

    /// One cell of the table.
    fn summary(&self) -> String {
        let [_, warnings, error] = &self.expected;
        let said = |text: &str| {
            let line = text.lines().next().unwrap_or_default().replace('|', "\\|");
            let message = line.split_once(": ").map_or(line.as_str(), |(_, message)| message).to_owned();
            // Behind the file and the line stands the key, if the message is about one.
            let message = match message.split_once(": ") {
                Some((key, message)) if !key.contains(' ') => message.to_owned(),
                _ => message,
            };
            let more = text.lines().count() - 1;
            if more > 0 { format!("{message} (and {more} more)") } else { message }
        };
        let needs = match self.needs.as_str() {
            "" => String::new(),
            feature => format!(" (with the Cargo feature `{feature}`)"),
        };
        if !error.is_empty() {
            format!("refused: {}", said(error))
        } else if !warnings.is_empty() {
            format!("loads{needs}, with a warning: {}", said(warnings))
        } else {
            format!("loads{needs}")
        }
    }
}

/// What is not the default of the pages, projections and such.
fn projections(config: &Config) -> String {
    let mut text = String::new();
    let defaults = prometheus_defaults();
    for (name, exporter) in config.exporters() {
        let mut line = |what: String| write!(text, "\n{name} {what}").unwrap();
        match exporter {
            ExporterConfig::Prometheus(prometheus) => {
                for changed in changed(prometheus.page(), &defaults) {
                    line(changed);
                }
            }
            ExporterConfig::Otlp(otlp) if otlp.request_limit() != 64 << 20 => {
                line(format!("request_limit {}", otlp.request_limit()));
            }
            _ => {}
        }
        projection(exporter.projection(), &mut line);
    }
    text
}

fn prometheus_defaults() -> crate::PageOptions {
    let config = bare().build().unwrap();
    prometheus(&config, "prometheus").page().clone()
}

/// The fields that differ from the defaults.
fn changed(value: &impl Debug, default: &impl Debug) -> Vec<String> {
    let fields = |text: String| {
        let mut fields: Vec<String> = Vec::new();
        for line in text.lines().skip(1) {
            match line.strip_prefix("    ") {
                Some(field) if !field.starts_with([' ', ')', ']', '}']) => fields.push(field.to_owned()),
                Some(more) => _ = fields.last_mut().map(|field| *field += more.trim()),
                None => {}
            }
        }
        fields
    };
    let defaults = fields(format!("{default:#?}"));
    fields(format!("{value:#?}")).into_iter().filter(|field| !defaults.contains(field)).collect()
}

fn projection(projection: &Projection, line: &mut dyn FnMut(String)) {
    let filter = &projection.filter;
    if filter.visibility != Default::default() {
        line(format!("visibility {:?}", filter.visibility));
    }
    let globs = [
        ("include", &filter.include),
        ("exclude", &filter.exclude),
        ("include_scopes", &filter.include_scopes),
        ("exclude_scopes", &filter.exclude_scopes),
    ];
    for (what, globs) in globs {
        if !globs.is_empty() {
            line(format!("{what} {}", joined(globs)));
        }
    }
    if let Some(limit) = projection.limit {
        line(format!("limit {limit}"));
    }
    for (selector, limit) in &projection.limits {
        line(format!("limit {limit} of {selector}"));
    }
    assert_eq!(projection.rule, Rule::Each, "views do not know of each other");
    for view in &projection.views {
        line(view_line(view));
    }
}

fn joined(globs: &[Glob]) -> String {
    globs.iter().map(Glob::as_str).collect::<Vec<_>>().join(" ")
}

fn view_line(view: &View) -> String {
    let View {
        selector,
        name,
        alias,
        description,
        unit,
        labels,
        exemplar_labels,
        aggregation,
        gauges,
        limit,
        said: _,
    } = view;
    let mut text = "view of".to_owned();
    let mut say = |what: &str, value: Option<String>| {
        if let Some(value) = value {
            write!(text, " {what} {value}").unwrap();
        }
    };
    say("name", selector.name.as_ref().map(|name| name.as_str().to_owned()));
    say("kind", selector.kind.map(|kind| format!("{kind:?}")));
    say("observable", selector.observable.map(|observable| observable.to_string()));
    say("unit", selector.unit.clone());
    say("scope", selector.scope.as_ref().map(|scope| scope.as_str().to_owned()));
    say("version", selector.scope_version.clone());
    say("->", Some(String::new()));
    say("name", name.clone());
    say("description", description.clone());
    say("limit", limit.map(|limit| limit.to_string()));
    say("aggregation", aggregation.as_ref().map(|aggregation| format!("{aggregation:?}")));
    for rule in labels {
        match rule {
            LabelRule::Keep(globs) => say("keep", Some(joined(globs))),
            LabelRule::Drop(globs) => say("drop", Some(joined(globs))),
            other => say("labels", Some(format!("{other:?}"))),
        }
    }
    say("exemplars have", exemplar_labels.then(|| "what is taken".to_owned()));
    assert!(alias.is_none() && unit.is_none() && gauges.is_none() && selector.visibility.is_none());
    text.replace("->  ", "-> ")
}
