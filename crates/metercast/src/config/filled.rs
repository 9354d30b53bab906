//! Text of a file whose references to variables and files have been filled in, and what of it may be shown.

use std::fmt;
use std::ops::Range;

use super::url;

/// What stands for what is not shown.
const HIDDEN: &str = "***";

/// How a value was written, and what was put into it. `Debug` prints the references of it.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Filled {
    /// As it stands in the file, for a key whose value is no secret.
    pub(super) written: String,
    /// Only the references: what stands beside them, and what they say for the case that there is nothing, is `***`.
    pub(super) references: String,
    /// The same for a URL: without what a URL does not show.
    pub(super) url: String,
    /// What came from elsewhere. Each of them may be a secret.
    pub(super) parts: Vec<String>,
}

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
                        hide(&mut shown)
                    } else {
                        shown.push(c)
                    }
                }
            }
            Kind::Default if !hidden.iter().any(|range| overlap(range, &run.range)) => {
                shown.push_str(&run.written)
            }
            Kind::Default | Kind::Elsewhere => shown.push_str(&run.shown),
        }
    }
    shown
}

impl Filled {
    /// The message without anything that was filled in. If that cannot be cut out of it, nothing of the message is shown: where
    /// it has a part of a value, or where the value is so short or so common that it stands in the message's own words.
    pub(super) fn conceal(&self, message: String) -> String {
        let parts = || self.parts.iter().filter(|part| !part.is_empty());
        let letters: usize = parts().map(String::len).sum();
        if letters.saturating_mul(message.len()) > MOST_WORK {
            return self.nothing_shown();
        }
        let mut shown = message;
        for part in parts().filter(|part| part.chars().count() >= FEW) {
            if is_within_words(part, &shown) {
                return self.nothing_shown();
            }
            let quoted = format!("{part:?}");
            shown = shown.replace(part.as_str(), HIDDEN).replace(&quoted[1..quoted.len() - 1], HIDDEN);
        }
        if parts().any(|part| leaks(part, &shown)) { self.nothing_shown() } else { shown }
    }

    fn nothing_shown(&self) -> String {
        format!("cannot be used as it is once {} has been filled in (not shown)", self.references)
    }
}

/// As many letters in a row say something.
const FEW: usize = 4;

/// The most letters of values times those of a message that are looked at.
const MOST_WORK: usize = 1 << 22;

/// Whether some letters in a row, or the whole of a shorter text, are shown.
fn leaks(secret: &str, shown: &str) -> bool {
    let letters: Vec<char> = secret.chars().collect();
    letters.windows(letters.len().min(FEW)).any(|some| shown.contains(&some.iter().collect::<String>()))
}

/// Whether a text stands in the middle of a word of the message that is in no quotes, so that it seems to be the message's
/// own.
fn is_within_words(part: &str, message: &str) -> bool {
    let is_letter = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
    let mut found = message.match_indices(part).map(|(at, _)| at).peekable();
    let (mut is_quoted, mut is_escaped, mut before) = (false, false, None);
    for (at, c) in message.char_indices() {
        if found.next_if_eq(&at).is_some() && !is_quoted {
            let behind = message[at + part.len()..].chars().next();
            let begins = is_letter(before) && is_letter(part.chars().next());
            if begins || (is_letter(part.chars().next_back()) && is_letter(behind)) {
                return true;
            }
        }
        is_quoted ^= c == '"' && !is_escaped;
        is_escaped = c == '\\' && !is_escaped;
        before = Some(c);
    }
    false
}

impl fmt::Debug for Filled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.references.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filled(runs: &[(&str, &str)]) -> Filled {
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
    fn nothing_of_what_was_filled_in_is_shown() {
        let filled = filled(&[("http://", "http://"), ("$env:H", "s3cret\"host"), (":1", ":1")]);
        let cases = [
            ("is wrong", "is wrong"),
            ("\"http://s3cret\\\"host:1\" is wrong", "\"http://***:1\" is wrong"),
            (
                "the host 3cre is wrong",
                "cannot be used as it is once ***${env:H}*** has been filled in (not shown)",
            ),
        ];
        for (message, shown) in cases {
            assert_eq!(filled.conceal(message.to_owned()), shown);
        }
        assert_eq!(format!("{filled:?}"), "\"***${env:H}***\"");
        assert_eq!(filled.written, "http://${env:H}:1");
    }

    #[test]
    fn a_value_that_stands_in_the_words_of_a_message_hides_all_of_it() {
        let nothing = "cannot be used as it is once ${env:H} has been filled in (not shown)";
        let message =
            |value: &str| format!("has {value:?} where a number should be; write for example http://{value}");
        for value in ["a", "ha", "umbe", "xampl"] {
            assert_eq!(filled(&[("$env:H", value)]).conceal(message(value)), nothing, "{value}");
        }
        let shown = "has \"***\" where a number should be; write for example http://***";
        assert_eq!(filled(&[("$env:H", "proxy")]).conceal(message("proxy")), shown);
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
