//! What Python's parsers understand, asked for a whole batch at once: `oracle.py` is started once.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde::Deserialize;
use serde_json::{Value, json};

use crate::samples::{Labels, Samples, exemplar, is_own};
use crate::truth::Families;

/// Where `xtask/src/python.rs` makes the environment. `target` is a folder of the target folder.
pub(super) fn interpreter(target: &str) -> PathBuf {
    Path::new(target).with_file_name("xtask").join("python").join("bin").join("python")
}

/// What is to be read.
#[derive(Debug, Default)]
pub struct Batch {
    pages: Vec<Value>,
    messages: Vec<Value>,
    traces: Vec<Value>,
}

/// What was understood, in the order in which it was asked for.
#[derive(Debug)]
pub struct Answers {
    /// The pages, or why they cannot be read.
    pub pages: Vec<Result<Page, String>>,
    /// The messages: points as JSON by the case they are of, or why they cannot be read.
    pub messages: Vec<Result<Vec<Fact>, String>>,
    /// The messages of spans, or why they cannot be read.
    pub traces: Vec<Result<Vec<SpanRead>, String>>,
    /// The collector of the same environment.
    pub rotel: PathBuf,
}

/// A span as the library reads it. Ids are digits in lower case; that of a parent is empty if there is none.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SpanRead {
    /// The trace.
    pub trace: String,
    /// The span.
    pub span: String,
    /// The span around it.
    pub parent: String,
    /// Its name.
    pub name: String,
    /// Its kind, as `server`.
    pub kind: String,
    /// Its attributes: the type of each value, and the value.
    pub attributes: BTreeMap<String, (String, Value)>,
    /// The names of its events.
    pub events: Vec<String>,
    /// The attributes of who has sent it.
    pub resource: BTreeMap<String, (String, Value)>,
}

/// A page as a parser reads it.
#[derive(Debug)]
pub struct Page {
    /// Its samples.
    pub samples: Samples,
    /// Types and descriptions by the names of the families; those that count have their `_total` back.
    pub families: Families,
    /// Its exemplars, a line each, sorted.
    pub exemplars: Vec<String>,
}

/// A point of a message.
#[derive(Debug, PartialEq, Eq)]
pub struct Fact {
    /// The service of its resource: which case it is of.
    pub case: String,
    /// Everything else, but for the scope.
    pub fact: String,
}

#[derive(Deserialize)]
struct Output {
    rotel: PathBuf,
    pages: Vec<PageOutput>,
    messages: Vec<MessageOutput>,
    traces: Vec<TraceOutput>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum PageOutput {
    Read {
        families: Vec<(String, String, String, String)>,
        samples: Vec<(String, Labels, String)>,
        exemplars: Vec<(String, Labels, Labels, String)>,
    },
    Error {
        error: String,
    },
}

#[derive(Deserialize)]
#[serde(untagged)]
enum MessageOutput {
    Read { facts: Vec<Value> },
    Error { error: String },
}

#[derive(Deserialize)]
#[serde(untagged)]
enum TraceOutput {
    Read { spans: Vec<SpanRead> },
    Error { error: String },
}

impl Batch {
    /// Adds a page in the text formats of Prometheus.
    pub fn text(&mut self, page: &[u8]) {
        self.page("text", page);
    }

    /// Adds a page in OpenMetrics, which is read strictly.
    pub fn openmetrics(&mut self, page: &[u8]) {
        self.page("openmetrics", page);
    }

    fn page(&mut self, format: &str, page: &[u8]) {
        self.pages.push(json!({ "format": format, "page": String::from_utf8_lossy(page) }));
    }

    /// Adds a message of OTLP in protobuf.
    pub fn protobuf(&mut self, body: &[u8]) {
        self.message("protobuf", body);
    }

    /// Adds a message of OTLP in JSON.
    pub fn json(&mut self, body: &[u8]) {
        self.message("json", body);
    }

    fn message(&mut self, encoding: &str, body: &[u8]) {
        self.messages.push(given(encoding, body));
    }

    /// Adds a message of spans, in JSON or else in protobuf.
    pub fn spans(&mut self, is_json: bool, body: &[u8]) {
        self.traces.push(given(if is_json { "json" } else { "protobuf" }, body));
    }

    /// Asks. `target` is a folder of the target folder, as `CARGO_TARGET_TMPDIR` is.
    ///
    /// # Panics
    ///
    /// If there is no such environment: `cargo xtask test --only services` makes it.
    pub fn ask(&self, target: &str) -> Answers {
        let python = interpreter(target);
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("oracle.py");
        let mut child = Command::new(&python)
            .arg(script)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| {
                panic!("{}: {error}; `cargo xtask test --only services` makes it", python.display())
            });
        let input =
            json!({ "pages": self.pages, "messages": self.messages, "traces": self.traces }).to_string();
        // It reads all before it writes anything.
        child.stdin.take().expect("piped").write_all(input.as_bytes()).expect("oracle.py reads");
        let output = child.wait_with_output().expect("oracle.py ends");
        assert!(output.status.success(), "oracle.py ended with {}", output.status);
        let output: Output = serde_json::from_slice(&output.stdout).expect("oracle.py prints JSON");
        Answers {
            pages: output.pages.into_iter().map(PageOutput::read).collect(),
            messages: output.messages.into_iter().map(MessageOutput::read).collect(),
            traces: output.traces.into_iter().map(TraceOutput::read).collect(),
            rotel: output.rotel,
        }
    }
}

impl PageOutput {
    fn read(self) -> Result<Page, String> {
        let (families, samples, exemplars) = match self {
            PageOutput::Read { families, samples, exemplars } => (families, samples, exemplars),
            PageOutput::Error { error } => return Err(error),
        };
        let of_it = exemplars
            .into_iter()
            .map(|(name, labels, of_it, bits)| exemplar(&name, labels, &of_it, double(&bits)));
        let mut page =
            Page { samples: Samples::default(), families: Families::new(), exemplars: of_it.collect() };
        page.exemplars.sort();
        for (name, labels, bits) in samples {
            page.samples.add(&name, labels, double(&bits))?;
        }
        for (name, kind, help, _unit) in families {
            if !is_own(&name) && page.families.insert(name.clone(), (kind, help)).is_some() {
                return Err(format!("the family {name} stands twice"));
            }
        }
        Ok(page)
    }
}

impl MessageOutput {
    fn read(self) -> Result<Vec<Fact>, String> {
        let facts = match self {
            MessageOutput::Read { facts } => facts,
            MessageOutput::Error { error } => return Err(error),
        };
        let recorded = facts.into_iter().filter(|fact| {
            // What metercast says of itself is no part of what was recorded.
            !fact["scope"].as_str().is_some_and(|scope| scope.starts_with("metercast"))
        });
        let mut facts: Vec<Fact> = recorded
            .map(|mut fact| {
                let fields = fact.as_object_mut().expect("a fact is an object");
                fields.remove("scope");
                let case = fields.remove("case").unwrap_or_default();
                Fact { case: case.as_str().unwrap_or_default().to_owned(), fact: fact.to_string() }
            })
            .collect();
        facts.sort_by(|a, b| a.fact.cmp(&b.fact));
        Ok(facts)
    }
}

impl TraceOutput {
    fn read(self) -> Result<Vec<SpanRead>, String> {
        match self {
            TraceOutput::Read { spans } => Ok(spans),
            TraceOutput::Error { error } => Err(error),
        }
    }
}

fn given(encoding: &str, body: &[u8]) -> Value {
    let body: String = body.iter().map(|byte| format!("{byte:02x}")).collect();
    json!({ "encoding": encoding, "body": body })
}

fn double(bits: &str) -> f64 {
    f64::from_bits(bits.parse().expect("the bits of a double"))
}
