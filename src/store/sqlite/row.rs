//! Between rows and values.

use std::str::FromStr;

use chrono::{DateTime, Utc};

use crate::store::Error;
use crate::unified::{ContactId, Link, System};

/// A row of `link`.
#[derive(sqlx::FromRow)]
pub(super) struct LinkRow {
    system: String,
    key: String,
    contact: String,
    email: Option<String>,
    phone: Option<String>,
}

pub(super) fn link(row: LinkRow) -> Result<Link, Error> {
    let LinkRow { system, key, contact, email, phone } = row;
    let system = System::ALL
        .into_iter()
        .find(|known| known.as_str() == system)
        .ok_or(Error::Inconsistent { table: "link", column: "system" })?;
    Ok(Link { system, key, contact: contact_id(&contact)?, email, phone })
}

pub(super) fn contact_id(text: &str) -> Result<ContactId, Error> {
    ContactId::from_str(text).map_err(|_| Error::Inconsistent { table: "contact", column: "id" })
}

pub(super) fn contact_ids(rows: &[String]) -> Result<Vec<ContactId>, Error> {
    rows.iter().map(|row| contact_id(row)).collect()
}

/// A time from a row; those that no calendar holds were not written by us.
pub(super) fn time(
    millis: i64,
    table: &'static str,
    column: &'static str,
) -> Result<DateTime<Utc>, Error> {
    DateTime::from_timestamp_millis(millis).ok_or(Error::Inconsistent { table, column })
}

/// Values as one JSON parameter, which `json_each` opens: a statement whose text does not depend on
/// how many there are stays prepared.
pub(super) fn json(values: impl serde::Serialize) -> Result<String, Error> {
    serde_json::to_string(&values).map_err(|error| sqlx::Error::Encode(error.into()).into())
}
