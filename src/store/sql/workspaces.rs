//! The rows of workspaces.

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use super::arg::args;
use super::db::Tx;
use super::{SqlStore, row};
use crate::store::{Error, Workspace, Workspaces};
use crate::unified::WorkspaceId;

/// `id, name, created_at`.
type Row = (String, String, i64);

#[async_trait]
impl Workspaces for SqlStore {
    async fn find_workspace(&self, id: &WorkspaceId) -> Result<Option<Workspace>, Error> {
        let sql = "SELECT id, name, created_at FROM workspace WHERE id = $1";
        let row: Option<Row> = self.db.one(sql, args![id]).await?;
        row.map(workspace).transpose()
    }

    async fn workspaces(
        &self,
        after: Option<&WorkspaceId>,
        limit: u32,
    ) -> Result<Vec<Workspace>, Error> {
        let rows: Vec<Row> = match after {
            Some(after) => self.db.all(AFTER, args![after, limit]).await?,
            None => self.db.all(FIRST, args![limit]).await?,
        };
        rows.into_iter().map(workspace).collect()
    }

    async fn create_workspace(
        &self,
        Workspace { id, name, created_at }: &Workspace,
    ) -> Result<bool, Error> {
        let mut tx = self.db.write().await?;
        let made = tx
            .run(
                "INSERT INTO workspace (id, name, created_at) VALUES ($1, $2, $3)
                 ON CONFLICT DO NOTHING",
                args![id, name, *created_at],
            )
            .await?;
        count(&mut tx, id).await?;
        tx.commit().await?;
        Ok(made > 0)
    }
}

/// Begins to count what the workspace has, unless it is counted already.
pub(super) async fn count(tx: &mut Tx, id: &WorkspaceId) -> Result<(), Error> {
    tx.run(
        "INSERT INTO counter (workspace) SELECT id FROM workspace WHERE id = $1
         ON CONFLICT (workspace) DO NOTHING",
        args![id],
    )
    .await?;
    Ok(())
}

fn workspace((id, name, at): Row) -> Result<Workspace, Error> {
    let created_at: DateTime<Utc> = row::time(at, "workspace", "created_at")?;
    Ok(Workspace { id: WorkspaceId::from(id.as_str()), name, created_at })
}

const FIRST: &str = "
    SELECT id, name, created_at FROM workspace ORDER BY created_at, id LIMIT $1";

const AFTER: &str = "
    SELECT w.id, w.name, w.created_at FROM workspace AS w
    JOIN workspace AS a ON a.id = $1
    WHERE w.created_at > a.created_at OR (w.created_at = a.created_at AND w.id > a.id)
    ORDER BY w.created_at, w.id LIMIT $2";
