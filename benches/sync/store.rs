//! Beside the gateway at its store: marks everybody, and counts what is left.
//!
//! Statements of the program's own tables: what they are called is in its migrations.

#[cfg(feature = "postgres")]
use anyhow::Context;
use sqlx::sqlite::SqlitePool;

const RUN: &str = "INSERT INTO sync_settings (workspace, state, body)
    SELECT id, 'RUNNING', '{\"state\":\"RUNNING\",\"paused_to_doppler\":false,\"paused_to_highlevel\":false,\"paused_fields\":[],\"changed_at\":null}'
    FROM workspace WHERE true ON CONFLICT (workspace) DO NOTHING";
/// The gateway before was killed: what it had leased would wait for a minute.
const MARK: &str = "INSERT INTO work (workspace, kind, key, priority, gen, due_at)
    SELECT workspace, 'contact', id, 1, 1, 0 FROM contact WHERE survivor IS NULL
    ON CONFLICT (key, kind, workspace) DO UPDATE SET gen = work.gen + 1,
      due_at = 0, priority = 1, attempt = 0, dead = 0, last_error = NULL, lease = NULL,
      lease_until = 0";
/// What is due again later is not waited for: a next attempt, or a look at what was written.
const OPEN: &str = "SELECT count(*) FROM work WHERE gen > done_gen AND dead = 0 AND due_at = 0";
const FAILED: &str = "SELECT count(*) FROM work WHERE gen > done_gen AND last_error IS NOT NULL";

/// The work table.
pub enum Marks {
    Sqlite(SqlitePool),
    #[cfg(feature = "postgres")]
    Postgres(sqlx::PgPool),
}

impl Marks {
    /// Of a store that a gateway has made.
    pub async fn open(url: &str) -> anyhow::Result<Self> {
        #[cfg(feature = "postgres")]
        if url.starts_with("postgres") {
            return Ok(Self::Postgres(sqlx::PgPool::connect(url).await?));
        }
        Ok(Self::Sqlite(SqlitePool::connect(url).await?))
    }

    /// Marks everybody; how many there are. No gateway may be at work.
    pub async fn mark_all(&self) -> anyhow::Result<usize> {
        let marked = match self {
            Self::Sqlite(pool) => {
                sqlx::query(RUN).execute(pool).await?;
                sqlx::query(MARK).execute(pool).await?.rows_affected()
            }
            #[cfg(feature = "postgres")]
            Self::Postgres(pool) => {
                sqlx::query(RUN).execute(pool).await?;
                let marked = sqlx::query(MARK).execute(pool).await?.rows_affected();
                sqlx::query("ANALYZE").execute(pool).await?;
                marked
            }
        };
        Ok(usize::try_from(marked)?)
    }

    /// How many were not tried yet.
    pub async fn open_work(&self) -> anyhow::Result<usize> {
        self.count(OPEN).await
    }

    /// How many did not work.
    pub async fn failed(&self) -> anyhow::Result<usize> {
        self.count(FAILED).await
    }

    async fn count(&self, sql: &'static str) -> anyhow::Result<usize> {
        let (count,): (i64,) = match self {
            Self::Sqlite(pool) => sqlx::query_as(sql).fetch_one(pool).await?,
            #[cfg(feature = "postgres")]
            Self::Postgres(pool) => sqlx::query_as(sql).fetch_one(pool).await?,
        };
        Ok(usize::try_from(count)?)
    }

    pub async fn close(self) -> anyhow::Result<()> {
        match self {
            Self::Sqlite(pool) => pool.close().await,
            #[cfg(feature = "postgres")]
            Self::Postgres(pool) => pool.close().await,
        }
        Ok(())
    }
}

/// A schema of PostgreSQL, made for one run.
pub struct Schema {
    pub url: String,
    #[cfg(feature = "postgres")]
    name: String,
    #[cfg(feature = "postgres")]
    server: String,
}

#[cfg(feature = "postgres")]
impl Schema {
    pub async fn make(server: &str) -> anyhow::Result<Self> {
        let name = format!("bench_{}", std::process::id());
        run(server, format!("CREATE SCHEMA {name}")).await?;
        let join = if server.contains('?') { '&' } else { '?' };
        let url = format!("{server}{join}options=-c%20search_path%3D{name}");
        Ok(Self { url, name, server: server.to_owned() })
    }

    pub async fn remove(self) -> anyhow::Result<()> {
        run(&self.server, format!("DROP SCHEMA {} CASCADE", self.name)).await
    }
}

#[cfg(feature = "postgres")]
async fn run(server: &str, statement: String) -> anyhow::Result<()> {
    let pool = sqlx::PgPool::connect(server).await.context("cannot reach PostgreSQL")?;
    sqlx::query(sqlx::AssertSqlSafe(statement)).execute(&pool).await?;
    pool.close().await;
    Ok(())
}

#[cfg(not(feature = "postgres"))]
impl Schema {
    pub async fn make(_: &str) -> anyhow::Result<Self> {
        anyhow::bail!("this build has no PostgreSQL")
    }

    pub async fn remove(self) -> anyhow::Result<()> {
        Ok(())
    }
}
