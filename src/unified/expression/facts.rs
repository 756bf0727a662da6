//! What expressions see of a person.

use std::collections::{BTreeMap, HashMap};

use cel::objects::Key;
use cel::{Context, Value};

use crate::unified::{Canonical, ContactStatus, Kind};

/// Longer texts are not shown to expressions, in bytes: every step may look at one.
const LONGEST: usize = 4 * 1024;

/// What expressions see of a person.
#[derive(Clone, Debug, Default)]
pub struct Facts {
    fields: BTreeMap<String, (Kind, Canonical)>,
    pub tags: Vec<String>,
    /// `null` where it is not known.
    pub status: Option<ContactStatus>,
}

impl Facts {
    /// Adds a field.
    pub fn set(&mut self, name: &str, kind: Kind, value: Canonical) {
        self.fields.insert(name.to_owned(), (kind, value));
    }

    /// Makes them known to an expression.
    pub(super) fn declare(&self, context: &mut Context<'_, '_>) {
        let mut all: HashMap<String, Value> = HashMap::new();
        let mut groups: BTreeMap<&str, HashMap<String, Value>> = BTreeMap::new();
        for (name, (kind, value)) in &self.fields {
            let Some(value) = shown(*kind, value) else { continue };
            all.insert(name.clone(), value.clone());
            match name.split_once('.') {
                Some((group, member)) => {
                    groups.entry(group).or_default().insert(member.to_owned(), value);
                }
                None => context.add_variable_from_value(name.as_str(), value),
            }
        }
        for (group, members) in groups {
            context.add_variable_from_value(group, map(members));
        }
        context.add_variable_from_value("fields", map(all));
        let tags: Vec<Value> = self.tags.iter().map(|tag| Value::from(tag.as_str())).collect();
        context.add_variable_from_value("tags", Value::from(tags));
        let status = self.status.map_or(Value::Null, |status| Value::from(status.as_str()));
        context.add_variable_from_value("status", status);
    }
}

fn map(members: HashMap<String, Value>) -> Value {
    Value::from(
        members.into_iter().map(|(k, v)| (Key::from(k), v)).collect::<HashMap<Key, Value>>(),
    )
}

/// A value as an expression sees it; `None`: too long.
fn shown(kind: Kind, value: &Canonical) -> Option<Value> {
    Some(match value {
        Canonical::Null => Value::Null,
        Canonical::Set(items) => {
            if items.iter().any(|item| item.len() > LONGEST) {
                return None;
            }
            Value::from(items.iter().map(|item| Value::from(item.as_str())).collect::<Vec<_>>())
        }
        Canonical::Text(text) if text.len() > LONGEST => return None,
        Canonical::Text(text) => {
            let typed = if kind == Kind::Number {
                number(text)
            } else if kind == Kind::Boolean {
                text.parse().map(Value::Bool).ok()
            } else {
                None
            };
            typed.unwrap_or_else(|| Value::from(text.as_str()))
        }
    })
}

fn number(text: &str) -> Option<Value> {
    text.parse().map(Value::Int).ok().or_else(|| text.parse().map(Value::Float).ok())
}
