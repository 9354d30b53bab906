//! The names of mailboxes: 13 characters of bech32.

use std::fmt;

/// The name of a mailbox. It is shown to nobody but who has it: not in a label, not in a log.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(crate) struct Id(String);

impl Id {
    /// The id that this text is. Bech32 is in small letters or in capitals, not in both, which are the same.
    pub(crate) fn of(text: &str) -> Option<Id> {
        let is_one = |text: &str| {
            text.len() == 13 && text.bytes().all(|byte| b"qpzry9x8gf2tvdw0s3jn54khce6mua7l".contains(&byte))
        };
        let small = text.to_ascii_lowercase();
        let is_of_one_kind = text == small || text == text.to_ascii_uppercase();
        (is_of_one_kind && is_one(&small)).then_some(Id(small))
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Id(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thirteen_characters_of_bech32_are_an_id_and_nothing_else_is() {
        assert_eq!(Id::of("qqqqqqqqqqqqq"), Id::of("QQQQQQQQQQQQQ"));
        assert!(Id::of("l7aum6echk45n").is_some());
        for text in [
            "",
            "qqqqqqqqqqqq",
            "qqqqqqqqqqqqqq",
            "bqqqqqqqqqqqq",
            "Qqqqqqqqqqqqq",
            "..%2fqqqqqqqq",
            "éqqqqqqqqqqq",
        ] {
            assert_eq!(Id::of(text), None, "{text}");
        }
        assert_eq!(format!("{:?}", Id::of("qqqqqqqqqqqqq")), "Some(Id(..))");
    }
}
