//! Pages of ours and of others, and what is no page.

use std::path::Path;

use super::*;

fn read(text: &str) -> Page {
    Page::read(text.as_bytes(), &Limits::default()).unwrap()
}

/// A page that a real program served.
fn served(name: &str) -> Page {
    let pages = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../conformance/pages");
    read(&std::fs::read_to_string(pages.join(name)).unwrap())
}

fn number(page: &Page, name: &str) -> f64 {
    match page.get(name).unwrap().series[0].value {
        Value::Number(number) => number,
        Value::Distribution(_) => panic!("{name} is a distribution"),
    }
}

#[test]
fn nothing_of_a_real_page_is_left_out() {
    for (name, families, series) in
        [("demo/1.txt", 16, 48), ("node-exporter/1.txt", 117, 151), ("prometheus/1.txt", 169, 187)]
    {
        let page = served(name);
        assert_eq!(page.troubles(&Limits::default()), [""; 0], "{name}");
        assert_eq!((page.families.len(), page.series), (families, series), "{name}");
        let unknown: Vec<_> = page.families.iter().filter(|family| family.kind == Kind::Unknown).collect();
        assert!(name.starts_with("node") || unknown.is_empty(), "{name}: {unknown:?}");
    }
}

#[test]
fn a_page_says_the_same_in_both_formats() {
    let (text, open) = (served("demo/2.txt"), served("demo/2.openmetrics.txt"));
    let names = |page: &Page| {
        page.families.iter().map(|family| (family.name.clone(), family.kind)).collect::<Vec<_>>()
    };
    assert_eq!(names(&text), names(&open));
    let settled = "order_settle_duration_seconds";
    let bounds = |page: &Page| match &page.get(settled).unwrap().series[0].value {
        Value::Distribution(distribution) => {
            distribution.buckets.iter().map(|(bound, _)| *bound).collect::<Vec<_>>()
        }
        Value::Number(_) => panic!(),
    };
    assert_eq!(bounds(&text), bounds(&open));
    assert_eq!(open.get(settled).unwrap().unit, "seconds");
}

#[test]
fn every_kind_is_read() {
    let page = read(
        "# TYPE a counter\n# HELP a What.\na_total{x=\"1\"} 3\na_created{x=\"1\"} 1\n\
         # TYPE h histogram\nh_bucket{le=\"+Inf\"} 2\nh_bucket{le=\"1\"} 1\nh_sum 3\nh_count 2\n\
         # TYPE s summary\ns{quantile=\"0.5\"} 1.5\ns_sum 3\ns_count 2\n\
         # TYPE i info\ni_info{v=\"1\"} 1\n# TYPE g gauge\ng 1\nnaked_total 1\n\
         bare_bucket{le=\"1\"} 4\nbare_count 4\nbare_sum 2\n# EOF\nignored 1\n",
    );
    assert_eq!(page.troubles(&Limits::default()), [""; 0]);
    let kinds: Vec<_> =
        page.families.iter().map(|family| (family.name.as_str(), family.kind.name())).collect();
    assert_eq!(
        kinds,
        [
            ("a_total", "counter"),
            ("h", "histogram"),
            ("s", "summary"),
            ("i_info", "info"),
            ("g", "gauge"),
            ("naked_total", "unknown"),
            ("bare", "histogram"),
        ]
    );
    assert_eq!(page.get("a_total").unwrap().help, "What.");
    let of = |name: &str| page.get(name).unwrap().series[0].value.clone();
    let expected = Distribution {
        count: Some(2.0),
        sum: Some(3.0),
        buckets: vec![(1.0, 1.0), (f64::INFINITY, 2.0)],
        ..Distribution::default()
    };
    assert_eq!(of("h"), Value::Distribution(expected));
    let expected = Distribution {
        count: Some(2.0),
        sum: Some(3.0),
        quantiles: vec![(0.5, 1.5)],
        ..Distribution::default()
    };
    assert_eq!(of("s"), Value::Distribution(expected));
}

#[test]
fn a_line_that_is_wrong_is_said_and_the_others_are_read() {
    let page = read("a 1\nb{\na 2\n\nc 3");
    assert_eq!(
        page.troubles(&Limits::default()),
        ["2 lines are not valid and left out; line 2 has labels that do not end"]
    );
    assert_eq!((number(&page, "a"), number(&page, "c")), (1.0, 3.0));
    let page = Page::read(&b"a 1\nb\xff 2\n"[..], &Limits::default()).unwrap();
    assert_eq!(
        page.troubles(&Limits::default()),
        ["a line is not valid and left out; line 2 is not in UTF-8"]
    );
    assert!(!page.is_foreign());
    assert!(read("<!DOCTYPE html>\n<p>Not found</p>\n").is_foreign());
    assert!(!read("").is_foreign());
}

#[test]
fn what_is_kept_of_a_page_is_bounded() {
    let many: String = (0..1000).map(|series| format!("a{{x=\"{series}\"}} 1\n")).collect();
    let limits = Limits { series: 10, ..Limits::default() };
    let page = Page::read(many.as_bytes(), &limits).unwrap();
    assert_eq!((page.series, page.left_out), (10, 990));
    assert_eq!(page.troubles(&limits), ["990 lines are left out beyond 10 series; --max-series takes more"]);
    let limits = Limits { text: 1000, ..Limits::default() };
    let page = Page::read(many.as_bytes(), &limits).unwrap();
    assert!(page.series < 10 && page.series as u64 + page.left_out == 1000, "{page:?}");
    let limits = Limits { bytes: 50, ..Limits::default() };
    let page = Page::read(many.as_bytes(), &limits).unwrap();
    assert!(page.is_cut && page.bytes == 50 && page.series <= 5, "{page:?}");
}

#[test]
fn bounds_that_come_in_reverse_are_sorted_up_to_a_limit() {
    let reverse = |most: u32| {
        let lines = (1..=most).rev().map(|bound| format!("h_bucket{{le=\"{bound}\"}} 1\n"));
        read(&lines.collect::<String>())
    };
    assert_eq!(reverse(200).faults, 0);
    let page = reverse(1000);
    assert_eq!(page.faults + MOST_SORTED as u64 + 1, 1000);
    assert_eq!(page.first_fault.unwrap().1, "has a bound that is lower than many before it");
    let in_order: String = (1..=1000).map(|bound| format!("h_bucket{{le=\"{bound}\"}} 1\n")).collect();
    assert_eq!(read(&in_order).faults, 0);
}

#[test]
fn a_page_without_an_end_is_read_up_to_the_limit_in_little_memory() {
    // 100 MB of a line that does not end, and of lines that do.
    let long = std::io::repeat(b'a');
    let limits = Limits { bytes: 100_000_000, ..Limits::default() };
    let page = Page::read(long, &limits).unwrap();
    assert!(page.is_cut && page.families.is_empty());
    assert_eq!(page.first_fault, Some((1, "is longer than 64 KiB")));
    let page = Page::read(format!("{}\na 1\n", "x".repeat(70_000)).as_bytes(), &limits).unwrap();
    assert_eq!((page.faults, number(&page, "a")), (1, 1.0));
}
