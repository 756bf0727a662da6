//! What inputs are made of: one of every kind that is really sent.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::auth;

/// The key of [`SEALED`].
pub(super) const KEY: &str = "a:AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE="; // typos: ignore
/// Texts that were sealed with it, about `here`.
pub(super) const SEALED: [&str; 2] = [
    "v1:a:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGfCo4P7jsvz2m6sOQGEk_1-0VFfhVR2T", // typos: ignore
    "v1:a:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXTe6mdZBXvd8A6oPBNbvj2Q",           // typos: ignore
];

fn texts<const N: usize>(texts: [&str; N]) -> Vec<Vec<u8>> {
    texts.map(|text| text.as_bytes().to_vec()).into()
}

macro_rules! webhooks {
    ($($name:literal)*) => {
        [$(include_str!(concat!("../../../tests/fixtures/highlevel/webhooks/", $name, ".example.json"))),*]
    };
}

pub(super) fn webhook() -> Vec<Vec<u8>> {
    let bodies = webhooks!("ContactCreate" "ContactDndUpdate" "ContactTagUpdate" "NoteCreate"
        "TaskCreate" "TaskCreate.live-2026-09" "TaskDelete" "AppointmentCreate" "INSTALL.location");
    let mut seeds = texts(bodies);
    for header in ["N/A", "", "eA==", &"A".repeat(86), &format!("{}==", "A".repeat(86))] {
        seeds.push(format!("{header}\n{}", bodies[0]).into_bytes());
    }
    seeds
}

pub(super) fn cursor() -> Vec<Vec<u8>> {
    const ID: &str = "0190f3c27a4c7d0f9a3b1c2d3e4f5a6b";
    let bare = [
        r#"{"h":[1762074930120,"c1"]}"#.to_owned(),
        r#"{"d":[3,17]}"#.to_owned(),
        format!(r#"{{"i":{{"listed":"00ff00ff00ff","key":"ana","contact":"{ID}"}}}}"#),
    ];
    let wrapped = bare.clone().map(|json| URL_SAFE_NO_PAD.encode(json));
    let mut seeds: Vec<_> = bare.into_iter().chain(wrapped).map(String::into_bytes).collect();
    seeds.extend(texts(["0", "42", "9223372036854775807", "-1", "+7"]));
    seeds
}

pub(super) fn id() -> Vec<Vec<u8>> {
    texts([
        "contact_0190f3c27a4c7d0f9a3b1c2d3e4f5a6b",
        "contact_0190f3c2-7a4c-7d0f-9a3b-1c2d3e4f5a6b",
        "hold_0190f3c27a4c7d0f9a3b1c2d3e4f5a6b",
        "run_{0190f3c2-7a4c-7d0f-9a3b-1c2d3e4f5a6b}",
        "list_42",
        "list_-9223372036854775808",
        "workspace_ZGVmYXVsdA", // typos: ignore
        "note_YzEKbjE",         // typos: ignore
        "c1\nn1",
        "default",
        "0190f3c27a4c7d0f9a3b1c2d3e4f5a6b\nDOPPLER",
        "0190f3c27a4c7d0f9a3b1c2d3e4f5a6b\n77",
    ])
}

pub(super) fn config() -> Vec<Vec<u8>> {
    let mut seeds = texts([
        "[server]\nlisten = \"127.0.0.1:4000\"\nrequest_timeout = \"10s\"\n",
        "[doppler]\naccount = \"a@example.com\"\nbase_url = \"https://restapi.fromdoppler.com/\"\ntimeout = 5\n",
        "[highlevel]\nlocation_id = \"l1\"\ntimezone = \"Europe/Madrid\"\nscopes = [\"contacts.readonly\"]\n",
        "[auth]\nmode = \"jwt\"\njwks_url = \"https://a:b@issuer.example/\"\naudience = 7\n",
        "[[mapping.create_in]]\nlist = \"1\"\nwhen = \"'vip' in tags\"\n",
        "limits = { depth = 10, aliases = -1, complexity = 1e3 }\ncache.ttl.contact = \"5m\"\n",
        "[vault]\nkeys_file = \"/dev/zero\"\n[store]\nurl = \"postgres://u:p@db/x\"\n",
        "api_key = 1\n",
        "\"\nx = 1\n",
    ]);
    // The reference in pieces, or every input would be as long.
    let sections =
        include_str!("../../config/default.toml").split("\n[").map(|part| format!("[{part}"));
    seeds.extend(sections.map(String::into_bytes));
    seeds
}

pub(super) fn expression() -> Vec<Vec<u8>> {
    texts([
        "firstName + ' from ' + address.city",
        "seats / 2 * 3 - 1 % 2",
        "lastName == null ? 'unknown' : lastName",
        "tags.map(t, t.upperAscii()).join('|')",
        "tags.filter(t, t != 'vip').size() > 2 && status == 'ACTIVE'",
        "tags.exists(a, tags.exists(b, tags.all(c, a == b || b == c)))",
        "fields[\"plan\"].replace('a', 'aa').split('')",
        "has(fields.plan) || 'x' in tags",
        "{'a': [1, 2.5, 3u], 'b': {'c': null}}.a[0]",
        "tags.map(a, tags.map(b, tags.map(c, a + b + c)))",
        "firstName.matches('(a+)+$')",
        "-(-(-(!true ? 1 : 2)))",
        "'\\u00e1\\x41\\101' + r'\\n' + \"\"\"a\nb\"\"\"",
        "1 in [1, 2] ? 'a'.contains('b') : 'ab'.startsWith('a')",
    ])
}

pub(super) fn document() -> Vec<Vec<u8>> {
    let mut seeds = texts([
        "{ contacts(first: 10, filter: { tagsAny: [\"vip\"] }) { edges { cursor node { id email notes { edges { node { body } } } } } } }",
        "query A($id: ID!, $n: Int = 20) { node(id: $id) { ... on Contact { ...F } } } fragment F on Contact { tags { name } tasks(first: $n) { edges { node { title } } } }",
        "mutation { upsertContact(input: { email: \"ana@example.com\", idempotencyKey: \"k\" }) { contact { id } userErrors { code field } } }",
        "subscription { contactChanged { id } }",
        "{ ...A ...A } fragment A on Query { ...B ...B } fragment B on Query { ...A tags { name } }",
        "{ __schema { types { name fields { name type { name ofType { name } } } } } }",
        "query A { tags { name contacts { edges { node { id } } } } } query B @skip(if: false) { a: lists { name } b: lists { name } }",
        "{ a(x: \"\"\"block \\\"\"\" \"\"\", y: -1.5e10, z: [1, {b: $c}], e: E, n: null) # c\n }",
        r#"{"query":"query A($id: ID!) { contact(id: $id) { id } }","operationName":"A","variables":{"id":"contact_1"},"extensions":{"persistedQuery":{"version":1,"sha256Hash":"00"}}}"#,
        r#"[{"query":"{ lists { name } }"},{"query":null,"documentId":"sha256:00"}]"#,
    ]);
    // What passes the limits of nesting, and what just does not.
    for deep in [30, 64, 65] {
        let text = format!("{}a{}", "{a".repeat(deep), "}".repeat(deep));
        seeds.push(text.into_bytes());
        seeds.push(format!("{{a(x:{}1{})}}", "[".repeat(deep), "]".repeat(deep)).into_bytes());
    }
    seeds
}

pub(super) fn token() -> Vec<Vec<u8>> {
    let mut seeds: Vec<_> = auth::fuzz::tokens().into_iter().map(String::into_bytes).collect();
    seeds.extend(texts([
        r#"{"sub":"a","scope":"contacts.readonly sync.manage","workspace":"default","exp":1300003600,"nbf":1299999000.5}"#,
        r#"{"scope":["contacts.write",7],"workspace":"default","exp":253402300799.5,"iss":"x","aud":["a"]}"#,
        auth::fuzz::KEYS,
        r#"{"keys":[{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo","use":"sig"},{"kty":"oct","k":"eA"}]}"#, // typos: ignore
        "eyJhbGciOiJub25lIn0.e30.", // typos: ignore
    ]));
    seeds
}

pub(super) fn manifest() -> Vec<Vec<u8>> {
    texts([
        r#"{"a":"{ tags { name } }","b":"query B { lists { name } }"}"#,
        r#"{"format":"apollo-persisted-query-manifest","version":1,"operations":[{"id":"a","name":"A","type":"query","body":"query A { tags { name } }"}]}"#,
        r#"{"operations":[{"id":"a","body":"{ a }"},{"id":"a","body":"{ b }"}]}"#,
        r#"{"operations":"{ a }"}"#,
    ])
}

pub(super) fn sealed() -> Vec<Vec<u8>> {
    let mut seeds = texts(SEALED);
    seeds.extend(texts([
        r#"{"kind":"API_KEY","token":"x","renewal":null,"scopes":["a"],"expires_ms":1,"rotated_ms":1,"since_ms":1,"lost":false}"#,
        "v1:a:",
        "v1:b:AAAA",
    ]));
    seeds
}
