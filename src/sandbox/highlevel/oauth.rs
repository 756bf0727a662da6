//! OAuth 2.0 as HighLevel does it: the consent page, the token endpoint with its own error form,
//! an agency's tokens for its locations, and the reconnect API.

use std::fmt::Write as _;
use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, Response, StatusCode, header};
use axum::response::{Html, IntoResponse, Redirect};
use serde_json::{Map, Value, json};

use super::HighLevel;
use super::call::Call;
use super::dto::{self, Kind, Rule};
use super::reply::{Answer, Refusal, Reply};
use super::tokens::{Approved, COMPANY, Class, Consent, Pair, SCOPES};
use super::when::Millis;
use crate::sandbox::credentials::{OAUTH_CLIENT_ID, OAUTH_CLIENT_SECRET, OAUTH_VERSION_ID};
use crate::sandbox::here;

/// Who approves in the sandbox.
const USER: &str = "sandboxUser000000001";
/// The scopes an agency's token carries beside those approved.
const AGENCY_SCOPES: [&str; 2] = ["oauth.readonly", "oauth.write"];

/// `GET /oauth/chooselocation` and `/v2/oauth/chooselocation`: what the person is asked.
pub async fn consent_page(
    State(fake): State<Arc<HighLevel>>,
    RawQuery(query): RawQuery,
) -> Response<Body> {
    let query = pairs(query.as_deref().unwrap_or_default().as_bytes());
    let get = |name: &str| query.get(name).and_then(Value::as_str).unwrap_or_default();
    if get("version_id").is_empty() {
        // Seen with a client id alone.
        return (StatusCode::BAD_REQUEST, Html("error.noversionid")).into_response();
    }
    if get("client_id").is_empty() {
        // Seen with a version id alone: a blank page.
        return Html("").into_response();
    }
    if let Err(message) = check_consent(&query) {
        return (StatusCode::BAD_REQUEST, Html(escape(message))).into_response();
    }
    let mut hidden = String::new();
    for (name, value) in &query {
        let value = value.as_str().unwrap_or_default();
        let _ = write!(
            hidden,
            "<input type=\"hidden\" name=\"{}\" value=\"{}\">",
            escape(name),
            escape(value)
        );
    }
    let mut items = String::new();
    for scope in scopes(&query) {
        let _ = write!(items, "<li>{}</li>", escape(&scope));
    }
    let mut others = String::new();
    for other in fake.everywhere() {
        let location = other.account.location;
        let _ = write!(others, "<option value=\"{location}\">{location}</option>");
    }
    Html(format!(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>Choose location</title>\
         <main><h1>Connect to HighLevel (sandbox)</h1><p>This app asks to use:</p>\
         <ul>{items}</ul><form method=\"post\">{hidden}\
         <p><label>Install on <select name=\"user_type\">\
         <option value=\"Location\">a location</option>\
         <option value=\"Company\">the agency</option></select></label>\
         <label>location <select name=\"location_id\">{others}</select></label></p>\
         <p><label>the agency also approves \
         <select name=\"also\" multiple>{others}</select></label>\
         <label><input type=\"checkbox\" name=\"untold\" value=\"yes\"> and the answer does not \
         tell which</label></p>\
         <p><label><input type=\"checkbox\" name=\"from_marketplace\" value=\"yes\"> as if begun in \
         the marketplace: no state comes back</label></p>\
         <button type=\"submit\" id=\"approve\">Approve</button></form></main></html>"
    ))
    .into_response()
}

/// The consent page's button: sends the person back with a code.
pub async fn approve(
    State(fake): State<Arc<HighLevel>>,
    RawQuery(query): RawQuery,
    body: Bytes,
) -> Response<Body> {
    let mut form = pairs(query.unwrap_or_default().as_bytes());
    form.extend(pairs(&body));
    if let Err(message) = check_consent(&form) {
        return (StatusCode::BAD_REQUEST, Html(escape(message))).into_response();
    }
    let get = |name: &str| form.get(name).and_then(Value::as_str);
    let redirect = get("redirect_uri").unwrap_or_default();
    let Ok(mut target) = url::Url::parse(redirect) else {
        return (StatusCode::BAD_REQUEST, Html("error.redirecturi")).into_response();
    };
    let chosen = get("location_id");
    let Some(fake) = chosen.map_or(Some(Arc::clone(&fake)), |location| fake.of_location(location))
    else {
        return (StatusCode::BAD_REQUEST, Html("error.location")).into_response();
    };
    let Some(approved) = fake.approved(&body, get("untold").is_some()) else {
        return (StatusCode::BAD_REQUEST, Html("error.location")).into_response();
    };
    let class = if get("user_type") == Some("Company") { Class::Company } else { Class::Location };
    let consent =
        Consent { class, scopes: scopes(&form), redirect_uri: Some(redirect.to_owned()), approved };
    let code = fake.code(consent);
    target.query_pairs_mut().append_pair("code", &code);
    if let Some(state) = get("state").filter(|_| get("from_marketplace").is_none()) {
        target.query_pairs_mut().append_pair("state", state);
    }
    here::within(fake.account, || fake.install());
    Redirect::to(target.as_str()).into_response()
}

fn check_consent(query: &Map<String, Value>) -> Result<(), &'static str> {
    let get = |name: &str| query.get(name).and_then(Value::as_str).unwrap_or_default();
    if get("client_id") != OAUTH_CLIENT_ID {
        return Err("error.invalidclient");
    }
    if get("version_id") != OAUTH_VERSION_ID {
        return Err("error.noversionid");
    }
    if get("response_type") != "code" {
        return Err("error.responsetype");
    }
    match url::Url::parse(get("redirect_uri")) {
        Ok(target) if matches!(target.scheme(), "http" | "https") => {}
        _ => return Err("error.redirecturi"),
    }
    let known = |scope: &str| SCOPES.contains(&scope) || AGENCY_SCOPES.contains(&scope);
    if get("scope").split_whitespace().all(known) { Ok(()) } else { Err("error.invalidscope") }
}

fn scopes(query: &Map<String, Value>) -> Vec<String> {
    let asked = query.get("scope").and_then(Value::as_str).unwrap_or_default();
    let asked: Vec<String> = asked.split_whitespace().map(str::to_owned).collect();
    if asked.is_empty() { SCOPES.map(str::to_owned).to_vec() } else { asked }
}

fn pairs(bytes: &[u8]) -> Map<String, Value> {
    url::form_urlencoded::parse(bytes)
        .map(|(name, value)| (name.into_owned(), Value::String(value.into_owned())))
        .collect()
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// `POST /oauth/token`, which needs no Version header under the dated versions.
pub async fn token(
    State(fake): State<Arc<HighLevel>>,
    headers: HeaderMap,
    body: Bytes,
) -> Response<Body> {
    let form = Call::form(&headers, &body);
    let shown = ["code", "refresh_token"].map(|name| form.get(name).and_then(Value::as_str));
    let fake = shown.into_iter().flatten().find_map(|token| fake.of_token(token)).unwrap_or(fake);
    let mut response = fake.respond(here::within(fake.account, || fake.exchange(form)));
    let no_store = header::HeaderValue::from_static("no-store");
    response.headers_mut().insert(header::CACHE_CONTROL, no_store);
    response
}

impl HighLevel {
    fn exchange(&self, form: Map<String, Value>) -> Answer {
        const GRANTS: &[&str] = &["authorization_code", "refresh_token", "client_credentials"];
        const RULES: &[Rule] = &[
            Rule::required("client_id", Kind::Text),
            Rule::required("client_secret", Kind::Text),
            Rule::required("grant_type", Kind::Choice(GRANTS)),
            Rule::optional("code", Kind::Text),
            Rule::optional("refresh_token", Kind::Text),
            Rule::optional("user_type", Kind::Choice(&["Company", "Location"])),
            Rule::optional("redirect_uri", Kind::Text),
        ];
        let form = dto::check(Value::Object(form), RULES)?;
        let get = |name: &str| form.get(name).and_then(Value::as_str).unwrap_or_default();
        let (now, ids) = (self.now().0, &self.shared.ids);
        let known =
            get("client_id") == OAUTH_CLIENT_ID && get("client_secret") == OAUTH_CLIENT_SECRET;
        let stranger = || Refusal::oauth(401, "invalid_client", "Invalid client credentials");
        let pair = match get("grant_type") {
            "authorization_code" => {
                // The code is looked at first: bad credentials cannot be told from a bad code.
                let consent = self.tokens.take_code(get("code"), now).ok_or_else(|| {
                    Refusal::oauth(401, "UnAuthorized!", "Authorization code not found")
                })?;
                if !known {
                    return Err(stranger());
                }
                let registered = consent.redirect_uri.as_deref();
                let given = form.get("redirect_uri").and_then(Value::as_str);
                if given.is_some() && registered.is_some() && given != registered {
                    return Err(Refusal::oauth(400, "invalid_grant", "Invalid redirect_uri"));
                }
                self.tokens.issue(consent, now, ids)
            }
            "refresh_token" => {
                if !known {
                    return Err(stranger());
                }
                self.tokens.refresh(get("refresh_token"), now, ids).ok_or_else(|| {
                    Refusal::oauth(400, "invalid_grant", "This refresh token is invalid")
                })?
            }
            _ => {
                if !known {
                    return Err(stranger());
                }
                let consent = self.unasked(Class::Company, Vec::new());
                self.tokens.issue(consent.complete(), now, ids)
            }
        };
        Reply::ok(&token_answer(&pair))
    }

    /// A code for an approval.
    fn code(&self, consent: Consent) -> String {
        self.tokens.code(consent.complete(), self.now().0, &self.shared.ids)
    }

    /// What is given without a person: of an agency's for the location at hand.
    fn unasked(&self, class: Class, scopes: Vec<String>) -> Consent {
        let locations = vec![self.account.location.to_owned()];
        let approved = Approved { locations, untold: false };
        Consent { class, scopes, redirect_uri: None, approved }
    }

    /// This location and those that the form names beside it; `None` if there is none of the name.
    fn approved(&self, form: &[u8], untold: bool) -> Option<Approved> {
        let also = url::form_urlencoded::parse(form).filter(|(name, _)| name == "also");
        let mut locations = vec![self.account.location.to_owned()];
        for (_, location) in also {
            locations.push(self.of_location(&location)?.account.location.to_owned());
        }
        Some(Approved { locations, untold })
    }
}

impl Consent {
    /// With the scopes that an agency's token carries beside those approved.
    fn complete(mut self) -> Self {
        if self.class == Class::Company {
            self.scopes.extend(AGENCY_SCOPES.map(str::to_owned));
            self.scopes.sort();
            self.scopes.dedup();
        }
        self
    }
}

fn token_answer(pair: &Pair) -> Value {
    let mut answer = json!({
        "access_token": pair.access, "token_type": "Bearer", "expires_in": 86399,
        "refresh_token": pair.refresh, "scope": pair.scope, "userType": pair.class.as_str(),
        "companyId": COMPANY, "userId": USER, "planId": "sandboxplan",
        "isBulkInstallation": pair.class == Class::Company,
    });
    match pair.class {
        Class::Location => answer["locationId"] = json!(here::account().location),
        Class::Company if pair.approved.untold => {}
        Class::Company => {
            answer["approvedLocations"] = json!(pair.approved.locations);
            answer["installToFutureLocations"] = json!(false);
            answer["approveAllLocations"] = json!(false);
        }
    }
    answer
}

/// `POST /oauth/locationToken`: seen to answer 201 where the specification says 200.
pub fn location_token(fake: &HighLevel, call: &Call) -> Answer {
    const RULES: &[Rule] =
        &[Rule::required("companyId", Kind::Text), Rule::required("locationId", Kind::Text)];
    let form = dto::check(Value::Object(Call::form(&call.headers, &call.body)), RULES)?;
    if form.get("companyId").and_then(Value::as_str) != Some(COMPANY) {
        return Err(Refusal::wrong_location());
    }
    let wanted = form.get("locationId").and_then(Value::as_str).unwrap_or_default();
    if !call.grant.approved.iter().any(|approved| approved == wanted) {
        return Err(Refusal::wrong_location());
    }
    let fake = fake.of_location(wanted).ok_or_else(Refusal::wrong_location)?;
    // Seen to carry the agency's own scopes as well.
    let consent = fake.unasked(Class::Location, call.grant.scopes.clone());
    let now = fake.now().0;
    let scope = consent.scopes.join(" ");
    let issue = || fake.tokens.issue_access(&consent, now, &fake.shared.ids);
    let access = here::within(fake.account, issue);
    Reply::created(&json!({
        "access_token": access, "token_type": "Bearer", "expires_in": 86400,
        "scope": scope, "locationId": fake.account.location, "planId": "sandboxplan",
        "userId": USER,
    }))
}

/// `GET /oauth/installedLocations`
pub fn installed(fake: &HighLevel, call: &Call) -> Answer {
    const RULES: &[Rule] = &[
        Rule::required("companyId", Kind::Text),
        Rule::required("appId", Kind::Text),
        Rule::optional("skip", Kind::Text),
        Rule::optional("limit", Kind::Text),
        Rule::optional("query", Kind::Text),
        Rule::optional("isInstalled", Kind::Choice(&["true", "false"])),
        Rule::optional("versionId", Kind::Text),
        Rule::optional("onTrial", Kind::Choice(&["true", "false"])),
        Rule::optional("planId", Kind::Text),
        Rule::optional("locationId", Kind::Text),
    ];
    let query = call.query(RULES, &[])?;
    if query.get("companyId").and_then(Value::as_str) != Some(COMPANY) {
        return Err(Refusal::wrong_location());
    }
    let is_installed = fake.webhooks.is_installed();
    let location = json!({
        "_id": here::account().location, "name": "Tandem Sandbox",
        "address": "Av. Corrientes 1234, Buenos Aires", "isInstalled": is_installed,
        "versionId": OAUTH_VERSION_ID,
    });
    Reply::ok(&json!({"locations": [location], "count": 1, "installToFutureLocations": false}))
}

/// `POST /oauth/reconnect` (help article 155000003717): a new code without the person.
pub async fn reconnect(
    State(fake): State<Arc<HighLevel>>,
    headers: HeaderMap,
    body: Bytes,
) -> Response<Body> {
    const RULES: &[Rule] = &[
        Rule::required("clientKey", Kind::Text),
        Rule::required("clientSecret", Kind::Text),
        Rule::optional("locationId", Kind::Text),
        Rule::optional("companyId", Kind::Text),
    ];
    let answer = dto::check(Value::Object(Call::form(&headers, &body)), RULES).and_then(|form| {
        let get = |name: &str| form.get(name).and_then(Value::as_str);
        let known = get("clientKey") == Some(OAUTH_CLIENT_ID)
            && get("clientSecret") == Some(OAUTH_CLIENT_SECRET);
        if !known {
            return Err(Refusal::oauth(401, "invalid_client", "Invalid client credentials"));
        }
        let class = match (get("locationId"), get("companyId")) {
            (Some(location), None) if location == here::account().location => Class::Location,
            (None, Some(COMPANY)) => Class::Company,
            _ => return Err(Refusal::bad_request("Pass one of locationId, companyId")),
        };
        let code = fake.code(fake.unasked(class, SCOPES.map(str::to_owned).to_vec()));
        let expires = Millis(fake.now().0 + super::tokens::CODE_MS);
        Reply::ok(&json!({"authorizationCode": code, "expiresAt": expires}))
    });
    fake.respond(answer)
}
