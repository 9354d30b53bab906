//! The walk over a public surface, on a crate as rustdoc would write it.

use super::*;

/// The foreign names in a crate `ours` with these items; the root lists the ids 1 to 4 as its own.
///
/// Names: 50 is `ours::Own`, 51 `wire::Body` of a foreign crate, 52 `core::option::Option`, 53 `sibling::Store`,
/// 54 the module `wire::deep`.
fn foreign_in(items: &str) -> Vec<String> {
    read(items).unwrap().foreign.iter().map(|found| format!("{} shows {}", found.item, found.path)).collect()
}

fn read(items: &str) -> Result<Surface, String> {
    let text = format!(
        r#"{{
            "root": 0,
            "index": {{
                "0": {{"name": "ours", "inner": {{"module": {{"is_crate": true, "items": [1, 2, 3, 4]}}}}}}, {items}
            }},
            "paths": {{
                "50": {{"crate_id": 0, "path": ["ours", "Own"], "kind": "struct"}},
                "51": {{"crate_id": 7, "path": ["wire", "Body"], "kind": "struct"}},
                "52": {{"crate_id": 2, "path": ["core", "option", "Option"], "kind": "enum"}},
                "53": {{"crate_id": 8, "path": ["sibling", "Store"], "kind": "struct"}},
                "54": {{"crate_id": 7, "path": ["wire", "deep"], "kind": "module"}}
            }},
            "external_crates": {{"2": {{"name": "core"}}, "7": {{"name": "wire"}}, "8": {{"name": "sibling"}}}}
        }}"#
    );
    Surface::read(&serde_json::from_str::<Value>(&text).unwrap(), &["ours".to_owned(), "sibling".to_owned()])
}

const BODY: &str = r#"{"resolved_path": {"path": "w::Body", "id": 51, "args": null}}"#;

#[test]
fn types_of_the_standard_library_and_of_the_workspace_are_not_foreign() {
    let item = r#""1": {"name": "open", "inner": {"function": {"sig": {
        "inputs": [["store", {"borrowed_ref": {"type": {"resolved_path": {"path": "Store", "id": 53, "args": null}}}}]],
        "output": {"resolved_path": {"path": "Option", "id": 52, "args": {"angle_bracketed": {"args": [
            {"type": {"resolved_path": {"path": "Own", "id": 50, "args": null}}}]}}}}}}}}"#;
    assert_eq!(foreign_in(item), Vec::<String>::new());
    assert_eq!(read(item).unwrap().items, 2);
}

#[test]
fn a_foreign_type_deep_in_an_argument_or_a_result_is_found() {
    for sig in [
        format!(r#"{{"inputs": [["x", {BODY}]], "output": null}}"#),
        format!(r#"{{"inputs": [["x", {{"tuple": [{{"slice": {BODY}}}]}}]], "output": null}}"#),
        format!(
            r#"{{"inputs": [], "output": {{"resolved_path": {{"path": "Option", "id": 52, "args":
                {{"angle_bracketed": {{"args": [{{"type": {BODY}}}], "constraints": []}}}}}}}}}}"#
        ),
    ] {
        let item = format!(r#""1": {{"name": "send", "inner": {{"function": {{"sig": {sig}}}}}}}"#);
        assert_eq!(foreign_in(&item), ["ours::send shows wire::Body"], "{sig}");
    }
}

#[test]
fn a_foreign_bound_is_found() {
    let item = r#""1": {"name": "send", "inner": {"function": {"sig": {"inputs": [], "output": null}, "generics": {
        "params": [{"name": "B", "kind": {"type": {"bounds": [{"trait_bound": {"trait":
            {"path": "Body", "id": 51, "args": null}}}]}}}]}}}}"#;
    assert_eq!(foreign_in(item), ["ours::send shows wire::Body"]);
}

#[test]
fn fields_variants_constants_and_aliases_are_looked_into() {
    let items = format!(
        r#""1": {{"name": "Plain", "inner": {{"struct": {{"kind": {{"plain": {{"fields": [10]}}}}, "impls": []}}}}}},
           "10": {{"name": "body", "inner": {{"struct_field": {BODY}}}}},
           "2": {{"name": "Pair", "inner": {{"struct": {{"kind": {{"tuple": [null, 11]}}, "impls": []}}}}}},
           "11": {{"name": "1", "inner": {{"struct_field": {BODY}}}}},
           "3": {{"name": "Kind", "inner": {{"enum": {{"variants": [12], "impls": []}}}}}},
           "12": {{"name": "A", "inner": {{"variant": {{"kind": {{"tuple": [13]}}}}}}}},
           "13": {{"name": "0", "inner": {{"struct_field": {BODY}}}}},
           "4": {{"name": "EMPTY", "inner": {{"constant": {{"type": {BODY}}}}}}}"#
    );
    assert_eq!(
        foreign_in(&items),
        [
            "ours::EMPTY shows wire::Body",
            "ours::Kind::A::0 shows wire::Body",
            "ours::Pair::1 shows wire::Body",
            "ours::Plain::body shows wire::Body",
        ]
    );
}

#[test]
fn an_impl_of_a_foreign_trait_counts_if_somebody_wrote_it() {
    let own = r#""for": {"resolved_path": {"path": "Own", "id": 50, "args": null}}, "items": []"#;
    let written = format!(r#"{own}, "is_synthetic": false, "blanket_impl": null"#);
    let blanket = format!(r#"{own}, "is_synthetic": false, "blanket_impl": {{"generic": "T"}}"#);
    let auto = format!(r#"{own}, "is_synthetic": true, "blanket_impl": null"#);
    let found = |rest: &str| {
        foreign_in(&format!(
            r#""1": {{"name": "Own", "inner": {{"struct": {{"kind": "unit", "impls": [10]}}}}}},
               "10": {{"name": null, "inner": {{"impl": {{"trait": {{"path": "Body", "id": 51}}, {rest}}}}}}}"#
        ))
    };
    assert_eq!(found(&written), ["ours::Own (impl Body) shows wire::Body"]);
    assert_eq!(found(&blanket), Vec::<String>::new());
    assert_eq!(found(&auto), Vec::<String>::new());
}

#[test]
fn a_foreign_reexport_is_shown_whichever_way_it_is_written() {
    for (inner, path) in [
        (r#"{"source": "wire::Body", "name": "Body", "id": 51, "is_glob": false}"#, "wire::Body"),
        (r#"{"source": "wire::deep", "name": "deep", "id": 54, "is_glob": true}"#, "wire::deep"),
        (r#"{"source": "wire", "name": "wire", "id": 99, "is_glob": false}"#, "wire"),
        (r#"{"source": "::wire", "name": "wire", "id": null, "is_glob": false}"#, "::wire"),
    ] {
        let found = foreign_in(&format!(r#""1": {{"name": null, "inner": {{"use": {inner}}}}}"#));
        assert_eq!(found.len(), 1, "{inner}");
        assert!(found[0].ends_with(&format!(" shows {path}")), "{found:?}");
    }
    let own =
        r#""1": {"name": null, "inner": {"use": {"source": "sibling", "name": "sibling", "id": null}}}"#;
    assert_eq!(foreign_in(own), Vec::<String>::new());
}

#[test]
fn an_item_of_a_private_module_is_looked_into_where_it_is_reexported() {
    let items = format!(
        r#""1": {{"name": null, "inner": {{"use": {{"source": "private::send", "name": "send", "id": 10}}}}}},
           "10": {{"name": "send", "inner": {{"function": {{"sig": {{"inputs": [["x", {BODY}]]}}}}}}}}"#
    );
    assert_eq!(foreign_in(&items), ["ours::send shows wire::Body"]);
}

#[test]
fn a_name_whose_home_is_unknown_is_not_overlooked() {
    let item = r#""1": {"name": "f", "inner": {"function": {"sig": {"inputs": [["x",
        {"resolved_path": {"path": "Lost", "id": 77, "args": null}}]]}}}}"#;
    assert_eq!(read(item).unwrap().foreign[0].from, "an unknown crate");
}

#[test]
fn a_kind_of_item_that_is_not_known_yet_is_an_error() {
    let trouble = read(r#""1": {"name": "n", "inner": {"novelty": {}}}"#).unwrap_err();
    assert!(trouble.contains("`novelty`"), "{trouble}");
}

#[test]
fn json_without_a_root_is_an_error() {
    let empty = r#"{"root": 0, "index": {}, "paths": {}, "external_crates": {}}"#;
    let trouble = Surface::read(&serde_json::from_str::<Value>(empty).unwrap(), &[]).unwrap_err();
    assert!(trouble.contains("no root item"), "{trouble}");
}
