//! Who is in the sandbox, so that requests can change: ids, and the cursors before pages on which
//! everybody has an e-mail address in HighLevel. (For the others the gateway asks Doppler as well,
//! which no baseline does.)

use std::collections::HashMap;
use std::net::SocketAddr;

use anyhow::Context;
use serde_json::{Value, json};
use tandem::sandbox::credentials::{HIGHLEVEL_LOCATION, HIGHLEVEL_TOKEN};

use crate::client::{Connection, request};

/// How many people a page of the list cases holds.
pub const PAGE: usize = 20;
/// How many single people are asked for in turn.
const SINGLES: usize = 1000;

/// What requests can ask for.
pub struct Catalog {
    pub ids: Vec<String>,
    pub pages: Vec<Start>,
}

/// What stands before a page.
pub struct Start {
    /// In the gateway's listing.
    pub cursor: String,
    /// In HighLevel's own, as JSON.
    pub search_after: String,
}

/// One person of HighLevel's listing.
struct Row {
    id: String,
    has_email: bool,
    search_after: String,
}

impl Catalog {
    /// Reads the whole listing from the sandbox and, for the cursors, from a gateway.
    pub async fn read(sandbox: SocketAddr, gateway: SocketAddr) -> anyhow::Result<Self> {
        let rows = rows(sandbox).await?;
        let cursors = cursors(gateway).await?;
        let with_email = rows.iter().filter(|row| row.has_email);
        let ids = with_email.map(|row| row.id.clone()).take(SINGLES).collect();
        let mut pages = Vec::new();
        let mut place = 1;
        while place + PAGE <= rows.len() {
            if let Some(gap) = rows[place..place + PAGE].iter().position(|row| !row.has_email) {
                place += gap + 1;
                continue;
            }
            let before = &rows[place - 1];
            if let Some(cursor) = cursors.get(&before.id) {
                let (cursor, search_after) = (cursor.clone(), before.search_after.clone());
                pages.push(Start { cursor, search_after });
            }
            place += PAGE;
        }
        Ok(Self { ids, pages })
    }
}

/// HighLevel's listing, newest first.
async fn rows(sandbox: SocketAddr) -> anyhow::Result<Vec<Row>> {
    let mut connection = Connection::open(sandbox).await?;
    let mut rows: Vec<Row> = Vec::new();
    loop {
        let mut body = json!({"locationId": HIGHLEVEL_LOCATION, "pageLimit": 500});
        if let Some(last) = rows.last() {
            body["searchAfter"] = serde_json::from_str(&last.search_after)?;
        }
        let page: Value = serde_json::from_slice(connection.exchange(&search(&body)).await?)?;
        let found = page["contacts"].as_array().context("no contacts")?;
        if found.is_empty() {
            return Ok(rows);
        }
        for row in found {
            rows.push(Row {
                id: row["id"].as_str().context("no id")?.to_owned(),
                has_email: row["email"].is_string(),
                search_after: row["searchAfter"].to_string(),
            });
        }
    }
}

/// The gateway's cursor of each HighLevel contact.
async fn cursors(gateway: SocketAddr) -> anyhow::Result<HashMap<String, String>> {
    let query = "query ($after: String) { contacts(first: 100, after: $after, source: HIGHLEVEL) { \
                 edges { cursor node { highlevel { contactId } } } pageInfo { hasNextPage } } }";
    let mut connection = Connection::open(gateway).await?;
    let mut cursors = HashMap::new();
    let mut after = Value::Null;
    loop {
        let page = connection.ask(query, &json!({"after": after})).await?["contacts"].take();
        for edge in page["edges"].as_array().with_context(|| page.to_string())? {
            let id = edge["node"]["highlevel"]["contactId"].as_str().context("no id")?;
            after = edge["cursor"].clone();
            cursors.insert(id.to_owned(), after.as_str().context("no cursor")?.to_owned());
        }
        if page["pageInfo"]["hasNextPage"] != true {
            return Ok(cursors);
        }
    }
}

/// A call of HighLevel's search.
pub fn search(body: &Value) -> Vec<u8> {
    upstream("POST", "/highlevel/contacts/search", &body.to_string())
}

/// A call of HighLevel.
pub fn upstream(method: &str, path: &str, body: &str) -> Vec<u8> {
    let token = format!("Bearer {HIGHLEVEL_TOKEN}");
    let headers =
        [("authorization", &*token), ("version", "2021-07-28"), ("accept", "application/json")];
    request(method, path, &headers, body)
}
