//! Against the fixtures, which come from Doppler's own clients, and against the fake.

mod writing;

use std::net::{Ipv4Addr, SocketAddr};
use std::num::NonZeroU32;

use reqwest::StatusCode;
use secrecy::SecretString;
use serde_json::{Value, json};

use crate::clock::Clock;
use crate::config::doppler::Doppler;
use crate::sandbox::credentials::{DOPPLER_ACCOUNT, DOPPLER_API_KEY};
use crate::sandbox::{Options, Sandbox};
use crate::tasks::Tasks;
use crate::unified::{DeliveryStatus, ImportCounts, ImportState, SubscriberStatus, System};
use crate::upstream::script::{Line, Script, call};
use crate::upstream::{Directory as _, Kind, Mailing as _, UpstreamState};

use super::{Client, convert, refusal, routes, wire};

/// The status and the body of a fixture.
fn fixture(name: &str) -> (u16, Value) {
    let path = format!("{}/tests/fixtures/doppler/{name}.json", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
    let fixture: Value = serde_json::from_str(&text).unwrap();
    (u16::try_from(fixture["status"].as_u64().unwrap()).unwrap(), fixture["body"].clone())
}

fn client(url: &str, change: impl FnOnce(&mut Doppler)) -> Client {
    let mut config = Doppler {
        base_url: url.parse().unwrap(),
        account: Some(DOPPLER_ACCOUNT.to_owned()),
        api_key: Some(SecretString::from(DOPPLER_API_KEY)),
        rate: 0.0,
        ..Doppler::default()
    };
    change(&mut config);
    Client::new(&config, &Clock::system()).unwrap()
}

/// A client of a system that answers with fixtures.
async fn scripted(names: &[&str]) -> (Script, Client) {
    let lines = names.iter().map(|name| {
        let (status, body) = fixture(name);
        Line::json(status, body.to_string())
    });
    let script = Script::start(lines).await;
    let client = client(script.url.as_str(), |_| {});
    (script, client)
}

async fn sandbox() -> (Tasks, Sandbox) {
    sandbox_by(Clock::system()).await
}

async fn sandbox_by(clock: Clock) -> (Tasks, Sandbox) {
    let tasks = Tasks::new();
    let listen = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let options = Options { listen, rate_limit: false, clock, ..Options::default() };
    let sandbox = Sandbox::start(options, &tasks).await.unwrap();
    (tasks, sandbox)
}

/// Template, path and status of the calls since the last look.
fn journal(sandbox: &Sandbox) -> Vec<(Option<String>, String, Option<u16>)> {
    let page = sandbox.shared().journal.page(0, false);
    sandbox.shared().journal.clear();
    page.calls.into_iter().map(|call| (call.route, call.path, call.status)).collect()
}

#[tokio::test]
async fn a_subscriber_as_in_the_fixture() {
    let (script, client) = scripted(&["subscriber-200"]).await;
    let found = client.subscriber(&call(), "test+1@test.com").await.unwrap().unwrap();
    assert_eq!(found.email, "test@test.com");
    assert_eq!(found.status, SubscriberStatus::Active);
    assert_eq!(found.lists, ["list"]);
    assert_eq!(found.field("firstname"), Some("Manuel"));
    assert_eq!(found.fields[2].kind, "date");
    assert!(found.fields[0].predefined && !found.fields[4].predefined);
    assert_eq!((found.unsubscribed_at, found.unsubscription_type), (None, None));
    assert_eq!(found.score, Some(0));
    let seen = script.seen().remove(0);
    let target = "/base/accounts/sandbox%40tandem.test/subscribers/test%2B1%40test.com";
    assert_eq!(seen.target, target);
    assert_eq!(seen.headers["authorization"], format!("token {DOPPLER_API_KEY}"));
}

#[tokio::test]
async fn an_unsubscribed_one() {
    let (_script, client) = scripted(&["subscriber-unsubscribed-200"]).await;
    let found = client.subscriber(&call(), "test@test.com").await.unwrap().unwrap();
    assert_eq!(found.status, SubscriberStatus::Unsubscribed);
    assert_eq!(found.unsubscribed_at, "2019-11-27T18:05:40.847Z".parse().ok());
    assert_eq!(found.unsubscription_type.as_deref(), Some("manual"));
}

#[tokio::test]
async fn members_may_be_missing_null_strange_or_twice() {
    let odd = json!({
        "email": "a@b.co", "fields": null, "belongsToLists": [17, "News"], "status": "frozen",
        "unsubscribedDate": "", "unsubscriptionDate": "2019-11-27T18:05:40.847", "score": null,
        "unknown": {"a": [1]}, "_links": [],
    });
    let bare = json!({"email": "a@b.co", "fields": [
        {"name": "N", "value": 7}, {"name": "E", "value": ""}, {"name": "Z"},
    ]});
    let lines = [odd, bare].map(|body| Line::json(200, body.to_string()));
    let script = Script::start(lines).await;
    let client = client(script.url.as_str(), |_| {});
    let found = client.subscriber(&call(), "a@b.co").await.unwrap().unwrap();
    assert_eq!(found.lists, ["17", "News"]);
    assert_eq!(found.status, SubscriberStatus::Other("frozen".to_owned()));
    assert_eq!(found.unsubscribed_at, "2019-11-27T18:05:40.847Z".parse().ok());
    let found = client.subscriber(&call(), "a@b.co").await.unwrap().unwrap();
    let values: Vec<_> = found.fields.iter().map(|field| field.value.as_deref()).collect();
    assert_eq!(values, [Some("7"), None, None]);
}

#[tokio::test]
async fn pages_are_followed_by_what_came_back() {
    let page = |number: u32| {
        let items = json!([{"listId": number, "name": format!("L{number}")}]);
        let body = json!({"items": items, "pageSize": 1, "itemsCount": 3, "pagesCount": 3});
        Line::json(200, body.to_string())
    };
    let script = Script::start([page(1), page(2), page(3)]).await;
    let client = client(script.url.as_str(), |_| {});
    let lists = client.lists(&call()).await.unwrap();
    assert_eq!(lists.iter().map(|list| list.id).collect::<Vec<_>>(), [1, 2, 3]);
    let targets: Vec<_> = script.seen().into_iter().map(|seen| seen.target).collect();
    assert!(targets[0].ends_with("/lists?page=1&per_page=200&state=active"), "{targets:?}");
    assert!(targets[2].contains("?page=3&"), "{targets:?}");

    script.rewrite([page(1)]);
    client.lists(&call()).await.unwrap();
    script.rewrite([Line::json(200, json!({"items": [], "pagesCount": 9}).to_string())]);
    script.seen();
    assert!(client.lists(&call()).await.unwrap().is_empty());
    assert_eq!(script.count(), 1, "an empty page is the last");
}

#[tokio::test]
async fn the_other_collections_as_in_the_fixtures() {
    let names = ["lists-page-200", "fields-200", "deliveries-200", "subscribers-search-200"];
    let (script, client) = scripted(&names).await;
    let lists = client.lists(&call()).await.unwrap();
    assert_eq!((lists[0].id, lists[0].name.as_str()), (1_459_381, "shopify"));
    assert_eq!(lists[0].subscribers_count, Some(9));
    let fields = client.fields(&call()).await.unwrap();
    let email = fields.iter().find(|field| field.key == "EMAIL").unwrap();
    assert!(email.read_only && email.predefined && email.kind == "email");
    let deliveries = client.deliveries(&call(), "test@test.com").await.unwrap();
    assert_eq!((deliveries[0].campaign_id.as_str(), deliveries[0].clicks), ("1", 2));
    assert_eq!(deliveries[0].status, DeliveryStatus::Opened);
    assert_eq!(deliveries[1].status, DeliveryStatus::NotOpened);
    script.seen();
    let page = client.subscribers(&call(), NonZeroU32::MIN, Some("a b&c")).await.unwrap();
    assert_eq!((page.number, page.size, page.pages, page.total), (1, 100, 1, 1));
    assert!(script.seen()[0].target.ends_with("?page=1&per_page=100&keyword=a%20b%26c"));
}

#[test]
fn every_error_has_its_kind() {
    let rejected = |fields: &[&str]| Kind::Rejected {
        fields: fields.iter().map(|&field| field.to_owned()).collect(),
    };
    for (name, kind) in [
        ("error-400-validation", rejected(&["per_page"])),
        (
            "error-400-duplicated-list-name",
            Kind::Duplicate { id: None, field: Some("name".to_owned()) },
        ),
        ("error-400-subscriber-unsubscribed", Kind::OptedOut { own_will: true }),
        ("error-401-invalid-token", Kind::Unauthorized),
        ("error-401-no-credentials", Kind::Unauthorized),
        ("error-403-wrong-account", Kind::Unauthorized),
        ("error-404-route", Kind::Malformed),
        ("error-404-task", Kind::NotFound),
    ] {
        let (status, body) = fixture(name);
        let status = StatusCode::from_u16(status).unwrap();
        let told = refusal::kind(&routes::LISTS, status, body.to_string().as_bytes());
        assert_eq!(told, kind, "{name}");
    }
    for (status, body, kind) in [
        (403, "<html>blocked</html>", Kind::Unavailable),
        (404, "<html>gone</html>", Kind::Malformed),
        (401, "", Kind::Unauthorized),
        (502, "<html>ana@example.com</html>", Kind::Unavailable),
        (500, r#"{"details": "x"}"#, Kind::Unavailable),
        (302, "{}", Kind::Malformed),
        (
            400,
            r#"{"errors": [{"key": "ana@example.com"}, {"key": "fields[0].value"}]}"#,
            rejected(&["fields[0].value"]),
        ),
    ] {
        let status = StatusCode::from_u16(status).unwrap();
        assert_eq!(refusal::kind(&routes::LISTS, status, body.as_bytes()), kind, "{status} {body}");
    }
}

#[test]
fn whether_the_list_is_gone_or_the_subscriber_is_told_apart() {
    let told = |route, detail: &str| {
        let body = json!({"errorCode": 1, "detail": detail}).to_string();
        refusal::kind(route, StatusCode::NOT_FOUND, body.as_bytes())
    };
    let (list, subscriber) =
        ("List `id:7` does not exist", "Subscriber `id:a@b.co` does not exist");
    assert_eq!(told(&routes::REMOVE_FROM_LIST, list), Kind::ListGone);
    assert_eq!(told(&routes::REMOVE_FROM_LIST, subscriber), Kind::NotFound);
    assert_eq!(told(&routes::REMOVE_FROM_LIST, "gone"), Kind::NotFound);
    assert_eq!(told(&routes::PUT_SUBSCRIBER, "gone"), Kind::ListGone);
    assert_eq!(told(&routes::IMPORT_INTO_LIST, list), Kind::ListGone);
    assert_eq!(told(&routes::SUBSCRIBER, subscriber), Kind::NotFound);
    let code = |code: u32| {
        let body = json!({"errorCode": code}).to_string();
        refusal::kind(&routes::PUT_SUBSCRIBER, StatusCode::BAD_REQUEST, body.as_bytes())
    };
    assert_eq!(code(3), Kind::Full);
    assert_eq!(code(6), Kind::OptedOut { own_will: false });
    assert_eq!(code(9), Kind::OptedOut { own_will: true });
}

#[test]
fn an_import_ends_in_any_of_several_words() {
    let (status, body) = fixture("task-import-200");
    assert_eq!(status, 200);
    let task = |body: Value| convert::task(serde_json::from_value::<wire::Task>(body).unwrap());
    let done = task(body.clone());
    let details = &body["importDetails"];
    let ImportState::Completed(counts) = done.state else { panic!("{done:?}") };
    assert_eq!(done.id, body["taskId"]);
    assert_eq!(details["processed"], counts.processed);
    assert_eq!(details["newSubscribers"], counts.created);
    for (body, state) in [
        (json!({"taskId": "import-1", "status": "pending"}), ImportState::Running),
        (
            json!({"taskId": "import-1", "status": "processing", "finishDate": ""}),
            ImportState::Running,
        ),
        (json!({"taskId": "import-1"}), ImportState::Running),
        (
            json!({"taskId": 1, "status": "new", "finishDate": "2017-12-22T21:01:26.08Z"}),
            ImportState::Completed(ImportCounts::default()),
        ),
        (
            json!({"taskId": "import-1", "status": "Completed"}),
            ImportState::Completed(ImportCounts::default()),
        ),
        (
            json!({"taskId": "import-1", "status": "cancelled", "finishDate": "x"}),
            ImportState::Failed,
        ),
        (json!({"taskId": "import-1", "status": "completedWithErrors"}), ImportState::Failed),
    ] {
        assert_eq!(task(body.clone()).state, state, "{body}");
    }
}

#[tokio::test]
async fn a_refused_rate_is_a_wait() {
    let (_script, client) = scripted(&["error-429"]).await;
    let mut hurried = call();
    hurried.deadline = tokio::time::Instant::now() + std::time::Duration::from_millis(500);
    let error = client.lists(&hurried).await.unwrap_err();
    assert!(matches!(error.kind, Kind::RateLimited { daily: false, .. }), "{error}");
}

#[tokio::test]
async fn without_account_or_key_nothing_is_called() {
    let script = Script::start([Line::json(200, "{}")]).await;
    let no_key = client(script.url.as_str(), |config| config.api_key = None);
    let no_account = client(script.url.as_str(), |config| config.account = None);
    for client in [no_key, no_account] {
        assert_eq!(client.check(&call()).await.unwrap_err().kind, Kind::NotConnected);
        let status = client.status();
        assert_eq!((status.state, status.credential), (UpstreamState::NotConnected, None));
    }
    assert_eq!(script.count(), 0);
}

#[tokio::test]
async fn the_fake_is_read_whole() {
    let (tasks, sandbox) = sandbox().await;
    let client = client(&sandbox.doppler_url(), |_| {});
    client.check(&call()).await.unwrap();
    let lists = client.lists(&call()).await.unwrap();
    assert!(!lists.is_empty());
    assert!(client.fields(&call()).await.unwrap().iter().any(|field| field.key == "FIRSTNAME"));
    let first = client.subscribers(&call(), NonZeroU32::MIN, None).await.unwrap();
    assert_eq!((first.number, first.size), (1, 100));
    assert_eq!(first.pages, first.total.div_ceil(100));
    let mut delivered = 0;
    for listed in first.items.iter().take(20) {
        let single = client.subscriber(&call(), &listed.email).await.unwrap();
        assert_eq!(single.as_ref(), Some(listed));
        delivered += client.deliveries(&call(), &listed.email).await.unwrap().len();
    }
    assert!(delivered > 0, "nobody was sent anything");
    let status = client.status();
    assert_eq!((status.state, status.last_error), (UpstreamState::Connected, None));
    assert_eq!(status.account.as_deref(), Some(DOPPLER_ACCOUNT));
    let statuses: Vec<_> = journal(&sandbox).into_iter().map(|(.., status)| status).collect();
    assert!(statuses.iter().all(|status| *status == Some(200)), "{statuses:?}");
    tasks.stop();
}

#[tokio::test]
async fn hostile_addresses_reach_no_other_route() {
    let (tasks, sandbox) = sandbox().await;
    let client = client(&sandbox.doppler_url(), |_| {});
    let long = format!("{}@example.com", "x".repeat(10_000));
    for hostile in [
        "",
        ".",
        "..",
        "%2e%2e",
        "nobody",
        "a/../../lists@x.co",
        "x@y/../../lists",
        "x@y?a=1#b",
        "x@y/deliveries",
        "x@y%2fdeliveries",
        "x@y\\..\\lists",
        "x@y\0",
        "x\n@y",
        "ñ@ñ",
        &long,
    ] {
        assert_eq!(client.subscriber(&call(), hostile).await.unwrap(), None, "{hostile:?}");
        assert!(client.deliveries(&call(), hostile).await.unwrap().is_empty(), "{hostile:?}");
    }
    for (route, path, status) in journal(&sandbox) {
        let route = route.unwrap_or_default();
        assert!(route.starts_with("/accounts/{accountName}/subscribers/{email}"), "{route} {path}");
        assert_eq!(status, Some(404), "{path}");
    }
    tasks.stop();
}

#[tokio::test]
async fn a_wrong_key_needs_a_person_and_a_right_one_mends_it() {
    let (tasks, sandbox) = sandbox().await;
    let wrong = client(&sandbox.doppler_url(), |config| {
        config.api_key = Some(SecretString::from("F".repeat(32)));
    });
    let error = wrong.check(&call()).await.unwrap_err();
    assert_eq!((error.kind, error.system), (Kind::Unauthorized, System::Doppler));
    assert_eq!(wrong.status().state, UpstreamState::NeedsReauthorization);
    assert_eq!(wrong.status().last_error, Some(Kind::Unauthorized));
    let right = client(&sandbox.doppler_url(), |_| {});
    assert_ne!(right.view(), wrong.view());
    tasks.stop();
}
