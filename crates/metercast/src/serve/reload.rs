//! A reload that somebody asks for: what is wished, what became of it, and how that is said to people and to programs.

use std::sync::Arc;

use crate::config::{PLAN, RELOAD};
use crate::export::stdout::json::put_text;
use crate::scrape::ScrapeAnswer;

/// Reads the configuration again and makes it hold, or says what that would do.
pub(crate) type Reload = Arc<dyn Fn(Wish) -> Reloading + Send + Sync>;

/// What is asked of it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wish {
    Reload,
    Plan,
}

/// What became of a reload, with the text for who asked for it.
pub(crate) enum Reloading {
    Done {
        text: String,
        /// The same as a value of JSON.
        changes: String,
    },
    Refused(String),
    /// Another one is under way.
    Busy(String),
}

/// What is asked for at this path.
pub(super) fn wish(path: &str) -> Option<Wish> {
    match path {
        RELOAD => Some(Wish::Reload),
        PLAN => Some(Wish::Plan),
        _ => None,
    }
}

/// Does so on a thread for blocking work, and says what became of it; in JSON to who wants that.
pub(super) async fn answer(reload: &Reload, wish: Wish, method: &str, in_json: bool) -> ScrapeAnswer {
    let refused = |status, text: &str| {
        if in_json {
            ScrapeAnswer::json(status, said(false, text, ("changes", "null")))
        } else {
            ScrapeAnswer::plain(status, text)
        }
    };
    if method != "POST" {
        return refused(405, "the configuration is read again with POST\n").with("allow", "POST");
    }
    let reload = Arc::clone(reload);
    match tokio::task::spawn_blocking(move || reload(wish)).await {
        Ok(Reloading::Done { text, changes }) if in_json => {
            ScrapeAnswer::json(200, said(true, &text, ("changes", &changes)))
        }
        Ok(Reloading::Done { text, .. }) => ScrapeAnswer::plain(200, text),
        Ok(Reloading::Refused(text)) => refused(422, &text),
        Ok(Reloading::Busy(text)) => refused(409, &text).with("retry-after", "1"),
        Err(_) => refused(500, "the reload panicked; the log of the program says why\n"),
    }
}

/// That there is nothing at a path, for programs: who asks through a proxy sees by the path what that made of it.
pub(super) fn nothing_at(path: &str, text: &str) -> String {
    let mut quoted = Vec::new();
    put_text(&mut quoted, path);
    said(false, text, ("path", &String::from_utf8(quoted).unwrap_or_default()))
}

/// What became of it as an object, with one more key and its value of JSON.
fn said(is_successful: bool, text: &str, (key, value): (&str, &str)) -> String {
    let mut out = format!("{{\"successful\":{is_successful},\"text\":").into_bytes();
    put_text(&mut out, text.trim_end());
    out.extend(format!(",\"{key}\":{value}}}\n").into_bytes());
    String::from_utf8(out).unwrap_or_default()
}

/// Whether an `Accept` names JSON. Who takes anything is a person with curl.
pub(super) fn wants_json(accept: Option<&str>) -> bool {
    accept.unwrap_or_default().split(',').any(|entry| {
        let mut parts = entry.split(';').map(str::trim);
        let is_json = parts.next().is_some_and(|kind| kind.eq_ignore_ascii_case("application/json"));
        let is_refused = |(name, value): (&str, &str)| {
            name.trim().eq_ignore_ascii_case("q") && value.trim().parse().is_ok_and(|q: f32| q <= 0.0)
        };
        is_json && !parts.filter_map(|parameter| parameter.split_once('=')).any(is_refused)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_is_for_who_names_it() {
        for accept in ["application/json", "text/plain, Application/JSON; charset=utf-8 ;q=0.1, */*"] {
            assert!(wants_json(Some(accept)), "{accept}");
        }
        for accept in ["", "*/*", "application/*", "text/html", "application/json;q=0", "application/jsonl"] {
            assert!(!wants_json(Some(accept)), "{accept}");
        }
        assert!(!wants_json(None));
    }
}
