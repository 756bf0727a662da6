//! Values on their way into a statement: whole numbers and texts, all that the tables hold.

use chrono::{DateTime, Utc};
use sqlx::{Arguments, Encode, Type};
use uuid::Uuid;

use crate::store::Error;
use crate::unified::{ContactId, EditId, System, WorkspaceId};

/// A parameter.
pub(in crate::store) enum Arg {
    Int(Option<i64>),
    Text(Option<String>),
}

/// The parameters of a statement, `$1` first.
macro_rules! args {
    ($($value:expr),* $(,)?) => { vec![$($crate::store::sql::arg::Arg::from($value)),*] };
}
pub(in crate::store) use args;

impl Arg {
    pub(super) fn sqlite(args: Vec<Self>) -> Result<sqlx::sqlite::SqliteArguments, Error> {
        bound(args)
    }

    /// PostgreSQL's texts cannot hold U+0000, which no name or address needs.
    #[cfg(feature = "postgres")]
    pub(super) fn postgres(mut args: Vec<Self>) -> Result<sqlx::postgres::PgArguments, Error> {
        for arg in &mut args {
            if let Self::Text(Some(text)) = arg
                && text.contains('\0')
            {
                *text = text.replace('\0', "\u{fffd}");
            }
        }
        bound(args)
    }
}

fn bound<A: Arguments>(args: Vec<Arg>) -> Result<A, Error>
where
    Option<i64>: for<'q> Encode<'q, A::Database> + Type<A::Database>,
    Option<String>: for<'q> Encode<'q, A::Database> + Type<A::Database>,
{
    let mut bound = A::default();
    for arg in args {
        let added = match arg {
            Arg::Int(int) => bound.add(int),
            Arg::Text(text) => bound.add(text),
        };
        added.map_err(sqlx::Error::Encode)?;
    }
    Ok(bound)
}

impl From<i64> for Arg {
    fn from(int: i64) -> Self {
        Self::Int(Some(int))
    }
}

impl From<Option<i64>> for Arg {
    fn from(int: Option<i64>) -> Self {
        Self::Int(int)
    }
}

impl From<u32> for Arg {
    fn from(int: u32) -> Self {
        Self::Int(Some(int.into()))
    }
}

impl From<bool> for Arg {
    fn from(yes: bool) -> Self {
        Self::Int(Some(yes.into()))
    }
}

/// As milliseconds since 1970.
impl From<DateTime<Utc>> for Arg {
    fn from(at: DateTime<Utc>) -> Self {
        Self::Int(Some(at.timestamp_millis()))
    }
}

impl From<Option<DateTime<Utc>>> for Arg {
    fn from(at: Option<DateTime<Utc>>) -> Self {
        Self::Int(at.map(|at| at.timestamp_millis()))
    }
}

impl From<&str> for Arg {
    fn from(text: &str) -> Self {
        Self::Text(Some(text.to_owned()))
    }
}

impl From<String> for Arg {
    fn from(text: String) -> Self {
        Self::Text(Some(text))
    }
}

impl From<&String> for Arg {
    fn from(text: &String) -> Self {
        Self::Text(Some(text.clone()))
    }
}

impl From<Option<&str>> for Arg {
    fn from(text: Option<&str>) -> Self {
        Self::Text(text.map(str::to_owned))
    }
}

impl From<Option<String>> for Arg {
    fn from(text: Option<String>) -> Self {
        Self::Text(text)
    }
}

impl From<&WorkspaceId> for Arg {
    fn from(id: &WorkspaceId) -> Self {
        id.as_str().into()
    }
}

impl From<ContactId> for Arg {
    fn from(id: ContactId) -> Self {
        id.to_string().into()
    }
}

impl From<Option<ContactId>> for Arg {
    fn from(id: Option<ContactId>) -> Self {
        Self::Text(id.map(|id| id.to_string()))
    }
}

impl From<EditId> for Arg {
    fn from(id: EditId) -> Self {
        id.0.into()
    }
}

/// Without hyphens, as contact ids are.
impl From<Uuid> for Arg {
    fn from(id: Uuid) -> Self {
        id.simple().to_string().into()
    }
}

impl From<Option<Uuid>> for Arg {
    fn from(id: Option<Uuid>) -> Self {
        Self::Text(id.map(|id| id.simple().to_string()))
    }
}

impl From<System> for Arg {
    fn from(system: System) -> Self {
        system.as_str().into()
    }
}

impl From<Option<System>> for Arg {
    fn from(system: Option<System>) -> Self {
        system.map(System::as_str).into()
    }
}
