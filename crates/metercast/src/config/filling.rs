//! Puts the text of a value together from what stands in a file and what that refers to.

use std::ops::Range;

use super::filled::{Filled, HIDDEN};
use super::url;

/// Puts a text together from what stands there and what is referred to.
#[derive(Default)]
pub(super) struct Filling {
    text: String,
    runs: Vec<Run>,
}

/// A piece of the text.
struct Run {
    kind: Kind,
    /// Where it is in the text.
    range: Range<usize>,
    written: String,
    /// A reference without its default.
    shown: String,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// As it stands there.
    Literal,
    /// What a variable or a file says.
    Elsewhere,
    /// What the reference itself says.
    Default,
}

impl Filling {
    /// What stands there, and what that means.
    pub(super) fn literal(&mut self, written: &str, meant: &str) {
        if !written.is_empty() {
            self.add(Kind::Literal, written.to_owned(), HIDDEN.to_owned(), meant);
        }
    }

    /// What is referred to. `reference` is what stands in the braces.
    pub(super) fn elsewhere(&mut self, reference: &str, value: &str) {
        self.add(Kind::Elsewhere, braced(reference), without_default(reference), value);
    }

    /// What the reference says itself, as there is nothing elsewhere.
    pub(super) fn otherwise(&mut self, reference: &str, value: &str) {
        self.add(Kind::Default, braced(reference), without_default(reference), value);
    }

    fn add(&mut self, kind: Kind, written: String, shown: String, value: &str) {
        let start = self.text.len();
        self.text.push_str(value);
        self.runs.push(Run { kind, range: start..self.text.len(), written, shown });
    }

    /// How long the text is.
    #[cfg(feature = "yaml")]
    pub(super) fn len(&self) -> usize {
        self.text.len()
    }

    /// The text; and how it was written, unless it has no reference.
    pub(super) fn finish(self) -> (String, Option<Filled>) {
        let Self { text, runs } = self;
        if runs.iter().all(|run| run.kind == Kind::Literal) {
            return (text, None);
        }
        let (mut written, mut references) = (String::new(), String::new());
        for run in &runs {
            written.push_str(&run.written);
            if run.kind == Kind::Literal { hide(&mut references) } else { references.push_str(&run.shown) }
        }
        let parts = runs.iter().filter(|run| run.kind == Kind::Elsewhere);
        let parts = parts.map(|run| text[run.range.clone()].to_owned()).collect();
        let url = url_of(&text, &runs);
        (text, Some(Filled { written, references, url, parts }))
    }
}

fn braced(reference: &str) -> String {
    format!("${{{reference}}}")
}

fn without_default(reference: &str) -> String {
    match reference.split_once(":-") {
        Some((name, default)) if !default.is_empty() => format!("${{{name}:-{HIDDEN}}}"),
        Some((name, _)) => braced(name),
        None => braced(reference),
    }
}

fn hide(shown: &mut String) {
    if !shown.ends_with(HIDDEN) {
        shown.push_str(HIDDEN);
    }
}

/// The text as a URL that is shown: user, password and query are not, and nothing of a path that something was filled into.
/// What is hidden is decided by the text that came out, as a part of it may begin the query.
fn url_of(text: &str, runs: &[Run]) -> String {
    let overlap = |a: &Range<usize>, b: &Range<usize>| a.start < b.end && b.start < a.end;
    let [user, path, query] = url::private(text);
    let is_filled = runs.iter().any(|run| run.kind == Kind::Elsewhere && overlap(&run.range, &path));
    let hidden = [user, query, if is_filled { path } else { 0..0 }];
    let mut shown = String::new();
    for run in runs {
        match run.kind {
            Kind::Literal => {
                for (at, c) in text[run.range.clone()].char_indices() {
                    let at = run.range.start + at;
                    if hidden.iter().any(|range| range.contains(&at)) {
                        hide(&mut shown);
                    } else {
                        shown.push(c);
                    }
                }
            }
            Kind::Default if !hidden.iter().any(|range| overlap(range, &run.range)) => {
                shown.push_str(&run.written);
            }
            Kind::Default | Kind::Elsewhere => shown.push_str(&run.shown),
        }
    }
    shown
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// Text that is made of these runs, each as it is written and what that is; references begin with `$`.
    pub(in crate::config) fn filled(runs: &[(&str, &str)]) -> Filled {
        let mut filling = Filling::default();
        for (written, value) in runs {
            match written.strip_prefix('$') {
                Some(reference) => filling.elsewhere(reference, value),
                None => filling.literal(written, value),
            }
        }
        filling.finish().1.unwrap()
    }

    #[test]
    fn of_a_url_what_is_no_secret_stays() {
        let url = |runs: &[(&str, &str)]| filled(runs).url;
        let host = ("$env:H:-x", "h");
        assert_eq!(url(&[("http://", "http://"), host, (":1/a", ":1/a")]), "http://${env:H:-***}:1/a");
        assert_eq!(url(&[("http://u:p@", "http://u:p@"), host]), "http://***@${env:H:-***}");
        assert_eq!(url(&[("http://h/?k=", "http://h/?k="), host]), "http://h/?***${env:H:-***}");
        assert_eq!(url(&[("$env:H", "http://h?k="), ("key", "key")]), "${env:H}***");
        assert_eq!(url(&[("$env:H", "http://u:"), ("key", "key"), ("$env:I", "@h")]), "${env:H}***${env:I}");
        assert_eq!(url(&[("http://h/a", "http://h/a"), ("$env:H", "key")]), "http://h/***${env:H}");
    }
}
