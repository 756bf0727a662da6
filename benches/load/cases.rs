//! What is asked in each case, and what a right answer is.

use anyhow::{Context, ensure};
use serde_json::{Value, json};
use tandem::sandbox::credentials::HIGHLEVEL_LOCATION;

use crate::catalog::{Catalog, PAGE, search, upstream};
use crate::client::request;

const ONE: &str =
    "query One($id: String!) { contact(by: {highlevelId: $id}) { id email firstName lastName } }";
const LIST: &str = "query Page($after: String) { contacts(first: 20, after: $after, source: HIGHLEVEL) { \
                    nodes { id email notes { nodes { body } } tasks { nodes { title } } } } }";

/// One kind of question.
pub struct Case {
    pub key: &'static str,
    pub title: &'static str,
    /// Sent with `Cache-Control: no-cache`.
    pub live: bool,
    /// Upstream calls that a server without a cache makes for one answer.
    pub calls: f64,
    /// The same where the tasks of a page are one call (the sandbox has at most two a person).
    pub batched: f64,
    ask: Ask,
}

#[derive(Clone, Copy, PartialEq)]
enum Ask {
    One,
    List,
    Constant,
}

/// All cases, in the order of the table.
pub const CASES: [Case; 6] = [
    Case {
        key: "contact",
        title: "changing contact",
        live: true,
        calls: 1.0,
        batched: 1.0,
        ask: Ask::One,
    },
    Case {
        key: "same-contact",
        title: "same contact",
        live: false,
        calls: 1.0,
        batched: 1.0,
        ask: Ask::One,
    },
    Case {
        key: "list",
        title: "changing list of 20",
        live: true,
        calls: 41.0,
        batched: 22.0,
        ask: Ask::List,
    },
    Case {
        key: "same-list",
        title: "same list of 20",
        live: false,
        calls: 41.0,
        batched: 22.0,
        ask: Ask::List,
    },
    Case {
        key: "constant",
        title: "constant",
        live: false,
        calls: 0.0,
        batched: 0.0,
        ask: Ask::Constant,
    },
    Case {
        key: "constant-live",
        title: "constant, no-cache",
        live: true,
        calls: 0.0,
        batched: 0.0,
        ask: Ask::Constant,
    },
];

impl Case {
    /// The requests, for the gateway or for a server that takes HighLevel's own cursors.
    pub fn requests(&self, catalog: &Catalog, for_gateway: bool) -> Vec<Vec<u8>> {
        let bodies: Vec<Value> = match self.ask {
            Ask::One => {
                let ids = catalog.ids.iter();
                ids.map(|id| json!({"query": ONE, "variables": {"id": id}})).collect()
            }
            Ask::List => {
                let starts = catalog.pages.iter();
                let after =
                    starts.map(|at| if for_gateway { &at.cursor } else { &at.search_after });
                after.map(|at| json!({"query": LIST, "variables": {"after": at}})).collect()
            }
            Ask::Constant => vec![json!({"query": "{ __typename }"})],
        };
        let headers: &[_] = if self.live { &[("cache-control", "no-cache")] } else { &[] };
        let take = if self.live { bodies.len() } else { 1 };
        let bodies = bodies.iter().take(take);
        bodies.map(|body| request("POST", "/graphql", headers, &body.to_string())).collect()
    }

    /// Refuses an answer with errors or gaps.
    pub fn inspect(&self, body: &[u8]) -> anyhow::Result<()> {
        let answer: Value = serde_json::from_slice(body)?;
        ensure!(answer.get("errors").is_none(), "errors");
        let data = &answer["data"];
        match self.ask {
            Ask::One => ensure!(data["contact"]["email"].is_string(), "no contact"),
            Ask::List => {
                let nodes = data["contacts"]["nodes"].as_array().context("no list")?;
                ensure!(nodes.len() == PAGE, "{} people", nodes.len());
                for node in nodes {
                    ensure!(node["email"].is_string(), "no e-mail address");
                    ensure!(node["notes"]["nodes"].is_array(), "no notes");
                    ensure!(node["tasks"]["nodes"].is_array(), "no tasks");
                }
            }
            Ask::Constant => ensure!(data["__typename"] == "Query", "another constant"),
        }
        Ok(())
    }

    /// What must be alike in all servers' answers: all but the ids, the case of letters, since the
    /// gateway normalises addresses, and the order of tasks, which it sorts.
    pub fn gist(&self, body: &[u8]) -> anyhow::Result<Value> {
        let mut answer = serde_json::from_str(&std::str::from_utf8(body)?.to_lowercase())?;
        forget(&mut answer);
        Ok(answer)
    }
}

/// Takes out what may differ.
fn forget(value: &mut Value) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(forget),
        Value::Object(members) => {
            members.remove("id");
            if let Some(Value::Array(tasks)) =
                members.get_mut("tasks").and_then(|tasks| tasks.get_mut("nodes"))
            {
                tasks.sort_by_key(ToString::to_string);
            }
            members.values_mut().for_each(forget);
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// The three kinds of calls that the cases lead to, straight to the upstream.
pub fn upstream_cases(catalog: &Catalog) -> [(&'static str, Vec<Vec<u8>>); 3] {
    let each = |suffix: &str| -> Vec<Vec<u8>> {
        let paths = catalog.ids.iter().map(|id| format!("/highlevel/contacts/{id}{suffix}"));
        paths.map(|path| upstream("GET", &path, "")).collect()
    };
    let pages = catalog.pages.iter().map(|start| {
        let after: Value = serde_json::from_str(&start.search_after).unwrap_or_default();
        search(&json!({"locationId": HIGHLEVEL_LOCATION, "pageLimit": PAGE, "searchAfter": after}))
    });
    [
        ("upstream: contact", each("")),
        ("upstream: notes", each("/notes")),
        ("upstream: search of 20", pages.collect()),
    ]
}
