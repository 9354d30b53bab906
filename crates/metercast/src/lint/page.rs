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
    let mut index: HashMap<&str, usize> = HashMap::new();
    let mut seen = HashSet::new();
    let mut kinds: HashMap<&str, &str> = HashMap::new();
    for line in page.lines().map(str::trim) {
        if let Some(comment) = line.strip_prefix("# ") {
            let Some((word, rest)) = comment.split_once(' ') else { continue };
            let (name, text) = match rest.strip_prefix('"').and_then(quoted) {
                Some((name, text)) => (name, text.trim_start()),
                None => rest.split_once(' ').unwrap_or((rest, "")),
            };
            match word {
                "HELP" => {
                    at(&mut index, &mut families, name).help = Some(text.to_owned());
                }
                "TYPE" if !text.is_empty() => {
                    // In any case: they are names of a list.
                    let kind = KINDS.iter().find(|kind| kind.eq_ignore_ascii_case(text)).unwrap_or(&text);
                    at(&mut index, &mut families, name).kind = (*kind).to_owned();
                    kinds.insert(name, kind);
                }
                _ => {}
            }
        } else if !line.is_empty() && !line.starts_with('#') {
            let (name, labels) = name_and_labels(line);
            let (family, part) = family_of(name, &kinds);
            let family = at(&mut index, &mut families, family);
            let of_format = match (family.kind.as_str(), part) {
                ("histogram", "_bucket") => "le",
                ("summary", "") => "quantile",
                _ => "",
            };
            for key in keys(labels).filter(|key| *key != of_format) {
                if !family.labels.contains(key) {
                    family.labels.insert(key.to_owned());
                }
            }
            let series = line.rsplit_once(' ').map_or(line, |(series, _)| series);
            family.repeated += usize::from(!seen.insert(series));
        }
    }
    families
}

/// Kinds of text 0.0.4.
const KINDS: [&str; 5] = ["counter", "gauge", "histogram", "summary", "untyped"];

/// The family of a name, which is new if there is none.
fn at<'a, 'page>(
    index: &mut HashMap<&'page str, usize>,
    families: &'a mut Vec<Family>,
    name: &'page str,
) -> &'a mut Family {
    let at = *index.entry(name).or_insert_with(|| {
        families.push(Family { name: name.to_owned(), kind: "untyped".to_owned(), ..Family::default() });
        families.len() - 1
    });
    &mut families[at]
}

/// The family of a sample, and what stands behind the family's name.
fn family_of<'a>(name: &'a str, kinds: &HashMap<&str, &str>) -> (&'a str, &'a str) {
    for part in ["_bucket", "_count", "_sum"] {
        let Some(family) = name.strip_suffix(part) else { continue };
        match kinds.get(family) {
            Some(&"histogram") => return (family, part),
            Some(&"summary") if part != "_bucket" => return (family, part),
            _ => {}
        }
    }
    (name, "")
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
fn keys(mut rest: &str) -> impl Iterator<Item = &str> {
    std::iter::from_fn(move || {
        let (key, value) = rest.split_once("=\"")?;
        let after = quoted(value).map_or("", |(_, after)| after);
        rest = if after.trim_start().starts_with('}') { "" } else { after };
        Some(key.trim_matches([',', ' ', '\t', '"']))
    })
}
