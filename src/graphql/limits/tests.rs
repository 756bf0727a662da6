//! What passes, what is refused, and with which numbers.

use std::fmt::Write as _;

use async_graphql::parser::parse_query;
use async_graphql::{ServerError, Value, Variables};
use serde_json::{Value as Json, json};

use super::*;

fn limits() -> Limits {
    Limits::from_config(&Config::default(), 300)
}

fn ask(source: &str, variables: Json, account: Option<u32>) -> Result<Estimate, ServerError> {
    ask_with(source, variables, Known { subscribers: account, searches_tasks: true })
}

fn ask_with(source: &str, variables: Json, known: Known) -> Result<Estimate, ServerError> {
    let limits = limits();
    limits.check_source(source)?;
    let document = parse_query(source).unwrap();
    limits.check(&document, None, &Variables::from_json(variables), known)
}

/// The estimate of something that passes.
fn estimate(source: &str) -> Estimate {
    ask(source, json!({}), None).unwrap()
}

/// HighLevel's and Doppler's calls, in an account too large to scan.
fn calls(source: &str) -> (u64, u64) {
    let Calls { highlevel, doppler } = estimate(source).calls;
    (highlevel, doppler)
}

/// Code, message and `extensions` of a refusal.
fn refusal(source: &str) -> (String, String, Json) {
    refused(ask(source, json!({}), None))
}

fn refused(result: Result<Estimate, ServerError>) -> (String, String, Json) {
    let error = result.unwrap_err();
    let mut extensions = serde_json::to_value(error.extensions).unwrap();
    let code = extensions.as_object_mut().unwrap().remove("code").unwrap();
    (code.as_str().unwrap().to_owned(), error.message, extensions)
}

/// The page that the gateway is measured by.
const PAGE: &str = "{ contacts(first: 20) { nodes { email notes { nodes { body } } tasks { nodes { title } } } } }";

#[test]
fn a_page_with_notes_and_tasks_needs_22_calls_and_41_without_a_search_for_tasks() {
    assert_eq!(calls(PAGE), (22, 20));
    let small = ask(PAGE, json!({}), Some(250)).unwrap();
    assert_eq!(small.calls, Calls { highlevel: 22, doppler: 3 });
    let large = ask(PAGE, json!({}), Some(301)).unwrap();
    assert_eq!(large.calls, Calls { highlevel: 22, doppler: 20 });
    let singly = ask_with(PAGE, json!({}), Known::default()).unwrap();
    assert_eq!(singly.calls, Calls { highlevel: 41, doppler: 20 });
    let tasks = "{ contacts(first: 51) { nodes { tasks { nodes { title } } } } }";
    assert_eq!(calls(tasks), (3, 0));
}

#[test]
fn a_page_of_a_hundred_with_a_dozen_fields_passes() {
    let source = "{ contacts(first: 100) { nodes { id email phone name firstName lastName
        companyName birthday country status createdAt updatedAt } pageInfo { endCursor } } }";
    assert_eq!(calls(source), (1, 100));
    assert_eq!(estimate(source).complexity, 1 + 1 + 1200 + 2);
}

#[test]
fn too_many_calls_are_refused_with_both_numbers() {
    let source = PAGE.replace("20", "100");
    let (code, message, detail) = refusal(&source);
    assert_eq!(code, "QUERY_TOO_EXPENSIVE");
    assert_eq!(detail, json!({"needed": 103, "allowed": 100, "system": "HIGHLEVEL"}));
    assert!(message.contains("103 calls to HIGHLEVEL; 100 are allowed"), "{message}");
}

#[test]
fn calls_are_counted_by_what_is_asked_of_whom() {
    const BY: &str = "by: {id: \"contact_0190f3b6a1c27d3e8f4a5b6c7d8e9f00\"}";
    let of = |selection: &str| calls(&format!("{{ contact({BY}) {{ {selection} }} }}"));
    assert_eq!(of("id"), (1, 0));
    assert_eq!(of("createdAt"), (2, 0));
    assert_eq!(of("doppler { email }"), (1, 1));
    assert_eq!(of("email"), (2, 1));
    // One relation asked twice, under two names, and through the person of a note.
    assert_eq!(
        of("a: notes { nodes { contact { notes { nodes { id } } } } } b: notes { nodes { id } }"),
        (3, 0)
    );
    // Each single note is a call, whatever it is called.
    assert_eq!(
        of("a: note(id: \"1\") { body } b: note(id: \"1\") { body } c: note(id: \"2\") { body }"),
        (4, 0)
    );
    // The location once, the definitions once in each system.
    assert_eq!(of("appointments { nodes { startsAt } }"), (4, 0));
    assert_eq!(
        of("customFields { name definition { name } } highlevel { customFields { name } }"),
        (3, 2)
    );
    assert_eq!(of("deliveries { nodes { status } } lists { name }"), (1, 3));
    assert_eq!(calls("{ contact(by: {email: \"a@b.c\"}) { id } }"), (2, 1));
    assert_eq!(calls("{ contact(by: {phone: \"+1\"}) { id } }"), (2, 3));
    assert_eq!(
        calls(
            "{ tags { name } lists { name } customFields { name } viewer { subject } upstreams { system } }"
        ),
        (2, 2)
    );
}

#[test]
fn the_same_origin_counts_once_and_others_add() {
    let one = "{ contacts(first: 5) { nodes { notes { nodes { id } } } } }";
    assert_eq!(calls(one), (6, 0));
    let split = "{ ...A a: contacts(first: 5) { nodes { tasks { nodes { id } } } } }
        fragment A on Query { contacts(first: 5) { edges { node { notes { nodes { id } } } } } }";
    assert_eq!(calls(split), (7, 0));
    let two = "{ a: contacts(first: 5) { nodes { id } } b: contacts(first: 6) { nodes { id } } }";
    assert_eq!(calls(two), (2, 0));
}

#[test]
fn a_listing_brings_its_own_side() {
    let of = |arguments: &str, selection: &str| {
        calls(&format!("{{ contacts(first: 60 {arguments}) {{ nodes {{ {selection} }} }} }}"))
    };
    assert_eq!(of("", "createdAt"), (1, 0));
    assert_eq!(of("source: HIGHLEVEL", "status"), (1, 60));
    assert_eq!(of("source: DOPPLER", "doppler { status }"), (0, 1));
    assert_eq!(of("source: DOPPLER, after: \"x\"", "status"), (2, 2));
    assert_eq!(of("source: INDEX", "status"), (3, 61));
    // Behind a tag there are pages of unknown number.
    assert_eq!(
        calls("{ tags { contacts(first: 3) { nodes { notes { nodes { id } } } } } }"),
        (41, 0)
    );
}

#[test]
fn nodes_cost_by_what_their_ids_are() {
    assert_eq!(calls("{ node(id: \"note_1\") { id } }"), (1, 1));
    assert_eq!(calls("{ node(id: \"contact_0190f3b6a1c27d3e8f4a5b6c7d8e9f00\") { id } }"), (0, 0));
    let ids = vec!["contact_0190f3b6a1c27d3e8f4a5b6c7d8e9f00"; 60];
    let source = "query($ids: [ID!]!) { nodes(ids: $ids) { ... on Contact { email } ...N } }
        fragment N on Node { id ... on Note { contact { createdAt } } }";
    let estimate = ask(source, json!({"ids": ids}), None).unwrap();
    assert_eq!(estimate.calls, Calls { highlevel: 2, doppler: 60 });

    let (code, _, detail) = refused(ask(
        source,
        json!({"ids": vec!["contact_0190f3b6a1c27d3e8f4a5b6c7d8e9f00"; 101]}),
        None,
    ));
    assert_eq!(code, "BAD_USER_INPUT");
    assert_eq!(detail, json!({"field": "ids", "found": 101, "limit": 100}));
}

#[test]
fn mutations_and_subscriptions_are_counted() {
    let write =
        "mutation { a: createNote(input: {}) { note { contact { notes { nodes { id } } } } }
        b: createNote(input: {}) { userErrors { message } } }";
    assert_eq!(calls(write), (3 + 1 + 1 + 3, 2));
    let watch = "subscription { contactChanged(by: {id: \"contact_0190f3b6a1c27d3e8f4a5b6c7d8e9f00\"}) { notes { nodes { id } } } }";
    assert_eq!(calls(watch), (3, 0));
}

#[test]
fn first_is_found_wherever_it_stands() {
    let source = "query($n: Int = 30) { contacts(first: $n) { nodes { notes { nodes { id } } } } }";
    assert_eq!(ask(source, json!({}), None).unwrap().calls.highlevel, 31);
    assert_eq!(ask(source, json!({"n": 7}), None).unwrap().calls.highlevel, 8);
    assert_eq!(ask(source, json!({"n": null}), None).unwrap().calls.highlevel, 21);
    assert_eq!(ask(source, json!({"n": "many"}), None).unwrap().calls.highlevel, 21);
    let (code, message, detail) = refused(ask(source, json!({"n": 101}), None));
    assert_eq!(
        (code.as_str(), message.as_str()),
        ("BAD_USER_INPUT", "first is 101; the limit is 100")
    );
    assert_eq!(detail, json!({"field": "first", "found": 101, "limit": 100}));
    let inner = "{ contacts { nodes { notes(first: 1000) { nodes { id } } } } }";
    assert_eq!(refusal(inner).2, json!({"field": "first", "found": 1000, "limit": 100}));
}

#[test]
fn depth_counts_through_fragments_and_not_introspection() {
    let nested = |levels: usize| {
        let inner = "... on Contact { notes(first: 1) { nodes { contact { ".repeat(levels);
        format!(
            "{{ node(id: \"contact_0190f3b6a1c27d3e8f4a5b6c7d8e9f00\") {{ {inner} id {} }} }}",
            "} } } }".repeat(levels)
        )
    };
    assert_eq!(estimate(&nested(3)).depth, 11);
    let (code, message, detail) = refusal(&nested(4));
    assert_eq!(code, "QUERY_TOO_DEEP");
    assert_eq!(message, "the operation is 14 levels deep; the limit is 12");
    assert_eq!(detail, json!({"depth": 14, "limit": 12}));

    let chain = format!(
        "{{ __type(name: \"A\") {} {{ name }} {} }}",
        "{ ofType ".repeat(18),
        "}".repeat(18)
    );
    assert_eq!(estimate(&chain).depth, 1);
    let chain = format!(
        "{{ __type(name: \"A\") {} {{ name }} {} }}",
        "{ ofType ".repeat(19),
        "}".repeat(19)
    );
    assert_eq!(refusal(&chain).2, json!({"depth": 21, "limit": 20}));
}

#[test]
fn introspection_passes_and_its_bomb_does_not() {
    let graphiql = include_str!("introspection.graphql");
    assert_eq!(calls(graphiql), (0, 0));
    let bomb = "{ __schema { types { fields { type { fields { type { fields { name } } } } } } } }";
    assert_eq!(refusal(bomb).0, "QUERY_TOO_DEEP");
}

#[test]
fn aliases_directives_and_root_fields_are_capped() {
    let many = |item: &str, count: usize| {
        let mut text = String::new();
        for n in 0..count {
            write!(text, " {}", item.replace('#', &n.to_string())).unwrap();
        }
        text
    };
    let by = "contact(by: {id: \"contact_0190f3b6a1c27d3e8f4a5b6c7d8e9f00\"})";
    let aliases = |count| format!("{{ {by} {{ {} }} }}", many("a#: id", count));
    assert_eq!(estimate(&aliases(50)).depth, 2);
    let (code, message, detail) = refusal(&aliases(51));
    assert_eq!((code.as_str(), detail), ("QUERY_TOO_COMPLEX", json!({"found": 51, "limit": 50})));
    assert_eq!(message, "the operation has 51 aliases; the limit is 50");
    // Aliases in a fragment count once, however often it is spread.
    let spread =
        format!("{{ {by} {{ ...F ...F }} }} fragment F on Contact {{ {} }}", many("a#: id", 40));
    assert_eq!(estimate(&spread).depth, 2);

    let roots = format!("{{ {} }}", many("__typename", 21));
    assert_eq!(refusal(&roots).1, "the operation has 21 root fields; the limit is 20");
    let directives = format!("{{ {by} {{ id {} }} }}", many("@include(if: true)", 51));
    assert_eq!(refusal(&directives).1, "the operation has 51 directives; the limit is 50");
}

#[test]
fn weight_is_refused_with_its_number() {
    let by = "contact(by: {id: \"contact_0190f3b6a1c27d3e8f4a5b6c7d8e9f00\"})";
    let source = format!(
        "{{ {by} {{ notes(first: 100) {{ nodes {{ contact {{
        tasks(first: 100) {{ nodes {{ id }} }} }} }} }} }} }}"
    );
    let (code, message, detail) = refusal(&source);
    assert_eq!(code, "QUERY_TOO_COMPLEX");
    // contact, notes, nodes; a hundred times contact, tasks, nodes; ten thousand ids.
    assert_eq!(detail, json!({"found": 3 + 300 + 10_000, "limit": 5_000}));
    assert!(message.contains("10303 fields"), "{message}");
}

/// Fragments that spread each other twice: 2 to the power of `levels` fields.
fn bomb(levels: usize) -> String {
    let mut text = "{ ...F0 }".to_owned();
    for n in 0..levels {
        let next = n + 1;
        write!(text, " fragment F{n} on Query {{ ...F{next} ...F{next} }}").unwrap();
    }
    text + &format!(" fragment F{levels} on Query {{ viewer {{ subject }} }}")
}

#[test]
fn bombs_cost_what_their_text_is_long() {
    let limits = limits();
    let small = parse_query(bomb(5)).unwrap();
    assert_eq!(structure::count(&small, &limits).unwrap(), 1 + 2 * 5 + 2);
    // Unlimited, to see the work that the full size takes.
    let open = Limits { selections: usize::MAX, ..limits.clone() };
    let large = parse_query(bomb(55)).unwrap();
    assert_eq!(structure::count(&large, &open).unwrap(), 1 + 2 * 55 + 2);
    let (code, message, _) = refusal(&bomb(55));
    assert_eq!(code, "QUERY_TOO_COMPLEX");
    assert!(message.contains("with all fragments written out"), "{message}");
    // Not run and not even used, it is refused all the same.
    for run in
        ["query A { viewer { subject } } query B", "{ viewer { subject } } fragment Z on Query"]
    {
        let source = bomb(55).replacen("{ ...F0 }", &format!("{run} {{ ...F0 }}"), 1);
        let document = parse_query(&source).unwrap();
        let error = limits
            .check(&document, Some("A"), &Variables::default(), Known::default())
            .unwrap_err();
        assert!(error.message.contains("written out"), "{}", error.message);
    }
}

#[test]
fn chains_and_cycles_of_fragments_are_refused() {
    let mut chain = "{ ...F0 }".to_owned();
    for n in 0..500 {
        write!(chain, " fragment F{n} on Query {{ ...F{} }}", n + 1).unwrap();
    }
    chain.push_str(" fragment F500 on Query { viewer { subject } }");
    assert_eq!(refusal(&chain).0, "QUERY_TOO_DEEP");
    for cycle in [
        "{ ...A } fragment A on Query { ...A }",
        "{ ...A } fragment A on Query { viewer { subject } ...B } fragment B on Query { ...A }",
        "{ viewer { subject } } fragment A on Query { ...B } fragment B on Query { ...A }",
    ] {
        let (code, message, _) = refusal(cycle);
        assert_eq!(code, "GRAPHQL_VALIDATION_FAILED");
        assert!(message.contains("spreads itself"), "{message}");
    }
}

#[test]
fn texts_that_no_parser_should_see_are_refused() {
    let deep = format!("{{ a(x: {} }}", "[".repeat(30_000));
    assert_eq!(refusal(&deep).0, "QUERY_TOO_DEEP");
    let fields = format!("{} b {}", "{ a ".repeat(10_000), "}".repeat(10_000));
    assert_eq!(refusal(&fields).0, "QUERY_TOO_DEEP");
    let long = format!("{{ {} }}", "a ".repeat(20_000));
    assert_eq!(refusal(&long).1, "the operation has 20002 tokens; the limit is 10000");
    let longer = format!("{{ a }} # {}", "x".repeat(70_000));
    assert_eq!(refusal(&longer).0, "QUERY_TOO_COMPLEX");
    // As deep as allowed, so that the parser is known to bear it.
    let most = format!("{{ a(x: {}{}) }}", "[".repeat(62), "]".repeat(62));
    assert_eq!(estimate(&most).depth, 1);
}

#[test]
fn only_the_chosen_operation_is_measured() {
    let source =
        "query A { viewer { subject } } query B { contacts(first: 1000) { nodes { id } } }";
    let document = parse_query(source).unwrap();
    let check = |name| limits().check(&document, name, &Variables::default(), Known::default());
    assert_eq!(check(Some("A")).unwrap().depth, 2);
    assert_eq!(check(None).unwrap(), Estimate::default());
    assert_eq!(check(Some("C")).unwrap(), Estimate::default());
    let Some(Value::String(code)) =
        check(Some("B")).unwrap_err().extensions.unwrap().get("code").cloned()
    else {
        panic!("a code")
    };
    assert_eq!(code, "BAD_USER_INPUT");
}
