//! The baseline: what one writes in an afternoon with async-graphql and reqwest. One resolver a
//! field, one upstream call a relation, all of them at once.
//!
//! No limits, cache, budget, retries, metrics or logs. `permits` puts a semaphore before the calls,
//! and `batched` asks for the tasks of a page by one search, to show how much of a difference these
//! make alone: the latter makes exactly the calls that the gateway makes.

use std::net::SocketAddr;
use std::sync::Arc;

use async_graphql::{
    Context, EmptyMutation, EmptySubscription, Enum, Object, OneofObject, Schema, SimpleObject,
};
use axum::Router;
use axum::body::Bytes;
use axum::http::header::CONTENT_TYPE;
use axum::routing::{get, post};
use reqwest::Method;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tandem::sandbox::credentials::{HIGHLEVEL_LOCATION, HIGHLEVEL_TOKEN};
use tokio::sync::Semaphore;

struct Upstream {
    http: reqwest::Client,
    base: String,
    permits: Option<Semaphore>,
    batched: bool,
}

impl Upstream {
    async fn call<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> async_graphql::Result<T> {
        let _permit = match &self.permits {
            Some(permits) => Some(permits.acquire().await?),
            None => None,
        };
        let request = self.http.request(method, format!("{}{path}", self.base));
        let mut request = request.bearer_auth(HIGHLEVEL_TOKEN).header("version", "2021-07-28");
        if let Some(body) = body {
            request = request.json(body);
        }
        let request = request.build()?;
        Ok(self.http.execute(request).await?.error_for_status()?.json().await?)
    }

    async fn get<T: DeserializeOwned>(&self, path: &str) -> async_graphql::Result<T> {
        self.call(Method::GET, path, None).await
    }
}

fn upstream<'a>(context: &Context<'a>) -> async_graphql::Result<&'a Upstream> {
    context.data::<Arc<Upstream>>().map(|upstream| &**upstream)
}

struct Query;

#[Object]
impl Query {
    async fn contact(
        &self,
        context: &Context<'_>,
        by: ContactBy,
    ) -> async_graphql::Result<Option<Contact>> {
        let ContactBy::HighlevelId(id) = by;
        let found: ContactAnswer = upstream(context)?.get(&format!("/contacts/{id}")).await?;
        Ok(Some(found.contact))
    }

    async fn contacts(
        &self,
        context: &Context<'_>,
        first: u32,
        after: Option<String>,
        source: Option<Source>,
    ) -> async_graphql::Result<Nodes<Contact>> {
        let Source::Highlevel = source.unwrap_or(Source::Highlevel);
        let mut body = json!({"locationId": HIGHLEVEL_LOCATION, "pageLimit": first});
        if let Some(after) = after {
            body["searchAfter"] = serde_json::from_str(&after)?;
        }
        let upstream = upstream(context)?;
        let page: SearchAnswer =
            upstream.call(Method::POST, "/contacts/search", Some(&body)).await?;
        let mut nodes = page.contacts;
        if upstream.batched {
            let ids: Vec<&str> = nodes.iter().map(|contact| &*contact.id).collect();
            let body = json!({"contactId": ids, "limit": 100});
            let path = format!("/locations/{HIGHLEVEL_LOCATION}/tasks/search");
            let found: TasksAnswer = upstream.call(Method::POST, &path, Some(&body)).await?;
            nodes.iter_mut().for_each(|contact| contact.found = Some(Vec::new()));
            for task in found.tasks {
                let owner = nodes.iter_mut().find(|contact| contact.id == task.contact_id);
                owner
                    .into_iter()
                    .flat_map(|it| &mut it.found)
                    .for_each(|all| all.push(task.clone()));
            }
        }
        Ok(Nodes { nodes })
    }
}

/// Where a list comes from: here there is one place.
#[derive(Clone, Copy, Enum, Eq, PartialEq)]
#[graphql(name = "ContactSource")]
enum Source {
    Highlevel,
}

#[derive(OneofObject)]
enum ContactBy {
    HighlevelId(String),
}

#[derive(SimpleObject)]
#[graphql(concrete(name = "Contacts", params(Contact)))]
#[graphql(concrete(name = "Notes", params(Note)))]
#[graphql(concrete(name = "Tasks", params(Task)))]
struct Nodes<T: async_graphql::OutputType> {
    nodes: Vec<T>,
}

#[derive(Deserialize, SimpleObject)]
#[serde(rename_all = "camelCase")]
#[graphql(complex)]
struct Contact {
    id: String,
    email: Option<String>,
    first_name: Option<String>,
    last_name: Option<String>,
    /// The tasks that came along.
    #[serde(skip)]
    #[graphql(skip)]
    found: Option<Vec<Task>>,
}

#[async_graphql::ComplexObject]
impl Contact {
    async fn notes(&self, context: &Context<'_>) -> async_graphql::Result<Nodes<Note>> {
        let path = format!("/contacts/{}/notes", self.id);
        let answer: NotesAnswer = upstream(context)?.get(&path).await?;
        Ok(Nodes { nodes: answer.notes })
    }

    async fn tasks(&self, context: &Context<'_>) -> async_graphql::Result<Nodes<Task>> {
        if let Some(found) = &self.found {
            return Ok(Nodes { nodes: found.clone() });
        }
        let path = format!("/contacts/{}/tasks", self.id);
        let answer: TasksAnswer = upstream(context)?.get(&path).await?;
        Ok(Nodes { nodes: answer.tasks })
    }
}

#[derive(Deserialize, SimpleObject)]
struct Note {
    body: Option<String>,
}

#[derive(Clone, Deserialize, SimpleObject)]
#[serde(rename_all = "camelCase")]
struct Task {
    title: Option<String>,
    #[graphql(skip)]
    contact_id: String,
}

#[derive(Deserialize)]
struct ContactAnswer {
    contact: Contact,
}

#[derive(Deserialize)]
struct SearchAnswer {
    contacts: Vec<Contact>,
}

#[derive(Deserialize)]
struct NotesAnswer {
    notes: Vec<Note>,
}

#[derive(Deserialize)]
struct TasksAnswer {
    tasks: Vec<Task>,
}

/// Serves until killed.
pub async fn serve(
    listen: SocketAddr,
    base: String,
    permits: usize,
    batched: bool,
) -> anyhow::Result<()> {
    let http = reqwest::Client::builder().build()?;
    let permits = (permits > 0).then(|| Semaphore::new(permits));
    let upstream = Arc::new(Upstream { http, base, permits, batched });
    let schema = Schema::build(Query, EmptyMutation, EmptySubscription).data(upstream).finish();
    let graphql =
        post(move |body: Bytes| {
            let schema = schema.clone();
            async move {
                let answer =
                    match serde_json::from_slice::<async_graphql::Request>(&body) {
                        Ok(request) => schema.execute(request).await,
                        Err(error) => async_graphql::Response::from_errors(vec![
                            async_graphql::ServerError::new(error.to_string(), None),
                        ]),
                    };
                let bytes = serde_json::to_vec(&answer).unwrap_or_default();
                ([(CONTENT_TYPE, "application/json")], bytes)
            }
        });
    let router = Router::new().route("/graphql", graphql).route("/ready", get(async || "ready"));
    super::listen(listen, router).await
}
