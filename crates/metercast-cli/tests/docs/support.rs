//! A small program of two packages, built once for all tests; and `metercast docs`.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::LazyLock;
use std::{env, fs};

use serde_json::Value;

/// What the tests build.
pub(crate) struct Shop {
    folder: PathBuf,
    /// As developers build it.
    pub(crate) debug: PathBuf,
    /// Optimised as a whole, without what is not used, and stripped.
    pub(crate) release: PathBuf,
    /// The same by GNU's linker, where there is one.
    pub(crate) gnu: Option<PathBuf>,
}

pub(crate) static SHOP: LazyLock<Shop> = LazyLock::new(Shop::build);

const WORKSPACE: &str = r#"
[workspace]
members = ["shop", "stock"]
resolver = "3"

[profile.dev]
debug = false

[profile.release]
opt-level = 1
lto = "fat"
codegen-units = 1
panic = "abort"
strip = true
"#;

const STOCK: &str = r#"
//! A library that only wants to be measured.
#![forbid(unsafe_code)]
#![deny(warnings)]

metercast_core::labels! {
    /// Where goods lie.
    pub one_of Warehouse { "north", "south" } else "other"
}
metercast_core::metrics! {
    /// Goods in stock, of which nobody here says how many.
    pub static GOODS: Gauge<u64> = "stock.goods" { unit: "{item}", labels: { warehouse: Warehouse } };
    static UNHEARD: Counter<f64> = "stock.unheard" { visibility: private };
}

mod hidden {
    pub fn generic<T>(value: T) -> T {
        metercast_core::u64_counter!("stock.generic", "In a generic function", 1, "kind" => "generic");
        value
    }
    #[allow(dead_code)]
    fn never() {
        metercast_core::u64_counter!("stock.never", "In a function that nobody calls", 1);
    }
}
pub use hidden::generic;

/// Linked, so that the library is.
pub fn count() {
    let _ = &UNHEARD;
    metercast_core::u64_counter!("stock.counted", "In a function that is called", 1);
}
"#;

const SHOP_MAIN: &str = r#"
//! A program with metrics of its own and of a library.
#![forbid(unsafe_code)]

metercast::metrics! {
    /// Orders accepted.
    static ORDERS: Counter<u64> = "shop.orders" { unit: "{order}" };
    /// Time to pay.
    static PAYMENT: Histogram<f64> = "shop.payment" { unit: "s", buckets: [0.1, 1] };
}

#[allow(dead_code)]
fn never() {
    metercast::u64_counter!("shop.never", "In a function that nobody calls", 1);
}

fn main() {
    stock::count();
    if std::env::args().len() > 1 {
        print!("{}", metercast::catalogue().unwrap().json());
    }
}
"#;

impl Shop {
    fn build() -> Shop {
        // Of cargo, which removes it with all else that it makes; what is there from the last time is not built again.
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("docs");
        let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap();
        let crates = workspace.join("crates");
        let package = |name: &str, version: &str, dependencies: &str, file: &str, text: &str| {
            let head = format!("[package]\nname = {name:?}\nversion = {version:?}\nedition = \"2021\"\n");
            write(&folder.join(name).join("Cargo.toml"), &format!("{head}\n{dependencies}\n"));
            write(&folder.join(name).join("src").join(file), text);
        };
        let core =
            format!("[dependencies]\nmetercast-core = {{ path = {:?} }}", crates.join("metercast-core"));
        let all = format!(
            "[dependencies]\nmetercast = {{ path = {:?}, default-features = false }}\nstock = {{ path = \"../stock\" }}\n\n\
             [[bin]]\nname = \"shop\"\npath = \"src/main.rs\"\n\n[[bin]]\nname = \"shop-by-gnu\"\npath = \"src/main.rs\"",
            crates.join("metercast")
        );
        write(&folder.join("Cargo.toml"), WORKSPACE);
        package("stock", "1.2.3", &core, "lib.rs", STOCK);
        package("shop", "0.4.0", &all, "main.rs", SHOP_MAIN);
        // The versions that were built with anyway, so that nothing is asked of the network.
        write(&folder.join("Cargo.lock"), &fs::read_to_string(workspace.join("Cargo.lock")).unwrap());
        let target = folder.join("target");
        let built = |arguments: &[&str], program: &str| {
            let output = Command::new(env!("CARGO"))
                .args(["rustc", "--offline", "--quiet", "-p", "shop"])
                .args(arguments)
                .current_dir(&folder)
                .env("CARGO_TARGET_DIR", &target)
                .env_remove("RUSTFLAGS")
                .env_remove("CARGO_ENCODED_RUSTFLAGS")
                .output()
                .expect("cargo runs");
            match output.status.success() {
                true => Ok(target.join(program)),
                false => Err(String::from_utf8_lossy(&output.stderr).into_owned()),
            }
        };
        let collected = ["--", "-C", "link-arg=-Wl,--gc-sections"];
        let release = [&["--release", "--bin", "shop"], &collected[..]].concat();
        let gnu = [&["--release", "--bin", "shop-by-gnu"], &collected[..], &["-C", "link-arg=-fuse-ld=bfd"]]
            .concat();
        Shop {
            debug: built(&["--bin", "shop"], "debug/shop").unwrap(),
            release: built(&release, "release/shop").unwrap(),
            gnu: built(&gnu, "release/shop-by-gnu").ok(),
            folder,
        }
    }

    pub(crate) fn all(&self) -> Vec<&Path> {
        [Some(&self.debug), Some(&self.release), self.gnu.as_ref()]
            .into_iter()
            .flatten()
            .map(|path| &**path)
            .collect()
    }

    /// A file of its own for a test.
    pub(crate) fn file(&self, name: &str, text: &str) -> PathBuf {
        let path = self.folder.join(name);
        fs::write(&path, text).unwrap();
        path
    }
}

/// Writes a file unless it says so already: cargo would build what is newer.
fn write(path: &Path, text: &str) {
    if fs::read_to_string(path).is_ok_and(|there| there == text) {
        return;
    }
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

/// Runs `metercast docs`.
pub(crate) fn docs<A: AsRef<std::ffi::OsStr>>(arguments: impl IntoIterator<Item = A>) -> Output {
    Command::new(env!("CARGO_BIN_EXE_metercast"))
        .arg("docs")
        .args(arguments)
        .output()
        .expect("the program starts")
}

/// What it prints if all goes well.
pub(crate) fn printed<A: AsRef<std::ffi::OsStr>>(arguments: impl IntoIterator<Item = A>) -> String {
    let output = docs(arguments);
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && said.is_empty(), "{said}");
    String::from_utf8(output.stdout).unwrap()
}

/// What it says on standard error if it does not, with the status.
pub(crate) fn trouble<A: AsRef<std::ffi::OsStr>>(arguments: impl IntoIterator<Item = A>) -> (i32, String) {
    let output = docs(arguments);
    assert_eq!(String::from_utf8_lossy(&output.stdout), "");
    (output.status.code().unwrap(), String::from_utf8(output.stderr).unwrap())
}

/// The metrics of a program as data.
pub(crate) fn metrics(json: &str) -> Vec<Value> {
    let json: Value = serde_json::from_str(json).unwrap();
    json["metrics"].as_array().unwrap().clone()
}

/// Arguments with a path among them.
#[macro_export]
macro_rules! arguments {
    ($($argument:expr),* $(,)?) => { [$(std::ffi::OsString::from(&$argument)),*] };
}
