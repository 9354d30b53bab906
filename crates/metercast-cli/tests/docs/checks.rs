//! A file that is committed is held against the program.

use std::fs;

use crate::arguments;
use crate::support::{SHOP, docs, printed, trouble};

#[test]
fn what_was_written_holds() {
    let file = SHOP.file("holds.md", "");
    fs::remove_file(&file).unwrap();
    assert_eq!(printed(arguments!["--binary", SHOP.release, "--write", file]), "");
    assert_eq!(printed(arguments!["--binary", SHOP.release, "--check", file]), "");
    assert_eq!(printed(arguments!["--binary", SHOP.debug, "--check", file]), "", "of another build too");
    assert_eq!(fs::read_to_string(&file).unwrap(), printed(arguments!["--binary", SHOP.debug]));
}

#[test]
fn what_was_added_removed_and_changed_is_told() {
    let file = SHOP.file("differs.md", "");
    printed(arguments!["--binary", SHOP.debug, "--crate", "shop", "--write", file]);
    let text = fs::read_to_string(&file).unwrap();
    let text = text
        .replace("Buckets: 0.1, 1.", "Buckets: 0.1, 2.")
        .replace("`shop_payment_seconds` | histogram", "`shop_payment_seconds` | summary")
        .replace("`shop.never`", "`shop.ever`");
    fs::write(&file, text).unwrap();
    let (status, said) = trouble(arguments!["--binary", SHOP.debug, "--crate", "shop", "--check", file]);
    assert_eq!(status, 1);
    let (file, program) = (file.display(), SHOP.debug.display());
    assert_eq!(
        said,
        format!(
            "error: {file} is not what {program} says:
  added    shop.never (counter)
  removed  shop.ever (counter)
  changed  shop.payment (histogram)
           type: summary -> histogram
           description: Time to pay.; Buckets: 0.1, 2. -> Time to pay.; Buckets: 0.1, 1.
If that is meant, write it anew by --write {file}; dashboards and alerts may rely on what it said
"
        )
    );
}

#[test]
fn a_table_that_is_written_otherwise_is_told() {
    let file = SHOP.file("written.md", "");
    printed(arguments!["--binary", SHOP.debug, "--write", file]);
    let text = fs::read_to_string(&file).unwrap().replace("| --- |", "|  ---|");
    fs::write(&file, text).unwrap();
    let (status, said) = trouble(arguments!["--binary", SHOP.debug, "--check", file]);
    assert_eq!(status, 1);
    assert!(said.contains("no metric differs, but how the tables are written does"), "{said}");
}

#[test]
fn what_stands_around_the_reference_is_not_touched() {
    let reference = printed(arguments!["--binary", SHOP.debug, "--crate", "shop"]);
    let around = reference.replace("# Metrics\n", "# The shop\n\nAsk us.\n") + "\nThe end.\n";
    let file = SHOP.file("around.md", &around.replace("Orders accepted.", "Orders."));
    assert_eq!(
        docs(arguments!["--binary", SHOP.debug, "--crate", "shop", "--check", file]).status.code(),
        Some(1)
    );
    printed(arguments!["--binary", SHOP.debug, "--crate", "shop", "--write", file]);
    assert_eq!(fs::read_to_string(&file).unwrap(), around);
    printed(arguments!["--binary", SHOP.debug, "--crate", "shop", "--check", file]);
}
