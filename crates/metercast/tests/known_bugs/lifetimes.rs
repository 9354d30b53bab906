//! What outlives reloads and shutdowns, and what does not.

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use metercast::config::{ExporterConfig, Otlp, Stdout, TemporalityPreference};
use metercast::view::View;
use metercast::{ExporterChange, Store, Telemetry, u64_counter};

use super::{CACHE, HOUR, MINUTE, SESSIONS, builder, page, page_of, record, reload, start};
use crate::support::{self, NOBODY, Receiver, points, value};

/// 5996, 5999 and 6539: gauges were gone after a reload. And one whose owner went with the reload was reported for ever, as
/// callbacks were forgotten only when others were registered.
#[test]
fn a_callback_is_heard_after_a_reload_and_one_without_an_owner_is_not() {
    let store = Store::new();
    let telemetry = start(builder().exporter("page", page()), &store);
    let kept = store.scope(|| CACHE.observe(|cache| cache.set(1, ("query",))));
    let owned = store.scope(|| CACHE.observe(|cache| cache.set(2, ("entity",))));
    let (query, entity) = ("cost_cache{kind=\"query\"}", "cost_cache{kind=\"entity\"}");
    let shown = page_of(&telemetry);
    assert_eq!((value(&shown, query), value(&shown, entity)), (Some(1.0), Some(2.0)));
    // Nothing of the configuration differs, as where only the owners were made anew.
    drop(owned);
    reload(&telemetry, builder().exporter("page", page()));
    let shown = page_of(&telemetry);
    assert_eq!((value(&shown, query), value(&shown, entity)), (Some(1.0), None));
    // The new owner is there before the old one goes, and nothing is there twice.
    let newer = store.scope(|| CACHE.observe(|cache| cache.set(3, ("query",))));
    reload(&telemetry, builder().exporter("page", page().view(View::of("cost.cache").description("Other"))));
    let shown = page_of(&telemetry);
    assert_eq!(value(&shown, query), Some(3.0));
    assert_eq!(shown.matches(query).count(), 1, "{shown}");
    drop(kept);
    assert_eq!(value(&page_of(&telemetry), query), Some(3.0));
    drop(newer);
}

/// 3485, 4332, 6495 and 8161: counts of sessions below zero, or gone at zero. A guard comes down where it went up, whatever
/// was reloaded meanwhile, and also when everything was shut down.
#[test]
fn a_guard_comes_down_where_it_went_up_though_views_have_changed_and_all_is_shut_down() {
    let receiver = Receiver::start();
    let store = Store::new();
    let push = || Otlp::to(&receiver.endpoint).temporality(TemporalityPreference::Delta).interval(HOUR);
    let telemetry = start(builder().exporter("page", page()).exporter("push", push()), &store);
    let (guard, late) = store.scope(|| (SESSIONS.guard(("active",)), SESSIONS.guard(("active",))));
    let bound = store.scope(|| SESSIONS.bind(("active",)));
    bound.add(1);
    telemetry.flush(MINUTE).unwrap();
    let view = || View::of("cost.sessions").rename("sessions.now").rename_label("state", "phase");
    reload(&telemetry, builder().exporter("page", page().view(view())).exporter("push", push().view(view())));
    telemetry.flush(MINUTE).unwrap();
    drop(guard);
    bound.add(-1);
    assert_eq!(value(&page_of(&telemetry), "sessions_now{phase=\"active\"}"), Some(1.0));
    telemetry.flush(MINUTE).unwrap();
    let last = receiver.messages.try_iter().last().unwrap();
    assert_eq!(points(&last, "sessions.now").iter().map(|(_, value)| *value).collect::<Vec<_>>(), [1]);
    telemetry.shutdown().unwrap();
    drop(late);
    // Who starts again finds it, at zero.
    let telemetry = start(builder().exporter("page", page()), &store);
    assert_eq!(value(&page_of(&telemetry), "cost_sessions{state=\"active\"}"), Some(0.0));
}

/// A writer that measures what it writes.
struct Measuring(Store, Arc<Mutex<u64>>);

impl Write for Measuring {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        *self.1.lock().unwrap() += 1;
        self.0.scope(|| {
            u64_counter!("printed.bytes", "Bytes printed", bytes.len() as u64);
            // A series that was not there before, so that somebody has to make it.
            u64_counter!("printed.lengths", "Prints by their length", 1, "length" => bytes.len() as u64);
        });
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// 6800: an exporter that recorded while it was shut down waited for itself for ever.
#[test]
fn an_exporter_that_records_while_it_exports_waits_for_nobody_and_exports_no_more_for_it() {
    let store = Store::new();
    let prints = Arc::new(Mutex::new(0));
    let print = |interval| {
        let writer = Measuring(store.clone(), Arc::clone(&prints));
        builder().exporter("stdout", Stdout::default().interval(interval).writer(writer))
    };
    let telemetry = start(print(HOUR), &store);
    record(&store);
    telemetry.flush(MINUTE).unwrap();
    assert_eq!(*prints.lock().unwrap(), 1);
    // Prints once more with the writer that goes.
    reload(&telemetry, print(HOUR * 2));
    telemetry.flush(MINUTE).unwrap();
    reload(&telemetry, builder().exporter("page", page()));
    telemetry.shutdown().unwrap();
    assert!((3..=4).contains(&*prints.lock().unwrap()), "{prints:?}");
}

/// A shutdown gathered all errors with care, and then said that all was well.
#[test]
fn a_shutdown_says_which_exporter_could_not_hand_over() {
    let store = Store::new();
    let push = Otlp::to(&format!("http://{NOBODY}")).interval(HOUR);
    let builder = builder().shutdown_timeout(Duration::from_millis(300)).exporter("push", push);
    let telemetry = start(builder.exporter("page", page()), &store);
    record(&store);
    let error = telemetry.shutdown().unwrap_err();
    assert_eq!(error.failures().map(|(name, _)| name).collect::<Vec<_>>(), ["push"], "{error}");
}

/// A macro panicked once everything was shut down. Here it records, and whoever starts next shows it.
#[test]
fn what_is_recorded_after_the_shutdown_is_kept_for_who_starts_next() {
    let store = Store::new();
    let telemetry = start(builder().exporter("page", page()), &store);
    record(&store);
    page_of(&telemetry);
    telemetry.shutdown().unwrap();
    record(&store);
    let telemetry = start(builder().exporter("page", page()), &store);
    assert_eq!(value(&page_of(&telemetry), "cost_requests_total{route=\"/a\"}"), Some(4.0));
}

/// A file with the text, which goes when this does.
struct File(PathBuf);

impl File {
    fn new(name: &str, text: &str) -> File {
        let path = std::env::temp_dir().join(format!("metercast-{}-{name}", std::process::id()));
        std::fs::write(&path, text).unwrap();
        File(path)
    }
}

impl Drop for File {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

/// Configurations were compared with what means nothing in them, so that everything began anew for a comment.
#[test]
fn a_file_that_says_the_same_in_other_words_changes_nothing() {
    let file = File::new(
        "same.toml",
        "[telemetry.exporters.page]\ntype = 'prometheus'\nlisten = '127.0.0.1:0'\n\
         views = [{ name = 'cost.*', drop_labels = ['route'] }]\n\
         [telemetry.exporters.other]\ntype = 'prometheus'\nlisten = 'localhost:0'\ntimeout = '10s'\n",
    );
    let store = Store::new();
    let telemetry = start(builder().file(&file.0), &store);
    let address = telemetry.scrape_address();
    std::fs::write(
        &file.0,
        "# Moved, and with defaults spelled out.\n\
         [telemetry.exporters.other]\ntimeout = '10000ms'\nlisten = \"localhost:0\"\ntype = 'prometheus'\npath = '/metrics'\n\n\
         [[telemetry.exporters.page.views]]\ndrop_labels = ['route']\nname = 'cost.*'\n\
         [telemetry.exporters.page]\nlisten = '127.0.0.1:0'\ntype = 'prometheus'\n",
    )
    .unwrap();
    let reloaded = telemetry.reread().unwrap();
    assert_eq!(reloaded.to_string(), "nothing changed");
    assert_eq!(reloaded.exporter("page"), Some(&ExporterChange::Unchanged));
    assert_eq!(telemetry.scrape_address(), address);
}

/// Certificates were passed over in silence unless all four settings of them were there.
#[test]
fn a_certificate_to_trust_counts_though_nothing_else_is_said_of_encryption() {
    let config = |tls: &str| {
        let text =
            format!("[telemetry.exporters.push]\ntype = 'otlp'\nendpoint = 'https://a:4318'\ntls = {tls}\n");
        builder().text("a.toml", &text).build()
    };
    let alone = config("{ ca = '/ca.pem' }").unwrap();
    let Some(ExporterConfig::Otlp(push)) = alone.exporter("push") else { panic!() };
    assert_eq!(push.tls().ca(), Some(Path::new("/ca.pem")));
    // And one that can have no effect is an error that names what is missing.
    let error = config("{ client_certificate = '/me.pem' }").unwrap_err().to_string();
    assert!(
        error.ends_with("a certificate without its key; give the key too") && error.starts_with("a.toml:4: "),
        "{error}"
    );
    // As is one that cannot be read, before anything runs.
    let error = Telemetry::builder(alone).store(Store::new()).log(support::log().0).start().unwrap_err();
    assert!(error.to_string().contains("/ca.pem") && error.to_string().contains("\"push\""), "{error}");
}
