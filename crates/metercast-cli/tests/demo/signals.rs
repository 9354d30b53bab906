//! The demo may be ended at any time, and ends as it does by itself.

use serde_json::json;

use crate::support::{Demo, Folder};

#[test]
fn a_signal_ends_the_load_and_the_table_comes_all_the_same() {
    for signal in ["TERM", "INT"] {
        let mut demo = Demo::start(&["--seconds", "0"]);
        demo.wait_for_progress();
        demo.signal(signal);
        let ended = demo.end();
        assert_eq!(ended.status.code(), Some(0), "SIG{signal}: {}", ended.trouble());
        let has = |start: &str| ended.stdout.iter().any(|line| line.starts_with(start));
        assert!(
            has("http.server.request.duration") && has("equal: all "),
            "SIG{signal}: {:#?}",
            ended.stdout
        );
    }
}

#[test]
fn holding_ends_with_a_signal_or_with_standard_input() {
    for signal in [Some("TERM"), None] {
        let mut demo = Demo::start(&["--seconds", "1", "--json", "--hold"]);
        assert_eq!(demo.result().summary["equal"], json!(true));
        if let Some(signal) = signal {
            demo.signal(signal);
        }
        let ended = demo.end();
        assert_eq!(ended.status.code(), Some(0), "{signal:?}: {}", ended.trouble());
        assert_eq!(ended.stdout, [""; 0], "the result is the last line");
    }
}

#[test]
fn nothing_is_left_behind() {
    let folder = Folder::new();
    let path = folder.path().to_str().unwrap();
    let demo = Demo::start_with(&["--seconds", "1", "--json"], &[("TMPDIR", path)]);
    assert!(demo.end().status.success());
    let left: Vec<_> = folder.path().read_dir().unwrap().collect();
    assert!(left.is_empty(), "{left:?}");
}
