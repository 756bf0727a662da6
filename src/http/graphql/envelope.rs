//! The JSON that carries an operation, checked member by member.
//!
//! Not by deriving: a derived error would quote the request, and `null`, which means absent here,
//! would need saying everywhere.

use async_graphql::{Request, Value as GraphqlValue, Variables};
use serde_json::{Map, Value};

use super::super::error::Refusal;

/// Where a document is named, if it is not sent.
const DOCUMENT_ID: &str = "documentId";
const NAMES: [&str; 2] = [DOCUMENT_ID, "persistedQuery"];

/// A request body.
#[derive(Debug)]
pub(super) enum Envelope {
    One(Box<Request>),
    Batch(Vec<Request>),
}

/// Reads a body. A batch of more than `batch` operations is refused before any is looked at.
pub(super) fn parse(body: &[u8], batch: usize) -> Result<Envelope, Refusal> {
    if body.is_empty() {
        return Err(Refusal::bad_input("the body is empty"));
    }
    match serde_json::from_slice(body) {
        Ok(Value::Object(members)) => Ok(Envelope::One(Box::new(request(members)?))),
        Ok(Value::Array(items)) => self::batch(items, batch).map(Envelope::Batch),
        Ok(_) => Err(Refusal::bad_input("the body must be a JSON object or a list of them")),
        Err(_) => Err(Refusal::bad_input("the body is not valid JSON")),
    }
}

fn batch(items: Vec<Value>, limit: usize) -> Result<Vec<Request>, Refusal> {
    if items.is_empty() {
        return Err(Refusal::bad_input("the batch is empty"));
    }
    if items.len() > limit {
        let message = format!("the batch has {} operations; the limit is {limit}", items.len());
        return Err(Refusal::bad_input(message).with("batch", items.len()).with("limit", limit));
    }
    let one = |item| {
        let Value::Object(members) = item else {
            return Err(Refusal::bad_input("each operation of a batch must be a JSON object"));
        };
        request(members)
    };
    items.into_iter().map(one).collect()
}

/// Reads one operation. Members that are not known are left alone.
pub(in crate::http) fn request(mut members: Map<String, Value>) -> Result<Request, Refusal> {
    let query = match members.remove("query") {
        Some(Value::String(query)) => Some(query),
        Some(Value::Null) | None => None,
        Some(_) => return Err(Refusal::bad_input("query must be a string")),
    };
    let mut request = Request::new(query.as_deref().unwrap_or_default());
    let document_id = members.remove(DOCUMENT_ID).filter(|id| !id.is_null());
    request.operation_name = match members.remove("operationName") {
        Some(Value::String(name)) => Some(name),
        Some(Value::Null) | None => None,
        Some(_) => return Err(Refusal::bad_input("operationName must be a string")),
    };
    if let Some(variables) = map(&mut members, "variables")? {
        request.variables = Variables::from_json(Value::Object(variables));
    }
    if let Some(extensions) = map(&mut members, "extensions")? {
        for (name, value) in extensions {
            if let Ok(value) = GraphqlValue::from_json(value) {
                request.extensions.insert(name, value);
            }
        }
    }
    if let Some(id) = document_id.and_then(|id| GraphqlValue::from_json(id).ok()) {
        request.extensions.insert(DOCUMENT_ID.to_owned(), id);
    }
    let is_named = NAMES.iter().any(|name| request.extensions.contains_key(*name));
    if query.is_none() && !is_named {
        return Err(Refusal::bad_input("query is missing"));
    }
    Ok(request)
}

/// Takes a member that must be a map, `null` or absent.
fn map(
    members: &mut Map<String, Value>,
    name: &str,
) -> Result<Option<Map<String, Value>>, Refusal> {
    match members.remove(name) {
        Some(Value::Object(map)) => Ok(Some(map)),
        Some(Value::Null) | None => Ok(None),
        Some(_) => Err(Refusal::bad_input(format!("{name} must be a map"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(body: &str) -> String {
        match parse(body.as_bytes(), 2) {
            Ok(_) => String::new(),
            Err(refusal) => refusal.message,
        }
    }

    #[test]
    fn names_what_is_wrong() {
        assert_eq!(refused(""), "the body is empty");
        assert_eq!(refused("{"), "the body is not valid JSON");
        assert_eq!(refused("7"), "the body must be a JSON object or a list of them");
        assert_eq!(refused("{}"), "query is missing");
        assert_eq!(refused(r#"{"query":null}"#), "query is missing");
        assert_eq!(refused(r#"{"documentId":null}"#), "query is missing");
        assert_eq!(refused(r#"{"query":["a"]}"#), "query must be a string");
        assert_eq!(
            refused(r#"{"query":"{a}","operationName":0}"#),
            "operationName must be a string"
        );
        assert_eq!(refused(r#"{"query":"{a}","variables":[]}"#), "variables must be a map");
        assert_eq!(refused(r#"{"query":"{a}","extensions":"x"}"#), "extensions must be a map");
        assert_eq!(refused("[]"), "the batch is empty");
        assert_eq!(refused("[1]"), "each operation of a batch must be a JSON object");
        let three = r#"[{"query":"{a}"},{"query":"{a}"},{"query":"{a}"}]"#;
        assert_eq!(refused(three), "the batch has 3 operations; the limit is 2");
        assert_eq!(refused(&"[".repeat(100_000)), "the body is not valid JSON");
    }

    #[test]
    fn reads_everything() {
        let body = r#"{"query":"{a}","operationName":"A","variables":{"n":1},"extensions":{"cost":true},"more":1}"#;
        let Ok(Envelope::One(request)) = parse(body.as_bytes(), 2) else { panic!("one") };
        assert_eq!(request.query, "{a}");
        assert_eq!(request.operation_name.as_deref(), Some("A"));
        assert_eq!(request.variables.len(), 1);
        assert_eq!(request.extensions.get("cost"), Some(&GraphqlValue::Boolean(true)));
        let nulls = r#"{"query":"{a}","operationName":null,"variables":null,"extensions":null}"#;
        assert!(parse(nulls.as_bytes(), 2).is_ok());
        let named = r#"{"documentId":"a","query":null}"#;
        let Ok(Envelope::One(request)) = parse(named.as_bytes(), 2) else { panic!("one") };
        assert_eq!(request.extensions.get("documentId"), Some(&GraphqlValue::from("a")));
    }
}
