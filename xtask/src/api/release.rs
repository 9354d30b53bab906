//! Which versions were released, and what the next one may change.

use semver::{Comparator, Op, Version};

/// Those that have a heading in the changelog, such as `## 0.1.0` or `## 0.1.0, 2026-12-01`.
pub(super) fn versions(changelog: &str) -> Vec<Version> {
    let headings = changelog.lines().filter_map(|line| line.strip_prefix("## "));
    headings.filter_map(|heading| heading.split([' ', ',']).next()?.parse().ok()).collect()
}

/// Nothing that a released version had may be gone from one that whoever asked for the former gets: from 1.0.0 all of the same major
/// version, before it all of the same minor one.
pub(super) fn allows_breaking(version: &str, released: &[Version]) -> Result<(), String> {
    let next: Version = version.parse().map_err(|error| format!("{version:?} is no version: {error}"))?;
    match released.iter().find(|released| goes_with(&next, released)) {
        None => Ok(()),
        Some(released) => {
            let raised = if released.major == 0 {
                format!("0.{}.0", released.minor + 1)
            } else {
                format!("{}.0.0", released.major + 1)
            };
            Err(format!(
                "{version} goes to who asked for {released}, which was released: take the change back, or raise the version in \
                 Cargo.toml to {raised}"
            ))
        }
    }
}

/// Whether cargo takes `next` where `released` is asked for.
fn goes_with(next: &Version, released: &Version) -> bool {
    let Version { major, minor, patch, pre, .. } = released.clone();
    Comparator { op: Op::Caret, major, minor: Some(minor), patch: Some(patch), pre }.matches(next)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_a_heading_was_released() {
        let text = "# Changelog\n\n## Unreleased\n\n- **added** x\n\n## 0.2.0, 2027-01-02\n\n### 9.9.9\n\n## 0.1.1\n";
        assert_eq!(versions(text), [Version::new(0, 2, 0), Version::new(0, 1, 1)]);
    }

    #[test]
    fn what_was_never_released_may_change_as_it_likes() {
        assert_eq!(allows_breaking("0.1.0", &[]), Ok(()));
        assert_eq!(allows_breaking("0.2.0", &[Version::new(0, 1, 0)]), Ok(()));
        assert_eq!(allows_breaking("2.0.0", &[Version::new(1, 9, 0), Version::new(0, 2, 0)]), Ok(()));
    }

    #[test]
    fn who_gets_it_by_an_update_may_not_lose_anything() {
        for (next, released, raised) in [
            ("0.1.0", Version::new(0, 1, 0), "0.2.0"),
            ("0.1.7", Version::new(0, 1, 0), "0.2.0"),
            ("1.3.0", Version::new(1, 2, 5), "2.0.0"),
        ] {
            let trouble = allows_breaking(next, &[released]).unwrap_err();
            assert!(trouble.ends_with(&format!("raise the version in Cargo.toml to {raised}")), "{trouble}");
        }
    }
}
