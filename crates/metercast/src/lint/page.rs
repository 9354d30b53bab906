//! The metrics of a page in Prometheus' text format, as far as rules look at them.

use std::collections::{BTreeSet, HashMap, HashSet};

/// A metric of a page.
#[derive(Debug, Default)]
pub(super) struct Family {
    pub(super) name: String,
    /// As the page says; `untyped` if it does not.
    pub(super) kind: String,
    pub(super) help: Option<String>,
    /// The keys of its labels, those of the format left out: `le` of histograms and `quantile` of summaries.
    pub(super) labels: BTreeSet<String>,
    /// Samples that are there more than once.
    pub(super) repeated: usize,
}

/// The metrics of a page, in its order. Lines that are none are passed over.
pub(super) fn families(page: &str) -> Vec<Family> {
    let mut families: Vec<Family> = Vec::new();
    let mut index: HashMap<String, usize> = HashMap::new();
    let mut seen = HashSet::new();
    let mut at = |families: &mut Vec<Family>, name: &str| {
        *index.entry(name.to_owned()).or_insert_with(|| {
            families.push(Family { name: name.to_owned(), kind: "untyped".to_owned(), ..Family::default() });
            families.len() - 1
        })
    };
    let mut kinds: HashMap<String, String> = HashMap::new();
    for line in page.lines().map(str::trim) {
        if let Some(comment) = line.strip_prefix("# ") {
            let mut words = comment.splitn(3, ' ');
            match (words.next(), words.next(), words.next()) {
                (Some("HELP"), Some(name), help) => {
                    let at = at(&mut families, name);
                    families[at].help = Some(help.unwrap_or_default().to_owned());
                }
                (Some("TYPE"), Some(name), Some(kind)) => {
                    let at = at(&mut families, name);
                    families[at].kind = kind.to_owned();
                    kinds.insert(name.to_owned(), kind.to_owned());
                }
                _ => {}
            }
        } else if !line.is_empty() && !line.starts_with('#') {
            let name = line.split(['{', ' ', '\t']).next().unwrap_or_default();
            let (family, part) = family_of(name, &kinds);
            let at = at(&mut families, &family);
            let mut keys = keys(line);
            match (families[at].kind.as_str(), part) {
                ("histogram", "_bucket") => keys.retain(|key| key != "le"),
                ("summary", "") => keys.retain(|key| key != "quantile"),
                _ => {}
            }
            families[at].labels.extend(keys);
            let series = line.rsplit_once(' ').map_or(line, |(series, _)| series);
            families[at].repeated += usize::from(!seen.insert(series.to_owned()));
        }
    }
    families
}

/// The family of a sample, and what stands behind the family's name.
fn family_of<'a>(name: &'a str, kinds: &HashMap<String, String>) -> (String, &'a str) {
    for part in ["_bucket", "_count", "_sum"] {
        let Some(family) = name.strip_suffix(part) else { continue };
        match kinds.get(family).map(String::as_str) {
            Some("histogram") => return (family.to_owned(), part),
            Some("summary") if part != "_bucket" => return (family.to_owned(), part),
            _ => {}
        }
    }
    (name.to_owned(), "")
}

/// The keys of a sample's labels.
fn keys(line: &str) -> Vec<String> {
    let mut keys = Vec::new();
    let Some((_, mut rest)) = line.split_once('{') else { return keys };
    while let Some((key, value)) = rest.split_once("=\"") {
        keys.push(key.trim_matches([',', ' ', '\t']).to_owned());
        // Up to the quote that is not escaped.
        let mut escaped = false;
        let end = value.char_indices().find(|(_, c)| {
            let ends = *c == '"' && !escaped;
            escaped = *c == '\\' && !escaped;
            ends
        });
        let Some((end, _)) = end else { break };
        rest = &value[end + 1..];
        if rest.trim_start().starts_with('}') {
            break;
        }
    }
    keys
}
