//! What there is to see of one metric, and to take along.

use super::browser::Page;
use super::has_browser;
use super::shop::{ORDERS, Shop};
use super::support::request;

fn click(page: &Page, button: &str) {
    page.js(&format!("document.querySelector({button:?}).click()"));
}

/// What a button copies, once it was said.
fn copied(page: &Page, what: &str) -> String {
    page.js("document.querySelector('#said').textContent = ''");
    click(page, &format!("[data-copy={what}]"));
    page.see("#said", &["Copied: "]);
    let text = page.js("navigator.clipboard.readText()");
    text.as_str().unwrap().to_owned()
}

#[test]
fn what_is_copied_asks_for_the_series_that_are_shown() {
    if !has_browser("what_is_copied_asks_for_the_series_that_are_shown") {
        return;
    }
    let shop = Shop::start();
    let page = Page::open(&format!("{}#metric=orders.placed&label=side:buy", shop.url));
    page.see("#about", &["1 series"]);
    assert_eq!(copied(&page, "promql"), "sum(rate(orders_placed_total{side=\"buy\"}[1m]))");
    let scraped = request(shop.address, "GET", "/metrics").1;
    assert!(scraped.contains("\norders_placed_total{side=\"buy\"} 90\n"), "the name is that of the page");
    let curl = copied(&page, "curl");
    let path = curl.strip_prefix(&format!("curl -s '{}", shop.url)).unwrap().strip_suffix('\'').unwrap();
    let told = shop.json(&format!("/{path}"));
    assert_eq!((&told["metric"]["name"], &told["series_count"]), (&"orders.placed".into(), &1.into()));
    assert_eq!(
        copied(&page, "test"),
        "let _metrics = metercast::testing::scope();\n// What is to be tested comes here.\n\
         metercast::assert_counter!(\"orders.placed\", 90, \"side\" => \"buy\");"
    );
    assert_eq!(copied(&page, "link"), page.js("location.href"));
    assert_eq!(page.troubles(), Vec::<String>::new());
}

#[test]
fn a_series_leads_to_its_own_history_from_then_on() {
    if !has_browser("a_series_leads_to_its_own_history_from_then_on") {
        return;
    }
    let shop = Shop::start();
    let page = Page::open(&format!("{}#metric=orders.placed", shop.url));
    page.see("#series", &["side=\"buy\"", "side=\"sell\""]);
    click(&page, "#series tbody button");
    page.see("#since", &["began when they were looked at first"]);
    page.see("#labels", &["side:buy ×"]);
    page.see("#chart", &["The first values come with the next seconds."]);
    shop.serve_for(3);
    page.until("document.querySelector('#chart canvas') !== null");
    page.see("#chart", &["rate", "3 /s"]);
    page.press("t");
    // The rate of what is bought, which is three fourths of all.
    page.see("#chart-table tbody tr:first-child", &["3"]);
    click(&page, "#labels .chip");
    page.see("#about", &["2 series"]);
    page.see("#chart-table tbody tr:first-child", &["4"]);
}

#[test]
fn what_was_never_recorded_is_there_until_it_is() {
    if !has_browser("what_was_never_recorded_is_there_until_it_is") {
        return;
    }
    let shop = Shop::with(|config| config.self_metrics(false));
    let page = Page::open(&shop.url);
    page.see("#never", &["orders.placed", "Orders accepted.", "tests/page/shop.rs"]);
    shop.store.scope(|| ORDERS.add(1, ("buy",)));
    shop.second();
    page.until("document.querySelector('#empty').hidden");
    page.see("#counts", &["1 of 1 metrics"]);
    page.until("![...document.querySelectorAll('#never-table td:first-child')].some(td => td.textContent === 'orders.placed')");
    page.see("#never", &["queue.depth"]);
}
