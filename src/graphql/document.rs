//! Which operation of a document is meant.

use async_graphql::parser::types::{DocumentOperations, OperationType};
use async_graphql::{Request, ServerError};

use super::error::{ErrorCode, extend, refusal};
use super::limits::Limits;

/// A parser quotes the line in which it stopped, which may be the whole document. Of what is longer than
/// this, in bytes, each line is cut to so many characters.
const LONGEST_SAID: usize = 1_000;
const LONGEST_LINE: usize = 80;

/// The kind of the request's operation; the parsed document stays with the request. A text that no
/// parser should see is refused before.
pub fn operation(request: &mut Request, limits: &Limits) -> Result<OperationType, ServerError> {
    limits.check_source(&request.query)?;
    kind(request)
}

/// The kind of the operation of a text that was checked.
pub fn kind(request: &mut Request) -> Result<OperationType, ServerError> {
    let name = request.operation_name.clone();
    let document = request.parsed_query().map_err(|mut error| {
        extend(&mut error, "code", ErrorCode::GraphqlParseFailed.as_str());
        if error.message.len() > LONGEST_SAID {
            error.message = cut(&error.message);
        }
        error
    })?;
    let invalid = |message: &str| refusal(message, ErrorCode::GraphqlValidationFailed);
    match (&document.operations, name) {
        (DocumentOperations::Single(operation), None) => Ok(operation.node.ty),
        (DocumentOperations::Single(_), Some(_)) => {
            Err(invalid("the document has no operation of that name"))
        }
        (DocumentOperations::Multiple(all), Some(name)) => {
            let operation = all.iter().find(|(known, _)| known.as_str() == name);
            operation
                .map(|(_, operation)| operation.node.ty)
                .ok_or_else(|| invalid("the document has no operation of that name"))
        }
        (DocumentOperations::Multiple(all), None) if all.len() == 1 => {
            let only = all.values().next().map(|operation| operation.node.ty);
            only.ok_or_else(|| invalid("the document has no operation"))
        }
        (DocumentOperations::Multiple(_), None) => {
            Err(invalid("the document has several operations; name one by operationName"))
        }
    }
}

fn cut(said: &str) -> String {
    let lines = said.lines().map(|line| line.chars().take(LONGEST_LINE).collect::<String>());
    lines.collect::<Vec<_>>().join("\n")
}
