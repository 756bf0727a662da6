//! The text of a document before it is parsed: in time that grows as its length does, and without
//! allocation.

use super::{Limits, Refusal};

/// What a string in three quotes begins and ends with.
const BLOCK: &[u8] = b"\"\"\"";

/// Refuses a text that is too long, or nested so deeply that parsing it would run out of stack.
pub(super) fn check(source: &str, limits: &Limits) -> Result<(), Refusal> {
    if source.len() > limits.bytes {
        return Err(Refusal::too_complex("bytes", source.len() as u64, limits.bytes));
    }
    let most = (limits.tokens, limits.nesting);
    let (tokens, nesting) = scan(source.as_bytes(), most, end_of);
    if nesting > limits.nesting {
        return Err(Refusal::too_deep(
            "the document's brackets are at least",
            nesting,
            limits.nesting,
        ));
    }
    if tokens > limits.tokens {
        return Err(Refusal::too_complex("tokens or more", tokens as u64, limits.tokens));
    }
    Ok(())
}

/// How many tokens there are, and how deep the brackets go, up to the first of them that is more than
/// the most there may be. A text that is not GraphQL may get either number wrong, but never a nesting
/// smaller than a parser would meet. `end_of` is the function of that name.
fn scan<'a>(
    source: &'a [u8],
    (most_tokens, most_nesting): (usize, usize),
    mut end_of: impl FnMut(&'a [u8], &[u8]) -> Option<&'a [u8]>,
) -> (usize, usize) {
    let (mut tokens, mut depth, mut deepest) = (0_usize, 0_usize, 0_usize);
    // No string in three quotes ends any more after one that does not: each is looked for once.
    let mut blocks_end = true;
    let mut rest = source;
    while tokens <= most_tokens
        && deepest <= most_nesting
        && let Some((&byte, after)) = rest.split_first()
    {
        rest = match byte {
            b' ' | b'\t' | b'\r' | b'\n' | b',' => {
                rest = after;
                continue;
            }
            b'#' => {
                rest = skip(after, |byte| byte != b'\n' && byte != b'\r');
                continue;
            }
            b'"' => {
                let block = rest.strip_prefix(BLOCK).filter(|_| blocks_end);
                let ended = block.and_then(|inside| end_of(inside, BLOCK));
                blocks_end &= block.is_none() || ended.is_some();
                match ended.or_else(|| end_of(after, b"\"")) {
                    Some(after) => after,
                    // No parser gets over the quote.
                    None => return (tokens + 1, deepest),
                }
            }
            b'{' | b'[' | b'(' => {
                depth += 1;
                deepest = deepest.max(depth);
                after
            }
            b'}' | b']' | b')' => {
                depth = depth.saturating_sub(1);
                after
            }
            _ if is_word(byte) => skip(after, is_word),
            _ => after,
        };
        tokens += 1;
    }
    (tokens, deepest)
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte >= 0x80
}

fn skip(text: &[u8], wanted: impl Fn(u8) -> bool) -> &[u8] {
    let end = text.iter().position(|byte| !wanted(*byte)).unwrap_or(text.len());
    &text[end..]
}

/// What follows the string of which `text` is the inside and the rest, if it ends with that quote. One in
/// three quotes that does not end is an empty string and one more quote, as it is to a parser.
fn end_of<'a>(text: &'a [u8], quote: &[u8]) -> Option<&'a [u8]> {
    let block = quote == BLOCK;
    let mut at = 0;
    while at < text.len() {
        match text[at] {
            b'\\' if block && text[at..].starts_with(b"\\\"\"\"") => at += 4,
            b'\\' if !block => at += 2,
            b'\n' | b'\r' if !block => return None,
            _ if text[at..].starts_with(quote) => return Some(&text[at + quote.len()..]),
            _ => at += 1,
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    const MANY: (usize, usize) = (usize::MAX, usize::MAX);

    #[test]
    fn counts_tokens_and_brackets() {
        let cases: [(&str, (usize, usize)); 11] = [
            ("{a}", (3, 1)),
            ("query Q($a: [Int!]) { a(b: [$a, {c: 1}]) }", (27, 4)),
            ("# {{{{\n{a}", (3, 1)),
            (r#"{a(b: "[[[\"[[")}"#, (8, 2)),
            (r#"{a(b: """[[ \""" [[""")}"#, (8, 2)),
            ("{a(b: \"[[[\n)}", (6, 2)),
            (r#"{a(b: """[[ "[[[" [)}"#, (11, 5)),
            ("\"", (1, 0)),
            ("\"\"\"", (2, 0)),
            ("}}}{{", (5, 2)),
            ("", (0, 0)),
        ];
        for (source, expected) in cases {
            assert_eq!(scan(source.as_bytes(), MANY, end_of), expected, "{source}");
        }
    }

    #[test]
    fn looks_at_no_more_than_is_allowed() {
        assert_eq!(scan("a ".repeat(50).as_bytes(), (9, 9), end_of), (10, 0));
        assert_eq!(scan("[".repeat(50).as_bytes(), (90, 9), end_of), (10, 10));
    }

    /// Texts in which every quote might begin a string that does not end.
    #[test]
    fn looks_for_the_ends_of_strings_once() {
        for (begin, again) in [
            ("\"", "\\\""),
            ("\"\"\"", "\\\"\"\""),
            ("\"\"\"\"", "\\\"\"\""),
            ("\"\"\"", " \"\" \\\"\"\""),
            ("", "\" \n"),
            ("", "\"\" \"a\" "),
        ] {
            let source = begin.to_owned() + &again.repeat(10_000);
            let mut looked_at = 0;
            scan(source.as_bytes(), MANY, |text, quote| {
                let after = end_of(text, quote);
                looked_at += text.len() - after.map_or(0, <[u8]>::len);
                after
            });
            assert!(looked_at <= 2 * source.len(), "{begin}{again}...: {looked_at}");
        }
    }
}
