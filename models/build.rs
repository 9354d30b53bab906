//! Copies the engine's files for the models: with loom's atomics in the place of the standard library's, small enough to be
//! tried in every order, and with the mutants' lines behind a switch.
//!
//! What is asked for here and no longer stands there becomes an error in the copy, which only the models' tests compile.

#[path = "src/mutants.rs"]
mod mutants;
#[path = "src/source.rs"]
mod source;

use std::env;
use std::ffi::OsStr;
use std::fs;
use std::path::Path;

fn main() {
    let core = Path::new("../crates/metercast-core/src");
    let to = env::var("OUT_DIR").expect("cargo says where to write");
    let write = |name: &OsStr, text: &str| {
        fs::write(Path::new(&to).join(name), text).expect("cargo's directory can be written");
    };
    let mut missing = Vec::new();
    for copy in source::COPIES {
        let from = core.join(copy.file);
        println!("cargo::rerun-if-changed={}", from.display());
        let text = match fs::read_to_string(&from) {
            Ok(text) => {
                let (text, without) = source::copied(copy, &text, mutants::MUTANTS);
                missing.extend(without);
                text
            }
            Err(error) => format!("compile_error!(\"{}: {error}\");", copy.file),
        };
        write(from.file_name().unwrap_or_default(), &text);
    }
    write("missing.rs".as_ref(), &format!("&{missing:?}"));
    println!("cargo::rerun-if-changed=src/mutants.rs");
    println!("cargo::rerun-if-changed=src/source.rs");
    println!("cargo::rerun-if-changed=build.rs");
}
