//! What a reconcile would do, and why.

use std::sync::Arc;

use async_graphql::SimpleObject;

use super::enums::SyncActionKind;
use crate::contacts::{self, Person};
use crate::graphql::mutation::UserError;
use crate::graphql::types::{Contact, MappingRule, SystemName};

/// What a reconcile of one person would do now. Nothing is written to make it.
#[derive(SimpleObject)]
pub struct SyncPlan {
    /// The person.
    contact: Option<Contact>,
    /// What would be done, in order; empty when both systems agree.
    actions: Vec<SyncAction>,
    /// What else to know, in words, such as why a field stays different.
    reasons: Vec<String>,
}

/// One thing that would be done in one system.
#[derive(SimpleObject)]
pub struct SyncAction {
    /// In which system.
    system: SystemName,
    /// What.
    kind: SyncActionKind,
    /// The fields it is about.
    fields: Vec<PlannedField>,
    /// Why, for example `HighLevel owns firstName and has another value`.
    reason: String,
}

/// A field before and after.
#[derive(SimpleObject)]
pub struct PlannedField {
    /// The mapping's name of it, for example `firstName`.
    field: String,
    /// What the system holds.
    before: Option<String>,
    /// What it would hold.
    after: Option<String>,
    /// The rule that decided, where one did.
    rule: Option<MappingRule>,
    /// Why, in words.
    reason: Option<String>,
}

/// One real person under a mapping that may not be saved yet.
#[derive(SimpleObject)]
pub struct MappingPreview {
    /// The person.
    contact: Option<Contact>,
    /// What would change, field by field.
    fields: Vec<PlannedField>,
    /// What is wrong with the mapping, or could not be written.
    problems: Vec<UserError>,
}

impl From<(Arc<Person>, contacts::Preview)> for MappingPreview {
    fn from((person, preview): (Arc<Person>, contacts::Preview)) -> Self {
        Self {
            contact: Some(Contact::new(person)),
            fields: preview.fields.into_iter().map(Into::into).collect(),
            problems: preview.problems.into_iter().map(Into::into).collect(),
        }
    }
}

impl SyncPlan {
    /// An example out of a run's preview. Of the person what was last known is shown: looking at
    /// examples costs no call.
    pub fn sample(contacts::Sample { person, sample }: contacts::Sample) -> Self {
        Self {
            contact: person.map(Contact::remembered),
            actions: sample.actions.into_iter().map(Into::into).collect(),
            reasons: sample.reasons,
        }
    }

    /// A plan as the schema shows it.
    pub fn new(person: Option<Arc<Person>>, plan: contacts::Plan) -> Self {
        Self {
            contact: person.map(Contact::new),
            actions: plan.actions.into_iter().map(Into::into).collect(),
            reasons: plan.reasons,
        }
    }
}

impl From<contacts::Action> for SyncAction {
    fn from(action: contacts::Action) -> Self {
        Self {
            system: action.system.into(),
            kind: action.kind.into(),
            fields: action.fields.into_iter().map(Into::into).collect(),
            reason: action.reason,
        }
    }
}

impl From<contacts::PlannedField> for PlannedField {
    fn from(planned: contacts::PlannedField) -> Self {
        Self {
            field: planned.field,
            before: planned.before,
            after: planned.after,
            rule: Some(planned.rule.into()),
            reason: planned.reason,
        }
    }
}
