//! Known faults of the crates that we build with, from a checkout of the RustSec advisory database:
//! <https://github.com/rustsec/advisory-db>.

use std::path::Path;

use semver::{Comparator, Op, Prerelease, Version, VersionReq};
use toml::{Table, Value};

use super::graph::Dependency;

/// The advisories that hold for a crate of the list, in the version that stands there.
pub(super) fn check(database: &Path, crates: &[Dependency]) -> Result<Vec<String>, String> {
    let all = database.join("crates");
    let folders = std::fs::read_dir(&all).map_err(|error| {
        format!("{} cannot be listed: {error}; is it a checkout of rustsec/advisory-db?", all.display())
    })?;
    let (mut found, mut read, mut newest) = (Vec::new(), 0, String::new());
    for folder in folders.flatten().map(|entry| entry.path()).filter(|path| path.is_dir()) {
        let name = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let ours: Vec<_> = crates.iter().filter(|crate_| crate_.name == name).collect();
        let wrong = |error| format!("{}: cannot be read: {error}", folder.display());
        for path in std::fs::read_dir(&folder).map_err(wrong)?.flatten().map(|entry| entry.path()) {
            // All of them, so that a damaged database is noticed, and one that is years old.
            let text = std::fs::read_to_string(&path).map_err(wrong)?;
            let advisory =
                Advisory::parse(&text).map_err(|trouble| format!("{}: {trouble}", path.display()))?;
            read += 1;
            newest = newest.max(advisory.date.clone());
            for crate_ in &ours {
                match advisory.concerns(&crate_.version) {
                    Ok(true) if advisory.is_fault() => found.push(advisory.of(crate_)),
                    Ok(true) => println!("{} ({})", advisory.of(crate_), advisory.informational),
                    Ok(false) => {}
                    Err(trouble) => return Err(format!("{}: {trouble}", path.display())),
                }
            }
        }
    }
    if read == 0 {
        return Err(format!("{} has no advisory", all.display()));
    }
    println!("advisories: {} crates held against {read}, the newest of {newest}", crates.len());
    found.sort();
    Ok(found)
}

/// What the head of an advisory says.
#[derive(Debug)]
struct Advisory {
    id: String,
    date: String,
    /// Why it is no vulnerability, such as `unmaintained`; empty if it is one.
    informational: String,
    is_withdrawn: bool,
    patched: Vec<String>,
    unaffected: Vec<String>,
}

impl Advisory {
    /// Reads the block of TOML that an advisory begins with.
    fn parse(text: &str) -> Result<Advisory, String> {
        let head = text.split_once("```toml").and_then(|(_, rest)| rest.split_once("```"));
        let (head, _) = head.ok_or("has no block of TOML")?;
        let head: Table = head.parse().map_err(|error| format!("its block of TOML: {error}"))?;
        let about = |key: &str| head.get("advisory").and_then(|about| about.get(key));
        let text = |key| about(key).and_then(Value::as_str).map(str::to_owned);
        let versions = |key: &str| -> Vec<String> {
            let list = head.get("versions").and_then(|versions| versions.get(key)?.as_array());
            list.into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
        };
        Ok(Advisory {
            id: text("id").ok_or("has no id")?,
            date: text("date").unwrap_or_default(),
            informational: text("informational").unwrap_or_default(),
            is_withdrawn: about("withdrawn").is_some(),
            patched: versions("patched"),
            unaffected: versions("unaffected"),
        })
    }

    /// Whether it is more than news of a crate.
    fn is_fault(&self) -> bool {
        matches!(&*self.informational, "" | "unsound")
    }

    /// Whether it holds for this version.
    fn concerns(&self, version: &str) -> Result<bool, String> {
        let version: Version =
            version.parse().map_err(|error| format!("{version:?} is no version: {error}"))?;
        let mut is_fine = self.is_withdrawn;
        for range in self.patched.iter().chain(&self.unaffected) {
            let range: VersionReq =
                range.parse().map_err(|error| format!("{range:?} is no range of versions: {error}"))?;
            is_fine |= range.comparators.iter().all(|bound| fits(&version, bound));
        }
        Ok(!is_fine)
    }

    /// What it says of a crate that it concerns.
    fn of(&self, Dependency { name, version, .. }: &Dependency) -> String {
        let mended =
            if self.patched.is_empty() { "no version".to_owned() } else { self.patched.join(" or ") };
        format!("{name} {version} has {}; mended in {mended}", self.id)
    }
}

/// Whether a version keeps a bound, by order alone: cargo leaves versions before a release out where an advisory means them too.
fn fits(version: &Version, bound: &Comparator) -> bool {
    let Comparator { op, major, minor, patch, pre } = bound;
    let least = Version {
        pre: pre.clone(),
        ..Version::new(*major, minor.unwrap_or_default(), patch.unwrap_or_default())
    };
    // The first one behind all that go by what the bound names.
    let behind = match (minor, patch) {
        (None, _) => Version::new(major + 1, 0, 0),
        (Some(minor), None) => Version::new(*major, minor + 1, 0),
        (Some(_), Some(_)) => Version { patch: least.patch + 1, pre: Prerelease::EMPTY, ..least.clone() },
    };
    let limit = match (op, least.major, minor, patch) {
        (Op::Tilde, _, Some(minor), _) => Version::new(*major, minor + 1, 0),
        (Op::Caret, 0, Some(0), Some(patch)) => Version::new(0, 0, patch + 1),
        (Op::Caret, 0, Some(minor), _) => Version::new(0, minor + 1, 0),
        (Op::Caret | Op::Tilde, ..) => Version::new(major + 1, 0, 0),
        _ => behind,
    };
    let order = version.cmp_precedence(&least);
    let is_whole = patch.is_some();
    match op {
        Op::Greater if is_whole => order.is_gt(),
        Op::Greater => *version >= limit,
        Op::GreaterEq => order.is_ge(),
        Op::Less => order.is_lt(),
        Op::LessEq if is_whole => order.is_le(),
        Op::LessEq => *version < limit,
        Op::Exact if is_whole => order.is_eq(),
        _ => order.is_ge() && *version < limit,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ADVISORY: &str = "```toml\n[advisory]\nid = \"RUSTSEC-2020-0071\"\npackage = \"time\"\ndate = \"2020-11-18\"\n\n[versions]\n\
        patched = [\">= 0.2.23\"]\nunaffected = [\n    \"=0.2.0\",\n    \"< 0.1\",\n]\n\n[affected]\nos = [\"linux\"]\n```\n\n# Text\n";

    #[test]
    fn a_version_is_in_the_ranges_that_it_is_in() {
        let cases = [
            ("1.2.3", ">= 1.2.3", true),
            ("1.2.3", "> 1.2.3", false),
            ("1.2.3-beta.1", ">= 1.2.3", false),
            ("1.2.3-beta.10", ">= 1.2.3-beta.9", true),
            ("2.0.0-alpha", ">= 1.2.3", true),
            ("1.2.9", "> 1.2", false),
            ("1.3.0", "> 1.2", true),
            ("1.2.9", "<= 1.2", true),
            ("1.2.9", "=1.2", true),
            ("1.9.0", "~1", true),
            ("0.0.9", "^0.0", true),
            ("1.9.0", "1.*", true),
            ("1.2.3+meta", "=1.2.3", true),
            ("1.9.0", "^1.2", true),
            ("2.0.0", "^1.2", false),
            ("0.3.0", "0.2.5", false),
            ("0.2.9", "0.2.5", true),
            ("0.0.4", "^0.0.3", false),
            ("1.2.9", "~1.2.3", true),
            ("1.3.0", "~1.2.3", false),
            ("1.5.0", ">= 1.2, < 1.5", false),
            ("1.4.9", ">= 1.2, < 1.5", true),
        ];
        for (version, range, is_in) in cases {
            let head = format!("```toml\n[advisory]\nid = \"A\"\n[versions]\npatched = [\"{range}\"]\n```");
            let advisory = Advisory::parse(&head).unwrap();
            assert_eq!(advisory.concerns(version), Ok(!is_in), "{version} {range}");
        }
        let advisory = Advisory::parse(ADVISORY).unwrap();
        assert!(advisory.concerns("1.2.3.4").unwrap_err().starts_with("\"1.2.3.4\" is no version: "));
        let wrong = Advisory { patched: vec!["x 1".to_owned()], ..advisory };
        assert!(wrong.concerns("1.0.0").unwrap_err().starts_with("\"x 1\" is no range of versions: "));
    }

    #[test]
    fn an_advisory_concerns_what_is_neither_mended_nor_free_of_it() {
        let advisory = Advisory::parse(ADVISORY).unwrap();
        assert!(advisory.is_fault());
        for (version, concerned) in [("0.2.22", true), ("0.2.23", false), ("0.2.0", false), ("0.0.9", false)]
        {
            assert_eq!(advisory.concerns(version), Ok(concerned), "{version}");
        }
        let news = ADVISORY.replace("[versions]", "informational = \"unmaintained\"\n[versions]");
        assert!(!Advisory::parse(&news).unwrap().is_fault());
        let withdrawn = ADVISORY.replace("[versions]", "withdrawn = \"2021-01-01\"\n[versions]");
        assert_eq!(Advisory::parse(&withdrawn).unwrap().concerns("0.2.22"), Ok(false));
    }

    #[test]
    fn a_database_names_the_crates_with_faults() {
        let database = std::env::temp_dir().join(format!("metercast-advisories-{}", std::process::id()));
        std::fs::create_dir_all(database.join("crates/time")).unwrap();
        std::fs::write(database.join("crates/time/RUSTSEC-2020-0071.md"), ADVISORY).unwrap();
        let crate_ = |version: &str| {
            let (name, none) = ("time".to_owned(), String::new);
            Dependency {
                name,
                version: version.to_owned(),
                licence: none(),
                source: none(),
                compiler: none(),
            }
        };
        let found = check(&database, &[crate_("0.2.1"), crate_("0.2.23")]);
        let missing = check(&database.join("crates"), &[]);
        std::fs::write(database.join("crates/time/RUSTSEC-2020-0071.md"), "nothing").unwrap();
        let damaged = check(&database, &[]);
        std::fs::remove_file(database.join("crates/time/RUSTSEC-2020-0071.md")).unwrap();
        let empty = check(&database, &[]);
        std::fs::remove_dir_all(&database).unwrap();
        assert_eq!(found.unwrap(), ["time 0.2.1 has RUSTSEC-2020-0071; mended in >= 0.2.23"]);
        assert!(missing.unwrap_err().contains("is it a checkout of rustsec/advisory-db?"));
        assert!(empty.unwrap_err().ends_with("has no advisory"));
        assert!(damaged.unwrap_err().contains("RUSTSEC-2020-0071.md: has no block of TOML"));
    }
}
