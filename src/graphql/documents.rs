//! Parsed documents, kept: clients send the same few with other variables, and parsing one costs
//! about ten times what copying it does.

use std::sync::Arc;

use async_graphql::parser::types::ExecutableDocument;
use async_graphql::{Request, ServerError};

/// What all kept documents may take together, in bytes of their text times [`WEIGHT`].
const MAX_BYTES: u64 = 2 * 1024 * 1024;
/// A parsed document takes about so many times as much as its text.
const WEIGHT: usize = 16;
/// A longer text is written by a program and not sent twice.
const MAX_TEXT: usize = 16 * 1024;

/// Documents by their text. What is in here passed the checks of the text.
pub struct Documents(moka::sync::Cache<String, Arc<ExecutableDocument>>);

impl Documents {
    /// None yet.
    pub fn new() -> Self {
        let weigh = |text: &String, _: &_| u32::try_from(text.len() * WEIGHT).unwrap_or(u32::MAX);
        Self(moka::sync::Cache::builder().weigher(weigh).max_capacity(MAX_BYTES).build())
    }

    /// Gives the request its document if that is at hand.
    pub fn recall(&self, request: &mut Request) -> bool {
        let known = self.0.get(&request.query);
        if let Some(document) = &known {
            request.set_parsed_query(ExecutableDocument::clone(document));
        }
        known.is_some()
    }

    /// Keeps the request's document.
    pub fn keep(&self, request: &mut Request) -> Result<(), ServerError> {
        if request.query.len() <= MAX_TEXT {
            let document = Arc::new(request.parsed_query()?.clone());
            self.0.insert(request.query.clone(), document);
        }
        Ok(())
    }
}
