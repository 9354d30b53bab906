//! People may look around while the demo runs.

use serde_json::json;

use crate::support::{Demo, get};

#[test]
fn the_requests_of_visitors_are_counted_too() {
    let mut demo = Demo::start(&["--seconds", "0", "--json"]);
    let orders = demo.place("orders   ");
    for (path, status) in [("/health", 200), ("/", 404), ("/orders/0", 404), ("/orders/first", 400)] {
        assert_eq!(get(&format!("{orders}{path}")).unwrap().0, status, "{path}");
    }
    demo.signal("TERM");
    let ended = demo.end();
    assert!(ended.status.success(), "{}", ended.trouble());
    assert_eq!(ended.summary()["equal"], json!(true));
    let note = "note: 4 of the requests sent came from visitors";
    assert!(ended.stderr.iter().any(|line| line == note), "{}", ended.trouble());
}
