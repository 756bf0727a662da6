//! For `tests/fuzz`: ids, cursors of the history, and documents on their way to being run.

use std::sync::LazyLock;

use async_graphql::Request;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::document;
use super::ids::GlobalId;
use super::limits::{Known, Limits};
use super::order::Order;
use super::policy::Policy;
use super::query;
use crate::auth::Requester;
use crate::config::documents::{Documents, Introspection};
use crate::config::limits::Limits as Config;
use crate::unified::WorkspaceId;

/// The words of ids whose second half is wrapped.
const WRAPPED: [&str; 6] = ["workspace", "note", "task", "appointment", "delivery", "failure"];

/// Reads an id, and those that wrap these bytes.
pub(crate) fn id(bytes: &[u8]) {
    if let Ok(text) = std::str::from_utf8(bytes) {
        same(text);
    }
    let wrapped = URL_SAFE_NO_PAD.encode(bytes);
    for word in WRAPPED {
        same(&format!("{word}_{wrapped}"));
    }
}

/// What is read and written again is read as the same.
fn same(text: &str) {
    let Some(read) = GlobalId::decode(text) else { return };
    let written = read.encode();
    let again = GlobalId::decode(&written);
    assert!(again.as_ref() == Some(&read), "an id changes: {read:?} is {written:?} is {again:?}");
}

/// Reads a cursor of the history.
pub(crate) fn history_cursor(text: &str) {
    let Ok(read) = query::cursor(text) else { return };
    let again = query::cursor(&read.to_string()).ok();
    assert!(again == Some(read), "a cursor changes: {read}, {again:?}");
}

static LIMITS: LazyLock<Limits> = LazyLock::new(|| Limits::from_config(&Config::default(), 5_000));

/// Does with an operation what is done before it is validated; whether it may run.
pub(crate) fn admit(request: &mut Request) -> bool {
    if document::operation(request, &LIMITS).is_err() {
        return false;
    }
    let name = request.operation_name.clone();
    let variables = std::mem::take(&mut request.variables);
    let Ok(document) = request.parsed_query() else { return false };
    let small = Known { subscribers: Some(100), tags: Some(10), searches_tasks: true };
    let mut may = true;
    for known in [Known::default(), small] {
        match LIMITS.check(document, name.as_deref(), &variables, known) {
            Ok(estimate) => {
                let fits = LIMITS.check_batch(&[estimate]).is_ok();
                assert!(fits, "alone it is allowed, as the only one of a batch it is not");
            }
            Err(_) => may = false,
        }
    }
    if may {
        // Only what has passed may be walked, as in the gateway.
        let nobody = Documents {
            automatic: false,
            trusted: None,
            only_trusted: false,
            introspection: Introspection::Nobody,
        };
        let requester = Requester::anonymous(WorkspaceId::from("default"));
        let _ = Policy::from_config(&nobody).check_introspection(&requester, document);
        drop(Order::of(document, name.as_deref()));
    }
    may
}
