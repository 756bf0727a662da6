//! Finds what a source file imports from its own crate, without a Rust parser: comments and
//! literals are blanked out, then paths that begin with `crate` or leave the module by `super` are
//! read wherever they stand, in a `use` with nested braces or in a function's body.

/// One path into the crate.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Import {
    /// From 1.
    pub(super) line: usize,
    /// Without `crate`: `["store", "Store"]`.
    pub(super) path: Vec<String>,
    /// Whether it stands in code that is compiled for tests only.
    pub(super) in_test: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Token {
    Word(String),
    Colons,
    Other(char),
}

/// A block in braces.
struct Block {
    /// Whether it is an inline module, which counts for `super`.
    is_module: bool,
    is_test: bool,
}

/// Modules of which not every part is open to everyone: their name alone begins a path too.
const REOPENED: [&str; 2] = ["config", "store"];

/// All paths into the crate in `source`, the text of the module at `module`.
pub(super) fn imports(source: &str, module: &[String]) -> Vec<Import> {
    let tokens = tokens(&blank(source));
    let mut found = Vec::new();
    let mut blocks: Vec<Block> = Vec::new();
    let test_file = module.iter().skip(1).any(|name| name == "tests");
    // The config's own sections are called so, too.
    let reopened = if module[0] == "config" { &[][..] } else { &REOPENED };
    let mut pending_test = false;
    let mut at = 0;
    while at < tokens.len() {
        let in_test = test_file || blocks.iter().any(|block| block.is_test);
        match &tokens[at].0 {
            Token::Other('{') => {
                let is_module = at >= 2 && is_word(&tokens[at - 2].0, "mod");
                blocks.push(Block { is_module, is_test: pending_test });
                pending_test = false;
            }
            Token::Other('}') => {
                blocks.pop();
            }
            Token::Other(';') => pending_test = false,
            Token::Word(word) if word == "cfg" && is_cfg_test(&tokens[at..]) => pending_test = true,
            // `use crate::config;` alone says nothing yet; what follows it does.
            Token::Word(word) if reopened.contains(&&**word) && is_relative(&tokens, at) => {
                let mut reader = Reader { tokens: &tokens, in_test, found: &mut found };
                at = reader.path(at, &mut Vec::new());
                continue;
            }
            Token::Word(word) if word == "crate" && is_colons(&tokens, at + 1) => {
                let mut reader = Reader { tokens: &tokens, in_test, found: &mut found };
                at = reader.path(at + 2, &mut Vec::new());
                continue;
            }
            Token::Word(word) if word == "super" && is_colons(&tokens, at + 1) => {
                let inline = blocks.iter().filter(|block| block.is_module).count();
                let mut ups = 0;
                while at + 1 < tokens.len()
                    && is_word(&tokens[at].0, "super")
                    && is_colons(&tokens, at + 1)
                {
                    ups += 1;
                    at += 2;
                }
                if ups >= module.len() + inline {
                    let mut reader = Reader { tokens: &tokens, in_test, found: &mut found };
                    at = reader.path(at, &mut Vec::new());
                }
                continue;
            }
            Token::Word(_) | Token::Colons | Token::Other(_) => {}
        }
        at += 1;
    }
    found
}

fn is_word(token: &Token, word: &str) -> bool {
    matches!(token, Token::Word(found) if found == word)
}

fn is_colons(tokens: &[(Token, usize)], at: usize) -> bool {
    tokens.get(at).is_some_and(|(token, _)| *token == Token::Colons)
}

/// Whether the word at `at` begins a path and does not continue one.
fn is_relative(tokens: &[(Token, usize)], at: usize) -> bool {
    is_colons(tokens, at + 1) && !at.checked_sub(1).is_some_and(|before| is_colons(tokens, before))
}

fn is_cfg_test(tokens: &[(Token, usize)]) -> bool {
    let wanted = [Token::Other('('), Token::Word("test".into()), Token::Other(')')];
    tokens.len() > 3 && tokens[1..4].iter().map(|(token, _)| token).eq(&wanted)
}

struct Reader<'a> {
    tokens: &'a [(Token, usize)],
    in_test: bool,
    found: &'a mut Vec<Import>,
}

impl Reader<'_> {
    /// Reads `a::b::{c, d::e}` from `at` on, after `prefix`; returns where it ends.
    fn path(&mut self, mut at: usize, prefix: &mut Vec<String>) -> usize {
        let depth = prefix.len();
        let line = self.tokens.get(at).map_or(0, |(_, line)| *line);
        while let Some((token, _)) = self.tokens.get(at) {
            match token {
                Token::Word(word) => {
                    if word != "self" {
                        prefix.push(word.clone());
                    }
                    at += 1;
                    if !is_colons(self.tokens, at) {
                        break;
                    }
                    at += 1;
                }
                Token::Other('{') => {
                    at = self.group(at + 1, prefix);
                    prefix.truncate(depth);
                    return at;
                }
                Token::Colons | Token::Other(_) => break,
            }
        }
        self.found.push(Import { line, path: prefix.clone(), in_test: self.in_test });
        prefix.truncate(depth);
        at
    }

    /// Reads the members of a group up to its closing brace; returns what comes after it.
    fn group(&mut self, mut at: usize, prefix: &mut Vec<String>) -> usize {
        while let Some((token, _)) = self.tokens.get(at) {
            match token {
                Token::Other('}') => return at + 1,
                // `as name` and `*` end a member that was read before.
                Token::Word(word) if word == "as" => at += 2,
                Token::Word(_) | Token::Other('{') => at = self.path(at, prefix),
                Token::Colons | Token::Other(_) => at += 1,
            }
        }
        at
    }
}

/// Words, `::` and single characters, each with its line.
fn tokens(text: &str) -> Vec<(Token, usize)> {
    let mut tokens = Vec::new();
    let mut line = 1;
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        if c == '\n' {
            line += 1;
        } else if c == '_' || c.is_alphanumeric() {
            let mut word = String::from(c);
            while let Some(next) = chars.next_if(|&c| c == '_' || c.is_alphanumeric()) {
                word.push(next);
            }
            tokens.push((Token::Word(word), line));
        } else if c == ':' && chars.next_if_eq(&':').is_some() {
            tokens.push((Token::Colons, line));
        } else if !c.is_whitespace() {
            tokens.push((Token::Other(c), line));
        }
    }
    tokens
}

/// The text with comments and literals replaced by spaces; lines stay where they are.
fn blank(source: &str) -> String {
    let chars: Vec<char> = source.chars().collect();
    let mut out = String::with_capacity(source.len());
    let mut at = 0;
    while at < chars.len() {
        let rest = &chars[at..];
        let length = skipped(rest, at.checked_sub(1).map(|before| chars[before]));
        if length == 0 {
            out.push(rest[0]);
            at += 1;
        } else {
            let end = (at + length).min(chars.len());
            out.extend(chars[at..end].iter().map(|&c| if c == '\n' { c } else { ' ' }));
            at = end;
        }
    }
    out
}

/// How many characters at the start of `rest` are a comment or literal; 0 if they are code.
fn skipped(rest: &[char], before: Option<char>) -> usize {
    let word_before = before.is_some_and(|c| c == '_' || c.is_alphanumeric());
    match rest {
        ['/', '/', ..] => rest.iter().position(|&c| c == '\n').unwrap_or(rest.len()),
        ['/', '*', ..] => block_comment(rest),
        ['"', ..] => quoted(rest, '"'),
        ['r', '"' | '#', ..] if !word_before => raw_string(rest),
        // A lifetime is an apostrophe without a partner: 'a, but not 'a'.
        ['\'', '\\', ..] | ['\'', _, '\'', ..] => quoted(rest, '\''),
        _ => 0,
    }
}

fn block_comment(rest: &[char]) -> usize {
    let mut depth = 0;
    let mut at = 0;
    while at + 1 < rest.len() {
        match (rest[at], rest[at + 1]) {
            ('/', '*') => (depth, at) = (depth + 1, at + 2),
            ('*', '/') => (depth, at) = (depth - 1, at + 2),
            _ => at += 1,
        }
        if depth == 0 {
            return at;
        }
    }
    rest.len()
}

fn quoted(rest: &[char], quote: char) -> usize {
    let mut at = 1;
    while at < rest.len() && rest[at] != quote {
        at += if rest[at] == '\\' { 2 } else { 1 };
    }
    at + 1
}

fn raw_string(rest: &[char]) -> usize {
    let hashes = rest[1..].iter().take_while(|&&c| c == '#').count();
    if rest.get(1 + hashes) != Some(&'"') {
        return 0;
    }
    let closing: Vec<char> = std::iter::once('"').chain(std::iter::repeat_n('#', hashes)).collect();
    let start = 2 + hashes;
    let end = rest[start.min(rest.len())..].windows(closing.len()).position(|w| w == closing);
    end.map_or(rest.len(), |end| start + end + closing.len())
}
