//! For `tests/fuzz`: cursors of contacts.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::listing::Cursor;

/// Reads a cursor as clients send it, and one that was made of these bytes.
pub(crate) fn cursor(bytes: &[u8]) {
    if let Ok(text) = std::str::from_utf8(bytes) {
        same(text);
    }
    same(&URL_SAFE_NO_PAD.encode(bytes));
}

/// What is read and written again is read as the same.
fn same(text: &str) {
    let Ok(read) = Cursor::decode(text) else { return };
    let written = read.encode().ok();
    let again = written.as_deref().and_then(|text| Cursor::decode(text).ok()?.encode().ok());
    assert!(written.is_some() && written == again, "a cursor changes: {written:?}, {again:?}");
}
