//! Queries that are meant to hurt, each with the code that it is refused with. The bench `refusals` takes
//! the time of the same ones.

use std::fmt::Write as _;

use serde_json::{Value, json};

/// One of them.
pub struct Hostile {
    pub kind: &'static str,
    /// The body of the request.
    pub body: String,
    pub code: &'static str,
}

fn hostile(kind: &'static str, code: &'static str, query: &str) -> Hostile {
    with(kind, code, &json!({"query": query}))
}

fn with(kind: &'static str, code: &'static str, body: &Value) -> Hostile {
    Hostile { kind, body: body.to_string(), code }
}

/// One of each kind.
pub fn all() -> Vec<Hostile> {
    let deep = "{ contacts { nodes ".repeat(40) + "{ id }" + &" } }".repeat(40);
    let wide = format!("{{ {} }}", "__typename ".repeat(5_000));
    let parsed = format!("{{ {} }}", "__typename ".repeat(1_990));
    let aliases: String = (0..1_000).fold(String::new(), |mut text, n| {
        let _ = write!(text, "a{n}: viewer {{ subject }} ");
        text
    });
    let batch: Vec<Value> =
        (0..1_000).map(|_| json!({"query": "{ viewer { subject } }"})).collect();
    let cycle = "{ ...A } fragment A on Query { ...B } fragment B on Query { ...A }";
    let mut doubling = "{ ...F0 }".to_owned();
    for n in 0..40 {
        let _ = write!(doubling, " fragment F{n} on Query {{ ...F{0} ...F{0} }}", n + 1);
    }
    doubling.push_str(" fragment F40 on Query { viewer { subject } }");
    let nodes = "query($ids: [ID!]!) { nodes(ids: $ids) { id } }";
    let ids: Vec<String> = (0..20_000).map(|n| format!("contact_{n:032x}")).collect();
    let nested = format!(
        r#"{{"query": "{nodes}", "variables": {{"ids": {}1{}}}}}"#,
        "[".repeat(100_000),
        "]".repeat(100_000)
    );
    let calls = "{ contacts(first: 100) { nodes { notes { nodes { body } } tasks { nodes { title } } \
        appointments { nodes { startsAt } } } } }";
    let types = "{ __schema { types { ".to_owned()
        + &"fields { type { ".repeat(30)
        + "name"
        + &" } }".repeat(30)
        + " } } }";
    let directives = format!("{{ viewer {} {{ subject }} }}", "@include(if: true) ".repeat(2_000));
    let quotes = format!(r#"{{ a(b: "{}"#, r#"\""#.repeat(32_000));
    let blocks = format!(r#"{{ a(b: """"{}"#, r#"\""""#.repeat(16_000));
    vec![
        hostile("deep", "QUERY_TOO_DEEP", &deep),
        hostile("wide", "QUERY_TOO_COMPLEX", &wide),
        hostile("as wide as is parsed", "QUERY_TOO_COMPLEX", &parsed),
        hostile("aliased 1,000 times", "QUERY_TOO_COMPLEX", &format!("{{ {aliases} }}")),
        with("a batch of 1,000", "BAD_USER_INPUT", &batch.into()),
        hostile("fragment cycle", "GRAPHQL_VALIDATION_FAILED", cycle),
        hostile("fragments doubling 40 times", "QUERY_TOO_COMPLEX", &doubling),
        with("20,000 ids", "BAD_USER_INPUT", &json!({"query": nodes, "variables": {"ids": ids}})),
        with(
            "as many ids as are read",
            "BAD_USER_INPUT",
            &json!({"query": nodes, "variables": {"ids": ids[..5_500]}}),
        ),
        Hostile { kind: "variables 100,000 deep", body: nested, code: "BAD_USER_INPUT" },
        hostile("300 upstream calls", "QUERY_TOO_EXPENSIVE", calls),
        hostile("introspection loop", "QUERY_TOO_DEEP", &types),
        hostile("32,000 strings without an end", "GRAPHQL_PARSE_FAILED", &quotes),
        hostile("16,000 strings in three quotes without an end", "QUERY_TOO_COMPLEX", &blocks),
        hostile("2,000 directives", "QUERY_TOO_COMPLEX", &directives),
    ]
}
