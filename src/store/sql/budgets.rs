//! Call budgets that several gateways share.

use async_trait::async_trait;

use super::SqlStore;
use super::arg::args;
use crate::store::budgets::BudgetChange;
use crate::store::{Budgets, Error};
use crate::unified::WorkspaceId;

/// Waits for whoever is at it. `$1` workspace, `$2` key.
const KEPT: &str = "SELECT body FROM budget WHERE workspace = $1 AND key = $2 /*pg FOR UPDATE */";

#[async_trait]
impl Budgets for SqlStore {
    async fn change_budget(
        &self,
        workspace: &WorkspaceId,
        key: &str,
        change: BudgetChange<'_>,
    ) -> Result<(), Error> {
        let mut tx = self.db.write().await?;
        let mut kept: Option<(Option<String>,)> = tx.one(KEPT, args![workspace, key]).await?;
        if kept.is_none() {
            // Two may come to this point at once: one of them finds what the other has made.
            tx.run(
                "INSERT INTO budget (workspace, key) VALUES ($1, $2)
                 ON CONFLICT (key, workspace) DO NOTHING",
                args![workspace, key],
            )
            .await?;
            kept = tx.one(KEPT, args![workspace, key]).await?;
        }
        let body = change(kept.and_then(|(body,)| body).as_deref());
        tx.run(
            "UPDATE budget SET body = $3 WHERE workspace = $1 AND key = $2",
            args![workspace, key, body],
        )
        .await?;
        tx.commit().await
    }
}
