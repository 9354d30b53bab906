//! The samples of a page, for comparison with what was pushed. That others can read the page is what the test with
//! Prometheus shows; the parsers there are as crates stumble over `{` in a label value.

use std::collections::BTreeMap;

/// Values by the name and labels of their samples.
pub(crate) type Series = BTreeMap<(String, BTreeMap<String, String>), f64>;

/// Every sample of a page, the buckets of histograms with their `le`.
pub(crate) fn samples(page: &str) -> Series {
    let mut series = Series::new();
    for line in page.lines().filter(|line| !line.starts_with('#')) {
        let (sample, value) = line.rsplit_once(' ').expect("a sample and its value");
        let (name, labels) = sample.split_once('{').unwrap_or((sample, "}"));
        let key = (name.to_owned(), labels_of(labels.strip_suffix('}').expect("labels end")));
        let known = series.insert(key, value.parse().expect("a number"));
        assert_eq!(known, None, "{sample} is there twice");
    }
    series
}

/// The labels of `name="value",...`; the demo has none that need escaping.
fn labels_of(text: &str) -> BTreeMap<String, String> {
    let mut labels = BTreeMap::new();
    let mut rest = text;
    while let Some((name, after)) = rest.split_once("=\"") {
        let (value, after) = after.split_once('"').expect("a value ends");
        assert!(!value.contains('\\'), "{value}");
        labels.insert(name.to_owned(), value.to_owned());
        rest = after.strip_prefix(',').unwrap_or(after);
    }
    assert!(rest.is_empty(), "{rest}");
    labels
}
