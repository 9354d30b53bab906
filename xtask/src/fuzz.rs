//! The fuzz targets: built as `cargo fuzz` would build them, and run from their corpus on for a while.

use std::ffi::OsString;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use crate::arguments::TestOptions;
use crate::cargo;
use crate::report::Outcome;
use crate::sanitizers::{self, TARGET, encoded};
use crate::services;
use crate::workspace::Workspace;

/// Each has `fuzz/targets/NAME.rs` and a folder `fuzz/corpus/NAME`.
const TARGETS: [&str; 5] = ["label_sets", "page", "otlp", "config", "instruments"];

const SECONDS: u32 = 20;
const SECONDS_LONG: u32 = 300;

/// What makes the fuzzer see which way an input took, and AddressSanitizer what it did to memory.
const FLAGS: [&str; 10] = [
    "--cfg",
    "fuzzing",
    "-Cpasses=sancov-module",
    "-Cllvm-args=-sanitizer-coverage-level=4",
    "-Cllvm-args=-sanitizer-coverage-inline-8bit-counters",
    "-Cllvm-args=-sanitizer-coverage-pc-table",
    "-Cllvm-args=-sanitizer-coverage-trace-compares",
    "-Cllvm-args=-simplifycfg-branch-fold-threshold=0",
    "-Zsanitizer=address",
    "-Ccodegen-units=1",
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
    if let Err(trouble) = cargo::run(build(workspace), mend) {
        return Outcome::of(vec![trouble]);
    }
    let at_once = std::thread::available_parallelism().map_or(1, usize::from);
    let mut outcome = Outcome::default();
    for names in TARGETS.chunks(at_once) {
        let runs: Vec<_> = names.iter().map(|name| Run::start(workspace, name, options.long)).collect();
        for run in runs {
            match run.and_then(Run::end) {
                Ok(()) => outcome.passed += 1,
                Err(trouble) => {
                    outcome.failed += 1;
                    outcome.troubles.push(trouble);
                }
            }
        }
    }
    outcome
}

fn build(workspace: &Workspace) -> Command {
    let arguments =
        ["build", "-q", "--release", "--locked", "--manifest-path", "fuzz/Cargo.toml", "--target", TARGET];
    let mut command = cargo::command(workspace, &arguments);
    command.arg("--target-dir").arg(workspace.target().join("fuzz"));
    let flags = FLAGS.map(OsString::from);
    command.env("CARGO_ENCODED_RUSTFLAGS", encoded(&flags)).env("RUSTC_BOOTSTRAP", "1");
    command
}

/// One target at work.
struct Run {
    name: &'static str,
    program: PathBuf,
    child: Child,
    log: PathBuf,
}

impl Run {
    fn start(workspace: &Workspace, name: &'static str, long: bool) -> Result<Run, String> {
        let places = Places::of(workspace, name);
        for folder in [&places.found, &places.crashes] {
            std::fs::create_dir_all(folder)
                .map_err(|error| format!("{}: cannot be made: {error}", folder.display()))?;
        }
        let wrong = |error| format!("{}: cannot be written: {error}", places.log.display());
        let log = File::create(&places.log).map_err(wrong)?;
        let mut command = places.command(long);
        command.stdin(Stdio::null()).stdout(log.try_clone().map_err(wrong)?).stderr(log);
        match command.spawn() {
            Ok(child) => Ok(Run { name, program: places.program, child, log: places.log }),
            Err(error) => Err(format!("{} cannot be started: {error}", places.program.display())),
        }
    }

    fn end(mut self) -> Result<(), String> {
        let status =
            self.child.wait().map_err(|error| format!("{}: cannot be waited for: {error}", self.name))?;
        let log = std::fs::read(&self.log).unwrap_or_default();
        let log = String::from_utf8_lossy(&log);
        if status.success() {
            println!("{}: {}", self.name, done(&log));
            return Ok(());
        }
        let crash = Crash::read(&log);
        println!("{}: {}", self.name, crash.said);
        Err(crash.trouble(self.name, &self.program, &self.log))
    }
}

/// Where one target finds and leaves things. Nothing is written beside the committed corpus.
struct Places {
    program: PathBuf,
    corpus: PathBuf,
    found: PathBuf,
    crashes: PathBuf,
    log: PathBuf,
}

impl Places {
    fn of(workspace: &Workspace, name: &str) -> Places {
        let folder = workspace.target().join("fuzz");
        Places {
            program: folder.join(TARGET).join("release").join(name),
            corpus: workspace.root().join("fuzz/corpus").join(name),
            found: folder.join("corpus").join(name),
            crashes: folder.join("crashes").join(name),
            log: folder.join(name).with_extension("log"),
        }
    }

    fn command(&self, long: bool) -> Command {
        let mut command = Command::new(&self.program);
        // What is new goes to the first folder.
        command.arg(&self.found).arg(&self.corpus);
        let mut prefix = OsString::from("-artifact_prefix=");
        prefix.push(self.crashes.join(""));
        command.arg(prefix);
        command.arg(format!("-max_total_time={}", if long { SECONDS_LONG } else { SECONDS }));
        command.args(["-timeout=10", "-rss_limit_mb=2048", "-max_len=1024", "-len_control=0"]);
        if !long {
            // A short run looks at the same inputs as the last, so that it fails for what has changed.
            command.arg("-seed=1");
        }
        command.env("ASAN_OPTIONS", "").env("LSAN_OPTIONS", "").env("RUST_BACKTRACE", "0");
        command
    }
}

/// How far a run came: `17158 inputs, 3993 edges`.
fn done(log: &str) -> String {
    let line = log.lines().rev().find(|line| line.starts_with('#') && line.contains("DONE"));
    let words: Vec<_> = line.unwrap_or_default().split_whitespace().collect();
    let after = |word: &str| words.iter().position(|found| *found == word).and_then(|at| words.get(at + 1));
    match (words.first(), after("cov:")) {
        (Some(inputs), Some(edges)) => format!("{} inputs, {edges} edges", inputs.trim_start_matches('#')),
        _ => "done".to_owned(),
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

    #[test]
    fn a_run_adds_to_the_target_folder_and_not_to_the_corpus() {
        let command = Places::of(&Workspace::at("w", "w/target"), "page").command(false);
        assert_eq!(command.get_program(), "w/target/fuzz/x86_64-unknown-linux-gnu/release/page");
        let words: Vec<_> = command.get_args().map(|word| word.to_string_lossy().into_owned()).collect();
        assert_eq!(words[0], "w/target/fuzz/corpus/page");
        assert_eq!(words[1], "w/fuzz/corpus/page");
        assert_eq!(words[2], "-artifact_prefix=w/target/fuzz/crashes/page/");
        assert!(words.contains(&"-max_total_time=20".to_owned()) && words.contains(&"-seed=1".to_owned()));
    }

    #[test]
    fn a_long_run_looks_elsewhere_each_time() {
        let command = Places::of(&Workspace::at("w", "w/target"), "page").command(true);
        let words: Vec<_> = command.get_args().map(|word| word.to_string_lossy().into_owned()).collect();
        assert!(words.contains(&"-max_total_time=300".to_owned()), "{words:?}");
        assert!(!words.iter().any(|word| word.starts_with("-seed")), "{words:?}");
    }

    #[test]
    fn the_build_names_its_target_so_that_build_scripts_are_spared() {
        let command = build(&Workspace::at("w", "w/target"));
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
        let mut names = TARGETS;
        names.sort_unstable();
        assert_eq!(files, names);
        for name in TARGETS {
            assert!(std::fs::read_dir(folder.join("corpus").join(name)).unwrap().count() > 0, "{name}");
        }
    }
}
