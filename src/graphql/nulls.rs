//! Puts `null` where a field failed.
//!
//! Since 7.1 async-graphql leaves a field that failed out of its object, and an object whose fields
//! all failed becomes `null` itself. Clients rely on the specification instead, by which every field
//! that was asked for is there (<https://spec.graphql.org/draft/#sec-Handling-Execution-Errors>); a
//! cache such as Apollo's takes a missing one for a fault of the server. Where to put it is what the
//! error's path says.

use async_graphql::indexmap::IndexMap;
use async_graphql::{Name, PathSegment, Response, Value};

/// Completes the data of an answer with errors.
pub fn fill(response: &mut Response) {
    let Response { data, errors, .. } = response;
    for error in errors.iter() {
        fill_one(data, &error.path);
    }
}

fn fill_one(mut value: &mut Value, path: &[PathSegment]) {
    for segment in path {
        let inner = match (segment, value) {
            (PathSegment::Field(name), value) => {
                // An error below it means that it was there and lost all of its fields.
                if *value == Value::Null {
                    *value = Value::Object(IndexMap::new());
                }
                let Value::Object(members) = value else { return };
                Some(members.entry(Name::new(name)).or_insert(Value::Null))
            }
            (PathSegment::Index(index), Value::List(items)) => items.get_mut(*index),
            (PathSegment::Index(_), _) => None,
        };
        let Some(inner) = inner else { return };
        value = inner;
    }
}

#[cfg(test)]
mod tests {
    use async_graphql::ServerError;
    use serde_json::{Value as Json, json};

    use super::*;

    fn filled(data: Json, path: &Json) -> Json {
        let mut response = Response::new(Value::from_json(data).unwrap());
        let mut error = ServerError::new("down", None);
        error.path = serde_json::from_value(path.clone()).unwrap();
        response.errors.push(error);
        fill(&mut response);
        response.data.into_json().unwrap()
    }

    #[test]
    fn what_failed_is_null() {
        let field = json!(["a", "b"]);
        assert_eq!(filled(json!({"a": {"c": 1}}), &field), json!({"a": {"c": 1, "b": null}}));
        assert_eq!(filled(json!({"a": null}), &field), json!({"a": {"b": null}}));
        assert_eq!(filled(json!(null), &field), json!({"a": {"b": null}}));
        assert_eq!(filled(json!({"a": {"b": 1}}), &field), json!({"a": {"b": 1}}));
        let item = json!(["a", 1, "b"]);
        let expected = json!({"a": [{"b": 1}, {"b": null}]});
        assert_eq!(filled(json!({"a": [{"b": 1}, null]}), &item), expected);
    }

    #[test]
    fn a_path_that_leads_nowhere_changes_nothing() {
        for path in [json!([]), json!(["a", 7, "b"]), json!([0, "a"]), json!(["a", 0, "b"])] {
            let data = json!({"a": [1]});
            assert_eq!(filled(data.clone(), &path), data, "{path}");
        }
    }
}
