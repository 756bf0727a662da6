//! `extensions.cost`: what an answer cost, for those who ask.

use async_graphql::{Name, Response, Value, indexmap::IndexMap};

use super::limits::Calls;
use crate::contacts::{Contacts, Session};
use crate::unified::System;

/// Puts the calls estimated, made and saved, and the budgets left, into the answer.
pub fn report(response: &mut Response, session: &Session, contacts: &Contacts, estimated: Calls) {
    let calls = System::ALL.map(|system| (system, Value::from(session.calls(system))));
    let budgets = contacts.budgets().map(|(system, budget)| {
        let left = [
            ("limit", budget.limit),
            ("remaining", budget.remaining),
            ("dailyLimit", budget.daily_limit),
            ("dailyRemaining", budget.daily_remaining),
        ];
        let left = left.map(|(name, value)| (name, value.map_or(Value::Null, Value::from)));
        (system, object(left))
    });
    let estimated =
        [(System::Doppler, estimated.doppler), (System::HighLevel, estimated.highlevel)];
    let estimated = estimated.map(|(system, calls)| (system.as_str(), Value::from(calls)));
    let cost = object([
        ("estimated", object(estimated)),
        ("calls", object(calls.map(|(system, value)| (system.as_str(), value)))),
        ("callsSaved", Value::from(session.calls_saved())),
        ("budget", object(budgets.map(|(system, value)| (system.as_str(), value)))),
    ]);
    response.extensions.insert("cost".to_owned(), cost);
}

fn object<const N: usize>(members: [(&str, Value); N]) -> Value {
    let members = members.into_iter().map(|(name, value)| (Name::new(name), value));
    Value::Object(members.collect::<IndexMap<_, _>>())
}
