//! HighLevel's authorization server (OAuth 2.0, developer portal, "Authorization").
//!
//! Where it differs from the standard: the consent page wants the app's version beside its id; codes
//! and tokens are asked for by form with the app's secret in it; the answer says whose the token is
//! (`userType`, `locationId`, `companyId`), which need not be what was asked for; there is no PKCE.
//! A refresh token is good once; the same call repeated within 30 seconds answers the same.

use std::borrow::Cow;
use std::pin::Pin;
use std::time::Duration;

use async_trait::async_trait;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderValue, Method, StatusCode};
use oauth2::basic::{
    BasicErrorResponse, BasicErrorResponseType, BasicRevocationErrorResponse,
    BasicTokenIntrospectionResponse, BasicTokenType,
};
use oauth2::{
    AsyncHttpClient, AuthType, AuthUrl, AuthorizationCode, ClientId, ClientSecret, CsrfToken,
    EndpointNotSet, EndpointSet, ExtraTokenFields, HttpRequest, HttpResponse, RedirectUrl,
    RefreshToken, RequestTokenError, Scope, StandardRevocableToken, StandardTokenResponse,
    TokenResponse, TokenUrl,
};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use url::Url;

use crate::config::highlevel::HighLevel;
use crate::unified::System;
use crate::upstream::{
    Authorizer, Courier, Error, Granted, Kind, NotGranted, Owner, Route, SetupError, below,
};

static TOKEN: Route = Route::write(System::HighLevel, Method::POST, "/oauth/token", "");
static LOCATION_TOKEN: Route =
    Route::write(System::HighLevel, Method::POST, "/oauth/locationToken", "oauth.write");

/// How long one call may take: a repetition within the 30 seconds of HighLevel's grace must fit in.
const PATIENCE: Duration = Duration::from_secs(8);
/// What the documents say where an answer does not.
const USUAL_LIFETIME: Duration = Duration::from_secs(86_399);

/// What an answer has beside the standard's members.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", default)]
struct Extra {
    user_type: Option<String>,
    location_id: Option<String>,
    company_id: Option<String>,
    /// A list of ids where a company grants; not always there (GH#294), and nothing hangs on its form.
    approved_locations: serde_json::Value,
}

impl ExtraTokenFields for Extra {}

type Tokens = StandardTokenResponse<Extra, BasicTokenType>;
type Client = oauth2::Client<
    BasicErrorResponse,
    Tokens,
    BasicTokenIntrospectionResponse,
    StandardRevocableToken,
    BasicRevocationErrorResponse,
    EndpointSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointSet,
>;

/// Carries the library's requests.
struct Carrier(Courier);

impl<'c> AsyncHttpClient<'c> for Carrier {
    type Error = Error;
    type Future = Pin<Box<dyn Future<Output = Result<HttpResponse, Error>> + Send + 'c>>;

    fn call(&'c self, request: HttpRequest) -> Self::Future {
        Box::pin(self.0.carry(&TOKEN, request))
    }
}

/// The app that is installed in locations.
pub struct OAuth {
    client: Client,
    carrier: Carrier,
    location_token: Url,
    version_id: Option<String>,
}

impl OAuth {
    /// By the config; `None` if it names no app.
    pub fn new(config: &HighLevel) -> Result<Option<Self>, SetupError> {
        let (Some(id), Some(secret)) = (&config.client_id, &config.client_secret) else {
            return Ok(None);
        };
        let client = oauth2::Client::new(ClientId::new(id.clone()))
            .set_client_secret(ClientSecret::new(secret.expose_secret().to_owned()))
            .set_auth_type(AuthType::RequestBody)
            .set_auth_uri(AuthUrl::from_url(config.authorize_url.clone()))
            .set_token_uri(TokenUrl::from_url(below(&config.base_url, TOKEN.template)));
        let timeout = PATIENCE.min(config.timeout);
        Ok(Some(Self {
            client,
            carrier: Carrier(Courier::new(System::HighLevel, config.connect_timeout, timeout)?),
            location_token: below(&config.base_url, LOCATION_TOKEN.template),
            version_id: config.version_id.clone().or_else(|| app_of(id).map(str::to_owned)),
        }))
    }
}

/// The app's id, which is what comes before the dash of a client's id; the consent page wants it.
pub(super) fn app_of(client: &str) -> Option<&str> {
    client.split_once('-').map(|(app, _)| app)
}

#[async_trait]
impl Authorizer for OAuth {
    fn consent_page(&self, redirect: &Url, state: &str, scopes: &[String]) -> Url {
        let redirect = RedirectUrl::from_url(redirect.clone());
        let state = state.to_owned();
        let mut asked = self
            .client
            .authorize_url(|| CsrfToken::new(state))
            .set_redirect_uri(Cow::Owned(redirect))
            .add_scopes(scopes.iter().cloned().map(Scope::new));
        if let Some(version) = &self.version_id {
            asked = asked.add_extra_param("version_id", version.clone());
        }
        asked.url().0
    }

    async fn redeem(&self, code: &str, redirect: &Url) -> Result<Granted, NotGranted> {
        let answer = self
            .client
            .exchange_code(AuthorizationCode::new(code.to_owned()))
            .set_redirect_uri(Cow::Owned(RedirectUrl::from_url(redirect.clone())))
            .add_extra_param("user_type", "Location")
            .request_async(&self.carrier)
            .await;
        granted(answer)
    }

    async fn refresh(&self, token: &SecretString) -> Result<Granted, NotGranted> {
        let token = RefreshToken::new(token.expose_secret().to_owned());
        let answer = self.client.exchange_refresh_token(&token).request_async(&self.carrier).await;
        granted(answer)
    }

    async fn for_location(
        &self,
        (company, token): (&str, &SecretString),
        location: &str,
    ) -> Result<Granted, NotGranted> {
        let odd = || Error::new(System::HighLevel, LOCATION_TOKEN.template, Kind::Malformed);
        let form = url::form_urlencoded::Serializer::new(String::new())
            .append_pair("companyId", company)
            .append_pair("locationId", location)
            .finish();
        let mut bearer = HeaderValue::try_from(format!("Bearer {}", token.expose_secret()))
            .map_err(|_| odd())?;
        bearer.set_sensitive(true);
        let request = http::Request::post(self.location_token.as_str())
            .header(AUTHORIZATION, bearer)
            .header(ACCEPT, "application/json")
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header(super::client::VERSION_HEADER, super::client::VERSION)
            .body(form.into_bytes())
            .map_err(|_| odd())?;
        let answer = self.carrier.0.carry(&LOCATION_TOKEN, request).await?;
        // Only HighLevel itself says so in JSON; whatever stands before it may say anything.
        let says_so = serde_json::from_slice::<serde_json::Value>(answer.body()).is_ok();
        match answer.status() {
            status if status.is_success() => {
                let tokens = serde_json::from_slice(answer.body()).map_err(|_| odd())?;
                is_for(known(&tokens), location).ok_or_else(|| odd().into())
            }
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN if says_so => Err(NotGranted::Gone),
            // Documented without a word on when; seen as "Location is not active" (GH#249).
            StatusCode::BAD_REQUEST | StatusCode::NOT_FOUND | StatusCode::UNPROCESSABLE_ENTITY
                if says_so =>
            {
                Err(NotGranted::Declined)
            }
            _ => {
                let kind = Kind::Unavailable;
                Err(Error::new(System::HighLevel, LOCATION_TOKEN.template, kind).into())
            }
        }
    }
}

type Failed = RequestTokenError<Error, BasicErrorResponse>;

/// Tells an answer's meaning. The library's own errors quote bodies, in which there may be tokens:
/// none of them leaves this file.
fn granted(answer: Result<Tokens, Failed>) -> Result<Granted, NotGranted> {
    let later = |kind| Err(Error::new(System::HighLevel, TOKEN.template, kind).into());
    match answer {
        Ok(tokens) => Ok(known(&tokens)),
        Err(RequestTokenError::ServerResponse(refused)) => match refused.error() {
            BasicErrorResponseType::InvalidGrant => Err(NotGranted::Gone),
            // What HighLevel says of a code that it does not know, exclamation mark included.
            BasicErrorResponseType::Extension(word) if word == "UnAuthorized!" => {
                Err(NotGranted::Gone)
            }
            // Neither the token's fault nor one that passes: somebody has to look at the settings.
            BasicErrorResponseType::InvalidClient
            | BasicErrorResponseType::UnauthorizedClient
            | BasicErrorResponseType::InvalidRequest
            | BasicErrorResponseType::InvalidScope
            | BasicErrorResponseType::UnsupportedGrantType
            | BasicErrorResponseType::Extension(_) => Err(NotGranted::Client),
        },
        Err(RequestTokenError::Request(error)) => Err(error.into()),
        Err(RequestTokenError::Parse(..) | RequestTokenError::Other(_)) => later(Kind::Malformed),
    }
}

fn known(tokens: &Tokens) -> Granted {
    let secret = |text: &String| SecretString::from(text.clone());
    let Extra { user_type, location_id, company_id, approved_locations } =
        tokens.extra_fields().clone();
    let owner = match (user_type.as_deref(), location_id, company_id) {
        (Some("Company"), _, Some(company)) => Owner::Company(company),
        (_, Some(location), _) => Owner::Location(location),
        (_, None, _) => Owner::Unknown,
    };
    Granted {
        access: secret(tokens.access_token().secret()),
        refresh: tokens.refresh_token().map(|token| secret(token.secret())),
        expires_in: tokens.expires_in().unwrap_or(USUAL_LIFETIME),
        scopes: tokens.scopes().into_iter().flatten().map(|scope| scope.to_string()).collect(),
        owner,
        locations: strings(&approved_locations),
    }
}

/// What an answer says counts, not what was asked for.
fn is_for(granted: Granted, location: &str) -> Option<Granted> {
    match &granted.owner {
        Owner::Location(of) if !of.eq_ignore_ascii_case(location) => None,
        Owner::Location(_) | Owner::Company(_) | Owner::Unknown => Some(granted),
    }
}

fn strings(list: &serde_json::Value) -> Vec<String> {
    let texts = list.as_array().into_iter().flatten().filter_map(serde_json::Value::as_str);
    texts.map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(more: &serde_json::Value) -> Granted {
        let mut answer = json!({"access_token": "a", "token_type": "Bearer"});
        let members = more.as_object().unwrap().clone();
        answer.as_object_mut().unwrap().extend(members);
        known(&serde_json::from_value(answer).unwrap())
    }

    #[test]
    fn approved_locations_are_read_as_far_as_they_are_a_list() {
        let locations = |approved| {
            let mut answer = json!({"userType": "Company", "companyId": "c"});
            answer["approvedLocations"] = approved;
            let granted = read(&answer);
            assert_eq!(granted.owner, Owner::Company("c".to_owned()));
            granted.locations
        };
        assert_eq!(locations(json!(["l", "m"])), ["l", "m"]);
        assert_eq!(locations(json!(["l", 7, null])), ["l"]);
        for odd in [json!(null), json!("l"), json!({"l": true})] {
            assert!(locations(odd).is_empty());
        }
        assert!(read(&json!({"userType": "Company", "companyId": "c"})).locations.is_empty());
    }

    #[test]
    fn a_token_for_another_location_is_none() {
        assert!(is_for(read(&json!({"locationId": "l"})), "L").is_some());
        assert!(is_for(read(&json!({})), "l").is_some(), "nothing is said of it");
        assert!(is_for(read(&json!({"locationId": "m"})), "l").is_none());
    }
}
