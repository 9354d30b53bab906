//! The page tells the truth: whatever fails is there after one interval, with its cause and how to mend it, and so is that it is mended.

use std::path::PathBuf;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use metercast::{Config, Log, Store, Telemetry};

use super::browser::Page;
use super::collector::Collector;
use super::has_browser;
use super::shop::{CALLS, LIMIT, Shop};
use super::support::NOBODY;

/// The interval of the push.
const INTERVAL: Duration = Duration::from_secs(10);

/// A shop that is configured by a file.
struct Configured {
    shop: Shop,
    file: PathBuf,
}

impl Configured {
    /// With these lines about its push.
    fn start(name: &str, central: &str) -> Configured {
        let file = std::env::temp_dir().join(format!("metercast-page-{name}-{}.toml", std::process::id()));
        std::fs::write(&file, text(central)).unwrap();
        let config = Config::builder().environment(false).file(&file).build().unwrap();
        let shop = Shop::of(|clock| {
            let store = Store::with_clock(clock);
            let log = Log::to(|_, _| {});
            (Telemetry::builder(config).store(store.clone()).log(log).start().unwrap(), store)
        });
        shop.serve_for(2);
        Configured { shop, file }
    }

    fn write(&self, central: &str) {
        std::fs::write(&self.file, text(central)).unwrap();
    }

    /// Lets one interval pass, waits until the push has ended in this way, and lets it be read.
    fn one_interval(&self, status: &str) {
        self.shop.clock.advance(INTERVAL);
        let begun = Instant::now();
        while self.shop.exporter("central")["status"] != status {
            assert!(begun.elapsed() < LIMIT, "{}", self.shop.exporter("central"));
            std::thread::sleep(Duration::from_millis(5));
        }
        self.shop.second();
    }
}

impl Drop for Configured {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.file);
    }
}

fn text(central: &str) -> String {
    format!(
        "[telemetry]\nshutdown_timeout = '100ms'\n\n[telemetry.resource]\n\"service.name\" = 'shop'\n\n[telemetry.exporters.prometheus]\nlisten = '127.0.0.1:0'\n\n\
         [telemetry.exporters.central]\ntype = 'otlp'\ninterval = '10s'\n{central}\n"
    )
}

/// What is wrong, where it is looked for first and where what stands out is.
fn is_told(page: &Page, texts: &[&str]) {
    page.see("#health .exporter", texts);
    page.see("#changed", &["✗ exporter central is failing"]);
    assert_eq!(page.js("document.title"), "✗ shop live");
    page.picture(&format!("fault-{}", texts[0].replace(' ', "-").replace(['/', ':'], "")));
}

/// Nothing of it is there any more.
fn is_mended(page: &Page) {
    page.see("#health .exporter", &["✓ central"]);
    page.until("document.querySelectorAll('#health .bad').length === 0");
    page.until("!document.querySelector('#changed').innerText.includes('exporter')");
    assert_eq!(page.js("document.title"), "shop live");
}

#[test]
fn a_collector_that_refuses_is_told_and_so_is_that_it_takes_again() {
    if !has_browser("a_collector_that_refuses_is_told_and_so_is_that_it_takes_again") {
        return;
    }
    let configured = Configured::start("refused", &format!("endpoint = 'http://{NOBODY}'"));
    let page = Page::open(&configured.shop.url);
    page.see("#health", &["central", "waiting"]);
    configured.one_interval("failing");
    is_told(&page, &["connection refused", "is a collector listening there?", NOBODY]);
    configured.write(&format!("endpoint = 'http://{}'", Collector::start(200).address));
    configured.shop.telemetry.reread().unwrap();
    configured.one_interval("ok");
    is_mended(&page);
}

#[test]
fn a_token_that_is_refused_is_told_and_so_is_that_it_is_taken() {
    if !has_browser("a_token_that_is_refused_is_told_and_so_is_that_it_is_taken") {
        return;
    }
    let collector = Collector::start(401);
    let central = format!("endpoint = 'http://{}'\nauth = {{ bearer = 's3cret' }}", collector.address);
    let configured = Configured::start("token", &central);
    let page = Page::open(&configured.shop.url);
    page.see("#health", &["central", "waiting"]);
    configured.one_interval("failing");
    is_told(&page, &["401 Unauthorized", "check the exporter's auth or headers"]);
    assert_eq!(page.js("document.documentElement.outerHTML.includes('s3cret')"), false);
    collector.status.store(200, Ordering::Relaxed);
    configured.one_interval("ok");
    is_mended(&page);
}

#[test]
fn a_certificate_of_an_unknown_authority_is_told_and_so_is_that_it_is_known() {
    if !has_browser("a_certificate_of_an_unknown_authority_is_told_and_so_is_that_it_is_known") {
        return;
    }
    let (collector, certificate) = Collector::encrypted();
    let endpoint = format!("endpoint = 'https://localhost:{}'", collector.address.port());
    let configured = Configured::start("authority", &endpoint);
    let page = Page::open(&configured.shop.url);
    page.see("#health", &["central", "waiting"]);
    configured.one_interval("failing");
    is_told(&page, &["certificate", "ca", "https://localhost"]);
    let known = configured.file.with_extension("pem");
    std::fs::write(&known, certificate).unwrap();
    configured.write(&format!("{endpoint}\ntls = {{ ca = {known:?} }}"));
    configured.shop.telemetry.reread().unwrap();
    configured.one_interval("ok");
    is_mended(&page);
    std::fs::remove_file(known).unwrap();
}

#[test]
fn a_reload_that_fails_is_told_with_the_line_and_so_is_the_next_one_that_holds() {
    if !has_browser("a_reload_that_fails_is_told_with_the_line_and_so_is_the_next_one_that_holds") {
        return;
    }
    let endpoint = format!("endpoint = 'http://{}'", Collector::start(200).address);
    let configured = Configured::start("reload", &endpoint);
    let page = Page::open(&configured.shop.url);
    configured.one_interval("ok");
    is_mended(&page);
    configured.write(&format!("{endpoint}\ntemporality = 'detla'"));
    configured.shop.telemetry.reread().unwrap_err();
    configured.shop.second();
    let place = format!("{}:14", configured.file.display());
    page.see(
        "#health .exporter",
        &["✗ reload refused, the old configuration holds", &place, "detla", "delta"],
    );
    page.see("#changed", &["✗ the last reload was refused"]);
    assert_eq!(page.js("document.title"), "✗ shop live");
    page.picture("fault-reload");
    configured.write(&format!("{endpoint}\ntemporality = 'delta'"));
    configured.shop.telemetry.reread().unwrap();
    configured.shop.second();
    page.see("#health .exporter", &["✓ reload", "central: temporality changed"]);
    assert_eq!(page.js("document.title"), "shop live");
}

#[test]
fn a_flood_of_series_is_told_with_the_label_that_makes_them() {
    if !has_browser("a_flood_of_series_is_told_with_the_label_that_makes_them") {
        return;
    }
    let shop = Shop::start();
    let page = Page::open(&shop.url);
    page.see("#changed", &["http.server.request.duration"]);
    shop.store.scope(|| (0..3000).for_each(|n| CALLS.add(1, (&format!("user-{n}"), "search"))));
    shop.second();
    page.see(
        "#changed",
        &[
            "tool.calls is at its limit of 2000 series",
            "user.id has 2000 values",
            "1001 went to the overflow series",
            "raise the limit",
        ],
    );
    page.see("#cardinal", &["tool.calls", "✗ 1001", "user.id, 2000 values"]);
    page.picture("fault-flood");
    shop.store.set_limit("tool.calls", 10_000);
    shop.second();
    page.until("!document.querySelector('#changed').innerText.includes('limit')");
}

#[test]
fn a_program_that_has_ended_is_told_with_how_old_what_is_shown_is() {
    if !has_browser("a_program_that_has_ended_is_told_with_how_old_what_is_shown_is") {
        return;
    }
    let shop = Shop::start();
    let page = Page::open(&shop.url);
    page.see("#metrics", &["orders.placed"]);
    drop(shop);
    page.see("#live", &["not connected", "the program does not answer", "what is shown was so at"]);
    page.see("#metrics", &["orders.placed"]);
}
