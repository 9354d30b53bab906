//! Text of a file whose references to variables and files have been filled in, and what of it may be shown.

use std::fmt;

/// What stands for what is not shown.
pub(super) const HIDDEN: &str = "***";

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

#[cfg(all(test, feature = "config"))]
mod tests {
    use crate::config::filling::tests::filled;

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
}
