//! Expressions of a mapping (CEL): values worked out from other fields, and who may be created.
//!
//! Somebody else wrote them, so they are bounded: in the length of the text, in nesting, in steps and
//! in memory. An expression may fail and never hangs, aborts or fills the memory. The parser and the
//! interpreter recurse, a deep text far beyond what a task's stack holds; both therefore run on a
//! stack segment of their own (`stacker`), which needs no thread and keeps this module pure. To
//! allow another function: a row in `functions.rs`, with what it may cost.
//!
//! What an expression sees is [`Facts`]: each field by its name (`firstName`, `address.city`), all
//! of them in the map `fields` (`fields["plan"]`), `tags`, and `status`. Unknown values are `null`.

mod compile;
mod facts;
mod functions;
mod meter;
#[cfg(test)]
mod tests;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use cel::{Context, ExecutionError, Value};

use super::Canonical;

pub use compile::{Fault, check};
pub use facts::Facts;

use compile::compile;
use meter::Meter;

/// The stack that compiling and evaluating run on. Nesting is bounded well below what it holds.
const STACK_BYTES: usize = 32 * 1024 * 1024;

/// Why an expression has no result. Without any value of the person's.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum Error {
    #[error(transparent)]
    Fault(#[from] Fault),
    /// It takes more steps or memory than an expression may.
    #[error("it takes too many steps or too much memory")]
    Exhausted,
    #[error("{0}")]
    Failed(&'static str),
}

/// The value that an expression works out.
pub fn value(source: &str, facts: &Facts) -> Result<Canonical, Error> {
    canonical(&evaluate(source, facts)?)
}

/// Whether a condition holds; `null` does not.
pub fn holds(source: &str, facts: &Facts) -> Result<bool, Error> {
    let value = evaluate(source, facts)?;
    if let Value::Bool(truth) = value {
        return Ok(truth);
    }
    if value == Value::Null {
        Ok(false)
    } else {
        Err(Error::Failed("a condition must be true or false"))
    }
}

fn evaluate(source: &str, facts: &Facts) -> Result<Value, Error> {
    let expr = compile(source)?;
    on_own_stack(|| {
        let meter = Arc::new(Meter::default());
        let mut context = Context::with_env(functions::env());
        functions::declare(&mut context, &meter)
            .map_err(|_| Error::Failed("the functions could not be declared"))?;
        facts.declare(&mut context);
        let result = Value::resolve(&expr, &context);
        if meter.is_spent() { Err(Error::Exhausted) } else { result.map_err(|e| failure(&e)) }
    })
    .unwrap_or(Err(Error::Failed("it cannot be worked out")))
}

/// Runs with room to recurse; `None` if it panicked, which a library for untrusted text may.
fn on_own_stack<T>(run: impl FnOnce() -> T) -> Option<T> {
    stacker::grow(STACK_BYTES, || catch_unwind(AssertUnwindSafe(run))).ok()
}

/// What went wrong, without the values that the library's own text would name.
fn failure(error: &ExecutionError) -> Error {
    use ExecutionError as E;
    Error::Failed(if matches!(error, E::NoSuchKey(_) | E::UndeclaredReference(_)) {
        "it names something that is not known"
    } else if matches!(error, E::DivisionByZero(_) | E::RemainderByZero(_)) {
        "it divides by zero"
    } else if matches!(error, E::Overflow(..)) {
        "a number is too large"
    } else if matches!(error, E::IndexOutOfBounds(_)) {
        "a list has fewer items"
    } else if matches!(error, E::FunctionError { .. }) {
        "a function could not be worked out"
    } else {
        "a value is not of the type that it needs (an unknown value is null)"
    })
}

fn canonical(value: &Value) -> Result<Canonical, Error> {
    if *value == Value::Null {
        return Ok(Canonical::Null);
    }
    if let Value::List(items) = value {
        let items: Result<Vec<String>, Error> = items.iter().map(text).collect();
        return Ok(Canonical::Set(items?));
    }
    Ok(Canonical::Text(text(value)?))
}

fn text(value: &Value) -> Result<String, Error> {
    let shown = if let Value::String(text) = value {
        Some(text.to_string())
    } else if let Value::Int(number) = value {
        Some(number.to_string())
    } else if let Value::UInt(number) = value {
        Some(number.to_string())
    } else if let Value::Float(number) = value {
        number.is_finite().then(|| number.to_string())
    } else if let Value::Bool(truth) = value {
        Some(truth.to_string())
    } else {
        None
    };
    shown.ok_or(Error::Failed("the result is no text, number, truth or list of texts"))
}
