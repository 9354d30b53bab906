//! What the assertions of tests take, and what they say if they fail.

use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::Command;

use metercast::testing::{self, ANY, approx, at_least, at_most, between, isolated};
use metercast::{
    KeyValue, assert_counter, assert_counter_exists, assert_counter_not_exists, assert_gauge,
    assert_gauge_exists, assert_gauge_not_exists, assert_histogram_count, assert_histogram_exists,
    assert_histogram_not_exists, assert_histogram_sum, assert_metrics_snapshot, assert_up_down_counter,
    assert_up_down_counter_exists, assert_up_down_counter_not_exists, f64_counter, f64_gauge, f64_histogram,
    f64_histogram_with_unit, i64_up_down_counter, metrics, u64_counter, u64_counter_with_unit, u64_gauge,
    u64_histogram,
};

metrics! {
    /// A summary.
    static RESULTS: Summary<f64> = "case.results" { labels: { side: &str } };
}

/// What the panic of `f` says.
fn said(f: impl FnOnce()) -> String {
    let payload = catch_unwind(AssertUnwindSafe(f)).expect_err("it fails");
    payload
        .downcast_ref::<String>()
        .cloned()
        .or_else(|| payload.downcast_ref::<&str>().map(|s| (*s).to_owned()))
        .unwrap()
}

#[test]
fn each_kind_has_its_assertions_in_every_form() {
    let _metrics = testing::scope();
    let labels = vec![KeyValue::new("attr", "val"), KeyValue::new("status", 404)];
    u64_counter!("case.counter", "Counter", 2, labels);
    f64_counter!("case.amount", "Amount", 0.5, attr = "val");
    i64_up_down_counter!("case.open", "Open", -3, "attr" => "val");
    f64_gauge!("case.level", "Level", 1.5, "attr" => "val");
    u64_gauge!("case.bare", "Level", 7);
    u64_histogram!("case.size", "Size", 4, "attr" => "val");
    u64_histogram!("case.size", "Size", 6, "attr" => "val");
    RESULTS.record(2.5, ("buy",));

    assert_counter!("case.counter", 2, "attr" => "val", "status" => 404);
    assert_counter!("case.counter", 2u64, "status" = 404, "attr" = String::from("val"));
    assert_counter!(case.counter, 2.0, attr = "val", status = 404,);
    assert_counter!("case.counter", 2, &[KeyValue::new("attr", "val"), KeyValue::new("status", 404)]);
    assert_counter!("case.counter", 2, labels);
    let name = String::from("case.counter");
    assert_counter!(name.as_str(), 2, "attr" => "val", "status" => 404, "absent" => None::<&str>);
    assert_counter!("case.amount", 0.5, "attr" => "val");
    assert_counter!("case.open", -3, "attr" => "val");
    assert_up_down_counter!("case.open", -3, "attr" = "val");
    assert_gauge!("case.level", 1.5, "attr" = "val");
    assert_gauge!("case.bare", 7);
    assert_histogram_sum!("case.size", 10, "attr" = "val");
    assert_histogram_count!("case.size", 2, "attr" => "val");
    assert_histogram_sum!("case.results", 2.5, "side" => "buy");
    assert_histogram_count!("case.results", 1, "side" => "buy");

    assert_counter_exists!("case.counter", "attr" => "val", ..);
    assert_counter_exists!("case.counter", u64, "attr" = "val", "status" = 404);
    assert_counter_not_exists!("case.counter");
    assert_counter_not_exists!("case.counter", u64, "attr" = "other", ..);
    assert_counter_not_exists!("case.level", ..);
    assert_up_down_counter_exists!("case.open", ..);
    assert_up_down_counter_not_exists!(case.counter, ..);
    assert_gauge_exists!("case.level", f64, "attr" => "val");
    assert_gauge_not_exists!("case.level", f64);
    assert_histogram_exists!("case.size", u64, "attr" = "val");
    assert_histogram_exists!("case.size", ..);
    assert_histogram_not_exists!("case.size", f64, "attr" = "other");
}

#[test]
fn values_are_compared_as_it_is_said_and_what_matches_is_added_up() {
    let _metrics = testing::scope();
    for (tenant, amount) in [("a", 1), ("b", 2), ("c", 3)] {
        u64_counter!("case.requests", "Requests", amount, "tenant" => tenant, "path" => format!("/{tenant}/x"));
        f64_gauge!("case.load", "Load", amount as f64, "tenant" => tenant);
        f64_histogram!("case.took.ms", "Took", amount as f64 / 10.0, "tenant" => tenant);
    }
    u64_counter!("case.refusals", "Refusals", 10);
    assert_counter!("case.requests", 6, "tenant" => ANY, "path" => ANY);
    assert_counter!("case.requests", 6, ..);
    assert_counter!("case.requests", 2, "tenant" => "b", ..);
    assert_counter!("case.requests", 3, "path" => "/<any>/x", "tenant" => "c");
    assert_counter!("case.re*s", 16, ..);
    assert_counter!("case.re?uests", 5.., ..);
    assert_counter!("case.requests", at_least(6), ..);
    assert_counter!("case.requests", at_most(6), ..);
    assert_counter!("case.requests", between(6, 7), ..);
    assert_counter!("case.requests", 1..7, ..);
    assert_gauge!("case.load", 1.0..=1.5, "tenant" => "a");
    assert_histogram_sum!("case.took.ms", approx(0.6, 1e-9), ..);
    assert_histogram_count!("case.took.*", 3, ..);
    let failed = said(|| assert_gauge!("case.load", 6.0, ..));
    assert!(
        failed.starts_with("expected gauge case.load{..} 6.0, but 3 match, and gauges cannot be added up"),
        "{failed}"
    );
    let failed = said(|| assert_counter!("case.requests", 7.., "tenant" => ANY, ..));
    assert!(
        failed.starts_with(
            "expected counter case.requests{tenant=\"<any>\",..} at least 7, found 6 in 3 series"
        ),
        "{failed}"
    );
}

#[test]
fn what_came_since_a_mark_is_told_from_what_was_there() {
    let _metrics = testing::scope();
    let record = |times: u64| {
        u64_counter!("case.marked", "Marked", times, "side" => "buy");
        i64_up_down_counter!("case.marked.open", "Open", -1);
        f64_histogram!("case.marked.size", "Size", 2.0);
    };
    record(5);
    let before = testing::mark();
    record(3);
    u64_counter!("case.marked.new", "New", 1);
    assert_counter!(since before, "case.marked", 3, "side" => "buy");
    assert_counter!(since before, "case.marked.new", 1);
    assert_up_down_counter!(since before, "case.marked.open", -1);
    assert_histogram_count!(since before, "case.marked.size", 1);
    assert_histogram_sum!(since before, case.marked.size, 2.0);
    let after = testing::mark();
    assert_counter!(since after, "case.marked", 0, "side" => "buy");
    let failed = said(|| assert_counter!(since after, "case.marked", 1, "side" => "buy"));
    assert!(
        failed.starts_with("expected counter case.marked{side=\"buy\"} 1 since the mark, found 0"),
        "{failed}"
    );
    let failed = said(|| isolated(|_| assert_counter!(since after, "case.marked", 1)));
    assert!(failed.contains("since a mark of another store"), "{failed}");
}

#[test]
fn a_failure_shows_everything_that_is_there_the_nearest_first() {
    let _metrics = testing::scope();
    u64_counter!("aaa.first", "First by name", 1);
    u64_counter!("orders.refused", "Refused", 4, "reason" => "limit", "side" => "sell");
    u64_counter!("orders.refused", "Refused", 3, "reason" => "limit");
    u64_counter!("orders.refuse", "One letter less", 1, "reason" => "limit");
    f64_histogram!("zzz.wait", "Wait", 0.5);
    let failed = said(|| assert_counter!("orders.refused", 1, "reason" => "price"));
    let expected = "expected counter orders.refused{reason=\"price\"} 1, found none\n\
        there is:\n  \
        counter orders.refused{reason=\"limit\"} 3\n  \
        counter orders.refused{reason=\"limit\",side=\"sell\"} 4\n  \
        counter orders.refuse{reason=\"limit\"} 1\n  \
        counter aaa.first 1\n  \
        histogram zzz.wait count 1 sum 0.5";
    assert_eq!(failed, expected);
    let failed = said(|| assert_counter!("orders.refused", 1, "reason" => "limit"));
    assert!(
        failed.starts_with("expected counter orders.refused{reason=\"limit\"} 1, found 3\nthere is:"),
        "{failed}"
    );
    let failed = said(|| assert_histogram_not_exists!("zzz.wait"));
    assert!(failed.starts_with("expected no histogram zzz.wait, found 1\n"), "{failed}");
    let failed = said(|| assert_gauge_exists!("zzz.wait"));
    let expected = "expected gauge zzz.wait, found none\n\
        zzz.wait is a histogram: assert it with assert_histogram_sum! or assert_histogram_count!\nthere is:";
    assert!(failed.starts_with(expected), "{failed}");
}

#[test]
fn a_failure_says_what_a_name_or_labels_are_taken_for() {
    let _metrics = testing::scope();
    u64_counter_with_unit!("case.sent", "Sent", "By", 1, "side" => "buy", "region" => "eu");
    let has = |failed: String, hint: &str| assert_eq!(failed.lines().nth(1), Some(hint), "{failed}");
    has(
        said(|| assert_counter!(CASE_SENT, 1, ..)),
        "CASE_SENT is taken for the name of a metric, as text: of a static, write the name that stands in metrics!",
    );
    has(
        said(|| assert_counter!("case_sent_bytes_total", 1, ..)),
        "case_sent_bytes_total is how a Prometheus page spells case.sent: assert it by the name that it is recorded with",
    );
    let more = "there are more labels than these: a last .. stands for them";
    has(said(|| assert_counter!("case.sent", 1)), more);
    has(said(|| assert_counter_exists!("case.sent", "side" => "buy")), more);
    has(said(|| assert_counter!("case.sent", 1, "side" => "sell")), "there is:");
    has(said(|| assert_counter!("case.sent", 2, ..)), "there is:");
}

#[test]
fn a_failure_outside_of_every_scope_says_so() {
    u64_counter!("case.outside", "Outside", 1);
    let failed = said(|| assert_counter!("case.outside", 0));
    assert_eq!(
        failed.lines().nth(1),
        Some("there is in the global store, outside of every scope:"),
        "{failed}"
    );
}

#[test]
fn a_page_that_is_taken_for_the_name_of_a_file_is_not_written() {
    let _metrics = testing::scope();
    let failed = said(|| assert_metrics_snapshot!("# TYPE a counter\na 1\n"));
    assert!(failed.ends_with("a page in a literal is assert_metrics_snapshot!(text: ..)"), "{failed}");
}

#[test]
fn a_failure_says_that_a_label_is_of_another_type_or_that_nothing_is_there() {
    let failed = {
        let _metrics = testing::scope();
        u64_counter!("case.typed", "Typed", 1, "status" => 404);
        said(|| assert_counter!("case.typed", 1, "status" => "404"))
    };
    assert!(
        failed.contains("the label status is the number 404 there, and the text is expected"),
        "{failed}"
    );
    let failed = testing::isolated(|_| said(|| assert_counter!("case.typed", 1)));
    assert!(failed.contains("nothing was recorded in this scope"), "{failed}");
}

#[test]
fn a_page_is_compared_with_a_literal_line_by_line() {
    let _metrics = testing::scope();
    u64_counter_with_unit!("case.page.orders", "Orders", "{order}", 2, "id" => 17);
    f64_histogram_with_unit!("case.page.took", "Took", "s", 0.25);
    f64_histogram!("case.page.nan", "Dropped, which metercast counts", f64::NAN);
    assert_metrics_snapshot!(
        text: "
# HELP case_page_orders_total Orders
# TYPE case_page_orders_total counter
case_page_orders_total{id=\"<any>\"} 2
# HELP case_page_took_seconds Took
# TYPE case_page_took_seconds histogram
<any>
case_page_took_seconds_bucket{le=\"10\"} <time>
case_page_took_seconds_bucket{le=\"+Inf\"} 1
case_page_took_seconds_sum <time>
case_page_took_seconds_count 1
"
    );
    let failed = said(
        || assert_metrics_snapshot!(text: "# HELP case_page_orders_total Orders\n<any>\ncase_page_took_seconds_count 2"),
    );
    assert!(
        failed.starts_with(
            "expected another page; - is expected, + is there:\n  # HELP case_page_orders_total Orders\n"
        ),
        "{failed}"
    );
    assert!(failed.contains("- case_page_took_seconds_count 2\n"), "{failed}");
}

const FILE: &str = "METERCAST_TEST_SNAPSHOT";

/// What the child of the next test does.
#[test]
fn a_page_in_a_file() {
    let Some(file) = std::env::var_os(FILE) else { return };
    let _metrics = testing::scope();
    u64_counter!("case.filed", "In a file", 1);
    assert_metrics_snapshot!(&file);
}

#[test]
fn a_page_is_compared_with_a_file_and_written_if_that_is_wanted() {
    let folder = std::env::temp_dir().join(format!("metercast-snapshot-{}", std::process::id()));
    let file = folder.join("deep/page.txt");
    let run = |update: &str| {
        let mut command = Command::new(std::env::current_exe().unwrap());
        let output = command
            .args(["--exact", "a_page_in_a_file"])
            .env(FILE, &file)
            .env("UPDATE", update)
            .output()
            .unwrap();
        (output.status.success(), String::from_utf8_lossy(&output.stdout).into_owned())
    };
    let (succeeds, missing) = run("0");
    assert!(
        !succeeds && missing.contains("UPDATE=1 writes it:\n# HELP case_filed_total In a file\n"),
        "{missing}"
    );
    assert!(run("1").0);
    let page = fs::read_to_string(&file).unwrap();
    assert_eq!(
        page,
        "# HELP case_filed_total In a file\n# TYPE case_filed_total counter\ncase_filed_total 1\n"
    );
    assert!(run("0").0);
    fs::write(&file, page.replace("total 1", "total 2")).unwrap();
    let (succeeds, differs) = run("0");
    assert!(!succeeds && differs.contains("- case_filed_total 2\n+ case_filed_total 1\n"), "{differs}");
    fs::write(&file, page.replace("total 1", "total <any>")).unwrap();
    assert!(run("1").0, "what holds is not written anew");
    assert!(fs::read_to_string(&file).unwrap().contains("<any>"));
    fs::remove_dir_all(folder).unwrap();
}
