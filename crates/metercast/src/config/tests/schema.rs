//! The table of keys: the reader, the schema and the documentation say the same.

use super::super::keys::{self, Key, Takes};
use super::validator::is_valid;
use super::*;
use crate::config::exporter::Kind;

/// A key, and a file in whose place for its value stands `VALUE`.
struct Case {
    text: String,
    key: &'static Key,
    /// Whether it stands in the table of telemetry or of an exporter itself.
    is_top: bool,
}

impl Case {
    fn with(&self, value: &str) -> String {
        self.text.replace("VALUE", value)
    }

    /// The example. The type of an exporter is its name here.
    fn example(&self) -> String {
        if self.key.name == "type" {
            let name = self.text.split_once("exporters.").and_then(|(_, rest)| rest.split_once(']'));
            return self.with(&format!("{:?}", name.unwrap().0));
        }
        self.with(self.key.example)
    }
}

fn every_key() -> Vec<Case> {
    fn add(head: &str, outer: &[String], tables: &[&'static [Key]], all: &mut Vec<Case>) {
        for key in tables.iter().flat_map(|table| table.iter()) {
            let mut text = format!("{} = VALUE", key.name);
            for outer in outer.iter().rev() {
                text = outer.replace("INNER", &text);
            }
            all.push(Case { text: format!("{head}{text}\n"), key, is_top: outer.is_empty() });
            let (inner, open) = match key.takes {
                Takes::Table(inner) | Takes::OneOf(inner) | Takes::TruthOrTable(inner) => {
                    (inner, format!("{} = {{ INNER }}", key.name))
                }
                Takes::Views => (keys::VIEW, format!("{} = [{{ INNER }}]", key.name)),
                _ => continue,
            };
            add(head, &[outer, &[open]].concat(), &[inner], all);
        }
    }
    let mut all = Vec::new();
    add("[telemetry]\n", &[], &[keys::TELEMETRY], &mut all);
    for kind in Kind::ALL {
        let head = format!("[telemetry.exporters.{}]\n", kind.name());
        add(&head, &[], keys::of_kind(kind), &mut all);
    }
    assert!(all.len() > 100, "{}", all.len());
    all
}

fn problems(text: &str) -> Vec<String> {
    let builder = bare().text("a.toml", text).default_exporter("pushgateway", gateway());
    match builder.build() {
        Ok(_) => Vec::new(),
        Err(error) => error.problems().iter().map(ToString::to_string).collect(),
    }
}

fn gateway() -> Pushgateway {
    Pushgateway::to("http://gateway:9091", "job")
}

#[test]
fn every_example_is_accepted_by_the_reader() {
    for case in every_key() {
        let text = case.example().replace("${file:token}", "t");
        let found = problems(&text);
        // What is not complete without others, or not in this build, is said to be so, and not to be wrong.
        let needs_others = ["preset", "dataset", "tls"].contains(&case.key.name) || !case.is_top;
        let is_wrong = |problem: &String| problem.contains("is not a key") || problem.contains("expected");
        let refusals = found.iter().filter(|problem| !needs_others || is_wrong(problem));
        assert_eq!(refusals.collect::<Vec<_>>(), [""; 0], "{text}");
    }
}

#[test]
fn every_key_of_the_table_is_read() {
    for case in every_key() {
        // Nothing takes a date, so whoever reads it complains.
        let text = case.with("2026-01-01");
        let found = problems(&text);
        let is_said = |problem: &String| problem.contains("found a date or time");
        assert!(found.iter().any(is_said), "{text}{found:?}");
    }
}

#[test]
fn every_default_is_accepted_and_changes_nothing() {
    for case in every_key().iter().filter(|case| case.is_top && !case.key.default.is_empty()) {
        let build =
            |text: &str| bare().text("a.toml", text).default_exporter("pushgateway", gateway()).build();
        let head = case.text.lines().next().unwrap();
        let text = case.with(case.key.default);
        assert_eq!(build(&text).unwrap(), build(&format!("{head}\n")).unwrap(), "{text}");
    }
}

#[test]
fn every_key_is_documented_in_the_module() {
    let documentation: Vec<&str> =
        include_str!("../mod.rs").lines().take_while(|line| line.starts_with("//!")).collect();
    let documentation = documentation.join("\n");
    for Case { text, key, .. } in every_key() {
        let name = key.name;
        let forms = [format!("`{name}`"), format!(".{name}`"), format!("{name} = "), format!("`{name}.")];
        assert!(forms.iter().any(|form| documentation.contains(form)), "{name}: {text}");
        assert!(key.doc.ends_with('.'), "{name}: {}", key.doc);
    }
}

/// A file as the oracle reads it.
fn as_json(text: &str) -> serde_json::Value {
    fn value(found: &::toml::de::DeValue<'_>) -> serde_json::Value {
        use ::toml::de::DeValue;
        match found {
            DeValue::String(text) => text.as_ref().into(),
            DeValue::Boolean(truth) => (*truth).into(),
            DeValue::Integer(number) => number.as_str().parse::<i64>().unwrap().into(),
            DeValue::Float(number) => number.as_str().parse::<f64>().unwrap().into(),
            DeValue::Datetime(date) => date.to_string().into(),
            DeValue::Array(items) => items.iter().map(|item| value(item.get_ref())).collect(),
            DeValue::Table(entries) => table(entries),
        }
    }
    fn table(entries: &::toml::de::DeTable<'_>) -> serde_json::Value {
        let entries = entries.iter();
        let entries = entries.map(|(key, item)| (key.get_ref().to_string(), value(item.get_ref())));
        serde_json::Value::Object(entries.collect())
    }
    table(::toml::de::DeTable::parse(text).unwrap().get_ref())
}

/// Whether the schema takes a file.
struct Oracle(serde_json::Value);

impl Oracle {
    fn new() -> Oracle {
        Oracle(serde_json::from_str(&schema()).unwrap())
    }

    fn takes(&self, text: &str) -> bool {
        is_valid(&self.0, &self.0, &as_json(text))
    }
}

#[test]
fn the_schema_takes_every_example_and_refuses_every_other_type() {
    let oracle = Oracle::new();
    for case in every_key() {
        let (good, bad) = (case.example(), case.with("[[false]]"));
        assert!(oracle.takes(&good), "{good}");
        assert!(!oracle.takes(&bad), "{bad}");
    }
}

#[test]
fn the_schema_and_the_reader_agree_on_whole_files() {
    let oracle = Oracle::new();
    let good = [
        "",
        "[database]\nurl = 1\n",
        "[telemetry.exporters.central]\ntype = 'otlp'\nendpoint = 'http://h'\ntimeout = '0s'\n",
        "[telemetry.exporters.otlp]\nprotocol = 'http/json'\n[telemetry.resource]\nservice.name = 'x'\na = 0.5\n",
        "[[telemetry.views]]\nname = 'a'\nexponential = { max_size = 20 }\nrename_labels = { a = 'b' }\n",
        "[telemetry.exporters.prometheus]\nmax_in_flight = '${env:MISSING:-4}'\nhealth = '${env:MISSING:-true}'\n",
    ];
    for text in good {
        assert_eq!(problems(text), [""; 0], "{text}");
        assert!(oracle.takes(text), "{text}");
    }
    let bad = [
        "telemetry = 1\n",
        "[telemetry]\nenbled = true\n",
        "[telemetry]\nshutdown_timeout = 5\n",
        "[telemetry]\nshutdown_timeout = '5'\n",
        "[telemetry]\non_sigterm = 'flsh'\n",
        "[telemetry]\ncardinality_limit = 0\n",
        "[telemetry]\nviews = [{ nmae = 'a', unit = 's' }]\n",
        "[telemetry.resource]\na = [1]\n",
        "[telemetry.exporters.central]\ntype = 'oltp'\n",
        "[telemetry.exporters.'my central']\ntype = 'otlp'\n",
        "[telemetry.exporters.central]\ntype = 'otlp'\nlisten = 'h:1'\n",
        "[telemetry.exporters.otlp]\ntype = 'prometheus'\n",
        "[telemetry.exporters.otlp]\nauth = { bearer = 'a', basic = { user = 'a', password = 'b' } }\n",
        "[telemetry.exporters.otlp]\nauth = {}\n",
        "[telemetry.exporters.otlp]\nbuckets = ['x']\n",
        "[telemetry.exporters.prometheus]\nmax_in_flight = 1001\n",
        "[telemetry.exporters.prometheus]\nresource_labels = 'some'\n",
    ];
    for text in bad {
        assert_ne!(problems(text), [""; 0], "{text}");
        assert!(!oracle.takes(text), "{text}");
    }
}

#[test]
fn every_file_in_the_readme_is_accepted() {
    let readme = include_str!("../../../../../README.md");
    let files: Vec<&str> =
        readme.split("```toml\n").skip(1).filter_map(|rest| Some(rest.split_once("```")?.0)).collect();
    let (oracle, folder) = (Oracle::new(), folder::Folder::new("readme"));
    folder.write("usage-token", "t0ken");
    let files = files.into_iter().filter(|text| text.contains("[telemetry"));
    // Those need stages, which metercast-tower has; its tests read them.
    let files = files.filter(|text| !text.contains("[telemetry.instruments"));
    let mut read = 0;
    for text in files {
        assert!(oracle.takes(text), "{text}");
        let path = folder.write("metercast.toml", text);
        let built = given(&[("USAGE_HOST", "h"), ("TOKEN", "t")]).file(path).build();
        assert!(built.is_ok() || !has::TLS, "{text}{built:?}");
        read += 1;
    }
    assert!(read >= 2, "{read}");
}
