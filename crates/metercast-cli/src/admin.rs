//! Asks a running program, at the address where its page is, for something beside the page.

use std::path::PathBuf;
use std::time::Duration;

use serde::Deserialize;
use serde_json::Value;

use crate::fetch::{self, Source, seconds};

/// How it is asked.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Access {
    /// Wait so many seconds for an answer at most
    #[arg(long, value_name = "SECONDS", default_value = "10", value_parser = seconds)]
    timeout: Duration,
    /// Send the token in this file, as `Authorization: Bearer`
    #[arg(long, value_name = "FILE")]
    token_file: Option<PathBuf>,
}

/// What it answers.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) text: String,
}

/// What a listener of metercast says to programs of what it was to do.
#[derive(Debug, Deserialize)]
pub(crate) struct Said {
    pub(crate) successful: bool,
    /// The same for people.
    pub(crate) text: String,
    /// What was changed, or would be; null if nothing was done.
    #[serde(default)]
    pub(crate) changes: Value,
    /// Where there is nothing, as it came to the listener.
    path: Option<String>,
}

impl Answer {
    /// What a listener says; `None` if that is none.
    pub(crate) fn said(&self) -> Option<Said> {
        serde_json::from_str(&self.text).ok()
    }

    /// What is said to people, whoever says it.
    pub(crate) fn says(&self) -> String {
        self.said().map_or_else(|| self.text.trim().to_owned(), |said| said.text)
    }
}

/// A running program.
pub(crate) struct Program {
    /// What its paths follow, with a slash at its end.
    base: String,
    shown: String,
    access: fetch::Access,
}

impl Program {
    /// The program whose page is at an address: `9464`, `host:9464` or a whole URL.
    pub(crate) fn at(address: &str, access: &Access) -> Result<Program, String> {
        let access =
            fetch::Access { timeout: access.timeout, token_file: access.token_file.clone(), max_series: 1 };
        let page = Source::new(address, &access)?;
        // What stands behind a path of a proxy has its own paths there too.
        let url = page.url().split(['?', '#']).next().unwrap_or_default();
        let base = url.strip_suffix("/metrics").unwrap_or(url);
        let base = if base.ends_with('/') { base.to_owned() } else { format!("{base}/") };
        Ok(Program { base, shown: page.shown().to_owned(), access })
    }

    /// Where its page is, as it may be shown.
    pub(crate) fn shown(&self) -> &str {
        &self.shown
    }

    /// Asks it for what stands at a path that begins without a slash.
    pub(crate) fn get(&self, path: &str) -> Result<Answer, String> {
        self.ask("GET", path)
    }

    /// Tells it to do what stands at a path.
    pub(crate) fn post(&self, path: &str) -> Result<Answer, String> {
        self.ask("POST", path)
    }

    fn ask(&self, method: &str, path: &str) -> Result<Answer, String> {
        let asked = format!("{}{path}", self.base);
        let answer = Source::new(&asked, &self.access)?.ask(method)?;
        // The page may be in a folder and all else not. At the root of a proxy is another program, which is not to get the token or to
        // reload: no proxy has changed the path if it came to the listener as it was sent.
        let (root, sent) = split(&asked);
        let came = answer.said().and_then(|said| said.path);
        if answer.status == 404 && came.as_deref() == Some(sent) && sent != format!("/{path}") {
            return Source::new(&format!("{root}/{path}"), &self.access)?.ask(method);
        }
        Ok(answer)
    }

    /// Why it may not be asked, if that is what it says.
    pub(crate) fn refusal(&self, answer: &Answer) -> Option<String> {
        let says = answer.text.trim();
        match answer.status {
            401 | 403 if self.access.token_file.is_some() => {
                Some(format!("the token is not the one that it wants: it answers {}, {says}", answer.status))
            }
            401 => Some(format!("it wants its token: --token-file FILE ({says})")),
            403 => Some(format!("it lets nobody in: {says}")),
            _ => None,
        }
    }
}

/// A URL at the begin of its path.
fn split(url: &str) -> (&str, &str) {
    let authority = url.find("://").map_or(0, |at| at + "://".len());
    url.split_at(url[authority..].find('/').map_or(url.len(), |at| authority + at))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_beside_the_page() {
        let access = Access { timeout: Duration::from_secs(1), token_file: None };
        for (address, base) in [
            ("9464", "http://127.0.0.1:9464/"),
            ("http://shop:9464/", "http://shop:9464/"),
            ("https://host/ops/shop/metrics?token=y", "https://host/ops/shop/"),
            ("https://host/ops/shop", "https://host/ops/shop/"),
            ("https://host/shopmetrics", "https://host/shopmetrics/"),
        ] {
            assert_eq!(Program::at(address, &access).map(|program| program.base), Ok(base.to_owned()));
        }
    }
}
