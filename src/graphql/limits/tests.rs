//! What passes, what is refused, and with which numbers.

use std::fmt::Write as _;

use async_graphql::parser::parse_query;
use async_graphql::{ServerError, Value, Variables};
use serde_json::{Value as Json, json};

use super::*;

fn limits() -> Limits {
    Limits::from_config(&Config::default(), 300)
}

fn ask(source: &str, variables: Json, subscribers: u32) -> Result<Estimate, ServerError> {
    ask_with(source, variables, Known { searches_tasks: true, ..subscribers_only(subscribers) })
}

/// An account of so many subscribers.
fn subscribers_only(subscribers: u32) -> Known {
    Known { subscribers: Some(subscribers), ..Known::default() }
}

fn ask_with(source: &str, variables: Json, known: Known) -> Result<Estimate, ServerError> {
    let limits = limits();
    limits.check_source(source)?;
    let document = parse_query(source).unwrap();
    limits.check(&document, None, &Variables::from_json(variables), known)
}

/// An account too large to scan.
const LARGE: u32 = 100_000;

/// The estimate of something that passes.
fn estimate(source: &str) -> Estimate {
    ask(source, json!({}), LARGE).unwrap()
}

/// HighLevel's and Doppler's calls, in a large account.
fn calls(source: &str) -> (u64, u64) {
    let Calls { highlevel, doppler } = estimate(source).calls;
    (highlevel, doppler)
}

/// Code, message and `extensions` of a refusal.
fn refusal(source: &str) -> (String, String, Json) {
    refused(ask(source, json!({}), LARGE))
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
    let small = ask(PAGE, json!({}), 250).unwrap();
    assert_eq!(small.calls, Calls { highlevel: 22, doppler: 3 });
    let large = ask(PAGE, json!({}), 301).unwrap();
    assert_eq!(large.calls, Calls { highlevel: 22, doppler: 20 });
    let singly = ask_with(PAGE, json!({}), subscribers_only(LARGE)).unwrap();
    assert_eq!(singly.calls, Calls { highlevel: 41, doppler: 20 });
    let tasks = "{ contacts(first: 51) { nodes { tasks { nodes { title } } } } }";
    assert_eq!(calls(tasks), (3, 0));
}

#[test]
fn tasks_are_searched_for_together_as_far_as_people_come_together() {
    let tasks = "tasks { nodes { id } }";
    let by = "contact(by: {highlevelId: \"a\"})";
    assert_eq!(
        calls(&format!("{{ {by} {{ {tasks} }} }}")).0,
        calls(&format!("{{ {by} {{ createdAt }} }}")).0 + 1
    );
    // Notes arrive one by one, and with them their people.
    let noted = format!(
        "{{ contacts(first: 5) {{ nodes {{ notes {{ nodes {{ contact {{ {tasks} }} }} }} }} }} }}"
    );
    assert_eq!(calls(&noted), (1 + 5 + 5, 0));
    let both = noted.replacen("notes", &format!("{tasks} notes"), 1);
    assert_eq!(calls(&both), (1 + 5 + 5 + 1, 0));
    let singly = ask_with(&both, json!({}), subscribers_only(LARGE)).unwrap();
    assert_eq!(singly.calls.highlevel, 1 + 5 + 5);
    // Of Doppler's page the linked are asked for first, and whether they are there.
    let other = format!("{{ contacts(first: 20, source: DOPPLER) {{ nodes {{ {tasks} }} }} }}");
    let without = other.replace(tasks, "createdAt");
    assert_eq!(calls(&other).0, calls(&without).0 + 3);
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
    assert_eq!(of("id"), (0, 0));
    // Somebody unlinked is searched for, then asked for by address and by number, then read.
    assert_eq!(of("createdAt"), (4, 0));
    assert_eq!(of("doppler { email }"), (0, 1));
    assert_eq!(of("email"), (4, 1));
    // One relation asked twice, under two names, and through the person of a note.
    assert_eq!(
        of("a: notes { nodes { contact { notes { nodes { id } } } } } b: notes { nodes { id } }"),
        (5, 0)
    );
    // Each single note is a call, whatever it is called.
    assert_eq!(
        of("a: note(id: \"1\") { body } b: note(id: \"1\") { body } c: note(id: \"2\") { body }"),
        (6, 0)
    );
    // The location once, the definitions once in each system.
    assert_eq!(of("appointments { nodes { startsAt } }"), (6, 0));
    assert_eq!(
        of("customFields { name definition { name } } highlevel { customFields { name } }"),
        (5, 2)
    );
    assert_eq!(of("deliveries { nodes { status } } lists { name }"), (0, 3));
    assert_eq!(calls("{ contact(by: {highlevelId: \"a\"}) { id } }"), (1, 0));
    assert_eq!(calls("{ contact(by: {email: \"a@b.c\"}) { id } }"), (3, 1));
    assert_eq!(calls("{ contact(by: {phone: \"+1\"}) { id } }"), (3, 3));
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
    // Three searches at most for the unlinked, one for the linked, and fifty whom it leaves out.
    assert_eq!(of("source: DOPPLER, after: \"x\"", "status"), (3 + 1 + 50, 2));
    assert_eq!(of("source: ELSEWHERE", "status"), (1 + 54, 61));
    // As they were last known; only what hangs on them is asked for.
    assert_eq!(of("source: INDEX", "status doppler { score } highlevel { dnd } email"), (0, 0));
    assert_eq!(of("source: INDEX", "status notes { nodes { body contact { email } } }"), (60, 0));
    assert_eq!(of("source: INDEX", "deliveries { nodes { status } }"), (0, 60));
    assert_eq!(calls("{ contactStats { total byStatus { count } topTags { tag } } }"), (0, 0));
}

#[test]
fn a_page_behind_tags_counts_for_each_tag() {
    let source = "{ tags { contacts(first: 3) { nodes { email notes { nodes { id } } } } } }";
    let with = |tags| {
        let known = Known { tags, ..subscribers_only(250) };
        limits().check(&parse_query(source).unwrap(), None, &Variables::default(), known)
    };
    let unknown = with(None).unwrap();
    assert!(unknown.by_tag);
    assert_eq!(unknown.calls, Calls { highlevel: 1 + 1 + 3, doppler: 3 });
    let few = with(Some(2)).unwrap();
    assert_eq!(few.calls, Calls { highlevel: 1 + 2 * (1 + 3), doppler: 2 * 3 });
    let (code, _, detail) = refused(with(Some(40)));
    assert_eq!(code, "QUERY_TOO_EXPENSIVE");
    assert_eq!(detail["needed"], 161);
    assert!(!estimate("{ tags { name } }").by_tag);
}

#[test]
fn a_batch_is_weighed_as_one() {
    let half = |highlevel| Estimate { calls: Calls::highlevel(highlevel), ..Estimate::default() };
    assert!(limits().check_batch(&[half(50), half(50)]).is_ok());
    let error = limits().check_batch(&[half(50), half(51)]).unwrap_err();
    assert!(error.message.starts_with("the batch could need 101 calls to HIGHLEVEL"), "{error:?}");
    let doppler = Estimate { calls: Calls::doppler(u64::MAX), ..Estimate::default() };
    assert!(limits().check_batch(&[half(50), doppler, doppler]).is_err());
}

#[test]
fn nodes_cost_by_what_their_ids_are() {
    // No id of ours, which is seen without a call.
    assert_eq!(calls("{ node(id: \"note_1\") { id } }"), (0, 0));
    // A note's contact is read as well; a list's name is in all lists.
    assert_eq!(calls("{ node(id: \"note_YwpuMQ\") { id } }"), (2, 0));
    assert_eq!(calls("{ node(id: \"list_7\") { id } }"), (0, 1));
    assert_eq!(calls("{ node(id: \"contact_0190f3b6a1c27d3e8f4a5b6c7d8e9f00\") { id } }"), (0, 0));
    let ids = vec!["contact_0190f3b6a1c27d3e8f4a5b6c7d8e9f00"; 60];
    let source = "query($ids: [ID!]!) { nodes(ids: $ids) { ... on Contact { email } ...N } }
        fragment N on Node { id ... on Note { contact { createdAt } } }";
    let estimate = ask(source, json!({"ids": ids}), LARGE).unwrap();
    assert_eq!(estimate.calls, Calls { highlevel: 54, doppler: 60 });

    let (code, _, detail) = refused(ask(
        source,
        json!({"ids": vec!["contact_0190f3b6a1c27d3e8f4a5b6c7d8e9f00"; 101]}),
        LARGE,
    ));
    assert_eq!(code, "BAD_USER_INPUT");
    assert_eq!(detail, json!({"field": "ids", "found": 101, "limit": 100}));
}

#[test]
fn mutations_and_subscriptions_are_counted() {
    let write =
        "mutation { a: createNote(input: {}) { note { contact { notes { nodes { id } } } } }
        b: createNote(input: {}) { userErrors { message } } }";
    assert_eq!(calls(write), (11 + 11 + 1 + 4, 8 + 8));
    let by_email = "mutation { createNote(input: {contact: {email: \"a@b.c\"}}) { note { id } } }";
    assert_eq!(calls(by_email), (3 + 4 + 10, 1 + 8));
    let watch = "subscription { contactChanged(by: {id: \"contact_0190f3b6a1c27d3e8f4a5b6c7d8e9f00\"}) { notes { nodes { id } } } }";
    assert_eq!(calls(watch), (5, 0));
}

#[test]
fn first_is_found_wherever_it_stands() {
    let source = "query($n: Int = 30) { contacts(first: $n) { nodes { notes { nodes { id } } } } }";
    assert_eq!(ask(source, json!({}), LARGE).unwrap().calls.highlevel, 31);
    assert_eq!(ask(source, json!({"n": 7}), LARGE).unwrap().calls.highlevel, 8);
    assert_eq!(ask(source, json!({"n": null}), LARGE).unwrap().calls.highlevel, 21);
    assert_eq!(ask(source, json!({"n": "many"}), LARGE).unwrap().calls.highlevel, 21);
    let (code, message, detail) = refused(ask(source, json!({"n": 101}), LARGE));
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
    // Validation looks at all of them, run or not.
    let hundreds = many("@include(if: true)", 200);
    for text in [
        format!("{{ __typename {hundreds} }}"),
        format!("query {hundreds} {{ __typename }}"),
        format!("query($a: Int {hundreds}) {{ __typename }}"),
        format!("{{ ...F }} fragment F on Query {hundreds} {{ __typename }}"),
        format!("{{ __typename }} fragment F on Query {{ __typename {hundreds} }}"),
        format!("{{ ... {hundreds} {{ ...F }} }} fragment F on Query {{ __typename }}"),
    ] {
        assert_eq!(refusal(&text).1, "the operation has 200 directives; the limit is 50", "{text}");
    }
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
    // What does not fit into a number is not shown as one.
    for levels in [55, 60] {
        let (code, message, detail) = refusal(&bomb(levels));
        assert_eq!(code, "QUERY_TOO_COMPLEX");
        let expected = "the operation has more than 1000000 selections, with all fragments \
            written out; the limit is 10000";
        assert_eq!(message, expected);
        assert_eq!(detail, json!({"found": 1_000_000, "limit": 10_000}));
    }
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
    for n in 0..100 {
        write!(chain, " fragment F{n} on Query {{ ...F{} }}", n + 1).unwrap();
    }
    chain.push_str(" fragment F100 on Query { viewer { subject } }");
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
    assert_eq!(refusal(&long).1, "the operation has 2001 tokens or more; the limit is 2000");
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
