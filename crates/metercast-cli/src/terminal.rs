//! What a command says to whoever started it: its answer on standard output, and what is wrong on the other.

use std::borrow::Cow;
use std::io::{self, Write};
use std::process::ExitCode;

/// Whether all is well, or why a command could not do what it was asked for.
pub(crate) type Answer = Result<bool, String>;

/// Says why it did not work if it did not, and gives the status for scripts: 0 only if all is well.
pub(crate) fn end(answer: &Answer) -> ExitCode {
    match answer {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(trouble) => {
            say(&format!("error: {trouble}"));
            ExitCode::FAILURE
        }
    }
}

/// Prints an answer for people at once; whether anybody still reads. A character that a terminal would obey is escaped: names and labels come
/// from anywhere.
pub(crate) fn print(text: &str) -> Result<bool, String> {
    data(visible(text).as_bytes())
}

/// Prints an answer for programs as it is; whether anybody still reads. Whoever has seen enough closes it, as `head` does.
pub(crate) fn data(data: impl AsRef<[u8]>) -> Result<bool, String> {
    let mut output = io::stdout().lock();
    match output.write_all(data.as_ref()).and_then(|()| output.flush()) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(false),
        Err(error) => Err(format!("cannot write to standard output: {error}")),
    }
}

/// Says something to people beside the answer; that nobody listens is no trouble.
pub(crate) fn say(text: &str) {
    let _ = writeln!(io::stderr(), "{}", visible(text));
}

fn visible(text: &str) -> Cow<'_, str> {
    // What turns the direction of writing lets a text look like another.
    let turns = |rune: char| matches!(rune, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let is_obeyed = |rune: char| (rune.is_control() && rune != '\n' && rune != '\t') || turns(rune);
    if !text.contains(is_obeyed) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len());
    for rune in text.chars() {
        if is_obeyed(rune) { shown.extend(rune.escape_default()) } else { shown.push(rune) }
    }
    Cow::Owned(shown)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_terminal_would_obey_is_shown() {
        assert_eq!(visible("one\ttwo\nµ"), "one\ttwo\nµ");
        assert_eq!(visible("\u{1b}]0;x\u{7}\r\u{9b}31m"), "\\u{1b}]0;x\\u{7}\\r\\u{9b}31m");
        assert_eq!(visible("a\u{202e}b\u{2066}c\u{61c}"), "a\\u{202e}b\\u{2066}c\\u{61c}");
    }
}
