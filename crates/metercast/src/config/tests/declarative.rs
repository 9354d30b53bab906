//! Every key of OpenTelemetry's declarative files as data: `conformance/declarative/*.yaml`, what comes out beside each, the one
//! runner, and the table in `docs/declarative.md` that is made of them.
//!
//! `UPDATE=1` writes down what comes out; the difference is to be looked at.

use std::fmt::{Debug, Write};
use std::path::{Path, PathBuf};

use ::toml::de::{DeTable, DeValue};

use super::environment::shown;
use super::*;
use crate::view::{Glob, LabelRule, Projection, Rule, View};

/// The sections of the table, and how the names of their files begin.
const SECTIONS: [(&str, &[&str]); 7] = [
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
                [shown(&config) + &projections(&config), config.warnings().join("\n"), String::new()]
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
    assert_eq!(projection.rule, Rule::Each, "views do not know of each other");
    for view in &projection.views {
        line(view_line(view));
    }
}

fn joined(globs: &[Glob]) -> String {
    globs.iter().map(Glob::as_str).collect::<Vec<_>>().join(" ")
}

fn view_line(view: &View) -> String {
    let View { selector, name, alias, description, unit, labels, aggregation, gauges, limit } = view;
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
    assert!(alias.is_none() && unit.is_none() && gauges.is_none() && selector.visibility.is_none());
    text.replace("->  ", "-> ")
}

fn file(text: &str) -> (PathBuf, PathBuf) {
    static COUNT: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new(0);
    let n = COUNT.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
    let folder = std::env::temp_dir().join(format!("metercast-declarative-{}-{n}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let path = folder.join("otel.yaml");
    std::fs::write(&path, text).unwrap();
    (folder, path)
}

#[test]
fn a_declarative_file_stands_above_a_file_and_below_what_the_program_pins() {
    let (folder, path) = file(
        "file_format: \"1.1\"\nresource: {attributes: [{name: a, value: declared}, {name: b, value: declared}]}\n\
         meter_provider:\n  readers:\n    - periodic: {interval: 2000, exporter: {otlp_http: }}\n",
    );
    let builder = given(&[("OTEL_CONFIG_FILE", path.to_str().unwrap()), ("OTEL_METRIC_EXPORT_INTERVAL", "7000")])
        .default_exporter("otlp", Otlp::to("http://default:1").header("x", "default").interval(Duration::from_secs(9)))
        .text(
            "app.toml",
            "[telemetry.resource]\na = 'file'\nc = 'file'\n[telemetry.exporters.otlp]\ncompression = 'gzip'\ninterval = '5s'\n",
        )
        .resource_attribute("b", "pinned");
    let config = builder.clone().build().unwrap();
    assert_eq!(names(&config), "otlp");
    let found = otlp(&config, "otlp");
    assert_eq!(found.to_string(), "to http://default:1/v1/metrics every 2s");
    assert_eq!(found.compression(), Compression::Gzip);
    assert_eq!(headers(&config, "otlp"), [("x", "default")]);
    assert_eq!(["a", "b", "c"].map(|key| attribute(&config, key)), ["declared", "pinned", "file"]);
    let pinned = builder
        .exporter("otlp", Otlp::to("http://pinned:1").interval(Duration::from_secs(1)))
        .build()
        .unwrap();
    assert_eq!(otlp(&pinned, "otlp").to_string(), "to http://pinned:1/v1/metrics every 1s");
    std::fs::remove_dir_all(&folder).unwrap();
}

#[test]
fn the_variable_wins_over_the_file_that_the_program_names() {
    let (folder, path) =
        file("file_format: '1.1'\nmeter_provider: {readers: [{periodic: {exporter: {console: }}}]}\n");
    let (other, declared) = file("file_format: '1.1'\n");
    let config = given(&[("OTEL_SERVICE_NAME", "x")]).declarative_file(&path).build().unwrap();
    assert_eq!(names(&config), "stdout");
    assert_ne!(attribute(&config, "service.name"), "x");
    let named = [("OTEL_CONFIG_FILE", declared.to_str().unwrap())];
    assert_eq!(names(&given(&named).declarative_file(&path).build().unwrap()), "");
    assert_eq!(names(&bare().build().unwrap()), "prometheus");
    std::fs::remove_dir_all(&folder).unwrap();
    std::fs::remove_dir_all(&other).unwrap();
}

#[test]
fn a_declarative_file_that_is_not_there_is_an_error_of_who_names_it() {
    let error = given(&[("OTEL_CONFIG_FILE", "/no/such/otel.yaml")]).build().unwrap_err().to_string();
    let expected = "OTEL_CONFIG_FILE: \"/no/such/otel.yaml\" cannot be read: No such file or directory (os error 2); create it";
    assert_eq!(error, expected);
}

#[test]
fn a_reader_of_another_type_than_the_program_has_is_told_where() {
    let (folder, path) = file(
        "file_format: '1.1'\nmeter_provider:\n  readers:\n    - periodic: {exporter: {console: }}\n\
         distribution: {metercast: {readers: [{reader: stdout, name: main}]}}\n",
    );
    let error =
        bare().declarative_file(&path).exporter("main", Otlp::default()).build().unwrap_err().to_string();
    assert_eq!(
        error.replace(path.to_str().unwrap(), "otel.yaml"),
        "otel.yaml:4: meter_provider.readers[0].periodic.exporter.console: \"stdout\" contradicts the program, which makes this \
         exporter \"otlp\"; leave the type out"
    );
    std::fs::remove_dir_all(&folder).unwrap();
}

#[test]
fn no_damage_to_a_file_does_more_than_refuse_it() {
    const MARKS: &[u8] = b"{}[]:,-&*!|>'\"# \n$\t~?%@x0";
    // The same damage each time: xorshift.
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let mut random = |below: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state % below as u64) as usize
    };
    let (folder, path) = file("");
    for case in cases() {
        let text = std::fs::read_to_string(case.file("yaml")).unwrap();
        for _ in 0..4 {
            let mut bytes = text.clone().into_bytes();
            for _ in 0..1 + random(3) {
                let at = random(bytes.len());
                match random(4) {
                    0 => bytes.truncate(at.max(1)),
                    1 => bytes[at] = MARKS[random(MARKS.len())],
                    2 => _ = bytes.remove(at),
                    _ => bytes.insert(at, MARKS[random(MARKS.len())]),
                }
                bytes.extend((bytes.is_empty()).then_some(b'x'));
            }
            std::fs::write(&path, &bytes).unwrap();
            if let Err(error) = bare().declarative_file(&path).build() {
                assert!(error.problems().iter().all(|problem| !problem.message().is_empty()));
            }
        }
    }
    std::fs::remove_dir_all(&folder).unwrap();
}

#[test]
fn a_value_says_which_line_of_the_declarative_file_gave_it() {
    let (folder, path) = file(
        "file_format: '1.1'\nresource: {attributes: [{name: service.name, value: '${NAME}'}]}\nmeter_provider:\n  readers:\n\
         \x20   - periodic:\n        interval: 2000\n        exporter:\n          otlp_http:\n\
         \x20           endpoint: http://h:1/x\n            timeout: 3000\n",
    );
    let name = path.to_str().unwrap();
    let config = given(&[("OTEL_CONFIG_FILE", name), ("NAME", "orders")]).build().unwrap();
    let sources = config.sources();
    for (key, value, line) in [
        ("telemetry.exporters.otlp.interval", "2s", 6),
        ("telemetry.exporters.otlp.timeout", "3s", 10),
        ("telemetry.exporters.otlp.endpoint", "http://h:1/x", 9),
        ("telemetry.exporters.otlp.type", "otlp", 8),
    ] {
        let setting = sources.get(key).unwrap();
        assert_eq!(
            (setting.value(), setting.source()),
            (value, &Source::File(name.to_owned(), line)),
            "{key}"
        );
    }
    let service = sources.get("telemetry.resource.\"service.name\"").unwrap();
    assert_eq!(service.source(), &Source::File(name.to_owned(), 2));
    std::fs::remove_dir_all(&folder).unwrap();
}
