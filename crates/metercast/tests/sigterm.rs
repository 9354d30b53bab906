//! What SIGTERM does to a program that pushes. Each case is a process of its own: this test binary, run again.
#![cfg(unix)]

mod support;

use std::os::unix::process::ExitStatusExt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use metercast::config::{OnSigterm, Otlp};
use metercast::{Config, Log, Telemetry, u64_counter};
use signal_hook::consts::SIGTERM;
use support::child::{ENDPOINT, child, say, terminate};
use support::{Receiver, points};

/// In the child: metercast, which pushes nothing by itself for as long as a test lasts.
fn pushing(endpoint: &str, on_sigterm: OnSigterm) -> Telemetry {
    Telemetry::start(config(endpoint, on_sigterm)).unwrap()
}

fn config(endpoint: &str, on_sigterm: OnSigterm) -> Config {
    Config::builder()
        .environment(false)
        .exporter("push", Otlp::to(endpoint).interval(Duration::from_secs(3600)))
        .on_sigterm(on_sigterm)
        .build()
        .unwrap()
}

/// In the child: records, says that it is ready, and goes on until `done`.
fn work(endpoint: &str, on_sigterm: OnSigterm, done: &AtomicBool) -> Telemetry {
    let telemetry = pushing(endpoint, on_sigterm);
    work_until(done);
    telemetry
}

fn work_until(done: &AtomicBool) {
    u64_counter!("work", "Work", 5);
    say("ready");
    // So that a fault in what is tested cannot leave a process behind.
    let end = Instant::now() + Duration::from_secs(60);
    while !done.load(Ordering::Relaxed) && Instant::now() < end {
        std::thread::park_timeout(Duration::from_millis(10));
    }
}

/// What each push said of the work.
fn pushed(receiver: &Receiver) -> Vec<i64> {
    receiver.messages.try_iter().map(|message| points(&message, "work")[0].1).collect()
}

#[test]
fn a_program_that_never_handles_sigterm_is_flushed_at_once_and_ended_by_it_after_its_time() {
    if let Ok(endpoint) = std::env::var(ENDPOINT) {
        let config = config(&endpoint, OnSigterm::Auto);
        let _telemetry = Telemetry::builder(config).log(Log::to(|_, line| say(line))).start().unwrap();
        work_until(&AtomicBool::new(false));
        return;
    }
    let receiver = Receiver::start();
    let (mut child, output) = child(
        "a_program_that_never_handles_sigterm_is_flushed_at_once_and_ended_by_it_after_its_time",
        &receiver.endpoint,
    );
    terminate(&child);
    assert_eq!(child.wait().unwrap().signal(), Some(15));
    assert_eq!(pushed(&receiver), [5, 5], "once when the signal comes, and once more at the end");
    let said: Vec<_> = output.map(Result::unwrap).collect();
    let expected = "SIGTERM: nobody has shut metercast down within 10 s, so the process is ended; on_sigterm = \"flush\" leaves that to the program";
    assert_eq!(said.last().map(String::as_str), Some(expected), "{said:?}");
}

#[test]
fn a_program_that_is_told_to_exit_flushes_and_ends_by_the_signal() {
    if let Ok(endpoint) = std::env::var(ENDPOINT) {
        drop(work(&endpoint, OnSigterm::Exit, &AtomicBool::new(false)));
        return;
    }
    let receiver = Receiver::start();
    let (mut child, _output) =
        child("a_program_that_is_told_to_exit_flushes_and_ends_by_the_signal", &receiver.endpoint);
    terminate(&child);
    assert_eq!(child.wait().unwrap().signal(), Some(15));
    assert_eq!(pushed(&receiver), [5]);
}

#[test]
fn a_program_that_handles_sigterm_itself_is_flushed_and_left_to_end_in_its_own_time() {
    if let Ok(endpoint) = std::env::var(ENDPOINT) {
        let done = Arc::new(AtomicBool::new(false));
        signal_hook::flag::register(SIGTERM, Arc::clone(&done)).unwrap();
        let telemetry = work(&endpoint, OnSigterm::Auto, &done);
        // Work that is finished after the signal is in the last push.
        u64_counter!("work", "Work", 2);
        telemetry.shutdown().unwrap();
        return;
    }
    let receiver = Receiver::start();
    let (mut child, _output) = child(
        "a_program_that_handles_sigterm_itself_is_flushed_and_left_to_end_in_its_own_time",
        &receiver.endpoint,
    );
    terminate(&child);
    assert!(child.wait().unwrap().success());
    assert_eq!(pushed(&receiver).last(), Some(&7));
}

#[test]
fn a_program_that_begins_to_handle_sigterm_after_metercast_is_given_the_time_to_drain() {
    if let Ok(endpoint) = std::env::var(ENDPOINT) {
        let done = Arc::new(AtomicBool::new(false));
        let first = pushing(&endpoint, OnSigterm::Auto);
        signal_hook::flag::register(SIGTERM, Arc::clone(&done)).unwrap();
        let second = work(&endpoint, OnSigterm::Auto, &done);
        u64_counter!("work", "Work", 2);
        drop((first, second));
        return;
    }
    let receiver = Receiver::start();
    let (mut child, _output) = child(
        "a_program_that_begins_to_handle_sigterm_after_metercast_is_given_the_time_to_drain",
        &receiver.endpoint,
    );
    terminate(&child);
    assert!(child.wait().unwrap().success());
    assert_eq!(pushed(&receiver).last(), Some(&7));
}

#[test]
fn a_program_that_shuts_down_at_once_on_sigterm_logs_no_error() {
    const ROUNDS: usize = 40;
    if let Ok(endpoint) = std::env::var(ENDPOINT) {
        let handled = Arc::new(AtomicBool::new(false));
        signal_hook::flag::register(SIGTERM, Arc::clone(&handled)).unwrap();
        say("ready");
        for _ in 0..ROUNDS {
            let config = config(&endpoint, OnSigterm::Auto);
            let log = Log::to(|level, line| say(&format!("{level:?}: {line}")));
            let telemetry = Telemetry::builder(config).log(log).start().unwrap();
            u64_counter!("work", "Work", 1);
            // The flush and the shutdown begin side by side, and either may be the first.
            signal_hook::low_level::raise(SIGTERM).unwrap();
            telemetry.shutdown().unwrap();
        }
        return;
    }
    let receiver = Receiver::start();
    let (mut child, output) =
        child("a_program_that_shuts_down_at_once_on_sigterm_logs_no_error", &receiver.endpoint);
    let said: Vec<_> = output.map(Result::unwrap).collect();
    assert!(child.wait().unwrap().success());
    assert_eq!(said.iter().filter(|line| line.starts_with("Info: push push")).count(), ROUNDS, "{said:?}");
    assert!(!said.iter().any(|line| line.starts_with("Error") || line.starts_with("Warn")), "{said:?}");
    assert_eq!(pushed(&receiver).last(), Some(&(ROUNDS as i64)));
}

#[test]
fn a_program_that_has_shut_metercast_down_ends_by_sigterm_as_ever() {
    if let Ok(endpoint) = std::env::var(ENDPOINT) {
        let done = AtomicBool::new(true);
        work(&endpoint, OnSigterm::Auto, &done).shutdown().unwrap();
        let telemetry = work(&endpoint, OnSigterm::Auto, &done);
        telemetry.shutdown().unwrap();
        say("all shut down");
        // Not for ever, should the signal not end this; and parking may end for no reason.
        let end = Instant::now() + Duration::from_secs(60);
        while Instant::now() < end {
            std::thread::park_timeout(Duration::from_secs(1));
        }
        return;
    }
    let receiver = Receiver::start();
    let (mut child, mut output) =
        child("a_program_that_has_shut_metercast_down_ends_by_sigterm_as_ever", &receiver.endpoint);
    while !output.next().expect("the child says so").unwrap().ends_with("all shut down") {}
    terminate(&child);
    assert_eq!(child.wait().unwrap().signal(), Some(15));
}
