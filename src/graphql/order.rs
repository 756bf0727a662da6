//! Puts the members of an answer in the order in which they were asked for.
//!
//! async-graphql 7.2 resolves the fields of an object at the same time and writes them down as they
//! finish. The specification asks for the selection's order
//! (<https://spec.graphql.org/draft/#sec-Serialized-Map-Ordering>), people read answers beside their
//! queries, and equal answers should be equal bytes. What `typename` added to the query is taken out
//! on the way.

use async_graphql::indexmap::IndexMap;
use async_graphql::parser::types::{ExecutableDocument, Selection, SelectionSet};
use async_graphql::{Name, Value};

use super::typename::PRESENT;

/// What an object's members are called, in order, each with the order inside it.
#[derive(Debug, Default)]
pub struct Order(IndexMap<Name, Order>);

impl Order {
    /// The order of one operation, or of the only one. The document must have passed the limits: they
    /// bound how much its fragments unfold to.
    pub fn of(document: &ExecutableDocument, operation: Option<&str>) -> Self {
        let mut order = Self::default();
        let mut operations = document.operations.iter();
        let chosen = operations.find(|(name, _)| {
            operation.is_none_or(|wanted| name.is_none_or(|name| name.as_str() == wanted))
        });
        if let Some((_, operation)) = chosen {
            order.add(document, &operation.node.selection_set.node);
        }
        order
    }

    /// Reorders a value that this order describes.
    pub fn apply(&self, value: &mut Value) {
        if self.0.is_empty() {
            return;
        }
        match value {
            Value::Object(members) => {
                self.sort(members);
                self.drop_added(members);
                for (name, inner) in members {
                    if let Some(order) = self.0.get(name) {
                        order.apply(inner);
                    }
                }
            }
            Value::List(items) => items.iter_mut().for_each(|item| self.apply(item)),
            Value::Null
            | Value::Number(_)
            | Value::String(_)
            | Value::Boolean(_)
            | Value::Binary(_)
            | Value::Enum(_) => {}
        }
    }

    fn sort(&self, members: &mut IndexMap<Name, Value>) {
        let place = |name: &Name| self.0.get_index_of(name).unwrap_or(usize::MAX);
        if !members.keys().is_sorted_by_key(place) {
            members.sort_by(|a, _, b, _| place(a).cmp(&place(b)));
        }
    }

    /// What was asked for only to be asked is last: it has no place.
    fn drop_added(&self, members: &mut IndexMap<Name, Value>) {
        let is_added = |name: &Name| name == PRESENT && !self.0.contains_key(name);
        if members.last().is_some_and(|(name, _)| is_added(name)) {
            members.pop();
        }
    }

    fn add(&mut self, document: &ExecutableDocument, selections: &SelectionSet) {
        for selection in &selections.items {
            match &selection.node {
                Selection::Field(field) => {
                    let name = field.node.response_key().node.clone();
                    let inner = self.0.entry(name).or_default();
                    inner.add(document, &field.node.selection_set.node);
                }
                Selection::InlineFragment(fragment) => {
                    self.add(document, &fragment.node.selection_set.node);
                }
                Selection::FragmentSpread(spread) => {
                    let name = &spread.node.fragment_name.node;
                    if let Some(fragment) = document.fragments.get(name) {
                        self.add(document, &fragment.node.selection_set.node);
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use async_graphql::parser::parse_query;
    use serde_json::json;

    use super::*;

    fn ordered(query: &str, data: serde_json::Value) -> String {
        let mut value = Value::from_json(data).unwrap();
        Order::of(&parse_query(query).unwrap(), None).apply(&mut value);
        serde_json::to_string(&value).unwrap()
    }

    #[test]
    fn members_stand_as_they_were_asked_for() {
        let query = "{ z: a y { c b } ...F ... on Query { x } } fragment F on Query { w y { d } }";
        let mut value = Value::Object(IndexMap::new());
        if let Value::Object(members) = &mut value {
            let inner = Value::from_json(json!([{"d": 1, "b": 2, "c": 3}, null])).unwrap();
            for (name, value) in
                [("x", 1.into()), ("w", 2.into()), ("y", inner), ("z", Value::Null)]
            {
                members.insert(Name::new(name), value);
            }
        }
        Order::of(&parse_query(query).unwrap(), None).apply(&mut value);
        let text = serde_json::to_string(&value).unwrap();
        assert_eq!(text, r#"{"z":null,"y":[{"c":3,"b":2,"d":1},null],"w":2,"x":1}"#);
    }

    #[test]
    fn a_custom_scalar_keeps_its_own_order() {
        assert_eq!(ordered("{ a }", json!({"a": {"y": 1, "x": 2}})), r#"{"a":{"x":2,"y":1}}"#);
    }

    #[test]
    fn only_the_named_operation_counts() {
        let document = parse_query("query A { a b } query B { b a }").unwrap();
        let order = Order::of(&document, Some("B"));
        let names: Vec<&str> = order.0.keys().map(Name::as_str).collect();
        assert_eq!(names, ["b", "a"]);
    }
}
