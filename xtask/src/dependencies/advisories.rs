//! Known faults of the crates that we build with, from a checkout of the RustSec advisory database:
//! <https://github.com/rustsec/advisory-db>.

use std::cmp::Ordering;
use std::path::Path;

use super::graph::Dependency;

/// The advisories that hold for a crate of the list, in the version that stands there.
pub(super) fn check(database: &Path, crates: &[Dependency]) -> Result<Vec<String>, String> {
    let all = database.join("crates");
    if !all.is_dir() {
        return Err(format!("{} is no folder; is it a checkout of rustsec/advisory-db?", all.display()));
    }
    let (mut found, mut read) = (Vec::new(), 0);
    for crate_ in crates {
        // Most crates have none.
        let Ok(entries) = std::fs::read_dir(all.join(&crate_.name)) else { continue };
        for path in entries.flatten().map(|entry| entry.path()) {
            let text = std::fs::read_to_string(&path)
                .map_err(|error| format!("{}: cannot be read: {error}", path.display()))?;
            let advisory =
                Advisory::parse(&text).map_err(|trouble| format!("{}: {trouble}", path.display()))?;
            read += 1;
            match advisory.concerns(&crate_.version) {
                Ok(true) if advisory.is_fault() => found.push(format!(
                    "{} {} has {}; mended in {}",
                    crate_.name,
                    crate_.version,
                    advisory.id,
                    if advisory.patched.is_empty() {
                        "no version".to_owned()
                    } else {
                        advisory.patched.join(" or ")
                    }
                )),
                Ok(true) => println!(
                    "{} {}: {}, {}",
                    crate_.name, crate_.version, advisory.id, advisory.informational
                ),
                Ok(false) => {}
                Err(trouble) => return Err(format!("{}: {trouble}", path.display())),
            }
        }
    }
    println!("advisories: {read} read");
    found.sort();
    Ok(found)
}

/// What the head of an advisory says.
#[derive(Debug, Default)]
struct Advisory {
    id: String,
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
        let mut advisory = Advisory::default();
        let mut section = "";
        let mut lines = head.lines().map(str::trim);
        while let Some(line) = lines.next() {
            if let Some(name) = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
                section = name;
                continue;
            }
            let Some((key, value)) = line.split_once('=') else { continue };
            let mut value = value.trim().to_owned();
            // A list may have a line for each of its values.
            while value.starts_with('[') && !value.ends_with(']') {
                value += lines.next().ok_or("ends within a list")?;
            }
            let texts = || value.split('"').skip(1).step_by(2).map(str::to_owned);
            match (section, key.trim()) {
                ("advisory", "id") => advisory.id = texts().next().unwrap_or_default(),
                ("advisory", "informational") => advisory.informational = texts().next().unwrap_or_default(),
                ("advisory", "withdrawn") => advisory.is_withdrawn = true,
                ("versions", "patched") => advisory.patched = texts().collect(),
                ("versions", "unaffected") => advisory.unaffected = texts().collect(),
                _ => {}
            }
        }
        if advisory.id.is_empty() { Err("has no id".to_owned()) } else { Ok(advisory) }
    }

    /// Whether it is more than news of a crate.
    fn is_fault(&self) -> bool {
        matches!(&*self.informational, "" | "unsound")
    }

    /// Whether it holds for this version.
    fn concerns(&self, version: &str) -> Result<bool, String> {
        let version = Version::parse(version).ok_or_else(|| format!("{version:?} is no version"))?;
        let mut is_fine = self.is_withdrawn;
        for range in self.patched.iter().chain(&self.unaffected) {
            is_fine |= version.is_in(range).ok_or_else(|| format!("{range:?} is no range of versions"))?;
        }
        Ok(!is_fine)
    }
}

/// A version by Semantic Versioning 2.0; what stands behind a `+` does not count.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Version {
    numbers: [u64; 3],
    stage: Stage,
}

#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Stage {
    /// Before the release; compared as text, which is right but for ten betas and more.
    Before(String),
    Released,
}

impl Version {
    /// Numbers that are left out are 0.
    fn parse(text: &str) -> Option<Version> {
        let text = text.trim().split('+').next()?;
        let (numbers, stage) = match text.split_once('-') {
            Some((numbers, stage)) => (numbers, Stage::Before(stage.to_owned())),
            None => (text, Stage::Released),
        };
        let mut version = Version { numbers: [0; 3], stage };
        let mut places = version.numbers.iter_mut();
        for number in numbers.split('.') {
            *places.next()? = number.parse().ok()?;
        }
        Some(version)
    }

    /// Whether it is in a range such as `>= 1.2, < 2`; nothing if that is none.
    fn is_in(&self, range: &str) -> Option<bool> {
        range.split(',').map(|bound| self.fits(bound.trim())).try_fold(true, |all, fits| Some(all & fits?))
    }

    fn fits(&self, bound: &str) -> Option<bool> {
        let at = bound.find(|c: char| c.is_ascii_digit())?;
        let (sign, text) = bound.split_at(at);
        let other = Version::parse(text)?;
        let order = self.cmp(&other);
        let below = |numbers: [u64; 3]| *self < Version { numbers, stage: Stage::Released };
        let [major, minor, patch] = other.numbers;
        Some(match sign.trim() {
            ">=" => order != Ordering::Less,
            ">" => order == Ordering::Greater,
            "<=" => order != Ordering::Greater,
            "<" => order == Ordering::Less,
            "=" => order == Ordering::Equal,
            "~" => order != Ordering::Less && below([major, minor + 1, 0]),
            "" | "^" => {
                let next = match (major, minor) {
                    (0, 0) => [0, 0, patch + 1],
                    (0, _) => [0, minor + 1, 0],
                    _ => [major + 1, 0, 0],
                };
                order != Ordering::Less && below(next)
            }
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ADVISORY: &str = "```toml\n[advisory]\nid = \"RUSTSEC-2020-0071\"\npackage = \"time\"\n\n[versions]\n\
        patched = [\">= 0.2.23\"]\nunaffected = [\n    \"=0.2.0\",\n    \"< 0.1\",\n]\n\n[affected]\nos = [\"linux\"]\n```\n\n# Text\n";

    #[test]
    fn a_version_is_in_the_ranges_that_it_is_in() {
        let cases = [
            ("1.2.3", ">= 1.2.3", true),
            ("1.2.3", "> 1.2.3", false),
            ("1.2.3-beta.1", ">= 1.2.3", false),
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
            assert_eq!(Version::parse(version).unwrap().is_in(range), Some(is_in), "{version} {range}");
        }
        assert_eq!(Version::parse("1.0.0").unwrap().is_in("x 1"), None);
        assert!(Version::parse("1.2.3.4").is_none() && Version::parse("one").is_none());
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
        std::fs::remove_dir_all(&database).unwrap();
        assert_eq!(found.unwrap(), ["time 0.2.1 has RUSTSEC-2020-0071; mended in >= 0.2.23"]);
        assert!(missing.unwrap_err().contains("is no folder"));
    }
}
