//! What the page asks of the network: its own origin, under whatever path, and nobody else.

use super::browser::{LIGHT, Look, Page};
use super::shop::{Shop, builder};
use super::{has_browser, proxy};
use metercast::config::Prometheus;

/// Goes through all of the page.
fn walk(shop: &Shop, page: &Page) {
    page.see("#metrics", &["orders.placed"]);
    page.press("g");
    page.press("Enter");
    page.until("document.querySelector('#chart canvas') !== null");
    page.js("document.querySelectorAll('#previews summary').forEach(it => it.click())");
    page.see("#previews", &["service.name=shop"]);
    page.see("#settings", &["telemetry.exporters.central"]);
    page.see("#fill", &["series"]);
    shop.serve_for(3);
    page.until("document.querySelector('#live').textContent === '● live'");
}

#[test]
fn no_request_leaves_the_origin_and_nothing_is_done_that_the_policy_forbids() {
    if !has_browser("no_request_leaves_the_origin_and_nothing_is_done_that_the_policy_forbids") {
        return;
    }
    let shop = Shop::start();
    let page = Page::open(&shop.url);
    page.js("addEventListener('securitypolicyviolation', event => console.error('forbidden: ' + event.blockedURI))");
    walk(&shop, &page);
    assert_eq!(page.troubles(), Vec::<String>::new());
    for url in page.requests() {
        assert!(url.starts_with(&shop.url) || url.starts_with("data:"), "{url}");
    }
    // The policy holds: what somebody else would put in does not run, and nothing is fetched from elsewhere.
    page.js(
        "{ const it = document.createElement('script'); it.textContent = 'window.foreign = 1'; document.body.append(it); \
           fetch('http://127.0.0.1:1/').catch(() => {}); }",
    );
    page.until("true");
    assert_eq!(page.js("window.foreign"), serde_json::Value::Null);
    let troubles = page.troubles();
    assert!(troubles.iter().any(|one| one.contains("script-src")), "{troubles:?}");
    assert!(troubles.iter().any(|one| one.contains("connect-src")), "{troubles:?}");
}

#[test]
fn the_page_works_under_a_path_of_a_proxy() {
    if !has_browser("the_page_works_under_a_path_of_a_proxy") {
        return;
    }
    let shop = Shop::start();
    let url = proxy::start(shop.address);
    for at in ["/", "/live"] {
        let page = Page::open(&format!("{url}{at}"));
        walk(&shop, &page);
        assert_eq!(page.troubles(), Vec::<String>::new());
        for asked in page.requests() {
            assert!(asked.starts_with(&url) || asked.starts_with("data:"), "{asked}");
        }
        let link = page.js("document.querySelector('footer a').href");
        assert_eq!(link, format!("{url}/live/api/metrics"));
    }
}

#[test]
fn a_page_with_a_token_is_seen_by_who_has_it() {
    if !has_browser("a_page_with_a_token_is_seen_by_who_has_it") {
        return;
    }
    let guarded = Prometheus::listen("127.0.0.1:0").bearer("p4ge");
    let config = builder().exporter("prometheus", guarded).build().unwrap();
    let shop = Shop::of(|clock| {
        let store = metercast::Store::with_clock(clock);
        let log = metercast::Log::to(|_, _| {});
        (metercast::Telemetry::builder(config).store(store.clone()).log(log).start().unwrap(), store)
    });
    let page = Page::open_as(&shop.url, Look { token: Some("p4ge"), ..LIGHT });
    page.see("#health", &["prometheus"]);
    page.see("#settings", &["***"]);
    page.until("document.querySelector('#live').textContent === '● live'");
    assert_eq!(page.js("document.documentElement.outerHTML.includes('p4ge')"), false);
}
