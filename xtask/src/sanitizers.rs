//! ThreadSanitizer and AddressSanitizer over the tests of the core, after a proof that they see.

mod happens_before;

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::cargo;
use crate::report::Outcome;
use crate::workspace::Workspace;

/// Where the sanitizers are at home. Named to cargo even though it is the host, so that build scripts stay without them.
pub(crate) const TARGET: &str = "x86_64-unknown-linux-gnu";

/// Runs both. The options of the compiler that they need are opened on the stable toolchain.
pub(crate) fn run(workspace: &Workspace) -> Outcome {
    if !at_home() {
        return Outcome::skipped(&format!("sanitizers: this is not {TARGET}"));
    }
    let sanitizers = [Sanitizer::Thread, Sanitizer::Address];
    Outcome::of(sanitizers.into_iter().filter_map(|sanitizer| sanitizer.run(workspace).err()).collect())
}

/// Whether this is a machine that the sanitizers know.
pub(crate) fn at_home() -> bool {
    cfg!(all(target_arch = "x86_64", target_os = "linux", target_env = "gnu"))
}

#[derive(Clone, Copy)]
enum Sanitizer {
    Thread,
    Address,
}

/// A program of the folder `sanitizers`.
struct Program {
    name: &'static str,
    /// What the sanitizer must say of it; `None` if it must be silent.
    said: Option<&'static str>,
}

/// The folder of those programs, from the root.
const FOLDER: &str = "sanitizers";

impl Sanitizer {
    fn run(self, workspace: &Workspace) -> Result<(), String> {
        println!("-- {}", self.name());
        let mut flags = self.flags();
        if let Sanitizer::Thread = self {
            flags.extend(happens_before::link(workspace, FOLDER)?);
        }
        self.prove(workspace, &flags)?;
        let line = "cargo xtask test --only sanitizers";
        cargo::run(self.tests(workspace, &flags), &format!("what it found is above; `{line}` runs it again"))
    }

    fn name(self) -> &'static str {
        match self {
            Sanitizer::Thread => "thread",
            Sanitizer::Address => "address",
        }
    }

    fn flags(self) -> Vec<OsString> {
        let mut flags = vec![format!("-Zsanitizer={}", self.name()).into()];
        if let Sanitizer::Thread = self {
            // The standard library comes without it; `happens_before` makes up for that.
            flags.push("-Cunsafe-allow-abi-mismatch=sanitizer".into());
        }
        flags
    }

    /// What must be seen, and what must not.
    fn programs(self) -> [Program; 2] {
        let wrong = match self {
            Sanitizer::Thread => Program { name: "race", said: Some("ThreadSanitizer: data race") },
            Sanitizer::Address => {
                Program { name: "freed", said: Some("AddressSanitizer: heap-use-after-free") }
            }
        };
        [wrong, Program { name: "locks", said: None }]
    }

    /// Builds the programs just as the tests, and runs them: a sanitizer that sees nothing would pass everything.
    fn prove(self, workspace: &Workspace, flags: &[OsString]) -> Result<(), String> {
        let manifest = format!("{FOLDER}/Cargo.toml");
        let build = self.cargo(workspace, &["build", "-q", "--manifest-path", &manifest], flags);
        cargo::run(build, "mend what it names above")?;
        let folder = self.folder(workspace).join(TARGET).join("debug");
        for program in self.programs() {
            let path = folder.join(program.name);
            let mut command = Command::new(&path);
            self.set_options(&mut command, workspace.root());
            let output = command
                .stdin(Stdio::null())
                .output()
                .map_err(|error| format!("{} cannot be started: {error}", path.display()))?;
            let said = String::from_utf8_lossy(&output.stderr);
            judge(&program, output.status.success(), &said)?;
            println!("{}: as it must be", program.name);
        }
        Ok(())
    }

    fn tests(self, workspace: &Workspace, flags: &[OsString]) -> Command {
        let mut command = self.cargo(
            workspace,
            &["test", "-p", "metercast-core", "--lib", "--tests", "--no-fail-fast"],
            flags,
        );
        self.set_options(&mut command, workspace.root());
        // Everything takes ten times as long here, so soaks run at a tenth even under --long.
        command.env_remove("METERCAST_LONG");
        command
    }

    fn cargo(self, workspace: &Workspace, arguments: &[&str], flags: &[OsString]) -> Command {
        let mut command = cargo::command(workspace, arguments);
        // A folder of its own, since other flags would rebuild what the other steps have built.
        command.args(["--locked", "--target", TARGET, "--target-dir"]).arg(self.folder(workspace));
        command.env("CARGO_ENCODED_RUSTFLAGS", encoded(flags)).env("RUSTC_BOOTSTRAP", "1");
        // Optimized a little: then what the standard library inlines is seen, and the tests take a third of the time.
        command.env("CARGO_PROFILE_DEV_OPT_LEVEL", "1").env("CARGO_PROFILE_TEST_OPT_LEVEL", "1");
        // A report says where by these alone.
        command.env("CARGO_PROFILE_DEV_DEBUG", "line-tables-only");
        command
    }

    fn folder(self, workspace: &Workspace) -> PathBuf {
        workspace.target().join("sanitizers").join(self.name())
    }

    /// Whatever somebody's shell says, since an option can switch a sanitizer off.
    fn set_options(self, command: &mut Command, root: &Path) {
        let suppressions = root.join(FOLDER).join("thread.txt");
        let (thread, address) = match self {
            Sanitizer::Thread => {
                (format!("print_suppressions=0:suppressions=\"{}\"", suppressions.display()), String::new())
            }
            Sanitizer::Address => (String::new(), "detect_stack_use_after_return=1".to_owned()),
        };
        command.env("TSAN_OPTIONS", thread).env("ASAN_OPTIONS", address).env("LSAN_OPTIONS", "");
        command.env("RUST_BACKTRACE", "0");
    }
}

/// The flags as cargo takes them if they may hold spaces.
pub(crate) fn encoded(flags: &[OsString]) -> OsString {
    flags.join("\u{1f}".as_ref())
}

fn judge(program: &Program, succeeded: bool, said: &str) -> Result<(), String> {
    let name = program.name;
    match program.said {
        Some(words) if succeeded || !said.contains(words) => Err(format!(
            "{FOLDER}/src/bin/{name}.rs is wrong on purpose, and the sanitizer did not say \"{words}\", so it sees nothing \
             in the tests either; it said:\n{said}"
        )),
        None if !succeeded || !said.is_empty() => Err(format!(
            "{FOLDER}/src/bin/{name}.rs is right, and the sanitizer said otherwise: has the standard library changed? Look at \
             {FOLDER}/happens_before.rs; it said:\n{said}"
        )),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(command: &Command) -> String {
        cargo::line_of(command)
    }

    fn variable(command: &Command, name: &str) -> String {
        let found = command.get_envs().find(|(key, _)| *key == name).and_then(|(_, value)| value);
        found.map(|value| value.to_string_lossy().into_owned()).unwrap_or_default()
    }

    #[test]
    fn the_tests_of_the_core_run_on_a_target_that_spares_build_scripts() {
        let workspace = Workspace::at("w", "w/target");
        let command = Sanitizer::Address.tests(&workspace, &Sanitizer::Address.flags());
        assert_eq!(
            words(&command),
            "cargo test -p metercast-core --lib --tests --no-fail-fast --locked --target x86_64-unknown-linux-gnu \
             --target-dir w/target/sanitizers/address"
        );
        assert_eq!(variable(&command, "CARGO_ENCODED_RUSTFLAGS"), "-Zsanitizer=address");
        assert_eq!(variable(&command, "RUSTC_BOOTSTRAP"), "1");
        assert_eq!(variable(&command, "CARGO_PROFILE_DEV_DEBUG"), "line-tables-only");
        assert_eq!(variable(&command, "TSAN_OPTIONS"), "");
    }

    #[test]
    fn what_is_suppressed_is_in_a_file() {
        let mut command = Command::new("any");
        Sanitizer::Thread.set_options(&mut command, Path::new("a folder"));
        assert_eq!(
            variable(&command, "TSAN_OPTIONS"),
            "print_suppressions=0:suppressions=\"a folder/sanitizers/thread.txt\""
        );
    }

    #[test]
    fn flags_with_spaces_stay_apart() {
        assert_eq!(encoded(&["-a".into(), "-l=x y".into()]), "-a\u{1f}-l=x y");
    }

    #[test]
    fn a_wrong_program_must_be_reported_for_what_it_is() {
        let [race, locks] = Sanitizer::Thread.programs();
        assert!(judge(&race, true, "").unwrap_err().contains("sees nothing"));
        assert!(judge(&race, false, "out of memory").is_err());
        assert!(judge(&race, false, "WARNING: ThreadSanitizer: data race (pid=1)").is_ok());
        assert!(judge(&locks, true, "").is_ok());
        assert!(judge(&locks, true, "WARNING: ThreadSanitizer: data race").is_err());
        assert!(judge(&locks, false, "").is_err());
    }

    #[test]
    fn the_programs_are_there() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(FOLDER).join("src/bin");
        for program in [Sanitizer::Thread, Sanitizer::Address].into_iter().flat_map(Sanitizer::programs) {
            assert!(folder.join(program.name).with_extension("rs").is_file(), "{}", program.name);
        }
    }
}
