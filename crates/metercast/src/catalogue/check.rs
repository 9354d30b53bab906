//! A file with the reference, held against the program.

use std::fmt::{self, Write};
use std::path::Path;
use std::{error, fs, io};

use super::{Catalogue, CatalogueError};

/// What differs between a file and the program.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Difference {
    /// Metrics that the program has and the file has not, by name.
    pub added: Vec<String>,
    /// Metrics that the file has and the program has not.
    pub removed: Vec<String>,
    /// Metrics that both have: the name, and each column with what the file says and what the program says.
    pub changed: Vec<(String, Vec<Change>)>,
}

/// What differs of a metric.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Change {
    /// The head of the column, such as `Unit`.
    pub column: String,
    /// What the file says; may be empty.
    pub file: String,
    /// What the program says; may be empty.
    pub program: String,
}

impl Catalogue {
    /// Whether this is a file that [`document`](Catalogue::document) would leave as it is.
    ///
    /// # Errors
    ///
    /// What differs. If no metric does, then something else between the two lines of comment, such as a table's head.
    pub fn check(&self, document: &str) -> Result<(), Difference> {
        match self.document(document) {
            Ok(new) if new == document => Ok(()),
            new => Err(Difference::between(document, &new.unwrap_or_else(|_| self.markdown()))),
        }
    }
}

impl Difference {
    fn between(file: &str, program: &str) -> Difference {
        let (old, new) = (rows(file), rows(program));
        let mut difference = Difference::default();
        for row in &new {
            match old.iter().find(|known| known.is_same(row)) {
                None => difference.added.push(row.title()),
                Some(known) => {
                    let changes = known.changes(row);
                    if !changes.is_empty() {
                        difference.changed.push((row.title(), changes));
                    }
                }
            }
        }
        let removed = old.iter().filter(|row| !new.iter().any(|known| known.is_same(row)));
        difference.removed = removed.map(Row::title).collect();
        difference
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for metric in &self.added {
            writeln!(f, "  added    {metric}")?;
        }
        for metric in &self.removed {
            writeln!(f, "  removed  {metric}")?;
        }
        for (metric, changes) in &self.changed {
            writeln!(f, "  changed  {metric}")?;
            for Change { column, file, program } in changes {
                let said = |text: &str| {
                    if text.is_empty() { "nothing".to_owned() } else { text.replace("<br>", "; ") }
                };
                writeln!(f, "           {}: {} -> {}", column.to_lowercase(), said(file), said(program))?;
            }
        }
        if *self == Difference::default() {
            writeln!(f, "  no metric differs, but how the tables are written does")?;
        }
        Ok(())
    }
}

impl error::Error for Difference {}

/// A metric in a table.
struct Row<'a> {
    section: &'a str,
    /// Which of several of one name it is.
    ordinal: usize,
    heads: Vec<String>,
    cells: Vec<String>,
}

impl Row<'_> {
    fn is_same(&self, other: &Row<'_>) -> bool {
        self.cells[0] == other.cells[0] && self.ordinal == other.ordinal
    }

    fn cell(&self, head: &str) -> &str {
        let at = self.heads.iter().position(|known| known == head);
        at.and_then(|at| self.cells.get(at)).map_or("", String::as_str)
    }

    /// The name, with the kind, as people call it.
    fn title(&self) -> String {
        let name = self.cells[0].trim_matches('`');
        match self.cell("Type") {
            "" => name.to_owned(),
            kind => format!("{name} ({kind})"),
        }
    }

    fn changes(&self, program: &Row<'_>) -> Vec<Change> {
        let mut changes = Vec::new();
        if self.section != program.section {
            changes.push(Change {
                column: "Package".to_owned(),
                file: self.section.to_owned(),
                program: program.section.to_owned(),
            });
        }
        let gone = self.heads.iter().filter(|head| !program.heads.contains(head));
        for head in program.heads.iter().chain(gone) {
            let (file, now) = (self.cell(head), program.cell(head));
            if file != now {
                changes.push(Change { column: head.clone(), file: file.to_owned(), program: now.to_owned() });
            }
        }
        changes
    }
}

/// The rows of all tables whose first head is that of metrics.
fn rows(markdown: &str) -> Vec<Row<'_>> {
    let mut rows: Vec<Row<'_>> = Vec::new();
    let (mut section, mut heads) = ("", None::<Vec<String>>);
    for line in markdown.lines() {
        if let Some(title) = line.strip_prefix("## ") {
            section = title.trim();
        }
        let Some(cells) = cells(line) else {
            heads = None;
            continue;
        };
        match &heads {
            None if cells[0] == "Metric" => heads = Some(cells),
            Some(heads) if !is_rule(&cells[0]) => {
                let ordinal = rows.iter().filter(|row| row.cells[0] == cells[0]).count();
                rows.push(Row { section, ordinal, heads: heads.clone(), cells });
            }
            _ => {}
        }
    }
    rows
}

/// Whether this is a cell of the row below the heads: GitHub Flavored Markdown, "Tables". Who formats the file may align columns.
fn is_rule(cell: &str) -> bool {
    cell.contains('-') && cell.trim_matches(':').bytes().all(|byte| byte == b'-')
}

/// The cells of a row of a table; a bar behind a backslash is no end.
fn cells(line: &str) -> Option<Vec<String>> {
    let inner = line.trim().strip_prefix('|')?.strip_suffix('|')?;
    let (mut cells, mut escaped) = (vec![String::new()], false);
    for rune in inner.chars() {
        if rune == '|' && !escaped {
            cells.push(String::new());
        } else if let Some(cell) = cells.last_mut() {
            cell.push(rune);
        }
        escaped = rune == '\\' && !escaped;
    }
    Some(cells.into_iter().map(|cell| cell.trim().to_owned()).collect())
}

/// Asserts that a file has the reference of the program's metrics, as [`Catalogue::document`](crate::catalogue::Catalogue::document) writes it: that nobody added,
/// removed or changed a metric without saying so. With `UPDATE=1` in the environment the file is written instead.
///
/// The file is named from the folder of the package whose test it is. Metrics that the integration test itself has are left out.
///
/// ```no_run
/// # fn a_library() {
/// metercast::assert_catalogue!("docs/metrics.md");
/// # }
/// ```
///
/// A second argument is a [`Catalogue`](crate::catalogue::Catalogue) to hold the file against: of a program, or with only some of its
/// metrics. It may be a `Result`.
///
/// ```no_run
/// use metercast::catalogue::Catalogue;
/// use metercast::{PageOptions, Strategy};
///
/// # fn a_program() -> Result<(), metercast::catalogue::CatalogueError> {
/// # const PROGRAM: &str = "";
/// // In an integration test: env!("CARGO_BIN_EXE_shop").
/// let catalogue = Catalogue::of_file(PROGRAM)?.of_packages(["shop"]);
/// let options = PageOptions::new().strategy(Strategy::UnderscoreEscapingWithoutSuffixes);
/// metercast::assert_catalogue!("docs/metrics.md", catalogue.page_options(options));
/// # Ok(())
/// # }
/// ```
///
/// # Panics
///
/// If the file says anything else, with what was added, removed and changed; if it cannot be read; if there is no catalogue.
#[macro_export]
macro_rules! assert_catalogue {
    ($path:expr $(,)?) => {
        $crate::catalogue::assert(
            ::core::env!("CARGO_MANIFEST_DIR"),
            $path,
            $crate::catalogue::Given::of_test($crate::catalogue(), ::core::module_path!()),
        )
    };
    ($path:expr, $catalogue:expr $(,)?) => {
        $crate::catalogue::assert(
            ::core::env!("CARGO_MANIFEST_DIR"),
            $path,
            $crate::catalogue::Given::from($catalogue),
        )
    };
}

/// What a file is held against.
#[derive(Debug)]
pub struct Given(Result<Catalogue, CatalogueError>);

impl Given {
    /// Without what an integration test itself has, and without its places, if the module is one of such.
    pub fn of_test(catalogue: Result<Catalogue, CatalogueError>, module: &str) -> Given {
        let test = module.split("::").next().unwrap_or_default();
        let is_of_test = |place: &super::Place| {
            place.file.starts_with("tests/") && place.module.split("::").next() == Some(test)
        };
        Given(catalogue.map(|mut catalogue| {
            catalogue.metrics.retain(|metric| !metric.places.iter().all(is_of_test));
            catalogue.metrics.iter_mut().for_each(|metric| metric.places.retain(|place| !is_of_test(place)));
            catalogue
        }))
    }
}

impl From<Catalogue> for Given {
    fn from(catalogue: Catalogue) -> Given {
        Given(Ok(catalogue))
    }
}

impl From<Result<Catalogue, CatalogueError>> for Given {
    fn from(catalogue: Result<Catalogue, CatalogueError>) -> Given {
        Given(catalogue)
    }
}

/// What [`assert_catalogue!`](crate::assert_catalogue) does.
#[track_caller]
pub fn assert(folder: &str, path: impl AsRef<Path>, Given(catalogue): Given) {
    let path = Path::new(folder).join(path);
    let catalogue = match catalogue {
        Ok(catalogue) => catalogue,
        Err(error) => panic!("{error}"),
    };
    if let Err(trouble) = held(&catalogue, &path, std::env::var("UPDATE").is_ok_and(|update| update == "1")) {
        panic!("{trouble}");
    }
}

/// Writes the file if it is to be, or says what differs.
fn held(catalogue: &Catalogue, path: &Path, update: bool) -> Result<(), String> {
    let shown = path.display();
    let existing = match fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound && update => String::new(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Err(format!("cannot read {shown}: {error}; UPDATE=1 writes it"));
        }
        // What is there and cannot be read is not written over.
        Err(error) => return Err(format!("cannot read {shown}: {error}")),
    };
    let new = catalogue.document(&existing).map_err(|error| format!("{shown}: {error}"))?;
    if update {
        let folder = path.parent().map_or(Ok(()), fs::create_dir_all);
        return folder
            .and_then(|()| fs::write(path, new))
            .map_err(|error| format!("cannot write {shown}: {error}"));
    }
    catalogue.check(&existing).map_err(|difference| {
        let mut trouble = format!("{shown} is not what the program says:\n{difference}");
        for conflict in &catalogue.conflicts {
            let _ = writeln!(trouble, "  {conflict}");
        }
        trouble
            + "If that is meant, UPDATE=1 writes the file; dashboards and alerts may rely on what it said."
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_behind_a_backslash_ends_no_cell() {
        assert_eq!(cells(r"| a \| b | `c` |"), Some(vec![r"a \| b".to_owned(), "`c`".to_owned()]));
        assert_eq!(
            cells(r"| a \\| b |").map(|cells| cells.len()),
            Some(2),
            "the backslash stands for itself"
        );
        assert_eq!(cells("|  | b |"), Some(vec![String::new(), "b".to_owned()]));
        assert_eq!(cells("no table"), None);
    }

    #[test]
    fn a_metric_in_another_package_has_moved() {
        let table =
            |package: &str| format!("## {package}\n\n| Metric | Type |\n| --- | --- |\n| `a` | gauge |\n");
        let difference = Difference::between(&table("one"), &table("two"));
        assert_eq!((difference.added.len(), difference.removed.len()), (0, 0));
        assert_eq!(difference.to_string(), "  changed  a (gauge)\n           package: one -> two\n");
    }

    #[test]
    fn metrics_of_one_name_are_told_apart_by_their_order() {
        let head = "| Metric | Type |\n| --- | --- |\n";
        let (one, two) =
            (format!("{head}| `a` | gauge |\n"), format!("{head}| `a` | gauge |\n| `a` | counter |\n"));
        let difference = Difference::between(&one, &two);
        assert_eq!((&*difference.added, difference.changed.len()), (&["a (counter)".to_owned()][..], 0));
    }

    #[test]
    fn a_table_that_somebody_aligned_has_the_same_metrics() {
        let table = |rule: &str| format!("| Metric | Type |\n| {rule} | {rule} |\n| `a` | gauge |\n");
        for rule in ["---", ":---", ":--:", "-", "-------:"] {
            assert_eq!(Difference::between(&table(rule), &table("---")), Difference::default(), "{rule}");
        }
    }

    #[test]
    fn a_file_that_cannot_be_read_is_not_said_to_be_written_by_an_update() {
        let folder = std::env::temp_dir().join(format!("metercast-check-{}", std::process::id()));
        fs::create_dir(&folder).unwrap();
        let catalogue =
            Catalogue { metrics: Vec::new(), conflicts: Vec::new(), options: crate::PageOptions::new() };
        let path = folder.join("metrics.md");
        assert!(held(&catalogue, &path, false).unwrap_err().ends_with("UPDATE=1 writes it"));
        fs::write(&path, b"# \xff\n").unwrap();
        for update in [false, true] {
            let error = held(&catalogue, &path, update).unwrap_err();
            assert!(!error.contains("UPDATE"), "{error}");
        }
        assert_eq!(fs::read(&path).unwrap(), b"# \xff\n");
        fs::remove_file(&path).unwrap();
        assert_eq!(held(&catalogue, &path, true), Ok(()));
        assert_eq!(held(&catalogue, &path, false), Ok(()));
        fs::remove_dir_all(&folder).unwrap();
    }

    #[test]
    fn tables_of_others_are_no_metrics() {
        assert!(rows("| Name | Type |\n| --- | --- |\n| a | b |\n").is_empty());
    }
}
