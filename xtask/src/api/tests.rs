//! Changes of a library, as rustdoc sees them: each is noticed, and judged.

use std::process::Command;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU32, Ordering};

use super::difference::{Change, Difference};
use super::list::List;
use crate::workspace::Package;

/// A library with one of everything.
const LIBRARY: &str = "
pub fn run(count: u64) -> bool { count > 0 }
pub fn stop() {}
#[derive(Clone, Default)]
pub struct Handle { number: u64 }
impl Handle { pub fn number(&self) -> u64 { self.number } }
pub struct Point { pub x: u64 }
pub enum Side { Left, Right }
#[non_exhaustive]
pub enum Kind { One }
pub trait Observe { fn observe(&self) -> u64; fn reset(&self) {} }
mod private { pub trait Sealed {} }
pub trait Number: private::Sealed { fn is_zero(&self) -> bool; }
";

/// The list of a library with this source.
fn list(source: &str) -> List {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    let folder = std::env::temp_dir().join(format!("metercast-api-{}-{number}", std::process::id()));
    std::fs::create_dir(&folder).unwrap();
    std::fs::write(folder.join("lib.rs"), source).unwrap();
    let mut rustdoc = Command::new(std::env::var_os("RUSTDOC").unwrap_or_else(|| "rustdoc".into()));
    rustdoc.args(["lib.rs", "--crate-name", "ours", "--edition", "2024", "-o", ".", "--cap-lints", "allow"]);
    rustdoc
        .args(["-Z", "unstable-options", "--output-format", "json"])
        .env("RUSTC_BOOTSTRAP", "1")
        .current_dir(&folder);
    let output = rustdoc.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let package = Package {
        version: "0.1.0".to_owned(),
        features: vec!["default".to_owned(), "live".to_owned()],
        default_features: vec!["live".to_owned()],
        ..Package::default()
    };
    let list = List::of(&package, &folder.join("ours.json")).unwrap();
    std::fs::remove_dir_all(&folder).unwrap();
    list
}

fn library() -> &'static List {
    static LIST: LazyLock<List> = LazyLock::new(|| list(LIBRARY));
    &LIST
}

/// What becomes of the library's list if its source is changed so.
fn after(was: &str, is: &str) -> Difference {
    assert!(LIBRARY.contains(was), "{was}");
    Difference::between(library(), &list(&LIBRARY.replacen(was, is, 1)))
}

fn gone(line: &str) -> Change {
    Change::Gone(line.to_owned())
}

fn new(line: &str) -> Change {
    Change::New(line.to_owned())
}

#[test]
fn the_list_has_each_item_and_comes_back_from_its_file() {
    let list = library();
    for line in [
        "feature live",
        "default feature live",
        "pub fn ours::run(u64) -> bool",
        "impl core::clone::Clone for ours::Handle",
        "impl core::marker::Send for ours::Handle",
        "pub struct ours::Handle",
        "pub struct ours::Point (no private fields)",
        "pub ours::Point::x: u64",
        "pub ours::Side::Left",
        "#[non_exhaustive] pub enum ours::Kind",
        "pub fn ours::Observe::observe(&self) -> u64 (required)",
        "pub fn ours::Observe::reset(&self)",
    ] {
        assert!(list.lines.iter().any(|other| other == line), "{line}: {list}");
    }
    let sealed = |line: &String| line.starts_with("pub trait ours::Number") && line.ends_with(" (sealed)");
    assert!(list.lines.iter().any(sealed), "{list}");
    assert_eq!(&List::parse(&list.to_string()).unwrap(), list);
    assert!(List::parse("pub fn ours::run()\n").is_err());
}

#[test]
fn nothing_is_other_where_only_what_is_inside_changed() {
    for (was, is) in
        [("count > 0", "count > 1"), ("count", "number_of_them"), ("number: u64 }", "inner: u32 }")]
    {
        let is = LIBRARY.replace(was, is).replace("self.number", "7");
        assert_eq!(Difference::between(library(), &list(&is)), Difference::default(), "{was}");
    }
}

#[test]
fn an_item_that_is_gone_breaks() {
    let found = after("pub fn stop() {}", "");
    assert_eq!(found.breaking, [gone("pub fn ours::stop()")]);
    assert_eq!(found.additive, []);
}

#[test]
fn an_argument_that_is_another_breaks() {
    let found = after("run(count: u64)", "run(count: u32)");
    let (was, is) = ("pub fn ours::run(u64) -> bool".to_owned(), "pub fn ours::run(u32) -> bool".to_owned());
    assert_eq!(found.breaking, [Change::Other { was, is }]);
}

#[test]
fn an_implementation_that_is_lost_breaks_written_or_not() {
    let found = after("#[derive(Clone, Default)]", "#[derive(Default)]");
    assert_eq!(found.breaking, [gone("impl core::clone::Clone for ours::Handle")]);
    let found = after("{ number: u64 }", "{ number: u64, of: Option<std::rc::Rc<u8>> }");
    assert!(found.breaking.contains(&gone("impl core::marker::Send for ours::Handle")), "{found:?}");
    assert_eq!(
        found.additive,
        [new("impl !core::marker::Send for ours::Handle"), new("impl !core::marker::Sync for ours::Handle")]
    );
}

#[test]
fn what_a_trait_asks_for_breaks_who_implements_it() {
    let found = after("trait Observe {", "trait Observe { fn name(&self) -> u64;");
    assert_eq!(found.breaking, [new("pub fn ours::Observe::name(&self) -> u64 (required)")]);
    let found = after("trait Observe {", "trait Observe { type Out;");
    assert_eq!(found.breaking, [new("pub type ours::Observe::Out (required)")]);
    let found = after("trait Observe {", "trait Observe { fn name(&self) -> u64 { 1 }");
    assert_eq!((found.breaking.len(), found.additive.len()), (0, 1), "{found:?}");
    let found = after("fn is_zero", "fn is_one(&self) -> bool; fn is_zero");
    assert_eq!((found.breaking.len(), found.additive.len()), (0, 1), "{found:?}");
    let found = after("fn reset(&self) {}", "fn reset(&self);");
    assert_eq!((found.breaking.len(), found.additive.len()), (1, 0), "{found:?}");
}

#[test]
fn what_others_wrote_down_whole_may_not_grow() {
    for (was, is) in [("{ Left,", "{ Left, Middle,"), ("{ pub x: u64 }", "{ pub x: u64, pub y: u64 }")] {
        let found = after(was, is);
        assert_eq!((found.breaking.len(), found.additive.len()), (1, 0), "{found:?}");
    }
    let found = after("{ pub x: u64 }", "{ pub x: u64, y: u64 }");
    assert!(matches!(&*found.breaking, [Change::Other { .. }]), "{found:?}");
    let found = after("{ One }", "{ One, Two }");
    assert_eq!((found.breaking, found.additive), (Vec::new(), vec![new("pub ours::Kind::Two")]));
}

#[test]
fn what_is_new_or_looser_is_additive() {
    let found = after("pub fn stop", "pub fn begin() {}\npub fn stop");
    assert_eq!((found.breaking, found.additive), (Vec::new(), vec![new("pub fn ours::begin()")]));
    for (was, is) in [
        ("pub fn stop", "pub const fn stop"),
        ("fn observe(&self) -> u64;", "fn observe(&self) -> u64 { 1 }"),
        ("#[derive(Clone, Default)]", "#[derive(Clone, Debug, Default)]"),
    ] {
        let found = after(was, is);
        assert_eq!((found.breaking.len(), found.additive.len()), (0, 1), "{found:?}");
    }
}

#[test]
fn a_feature_that_is_gone_or_no_longer_on_breaks() {
    let was = library();
    for line in ["feature live", "default feature live"] {
        let lines = was.lines.iter().filter(|other| *other != line).cloned().collect();
        let is = List { version: was.version.clone(), lines };
        assert_eq!(Difference::between(was, &is).breaking, [gone(line)]);
        assert_eq!(Difference::between(&is, was).additive, [new(line)]);
    }
}

#[test]
fn a_description_in_another_format_is_not_read() {
    let path = std::env::temp_dir().join(format!("metercast-api-format-{}.json", std::process::id()));
    std::fs::write(&path, r#"{"format_version": 9, "index": {}}"#).unwrap();
    let trouble = List::of(&Package::default(), &path).unwrap_err();
    std::fs::remove_file(&path).unwrap();
    assert!(
        trouble.contains("this rustdoc writes format 9, and the `public-api` of Cargo.toml reads 57"),
        "{trouble}"
    );
}
