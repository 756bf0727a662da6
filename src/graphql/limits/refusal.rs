//! A refused operation: which limit, how much was asked for, how much is allowed.

use async_graphql::{ErrorExtensionValues, Pos, ServerError, Value};

use crate::unified::System;

/// The largest number that is told. Larger ones are products of products, capped where they no
/// longer fit, and would say nothing.
const MOST_TOLD: u64 = 1_000_000;

/// Why an operation is not run. Its numbers are in the message and in `extensions`.
#[derive(Clone, Debug, PartialEq)]
pub struct Refusal {
    /// A code of the schema's `ErrorCode`.
    pub code: &'static str,
    pub message: String,
    pub detail: Vec<(&'static str, Value)>,
    pub at: Option<Pos>,
}

impl Refusal {
    fn new(code: &'static str, message: String) -> Self {
        Self { code, message, detail: Vec::new(), at: None }
    }

    /// Adds a member to `extensions`.
    pub fn with(mut self, name: &'static str, value: impl Into<Value>) -> Self {
        self.detail.push((name, value.into()));
        self
    }

    /// Says where in the document it is.
    pub fn at(self, at: Pos) -> Self {
        Self { at: Some(at), ..self }
    }

    /// Nested too deeply.
    pub fn too_deep(what: &str, found: usize, limit: usize) -> Self {
        Self::new("QUERY_TOO_DEEP", format!("{what} {found} levels deep; the limit is {limit}"))
            .with("depth", found)
            .with("limit", limit)
    }

    /// More of something than allowed.
    pub fn too_complex(what: &str, found: u64, limit: usize) -> Self {
        let message = format!("the operation has {} {what}; the limit is {limit}", told(found));
        let found = found.min(MOST_TOLD);
        Self::new("QUERY_TOO_COMPLEX", message).with("found", found).with("limit", limit)
    }

    /// More upstream calls than allowed.
    pub fn too_expensive(what: &str, system: System, needed: u64, allowed: usize) -> Self {
        let message = format!(
            "the {what} could need {} calls to {system}; {allowed} are allowed: ask for shorter \
             pages or fewer relations",
            told(needed)
        );
        Self::new("QUERY_TOO_EXPENSIVE", message)
            .with("needed", needed.min(MOST_TOLD))
            .with("allowed", allowed)
            .with("system", system.as_str())
    }

    /// A number in an argument that is larger than allowed.
    pub fn argument(name: &str, found: u64, limit: usize) -> Self {
        let message = format!("{name} is {found}; the limit is {limit}");
        Self::new("BAD_USER_INPUT", message)
            .with("field", name)
            .with("found", found)
            .with("limit", limit)
    }

    /// Fragments that never end.
    pub fn cycle(fragment: &str) -> Self {
        let message = format!("the fragment {fragment} spreads itself");
        Self::new("GRAPHQL_VALIDATION_FAILED", message)
    }
}

/// A number in words for people.
fn told(number: u64) -> String {
    if number > MOST_TOLD { format!("more than {MOST_TOLD}") } else { number.to_string() }
}

impl From<Refusal> for ServerError {
    fn from(refusal: Refusal) -> Self {
        let mut error = Self::new(refusal.message, refusal.at);
        let mut extensions = ErrorExtensionValues::default();
        extensions.set("code", refusal.code);
        for (name, value) in refusal.detail {
            extensions.set(name, value);
        }
        error.extensions = Some(extensions);
        error
    }
}
