//! What the user's collector refuses is not lost, and the user is told: step 11.

use std::time::Duration;

use crate::counts::requests;
use crate::support::{Collector, Router, Yaml, until, upstream};

#[test]
fn what_is_refused_comes_later_and_nothing_is_missing() {
    let (user, vendor) = (Collector::new(), Collector::new());
    user.answer_with(&[(503, "Retry-After: 2\r\n"), (401, "")]);
    let router = Router::start(&Yaml::new(&upstream(), &user.url, &vendor.url));
    requests(&router);
    until("all at the user's", || (user.total("gateway.operations", &[]) == 7.0).then_some(()));
    let got = user.got();
    assert_eq!(got[..2].iter().map(|got| got.status).collect::<Vec<_>>(), [503, 401]);
    assert!(got[1].at - got[0].at >= Duration::from_secs(2), "{:?}", got[1].at - got[0].at);
    let line = until("what is said of it", || {
        router.said().lines().find(|line| line.contains("401")).map(str::to_owned)
    });
    assert!(line.contains("\"otlp\"") && line.contains(&user.url), "{line}");
    assert_eq!(router.page().sum("gateway_operations_total", &[]), Some(7.0));
}
