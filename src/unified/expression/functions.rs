//! What expressions may call. Only what is listed here, because the library also has functions whose
//! result is much larger than what they are given.

use std::sync::{Arc, LazyLock};

use cel::common::ast::operators;
use cel::extractors::This;
use cel::{Context, DeclarationError, Env, ExecutionError, Value};

use super::meter::{Meter, as_u64};

/// Passes its argument on and counts what it took. Not to be written in an expression: a name there
/// has no `@`.
pub(super) const METER: &str = "@meter";

/// The operators and functions that an expression may use.
pub(super) const ALLOWED: [&str; 38] = [
    operators::CONDITIONAL,
    operators::LOGICAL_AND,
    operators::LOGICAL_OR,
    operators::LOGICAL_NOT,
    operators::SUBSTRACT,
    operators::ADD,
    operators::MULTIPLY,
    operators::DIVIDE,
    operators::MODULO,
    operators::EQUALS,
    operators::NOT_EQUALS,
    operators::GREATER,
    operators::GREATER_EQUALS,
    operators::LESS,
    operators::LESS_EQUALS,
    operators::NEGATE,
    operators::INDEX,
    operators::IN,
    operators::NOT_STRICTLY_FALSE,
    operators::HAS,
    operators::ALL,
    operators::EXISTS,
    operators::EXISTS_ONE,
    operators::MAP,
    operators::FILTER,
    METER,
    "size",
    "contains",
    "startsWith",
    "endsWith",
    "string",
    "int",
    "double",
    "lowerAscii",
    "upperAscii",
    "trim",
    "join",
    "split",
];

static ENV: LazyLock<Arc<Env>> = LazyLock::new(|| Arc::new(Env::stdlib()));

/// The environment that all expressions share.
pub(super) fn env() -> Arc<Env> {
    Arc::clone(&ENV)
}

/// Declares the functions that the standard library lacks.
pub(super) fn declare(
    context: &mut Context<'_, '_>,
    meter: &Arc<Meter>,
) -> Result<(), DeclarationError> {
    let by = Arc::clone(meter);
    context.add_function(
        METER,
        move |value: Value| {
            if by.take(&value) { Ok(value) } else { Err(spent()) }
        },
    )?;
    let by = Arc::clone(meter);
    context.add_function("lowerAscii", move |This(text): This<Arc<String>>| {
        made(&by, text.to_ascii_lowercase())
    })?;
    let by = Arc::clone(meter);
    context.add_function("upperAscii", move |This(text): This<Arc<String>>| {
        made(&by, text.to_ascii_uppercase())
    })?;
    let by = Arc::clone(meter);
    context.add_function("trim", move |This(text): This<Arc<String>>| {
        made(&by, text.trim().to_owned())
    })?;
    let by = Arc::clone(meter);
    context.add_function(
        "join",
        move |This(list): This<Arc<Vec<Value>>>, separator: Arc<String>| {
            join(&by, &list, &separator)
        },
    )?;
    let by = Arc::clone(meter);
    context.add_function("split", move |This(text): This<Arc<String>>, separator: Arc<String>| {
        split(&by, &text, &separator)
    })
}

fn spent() -> ExecutionError {
    ExecutionError::function_error(METER, "spent")
}

fn made(meter: &Meter, text: String) -> Result<Value, ExecutionError> {
    let value = Value::from(text);
    if meter.take(&value) { Ok(value) } else { Err(spent()) }
}

fn join(meter: &Meter, list: &[Value], separator: &str) -> Result<Value, ExecutionError> {
    let mut texts = Vec::with_capacity(list.len());
    for item in list {
        let Value::String(text) = item else {
            return Err(ExecutionError::function_error("join", "not a list of texts"));
        };
        texts.push(text.as_str());
    }
    let own: usize = texts.iter().map(|text| text.len()).sum();
    let between = separator.len().saturating_mul(texts.len());
    if !meter.take_bytes(as_u64(own.saturating_add(between))) {
        return Err(spent());
    }
    Ok(Value::from(texts.join(separator)))
}

fn split(meter: &Meter, text: &str, separator: &str) -> Result<Value, ExecutionError> {
    // Each part takes its own place beside its text.
    let cost = as_u64(text.len()).saturating_mul(64);
    if !meter
        .take_bytes(cost.min(as_u64(text.matches(separator).count() + 1) * 64 + as_u64(text.len())))
    {
        return Err(spent());
    }
    Ok(Value::from(text.split(separator).map(str::to_owned).collect::<Vec<String>>()))
}
