//! Exporters that cannot be had, and threads that cannot.

use std::time::{Duration, Instant};

use metercast_core::Store;

use super::*;
use crate::Log;
use crate::config::{ConfigBuilder, Stdout};

pub(in crate::telemetry) const HOUR: Duration = Duration::from_secs(3600);

pub(in crate::telemetry) fn soon() -> Instant {
    Instant::now() + Duration::from_secs(60)
}

fn prepared(
    builder: ConfigBuilder,
    exporters: &BTreeMap<String, Exporter>,
) -> Result<Prepared, Vec<(String, String)>> {
    let before = Before {
        exporters,
        failed: Some(&BTreeMap::new()),
        reader: &Reader::new(Store::new(), Log::to(|_, _| {})),
        #[cfg(feature = "serve")]
        calls: Calls::default(),
        #[cfg(feature = "serve")]
        closing: Vec::new(),
    };
    before.prepare(&builder.build().unwrap())
}

/// What such a configuration comes to, at work.
pub(in crate::telemetry) fn exporters(builder: ConfigBuilder) -> BTreeMap<String, Exporter> {
    let steps = prepared(builder, &BTreeMap::new()).unwrap().steps;
    steps.into_iter().map(|(name, step)| (name, step.commit(soon()))).collect()
}

pub(in crate::telemetry) fn builder() -> ConfigBuilder {
    Config::builder().environment(false)
}

pub(in crate::telemetry) fn print() -> Stdout {
    Stdout::default().interval(HOUR).writer(Vec::new())
}

#[cfg(all(feature = "otlp", feature = "tls"))]
#[test]
fn a_private_exporter_that_has_died_and_cannot_be_had_again_is_in_nobodys_way() {
    use crate::config::Otlp;

    let path = std::env::temp_dir().join(format!("metercast-died-{}.pem", std::process::id()));
    let key = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    std::fs::write(&path, key.cert.pem()).unwrap();
    let push = || Otlp::to("https://127.0.0.1:1").interval(HOUR).ca(&path);
    let private = || builder().private_exporter("vendor", push()).exporter("print", print());
    let users = || builder().exporter("vendor", push()).exporter("print", print());
    let (of_vendor, of_user) = (exporters(private()), exporters(users()));
    std::fs::remove_file(&path).unwrap();
    for (builder, there, is_refused) in [(private(), of_vendor, false), (users(), of_user, true)] {
        let unchanged = prepared(builder.clone(), &there).unwrap();
        assert!(unchanged.failed.is_empty() && unchanged.steps.contains_key("vendor"), "while it runs");
        let died = there["vendor"].periodic().unwrap();
        died.shutdown(soon()).unwrap();
        let prepared = prepared(builder, &there);
        assert_eq!(prepared.is_err(), is_refused);
        if let Ok(prepared) = prepared {
            assert_eq!(prepared.failed.keys().collect::<Vec<_>>(), ["vendor"]);
            assert_eq!(prepared.steps.keys().collect::<Vec<_>>(), ["print"]);
            let said: Vec<_> = prepared.changes.iter().map(|(name, _)| name).collect();
            assert_eq!(said, ["print"]);
        }
    }
}
