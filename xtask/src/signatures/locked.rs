//! The versions of foreign crates, as `Cargo.lock` has them.

use std::path::Path;

use crate::rustdoc::module_name;

/// Name and version of every package of the lock file.
#[derive(Debug)]
pub(super) struct Locked {
    packages: Vec<(String, String)>,
}

impl Locked {
    pub(super) fn read(root: &Path) -> Result<Locked, String> {
        let path = root.join("Cargo.lock");
        match std::fs::read_to_string(&path) {
            Ok(text) => Ok(Locked::parse(&text)),
            Err(error) => Err(format!("{}: cannot be read: {error}", path.display())),
        }
    }

    /// Cargo writes each package's name and version on two lines, one below the other.
    pub(super) fn parse(text: &str) -> Locked {
        let value = |line: &str, key: &str| {
            let value = line.strip_prefix(key)?.strip_prefix(" = \"")?.strip_suffix('"')?;
            Some(value.to_owned())
        };
        let lines = text.lines().zip(text.lines().skip(1));
        let packages =
            lines.filter_map(|(name, version)| Some((value(name, "name")?, value(version, "version")?)));
        Locked { packages: packages.collect() }
    }

    /// The versions of a crate, whose name is given as it stands in paths.
    pub(super) fn versions_of<'a>(&'a self, module: &'a str) -> impl Iterator<Item = &'a str> {
        let named = self.packages.iter().filter(move |(name, _)| module_name(name) == module);
        named.map(|(_, version)| version.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_versions_of_a_crate_are_found() {
        let text = "version = 4\n\n[[package]]\nname = \"a-b\"\nversion = \"0.3.1\"\ndependencies = [\n \"c\",\n]\n\n\
                    [[package]]\nname = \"a-b\"\nversion = \"1.2.0\"\n\n[[package]]\nname = \"c\"\nversion = \"2.0.0\"\n";
        let locked = Locked::parse(text);
        assert_eq!(locked.versions_of("a_b").collect::<Vec<_>>(), ["0.3.1", "1.2.0"]);
        assert_eq!(locked.versions_of("missing").count(), 0);
    }
}
