//! The page in all its forms: step 17.

use std::io::Read;

use flate2::read::GzDecoder;

use crate::counts::requests;
use crate::support::{Collector, Router, Yaml, upstream};

#[test]
fn the_page_is_had_in_every_form_that_is_asked_for() {
    let (user, vendor) = (Collector::new(), Collector::new());
    let yaml = Yaml::new(&upstream(), &user.url, &vendor.url);
    let router = Router::start(&yaml);
    requests(&router);
    let (status, head, body) = router.ask_page("HEAD", "");
    assert_eq!((status, body.len()), (200, 0));
    assert!(head.contains("text/plain; version=0.0.4"), "{head}");
    let (_, head, body) = router.ask_page("GET", "Accept-Encoding: gzip\r\n");
    assert!(head.contains("content-encoding: gzip"), "{head}");
    let mut plain = String::new();
    GzDecoder::new(&*body).read_to_string(&mut plain).expect("gzip");
    assert!(plain.contains("gateway_operations_total") && !plain.contains("# EOF"));
    let (_, head, body) = router.ask_page("GET", "Accept: application/openmetrics-text;version=1.0.0\r\n");
    assert!(head.contains("application/openmetrics-text"), "{head}");
    assert!(body.ends_with(b"# EOF\n"));
    let protobuf =
        "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited";
    let (_, head, _) = router.ask_page("GET", &format!("Accept: {protobuf}\r\n"));
    assert!(head.contains("application/vnd.google.protobuf"), "{head}");
}

#[test]
fn attributes_of_the_resource_stand_on_every_line_only_if_they_are_asked_for() {
    let (user, vendor) = (Collector::new(), Collector::new());
    let yaml = Yaml::new(&upstream(), &user.url, &vendor.url);
    let router = Router::start(&yaml);
    requests(&router);
    let has = |router: &Router| {
        let page = router.page();
        let samples: Vec<&str> = page.0.lines().filter(|line| !line.starts_with('#')).collect();
        let with = samples.iter().filter(|line| line.contains("environment_name=\"test\"")).count();
        (with, samples.len())
    };
    assert_eq!(has(&router).0, 0);
    router.reloaded(&Yaml { resource_selector: "all", ..yaml });
    let (with, all) = has(&router);
    assert_eq!(with, all);
}
