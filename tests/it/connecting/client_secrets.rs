//! The secrets of clients, of a renewal and of the store, looked for in the same places and in a backup.

use std::fs;
use std::path::Path;
use std::time::Duration;

use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use serde_json::{Value, json};
use sqlx::{Connection, Executor};
use tandem::clock::Clock;
use tandem::sandbox::credentials::{
    DOPPLER_ACCOUNT, DOPPLER_API_KEY, HIGHLEVEL_LOCATION, OAUTH_CLIENT_ID, OAUTH_CLIENT_SECRET,
};
use tracing::Level;

use super::secrets::{READ, TOKENS, holds, settings};
use super::{ANA, Browser, KEY, grant, with_app};
use crate::auth::{AUDIENCE, EVERYTHING, SECRET, claims, signed};
use crate::http::client::Socket;
use crate::log::Log;
use crate::place::Place;
use crate::process::{Gateway, KEYS, NOWHERE, SERVE, tandem};
use crate::world::World;

const LINK: &str = "mutation { connectHighLevel(input: {}) { authorizationUrl } }";

/// A way back from the consent page, and the browser that goes it.
async fn approved(gateway: &Gateway) -> (Browser, String) {
    let answer: Value = serde_json::from_str(&gateway.ask(LINK, json!({})).await).unwrap();
    let link = answer["data"]["connectHighLevel"]["authorizationUrl"].as_str().unwrap();
    let browser = Browser::new();
    let back = browser.approve(&browser.open(link).await, &[]).await;
    (browser, back)
}

/// What HighLevel gives for a code, beginning as all that it gives: what is looked for is there to be found.
async fn tokens_begin_as_they_do(world: &World, back: &str) {
    let code = back.split("code=").nth(1).unwrap().split('&').next().unwrap();
    let form = [
        ("client_id", OAUTH_CLIENT_ID),
        ("client_secret", OAUTH_CLIENT_SECRET),
        ("grant_type", "authorization_code"),
        ("code", code),
    ];
    let url = format!("{}/oauth/token", world.sandbox.highlevel_url());
    let request = world.http().post(url).header("version", "2021-07-28").form(&form);
    let given: Value = request.send().await.unwrap().json().await.unwrap();
    for name in ["access_token", "refresh_token"] {
        let token = given[name].as_str().unwrap_or_else(|| panic!("{given:#}"));
        assert!(token.starts_with(TOKENS), "{token}");
    }
}

/// What a client is answered on a socket, good token or not.
async fn on_a_socket(gateway: &Gateway, token: &str) -> String {
    let mut socket = Socket::at(&format!("{}/graphql", gateway.address)).await;
    socket.begin(token).await;
    if token != gateway.token {
        return socket.closed().await.to_string();
    }
    assert_eq!(socket.next().await["type"], "connection_ack");
    socket.subscribe("1", READ, json!({"e": ANA})).await;
    let answer = socket.next().await.to_string();
    assert!(answer.contains("contactId"), "{answer}");
    answer
}

/// Copies a database as a backup does, beside itself.
async fn back_up(url: &str) {
    let mut store = sqlx::SqliteConnection::connect(url).await.unwrap();
    let file = url.strip_prefix("sqlite://").unwrap();
    let copy = format!("VACUUM INTO '{file}.backup'");
    store.execute(sqlx::AssertSqlSafe(copy)).await.unwrap();
    store.close().await.unwrap();
}

/// The database's files and a backup of it, each with its name.
async fn stored(folder: &Path) -> Vec<(String, Vec<u8>)> {
    back_up(&format!("sqlite://{}", folder.join("tandem.db").display())).await;
    let files = fs::read_dir(folder).unwrap().map(|file| file.unwrap().path());
    let named = files.map(|file| (file.file_name().unwrap().to_string_lossy().into_owned(), file));
    let named = named.filter(|(name, _)| name.starts_with("tandem.db"));
    let read: Vec<_> = named.map(|(name, file)| (name, fs::read(file).unwrap())).collect();
    let backup = read.iter().find(|(name, _)| name == "tandem.db.backup").unwrap();
    assert!(holds(&backup.1, DOPPLER_ACCOUNT), "a backup has all that is not secret");
    read
}

#[tokio::test(flavor = "multi_thread")]
async fn no_secret_of_a_client_is_found_anywhere() {
    let world = World::alone().await;
    let folder = tempfile::tempdir().unwrap();
    let auth =
        format!("[auth]\nmode = \"jwt\"\naudience = \"{AUDIENCE}\"\nhs256_secret = \"{SECRET}\"\n");
    let settings = settings(&world, folder.path()) + &auth;
    fs::write(folder.path().join("tandem.toml"), settings).unwrap();
    let mut gateway = Gateway::start(folder.path(), &[(KEYS, KEY)]);
    let good = claims(&Clock::system(), EVERYTHING);
    let other = EncodingKey::from_secret(b"another secret of thirty-two bytes!");
    let forged = encode(&Header::new(Algorithm::HS256), &good, &other).unwrap();
    gateway.token = forged.clone();
    let mut said = gateway.ask(READ, json!({"e": ANA})).await;
    assert!(said.contains("UNAUTHENTICATED"), "{said}");
    gateway.token = signed(&good);
    said += &on_a_socket(&gateway, &forged).await;

    let doppler = "mutation($a: String!, $k: String!) { connectDoppler(input: {account: $a, \
        apiKey: $k}) { upstream { state } userErrors { message } } }";
    said += &gateway.ask(doppler, json!({"a": DOPPLER_ACCOUNT, "k": DOPPLER_API_KEY})).await;
    let (_, back) = approved(&gateway).await;
    tokens_begin_as_they_do(&world, &back).await;
    let (browser, back) = approved(&gateway).await;
    let (status, page) = browser.come_back(&back).await;
    assert_eq!(status, 200, "{page}");
    said += &page;
    said += &on_a_socket(&gateway, &gateway.token).await;

    for path in ["/metrics", "/health/ready"] {
        let shown = gateway.get(path).await;
        assert!(!shown.contains("errors"), "{path}: {shown}");
        said += &shown;
    }

    let log = gateway.log();
    assert!(log.contains("upstream call"), "it says all that it can: {log}");
    let mut places = stored(folder.path()).await;
    places.push(("answers".to_owned(), said.into_bytes()));
    places.push(("log".to_owned(), log.into()));
    let signature = |token: &str| token.rsplit('.').next().unwrap().to_owned();
    let (shown, tried) = (signature(&gateway.token), signature(&forged));
    let key = KEY.split(':').nth(1).unwrap();
    for (place, bytes) in &places {
        for secret in [SECRET, &*shown, &*tried, TOKENS, DOPPLER_API_KEY, OAUTH_CLIENT_SECRET, key]
        {
            assert!(!holds(bytes, secret), "{secret} is in {place}");
        }
    }
    drop(gateway);
    world.end().await;
}

// On one thread, so that all that is said is heard.
#[tokio::test]
async fn no_token_of_a_renewal_is_found_anywhere() {
    let (log, guard) = Log::of_this_thread(Level::TRACE);
    let world = with_app().place(Place::Sqlite).still().start().await;
    assert_eq!(grant(&world, Value::Null, &[]).await.0, 200);
    let mut said = world.data(READ, json!({"e": ANA})).await.to_string();
    // One that was given a moment ago is not renewed.
    world.clock.advance(Duration::from_secs(61));
    world.control("/tokens", json!({"expireAccess": true})).await;
    world.forget_calls().await;
    let fresh = [("cache-control", "no-cache")];
    let answer = world.ask_with(READ, json!({"e": ANA}), &fresh).await.to_string();
    assert!(answer.contains("contactId") && !answer.contains("\"errors\""), "{answer}");
    let calls = world.calls().await;
    assert!(calls.iter().any(|call| call.route_ends_with("/oauth/token")), "{calls:?}");
    said += &answer;
    back_up(&world.store_url()).await;
    let kept = world.find_stored(HIGHLEVEL_LOCATION).await;
    assert!(kept.iter().any(|file| file.ends_with(".backup")), "a backup has the rest: {kept:?}");
    let log = log.take();
    assert!(log.contains("the token was renewed") && log.contains("upstream call"), "{log}");
    for secret in [TOKENS, OAUTH_CLIENT_SECRET] {
        assert_eq!(world.find_stored(secret).await, Vec::<String>::new(), "{secret}");
        assert!(!said.contains(secret) && !log.contains(secret), "{secret} was said");
    }
    drop(guard);
    world.end().await;
}

#[test]
fn a_store_that_is_not_there_is_told_without_its_password() {
    const PASSWORD: &str = "planted-in-the-store-0001";
    let folder = tempfile::tempdir().unwrap();
    // Nobody listens there.
    let settings = format!(
        "[store]\nurl = \"postgres://planted-user:{PASSWORD}@127.0.0.1:9/nothing\"\n\
         [telemetry]\nfilter = \"trace\"\n{NOWHERE}"
    );
    fs::write(folder.path().join("tandem.toml"), settings).unwrap();
    for args in [&SERVE[..], &["check", "--config", "tandem.toml"]] {
        let output = tandem(folder.path(), args, &[(KEYS, KEY)]).output().unwrap();
        let [out, said] = [output.stdout, output.stderr].map(|it| String::from_utf8(it).unwrap());
        if args == SERVE {
            assert!(!output.status.success(), "{out}{said}");
            let says_which = said.contains("127.0.0.1:9/nothing");
            assert!(says_which || !cfg!(feature = "postgres"), "it says which store: {said}");
        }
        assert!(!out.contains(PASSWORD) && !said.contains(PASSWORD), "{out}{said}");
    }
}
