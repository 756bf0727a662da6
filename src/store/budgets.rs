//! Call budgets that several gateways share.

use async_trait::async_trait;

use super::Error;
use crate::unified::WorkspaceId;

/// Makes the new text of the old one; `None`: there is none yet.
pub type BudgetChange<'a> = Box<dyn FnOnce(Option<&str>) -> String + Send + 'a>;

/// What gateways share of a system's budget: a text of theirs that only one changes at a time.
#[async_trait]
pub trait Budgets: Send + Sync {
    /// Changes what is kept under a key. After an error the change may have been made or not, and the
    /// function called or not.
    async fn change_budget(
        &self,
        workspace: &WorkspaceId,
        key: &str,
        change: BudgetChange<'_>,
    ) -> Result<(), Error>;
}
