//! "Did you mean": the known word that is nearest to the one that was written.

/// The nearest of `known`, if it is near enough to have been meant. Case does not count.
#[cfg(feature = "config")]
pub(super) fn nearest<'a>(found: &str, known: &[&'a str]) -> Option<&'a str> {
    // A third of the letters: `pth` is `path`, but `url` is not `env`.
    let most = |found: usize, word: usize| (found.max(word) / 3).max(1);
    let longest = known.iter().map(|word| word.len()).max()?;
    if found.len() > 8 * longest {
        return None;
    }
    let found: Vec<char> = found.to_lowercase().chars().collect();
    let (edits, word) = known
        .iter()
        .map(|word| (word.to_lowercase().chars().collect::<Vec<_>>(), *word))
        .filter(|(letters, _)| letters.len().abs_diff(found.len()) <= most(found.len(), letters.len()))
        .map(|(letters, word)| (edits(&found, &letters), word))
        .min_by_key(|(edits, _)| *edits)?;
    (edits <= most(found.len(), word.len())).then_some(word)
}

/// `; did you mean "endpoint"?`, or nothing.
#[cfg(feature = "config")]
pub(super) fn did_you_mean(found: &str, known: &[&str]) -> String {
    nearest(found, known).map(|word| format!("; did you mean {word:?}?")).unwrap_or_default()
}

/// `"a", "b" or "c"`.
pub(super) fn one_of(words: &[&str]) -> String {
    let quoted: Vec<String> = words.iter().map(|word| format!("{word:?}")).collect();
    match quoted.split_last() {
        Some((last, [])) => last.clone(),
        Some((last, rest)) => format!("{} or {last}", rest.join(", ")),
        None => String::new(),
    }
}

/// How many letters must be inserted, left out, replaced or swapped with their neighbour (optimal string
/// alignment).
#[cfg(feature = "config")]
fn edits(a: &[char], b: &[char]) -> usize {
    let mut before: Vec<usize> = Vec::new();
    let mut above: Vec<usize> = (0..=b.len()).collect();
    for i in 1..=a.len() {
        let mut row = vec![i];
        for j in 1..=b.len() {
            let replaced = above[j - 1] + usize::from(a[i - 1] != b[j - 1]);
            let mut least = replaced.min(above[j] + 1).min(row[j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                least = least.min(before[j - 2] + 1);
            }
            row.push(least);
        }
        before = std::mem::replace(&mut above, row);
    }
    above[b.len()]
}

#[cfg(all(test, feature = "config"))]
mod tests {
    use super::*;

    #[test]
    fn a_slip_is_recognised_and_another_word_is_not() {
        let known = ["endpoint", "interval", "env", "path"];
        let cases = [
            ("endpont", Some("endpoint")),
            ("evn", Some("env")),
            ("pth", Some("path")),
            ("Endpoint", Some("endpoint")),
            ("intervall", Some("interval")),
            ("url", None),
            ("", None),
        ];
        for (found, meant) in cases {
            assert_eq!(nearest(found, &known), meant, "{found}");
        }
        assert_eq!(nearest("anything", &[]), None);
    }

    #[test]
    fn swapped_neighbours_are_one_slip() {
        let letters = |text: &str| text.chars().collect::<Vec<_>>();
        assert_eq!(edits(&letters("ptah"), &letters("path")), 1);
        assert_eq!(edits(&letters("kitten"), &letters("sitting")), 3);
        assert_eq!(edits(&letters(""), &letters("abc")), 3);
    }

    #[test]
    fn a_list_of_words_reads_as_a_sentence() {
        assert_eq!(one_of(&["a"]), "\"a\"");
        assert_eq!(one_of(&["a", "b", "c"]), "\"a\", \"b\" or \"c\"");
    }
}
