//! How the page looks, and to whom: each look is judged by axe-core, and may be pictured for people.

use super::browser::{LIGHT, Look, Page};
use super::has_browser;
use super::shop::Shop;

/// Nothing serious, and nothing cut off at the side.
fn judge(page: &Page, picture: &str) {
    page.picture(picture);
    assert_eq!(page.axe(), Vec::<String>::new());
    assert_eq!(page.js("document.documentElement.scrollWidth <= innerWidth"), true, "it is too wide");
}

#[test]
fn a_page_in_light_colours_shuts_nobody_out() {
    if !has_browser("a_page_in_light_colours_shuts_nobody_out") {
        return;
    }
    let shop = Shop::start();
    let page = Page::open(&shop.url);
    page.see("#signals", &["Traffic", "40 /s", "Errors", "2.5 %", "Latency, p99", "Saturation"]);
    page.see("#metrics", &["orders.placed", "queue.depth"]);
    page.see("#settings", &["telemetry.exporters.central.auth.bearer", "***"]);
    judge(&page, "light");
}

#[test]
fn a_page_in_dark_colours_shuts_nobody_out() {
    if !has_browser("a_page_in_dark_colours_shuts_nobody_out") {
        return;
    }
    let shop = Shop::start();
    let page = Page::open_as(&shop.url, Look { dark: true, ..LIGHT });
    page.see("#metrics", &["orders.placed"]);
    assert_eq!(page.js("document.documentElement.dataset.theme"), "dark");
    judge(&page, "dark");
}

#[test]
fn a_narrow_page_shuts_nobody_out_and_is_not_cut_off() {
    if !has_browser("a_narrow_page_shuts_nobody_out_and_is_not_cut_off") {
        return;
    }
    let shop = Shop::start();
    let page = Page::open_as(&shop.url, Look { width: 360, height: 740, ..LIGHT });
    page.see("#metrics", &["orders.placed"]);
    page.see("#settings", &["telemetry.exporters.central.auth.bearer"]);
    judge(&page, "narrow");
}

#[test]
fn a_page_of_a_service_that_has_measured_nothing_teaches_and_shuts_nobody_out() {
    if !has_browser("a_page_of_a_service_that_has_measured_nothing_teaches_and_shuts_nobody_out") {
        return;
    }
    let shop = Shop::with(|config| config.self_metrics(false));
    let page = Page::open(&shop.url);
    page.see("#empty", &["Nothing is recorded yet", "curl", "u64_counter!"]);
    judge(&page, "empty");
}

#[test]
fn an_open_metric_shuts_nobody_out_as_a_chart_and_as_a_table() {
    if !has_browser("an_open_metric_shuts_nobody_out_as_a_chart_and_as_a_table") {
        return;
    }
    let shop = Shop::start();
    for dark in [false, true] {
        let page = Page::open_as(
            &format!("{}#metric=http.server.request.duration", shop.url),
            Look { dark, ..LIGHT },
        );
        page.see(
            "#detail",
            &["http.server.request.duration", "Duration of HTTP server requests.", "/orders/{id}"],
        );
        page.until("document.querySelector('#chart canvas') !== null");
        judge(&page, if dark { "detail-dark" } else { "detail-light" });
        page.press("t");
        page.see("#chart-table", &["Time", "p99", "rate"]);
        judge(&page, if dark { "table-dark" } else { "table-light" });
    }
}
