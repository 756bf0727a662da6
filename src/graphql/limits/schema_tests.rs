//! The table of relations beside the schema as it is: a field that leads somewhere, or to many, and
//! is not in the table would be counted as nothing.

use async_graphql::parser::parse_schema;
use async_graphql::parser::types::{BaseType, Type, TypeKind, TypeSystemDefinition};

use super::relations::{Count, Kind, narrowed, rule};

/// What selecting from a type by its name means.
fn kind(name: &str) -> Kind {
    if name == "Node" { Kind::Node } else { narrowed(Kind::Leaf, name) }
}

/// The innermost type, and whether there is a list around it.
fn unwrapped(ty: &Type) -> (&str, bool) {
    match &ty.base {
        BaseType::Named(name) => (name, false),
        BaseType::List(inner) => (unwrapped(inner).0, true),
    }
}

#[test]
fn every_field_that_leads_somewhere_is_in_the_table() {
    let document = parse_schema(crate::graphql::sdl()).unwrap();
    let objects: Vec<_> = document
        .definitions
        .iter()
        .filter_map(|definition| {
            let TypeSystemDefinition::Type(ty) = definition else { return None };
            let TypeKind::Object(object) = &ty.node.kind else { return None };
            Some((ty.node.name.node.as_str(), &object.fields))
        })
        .collect();
    let is_object = |name: &str| name == "Node" || objects.iter().any(|(it, _)| *it == name);
    let mut faults = Vec::new();
    for (parent, fields) in &objects {
        for field in *fields {
            let (name, (to, list)) = (&field.node.name.node, unwrapped(&field.node.ty.node));
            let rule = rule(kind(parent), name);
            let leads = if is_object(to) { kind(to) } else { Kind::Leaf };
            let remembered = rule.into == Kind::Remembered && leads == Kind::Contact
                || rule.into == Kind::Sample && leads == Kind::Plan;
            if rule.into != leads && !remembered {
                faults.push(format!("{parent}.{name} leads to {leads:?}, not {:?}", rule.into));
            }
            let count = match rule.count {
                Count::One => !list && !to.ends_with("Connection"),
                Count::Page => to.ends_with("Connection"),
                Count::OfPage | Count::Ids | Count::List | Count::Tags => list,
            };
            // What a leaf lists is known without a call, and short.
            if !count && is_object(to) && kind(parent) != Kind::Leaf {
                faults.push(format!("{parent}.{name} is counted as {:?}", rule.count));
            }
        }
    }
    assert!(objects.len() > 20 && faults.is_empty(), "\n{}\n", faults.join("\n"));
}
