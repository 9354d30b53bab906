//! The fuzz targets: built as `cargo fuzz` would build them, and run from their corpus on.
//!
//! A short run looks at [inputs] that follow from the committed corpus alone, so that it fails for what has changed, and never for what
//! chance found. A long one has the fuzzer look for new ways through the program, and goes on where the one before it ended.

mod inputs;

use std::collections::VecDeque;
use std::ffi::OsString;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::sync::{Mutex, PoisonError};

use crate::arguments::TestOptions;
use crate::cargo;
use crate::report::Outcome;
use crate::sanitizers::{self, TARGET, encoded};
use crate::services;
use crate::workspace::Workspace;

/// Each has `fuzz/targets/NAME.rs` and a folder `fuzz/corpus/NAME`.
struct Target {
    name: &'static str,
    /// How many inputs a short run looks at, those of the corpus among them: as many as take about ten seconds.
    inputs: usize,
}

const TARGETS: [Target; 5] = [
    Target { name: "label_sets", inputs: 1000 },
    Target { name: "page", inputs: 1000 },
    Target { name: "otlp", inputs: 2500 },
    Target { name: "config", inputs: 3000 },
    Target { name: "instruments", inputs: 6000 },
];

/// How long a long run looks at each.
const SECONDS_LONG: u32 = 300;

/// Says what an input did to memory.
const FLAGS: [&str; 3] = ["--cfg", "fuzzing", "-Zsanitizer=address"];

/// What makes the fuzzer see which way an input took, which a short run does not ask.
const FLAGS_LONG: [&str; 6] = [
    "-Cpasses=sancov-module",
    "-Cllvm-args=-sanitizer-coverage-level=4",
    "-Cllvm-args=-sanitizer-coverage-inline-8bit-counters",
    "-Cllvm-args=-sanitizer-coverage-pc-table",
    "-Cllvm-args=-sanitizer-coverage-trace-compares",
    "-Cllvm-args=-simplifycfg-branch-fold-threshold=0",
];

/// Builds and runs all targets, as many at once as there are processors.
pub(crate) fn run(workspace: &Workspace, options: &TestOptions) -> Outcome {
    if !sanitizers::at_home() {
        return Outcome::skipped(&format!("fuzz: this is not {TARGET}"));
    }
    if options.without_services && !services::has("c++") {
        return Outcome::skipped("fuzz: c++");
    }
    let mend = "mend what it names above; `cargo xtask test --only services` installs a C++ compiler, and `cargo update -w \
                --manifest-path fuzz/Cargo.toml` brings its lock file up to date";
    if let Err(trouble) = cargo::run(build(workspace, options.long), mend) {
        return Outcome::of(vec![trouble]);
    }
    let waiting: Mutex<VecDeque<&Target>> = Mutex::new(TARGETS.iter().collect());
    let outcome = Mutex::new(Outcome::default());
    let next = || waiting.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(|| {
                while let Some(target) = next() {
                    let result = look(workspace, target, options.long);
                    let mut outcome = outcome.lock().unwrap_or_else(PoisonError::into_inner);
                    match result {
                        Ok(()) => outcome.passed += 1,
                        Err(trouble) => {
                            outcome.failed += 1;
                            outcome.troubles.push(trouble);
                        }
                    }
                }
            });
        }
    });
    outcome.into_inner().unwrap_or_else(PoisonError::into_inner)
}

fn build(workspace: &Workspace, long: bool) -> Command {
    let arguments =
        ["build", "-q", "--release", "--locked", "--manifest-path", "fuzz/Cargo.toml", "--target", TARGET];
    let mut command = cargo::command(workspace, &arguments);
    command.arg("--target-dir").arg(folder(workspace, long));
    let mut flags = FLAGS.map(OsString::from).to_vec();
    if long {
        flags.extend(FLAGS_LONG.map(OsString::from));
        command.env("CARGO_PROFILE_RELEASE_OPT_LEVEL", "3");
    }
    command.env("CARGO_ENCODED_RUSTFLAGS", encoded(&flags)).env("RUSTC_BOOTSTRAP", "1");
    command
}

/// One for each way to build, so that neither builds the other's programs anew.
fn folder(workspace: &Workspace, long: bool) -> PathBuf {
    let folder = workspace.target().join("fuzz");
    if long { folder.join("long") } else { folder }
}

/// Runs one target to its end, and prints how far it came.
fn look(workspace: &Workspace, target: &Target, long: bool) -> Result<(), String> {
    let places = Places::of(workspace, target.name, long);
    let command = if long { places.long()? } else { places.short(target.inputs)? };
    let (status, log) = places.run(command)?;
    if status.success() {
        println!("{}: {}", target.name, done(&log));
        return Ok(());
    }
    let crash = Crash::read(&log);
    println!("{}: {}", target.name, crash.said);
    Err(crash.trouble(target.name, &places.program, &places.log))
}

/// Where one target finds and leaves things. Nothing is written beside the committed corpus.
struct Places {
    program: PathBuf,
    corpus: PathBuf,
    /// What a short run looks at.
    inputs: PathBuf,
    /// What long runs have found.
    found: PathBuf,
    crashes: PathBuf,
    log: PathBuf,
}

impl Places {
    fn of(workspace: &Workspace, name: &str, long: bool) -> Places {
        let folder = workspace.target().join("fuzz");
        Places {
            program: self::folder(workspace, long).join(TARGET).join("release").join(name),
            corpus: workspace.root().join("fuzz/corpus").join(name),
            inputs: folder.join("inputs").join(name),
            found: folder.join("corpus").join(name),
            crashes: folder.join("crashes").join(name),
            log: folder.join(name).with_extension("log"),
        }
    }

    /// Each input once, and nothing that follows from what the program does with it.
    fn short(&self, inputs: usize) -> Result<Command, String> {
        inputs::write(&self.corpus, inputs, &self.inputs)?;
        let mut command = self.command()?;
        command.arg("-runs=0").arg(&self.inputs);
        Ok(command)
    }

    /// What is new goes to the first folder, and is looked at again the next time.
    fn long(&self) -> Result<Command, String> {
        made(&self.found)?;
        let mut command = self.command()?;
        command.arg(format!("-max_total_time={SECONDS_LONG}")).arg("-len_control=0");
        command.arg(&self.found).arg(&self.corpus);
        Ok(command)
    }

    fn command(&self) -> Result<Command, String> {
        made(&self.crashes)?;
        let mut command = Command::new(&self.program);
        let mut prefix = OsString::from("-artifact_prefix=");
        prefix.push(self.crashes.join(""));
        command.arg(prefix).args(["-timeout=10", "-rss_limit_mb=2048", "-max_len=1024"]);
        command.env("ASAN_OPTIONS", "").env("LSAN_OPTIONS", "").env("RUST_BACKTRACE", "0");
        Ok(command)
    }

    fn run(&self, mut command: Command) -> Result<(ExitStatus, String), String> {
        let wrong = |error| format!("{}: cannot be written: {error}", self.log.display());
        let log = File::create(&self.log).map_err(wrong)?;
        command.stdin(Stdio::null()).stdout(log.try_clone().map_err(wrong)?).stderr(log);
        let status = command
            .status()
            .map_err(|error| format!("{} cannot be started: {error}", self.program.display()))?;
        let log = std::fs::read(&self.log).unwrap_or_default();
        Ok((status, String::from_utf8_lossy(&log).into_owned()))
    }
}

fn made(folder: &Path) -> Result<(), String> {
    std::fs::create_dir_all(folder).map_err(|error| format!("{}: cannot be made: {error}", folder.display()))
}

/// How far a run came: `17158 inputs`, and, where the fuzzer saw them, `3993 edges`.
fn done(log: &str) -> String {
    let line = log.lines().rev().find(|line| line.starts_with('#') && line.contains("DONE"));
    let words: Vec<_> = line.unwrap_or_default().split_whitespace().collect();
    let after = |word: &str| words.iter().position(|found| *found == word).and_then(|at| words.get(at + 1));
    let inputs = words.first().map(|inputs| inputs.trim_start_matches('#'));
    match (inputs, after("cov:")) {
        (Some(inputs), Some(edges)) => format!("{inputs} inputs, {edges} edges"),
        (Some(inputs), None) => format!("{inputs} inputs"),
        (None, _) => "done".to_owned(),
    }
}

/// What a log says of a crash.
#[derive(Debug, PartialEq)]
struct Crash {
    said: String,
    input: Option<String>,
}

impl Crash {
    fn read(log: &str) -> Crash {
        let panic = log.lines().skip_while(|line| !line.contains(" panicked at ")).take(4);
        let panic: Vec<_> =
            panic.take_while(|line| !line.starts_with("note:") && !line.starts_with("==")).collect();
        let summary = log.lines().find(|line| line.starts_with("SUMMARY: "));
        let said = if panic.is_empty() { summary.unwrap_or("it ended").to_owned() } else { panic.join(" ") };
        let input = log.lines().find_map(|line| line.split("Test unit written to ").nth(1));
        Crash { said: shortened(&said), input: input.map(str::to_owned) }
    }

    fn trouble(&self, name: &str, program: &Path, log: &Path) -> String {
        let Crash { said, input } = self;
        match input {
            Some(input) => format!(
                "target {name}: {said}; `{} {input}` shows it again; once it is mended, copy that input into \
                 fuzz/corpus/{name}",
                program.display()
            ),
            None => format!("target {name}: {said}; see {}", log.display()),
        }
    }
}

/// A panic may show whole stores.
fn shortened(text: &str) -> String {
    match text.char_indices().nth(400) {
        Some((end, _)) => format!("{}...", &text[..end]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A target of this workspace whose runs write into a folder of their own.
    fn places(name: &str, long: bool) -> (Places, PathBuf) {
        let target = std::env::temp_dir().join(format!("metercast-fuzz-{name}-{}", std::process::id()));
        let root = concat!(env!("CARGO_MANIFEST_DIR"), "/..");
        (Places::of(&Workspace::at(root, target.to_str().unwrap()), "page", long), target)
    }

    fn words(command: &Command) -> Vec<String> {
        command.get_args().map(|word| word.to_string_lossy().into_owned()).collect()
    }

    #[test]
    fn a_short_run_looks_at_what_follows_from_the_corpus_and_at_nothing_that_was_found() {
        let (places, target) = places("short", false);
        std::fs::create_dir_all(&places.found).unwrap();
        std::fs::write(places.found.join("found"), "found").unwrap();
        let command = places.short(200).unwrap();
        let made = std::fs::read_dir(&places.inputs).unwrap().count();
        std::fs::remove_dir_all(&target).unwrap();
        assert_eq!(made, 200);
        let words = words(&command);
        let folders: Vec<_> = words.iter().filter(|word| !word.starts_with('-')).collect();
        assert_eq!(folders, [&*places.inputs.to_string_lossy()]);
        assert!(words.contains(&"-runs=0".to_owned()), "no input is made from another: {words:?}");
        assert!(!words.iter().any(|word| word.contains("total_time")), "{words:?}");
    }

    #[test]
    fn a_long_run_looks_elsewhere_each_time_and_keeps_what_it_finds_beside_the_corpus() {
        let (places, target) = places("long", true);
        let words = words(&places.long().unwrap());
        std::fs::remove_dir_all(&target).unwrap();
        assert!(words.contains(&"-max_total_time=300".to_owned()), "{words:?}");
        assert!(!words.iter().any(|word| word.starts_with("-seed")), "{words:?}");
        let folders: Vec<_> = words.iter().filter(|word| !word.starts_with('-')).collect();
        assert_eq!(folders, [&*places.found.to_string_lossy(), &*places.corpus.to_string_lossy()]);
        assert!(places.program.starts_with(target.join("fuzz/long")), "{}", places.program.display());
    }

    #[test]
    fn the_build_names_its_target_so_that_build_scripts_are_spared() {
        let command = build(&Workspace::at("w", "w/target"), false);
        assert_eq!(
            cargo::line_of(&command),
            "cargo build -q --release --locked --manifest-path fuzz/Cargo.toml --target x86_64-unknown-linux-gnu \
             --target-dir w/target/fuzz"
        );
    }

    #[test]
    fn a_crash_is_told_with_its_input_and_how_to_see_it_again() {
        let log = "#12\tNEW cov: 9\n\nthread '<unnamed>' (7) panicked at targets/page.rs:9:5:\nassertion failed\n\
                   note: run with `RUST_BACKTRACE=1`\n==7== ERROR: libFuzzer: deadly signal\nSUMMARY: libFuzzer: deadly \
                   signal\nartifact_prefix='c/'; Test unit written to c/crash-1\n";
        let crash = Crash::read(log);
        assert_eq!(crash.said, "thread '<unnamed>' (7) panicked at targets/page.rs:9:5: assertion failed");
        let trouble = crash.trouble("page", Path::new("f/page"), Path::new("page.log"));
        assert!(trouble.contains("`f/page c/crash-1` shows it again"), "{trouble}");
        assert!(trouble.ends_with("copy that input into fuzz/corpus/page"), "{trouble}");
    }

    #[test]
    fn what_no_input_is_written_for_is_in_the_log() {
        let crash = Crash::read("SUMMARY: libFuzzer: out-of-memory (used: 2049Mb)\n");
        let trouble = crash.trouble("page", Path::new("f/page"), Path::new("page.log"));
        assert_eq!(trouble, "target page: SUMMARY: libFuzzer: out-of-memory (used: 2049Mb); see page.log");
    }

    #[test]
    fn a_good_run_says_how_far_it_came() {
        let log = "#2\tINITED cov: 5\n#17158\tDONE   cov: 3993 ft: 16391 corp: 1462/315Kb exec/s: 1072\nDone 17158 runs\n";
        assert_eq!(done(log), "17158 inputs, 3993 edges");
        assert_eq!(done("#1001\tDONE   exec/s: 200 rss: 90Mb\n"), "1001 inputs");
        assert_eq!(done(""), "done");
    }

    #[test]
    fn every_target_has_its_file_and_a_corpus() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz");
        let mut files: Vec<_> = std::fs::read_dir(folder.join("targets"))
            .unwrap()
            .map(|entry| entry.unwrap().path().file_stem().unwrap().to_string_lossy().into_owned())
            .collect();
        files.sort();
        let mut names = TARGETS.map(|target| target.name);
        names.sort_unstable();
        assert_eq!(files, names);
        for name in names {
            assert!(std::fs::read_dir(folder.join("corpus").join(name)).unwrap().count() > 0, "{name}");
        }
    }
}
