//! Reloads touch what they name and nothing else: steps 4 to 6.

use std::collections::BTreeMap;
use std::net::TcpListener;

use conformance::http;
use conformance::program::free_address;

use crate::counts::requests;
use crate::support::{Collector, Got, Page, Router, Yaml, until, upstream};

/// All series of a page that never get less, but those of what is measured of metercast itself.
fn cumulative(page: &Page) -> BTreeMap<String, f64> {
    let samples =
        page.0.lines().filter(|line| !line.starts_with('#')).filter_map(|line| line.rsplit_once(' '));
    let samples = samples.filter(|(series, _)| {
        let name = series.split('{').next().unwrap_or_default();
        ["_total", "_count", "_bucket"].iter().any(|end| name.ends_with(end)) && !name.starts_with("otel_sdk")
    });
    samples.map(|(series, value)| (series.to_owned(), value.parse().expect("a number"))).collect()
}

const OK: &[&str] = &["http_response_status_code=\"200\""];
const OF_OK: &[(&str, &str)] = &[("http.response.status_code", "200")];

#[test]
fn another_address_and_another_token_reset_nothing() {
    let (user, vendor) = (Collector::new(), Collector::new());
    let (first, second) = (free_address(), free_address());
    let mut yaml = Yaml { listen: first.clone(), ..Yaml::new(&upstream(), &user.url, &vendor.url) };
    let router = Router::start(&yaml);
    requests(&router);
    until("a push to the vendor", || (vendor.total("gateway.operations", &[]) == 7.0).then_some(()));
    let (yaml_before, started) = (yaml.text(), vendor.started("gateway.lifecycle.start"));
    (yaml.listen, yaml.token) = (second.clone(), "second".to_owned());
    assert_ne!(yaml_before, yaml.text());
    let pushed = user.got().len();
    router.reloaded(&yaml);
    assert_eq!(router.get("/products/items/5"), 200);

    let old = format!("http://{first}/metrics");
    until("the old one to close", || http::ask(&old, "GET", "", b"").is_err().then_some(()));
    let page = Page(String::from_utf8(http::get(&format!("http://{second}/metrics"))).expect("UTF-8"));
    assert_eq!(page.sum("gateway_operations_total", OK), Some(6.0));
    assert_eq!(page.count("gateway_pipelines", &[]), 1, "{:?}", page.lines("gateway_pipelines"));
    until("all at the user's", || (user.total("gateway.operations", OF_OK) == 6.0).then_some(()));
    // What the old settings owe may have been all of that.
    let has_new_token = |got: &Got| got.head.contains("authorization: bearer second");
    until("a push with the new token", || user.got().last().is_some_and(has_new_token).then_some(()));
    assert_eq!(user.total("gateway.operations", OF_OK), 6.0);
    let got = user.got();
    let tokens: Vec<bool> = got[pushed..].iter().map(has_new_token).collect();
    assert!(tokens.is_sorted() && tokens.last() == Some(&true), "{tokens:?}");
    until("the last request at the vendor's", || {
        (vendor.total("gateway.operations", &[]) == 8.0).then_some(())
    });
    assert_eq!(vendor.started("gateway.lifecycle.start"), started);
}

#[test]
fn twenty_five_reloads_under_load_lose_nothing_and_count_nothing_twice() {
    let (user, vendor) = (Collector::new(), Collector::new());
    let mut yaml = Yaml::new(&upstream(), &user.url, &vendor.url);
    let router = Router::start(&yaml);
    requests(&router);
    let threads = router.threads();
    let mut before = BTreeMap::new();
    std::thread::scope(|scope| {
        let load = scope.spawn(|| {
            for _ in 0..1_000 {
                assert_eq!(router.ask_for("/accounts/items/2", "GetUser"), 200);
            }
        });
        for round in 0..25 {
            yaml.token = if round % 2 == 0 { "even".to_owned() } else { "odd".to_owned() };
            router.reloaded(&yaml);
            let page = router.page();
            let now = cumulative(&page);
            let is_less = |(series, value): &(&String, &f64)| now.get(*series).is_none_or(|now| now < *value);
            assert_eq!(before.iter().find(is_less), None, "{}", page.0);
            before = now;
            assert!(page.count("gateway_pipelines", &[]) <= 2, "{:?}", page.lines("gateway_pipelines"));
        }
        load.join().expect("all is answered");
    });
    assert_eq!(router.page().sum("gateway_operations_total", OK), Some(1_005.0));
    until("all at the user's", || (user.total("gateway.operations", OF_OK) >= 1_005.0).then_some(()));
    until("all at the vendor's", || (vendor.total("gateway.operations", OF_OK) >= 1_005.0).then_some(()));
    until("threads that end", || (router.threads() <= threads + 1).then_some(()));
    // One to each collector, and one to the upstream for each of its clients.
    let open = router.connections();
    assert!(
        [&user.url, &vendor.url].iter().all(|url| open.get(*url).is_none_or(|open| *open == 1)),
        "{open:?}"
    );
    let (status, ..) = router.end();
    assert!(status.success());
    assert_eq!(user.total("gateway.operations", OF_OK), 1_005.0);
    assert_eq!(vendor.total("gateway.operations", OF_OK), 1_005.0);
}

#[test]
fn a_reload_that_is_refused_says_why_and_changes_nothing() {
    let (user, vendor) = (Collector::new(), Collector::new());
    let yaml = Yaml::new(&upstream(), &user.url, &vendor.url);
    let router = Router::start(&yaml);
    requests(&router);
    let taken = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let taken = taken.local_addr().expect("bound").to_string();
    let refused = [
        (
            Yaml { rest: "        nonsense: 1\n".into(), ..yaml.clone() },
            "nonsense",
            ["is not a key that is known here", "expected \"batch_processor\""],
        ),
        (
            Yaml { rest: "        temporalty: delta\n".into(), ..yaml.clone() },
            "temporalty",
            ["otlp.temporalty", "did you mean \"temporality\"?"],
        ),
        (
            Yaml { rest: "  instrumentaton: {}\n".into(), ..yaml.clone() },
            "instrumentaton",
            ["telemetry.instrumentaton", "did you mean \"instrumentation\"?"],
        ),
        (
            Yaml {
                instruments: "acme.never: {value: {request_hedaer: x}, type: histogram}".into(),
                ..yaml.clone()
            },
            "acme.never",
            ["request_hedaer", "did you mean \"request_header\"?"],
        ),
        (
            Yaml { upstream: "ftp://127.0.0.1".into(), ..yaml.clone() },
            "",
            ["upstreams.accounts: this is no URL", "write http://HOST:PORT"],
        ),
        (
            Yaml { cached: vec!["acounts"], ..yaml.clone() },
            "",
            ["cache.acounts", "there is no such upstream"],
        ),
        (
            Yaml { views: "- {name: a, aggregation: histgram}".into(), ..yaml.clone() },
            "histgram",
            ["views[0].aggregation: expected", "found \"histgram\"; did you mean \"histogram\"?"],
        ),
        (
            Yaml {
                instruments: "acme.never: {value: unit, type: counter, condition: {eq: [1, 2]}}".into(),
                ..yaml.clone()
            },
            "acme.never",
            ["compares a value with a value", "acme.never"],
        ),
        (Yaml { listen: taken.clone(), ..yaml.clone() }, "", ["cannot listen on", &taken]),
        (
            Yaml {
                instruments: "gateway.operations: {value: duration, type: histogram}".into(),
                ..yaml.clone()
            },
            "gateway.operations: {",
            ["router.\"gateway.operations\": got a histogram, and expected another name", "router.yaml"],
        ),
    ];
    for (yaml, wrong, expected) in refused {
        let (status, text) = router.reload(&yaml);
        assert_eq!(status, 422, "{text}");
        let line = yaml.text().lines().position(|line| !wrong.is_empty() && line.contains(wrong));
        let place = line.map_or_else(String::new, |line| format!("router.yaml:{}: ", line + 1));
        for part in expected.into_iter().chain([&*place]) {
            assert!(text.contains(part), "{part:?} is not in {text}");
        }
        let page = router.page();
        assert_eq!(page.sum("gateway_operations_total", OK), Some(5.0));
        assert_eq!(page.sum("acme_requests_total", &[]), Some(7.0));
        assert_eq!(page.sum("metercast_config_last_reload_successful", &[]), Some(0.0));
        assert_eq!(page.count("gateway_pipelines", &[]), 1);
    }
    assert_eq!(router.get("/accounts/items/2"), 200);
    until("both go on", || {
        let all = user.total("gateway.operations", OF_OK) + vendor.total("gateway.operations", OF_OK);
        (all == 12.0).then_some(())
    });
    router.reloaded(&yaml);
    assert_eq!(router.page().sum("metercast_config_last_reload_successful", &[]), Some(1.0));
}

#[test]
fn sighup_reloads_as_well() {
    let (user, vendor) = (Collector::new(), Collector::new());
    let mut yaml = Yaml::new(&upstream(), &user.url, &vendor.url);
    let router = Router::start(&yaml);
    yaml.token = "after".to_owned();
    router.write(&yaml);
    router.signal("HUP");
    until("a push with the new token", || {
        user.got().last().is_some_and(|got| got.head.contains("bearer after")).then_some(())
    });
}

#[test]
fn a_file_that_changes_is_read_without_being_asked() {
    let (user, vendor) = (Collector::new(), Collector::new());
    let mut yaml = Yaml::new(&upstream(), &user.url, &vendor.url);
    let router = Router::start(&yaml);
    requests(&router);
    let hash = |page: &Page| page.lines("gateway_pipelines")[0].to_owned();
    let before = hash(&router.page());
    yaml.token = "after".to_owned();
    router.write(&yaml);
    until("a push with the new token", || {
        user.got().last().is_some_and(|got| got.head.contains("bearer after")).then_some(())
    });
    until("other upstreams", || (hash(&router.page()) != before).then_some(()));
    router.write_text("upstreams: [\n");
    let line = until("what is said of a file that cannot be read", || {
        router.said().lines().find(|line| line.contains("not reloaded by a change")).map(str::to_owned)
    });
    assert!(line.contains("router.yaml:1: ") && line.contains("unclosed bracket"), "{line}");
    assert_eq!(router.page().sum("gateway_operations_total", OK), Some(5.0));
}

#[test]
fn a_reload_of_the_same_file_ends_no_connection() {
    let (user, vendor) = (Collector::new(), Collector::new());
    let yaml = Yaml::new(&upstream(), &user.url, &vendor.url);
    let router = Router::start(&yaml);
    let before = router.page().lines("gateway_pipelines")[0].to_owned();
    router.reloaded(&yaml);
    assert_eq!(router.page().lines("gateway_pipelines"), [&*before]);
}

#[test]
fn the_file_may_be_toml() {
    let user = Collector::new();
    let text = format!(
        "[upstreams]\naccounts = \"{}\"\n[telemetry.exporters.metrics]\n\
         prometheus = {{ enabled = true, listen = \"127.0.0.1:0\" }}\n\
         otlp = {{ enabled = true, endpoint = \"{}\", protocol = \"http\", batch_processor = {{ scheduled_delay = \"1s\" }} }}\n",
        upstream(),
        user.url
    );
    let router = Router::start_file("router.toml", &text, &[]);
    assert_eq!(router.get("/accounts/items/2"), 200);
    until("it at the user's", || (user.total("gateway.operations", OF_OK) == 1.0).then_some(()));
    let (status, said) = router.reload_text(&format!("{text}[upstrems]\n"));
    assert!(status == 422 && said.contains("router.toml:6: ") && said.contains("upstrems"), "{said}");
}
