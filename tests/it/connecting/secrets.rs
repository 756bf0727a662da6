//! Secrets that are planted and then looked for everywhere that somebody might read.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};
use tandem::sandbox::credentials::{
    DOPPLER_ACCOUNT, DOPPLER_API_KEY, HIGHLEVEL_LOCATION, HIGHLEVEL_TOKEN, OAUTH_CLIENT_ID,
    OAUTH_CLIENT_SECRET, OAUTH_VERSION_ID,
};

use super::agency::{AGENCYS, COMPANY};
use super::{ANA, Browser, KEY};
use crate::process::{Gateway, KEYS, SERVE, tandem};
use crate::world::World;

/// How every token of the fake begins.
pub const TOKENS: &str = "eyJhbGciOiJSUzI1NiIsInR5cCI6IkpXVCJ9";

pub const READ: &str = "query($e: EmailAddress!) { contact(by: {email: $e}) { highlevel { contactId } } \
        viewer { workspace { upstreams { state lastError credential { kind } } } } \
        syncEvents(first: 100) { nodes { message } } }";

/// Whether a text stands anywhere in the bytes.
pub fn holds(bytes: &[u8], text: &str) -> bool {
    bytes.windows(text.len()).any(|window| window == text.as_bytes())
}

pub fn settings(world: &World, folder: &Path) -> String {
    format!(
        "[server]\nlisten = \"127.0.0.1:0\"\n[store]\nurl = \"sqlite://{}\"\n\
         [telemetry]\nfilter = \"trace\"\n\
         [doppler]\nbase_url = \"{}\"\naccount = \"{DOPPLER_ACCOUNT}\"\n\
         [highlevel]\nbase_url = \"{highlevel}\"\nauthorize_url = \"{highlevel}/v2/oauth/chooselocation\"\n\
         location_id = \"{HIGHLEVEL_LOCATION}\"\nclient_id = \"{OAUTH_CLIENT_ID}\"\n\
         client_secret = \"{OAUTH_CLIENT_SECRET}\"\nversion_id = \"{OAUTH_VERSION_ID}\"\n",
        folder.join("tandem.db").display(),
        world.sandbox.doppler_url(),
        highlevel = world.sandbox.highlevel_url(),
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn no_planted_secret_is_found_anywhere() {
    let world = World::alone().await;
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("tandem.toml"), settings(&world, folder.path())).unwrap();
    let gateway = Gateway::start(folder.path(), &[(KEYS, KEY)]);
    let doppler = "mutation($a: String!, $k: String!) { connectDoppler(input: {account: $a, \
        apiKey: $k}) { upstream { state } userErrors { message } } }";
    let highlevel = "mutation($t: String!) { connectHighLevel(input: {privateIntegrationToken: $t}) \
        { upstream { state } userErrors { message } } }";
    let wrong = "sk-planted-and-wrong-0001";
    let mut said = String::new();
    for key in [DOPPLER_API_KEY, wrong] {
        said += &gateway.ask(doppler, json!({"a": DOPPLER_ACCOUNT, "k": key})).await;
    }
    for token in [HIGHLEVEL_TOKEN, wrong] {
        said += &gateway.ask(highlevel, json!({"t": token})).await;
    }
    // A value of the wrong type is quoted by many a parser.
    said += &gateway.ask(highlevel, json!({"t": [HIGHLEVEL_TOKEN]})).await;
    let link = "mutation { connectHighLevel(input: {}) { authorizationUrl } }";
    let answer: Value = serde_json::from_str(&gateway.ask(link, json!({})).await).unwrap();
    let link = answer["data"]["connectHighLevel"]["authorizationUrl"].as_str().unwrap();
    let browser = Browser::new();
    let back = browser.approve(&browser.open(link).await, &[]).await;
    let code = back.split("code=").nth(1).unwrap().split('&').next().unwrap().to_owned();
    let (status, page) = browser.come_back(&back).await;
    assert_eq!(status, 200, "{page}");
    said += &page;
    said += &browser.come_back(&back).await.1;
    let shown = gateway.ask(READ, json!({"e": ANA})).await;
    assert!(shown.contains("OAUTH") && shown.contains("contactId"), "{shown}");
    said += &shown;
    said += &an_agencys_waits(&world, &gateway).await;
    for path in ["/metrics", "/health/ready"] {
        said += &gateway.get(path).await;
    }
    let log = gateway.log();
    assert!(log.contains("upstream call"), "it says all that it can: {log}");
    let mut places =
        vec![("answers".to_owned(), said.into_bytes()), ("log".to_owned(), log.into())];
    for file in fs::read_dir(folder.path()).unwrap() {
        let file = file.unwrap();
        let name = file.file_name().to_string_lossy().into_owned();
        if name.starts_with("tandem.db") {
            places.push((name, fs::read(file.path()).unwrap()));
        }
    }
    assert!(places.len() > 2);
    let key = KEY.split(':').nth(1).unwrap();
    for (place, bytes) in &places {
        for secret in
            [DOPPLER_API_KEY, HIGHLEVEL_TOKEN, OAUTH_CLIENT_SECRET, TOKENS, wrong, key, &code]
        {
            assert!(!holds(bytes, secret), "{secret} is in {place}");
        }
    }
    drop(gateway);
    another_key(folder.path()).await;
    world.end().await;
}

/// Leaves an agency's installation waiting, which somebody tried to use; what was said of it.
async fn an_agencys_waits(world: &World, gateway: &Gateway) -> String {
    let link = "mutation { connectHighLevel(input: {}) { authorizationUrl } }";
    let answer: Value = serde_json::from_str(&gateway.ask(link, json!({})).await).unwrap();
    let link = answer["data"]["connectHighLevel"]["authorizationUrl"].as_str().unwrap();
    let browser = Browser::new();
    let back = browser.approve(&browser.open(link).await, &AGENCYS).await;
    let (status, said) = browser.come_back(&back).await;
    assert_eq!(status, 202, "{said}");
    let held = "{ heldInstalls { id account agency locations scopes } }";
    let held = gateway.ask(held, json!({})).await;
    assert!(held.contains(COMPANY) && held.contains(HIGHLEVEL_LOCATION), "{held}");
    let shown: Value = serde_json::from_str(&held).unwrap();
    let id = &shown["data"]["heldInstalls"][0]["id"];
    let refused = json!({"system": "HIGHLEVEL", "route": "/oauth/locationToken", "kind": "status", "status": 403});
    world.fault(refused).await;
    let confirm =
        "mutation($i: ID!) { confirmInstall(input: {install: $i}) { userErrors { message } } }";
    let refused = gateway.ask(confirm, json!({"i": id})).await;
    assert!(refused.contains("gives out no token"), "{refused}");
    world.clear_faults().await;
    said + &held + &refused
}

/// Starts with another key and with none of that name, and then changes the key.
async fn another_key(folder: &Path) {
    let other = "one:MTIzNDU2Nzg5MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTI=";
    let unknown = other.replace("one:", "two:");
    for (keys, wanted) in [
        (other, "was not encrypted with the key that vault.keys names \"one\""),
        (&*unknown, "is encrypted with the key \"one\", which vault.keys does not name"),
    ] {
        let output = tandem(folder, &SERVE, &[(KEYS, keys)]).output();
        let output = output.unwrap();
        let text = String::from_utf8(output.stderr).unwrap();
        assert!(!output.status.success());
        let lines: Vec<_> = text.lines().filter(|line| line.starts_with("tandem: ")).collect();
        assert_eq!(lines.len(), 1, "{text}");
        assert!(
            lines[0].contains("the stored credential of") && lines[0].contains(wanted),
            "{text}"
        );
    }
    // The key is changed while nobody has to connect anew.
    let both = format!("{unknown} {KEY}");
    let rotated = tandem(folder, &["vault", "rotate"], &[(KEYS, &both)]).output().unwrap();
    let text = String::from_utf8(rotated.stdout).unwrap();
    // Two credentials, an installation that waits, and the key of erased people.
    assert!(text.starts_with("4 secrets moved"), "{text}{:?}", rotated.stderr);
    let gateway = Gateway::start(folder, &[(KEYS, &unknown)]);
    let shown = gateway.ask(READ, json!({"e": ANA})).await;
    assert!(shown.contains("OAUTH") && shown.contains("contactId"), "{shown}");
}
