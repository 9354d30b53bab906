//! A text of a definition, which may be said later than the rest.

use std::sync::OnceLock;

/// A unit or a description. What was said stays; only where nothing was said something may come later.
#[derive(Debug)]
pub(crate) struct Said {
    at_first: &'static str,
    later: OnceLock<&'static str>,
}

impl Said {
    pub(crate) const fn new(at_first: &'static str) -> Said {
        Said { at_first, later: OnceLock::new() }
    }

    /// What was said; empty if nothing was.
    pub(crate) fn text(&self) -> &'static str {
        if self.at_first.is_empty() { self.later.get().copied().unwrap_or("") } else { self.at_first }
    }

    /// Says it now. True if nothing was said before.
    pub(crate) fn say(&self, text: &'static str) -> bool {
        self.at_first.is_empty() && !text.is_empty() && self.later.set(text).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::Said;

    #[test]
    fn what_was_said_stays() {
        let (early, late) = (Said::new("one"), Said::new(""));
        assert!(!early.say("other") && !late.say(""));
        assert_eq!((early.text(), late.text()), ("one", ""));
        assert!(late.say("one") && !late.say("other"));
        assert_eq!(late.text(), "one");
    }
}
