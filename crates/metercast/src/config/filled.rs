//! Text of a file whose references to variables and files have been filled in, and what of it may be shown.

use std::fmt;

/// How a value was written, and what was put into it. `Debug` prints it as it was written.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Filled {
    /// With its references.
    pub(super) written: String,
    /// What came from elsewhere. Each of them may be a secret.
    pub(super) parts: Vec<String>,
}

impl Filled {
    /// The message without anything that was filled in. If more than three letters in a row of that are left, as where a
    /// message shows a part of a value, nothing of it is shown.
    pub(super) fn conceal(&self, message: String) -> String {
        let parts = || self.parts.iter().filter(|part| !part.is_empty());
        let mut shown = message;
        for part in parts() {
            let quoted = format!("{part:?}");
            shown = shown.replace(part.as_str(), "***").replace(&quoted[1..quoted.len() - 1], "***");
        }
        if parts().any(|part| leaks(part, &shown)) {
            return format!("cannot be used as it is once {} has been filled in (not shown)", self.written);
        }
        shown
    }
}

/// Whether four letters in a row, or the whole of a shorter text, are shown.
fn leaks(secret: &str, shown: &str) -> bool {
    let letters: Vec<char> = secret.chars().collect();
    letters.windows(letters.len().min(4)).any(|some| shown.contains(&some.iter().collect::<String>()))
}

impl fmt::Debug for Filled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.written.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_of_what_was_filled_in_is_shown() {
        let filled =
            Filled { written: "http://${env:H}:1".to_owned(), parts: vec!["s3cret\"host".to_owned()] };
        let cases = [
            ("is wrong", "is wrong"),
            ("\"http://s3cret\\\"host:1\" is wrong", "\"http://***:1\" is wrong"),
            (
                "the host 3cre is wrong",
                "cannot be used as it is once http://${env:H}:1 has been filled in (not shown)",
            ),
        ];
        for (message, shown) in cases {
            assert_eq!(filled.conceal(message.to_owned()), shown);
        }
        assert_eq!(format!("{filled:?}"), "\"http://${env:H}:1\"");
    }
}
