//! Files that cannot be had, one after the other under a program that runs: each is refused with its place and its mend, and
//! disturbs nothing.

mod support;

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use metercast::log::Level;
use metercast::{Config, Store, Telemetry, u64_counter};
use support::{Receiver, points, scrape, value};

/// A folder with the files, which goes when this does.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Folder {
        let path = std::env::temp_dir().join(format!("metercast-bad-files-{}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        Folder(path)
    }

    fn file(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// What is wrong with the end of a file, and what has to be said of it.
const WRONG: [(&str, &[&str]); 9] = [
    (
        "[[telemetry.exporters.page.views]]\nname = 'a'\nbuckets = [1, 2, 2]\n",
        &[":10: ", "views[0].buckets", "increas"],
    ),
    (
        "[[telemetry.exporters.page.views]]\nname = 'a'\ncardinality_limit = 0\n",
        &[":10: ", "cardinality_limit", "1"],
    ),
    ("[[telemetry.exporters.page.views]]\nname = 'a.*'\nrename = 'b'\n", &[":", "views[0]", "rename"]),
    (
        "[[telemetry.exporters.page.views]]\nname = 'a'\ndrop_label = ['b']\n",
        &[":10: ", "drop_label", "did you mean \"drop_labels\"?"],
    ),
    (
        "[telemetry.exporters.one]\ntype = 'prometheus'\nlisten = '127.0.0.1:7'\n[telemetry.exporters.two]\ntype = 'prometheus'\n\
      listen = '127.0.0.1:7'\n",
        &["one", "two", "127.0.0.1:7"],
    ),
    (
        "[telemetry.exporters.one]\ntype = 'otlp'\nauth = { bearer = '${file:gone}' }\n",
        &[":10: ", "auth.bearer", "gone"],
    ),
    ("[telemetry.exporters.one]\ntype = 'otlp'\ninterval = 10\n", &[":10: ", "interval", "write \"10s\""]),
    ("[telemetry.exporters.one]\ntype = 'otpl'\n", &[":9: ", "type", "did you mean \"otlp\"?"]),
    ("[telemetry", &[":8: "]),
];

#[test]
fn a_file_that_cannot_be_had_says_where_and_disturbs_nothing_that_runs() {
    let receiver = Receiver::start();
    let folder = Folder::new();
    let file = folder.file("a.toml");
    let good = format!(
        "[telemetry.exporters.page]\ntype = 'prometheus'\nlisten = '127.0.0.1:0'\n\
         [telemetry.exporters.push]\ntype = 'otlp'\nendpoint = '{}'\ninterval = '1h'\n",
        receiver.endpoint
    );
    fs::write(&file, &good).unwrap();
    let (store, (log, lines)) = (Store::new(), support::log());
    let config = Config::builder().environment(false).file(&file).build().unwrap();
    let telemetry = Telemetry::builder(config).store(store.clone()).log(log).start().unwrap();
    let address = telemetry.scrape_address().unwrap();
    let mut recorded = 0.0;
    let mut refused = |what: &str, has_to_say: &[&str]| {
        let error = telemetry.reread().unwrap_err().to_string();
        for part in has_to_say {
            assert!(error.contains(part), "{part:?} of {what:?}: {error}");
        }
        store.scope(|| u64_counter!("orders", "Orders", 1));
        recorded += 1.0;
        let page = scrape(address);
        assert_eq!(value(&page, "orders_total"), Some(recorded), "{what}");
        assert_eq!(value(&page, "metercast_config_last_reload_successful"), Some(0.0), "{what}");
    };
    for (wrong, has_to_say) in WRONG {
        fs::write(&file, format!("{good}{wrong}")).unwrap();
        refused(wrong, has_to_say);
    }
    fs::write(folder.file("b.toml"), "[telemetry]\ninclude = ['a.toml']\n").unwrap();
    fs::write(&file, format!("[telemetry]\ninclude = ['b.toml']\n{good}")).unwrap();
    refused("a circle", &["a.toml", "b.toml"]);
    // As long as a file can be that takes no room.
    fs::File::create(&file).unwrap().set_len(100 << 20).unwrap();
    refused("a hundred megabytes", &["a.toml"]);
    fs::remove_file(&file).unwrap();
    refused("a file that is gone", &["a.toml"]);
    fs::create_dir(&file).unwrap();
    refused("a folder", &["a.toml"]);

    fs::remove_dir(&file).unwrap();
    fs::write(&file, &good).unwrap();
    assert_eq!(telemetry.reread().unwrap().to_string(), "nothing changed");
    telemetry.flush(Duration::from_secs(60)).unwrap();
    let message = receiver.messages.recv_timeout(Duration::from_secs(60)).unwrap();
    assert_eq!(points(&message, "orders")[0].1, recorded as i64);
    let errors = lines.lock().unwrap().iter().filter(|(level, _)| *level >= Level::Warn).count();
    assert_eq!(errors, recorded as usize, "{:?}", lines.lock().unwrap());
}

#[test]
fn a_pattern_that_matches_nothing_and_two_metrics_of_one_name_are_warned_of_once_and_all_goes_on() {
    let (store, (log, lines)) = (Store::new(), support::log());
    let text = "[telemetry.exporters.page]\ntype = 'prometheus'\nlisten = '127.0.0.1:0'\nviews = [\n\
                { name = 'nobody.*', aggregation = 'drop' },\n{ name = 'first', rename = 'second' }]\n";
    let config =
        Config::builder().environment(false).self_metrics(false).text("a.toml", text).build().unwrap();
    let telemetry = Telemetry::builder(config).store(store.clone()).log(log).start().unwrap();
    store.scope(|| {
        u64_counter!("first", "One", 1);
        u64_counter!("second", "Other", 2, "side" => "buy");
        u64_counter!("third", "Unconcerned", 3);
    });
    for _ in 0..3 {
        let page = scrape(telemetry.scrape_address().unwrap());
        assert_eq!(value(&page, "third_total"), Some(3.0), "{page}");
        assert_eq!(page.matches("# TYPE second_total").count(), 1, "{page}");
    }
    let lines = lines.lock().unwrap();
    let warnings: Vec<_> = lines.iter().filter(|(level, _)| *level == Level::Warn).collect();
    assert_eq!(warnings.len(), 2, "{lines:?}");
    assert!(
        warnings.iter().any(|(_, line)| line.contains("\"nobody.*\"") && line.contains("\"page\"")),
        "{lines:?}"
    );
    assert!(warnings.iter().any(|(_, line)| line.contains("first") && line.contains("second")), "{lines:?}");
}
