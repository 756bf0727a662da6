//! What a token allows: every operation says which scope it needs, and holds to it.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{EVERYTHING, ask, claims, code, good, guarded, signed, with};
use crate::world::World;

const SCHEMA: &str = "{ __schema {
    queryType { name } mutationType { name } subscriptionType { name }
    types { name kind isOneOf enumValues { name }
        fields { name description args { name type { ...T } } type { ...T } }
        inputFields { name type { ...T } } } } }
    fragment T on __Type { kind name ofType { kind name ofType { kind name ofType { kind name } } } }";

/// What needs no right beside a token that is good: what the token itself says. Of workspaces it is the
/// token's own, and more for operators only.
const FREE: [&str; 2] = ["viewer", "workspaces"];

struct Schema(BTreeMap<String, Value>);

impl Schema {
    async fn read(world: &World) -> (Self, Value) {
        let (_, answer) = ask(world, Some(&good(world, EVERYTHING)), SCHEMA).await;
        let schema = answer["data"]["__schema"].clone();
        let types = schema["types"].as_array().unwrap().iter();
        let named = types.map(|one| (one["name"].as_str().unwrap().to_owned(), one.clone()));
        (Self(named.collect()), schema)
    }

    /// A value of a type that is needed, as a document writes it.
    fn value(&self, of: &Value) -> String {
        match of["kind"].as_str().unwrap() {
            "NON_NULL" => self.value(&of["ofType"]),
            "LIST" => format!("[{}]", self.value(&of["ofType"])),
            "ENUM" => {
                let named = &self.0[of["name"].as_str().unwrap()];
                named["enumValues"][0]["name"].as_str().unwrap().to_owned()
            }
            "INPUT_OBJECT" => {
                let named = &self.0[of["name"].as_str().unwrap()];
                let fields = named["inputFields"].as_array().unwrap().iter();
                let one_of = named["isOneOf"] == true;
                let needed = fields.filter(|field| field["type"]["kind"] == "NON_NULL" || one_of);
                let take = if one_of { 1 } else { usize::MAX };
                let members: Vec<String> = needed
                    .take(take)
                    .map(|field| {
                        format!(
                            "{}: {}",
                            field["name"].as_str().unwrap(),
                            self.value(&field["type"])
                        )
                    })
                    .collect();
                format!("{{{}}}", members.join(", "))
            }
            _ => match of["name"].as_str().unwrap() {
                "Int" => "1".to_owned(),
                "Boolean" => "true".to_owned(),
                "DateTime" => "\"2026-11-24T12:00:00Z\"".to_owned(),
                "EmailAddress" => "\"ana.paz@example.com\"".to_owned(),
                _ => "\"x\"".to_owned(),
            },
        }
    }

    /// A document that asks for one root field alone.
    fn document(&self, kind: &str, field: &Value) -> String {
        let args = field["args"].as_array().unwrap().iter();
        let args: Vec<String> = args
            .filter(|arg| arg["type"]["kind"] == "NON_NULL")
            .map(|arg| format!("{}: {}", arg["name"].as_str().unwrap(), self.value(&arg["type"])))
            .collect();
        let args = if args.is_empty() { String::new() } else { format!("({})", args.join(", ")) };
        let (name, selection) = (field["name"].as_str().unwrap(), selection(&field["type"]));
        format!("{kind} {{ {name}{args} {selection} }}")
    }
}

/// A selection of a type, empty for a leaf.
fn selection(of: &Value) -> &'static str {
    match of["kind"].as_str().unwrap() {
        "NON_NULL" | "LIST" => selection(&of["ofType"]),
        "OBJECT" | "INTERFACE" => "{ __typename }",
        _ => "",
    }
}

/// The scope that a description names as needed.
fn needed(description: &str) -> Option<&'static str> {
    let words: Vec<&str> = description.split_whitespace().collect();
    let words = words.join(" ");
    let said = words.split("Needs `").nth(1)?.split('`').next()?;
    EVERYTHING.split(' ').find(|scope| *scope == said)
}

#[tokio::test(flavor = "multi_thread")]
async fn every_operation_says_its_scope_and_is_refused_without_it() {
    let world = guarded().alone().start().await;
    let (schema, roots) = Schema::read(&world).await;
    world.forget_calls().await;
    let mut silent = Vec::new();
    for (root, kind) in
        [("queryType", "query"), ("mutationType", "mutation"), ("subscriptionType", "subscription")]
    {
        let fields = schema.0[roots[root]["name"].as_str().unwrap()]["fields"].clone();
        for field in fields.as_array().unwrap() {
            let name = field["name"].as_str().unwrap();
            let scope = needed(field["description"].as_str().unwrap_or_default());
            let Some(scope) = scope else {
                if !FREE.contains(&name) {
                    silent.push(name.to_owned());
                }
                continue;
            };
            let others: Vec<&str> = EVERYTHING.split(' ').filter(|other| *other != scope).collect();
            let token = good(&world, &others.join(" "));
            let document = schema.document(kind, field);
            let answer = if kind == "subscription" {
                let request = world.http().post(world.url("/graphql")).bearer_auth(&token);
                let request = request.header("accept", "text/event-stream");
                let sent = request.json(&json!({"query": document})).send();
                let text = sent.await.unwrap().text().await.unwrap();
                let data = text.lines().find_map(|line| line.strip_prefix("data:")).unwrap();
                serde_json::from_str(data).unwrap()
            } else {
                ask(&world, Some(&token), &document).await.1
            };
            assert_eq!(code(&answer), "FORBIDDEN", "{document}: {answer:#}");
            let message = answer["errors"][0]["message"].as_str().unwrap();
            assert!(message.contains(scope), "{document}: {message}");
        }
    }
    assert!(silent.is_empty(), "these do not say which scope they need: {silent:?}");
    assert_eq!(world.calls().await.len(), 0, "no refusal needed a call");
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_token_allows_works_and_the_rest_of_an_answer_does_not() {
    let world = guarded().start().await;
    let reader = good(&world, "contacts.readonly");
    let query = "{ viewer { subject scopes } contact(by: {email: \"ana.paz@example.com\"}) \
        { email sync { state } } }";
    let (status, answer) = ask(&world, Some(&reader), query).await;
    assert_eq!(status, 200);
    assert_eq!(answer["data"]["viewer"]["scopes"], json!(["contacts.readonly"]));
    assert_eq!(answer["data"]["viewer"]["subject"], "front end");
    assert_eq!(code(&answer), "FORBIDDEN", "sync is another right: {answer:#}");
    let contact = "{ contact(by: {email: \"ana.paz@example.com\"}) { email } }";
    assert_eq!(
        ask(&world, Some(&reader), contact).await.1["data"]["contact"]["email"],
        "ana.paz@example.com"
    );
    let nobody = good(&world, "openid profile");
    assert_eq!(code(&ask(&world, Some(&nobody), contact).await.1), "FORBIDDEN");
    world.end().await;
}

/// They name all workspaces.
#[tokio::test(flavor = "multi_thread")]
async fn metrics_are_the_operators_to_see() {
    let world = guarded().start().await;
    let create = "mutation { createWorkspace(input: {name: \"Other\"}) { workspace { key } } }";
    let (_, made) = ask(&world, Some(&good(&world, EVERYTHING)), create).await;
    let other = made["data"]["createWorkspace"]["workspace"]["key"].as_str().unwrap();
    let of_other = signed(&with(claims(&world.clock, EVERYTHING), "workspace", other));
    let get = async |token: Option<&str>| {
        let mut request = world.http().get(world.url("/metrics"));
        if let Some(token) = token {
            request = request.bearer_auth(token);
        }
        let answer = request.send().await.unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    };
    let right = good(&world, "metrics.readonly");
    let wrong = good(&world, "contacts.readonly sync.readonly sync.manage");
    for (token, status) in [
        (Some(&*right), 200),
        (None, 401),
        (Some("nonsense"), 401),
        (Some(&*wrong), 403),
        (Some(&*of_other), 403),
    ] {
        let (answered, text) = get(token).await;
        assert_eq!(answered, status, "{text}");
        assert_eq!(text.contains("tandem_"), status == 200, "{text}");
    }
    let (_, answer) = ask(&world, Some(&right), "{ viewer { scopes } syncStatus { state } }").await;
    assert_eq!(code(&answer), "FORBIDDEN", "and nothing else is: {answer:#}");
    world.end().await;
}
