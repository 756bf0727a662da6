//! What async-graphql 7.2 does not do with a document, done to it between the limits and execution.
//!
//! 1. It does not validate `__typename`: a directive on it may be unknown or there twice, and a variable
//!    that only stands there counts as unused. So `__typename @a` becomes `... @a { __typename }`, which
//!    means the same and is validated. What cannot be rewritten is refused here: arguments and
//!    selections of `__typename`, and directives on a variable, which it does not look at either.
//! 2. It answers `null` for an object none of whose fields is to be shown: all are skipped, or in
//!    fragments on other types. By the specification that object is `{}`. So what may come to nothing
//!    is asked for one more field, [`PRESENT`], and [`Order`](super::order::Order) takes it out of the
//!    answer.

use std::mem;

use async_graphql::parser::types::{
    DocumentOperations, ExecutableDocument, Field, InlineFragment, OperationDefinition,
    OperationType, Selection, SelectionSet,
};
use async_graphql::{Name, Pos, Positioned, Request, ServerError};

use super::error::{ErrorCode, refusal};

/// What the added field is called. Names with two underscores are not the clients' to give.
pub const PRESENT: &str = "__tandem";

const TYPENAME: &str = "__typename";

/// Refuses what validation would overlook, and completes the request's document. It must have passed
/// the limits, and must be looked at by nobody but the executor afterwards.
pub fn complete(request: &mut Request) -> Result<(), ServerError> {
    let document = request.parsed_query()?;
    for (_, operation) in document.operations.iter() {
        check_variables(&operation.node)?;
    }
    let mut needed = false;
    for (set, of_object) in sets(document) {
        needed |= check(set, of_object)?;
    }
    if needed {
        let mut document = document.clone();
        change(&mut document);
        request.set_parsed_query(document);
    }
    Ok(())
}

fn check_variables(operation: &OperationDefinition) -> Result<(), ServerError> {
    let mut definitions = operation.variable_definitions.iter();
    match definitions.find_map(|definition| definition.node.directives.first()) {
        // The schema has none for that place.
        Some(directive) => {
            let name = &directive.node.name.node;
            Err(invalid(
                &format!("the directive @{name} may not stand on a variable"),
                directive.pos,
            ))
        }
        None => Ok(()),
    }
}

/// The selection sets of operations and fragments, and whether each is all that is asked of an object.
/// Of a subscription nothing can be asked beside its one field.
fn sets(document: &ExecutableDocument) -> impl Iterator<Item = (&SelectionSet, bool)> {
    let operations = document.operations.iter().map(|(_, operation)| {
        let operation = &operation.node;
        (&operation.selection_set.node, operation.ty != OperationType::Subscription)
    });
    let fragments = document.fragments.values().map(|it| (&it.node.selection_set.node, false));
    operations.chain(fragments)
}

/// Whether anything in the set has to change.
fn check(set: &SelectionSet, of_object: bool) -> Result<bool, ServerError> {
    let mut needed = of_object && may_be_empty(set);
    for item in &set.items {
        needed |= match &item.node {
            Selection::Field(field) if is_typename(&field.node) => {
                let Field { arguments, selection_set, directives, .. } = &field.node;
                if !arguments.is_empty() || !selection_set.node.items.is_empty() {
                    let message = "__typename has neither arguments nor fields";
                    return Err(invalid(message, field.pos));
                }
                !directives.is_empty()
            }
            Selection::Field(field) => {
                let inner = &field.node.selection_set.node;
                !inner.items.is_empty() && check(inner, true)?
            }
            Selection::InlineFragment(inline) => check(&inline.node.selection_set.node, false)?,
            Selection::FragmentSpread(_) => false,
        };
    }
    Ok(needed)
}

/// Whether all of it may be skipped or be of another type.
fn may_be_empty(set: &SelectionSet) -> bool {
    !set.items.iter().any(|item| match &item.node {
        Selection::Field(field) => field.node.directives.is_empty(),
        Selection::InlineFragment(_) | Selection::FragmentSpread(_) => false,
    })
}

fn change(document: &mut ExecutableDocument) {
    let change_operation = |operation: &mut Positioned<OperationDefinition>| {
        let operation = &mut operation.node;
        let of_object = operation.ty != OperationType::Subscription;
        change_set(&mut operation.selection_set, of_object);
    };
    match &mut document.operations {
        DocumentOperations::Single(operation) => change_operation(operation),
        DocumentOperations::Multiple(all) => all.values_mut().for_each(change_operation),
    }
    for fragment in document.fragments.values_mut() {
        change_set(&mut fragment.node.selection_set, false);
    }
}

fn change_set(set: &mut Positioned<SelectionSet>, of_object: bool) {
    let is_short = of_object && may_be_empty(&set.node);
    for item in &mut set.node.items {
        match &mut item.node {
            Selection::Field(field) if is_typename(&field.node) => {
                if !field.node.directives.is_empty() {
                    item.node = wrapped(field);
                }
            }
            Selection::Field(field) if field.node.selection_set.node.items.is_empty() => {}
            Selection::Field(field) => change_set(&mut field.node.selection_set, true),
            Selection::InlineFragment(inline) => {
                change_set(&mut inline.node.selection_set, false);
            }
            Selection::FragmentSpread(_) => {}
        }
    }
    if is_short {
        let field = Selection::Field(Positioned::new(present(set.pos), set.pos));
        set.node.items.push(Positioned::new(field, set.pos));
    }
}

/// The field in a fragment that has its directives.
fn wrapped(field: &mut Positioned<Field>) -> Selection {
    let at = field.pos;
    let directives = mem::take(&mut field.node.directives);
    let items = vec![Positioned::new(Selection::Field(field.clone()), at)];
    let selection_set = Positioned::new(SelectionSet { items }, at);
    let fragment = InlineFragment { type_condition: None, directives, selection_set };
    Selection::InlineFragment(Positioned::new(fragment, at))
}

fn present(at: Pos) -> Field {
    Field {
        alias: Some(Positioned::new(Name::new(PRESENT), at)),
        name: Positioned::new(Name::new(TYPENAME), at),
        arguments: Vec::new(),
        directives: Vec::new(),
        selection_set: Positioned::new(SelectionSet::default(), at),
    }
}

fn is_typename(field: &Field) -> bool {
    field.name.node == TYPENAME
}

fn invalid(message: &str, at: Pos) -> ServerError {
    let mut error = refusal(message, ErrorCode::GraphqlValidationFailed);
    error.locations.push(at);
    error
}
