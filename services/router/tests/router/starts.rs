//! What keeps the router from starting, and what does not.

use std::net::TcpListener;
use std::time::Duration;

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
        ("interval: 1s", "interval: 0s", "private.interval: \"0s\""),
        ("interval: 1s", "intervall: 1s", "intervall"),
        ("scheduled_delay: 1s", "scheduled_delay: 0s", "scheduled_delay: 0s is too short"),
        ("protocol: http\n", "protocol: htpp\n", "did you mean \"http\"?"),
        ("Bearer first", "Bearer ${env.NO_SUCH_TOKEN}", "NO_SUCH_TOKEN"),
    ] {
        let (before, _) = text.split_once(written).expect("it is there");
        let (is_well, said) = refused(&text.replace(written, instead), [ANYWHERE; 2]);
        assert!(!is_well && said.contains(expected), "{expected}: {said}");
        // What a line means for the whole is said without one.
        let place = format!("router.yaml:{}: ", 1 + before.matches('\n').count());
        assert!(said.contains(&place) || instead == "interval: 0s", "{place}: {said}");
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
