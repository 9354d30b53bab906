//! The data of the page as JSON, a file for each path. `docs/live.md` has all keys, and a test that holds them to it.

mod cardinality;
mod config;
mod health;
mod metric;
mod metrics;
mod preview;
mod select;
mod unrecorded;

use super::Live;
use super::history::Name;
use super::json::Json;
use super::selected::Selected;
use crate::scrape::ScrapeAnswer;
pub(super) use health::{Health, now as health_now};
pub(super) use metrics::{Shown, put_metric, put_overview, put_shown};

/// What is asked for.
pub(super) enum Asked {
    Metrics,
    Metric { name: Name, selected: Selected, steps: bool },
    Health,
    Cardinality,
    Unrecorded,
    Config,
    Preview { exporter: String },
}

impl Asked {
    /// What stands at this path; `None` if nothing does.
    pub(super) fn of(path: &str, query: Option<&str>) -> Option<Asked> {
        let path = path.strip_prefix("/live/api/")?;
        Some(match path {
            "metrics" => Asked::Metrics,
            "health" => Asked::Health,
            "cardinality" => Asked::Cardinality,
            "unrecorded" => Asked::Unrecorded,
            "config" => Asked::Config,
            _ => {
                if let Some(name) = path.strip_prefix("metrics/") {
                    let (mut selected, mut steps) = (Selected::default(), false);
                    let mut name: Name = (select::decoded(name, false), String::new());
                    for (key, value) in select::pairs(query.unwrap_or_default()) {
                        match &*key {
                            "label" => selected.add(&value),
                            "scope" => name.1 = value,
                            "step" => steps = value != "1",
                            _ => {}
                        }
                    }
                    return Some(Asked::Metric { name, selected, steps });
                }
                let exporter = path.strip_prefix("exporters/")?.strip_suffix("/preview")?;
                Asked::Preview { exporter: select::decoded(exporter, false) }
            }
        })
    }

    /// The answer.
    pub(super) fn answer(self, live: &Live) -> ScrapeAnswer {
        live.start();
        let known = match self {
            Asked::Metrics => Ok(metrics::all(live)),
            Asked::Metric { name, selected, steps } => metric::one(live, &name, &selected, steps),
            Asked::Unrecorded => unrecorded::document(live),
            Asked::Health => Ok(health::document(live)),
            Asked::Cardinality => Ok(cardinality::document(live)),
            Asked::Config => config::document(live),
            Asked::Preview { exporter } => preview::document(live, &exporter),
        };
        match known {
            Ok(json) => ScrapeAnswer::json(200, String::from_utf8(json).unwrap_or_default()),
            Err(text) => ScrapeAnswer::plain(404, text),
        }
    }
}

/// A table of texts.
fn put_texts<'a>(json: &mut Json, pairs: impl IntoIterator<Item = (&'a str, String)>) {
    json.object(|json| {
        for (key, value) in pairs {
            json.key(key).text(&value);
        }
    });
}

const OVER: &str = "telemetry was shut down\n";
