//! `/live/api/unrecorded`: what the program declares, and nobody has recorded yet.

use std::collections::HashSet;

use crate::catalogue::{CatalogueError, Metric, catalogue};
use crate::export::stdout::json::kind;
use crate::live::Live;
use crate::live::json::Json;

/// The document, or why it is not known what the program declares.
pub(super) fn document(live: &Live) -> Result<Vec<u8>, String> {
    let declared = live.0.declared.get_or_init(|| declared().map_err(|error| format!("{error}\n")));
    let declared = declared.as_ref().map_err(String::clone)?;
    let recorded: HashSet<String> = live.store().read(|reading| {
        let mut names = HashSet::new();
        for family in reading.families() {
            let mut has_series = false;
            family.each(|_| has_series = true);
            if has_series {
                names.insert(family.definition().name().to_owned());
            }
        }
        names
    });
    Ok(Json::document(|json| {
        json.key("metrics").list(|json| {
            for metric in declared.iter().filter(|metric| !recorded.contains(&metric.name)) {
                json.object(|json| {
                    json.key("name").text(&metric.name);
                    json.key("kind").text(kind(metric.kind));
                    json.key("unit").text(&metric.unit);
                    json.key("description").text(&metric.description);
                    let place = metric.places.first();
                    json.key("place").text(&place.map(ToString::to_string).unwrap_or_default());
                });
            }
        });
    }))
}

/// What the text of the program has, but for what metercast measures of itself.
fn declared() -> Result<Vec<Metric>, CatalogueError> {
    let is_own = |metric: &Metric| {
        let crates = || metric.places.iter().map(|place| place.module.split("::").next().unwrap_or_default());
        crates().all(|name| ["metercast", "metercast_core"].contains(&name))
    };
    Ok(catalogue()?.retain(|metric| !is_own(metric)).metrics().to_vec())
}
