//! The functions of the standard library that order threads, found by name, with ours put in front of them.

use std::ffi::OsString;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::TARGET;
use crate::workspace::Workspace;

/// A function: what `happens_before.rs` calls it, and how its mangled name contains and ends.
struct Ordering {
    name: &'static str,
    within: &'static str,
    end: &'static str,
}

/// What does not stand here is inlined into the code that calls it, and so seen.
const ORDERINGS: &[Ordering] = &[
    Ordering { name: "MUTEX_LOCK", within: "3sys4sync5mutex5futex", end: "5Mutex14lock_contended" },
    Ordering { name: "RWLOCK_READ", within: "3sys4sync6rwlock5futex", end: "6RwLock14read_contended" },
    Ordering { name: "RWLOCK_WRITE", within: "3sys4sync6rwlock5futex", end: "6RwLock15write_contended" },
    Ordering { name: "CONDVAR_WAIT", within: "3sys4sync7condvar5futex", end: "7Condvar4wait" },
    Ordering {
        name: "CONDVAR_WAIT_TIMEOUT",
        within: "3sys4sync7condvar5futex",
        end: "7Condvar12wait_timeout",
    },
    Ordering { name: "BARRIER_WAIT", within: "3std4sync7barrier", end: "7Barrier4wait" },
    Ordering {
        name: "SCOPED_THREAD_END",
        within: "3std6thread6scoped",
        end: "9ScopeData29decrement_num_running_threads",
    },
    Ordering { name: "ONCE_CALL", within: "3sys4sync4once5futex", end: "4Once4call" },
];

/// Functions of ThreadSanitizer itself that ours stand in front of: what `Arc` orders with a fence.
const OF_SANITIZER: [&str; 2] = ["__tsan_atomic64_fetch_sub", "__tsan_atomic_thread_fence"];

/// Compiles `happens_before.rs` of the folder, and gives the flags that link it in.
pub(super) fn link(workspace: &Workspace, folder: &str) -> Result<Vec<OsString>, String> {
    let names = names(&standard_library()?)?;
    let source = workspace.root().join(folder).join("happens_before.rs");
    let text = read(&source)?;
    let into = workspace.target().join("sanitizers");
    std::fs::create_dir_all(&into).map_err(|error| format!("{}: cannot be made: {error}", into.display()))?;
    // The name changes with the contents: cargo links anew when a flag changes, not when a file does that a flag names.
    let mut hasher = DefaultHasher::new();
    (&text, &names).hash(&mut hasher);
    let object = into.join(format!("happens_before-{:016x}.o", hasher.finish()));
    match compile(&source, &object, &names).status() {
        Ok(status) if status.success() => Ok(flags(&names, &object)),
        Ok(status) => {
            Err(format!("rustc ended with {status} over {}; mend what it names above", source.display()))
        }
        Err(error) => Err(format!("rustc cannot be started: {error}")),
    }
}

fn compile(source: &Path, object: &Path, names: &[(&'static str, String)]) -> Command {
    let mut command = rustc();
    command
        .args(["--edition", "2024", "-O", "--target", TARGET, "--emit", "obj", "-o"])
        .arg(object)
        .arg(source);
    for (name, symbol) in names {
        command.env(format!("REAL_{name}"), format!("__real_{symbol}"));
        command.env(format!("WRAP_{name}"), format!("__wrap_{symbol}"));
    }
    command
}

fn flags(names: &[(&'static str, String)], object: &Path) -> Vec<OsString> {
    let symbols = names.iter().map(|(_, symbol)| symbol.as_str()).chain(OF_SANITIZER);
    let mut flags: Vec<OsString> =
        symbols.map(|symbol| format!("-Clink-arg=-Wl,--wrap={symbol}").into()).collect();
    let mut linked = OsString::from("-Clink-arg=");
    linked.push(object);
    flags.push(linked);
    flags
}

/// The name that each function has in this standard library.
fn names(library: &[u8]) -> Result<Vec<(&'static str, String)>, String> {
    let symbols: Vec<&str> = symbols(library).collect();
    let name = |ordering: &Ordering| {
        let of_it = |symbol: &&&str| symbol.contains(ordering.within) && symbol.ends_with(ordering.end);
        let mut found: Vec<&str> = symbols.iter().filter(of_it).copied().collect();
        found.sort_unstable();
        found.dedup();
        match found[..] {
            [symbol] => Ok((ordering.name, symbol.to_owned())),
            _ => Err(format!(
                "the standard library has {} functions `{}` in `{}`; find the one that orders threads now, and mend the \
                 table in xtask/src/sanitizers/happens_before.rs",
                found.len(),
                ordering.end,
                ordering.within
            )),
        }
    };
    ORDERINGS.iter().map(name).collect()
}

/// The mangled names in the index of an archive, which ends each with a zero.
fn symbols(library: &[u8]) -> impl Iterator<Item = &str> {
    let texts = library.split(|byte| *byte == 0).filter_map(|bytes| std::str::from_utf8(bytes).ok());
    texts.filter(|text| {
        // Elsewhere names stand one after the other without an end.
        text.strip_prefix("_R").is_some_and(|rest| {
            !rest.contains("_RN") && rest.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
        })
    })
}

fn standard_library() -> Result<Vec<u8>, String> {
    let mut command = rustc();
    command.args(["--print", "target-libdir", "--target", TARGET]).stdin(Stdio::null());
    let output = command.output().map_err(|error| format!("rustc cannot be started: {error}"))?;
    let folder = PathBuf::from(String::from_utf8_lossy(&output.stdout).trim_end());
    let entries = std::fs::read_dir(&folder)
        .map_err(|error| format!("{}: cannot be listed: {error}", folder.display()))?;
    let mut paths = entries.flatten().map(|entry| entry.path());
    let is_it = |path: &PathBuf| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        name.starts_with("libstd-") && name.ends_with(".rlib")
    };
    let path = paths.find(is_it).ok_or_else(|| format!("{}: holds no libstd-*.rlib", folder.display()))?;
    std::fs::read(&path).map_err(|error| format!("{}: cannot be read: {error}", path.display()))
}

fn rustc() -> Command {
    Command::new(std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into()))
}

fn read(path: &Path) -> Result<String, String> {
    std::fs::read_to_string(path).map_err(|error| format!("{}: cannot be read: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn library(without: &str) -> Vec<u8> {
        let names = ORDERINGS.iter().filter(|ordering| ordering.name != without);
        let names = names.map(|ordering| format!("_RNv{}NtB2_{}\0", ordering.within, ordering.end));
        let twice = names.clone();
        names.chain(twice).collect::<String>().into_bytes()
    }

    #[test]
    fn each_function_is_found_by_its_name() {
        let names = names(&library("")).unwrap();
        assert_eq!(names.len(), ORDERINGS.len());
        assert_eq!(
            names[0],
            ("MUTEX_LOCK", "_RNv3sys4sync5mutex5futexNtB2_5Mutex14lock_contended".to_owned())
        );
    }

    #[test]
    fn a_function_that_is_gone_is_named() {
        let trouble = names(&library("ONCE_CALL")).unwrap_err();
        assert!(trouble.contains("has 0 functions `4Once4call`"), "{trouble}");
    }

    #[test]
    fn names_that_run_into_each_other_are_no_names() {
        let found: Vec<_> = symbols(b"x\0_RNva\0_RNva_RNvb\0_RNv \0_R\xff\0").collect();
        assert_eq!(found, ["_RNva"]);
    }

    #[test]
    fn every_function_is_wrapped_and_ours_linked() {
        let flags = flags(&names(&library("")).unwrap(), Path::new("a b/c.o"));
        assert_eq!(flags.len(), ORDERINGS.len() + OF_SANITIZER.len() + 1);
        assert!(flags[0].to_string_lossy().starts_with("-Clink-arg=-Wl,--wrap=_RNv"), "{flags:?}");
        assert_eq!(flags.last().unwrap(), "-Clink-arg=a b/c.o");
    }

    #[test]
    fn the_source_takes_exactly_these_names() {
        let source =
            read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../sanitizers/happens_before.rs")).unwrap();
        for ordering in ORDERINGS {
            for prefix in ["REAL", "WRAP"] {
                let name = format!("env!(\"{prefix}_{}\")", ordering.name);
                assert_eq!(source.matches(&name).count(), 1, "{name}");
            }
        }
        assert_eq!(source.matches("env!(").count(), 2 * ORDERINGS.len());
    }
}
