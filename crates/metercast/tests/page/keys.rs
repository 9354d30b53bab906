//! The page without a mouse.

use std::collections::BTreeSet;

use super::browser::Page;
use super::has_browser;
use super::shop::Shop;

/// Where one is: what it is called, and whether one sees that one is there.
const HERE: &str = "((it) => [it.id || it.getAttribute('aria-label') || it.textContent.trim(), \
    it === document.body || (it.matches(':focus-visible') && getComputedStyle(it).outlineStyle !== 'none' && parseFloat(getComputedStyle(it).outlineWidth) >= 2)])(document.activeElement)";

/// Everything that can be done something with, as [`HERE`] calls it.
const ALL: &str = "[...document.querySelectorAll('a, button, input, select, summary, [tabindex=\"0\"]')]\
    .filter(it => it.checkVisibility()).map(it => it.id || it.getAttribute('aria-label') || it.textContent.trim())";

#[test]
fn everything_is_reached_with_the_tab_key_and_one_sees_where_one_is() {
    if !has_browser("everything_is_reached_with_the_tab_key_and_one_sees_where_one_is") {
        return;
    }
    let shop = Shop::start();
    let page = Page::open(&format!("{}#metric=orders.placed", shop.url));
    page.until("document.querySelector('#labels summary') !== null");
    page.see("#settings", &["telemetry.exporters.central"]);
    let all: BTreeSet<String> = serde_json::from_value(page.js(ALL)).unwrap();
    let mut reached = BTreeSet::new();
    page.js("document.activeElement.blur()");
    // Twice through, since it begins where the heading of the metric was.
    for _ in 0..3 * all.len() {
        page.press("Tab");
        let here = page.js(HERE);
        assert_eq!(here[1], true, "one does not see that one is at {}", here[0]);
        reached.insert(here[0].as_str().unwrap().to_owned());
        if reached.is_superset(&all) {
            return;
        }
    }
    panic!("not reached: {:?}", all.difference(&reached));
}

#[test]
fn every_key_of_the_help_does_what_it_says() {
    if !has_browser("every_key_of_the_help_does_what_it_says") {
        return;
    }
    let shop = Shop::start();
    let page = Page::open(&shop.url);
    let here = |what: &str| page.until(&format!("document.activeElement.matches({what:?})"));
    page.see("#metrics", &["queue.depth"]);
    page.press("?");
    page.see("#help", &["filter", "pause", "chart as a table"]);
    page.press("Escape");
    page.until("!document.querySelector('#help').open");
    page.press("/");
    here("#filter");
    page.type_text("http.server");
    page.until("document.querySelectorAll('#table tbody tr').length === 2");
    // What keys say is text while one writes.
    page.type_text("pgt");
    page.until("document.querySelectorAll('#table tbody tr').length === 0");
    page.press("Escape");
    page.until("document.querySelectorAll('#table tbody tr').length > 4");
    page.press("g");
    here("#table tbody button");
    let first = page.js("document.activeElement.textContent");
    shop.second();
    shop.second();
    page.press("Tab");
    page.press("Shift+Tab");
    page.until(&format!("document.activeElement.textContent === {first}"));
    page.press("Enter");
    here("#h-detail");
    assert_eq!(page.js("document.querySelector('#h-detail').textContent"), first);
    page.until("document.querySelector('#chart canvas') !== null");
    page.press("t");
    page.see("#chart-table", &["Time"]);
    page.press("t");
    page.until("!document.querySelector('#chart').hidden");
    page.press("d");
    page.until("document.documentElement.dataset.theme === 'dark'");
    page.press("p");
    page.see("#live", &["paused"]);
    page.press("p");
    page.until("!document.querySelector('#live').textContent.includes('paused')");
    page.press("Escape");
    page.until("document.querySelector('#detail').hidden");
    here("#table tbody button");
    assert_eq!(page.js("document.activeElement.textContent"), first, "back where one came from");
    assert_eq!(page.troubles(), Vec::<String>::new());
}

#[test]
fn labels_and_exporters_are_opened_by_keys() {
    if !has_browser("labels_and_exporters_are_opened_by_keys") {
        return;
    }
    let shop = Shop::start();
    let page = Page::open(&format!("{}#metric=orders.placed", shop.url));
    page.until("document.querySelector('#labels summary') !== null");
    page.js("document.querySelector('#labels summary').focus()");
    page.press("Enter");
    page.press("Tab");
    page.press("Enter");
    page.see("#about", &["1 series"]);
    page.until("location.hash.includes('label=side%3A')");
    page.js("document.querySelector('#previews summary').focus()");
    page.press("Enter");
    page.see("#previews", &["metrics to", "service.name=shop", "http.server.request.duration"]);
    page.picture("exporters");
}
