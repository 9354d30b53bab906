//! Environment variables in the values of a declarative file.

use crate::config::error::Checked;
use crate::config::filled::Filled;
use crate::config::filling::Filling;

/// Fills in `${NAME}`, `${env:NAME}` and `${NAME:-otherwise}`; `$$` is `$`. `None` if there is nothing to do. A variable that
/// is unset or empty is what is given for that case, or nothing. What comes out is not looked at again. (OpenTelemetry,
/// "Configuration Data Model", "Environment variable substitution".)
pub(super) fn substitute(
    text: &str,
    variable: &dyn Fn(&str) -> Option<String>,
) -> Checked<Option<(String, Option<Filled>)>> {
    if !text.contains('$') {
        return Ok(None);
    }
    let mut filling = Filling::default();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('$') {
        filling.literal(before, before);
        rest = if let Some(after) = after.strip_prefix('$') {
            filling.literal("$$", "$");
            after
        } else if let Some(reference) = after.strip_prefix('{') {
            let Some((reference, after)) = reference.split_once('}') else {
                return Err(
                    "has a reference that \"${\" opens and nothing closes; write ${NAME}, or $$ for $"
                        .to_owned(),
                );
            };
            let (name, otherwise) = reference.split_once(":-").unwrap_or((reference, ""));
            let name = name.strip_prefix("env:").unwrap_or(name);
            if !is_name(name) || otherwise.contains('\n') {
                return Err(
                    "has a reference (not shown) that is none; write ${NAME}, ${env:NAME} or ${NAME:-otherwise}".to_owned()
                );
            }
            match variable(name).filter(|value| !value.is_empty()) {
                Some(value) => filling.elsewhere(reference, &value),
                None => filling.otherwise(reference, otherwise),
            }
            after
        } else {
            filling.literal("$", "$");
            after
        };
        if filling.len() > MOST_BYTES {
            return Err(format!("has more than {MOST_BYTES} bytes with its references filled in"));
        }
    }
    filling.literal(rest, rest);
    Ok(Some(filling.finish()))
}

/// The most that a value may become.
const MOST_BYTES: usize = 1 << 20;

fn is_name(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filled(text: &str) -> Checked<String> {
        let variable = |name: &str| match name {
            "HOST" => Some("collector".to_owned()),
            "_N1" => Some("17".to_owned()),
            "EMPTY" => Some(String::new()),
            "AGAIN" => Some("${HOST}".to_owned()),
            _ => None,
        };
        substitute(text, &variable).map(|filled| filled.map_or_else(|| text.to_owned(), |(filled, _)| filled))
    }

    #[test]
    fn references_are_filled_in_once() {
        let cases = [
            ("plain", "plain"),
            ("${HOST}", "collector"),
            ("${env:HOST}", "collector"),
            ("http://${HOST}:${_N1}/x", "http://collector:17/x"),
            ("${NONE}", ""),
            ("${NONE:-localhost}", "localhost"),
            ("${EMPTY:-localhost}", "localhost"),
            ("${HOST:-localhost}", "collector"),
            ("${NONE:-a:-b c}", "a:-b c"),
            ("${env:NONE:-a}", "a"),
            ("${AGAIN}", "${HOST}"),
            ("$${HOST}", "${HOST}"),
            ("$$${HOST}", "$collector"),
            ("$$$${HOST}", "$${HOST}"),
            ("a$b $HOST 5$", "a$b $HOST 5$"),
        ];
        for (text, expected) in cases {
            assert_eq!(filled(text).as_deref(), Ok(expected), "{text}");
        }
    }

    #[test]
    fn what_looks_like_a_reference_and_is_none_is_an_error() {
        for text in [
            "${",
            "${}",
            "${HOST",
            "${1X}",
            "${HOST:?s3cret}",
            "${HO ST}",
            "${file:/s3cret}",
            "${env:}",
            "${A:-\n}",
        ] {
            assert!(filled(text).is_err_and(|message| !message.contains("s3cret")), "{text}");
        }
    }
}
