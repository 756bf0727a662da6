//! Cutting a list that is already at hand into pages.

use async_graphql::connection::{Connection, DefaultConnectionName, Edge, EmptyFields};
use async_graphql::{OutputType, Result};

use crate::contacts::Error;

/// How many edges a page holds when the client does not say.
pub const DEFAULT_FIRST: i32 = 20;
/// And at most.
pub const MOST_FIRST: i32 = 100;

/// A checked `first`.
pub fn page_size(first: Option<i32>) -> Result<u32, Error> {
    let first = first.unwrap_or(DEFAULT_FIRST);
    u32::try_from(first)
        .ok()
        .filter(|_| first <= MOST_FIRST)
        .ok_or_else(|| Error::invalid("first", format!("0 to {MOST_FIRST}, not {first}")))
}

/// A page of `items`. A cursor is an item's own key, so that it stays good when others come or go.
pub fn paginate<T, N>(
    items: &[T],
    first: Option<i32>,
    after: Option<&str>,
    key: impl Fn(&T) -> String,
    node: impl Fn(&T) -> N,
) -> Result<Connection<String, N>>
where
    N: OutputType,
    DefaultConnectionName: async_graphql::connection::ConnectionNameType,
{
    let first = page_size(first)? as usize;
    let start = match after {
        None => 0,
        Some(after) => {
            let place = items.iter().position(|item| key(item) == after);
            1 + place.ok_or_else(|| Error::invalid("after", "not a cursor of this list"))?
        }
    };
    let page = items.iter().skip(start).take(first);
    let mut connection = Connection::new(start > 0, start + first < items.len());
    connection
        .edges
        .extend(page.map(|item| Edge::with_additional_fields(key(item), node(item), EmptyFields)));
    Ok(connection)
}
