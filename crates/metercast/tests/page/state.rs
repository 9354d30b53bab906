//! What the page keeps to: a link, a pause, and the wish for less motion.

use std::time::{Duration, Instant};

use super::browser::{LIGHT, Look, Page};
use super::has_browser;
use super::shop::{LIMIT, REQUESTS, Shop};

#[test]
fn a_link_leads_to_what_was_seen() {
    if !has_browser("a_link_leads_to_what_was_seen") {
        return;
    }
    let shop = Shop::start();
    let page = Page::open(&shop.url);
    page.see("#metrics", &["orders.placed"]);
    page.press("/");
    page.type_text("orders");
    page.js("for (const [id, value] of [['sort', 'rate'], ['group', 'kind'], ['window', '60']]) { const it = document.getElementById(id); it.value = value; it.dispatchEvent(new Event('input')); }");
    page.js("document.querySelector('#table tbody button').click()");
    page.until("document.querySelector('#labels summary') !== null");
    page.js("document.querySelector('#labels button').click()");
    page.see("#about", &["1 series"]);
    let seen = page.text("#h-detail, #about, #labels, #counts");
    let link = page.js("location.href");
    let other = Page::open(link.as_str().unwrap());
    other.see("#about", &["1 series"]);
    other.see("#labels", &["side:"]);
    assert_eq!(other.text("#h-detail, #about, #labels, #counts"), seen);
    let choices = "['filter', 'sort', 'group', 'window'].map(id => document.getElementById(id).value).join()";
    assert_eq!(other.js(choices), "orders,rate,kind,60");
}

#[test]
fn a_paused_page_stands_still_and_is_filtered_and_sorted_all_the_same() {
    if !has_browser("a_paused_page_stands_still_and_is_filtered_and_sorted_all_the_same") {
        return;
    }
    let shop = Shop::start();
    let page = Page::open(&shop.url);
    let orders = "[...document.querySelectorAll('#table tbody tr')].find(tr => tr.innerText.startsWith('orders.placed'))?.cells[3].textContent";
    page.until(&format!("{orders} === '120 order'"));
    page.press("p");
    shop.serve_for(5);
    page.press("/");
    page.type_text("orders");
    page.until("document.querySelectorAll('#table tbody tr').length === 1");
    assert_eq!(page.js(orders), "120 order");
    page.press("Escape");
    page.until("document.querySelectorAll('#table tbody tr').length > 4");
    assert_eq!(page.js(orders), "120 order");
    page.press("p");
    page.until(&format!("{orders} === '140 order'"));
}

#[test]
fn who_wishes_less_motion_sees_a_change_every_five_seconds() {
    if !has_browser("who_wishes_less_motion_sees_a_change_every_five_seconds") {
        return;
    }
    let shop = Shop::start();
    let page = Page::open_as(&shop.url, Look { calm: true, timers: true, ..LIGHT });
    page.see("#cards", &["40 /s"]);
    // One who is told the same, after the page.
    page.js(
        "window.told = 0; new EventSource('live/events').addEventListener('change', () => window.told++)",
    );
    let busy = || {
        shop.store.scope(|| (0..50).for_each(|_| REQUESTS.record(0.1, ("/orders", 200, None))));
        shop.second();
    };
    let begun = Instant::now();
    while page.js("window.told").as_u64() < Some(3) {
        assert!(begun.elapsed() < LIMIT, "nothing is told");
        busy();
    }
    assert!(page.text("#cards").contains("40 /s"), "{}", page.text("#cards"));
    page.pass(Duration::from_secs(6));
    busy();
    page.see("#cards", &["50 /s"]);
}
