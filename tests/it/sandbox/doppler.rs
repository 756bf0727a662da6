//! The rules of the Doppler fake.

use reqwest::Method;
use serde_json::{Value, json};
use tandem::sandbox::credentials::DOPPLER_API_KEY;

use super::api::Api;

#[tokio::test]
async fn every_documented_form_of_the_key_is_taken_and_of_the_account() {
    let api = Api::start().await;
    let base = api.sandbox.doppler_url();
    for (path, header) in [
        ("/accounts/sandbox@tandem.test/", Some("Token")),
        ("/accounts/sandbox%40tandem.test", Some("Bearer")),
        ("/accounts/sandbox@tandem.test/lists/?access_token=KEY", None),
        ("/accounts/SANDBOX@tandem.test/fields?api_key=KEY", None),
    ] {
        let url = format!("{base}{}", path.replace("KEY", DOPPLER_API_KEY));
        let mut request = Api::request(Method::GET, &url);
        if let Some(scheme) = header {
            let value = format!("{scheme} {DOPPLER_API_KEY}").parse().unwrap();
            request.headers_mut().insert("authorization", value);
        }
        assert_eq!(api.send(request).await.status, 200, "{path}");
    }
    let index = api.send(Api::request(Method::GET, &format!("{base}/"))).await;
    assert_eq!(index.status, 200);
    assert!(index.text.contains("/docs/rels/get-index"), "{}", index.text);
}

#[tokio::test]
async fn problem_json_is_sent_only_to_those_who_name_it() {
    let api = Api::start().await;
    let plain = api.get("/nope").await;
    assert!(plain.header("content-type").ends_with("profile=\"/schemas/problem.json\""));
    let mut request = api.doppler_request(Method::GET, "/nope", None);
    let accept = "application/json, application/problem+json".parse().unwrap();
    request.headers_mut().insert("accept", accept);
    assert!(api.send(request).await.header("content-type").starts_with("application/problem+json"));
}

#[tokio::test]
async fn pages_link_to_each_other_and_end() {
    let api = Api::start().await;
    let mut seen = Vec::new();
    let mut page = 1;
    loop {
        let body = api.get(&format!("/subscribers?page={page}&per_page=20")).await.json();
        let items = body["items"].as_array().unwrap();
        seen.extend(items.iter().map(|item| item["email"].as_str().unwrap().to_owned()));
        assert_eq!((&body["currentPage"], &body["pageSize"]), (&json!(page), &json!(20)));
        let next = |link: &Value| link["rel"].as_str().unwrap().split(' ').any(|rel| rel == "next");
        let has_next = body["_links"].as_array().unwrap().iter().any(next);
        assert_eq!(has_next, body["pagesCount"].as_u64().unwrap() > page);
        page += 1;
        if !has_next {
            assert_eq!(body["itemsCount"], seen.len());
            break;
        }
    }
    assert_eq!(seen.len(), 51);
    let beyond = api.get("/subscribers?page=99").await.json();
    assert_eq!((beyond["items"].as_array().unwrap().len(), &beyond["itemsCount"]), (0, &json!(51)));
    for (query, keys) in [
        ("per_page=101", vec!["per_page"]),
        ("per_page=4&page=0", vec!["page", "per_page"]),
        ("page=two", vec!["page"]),
    ] {
        assert_eq!(api.get(&format!("/subscribers?{query}")).await.keys(), keys, "{query}");
    }
    assert_eq!(api.get("/lists?per_page=200").await.status, 200);
    assert_eq!(api.get("/lists?per_page=201").await.keys(), ["per_page"]);
}

#[tokio::test]
async fn an_add_creates_then_updates_and_leaves_the_rest() {
    let api = Api::start().await;
    let list = api.list("Shop").await;
    let path = format!("/lists/{list}/subscribers");
    let fields = |pairs: &[(&str, &str)]| -> Value {
        pairs.iter().map(|(name, value)| json!({"name": name, "value": value})).collect()
    };
    let first = fields(&[("FIRSTNAME", "Jon"), ("LASTNAME", "Snow"), ("COMPANY", "Winterfell")]);
    api.post(&path, json!({"email": "jon@example.com", "fields": first})).await;
    let second = fields(&[("FIRSTNAME", "Aegon"), ("COMPANY", "")]);
    let again = api.post(&path, json!({"email": "JON@example.com", "fields": second})).await;
    assert_eq!(again.status, 200);
    let jon = api.get("/subscribers/jon@example.com").await.json();
    let value = |name: &str| {
        let fields = jon["fields"].as_array().unwrap();
        fields.iter().find(|field| field["name"] == name).map(|field| field["value"].clone())
    };
    assert_eq!(value("FIRSTNAME"), Some(json!("Aegon")));
    assert_eq!(value("LASTNAME"), Some(json!("Snow")));
    assert_eq!(value("COMPANY"), Some(json!("")));
    assert_eq!(jon["belongsToLists"], json!([list]));
    assert_eq!(api.get(&format!("/lists/{list}")).await.json()["subscribersCount"], 1);
    let found = api.get("/subscribers?keyword=snow").await.json();
    assert!(found["items"].as_array().unwrap().iter().any(|item| item["email"] == jon["email"]));

    // Out of the list, still in the account; a second time there is nothing to take out.
    assert_eq!(api.delete(&format!("{path}/jon%40example.com")).await.status, 200);
    assert_eq!(api.delete(&format!("{path}/jon@example.com")).await.code(), "404.1");
    let jon = api.get("/subscribers/jon@example.com").await.json();
    assert_eq!((&jon["status"], &jon["belongsToLists"]), (&json!("active"), &json!([])));
    assert_eq!(api.delete("/subscribers/jon@example.com").await.code(), "404.0");
}

#[tokio::test]
async fn what_does_not_fit_is_refused_and_changes_nothing() {
    let api = Api::start().await;
    let list = api.list("Shop").await;
    let path = format!("/lists/{list}/subscribers");
    let one = |name: &str, value: Value| json!({"email": "new@example.com", "fields": [{"name": name, "value": value}]});
    for (body, keys) in [
        (json!({"email": "admin@mailserver1"}), vec!["email"]),
        (json!({}), vec!["email"]),
        (one("NOPE", json!("x")), vec!["fields[0].name"]),
        (one("firstname", json!("x")), vec!["fields[0].name"]),
        (one("EMAIL", json!("b@example.com")), vec!["fields[0].name"]),
        (one("BIRTHDAY", json!("28/09/1983")), vec!["fields[0].value"]),
        (one("PHONE", json!("5550101")), vec!["fields[0].value"]),
        (one("presupuesto", json!(12)), vec!["fields[0].value"]),
        (one("COMPANY", json!("x".repeat(401))), vec!["fields[0].value"]),
        (json!({"email": "new@example.com", "tags": ["vip"]}), vec!["body"]),
        (json!([]), vec!["body"]),
    ] {
        let answer = api.post(&path, body.clone()).await;
        assert_eq!(answer.keys(), keys, "{body}");
    }
    let tolerated = json!({"email": "new@example.com", "fields": [{
        "name": "FIRSTNAME", "value": "New", "predefined": true, "private": false,
        "readonly": false, "type": "string",
    }]});
    assert_eq!(api.get("/subscribers/new@example.com").await.code(), "404.1");
    assert_eq!(api.post(&path, tolerated).await.status, 200);
    assert_eq!(api.post("/lists/1/subscribers", json!({"email": "a@b.co"})).await.code(), "404.1");
}

#[tokio::test]
async fn odd_addresses_in_the_path_are_one_segment() {
    let api = Api::start().await;
    let list = api.list("Odd").await;
    for (email, segment) in [
        ("a+b@example.com", "a+b@example.com"),
        ("a+b@example.com", "a%2Bb%40example.com"),
        ("a/b@example.com", "a%2Fb@example.com"),
        ("50%off?x#y@example.com", "50%25off%3Fx%23y@example.com"),
    ] {
        let added = api.post(&format!("/lists/{list}/subscribers"), json!({"email": email})).await;
        assert_eq!(added.status, 200, "{email}: {}", added.text);
        let found = api.get(&format!("/subscribers/{segment}/")).await;
        assert_eq!(found.json()["email"], email, "{segment}");
    }
    assert_eq!(api.get("/subscribers/a/b@example.com").await.code(), "404.0");
}

#[tokio::test]
async fn who_is_out_cannot_be_brought_back() {
    let api = Api::start().await;
    let list = api.list("Back").await;
    let path = format!("/lists/{list}/subscribers");
    let add = |email: &str| api.post(&path, json!({"email": email}));
    add("own@example.com").await;
    let body = json!({
        "email": "own@example.com", "unsubscriptionComment": "bye",
        "manualUnsubscriptionReason": "subscriberRequestIsSpam",
    });
    assert_eq!(api.post("/unsubscribed", body.clone()).await.status, 200);
    assert_eq!(api.post("/unsubscribed", body).await.status, 200);
    assert_eq!(add("own@example.com").await.code(), "400.9");
    let bounce = json!({"system": "DOPPLER", "op": "unsubscribe", "type": "hardBounce",
        "email": "ana.paz@example.com"});
    api.control(Method::POST, "/edit", bounce).await;
    assert_eq!(add("ana.paz@example.com").await.code(), "400.6");
    let own = api.get("/subscribers/own@example.com").await.json();
    assert_eq!(own["status"], "unsubscribed");
    assert_eq!(own["unsubscriptionType"], "manual");
    assert_eq!(own["unsubscribedDate"], "2026-03-01T12:00:00Z");
    assert_eq!(own["belongsToLists"], json!([]));

    let window = "from=2026-03-01T09:00:00-03:00&to=2026-03-01T12:00:01Z";
    let page = api.get(&format!("/unsubscribed?{window}")).await.json();
    assert_eq!(page["itemsCount"], 2);
    assert_eq!(api.get("/unsubscribed").await.keys(), ["from", "to"]);
    assert_eq!(api.get("/unsubscribed?from=2026-03-01").await.keys(), ["from"]);
    let plus = "from=2026-03-01T00:00:00+03:00&to=2026-03-02Z";
    assert_eq!(api.get(&format!("/unsubscribed?{plus}")).await.keys(), ["from"]);
    let late = "from=2026-03-01T12:00:00.001Z&to=2026-03-02Z";
    assert_eq!(api.get(&format!("/unsubscribed?{late}")).await.json()["itemsCount"], 0);
    let switch = json!({"unsubscribedGatewayError": true});
    api.control(Method::POST, "/settings", switch).await;
    let gateway = api.get("/unsubscribed").await;
    assert_eq!((gateway.status, gateway.text.starts_with("<html>")), (504, true));
}

#[tokio::test]
async fn double_opt_in_makes_newcomers_wait() {
    let api = Api::start().await;
    let list = api.list("Careful").await;
    let path = format!("/lists/{list}/subscribers/doble-optin/7");
    api.post(&path, json!({"email": "new@example.com"})).await;
    api.post(&path, json!({"email": "ana.paz@example.com"})).await;
    assert_eq!(api.get("/subscribers/new@example.com").await.json()["status"], "pending");
    assert_eq!(api.get("/subscribers/ana.paz@example.com").await.json()["status"], "active");
    let page = api.get(&format!("/lists/{list}/subscribers")).await.json();
    assert_eq!(page["itemsCount"], 2);
    let earlier = format!("/lists/{list}/subscribers?to=2026-03-01T12:00:00Z");
    assert_eq!(api.get(&earlier).await.json()["itemsCount"], 0);
}

#[tokio::test]
async fn lists_have_unique_names_and_a_limit() {
    let api = Api::start().await;
    let id = api.list("One").await;
    api.list("Two").await;
    let path = format!("/lists/{id}");
    let rename = |name: &str| api.doppler(Method::PUT, &path, Some(json!({"name": name})));
    assert_eq!(rename("two").await.code(), "400.2");
    assert_eq!(rename("ONE").await.status, 200);
    assert_eq!(rename("").await.keys(), ["name"]);
    assert_eq!(rename(&"x".repeat(101)).await.keys(), ["name"]);
    api.control(Method::POST, "/settings", json!({"maxLists": 8})).await;
    assert_eq!(api.post("/lists", json!({"name": "Three"})).await.code(), "400.3");
    assert_eq!(api.delete(&format!("/lists/{id}")).await.status, 200);
    assert_eq!(api.get(&format!("/lists/{id}")).await.code(), "404.1");
    assert_eq!(api.get("/lists/abc").await.code(), "404.0");
    assert_eq!(api.get("/lists?state=inactive").await.json()["itemsCount"], 0);
    assert_eq!(api.get("/lists?state=gone").await.keys(), ["state"]);
}

#[tokio::test]
async fn fields_are_made_renamed_and_removed_with_their_values() {
    let api = Api::start().await;
    let new = |name: &str, kind: &str| api.post("/fields", json!({"name": name, "type": kind}));
    assert_eq!(new("Plan", "string").await.json()["createdResourceId"], "Plan");
    assert_eq!(new("plan", "string").await.keys(), ["name"]);
    assert_eq!(new("with space", "string").await.keys(), ["name"]);
    assert_eq!(new("Other", "email").await.keys(), ["type"]);
    let list = api.list("Fields").await;
    let person = json!({"email": "f@example.com", "fields": [{"name": "Plan", "value": "gold"}]});
    assert_eq!(api.post(&format!("/lists/{list}/subscribers"), person).await.status, 200);
    let rename = json!({"name": "Plan2"});
    assert_eq!(api.doppler(Method::PUT, "/fields/Plan", Some(rename)).await.status, 200);
    let person = api.get("/subscribers/f@example.com").await.json();
    assert_eq!(person["fields"][0]["name"], "Plan2");
    assert_eq!(api.delete("/fields/Plan2").await.status, 200);
    assert_eq!(api.get("/subscribers/f@example.com").await.json()["fields"], json!([]));
    assert_eq!(api.delete("/fields/FIRSTNAME").await.keys(), ["name"]);
    assert_eq!(api.delete("/fields/Nope").await.code(), "404.1");
}

#[tokio::test]
async fn the_rate_limit_lets_a_burst_pass_and_then_says_when() {
    let api = Api::with(|options| tandem::sandbox::Options { rate_limit: true, ..options }).await;
    for _ in 0..20 {
        assert_eq!(api.get("/lists").await.status, 200);
    }
    let much = api.get("/lists").await;
    assert_eq!((much.code().as_str(), much.header("retry-after")), ("429.0", "1"));
    api.clock.advance(std::time::Duration::from_secs(1));
    for _ in 0..10 {
        assert_eq!(api.get("/lists").await.status, 200);
    }
    assert_eq!(api.get("/lists").await.status, 429);
}

#[tokio::test]
async fn campaigns_say_who_got_them_and_what_came_of_it() {
    let api = Api::start().await;
    let scheduled = api.get("/campaigns/?state=scheduled").await.json();
    let id = &scheduled["items"][0]["campaignId"];
    let recipients = api.get(&format!("/campaigns/{id}/recipients")).await.json();
    assert_eq!(recipients["lists"][0]["name"], "Events");
    assert_eq!(api.get(&format!("/campaigns/{id}")).await.json()["status"], "scheduled");
    assert_eq!(api.get("/campaigns/1").await.code(), "404.1");
    assert_eq!(api.get("/campaigns?state=lost").await.keys(), ["state"]);

    let ana = "/subscribers/ana.paz@example.com/deliveries";
    let before = api.get(ana).await.json();
    assert_eq!(before["items"][0]["deliveryStatus"], "notOpened");
    let id = before["items"][0]["campaignId"].clone();
    let summary = format!("/campaigns/{id}/results-summary");
    let counted = api.get(&summary).await.json();
    let click = json!({"system": "DOPPLER", "op": "click", "email": "ana.paz@example.com",
        "campaignId": id});
    assert_eq!(api.control(Method::POST, "/edit", click).await.status, 200);
    let after = api.get(ana).await.json();
    assert_eq!(after["items"][0]["deliveryStatus"], "opened");
    assert_eq!(after["items"][0]["clicksCount"], 1);
    let recounted = api.get(&summary).await.json();
    for member in ["uniqueOpens", "uniqueClicks", "totalClicks"] {
        let number = |summary: &Value| summary[member].as_u64().unwrap();
        assert_eq!(number(&recounted), number(&counted) + 1, "{member}");
    }
    let picture = api.get(&format!("/campaigns/{id}/preview")).await;
    assert_eq!(picture.header("content-type"), "image/gif");
}

#[tokio::test]
async fn lists_of_a_subscriber_are_ids_or_names() {
    let api = Api::start().await;
    let lists = || async {
        let ana = api.get("/subscribers/ana.paz@example.com").await.json();
        ana["belongsToLists"].as_array().unwrap().clone()
    };
    assert!(lists().await.iter().all(|list| list.as_str().unwrap().parse::<u64>().is_ok()));
    api.control(Method::POST, "/settings", json!({"belongsToLists": "names"})).await;
    assert_eq!(lists().await, ["Newsletter", "Customers"]);
}

#[tokio::test]
async fn permissions_leave_a_trace() {
    let api = Api::start().await;
    let list = api.list("Permit").await;
    let person = json!({"email": "ana.paz@example.com",
        "fields": [{"name": "AceptaOfertas", "value": "false"}]});
    api.post(&format!("/lists/{list}/subscribers"), person).await;
    let path = "/subscribers/ana.paz@example.com/permissions-history";
    let rows = api.get(&format!("{path}/AceptaOfertas")).await.json();
    let seen: Vec<_> = rows["items"].as_array().unwrap().iter().map(|row| &row["value"]).collect();
    assert_eq!(seen, ["false", "true"]);
    let csv = api.get(&format!("{path}.csv")).await;
    assert!(csv.header("content-type").starts_with("text/csv"));
    assert!(csv.text.lines().any(|line| line.contains("AceptaOfertas,permission,2026-03-01")));
    assert_eq!(api.get(&format!("{path}/Nope")).await.code(), "404.1");
}
