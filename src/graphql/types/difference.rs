//! Where the systems disagree.

use async_graphql::SimpleObject;

use super::enums::{MappingRule, SystemName};
use crate::unified;

/// A field about which the systems disagree now.
#[derive(Clone, Debug, SimpleObject)]
pub struct FieldDifference {
    /// The unified name, for example `firstName` or `address.city`.
    field: String,
    /// What Doppler has.
    doppler: Option<String>,
    /// What HighLevel has.
    highlevel: Option<String>,
    /// Who wins.
    rule: MappingRule,
    /// Whose value counts under the rule `OWNER`.
    owner: Option<SystemName>,
    /// Why the difference lasts, where one system cannot hold what the other has.
    reason: Option<String>,
}

impl From<unified::Difference> for FieldDifference {
    fn from(difference: unified::Difference) -> Self {
        Self {
            field: difference.field,
            doppler: difference.doppler,
            highlevel: difference.highlevel,
            rule: difference.rule.into(),
            owner: difference.owner.map(Into::into),
            reason: difference.reason,
        }
    }
}
