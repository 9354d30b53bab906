//! A collector that speaks gRPC behind a certificate of one's own, of which the file has only the authority, beside a key that does
//! nothing: step 18.

use conformance::authority::Authority;
use conformance::program::Folder;

use crate::counts::requests;
use crate::support::{Collector, Router, Yaml, until, upstream};

/// The configuration with a push by gRPC, this certificate of an authority, and a queue.
fn over_grpc(yaml: &Yaml, ca: &str) -> String {
    let text = yaml.text();
    let keys = text.replace("protocol: http\n", &format!("protocol: grpc\n        grpc: {{{ca}}}\n"));
    let (start, rest) = keys.split_once("        http: {headers:").expect("headers of HTTP");
    let (_, rest) = rest.split_once('\n').expect("more lines");
    format!("{start}{rest}").replace("max_export_timeout: 5s", "max_export_timeout: 5s, max_queue_size: 10")
}

#[test]
fn the_authority_alone_is_enough_to_trust_a_collector_and_a_key_without_effect_is_a_warning() {
    let (user, authority) = Collector::encrypted();
    let vendor = Collector::new();
    let folder = Folder::new();
    let ca = folder.write("ca.pem", &authority.authority);
    let yaml = Yaml::new(&upstream(), &user.url, &vendor.url);
    let router = Router::start_text(&over_grpc(&yaml, &format!("ca: \"{ca}\"")), &[]);
    requests(&router);
    until("all at the user's", || (user.total("gateway.operations", &[]) == 7.0).then_some(()));
    let got = user.got();
    let path = "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export ";
    assert!(got.iter().all(|got| got.head.starts_with(path)), "{}", got[0].head);
    let said = router.said();
    assert!(said.contains("max_queue_size") && !said.contains("cannot"), "{said}");
}

#[test]
fn who_is_signed_by_nobody_that_is_known_gets_nothing_until_a_reload_says_whom_to_trust() {
    let (user, authority) = Collector::encrypted();
    let vendor = Collector::new();
    let folder = Folder::new();
    let (own, other) = (
        folder.write("ca.pem", &authority.authority),
        folder.write("other.pem", &Authority::new().authority),
    );
    let yaml = Yaml::new(&upstream(), &user.url, &vendor.url);
    let router = Router::start_text(&over_grpc(&yaml, &format!("ca: \"{other}\"")), &[]);
    requests(&router);
    let line = until("what is said of it", || {
        router.said().lines().find(|line| line.contains("is not signed by one of")).map(str::to_owned)
    });
    assert!(line.contains("\"otlp\"") && line.contains(&other) && line.contains(&user.url), "{line}");
    assert!(user.got().is_empty());
    let (status, text) = router.reload_text(&over_grpc(&yaml, &format!("ca: \"${{file.{own}}}\"")));
    assert_eq!(status, 200, "{text}");
    until("all at the user's", || (user.total("gateway.operations", &[]) == 7.0).then_some(()));
}
