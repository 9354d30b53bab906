//! What Prometheus has of a program: its metrics under the names of its page, read from its file or from its catalogue as JSON.

use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};

use metercast_tower::catalogue::Catalogue;
use serde::Deserialize;

use crate::spelling::Spelling;

/// Catalogues are lists; a file that is longer is something else.
const LONGEST_JSON: u64 = 64_000_000;

/// Which program.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Program {
    /// The program whose metrics are meant, which is read and not run; or its catalogue, as `metercast docs --json` prints it
    #[arg(long, value_name = "PATH")]
    pub(crate) binary: PathBuf,
    /// Only metrics of this crate; may be given several times
    #[arg(long = "crate", value_name = "NAME")]
    crates: Vec<String>,
    #[command(flatten)]
    spelling: Spelling,
}

/// A metric, as far as queries need it.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Metric {
    /// As declared.
    pub(crate) name: String,
    /// The name of its family on the page.
    pub(crate) prometheus: String,
    pub(crate) kind: Kind,
    /// In UCUM; empty if none was given.
    pub(crate) unit: String,
    pub(crate) description: String,
    visibility: String,
    pub(crate) labels: Vec<Label>,
    /// Whether it may have labels that nobody knows before it runs.
    pub(crate) open_labels: bool,
    places: Vec<Place>,
}

/// What its values mean.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Kind {
    Counter,
    UpDownCounter,
    Gauge,
    Histogram,
    Summary,
    #[serde(other)]
    Unknown,
}

/// A label of it.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Label {
    /// What it is called on the page.
    pub(crate) prometheus: String,
    pub(crate) values: Values,
}

/// What it can be.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub(crate) enum Values {
    /// One of these, or the fallback.
    OneOf { one_of: Vec<String>, fallback: Option<String> },
    /// Any whole number.
    Whole(Whole),
    /// Anything else.
    Other(serde::de::IgnoredAny),
}

/// As the catalogue says it.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Whole {
    Whole,
}

#[derive(Clone, Debug, Deserialize)]
struct Place {
    package: String,
}

#[derive(Deserialize)]
struct Printed {
    metrics: Vec<Metric>,
}

impl Program {
    /// What it is called: the name of its file; of a catalogue, what stands before the ending.
    pub(crate) fn name(&self) -> String {
        self.binary.file_stem().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
    }

    /// All metrics that its page can have, sorted by name; there is at least one. What is private stands on no page.
    ///
    /// # Errors
    ///
    /// Why it cannot be read, or that it has none.
    pub(crate) fn metrics(&self) -> Result<Vec<Metric>, String> {
        let shown = self.binary.display();
        let json = match printed(&self.binary)? {
            Some(json) => {
                if self.spelling.is_given() {
                    return Err(format!(
                        "{shown} is a catalogue, which has its names already; give --strategy or --profile to the `metercast docs` \
                         that prints it"
                    ));
                }
                json
            }
            None => {
                let catalogue = Catalogue::of_file(&self.binary).map_err(|error| error.to_string())?;
                catalogue.page_options(self.spelling.page()).json()
            }
        };
        let Printed { mut metrics } = serde_json::from_str(&json).map_err(|error| {
            format!("{shown} is no catalogue: {error}; `metercast docs --json` prints one")
        })?;
        if metrics.is_empty() {
            return Err(format!(
                "{shown} has no metrics; `metercast docs --binary {shown}` says why that may be"
            ));
        }
        let mut packages: Vec<String> =
            metrics.iter().flat_map(|metric| &metric.places).map(|place| place.package.clone()).collect();
        packages.sort();
        packages.dedup();
        for name in &self.crates {
            if !packages.iter().any(|package| same(package, name)) {
                let all = packages.join(", ");
                return Err(format!("{shown} has no metrics of the crate {name}; it has those of {all}"));
            }
        }
        metrics.retain(|metric| metric.visibility != "private" && metric.is_of(&self.crates));
        if metrics.is_empty() {
            return Err(format!("{shown} has private metrics only, which no page has"));
        }
        metrics.sort_by(|one, other| one.name.cmp(&other.name));
        // Of two metrics of one name there, one stands on the page.
        let mut names = BTreeSet::new();
        metrics.retain(|metric| names.insert(metric.prometheus.clone()));
        Ok(metrics)
    }
}

impl Metric {
    fn is_of(&self, crates: &[String]) -> bool {
        let is_named = |place: &Place| crates.iter().any(|name| same(name, &place.package));
        crates.is_empty() || self.places.iter().any(is_named)
    }

    /// The crate that defines it; empty if it is made at run time.
    pub(crate) fn package(&self) -> &str {
        self.places.first().map_or("", |place| &place.package)
    }

    /// The words of its name, in lower case: `http.server.request.duration` has four.
    pub(crate) fn words(&self) -> Vec<String> {
        let words = self.name.split(|c: char| !c.is_alphanumeric());
        words.filter(|word| !word.is_empty()).map(str::to_lowercase).collect()
    }

    /// Whether its name has one of these words.
    pub(crate) fn says(&self, words: &[&str]) -> bool {
        self.words().iter().any(|word| words.contains(&&**word))
    }

    /// Whether metercast itself defines it, to say how it does.
    pub(crate) fn is_of_metercast(&self) -> bool {
        ["metercast.", "otel.sdk."].iter().any(|begin| self.name.starts_with(begin))
    }

    /// Whether it only says what something is, by its labels.
    pub(crate) fn is_info(&self) -> bool {
        self.kind == Kind::Gauge && self.words().last().is_some_and(|word| word == "info")
    }
}

/// The text of a file that holds JSON; `None` of any other.
///
/// # Errors
///
/// Why it cannot be read.
pub(crate) fn printed(path: &Path) -> Result<Option<String>, String> {
    let cannot = |error: io::Error| format!("cannot read {}: {error}", path.display());
    let mut file = std::fs::File::open(path).map_err(|error| {
        format!("{}; name the file of a program that was built, such as target/debug/app", cannot(error))
    })?;
    let mut first = [0];
    let begins = io::Read::read(&mut file, &mut first).map_err(cannot)?;
    if begins == 0 || first != *b"{" {
        return Ok(None);
    }
    let mut text = "{".to_owned();
    io::Read::read_to_string(&mut io::Read::take(file, LONGEST_JSON), &mut text).map_err(cannot)?;
    Ok(Some(text))
}

/// A crate has underscores where its package may have dashes; people write either.
pub(crate) fn same(one: &str, other: &str) -> bool {
    one.replace('-', "_") == other.replace('-', "_")
}
