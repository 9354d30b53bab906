//! A file and those that it includes, each with its references filled in, lowest first.

use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};

use super::{ROOT, Source};
use crate::config::env::prefixed::Prefixed;
use crate::config::error::Findings;
use crate::config::files::Files;
use crate::config::mapping::{Mapping, Translated};
use crate::config::place::Place;
use crate::config::read;
use crate::config::substitute::{self, References};
use crate::config::syntax;
use crate::config::tree::{Node, Value};
use crate::view::Glob;

/// How deep files may include each other.
const DEEPEST: usize = 8;
/// How many files may be included, all together.
const MOST_FILES: usize = 256;
/// How many bytes they may have together.
const MOST_BYTES: usize = 16 << 20;

/// What a file says, as it stands there.
pub(super) struct Tree {
    pub(super) file: Place,
    pub(super) entries: Vec<(String, Node)>,
    /// The exporters whose endpoint is used as it is.
    pub(super) exact: Vec<String>,
}

/// How a file of another application is read, and the variables that say more than it.
pub(in crate::config) type Mapped<'a> = (&'a Mapping, &'a [Prefixed]);

/// Everything that a configuration is read from.
pub(super) struct Loader<'a> {
    mapping: Option<Mapped<'a>>,
    pub(super) variable: &'a dyn Fn(&str) -> Option<String>,
    pub(super) findings: &'a mut Findings,
    /// Lowest first.
    pub(super) trees: Vec<Tree>,
    files: &'a mut Files,
    /// The files that include each other down to here: how they are called, and what they are.
    chain: Vec<(String, PathBuf)>,
    /// The files that were taken, whoever includes them.
    taken: BTreeSet<PathBuf>,
    included: usize,
    bytes: usize,
}

impl<'a> Loader<'a> {
    pub(super) fn new(
        mapping: Option<Mapped<'a>>,
        variable: &'a dyn Fn(&str) -> Option<String>,
        files: &'a mut Files,
        findings: &'a mut Findings,
    ) -> Loader<'a> {
        let (trees, chain, taken) = (Vec::new(), Vec::new(), BTreeSet::new());
        Loader { mapping, variable, findings, trees, files, chain, taken, included: 0, bytes: 0 }
    }

    pub(super) fn load(&mut self, source: &Source) {
        match source {
            Source::Text { name, text } => self.take(name, Path::new(name), text),
            Source::Path { path, may_be_missing } => {
                let name = path.display().to_string();
                match self.files.read(path, syntax::longest(&name)) {
                    Ok(text) => self.take(&name, path, &text),
                    Err(error) if *may_be_missing && error.kind() == io::ErrorKind::NotFound => {}
                    Err(error) if name.is_empty() => {
                        let message = "is no path of a file; write one, or name no file".to_owned();
                        self.findings.unreadable(&Place::file("\"\""), message, error);
                    }
                    Err(error) => {
                        let message = format!("cannot be read: {error}{}", read::mend(&error));
                        self.findings.unreadable(&Place::file(&name), message, error);
                    }
                }
            }
        }
    }

    /// Takes the text of a file, behind that of those that it includes.
    fn take(&mut self, name: &str, path: &Path, text: &str) {
        let file = Place::file(name);
        let mut entries = syntax::parse(name, text, &file, self.findings);
        let folder = path.parent().map_or_else(PathBuf::new, Path::to_path_buf);
        let mut references = References {
            variable: self.variable,
            folder: folder.clone(),
            files: self.files,
            left: substitute::MOST,
        };
        if let Some((mapping, variables)) = self.mapping {
            let Translated { entries, exact } =
                mapping.translate(&file, entries, variables, &mut references, self.findings);
            return self.trees.push(Tree { file, entries, exact });
        }
        if let Some((_, node)) = entries.iter_mut().find(|(key, _)| key == ROOT) {
            let at = file.child(ROOT).of(node);
            if let Value::Table(table) = &mut node.value {
                references.fill(&at, table, self.findings);
                if let Some(at_include) = table.iter().position(|(key, _)| key == INCLUDE) {
                    let (_, include) = table.remove(at_include);
                    self.chain.push((name.to_owned(), canonical(path)));
                    self.include(&at.child(INCLUDE).of(&include), &include, &folder);
                    self.chain.pop();
                }
            }
        }
        self.trees.push(Tree { file, entries, exact: Vec::new() });
    }

    fn include(&mut self, at: &Place, include: &Node, folder: &Path) {
        const EXAMPLE: &str = "\"conf.d/*.toml\"";
        let Value::List(items) = &include.value else {
            self.findings.mistyped::<()>(at, &format!("a list such as [{EXAMPLE}]"), &include.value);
            return;
        };
        for item in items {
            let at = at.clone().of(item);
            let Some(pattern) = self.findings.string(&at, item, EXAMPLE) else { continue };
            for path in self.matching(&at, pattern, folder) {
                self.include_one(&at, &path);
            }
        }
    }

    fn include_one(&mut self, at: &Place, path: &Path) {
        let name = path.display().to_string();
        let shown = |chain: &[(String, PathBuf)]| {
            chain
                .iter()
                .map(|(name, _)| name.as_str())
                .chain([name.as_str()])
                .collect::<Vec<_>>()
                .join(" -> ")
        };
        let itself = canonical(path);
        if self.chain.iter().any(|(_, including)| *including == itself) {
            let message = format!("goes round in a circle: {}; leave one of these out", shown(&self.chain));
            self.findings.problem(at, message);
        } else if self.chain.len() > DEEPEST {
            let message = format!("is more than {DEEPEST} files deep: {}", shown(&self.chain));
            self.findings.problem(at, message);
        } else if !self.taken.insert(itself) {
            // It lies below all that include it.
        } else if self.included >= MOST_FILES {
            // Once is enough.
            if self.included == MOST_FILES {
                self.findings.problem(at, format!("comes to more than {MOST_FILES} files; include fewer"));
            }
            self.included += 1;
        } else {
            self.included += 1;
            match self.files.read(path, syntax::longest(&name)) {
                Ok(text) => {
                    self.bytes += text.len();
                    if self.bytes <= MOST_BYTES {
                        self.take(&name, path, &text);
                    } else {
                        let most = MOST_BYTES >> 20;
                        self.findings.problem(at, format!("comes to more than {most} MiB; include less"));
                        // Once is enough.
                        self.included = MOST_FILES + 1;
                    }
                }
                Err(error) => {
                    let message = format!("{name:?} cannot be read: {error}; mend that, or leave it out");
                    self.findings.unreadable(at, message, error);
                }
            }
        }
    }

    /// The paths that a pattern stands for: in the order of their names, or the one that it names.
    fn matching(&mut self, at: &Place, pattern: &str, folder: &Path) -> Vec<PathBuf> {
        let path = folder.join(pattern);
        let last = Glob::new(&path.file_name().unwrap_or_default().to_string_lossy());
        let parent = path.parent().unwrap_or(Path::new(""));
        let own_folder = Path::new(pattern).parent().unwrap_or(Path::new(""));
        if own_folder.to_string_lossy().contains(['*', '?']) {
            let message =
                format!("{pattern:?} has a pattern for a folder; only the file's own name may have * and ?");
            self.findings.problem(at, message);
            return Vec::new();
        }
        if last.is_exact() {
            return vec![path];
        }
        self.files.known.push(parent.to_path_buf());
        let here = if parent.as_os_str().is_empty() { Path::new(".") } else { parent };
        let mut paths: Vec<PathBuf> = match std::fs::read_dir(here) {
            Ok(entries) => entries
                .flatten()
                .filter(|entry| last.matches(&entry.file_name().to_string_lossy()))
                // Editors and package managers leave hidden files that are not meant.
                .filter(|entry| !entry.file_name().to_string_lossy().starts_with('.'))
                .map(|entry| parent.join(entry.file_name()))
                .filter(|path| !path.is_dir())
                .collect(),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
            Err(error) => {
                let message = format!("{:?} cannot be read: {error}", parent.display().to_string());
                self.findings.unreadable(at, message, error);
                return Vec::new();
            }
        };
        if paths.is_empty() {
            self.findings.warn(at, format_args!("{pattern:?} matches no file"));
        }
        paths.sort();
        paths
    }
}

/// The key of the files that a file includes.
const INCLUDE: &str = "include";

/// The same for every way to name a file.
fn canonical(path: &Path) -> PathBuf {
    path.canonicalize().unwrap_or_else(|_| path.to_path_buf())
}
