//! What keeps the router from starting, and what does not.

use std::net::TcpListener;
use std::time::Duration;

use conformance::program::Folder;

use crate::counts::requests;
use crate::support::{ANYWHERE, Collector, Router, Yaml, refused, until, upstream};

#[test]
fn a_port_that_is_taken_is_named_and_ends_the_start() {
    let taken = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let taken = taken.local_addr().expect("bound").to_string();
    let user = Collector::new();
    let yaml = Yaml::new(&upstream(), &user.url, &user.url);
    for (option, addresses) in [("--listen", [&*taken, ANYWHERE]), ("--admin", [ANYWHERE, &taken])] {
        let (is_well, said) = refused(&yaml.text(), addresses);
        assert!(
            !is_well && said.contains(&format!("{option} {taken}")) && said.contains("choose another"),
            "{said}"
        );
    }
    let (is_well, said) = refused(&Yaml { listen: taken.clone(), ..yaml }.text(), [ANYWHERE; 2]);
    assert!(!is_well && said.contains(&format!("cannot listen on {taken}")), "{said}");
}

#[test]
fn a_file_that_cannot_be_meant_is_refused_with_its_line() {
    let user = Collector::new();
    let text = Yaml::new(&upstream(), &user.url, &user.url).text();
    for (written, instead, expected) in [
        ("upstreams:", "upstrems:", "upstrems"),
        ("interval: 1s", "interval: 0s", "private.interval: this is no length of time"),
        ("interval: 1s", "intervall: 1s", "intervall"),
        ("scheduled_delay: 1s", "scheduled_delay: 0s", "scheduled_delay: 0s is too short"),
        ("protocol: http\n", "protocol: htpp\n", "did you mean \"http\"?"),
        ("Bearer first", "Bearer ${env.NO_SUCH_TOKEN}", "NO_SUCH_TOKEN"),
        (
            "interval: 1s",
            "interval: \"${env.NO_SUCH_TIME}\"",
            "private.interval: refers to the variable NO_SUCH_TIME",
        ),
        ("cache: {}", "cache: {accounts: sometimes}", "cache.accounts: write true or false"),
    ] {
        let (before, _) = text.split_once(written).expect("it is there");
        let (is_well, said) = refused(&text.replace(written, instead), [ANYWHERE; 2]);
        assert!(!is_well && said.contains(expected), "{expected}: {said}");
        // What a line means for the whole is said without one.
        let place = format!("router.yaml:{}: ", 1 + before.matches('\n').count());
        let is_meant = ["private.", "cache."].iter().any(|own| expected.starts_with(own));
        assert!(said.contains(&place) || is_meant, "{place}: {said}");
    }
}

#[test]
fn a_collector_that_is_not_there_is_told_of_and_keeps_nobody_waiting() {
    let vendor = Collector::new();
    let nowhere = "http://127.0.0.1:1";
    let mut yaml = Yaml::new(&upstream(), nowhere, &vendor.url);
    let router = Router::start(&yaml);
    requests(&router);
    let line = until("what is said of it", || {
        router.said().lines().find(|line| line.contains("refused")).map(str::to_owned)
    });
    assert!(line.contains("otlp") && line.contains(nowhere), "{line}");
    assert_eq!(router.page().sum("gateway_operations_total", &[]), Some(7.0));
    // What it did not get, another one gets.
    let user = Collector::new();
    yaml.user = user.url.clone();
    router.reloaded(&yaml);
    until("all at the user's", || (user.total("gateway.operations", &[]) == 7.0).then_some(()));
    yaml.user = nowhere.to_owned();
    router.reloaded(&yaml);
    assert_eq!(router.get("/products/items/5"), 200);
    let (status, took, said) = router.end();
    assert!(status.success() && took < Duration::from_secs(5), "{status} after {took:?}: {said}");
    assert!(
        said.lines().last().is_some_and(|line| line.contains("otlp")),
        "who did not get all is told: {said}"
    );
    assert_eq!(vendor.total("gateway.operations", &[]), 8.0);
}

#[test]
fn what_the_gateways_own_keys_refer_to_is_filled_in_and_a_reload_reads_it_again() {
    let (user, vendor, folder) = (Collector::new(), Collector::new(), Folder::new());
    let kept = folder.write("kept", "true\n");
    let yaml = Yaml::new("${env.UPSTREAM}", &user.url, "${env.VENDOR}");
    let text = yaml.text().replace("cache: {}", &format!("cache: {{accounts: \"${{file.{kept}}}\"}}"));
    let text = text.replace("interval: 1s", "interval: \"${env.EVERY:-1}s\"");
    let router = Router::start_text(&text, &[("UPSTREAM", &upstream()), ("VENDOR", &vendor.url)]);
    for path in ["/accounts/items/2", "/products/items/5"] {
        assert_eq!(router.get(path), 200);
    }
    until("both at the vendor's", || (vendor.total("gateway.operations", &[]) == 2.0).then_some(()));
    let size = || router.page().sum("gateway_cache_size", &["kind=\"accounts\""]);
    assert_eq!(size(), Some(1.0));
    folder.write("kept", "false");
    let (status, said) = router.reload_text(&text);
    assert_eq!((status, size()), (200, None), "{said}");
    folder.write("kept", "perhaps");
    let (status, said) = router.reload_text(&text);
    assert!(status == 422 && said.contains("cache.accounts: write true or false"), "{said}");
    assert!(!said.contains("perhaps"), "what it refers to is not shown: {said}");
}
