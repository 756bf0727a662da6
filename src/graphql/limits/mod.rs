//! How much one operation may ask for, decided before anything is validated or called.
//!
//! async-graphql's own limits come too late: fragments that spread each other twice keep its
//! validation busy for minutes. So there are three checks, in this order, on every transport:
//!
//! 1. [`Limits::check_source`] reads the text once, before it is parsed: length, tokens, nesting. A
//!    parser that descends into a hundred thousand brackets ends the process.
//! 2. `structure` counts what every operation and fragment of the document becomes when all
//!    fragments are written out. Each fragment is counted once, so that it costs what the text is
//!    long and not what it expands to.
//! 3. `measure` walks the chosen operation, which is small by now: depth, aliases, weight, and by
//!    the table in `relations` the upstream calls it could need in the worst case.
//!
//! A new limit is a member of [`Limits`], a check in the step that knows the number, and a
//! [`Refusal`] that says both. A new field of the schema is a line in `relations`.

mod calls;
mod finding;
mod measure;
mod refusal;
mod relations;
#[cfg(test)]
mod schema_tests;
mod source;
mod structure;
#[cfg(test)]
mod tests;

use async_graphql::parser::types::{DocumentOperations, ExecutableDocument, OperationDefinition};
use async_graphql::{ServerError, Variables};

use crate::config::limits::Limits as Config;
use crate::unified::System;

pub use calls::Calls;
pub use refusal::Refusal;

/// What is allowed. The numbers that are not in the configuration are far above what anybody
/// writes and below what hurts.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Nested fields, introspection apart.
    pub depth: usize,
    /// Nested fields below `__schema` and `__type`: GraphiQL's own query has 14.
    pub introspection_depth: usize,
    pub aliases: usize,
    /// Fields, each counted as often as the lists that it is in are long.
    pub complexity: usize,
    /// Fields of the operation itself.
    pub root_fields: usize,
    pub directives: usize,
    /// Calls to each of the two systems.
    pub upstream_calls: usize,
    /// The longest page.
    pub first: usize,
    /// Ids in `nodes`.
    pub nodes: usize,
    /// The document's length.
    pub bytes: usize,
    /// Of the document, which takes about a microsecond each to parse.
    pub tokens: usize,
    /// Brackets within brackets, and fragments within fragments.
    pub nesting: usize,
    /// Selections after all fragments are written out.
    pub selections: usize,
    /// Up to this many subscribers, reading several of them by e-mail address reads the account's
    /// pages instead (`doppler.scan_up_to`).
    pub scan_up_to: u32,
}

/// What is known of both accounts that the number of calls depends on.
#[derive(Clone, Copy, Debug, Default)]
pub struct Known {
    /// How many subscribers Doppler's account has.
    pub subscribers: Option<u32>,
    /// How many tags HighLevel's location has.
    pub tags: Option<u32>,
    /// Whether HighLevel is asked for the tasks of several contacts at once.
    pub searches_tasks: bool,
}

/// What an operation asks for, at most.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Estimate {
    pub depth: usize,
    pub complexity: u64,
    pub calls: Calls,
    /// Whether it has a page for each tag.
    pub by_tag: bool,
}

impl Limits {
    /// As configured, for an account that is scanned up to `scan_up_to` subscribers.
    pub fn from_config(config: &Config, scan_up_to: u32) -> Self {
        Self {
            depth: config.depth,
            introspection_depth: 20,
            aliases: config.aliases,
            complexity: config.complexity,
            root_fields: 20,
            directives: 50,
            upstream_calls: config.upstream_calls,
            first: config.first,
            nodes: config.nodes,
            bytes: 64 * 1024,
            tokens: 2_000,
            nesting: 64,
            selections: 10_000,
            scan_up_to,
        }
    }

    /// Refuses operations that are sent together and could need too much together: each of them may
    /// be allowed alone.
    pub fn check_batch(&self, estimates: &[Estimate]) -> Result<(), ServerError> {
        let total = estimates.iter().fold(Calls::default(), |sum, one| sum.and(one.calls));
        Ok(self.check_calls("batch", total)?)
    }

    fn check_calls(&self, what: &str, calls: Calls) -> Result<(), Refusal> {
        for (system, needed) in
            [(System::HighLevel, calls.highlevel), (System::Doppler, calls.doppler)]
        {
            if needed > self.upstream_calls as u64 {
                return Err(Refusal::too_expensive(what, system, needed, self.upstream_calls));
            }
        }
        Ok(())
    }

    /// Checks a document's text. To be called before it is parsed.
    pub fn check_source(&self, source: &str) -> Result<(), ServerError> {
        Ok(source::check(source, self)?)
    }

    /// Checks a parsed document, of which `operation_name` will be run. An operation that is not
    /// there, or not told, is left to the executor, and so is everything that validation finds.
    pub fn check(
        &self,
        document: &ExecutableDocument,
        operation_name: Option<&str>,
        variables: &Variables,
        known: Known,
    ) -> Result<Estimate, ServerError> {
        structure::check(document, self)?;
        let Some(operation) = chosen(document, operation_name) else {
            return Ok(Estimate::default());
        };
        let account = calls::Account { known, scan_up_to: self.scan_up_to };
        Ok(measure::check(document, operation, variables, (self, account))?)
    }
}

/// Directives on the operation itself and on its variables.
fn outer_directives(operation: &OperationDefinition) -> u64 {
    let variables = operation.variable_definitions.iter();
    let on_variables: usize = variables.map(|variable| variable.node.directives.len()).sum();
    (operation.directives.len() + on_variables) as u64
}

/// The operation that will be run.
fn chosen<'a>(
    document: &'a ExecutableDocument,
    name: Option<&str>,
) -> Option<&'a OperationDefinition> {
    match (&document.operations, name) {
        (DocumentOperations::Single(operation), None) => Some(&operation.node),
        (DocumentOperations::Multiple(all), Some(name)) => {
            all.iter().find(|(known, _)| known.as_str() == name).map(|(_, found)| &found.node)
        }
        (DocumentOperations::Multiple(all), None) if all.len() == 1 => {
            all.values().next().map(|only| &only.node)
        }
        _ => None,
    }
}
