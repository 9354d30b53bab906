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
            let Some((word, rest)) = comment.split_once(' ') else { continue };
            let (name, text) = match rest.strip_prefix('"').and_then(quoted) {
                Some((name, text)) => (name, text.trim_start()),
                None => rest.split_once(' ').unwrap_or((rest, "")),
            };
            match word {
                "HELP" => {
                    let at = at(&mut families, name);
                    families[at].help = Some(text.to_owned());
                }
                "TYPE" if !text.is_empty() => {
                    let at = at(&mut families, name);
                    families[at].kind = text.to_owned();
                    kinds.insert(name.to_owned(), text.to_owned());
                }
                _ => {}
            }
        } else if !line.is_empty() && !line.starts_with('#') {
            let (name, labels) = name_and_labels(line);
            let (family, part) = family_of(name, &kinds);
            let at = at(&mut families, &family);
            let mut keys = keys(labels);
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

/// The name of a sample, and what stands behind it and the brace. A name that has other characters than letters, digits and underscores
/// stands in quotes among the labels.
fn name_and_labels(line: &str) -> (&str, &str) {
    let end = line.find(['{', ' ', '\t']).unwrap_or(line.len());
    let labels = line[end..].trim_start().strip_prefix('{').unwrap_or_default();
    match labels.trim_start().strip_prefix('"').and_then(quoted) {
        Some((name, rest)) if end == 0 => (name, rest),
        _ => (&line[..end], labels),
    }
}

/// What stands before the quote that is not escaped, and what behind it.
fn quoted(text: &str) -> Option<(&str, &str)> {
    let mut escaped = false;
    let end = text.char_indices().find(|(_, c)| {
        let ends = *c == '"' && !escaped;
        escaped = *c == '\\' && !escaped;
        ends
    });
    end.map(|(end, _)| (&text[..end], &text[end + 1..]))
}

/// The keys of labels.
fn keys(mut rest: &str) -> Vec<String> {
    let mut keys = Vec::new();
    while let Some((key, value)) = rest.split_once("=\"") {
        keys.push(key.trim_matches([',', ' ', '\t', '"']).to_owned());
        let Some((_, after)) = quoted(value) else { break };
        rest = after;
        if rest.trim_start().starts_with('}') {
            break;
        }
    }
    keys
}
