//! The text of a document before it is parsed: one pass, no allocation.

use super::{Limits, Refusal};

/// Refuses a text that is too long, or nested so deeply that parsing it would run out of stack.
pub(super) fn check(source: &str, limits: &Limits) -> Result<(), Refusal> {
    if source.len() > limits.bytes {
        return Err(Refusal::too_complex("bytes", source.len() as u64, limits.bytes));
    }
    let (tokens, nesting) = scan(source.as_bytes());
    if nesting > limits.nesting {
        return Err(Refusal::too_deep("the document's brackets are", nesting, limits.nesting));
    }
    if tokens > limits.tokens {
        return Err(Refusal::too_complex("tokens", tokens as u64, limits.tokens));
    }
    Ok(())
}

/// How many tokens there are, and how deep the brackets go. A text that is not GraphQL may get
/// either number wrong, but never a nesting smaller than a parser would meet.
fn scan(source: &[u8]) -> (usize, usize) {
    let (mut tokens, mut depth, mut deepest) = (0_usize, 0_usize, 0_usize);
    let mut rest = source;
    while let Some((&byte, after)) = rest.split_first() {
        rest = match byte {
            b' ' | b'\t' | b'\r' | b'\n' | b',' => {
                rest = after;
                continue;
            }
            b'#' => {
                rest = skip(after, |byte| byte != b'\n' && byte != b'\r');
                continue;
            }
            b'"' => string(rest),
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

/// What follows the string that begins here. One that does not end is no string: the parser would
/// stop at its quote, so what follows the quote is looked at as well.
fn string(text: &[u8]) -> &[u8] {
    let block = text.starts_with(b"\"\"\"");
    let quote: &[u8] = if block { b"\"\"\"" } else { b"\"" };
    let mut at = quote.len();
    while at < text.len() {
        match text[at] {
            b'\\' if block && text[at..].starts_with(b"\\\"\"\"") => at += 4,
            b'\\' if !block => at += 2,
            b'\n' | b'\r' if !block => break,
            _ if text[at..].starts_with(quote) => return &text[at + quote.len()..],
            _ => at += 1,
        }
    }
    &text[quote.len()..]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_tokens_and_brackets() {
        let cases: [(&str, (usize, usize)); 9] = [
            ("{a}", (3, 1)),
            ("query Q($a: [Int!]) { a(b: [$a, {c: 1}]) }", (27, 4)),
            ("# {{{{\n{a}", (3, 1)),
            (r#"{a(b: "[[[\"[[")}"#, (8, 2)),
            (r#"{a(b: """[[ \""" [[""")}"#, (8, 2)),
            ("{a(b: \"[[[\n)}", (11, 5)),
            ("\"", (1, 0)),
            ("}}}{{", (5, 2)),
            ("", (0, 0)),
        ];
        for (source, expected) in cases {
            assert_eq!(scan(source.as_bytes()), expected, "{source}");
        }
    }
}
