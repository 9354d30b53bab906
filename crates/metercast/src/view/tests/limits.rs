//! Series under a limit whose number goes up and down.

use super::*;

#[test]
fn a_counter_under_a_limit_counts_on_whatever_the_number_of_series() {
    let store = Store::new();
    let add = |side: &str, amount: u64| {
        store.scope(|| u64_counter!("views.swings", "By side", amount, "side" => side.to_owned()));
    };
    let others: Vec<String> = (0..8).map(|at| format!("x{at}")).collect();
    let few_or_many = |many: bool| {
        for side in &others {
            if many {
                add(side, 1);
            } else {
                assert!(store.remove("views.swings", [KeyValue::new("side", side.clone())]));
            }
        }
    };
    let pages = Pages::of(Projection::new().limit(10));
    let value = || {
        let page = pages.lines(&store);
        page.iter().find_map(|line| line.strip_prefix("views_swings{side=\"A\"} ")).map(str::to_owned)
    };
    add("A", 100);
    assert_eq!(value().as_deref(), Some("100"));
    few_or_many(true);
    assert_eq!(value().as_deref(), Some("100"));
    few_or_many(false);
    assert!(store.remove("views.swings", [KeyValue::new("side", "A")]));
    add("B", 1);
    assert_eq!(value(), None);
    add("A", 5);
    assert_eq!(value().as_deref(), Some("5"));
    for _ in 0..2 {
        few_or_many(true);
        assert_eq!(value().as_deref(), Some("5"));
        few_or_many(false);
        assert_eq!(value().as_deref(), Some("5"));
    }
    // Removed and counted again between two pages: it goes on from what it was.
    assert!(store.remove("views.swings", [KeyValue::new("side", "A")]));
    add("A", 2);
    assert_eq!(value().as_deref(), Some("7"));
    few_or_many(true);
    assert_eq!(value().as_deref(), Some("7"));
}
