//! Rust source without its comments and literals, for searching.

/// The text with comments, strings and characters blanked; lines stay where they are.
pub(super) fn only(text: &str) -> String {
    let chars: Vec<char> = text.chars().collect();
    let mut code = String::with_capacity(text.len());
    let mut at = 0;
    while at < chars.len() {
        let end = literal_end(&chars, at);
        if end == at {
            code.push(chars[at]);
            at += 1;
        } else {
            code.extend(chars[at..end].iter().map(|&c| if c == '\n' { '\n' } else { ' ' }));
            at = end;
        }
    }
    code
}

/// The line, from 1, on which a whole word stands first.
pub(super) fn line_of_word(code: &str, word: &str) -> Option<usize> {
    let is_part = |c: char| c.is_alphanumeric() || c == '_';
    code.lines().position(|line| line.split(|c| !is_part(c)).any(|found| found == word)).map(|at| at + 1)
}

/// Where the comment or literal that begins here ends; `at` if none begins here.
fn literal_end(chars: &[char], at: usize) -> usize {
    let rest = &chars[at..];
    at + match rest {
        ['/', '/', ..] => rest.iter().position(|&c| c == '\n').unwrap_or(rest.len()),
        ['/', '*', ..] => block_comment(rest),
        ['"', ..] => quoted(rest, '"'),
        // A single quote begins a character if a second one follows at once; else a lifetime.
        ['\'', '\\', ..] | ['\'', _, '\'', ..] => quoted(rest, '\''),
        ['r', ..] => raw_string(rest),
        _ => 0,
    }
}

fn block_comment(rest: &[char]) -> usize {
    let (mut depth, mut at) = (0, 0);
    while at < rest.len() {
        match rest[at..] {
            ['/', '*', ..] => {
                depth += 1;
                at += 2;
            }
            ['*', '/', ..] => {
                depth -= 1;
                at += 2;
                if depth == 0 {
                    return at;
                }
            }
            _ => at += 1,
        }
    }
    rest.len()
}

fn quoted(rest: &[char], quote: char) -> usize {
    let mut at = 1;
    while at < rest.len() {
        match rest[at] {
            '\\' => at += 2,
            c if c == quote => return at + 1,
            _ => at += 1,
        }
    }
    rest.len()
}

/// `r"..."`, `r##"..."##`; zero for a name that begins with r.
fn raw_string(rest: &[char]) -> usize {
    let hashes = rest[1..].iter().take_while(|&&c| c == '#').count();
    let open = 1 + hashes;
    if rest.get(open) != Some(&'"') {
        return 0;
    }
    let mut at = open + 1;
    while at < rest.len() {
        let closes = rest[at] == '"' && rest[at + 1..].iter().take_while(|&&c| c == '#').count() >= hashes;
        at += 1;
        if closes {
            return at + hashes;
        }
    }
    rest.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn has_word(text: &str) -> bool {
        line_of_word(&only(text), "word").is_some()
    }

    #[test]
    fn comments_and_literals_are_blanked() {
        for text in [
            "a // word",
            "/* a /* word */ word */ b",
            "\"a \\\" word\"",
            "r\"word\"",
            "r#\"a \" word\"#",
            "br##\"a \"# word\"##",
            "'\"' ; \"word\"",
            "'\\'' ; \"word\"",
            "sword + words + a_word",
        ] {
            assert!(!has_word(text), "{text}: {}", only(text));
        }
    }

    #[test]
    fn code_around_them_stays() {
        for text in [
            "// a\nword",
            "/* a */ word",
            "\"a\" word \"b\"",
            "'\"' word '\"'",
            "fn f<'a>(x: &'a str) { word }",
            "r#type + word",
            "\"\\\\\" word",
            "#[word(x)]",
        ] {
            assert!(has_word(text), "{text}: {}", only(text));
        }
    }

    #[test]
    fn lines_keep_their_numbers() {
        assert_eq!(line_of_word(&only("/* a\nb */\n\"c\nd\"\nword"), "word"), Some(5));
    }
}
