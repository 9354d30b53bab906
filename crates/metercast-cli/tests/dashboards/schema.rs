//! The rules that a dashboard keeps, as `docs/dashboards.md` has them: first ours, then those of Grafana's own library.

use std::collections::BTreeSet;

use conformance::oracle::grafana::{Batch, Query};
use conformance::use_programs;
use serde_json::{Value, json};

use crate::catalogue::{SERVICES, dashboard, metric, printed};
use crate::dashboard::{panels, substituted};

/// Those of UCUM that Grafana knows, too.
const UNITS: [&str; 35] = [
    "",
    "1",
    "s",
    "ms",
    "us",
    "ns",
    "min",
    "h",
    "d",
    "By",
    "kBy",
    "MBy",
    "GBy",
    "KiBy",
    "MiBy",
    "GiBy",
    "bit",
    "%",
    "Hz",
    "Cel",
    "K",
    "V",
    "A",
    "W",
    "J",
    "m",
    "g",
    "USD",
    "EUR",
    "{request}",
    "{operation}",
    "{read}",
    "{write}",
    "{message}",
    "{packet}",
];

/// All dashboards of services, and that of a program that has all that metercast has.
fn dashboards() -> Vec<(String, Value)> {
    let mut all: Vec<(String, String)> =
        SERVICES.iter().map(|service| (service.name.to_owned(), service.dashboard())).collect();
    let own = printed(&["grafana", "--binary", env!("CARGO_BIN_EXE_metercast")]);
    all.push(("metercast".to_owned(), own));
    all.into_iter().map(|(name, text)| (name, serde_json::from_str(&text).unwrap())).collect()
}

/// What is against the rules; one entry for each.
pub(crate) fn troubles(dashboard: &Value) -> Vec<String> {
    let mut found = Vec::new();
    let mut say = |is_wrong: bool, what: String| found.extend(is_wrong.then_some(what));
    let uid = dashboard["uid"].as_str().unwrap_or_default();
    let is_letter = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    say(uid.is_empty() || uid.len() > 40 || !uid.chars().all(is_letter), format!("uid {uid}"));
    say(dashboard["title"].as_str().is_none_or(str::is_empty), "no title".to_owned());
    say(dashboard["schemaVersion"] != 36, "schemaVersion".to_owned());
    let variables = dashboard["templating"]["list"].as_array().cloned().unwrap_or_default();
    let names: Vec<_> = variables.iter().filter_map(|variable| variable["name"].as_str()).collect();
    say(names != ["datasource", "job", "instance"], format!("variables {names:?}"));
    let source = json!({ "type": "prometheus", "uid": "${datasource}" });
    let mut ids = BTreeSet::new();
    let mut line = 0;
    for panel in dashboard["panels"].as_array().into_iter().flatten() {
        let inside = panel["panels"].as_array().map(Vec::as_slice).unwrap_or_default();
        let is_row = panel["type"] == "row";
        say(!is_row && !inside.is_empty(), "panels in a panel".to_owned());
        say(
            is_row && panel["collapsed"] != !inside.is_empty(),
            "a row that is closed has its panels".to_owned(),
        );
        let top = panel["gridPos"]["y"].as_u64().unwrap_or_default();
        say(is_row && top < line, format!("row {} is above what is before it", panel["title"]));
        let bottom = |panel: &Value| {
            panel["gridPos"]["y"].as_u64().unwrap_or_default()
                + panel["gridPos"]["h"].as_u64().unwrap_or_default()
        };
        line = line.max(bottom(panel));
        for panel in [panel].into_iter().chain(inside) {
            let id = panel["id"].as_u64().unwrap_or_default();
            say(id == 0 || !ids.insert(id), format!("id {id}"));
            let of = |key: &str| panel["gridPos"][key].as_u64().unwrap_or(u64::MAX / 4);
            say(
                of("x") + of("w") > 24 || of("w") == 0 || of("h") == 0,
                format!("panel {id} is beside the grid"),
            );
            if panel["type"] == "row" {
                continue;
            }
            say(panel["title"].as_str().is_none_or(str::is_empty), format!("panel {id} has no title"));
            say(panel["datasource"] != source, format!("panel {id} has a datasource of its own"));
            let targets = panel["targets"].as_array().cloned().unwrap_or_default();
            say(targets.is_empty(), format!("panel {id} asks for nothing"));
            let references: BTreeSet<_> =
                targets.iter().filter_map(|target| target["refId"].as_str()).collect();
            say(references.len() != targets.len(), format!("panel {id} has a refId twice"));
            for target in &targets {
                say(target["datasource"] != source, format!("panel {id} asks another datasource"));
                say(target["expr"].as_str().is_none_or(str::is_empty), format!("panel {id} has no query"));
            }
        }
    }
    found.extend(overlaps(&dashboard["panels"]));
    for panel in dashboard["panels"].as_array().into_iter().flatten() {
        found.extend(overlaps(&panel["panels"]));
    }
    found
}

fn overlaps(panels: &Value) -> Vec<String> {
    let area = |panel: &Value| {
        let of = |key: &str| panel["gridPos"][key].as_u64().unwrap_or_default();
        (of("x")..of("x") + of("w"), of("y")..of("y") + of("h"), panel["id"].clone())
    };
    let areas: Vec<_> = panels.as_array().into_iter().flatten().map(area).collect();
    let mut found = Vec::new();
    for (at, one) in areas.iter().enumerate() {
        for other in &areas[at + 1..] {
            let meets =
                |a: &std::ops::Range<u64>, b: &std::ops::Range<u64>| a.start < b.end && b.start < a.end;
            if meets(&one.0, &other.0) && meets(&one.1, &other.1) {
                found.push(format!("{} lies on {}", one.2, other.2));
            }
        }
    }
    found
}

#[test]
fn every_dashboard_keeps_the_rules() {
    for (name, dashboard) in dashboards() {
        assert_eq!(troubles(&dashboard), [""; 0], "{name}");
    }
}

/// Where, what stands there then, and a word of what is said.
#[test]
fn what_is_against_the_rules_is_noticed() {
    let (_, good) = dashboards().swap_remove(0);
    for (at, value, expected) in [
        ("/uid", json!("a b"), "uid a b"),
        ("/title", json!(""), "no title"),
        ("/schemaVersion", json!(1), "schemaVersion"),
        ("/templating/list/1/name", json!("jobs"), "variables"),
        ("/panels/1/id", json!(3), "id 3"),
        ("/panels/1/gridPos/x", json!(20), "panel 2 is beside the grid"),
        ("/panels/1/gridPos/x", json!(4), "2 lies on 3"),
        ("/panels/1/datasource/uid", json!("mine"), "panel 2 has a datasource of its own"),
        ("/panels/1/targets/0/datasource/uid", json!("mine"), "panel 2 asks another"),
        ("/panels/1/targets/0/expr", json!(""), "panel 2 has no query"),
        ("/panels/1/targets", json!([]), "panel 2 asks for nothing"),
        ("/panels/2/targets/0/refId", json!("B"), ""),
        ("/panels/0/collapsed", json!(true), "a row that is closed"),
    ] {
        let mut bad = good.clone();
        *bad.pointer_mut(at).unwrap_or_else(|| panic!("{at}")) = value;
        let found = troubles(&bad);
        assert!(
            found.iter().any(|trouble| trouble.contains(expected)) || expected.is_empty(),
            "{at}: {found:?}"
        );
    }
}

#[test]
fn grafanas_own_library_knows_every_field_and_unit_and_another_parser_every_query() {
    if !use_programs(
        "grafanas_own_library_knows_every_field_and_unit_and_another_parser_every_query",
        "python3",
    ) {
        return;
    }
    let (names, mut dashboards): (Vec<String>, Vec<Value>) = dashboards().into_iter().unzip();
    let queries: Vec<String> = dashboards.iter().flat_map(panels).flat_map(|panel| panel.queries).collect();
    let queries: Vec<String> = queries.iter().map(|query| substituted(query)).collect();
    let of_unit = |(at, unit): (usize, &&str)| {
        let more = json!({ "unit": unit });
        [metric(&format!("a_{at}"), "gauge", &more), metric(&format!("a_{at}_total"), "counter", &more)]
    };
    dashboards.push(dashboard("units", &UNITS.iter().enumerate().flat_map(of_unit).collect::<Vec<_>>()));
    // That it would be said.
    let mut wrong = dashboards[0].clone();
    wrong["panels"][1]["targets"][0]["expression"] = "up".into();
    wrong["panels"][1]["fieldConfig"]["defaults"]["unit"] = "furlongs".into();
    dashboards.push(wrong);
    let mut asked = queries.clone();
    asked.push("sum by (a".to_owned());
    let answers = Batch { dashboards, queries: asked }.ask(env!("CARGO_TARGET_TMPDIR"));
    assert_eq!(answers.dashboards[names.len()], [""; 0], "units");
    for (name, troubles) in names.iter().zip(&answers.dashboards) {
        assert_eq!(troubles, &[""; 0], "{name}");
    }
    let said = answers.dashboards.last().unwrap();
    assert_eq!(
        said,
        &["/panels/1/targets/0/expression is not known", "panel 2: there is no unit 'furlongs'"]
    );
    for (query, answer) in queries.iter().zip(&answers.queries) {
        assert!(matches!(answer, Query::Names(names) if !names.is_empty()), "{query}: {answer:?}");
    }
    assert!(matches!(answers.queries.last(), Some(Query::Error(_))));
}
