//! What the pages show beside Rust is read by metercast; and no page is left out.

use std::path::{Path, PathBuf};

use metercast::Config;

use super::PAGES;

/// Made or read by other checks: what `peers.md` links to must be there, as of any page.
const CHECKED_ELSEWHERE: &[&str] = &["README.md", "declarative.md", "peers.md"];

fn blocks<'a>(page: &'a str, language: &str) -> impl Iterator<Item = &'a str> + use<'a> {
    let fence = format!("```{language}\n");
    let starts: Vec<usize> = page.match_indices(&fence).map(|(at, _)| at + fence.len()).collect();
    starts.into_iter().map(move |at| page[at..].split("```").next().unwrap_or_default())
}

/// What files refer to.
fn variables() -> Vec<(String, String)> {
    ["SCRAPE_TOKEN", "PUSH_TOKEN"].map(|name| (name.to_owned(), "t0ken".to_owned())).into()
}

#[test]
fn every_file_that_a_page_shows_is_accepted() {
    let mut read = 0;
    for (page, text) in PAGES {
        for file in blocks(text, "toml").filter(|file| file.contains("[telemetry")) {
            let built = Config::builder().variables(variables()).text(page, file).build();
            let config = built.unwrap_or_else(|error| panic!("{page}: {error}\n{file}"));
            assert_eq!(config.warnings(), [""; 0], "{page}\n{file}");
            read += 1;
        }
    }
    assert!(read >= 6, "{read}");
}

#[test]
fn every_variable_that_a_page_sets_shapes_what_runs() {
    let mut set = 0;
    for (page, text) in PAGES {
        for line in blocks(text, "sh").flat_map(str::lines) {
            let words = line.split(' ').map_while(|word| word.split_once('='));
            let words: Vec<_> = words.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
            if words.is_empty() {
                continue;
            }
            set += words.len();
            let config = |variables| Config::builder().variables(variables).build().unwrap();
            let (with, without) = (config(words), config(Vec::new()));
            assert_eq!(with.warnings(), [""; 0], "{page}: {line}");
            let exporters = |config: &Config| format!("{:?}", config.exporters().collect::<Vec<_>>());
            assert_ne!(exporters(&with), exporters(&without), "{page}: {line}");
        }
    }
    assert!(set >= 4, "{set}");
}

#[test]
fn every_page_is_run_and_listed() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    let list = std::fs::read_to_string(folder.join("README.md")).unwrap();
    for entry in std::fs::read_dir(folder).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        if !name.ends_with(".md") || name == "README.md" {
            continue;
        }
        assert!(list.contains(&format!("]({name})")), "README.md does not list {name}");
        let is_run = PAGES.iter().any(|(page, _)| *page == name);
        assert!(is_run || CHECKED_ELSEWHERE.contains(&&*name), "{name} is not run");
    }
}

/// What nobody runs would become wrong unseen.
#[test]
fn pages_have_no_code_that_nothing_reads() {
    for (page, text) in PAGES {
        let mut is_inside = false;
        for (number, line) in text.lines().enumerate() {
            if let Some(language) = line.strip_prefix("```") {
                is_inside = !is_inside;
                // Documents of the live page are compared with what it tells by metercast's own tests.
                let is_live = language == "json" && *page == "live.md";
                // Objectives are read by the tests of the program that makes rules of them.
                let is_slo = language == "yaml" && *page == "dashboards.md";
                let is_read = matches!(language, "rust" | "rust,no_run" | "toml" | "sh") || is_live || is_slo;
                assert!(!is_inside || is_read, "{page}:{}: a block of {language:?}", number + 1);
            }
        }
    }
}

/// So that who follows a measurement through the code finds each place.
#[test]
fn the_files_that_the_way_of_one_measurement_names_are_there() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let text = std::fs::read_to_string(root.join("ARCHITECTURE.md")).unwrap();
    let way = text.split("## The way of one measurement").nth(1).unwrap().split("\n## ").next().unwrap();
    let mut files = Vec::new();
    for side in ["metercast-core", "metercast"] {
        list(&root.join("crates").join(side).join("src"), &mut files);
    }
    let named: Vec<_> = way.split("**`").skip(1).filter_map(|rest| rest.split('`').next()).collect();
    assert!(named.len() > 40, "{named:?}");
    for name in named {
        let is_there = files.iter().any(|path| path.ends_with(name));
        assert!(is_there, "ARCHITECTURE.md: there is no {name} any more");
    }
}

fn list(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        files.push(path.clone());
        if path.is_dir() {
            list(&path, files);
        }
    }
}

/// Where rustdoc does not render it, such a line stands in the code that people copy.
#[test]
fn no_page_hides_a_line_of_its_code() {
    for (page, text) in PAGES {
        for line in blocks(text, "rust").flat_map(str::lines) {
            assert!(line != "#" && !line.starts_with("# "), "{page}: {line}");
        }
    }
}
