//! Names that a format cannot hold: how they become ones that it can, or stand between quotation marks.
//!
//! prometheus/common, `model.EscapeName` and `EscapeMetricFamily`: what is legal stays as it is under every scheme, and a
//! metric is escaped before the suffixes of its samples are added. One thing is stricter here: a colon is not legal in a
//! label, where a page with one is not understood.

use super::format::Escaping;

/// What a name is of, which decides what is legal in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Of {
    Metric,
    Label,
}

impl Of {
    /// Whether a character may stand in a name of before there was any UTF-8.
    fn allows(self, rune: char, is_first: bool) -> bool {
        match rune {
            'a'..='z' | 'A'..='Z' | '_' => true,
            '0'..='9' => !is_first,
            ':' => self == Of::Metric,
            _ => false,
        }
    }

    /// Whether a name can stand without quotation marks.
    pub(super) fn is_legal(self, name: &str) -> bool {
        !name.is_empty() && name.char_indices().all(|(at, rune)| self.allows(rune, at == 0))
    }

    /// A name as the scheme escapes it.
    pub(super) fn escaped(self, name: &str, escaping: Escaping) -> String {
        if escaping == Escaping::AllowUtf8 || self.is_legal(name) {
            return name.to_owned();
        }
        let mut escaped = String::with_capacity(name.len() + 8);
        if escaping == Escaping::Values {
            escaped.push_str("U__");
        }
        for (at, rune) in name.char_indices() {
            match (escaping, rune) {
                (Escaping::Dots | Escaping::Values, '_') => escaped.push_str("__"),
                (Escaping::Dots, '.') => escaped.push_str("_dot_"),
                _ if self.allows(rune, at == 0) => escaped.push(rune),
                (Escaping::Dots, _) => escaped.push_str("__"),
                (Escaping::Values, _) => escaped += &format!("_{:x}_", u32::from(rune)),
                _ => escaped.push('_'),
            }
        }
        escaped
    }

    /// A name as it stands on a page, between quotation marks if it must.
    pub(super) fn spelled(self, name: &str) -> String {
        if self.is_legal(name) { name.to_owned() } else { quoted(name) }
    }
}

/// A text between quotation marks: a label's value, or a name that is not legal otherwise.
pub(super) fn quoted(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for rune in text.chars() {
        match rune {
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            '"' => quoted.push_str("\\\""),
            rune => quoted.push(rune),
        }
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_escaped_as_the_common_library_of_prometheus_does() {
        use Escaping::{AllowUtf8, Dots, Underscores, Values};
        for (name, scheme, escaped) in [
            ("no:escaping_required", Underscores, "no:escaping_required"),
            ("no:escaping_required", Dots, "no:escaping_required"),
            ("no:escaping_required", Values, "no:escaping_required"),
            ("mysystem.prod.west.cpu.load", Underscores, "mysystem_prod_west_cpu_load"),
            ("mysystem.prod.west.cpu.load", Dots, "mysystem_dot_prod_dot_west_dot_cpu_dot_load"),
            ("mysystem.prod.west.cpu.load", Values, "U__mysystem_2e_prod_2e_west_2e_cpu_2e_load"),
            ("mysystem.prod.west.cpu.load", AllowUtf8, "mysystem.prod.west.cpu.load"),
            ("mysystem.prod.west.cpu.load_total", Underscores, "mysystem_prod_west_cpu_load_total"),
            ("mysystem.prod.west.cpu.load_total", Dots, "mysystem_dot_prod_dot_west_dot_cpu_dot_load__total"),
            (
                "mysystem.prod.west.cpu.load_total",
                Values,
                "U__mysystem_2e_prod_2e_west_2e_cpu_2e_load__total",
            ),
            ("http.status:sum", Dots, "http_dot_status:sum"),
            ("http.status:sum", Values, "U__http_2e_status:sum"),
            ("label with 😱", Underscores, "label_with__"),
            ("label with 😱", Dots, "label__with____"),
            ("label with 😱", Values, "U__label_20_with_20__1f631_"),
            ("花火", Underscores, "__"),
            ("花火", Dots, "____"),
            ("花火", Values, "U___82b1__706b_"),
            ("9lives", Underscores, "_lives"),
            ("9lives", Values, "U___39_lives"),
        ] {
            assert_eq!(Of::Metric.escaped(name, scheme), escaped, "{scheme:?}");
        }
        assert_eq!(Of::Label.escaped("a:b", Underscores), "a_b");
        assert_eq!(Of::Label.escaped("a:b", Values), "U__a_3a_b");
        assert_eq!(Of::Label.spelled("a:b"), "\"a:b\"");
    }

    #[test]
    fn a_name_that_is_not_legal_is_quoted() {
        assert_eq!(Of::Metric.spelled("a:b_9"), "a:b_9");
        assert_eq!(Of::Metric.spelled("a.b"), "\"a.b\"");
        assert_eq!(Of::Metric.spelled("a\"\\\n"), "\"a\\\"\\\\\\n\"");
    }
}
