//! What the macros record is line for line what metrics-exporter-prometheus makes of it: step 13.
//!
//! It is alone in having the relay inside the test, whose recorder is two: ours, and theirs.

use std::collections::HashMap;
use std::sync::mpsc;

use metrics_exporter_prometheus::{Matcher, PrometheusBuilder};
use metrics_util::layers::FanoutBuilder;
use relay::{Addresses, Settings};
use tokio::sync::oneshot;

use crate::support::{Page, Services, until};

/// Whose sample it is: of a metric that the macros record, and of a summary, whose quantiles are estimates of two kinds.
fn is_by_macros(line: &str) -> bool {
    let toolkit = ["http_", "buzz_db_pool_", "buzz_redis_pool_"];
    !line.is_empty() && !toolkit.iter().any(|start| name(line).starts_with(start))
}

fn is_estimate(line: &str) -> bool {
    line.starts_with("buzz_ws_send_batch_size{quantile=")
}

/// The name of the metric that a line is of, comments too.
fn name(line: &str) -> &str {
    let line = line.strip_prefix("# HELP ").or_else(|| line.strip_prefix("# TYPE ")).unwrap_or(line);
    line.split([' ', '{']).next().unwrap_or_default()
}

fn sorted(page: &str) -> Vec<&str> {
    let mut lines: Vec<_> = page.lines().filter(|line| is_by_macros(line) && !is_estimate(line)).collect();
    lines.sort_unstable();
    lines
}

#[test]
fn the_page_has_the_lines_of_metrics_exporter_prometheus() {
    let Some(services) = Services::start("the_page_has_the_lines_of_metrics_exporter_prometheus") else {
        return;
    };
    let theirs = PrometheusBuilder::new()
        .set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), &relay::SECONDS)
        .and_then(|builder| {
            builder.set_buckets_for_metric(
                Matcher::Full("buzz_fanout_recipients".to_owned()),
                &relay::RECIPIENTS,
            )
        })
        .expect("bounds")
        .build_recorder();
    let their_page = theirs.handle();
    let ours = relay::recorder().build().expect("bounds");
    metrics::set_global_recorder(FanoutBuilder::default().add_recorder(ours).add_recorder(theirs).build())
        .unwrap_or_else(|_| panic!("another test of this binary installs a recorder"));
    relay::describe();

    let variables: HashMap<&str, String> = services
        .variables()
        .into_iter()
        .chain(["BUZZ_PORT", "BUZZ_HEALTH_PORT", "BUZZ_METRICS_PORT"].map(|port| (port, "0".to_owned())))
        .chain([("BUZZ_HOST", "127.0.0.1".to_owned())])
        .collect();
    let settings = Settings::from_variables(|name| variables.get(name).cloned());
    let telemetry = relay::start(relay::configure(&settings).expect("a host")).expect("a free port");
    let ((ready, addresses), (end, ended)) = (mpsc::channel::<Addresses>(), oneshot::channel::<()>());
    let (ours, theirs) = std::thread::scope(|scope| {
        scope.spawn(|| {
            // One thread, so that both add up the same numbers in the same order.
            let runtime =
                tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
            runtime.block_on(async {
                let serving = relay::serve(&settings, &telemetry, |addresses| {
                    ready.send(addresses.clone()).expect("the test waits");
                });
                tokio::select! {
                    served = serving => served.expect("it starts"),
                    _ = ended => {}
                }
            });
        });
        let addresses = addresses.recv().expect("it starts");
        let _a = crate::scenario::clients(&addresses.clients, "e");
        let page = || String::from_utf8(conformance::http::get(&addresses.metrics)).expect("UTF-8");
        let pages = until("all to be written down, and who leaves to be gone", || {
            let ours = Page(page());
            let is_settled = ours.value("buzz_ws_connections_active") == Some(1.0)
                && ours.value("buzz_audit_log_seconds_count") == Some(3.0);
            is_settled.then(|| (ours.0, their_page.render()))
        });
        end.send(()).expect("it serves");
        pages
    });
    assert_eq!(sorted(&ours), sorted(&theirs));
    assert!(sorted(&ours).len() > 60, "{ours}");

    let estimates = |page: &str| -> Vec<(String, f64)> {
        let lines = page.lines().filter(|line| is_estimate(line));
        lines
            .map(|line| line.rsplit_once(' ').expect("a sample"))
            .map(|(series, value)| (series.to_owned(), value.parse().expect("a number")))
            .collect()
    };
    let (ours, theirs) = (estimates(&ours), estimates(&theirs));
    assert_eq!(ours.len(), 7);
    for ((series, value), (their_series, their_value)) in ours.into_iter().zip(theirs) {
        assert_eq!(series, their_series);
        // Each sketch is within one part in a hundred of what was measured.
        assert!((value / their_value - 1.0).abs() < 0.02, "{series} {value} {their_value}");
    }
}
