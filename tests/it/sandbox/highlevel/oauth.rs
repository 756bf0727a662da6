//! Consent, tokens and their rotation.

use std::collections::HashMap;

use axum::body::Body;
use axum::http::Request;
use serde_json::{Value, json};
use tandem::sandbox::highlevel::TokenControl;

use super::vendor::{Answer, LOCATION, Vendor};

const COMPANY: &str = "sandboxCompany000001";
const CONSENT: [(&str, &str); 5] = [
    ("response_type", "code"),
    ("client_id", "sandboxclient-tandem"),
    ("version_id", "sandboxversion"),
    ("redirect_uri", "http://127.0.0.1:4000/oauth/highlevel/callback"),
    ("scope", "contacts.readonly contacts.write"),
];

/// Approves, and answers what came back with the redirect.
async fn approve(vendor: &Vendor, more: &[(&str, &str)]) -> HashMap<String, String> {
    let form: Vec<_> = CONSENT.iter().chain(more).copied().collect();
    let answer = vendor.form("/v2/oauth/chooselocation", &form).await;
    assert_eq!(answer.status, 303, "{}", answer.body);
    let target = url::Url::parse(answer.header("location").unwrap()).unwrap();
    assert_eq!(target.path(), "/oauth/highlevel/callback");
    target.query_pairs().into_owned().collect()
}

async fn token(vendor: &Vendor, more: &[(&str, &str)]) -> Answer {
    let client =
        [("client_id", "sandboxclient-tandem"), ("client_secret", "sandbox-client-secret")];
    let form: Vec<_> = client.iter().chain(more).copied().collect();
    vendor.form("/oauth/token", &form).await
}

async fn exchange(vendor: &Vendor, code: &str) -> Answer {
    token(vendor, &[("grant_type", "authorization_code"), ("code", code)]).await
}

async fn refresh(vendor: &Vendor, refresh: &str) -> Answer {
    token(vendor, &[("grant_type", "refresh_token"), ("refresh_token", refresh)]).await
}

async fn reads(vendor: &Vendor, access: &str) -> u16 {
    let path = format!("/contacts/?locationId={LOCATION}");
    vendor.call_as(access, "GET", &path, None).await.status
}

#[tokio::test]
async fn the_page_asks_and_sends_back_with_state() {
    let vendor = Vendor::new();
    for path in ["/oauth/chooselocation", "/v2/oauth/chooselocation"] {
        let query = "response_type=code&client_id=sandboxclient-tandem&version_id=sandboxversion\
                     &redirect_uri=http%3A%2F%2F127.0.0.1%2Fcb&scope=contacts.readonly\
                     &state=%22%3E%3Cscript%3E";
        let request = Request::get(format!("{path}?{query}")).body(Body::empty()).unwrap();
        let page = vendor.send(request).await;
        let html = page.body.as_str().unwrap();
        assert!(html.contains("<li>contacts.readonly</li>") && html.contains("id=\"approve\""));
        assert!(html.contains("value=\"&quot;&gt;&lt;script&gt;\"") && !html.contains("<script>"));
    }
    let back = approve(&vendor, &[("state", "s t/8")]).await;
    assert_eq!(back["state"], "s t/8");
    let back = approve(&vendor, &[("state", "s"), ("from_marketplace", "yes")]).await;
    assert!(!back.contains_key("state") && back.contains_key("code"));
    let wrong = [("client_id", "sandboxclient-tandem")];
    assert_eq!(vendor.form("/oauth/chooselocation", &wrong).await.status, 400);
}

#[tokio::test]
async fn a_code_is_good_once_and_a_token_for_a_day() {
    let vendor = Vendor::new();
    let code = approve(&vendor, &[]).await["code"].clone();
    let first = exchange(&vendor, &code).await;
    assert_eq!(
        (first.text("/userType"), first.text("/locationId")),
        ("Location".into(), LOCATION.into())
    );
    assert_eq!(first.text("/scope"), "contacts.readonly contacts.write");
    let again = exchange(&vendor, &code).await;
    let refused =
        json!({"error": "UnAuthorized!", "error_description": "Authorization code not found"});
    assert_eq!((again.status, again.plain()), (401, refused));
    let access = first.text("/access_token");
    assert_eq!(reads(&vendor, &access).await, 200);
    vendor.advance(86_399);
    let expired = vendor.call_as(&access, "GET", "/contacts/x", None).await;
    assert_eq!((expired.status, expired.text("/message")), (401, "Invalid JWT".to_owned()));
    let renewed = refresh(&vendor, &first.text("/refresh_token")).await;
    assert_eq!(reads(&vendor, &renewed.text("/access_token")).await, 200);
    // The scope that was not approved is missing.
    let path = format!("/locations/{LOCATION}/tags");
    assert_eq!(
        vendor.call_as(&renewed.text("/access_token"), "GET", &path, None).await.status,
        401
    );
}

#[tokio::test]
async fn a_repeated_refresh_answers_alike_for_thirty_seconds() {
    let vendor = Vendor::new();
    let first = exchange(&vendor, &approve(&vendor, &[]).await["code"]).await;
    let used = first.text("/refresh_token");
    let second = refresh(&vendor, &used).await;
    assert_ne!(second.text("/refresh_token"), used);
    vendor.advance(29);
    assert_eq!(refresh(&vendor, &used).await.plain(), second.plain());
    vendor.advance(1);
    let late = refresh(&vendor, &used).await;
    assert_eq!((late.status, late.text("/error")), (400, "invalid_grant".to_owned()));
    assert_eq!(refresh(&vendor, &second.text("/refresh_token")).await.status, 200);
    vendor.advance(366 * 86_400);
    assert_eq!(refresh(&vendor, &second.text("/refresh_token")).await.status, 400);
}

#[tokio::test]
async fn control_ends_tokens() {
    let vendor = Vendor::new();
    let first = exchange(&vendor, &approve(&vendor, &[]).await["code"]).await;
    let control = |control: Value| {
        let control: TokenControl = serde_json::from_value(control).unwrap();
        vendor.fake.control_tokens(control);
    };
    control(json!({"expireAccess": true}));
    assert_eq!(reads(&vendor, &first.text("/access_token")).await, 401);
    control(json!({"strictReuse": true}));
    let second = refresh(&vendor, &first.text("/refresh_token")).await;
    assert_eq!(reads(&vendor, &second.text("/access_token")).await, 200);
    assert_eq!(refresh(&vendor, &first.text("/refresh_token")).await.status, 400);
    assert_eq!(reads(&vendor, &second.text("/access_token")).await, 401, "the family is dead");
    assert_eq!(refresh(&vendor, &second.text("/refresh_token")).await.status, 400);
    let third = exchange(&vendor, &approve(&vendor, &[]).await["code"]).await;
    control(json!({"revokeRefresh": true}));
    assert_eq!(refresh(&vendor, &third.text("/refresh_token")).await.status, 400);
    assert_eq!(vendor.get(&format!("/contacts/?locationId={LOCATION}")).await.status, 200);
}

#[tokio::test]
async fn an_agency_gets_tokens_for_its_location() {
    let vendor = Vendor::new();
    let code = approve(&vendor, &[("user_type", "Company")]).await["code"].clone();
    let agency = exchange(&vendor, &code).await;
    assert_eq!(agency.text("/userType"), "Company");
    assert!(agency.body.get("locationId").is_none());
    let access = agency.text("/access_token");
    let refused = vendor.call_as(&access, "GET", "/contacts/x", None).await;
    assert_eq!(refused.status, 401);
    assert!(refused.text("/message").starts_with("This authClass type is not allowed"));
    let body = json!({"companyId": COMPANY, "locationId": LOCATION});
    let minted = vendor.call_as(&access, "POST", "/oauth/locationToken", Some(body.clone())).await;
    assert_eq!(minted.status, 201);
    assert_eq!(reads(&vendor, &minted.text("/access_token")).await, 200);
    assert_eq!(vendor.call("POST", "/oauth/locationToken", Some(body)).await.status, 401);
    let path = format!("/oauth/installedLocations?companyId={COMPANY}&appId=sandboxclient");
    let installed = vendor.call_as(&access, "GET", &path, None).await;
    assert_eq!(installed.text("/locations/0/_id"), LOCATION);
}

#[tokio::test]
async fn wrong_clients_and_reconnecting() {
    let vendor = Vendor::new();
    let wrong = [("client_id", "x"), ("client_secret", "y"), ("grant_type", "refresh_token")];
    assert_eq!(vendor.form("/oauth/token", &wrong).await.text("/error"), "invalid_client");
    let strange = [("client_id", "x"), ("client_secret", "y"), ("grant_type", "password")];
    assert_eq!(vendor.form("/oauth/token", &strange).await.status, 422);
    let body = json!({
        "clientKey": "sandboxclient-tandem", "clientSecret": "sandbox-client-secret",
        "locationId": LOCATION,
    });
    let again = vendor.post("/oauth/reconnect", body).await;
    assert_eq!(exchange(&vendor, &again.text("/authorizationCode")).await.status, 200);
}
