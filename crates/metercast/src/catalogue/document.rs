//! A file with the reference in it: the text around belongs to whoever wrote it.

use std::{error, fmt};

use super::Catalogue;

/// Between these lines stands what is made.
const BEGIN: &str = "<!-- metercast: what follows is made from the program, up to the line that says so. -->";
const END: &str = "<!-- metercast: end of what is made from the program. -->";
/// What the lines begin with, should somebody have changed the rest.
const BEGINS: &str = "<!-- metercast: what follows";
const ENDS: &str = "<!-- metercast: end";

/// Why the reference cannot be put into a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum DocumentError {
    /// The file has text, and no lines that say where the reference stands.
    NoPlace,
    /// It has only one of the lines, one of them twice, or the end first.
    Unclear,
}

impl fmt::Display for DocumentError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match self {
            DocumentError::NoPlace => "it has no lines between which the reference stands",
            DocumentError::Unclear => {
                "the two lines between which the reference stands are not there once each, in their order"
            }
        };
        write!(f, "{what}; write these two where it is to stand, or empty the file:\n{BEGIN}\n{END}")
    }
}

impl error::Error for DocumentError {}

impl Catalogue {
    /// A file with [`markdown`](Catalogue::markdown) in it, between two lines of comment. Of what the file has now, `existing`, everything
    /// outside of these lines stays. An empty file gets a title. Where the file's lines end as on Windows, those of the reference do too.
    ///
    /// # Errors
    ///
    /// If `existing` is not empty and does not say clearly where the reference stands.
    pub fn document(&self, existing: &str) -> Result<String, DocumentError> {
        let (before, old, after) = around(existing)?.unwrap_or(("# Metrics\n\n", "", ""));
        let mut new = format!("{BEGIN}\n\n{}\n{END}\n", self.markdown());
        if old.lines().next().is_some_and(|first| old[first.len()..].starts_with("\r\n")) {
            new = new.replace('\n', "\r\n");
        }
        Ok(format!("{before}{new}{after}"))
    }
}

/// What stands before the reference, the reference with its two lines, and what stands after it; `None` if the file is empty.
fn around(existing: &str) -> Result<Option<(&str, &str, &str)>, DocumentError> {
    if existing.trim().is_empty() {
        return Ok(None);
    }
    let mut at = 0;
    let (mut begins, mut ends) = (Vec::new(), Vec::new());
    for line in existing.split_inclusive('\n') {
        if line.starts_with(BEGINS) {
            begins.push(at);
        }
        at += line.len();
        if line.starts_with(ENDS) {
            ends.push(at);
        }
    }
    match (&*begins, &*ends) {
        ([], []) => Err(DocumentError::NoPlace),
        ([begin], [end]) if begin < end => {
            Ok(Some((&existing[..*begin], &existing[*begin..*end], &existing[*end..])))
        }
        _ => Err(DocumentError::Unclear),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::PageOptions;

    #[test]
    fn what_stands_around_the_reference_stays() {
        let text = format!("# Ours\n\n{BEGINS} -->\nold\n{ENDS} -->\nAsk us.\n");
        let old = format!("{BEGINS} -->\nold\n{ENDS} -->\n");
        assert_eq!(around(&text), Ok(Some(("# Ours\n\n", &*old, "Ask us.\n"))));
        assert_eq!(around(" \n"), Ok(None));
    }

    #[test]
    fn a_file_with_the_line_ends_of_windows_is_as_good_as_another() {
        let catalogue = Catalogue { metrics: Vec::new(), conflicts: Vec::new(), options: PageOptions::new() };
        let written = catalogue.document("").unwrap();
        let checked_out = written.replace('\n', "\r\n");
        assert_eq!(catalogue.check(&checked_out), Ok(()));
        assert_eq!(catalogue.document(&checked_out).unwrap(), checked_out);
        assert_eq!(catalogue.check(&written), Ok(()));
        // Only those of the reference count: what stands around it belongs to whoever wrote it.
        assert_eq!(catalogue.check(&format!("# Ours\r\n{}", &written["# Metrics\n".len()..])), Ok(()));
    }

    #[test]
    fn a_file_that_does_not_say_where_is_left_alone() {
        assert_eq!(around("# Ours\n"), Err(DocumentError::NoPlace));
        for text in [
            format!("{BEGINS}\n"),
            format!("{ENDS}\n"),
            format!("{ENDS}\n{BEGINS}\n"),
            format!("{BEGINS}\n{BEGINS}\n{ENDS}\n"),
        ] {
            assert_eq!(around(&text), Err(DocumentError::Unclear), "{text}");
        }
    }
}
