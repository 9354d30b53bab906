//! What cannot be documented is named, with what to do.

use crate::arguments;
use crate::support::{SHOP, trouble};

#[test]
fn a_file_that_is_no_program_is_called_what_it_is() {
    let script = SHOP.file("script.sh", "#!/bin/sh\nexec shop\n");
    let expected = format!(
        "error: {} is a script, not a program; name the file that was built, such as target/debug/app\n",
        script.display()
    );
    assert_eq!(trouble(arguments!["--binary", script]), (1, expected));
}

#[test]
fn a_file_that_is_not_there_is_named() {
    let (status, said) = trouble(["--binary", "target/debug/there-is-none"]);
    assert_eq!(status, 1);
    assert!(said.starts_with("error: cannot read target/debug/there-is-none: No such file"), "{said}");
    assert!(
        said.ends_with("name the file of a program that was built, such as target/debug/app\n"),
        "{said}"
    );
}

#[test]
fn a_program_without_metrics_is_told_from_one_that_cannot_be_read() {
    // The head of a program, and nothing else of it.
    let program = SHOP.file("without", "\x7fELF\x02\x01\x01\0\0\0\0\0");
    let (status, said) = trouble(arguments!["--binary", program]);
    assert_eq!(status, 1);
    assert!(said.contains("without has no metrics: it does not use metercast"), "{said}");
    assert!(said.contains("a stripped program keeps them"), "{said}");
}

#[test]
fn a_crate_without_metrics_is_named_beside_those_that_have_some() {
    let (status, said) = trouble(arguments!["--binary", SHOP.debug, "--crate", "shoop"]);
    let expected = format!(
        "error: {} has no metrics of the crate shoop; it has those of metercast, metercast-core, shop, stock\n",
        SHOP.debug.display()
    );
    assert_eq!((status, said), (1, expected));
}

#[test]
fn a_crate_may_be_written_with_underscores() {
    let said = crate::support::printed(arguments!["--binary", SHOP.debug, "--crate", "metercast_core"]);
    assert!(said.contains("## metercast-core\n") && !said.contains("## shop\n"), "{said}");
}

#[test]
fn a_file_that_is_not_there_to_be_checked_can_be_written() {
    let (status, said) = trouble(arguments!["--binary", SHOP.debug, "--check", "docs/none.md"]);
    assert_eq!(status, 1);
    assert!(said.starts_with("error: cannot read docs/none.md"), "{said}");
    assert!(said.ends_with("; write it by --write docs/none.md\n"), "{said}");
}

#[test]
fn a_file_with_other_text_says_where_the_reference_could_stand() {
    let file = SHOP.file("other.md", "# Ours\n");
    for option in ["--check", "--write"] {
        let (status, said) = trouble(arguments!["--binary", SHOP.debug, option, file]);
        assert_eq!(status, 1);
        assert!(
            said.contains("other.md: it has no lines between which the reference stands; write these two"),
            "{said}"
        );
    }
    assert_eq!(std::fs::read_to_string(file).unwrap(), "# Ours\n");
}

#[test]
fn options_that_do_not_go_together_are_wrong() {
    for options in [&["--check", "a", "--write", "a"][..], &["--check", "a", "--json"]] {
        let (status, said) = trouble(["--binary", "a"].into_iter().chain(options.iter().copied()));
        assert_eq!(status, 2, "{said}");
        assert!(said.contains("cannot be used with"), "{said}");
    }
    let (status, said) = trouble(["--binary", "a", "--strategy", "None"]);
    assert_eq!(status, 2);
    assert!(said.contains("the strategies are UnderscoreEscapingWithSuffixes, "), "{said}");
    assert_eq!(trouble([""; 0]).0, 2, "without a program");
}
