//! A person's way to HighLevel's consent page and back.
//!
//! The way out gives the browser a cookie; only with it does the state that comes back count. Both
//! answers are pages for people: they say what happened, hold no script, and are stored nowhere.

use axum::Extension;
use axum::body::Body;
use axum::extract::{RawQuery, State};
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, COOKIE, LOCATION, REFERRER_POLICY,
    SET_COOKIE,
};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode};
use axum::response::Response;
use tracing::{Instrument, Span};

use crate::auth::Browser;
use crate::contacts::{Begun, Consent, Finished, Return};
use crate::telemetry::of_workspace;

use super::access::bearer;
use super::executor::Executor;
use super::front::Front;
use super::peer::Peer;
use super::record::Served;

const COOKIE_NAME: &str = "tandem_consent";
/// As long as the state counts.
const COOKIE_SECONDS: u32 = 600;

const NOT_SERVED: &str = "there is nothing at this address";

/// `GET /oauth/highlevel/start?link=…`: to the consent page. Without a link, by the token of whoever
/// may connect.
pub(super) async fn start<E: Executor>(
    State(front): State<Front<E>>,
    RawQuery(query): RawQuery,
    peer: Option<Extension<Peer>>,
    headers: HeaderMap,
) -> Response {
    let Some(consent) = &front.consent else { return page(StatusCode::NOT_FOUND, NOT_SERVED) };
    let peer = peer.map(|Extension(peer)| peer);
    let link = parameter(query.as_deref(), "link");
    let requester = match &link {
        Some(_) => None,
        None => match front.admitted(bearer(&headers), peer).await {
            Ok(admitted) => Some(admitted.requester),
            Err(_) => None,
        },
    };
    match consent.begin(link.as_deref(), requester.as_ref()) {
        Ok(begun) => sent(&begun, consent),
        Err(why) => {
            match &requester {
                Some(requester) => front.unusual.refused(requester),
                // A link is a secret that somebody may guess at. A token was noted already.
                None if link.is_some() => front.unusual.not_let_in(peer),
                None => {}
            }
            page(StatusCode::FORBIDDEN, why)
        }
    }
}

/// `GET /oauth/highlevel/callback`: back from the consent page.
pub(super) async fn callback<E: Executor>(
    State(front): State<Front<E>>,
    RawQuery(query): RawQuery,
    peer: Option<Extension<Peer>>,
    (method, headers): (Method, HeaderMap),
) -> Response {
    let Some(consent) = &front.consent else { return page(StatusCode::NOT_FOUND, NOT_SERVED) };
    if method == Method::HEAD {
        // Whoever only looks at the link must not use its code up.
        return page(StatusCode::METHOD_NOT_ALLOWED, "this address answers GET only");
    }
    let query = query.as_deref();
    let (code, state) = (parameter(query, "code"), parameter(query, "state"));
    // Nobody here asked for what comes without a state, and each costs a call and a row. What has
    // no code either costs nothing, so it takes nothing from those who come from the same address.
    if let (None, Some(_), Some(Extension(from))) = (&state, &code, peer)
        && !front.strangers.admit(from)
    {
        tracing::warn!(why = "too many from one address", "an installation was not looked at");
        let why = "too many installations come from your address: try again in a minute";
        return page(StatusCode::TOO_MANY_REQUESTS, why);
    }
    let browser = cookie(&headers).map(Browser);
    let back = Return { code: code.as_deref(), state: state.as_deref(), browser: browser.as_ref() };
    let workspace = consent.whose(back);
    let span = workspace.as_ref().map_or_else(Span::none, |whose| of_workspace(whose.as_str()));
    let mut response = finished(consent, back).instrument(span).await;
    let (none, over) = (Browser(String::new()), 0);
    set_cookie(&mut response, consent, (&none, over));
    response.extensions_mut().insert(Served { workspace, ..Served::default() });
    response
}

async fn finished(consent: &Consent, back: Return<'_>) -> Response {
    match consent.finish(back).await {
        Ok(Finished::Connected) => {
            page(StatusCode::OK, "HighLevel is connected. You can close this page.")
        }
        Ok(Finished::Held) => page(
            StatusCode::ACCEPTED,
            "The installation is held. Somebody who manages this gateway has to confirm it.",
        ),
        Ok(Finished::Refused(why)) => page(StatusCode::BAD_REQUEST, why),
        Ok(Finished::Later(why)) => page(StatusCode::BAD_GATEWAY, why),
        Err(error) => {
            let error = &error as &dyn std::error::Error;
            tracing::error!(error, "a consent was not finished");
            page(StatusCode::INTERNAL_SERVER_ERROR, "something went wrong here: begin again")
        }
    }
}

/// The way to the consent page.
fn sent(begun: &Begun, consent: &Consent) -> Response {
    let mut response = page(StatusCode::SEE_OTHER, "Go on at HighLevel.");
    if let Ok(there) = HeaderValue::try_from(begun.page.as_str()) {
        response.headers_mut().insert(LOCATION, there);
    }
    set_cookie(&mut response, consent, (&begun.browser, COOKIE_SECONDS));
    response.extensions_mut().insert(Served::to(&begun.workspace));
    response
}

/// `Lax`: the way back is a link from another site.
fn set_cookie(response: &mut Response, consent: &Consent, (browser, seconds): (&Browser, u32)) {
    let (path, secure) = (consent.cookie_path(), if consent.is_secure() { "; Secure" } else { "" });
    let text = format!(
        "{COOKIE_NAME}={}; Path={path}; HttpOnly; SameSite=Lax; Max-Age={seconds}{secure}",
        browser.0
    );
    if let Ok(text) = HeaderValue::try_from(text) {
        response.headers_mut().insert(SET_COOKIE, text);
    }
}

fn cookie(headers: &HeaderMap) -> Option<String> {
    let all = headers.get_all(COOKIE).iter().filter_map(|value| value.to_str().ok());
    let mut pairs =
        all.flat_map(|text| text.split(';')).filter_map(|one| one.trim().split_once('='));
    let (_, value) = pairs.find(|(name, _)| *name == COOKIE_NAME)?;
    (!value.is_empty()).then(|| value.to_owned())
}

fn parameter(query: Option<&str>, name: &str) -> Option<String> {
    let mut pairs = url::form_urlencoded::parse(query.unwrap_or_default().as_bytes());
    let (_, value) = pairs.find(|(key, _)| key == name)?;
    (!value.is_empty()).then(|| value.into_owned())
}

/// One of our own sentences as a page.
fn page(status: StatusCode, sentence: &'static str) -> Response {
    const POLICY: &str = "default-src 'none'; frame-ancestors 'none'";
    let text = format!(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>Tandem</title>\
         <main><h1>Tandem</h1><p>{sentence}</p></main></html>"
    );
    let mut response = Response::new(Body::from(text));
    *response.status_mut() = status;
    let mut set = |name, value| {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    };
    set(CONTENT_TYPE, "text/html; charset=utf-8");
    set(CACHE_CONTROL, "no-store");
    set(CONTENT_SECURITY_POLICY, POLICY);
    // The address of this page has the code in it.
    set(REFERRER_POLICY, "no-referrer");
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cookie_is_found_among_others() {
        let mut headers = HeaderMap::new();
        assert_eq!(cookie(&headers), None);
        headers.append(COOKIE, HeaderValue::from_static("a=1; tandem_consent=xyz; b=2"));
        assert_eq!(cookie(&headers).as_deref(), Some("xyz"));
        let other = HeaderMap::from_iter([(COOKIE, HeaderValue::from_static("tandem_consent="))]);
        assert_eq!(cookie(&other), None);
    }

    #[test]
    fn a_parameter_is_decoded() {
        assert_eq!(parameter(Some("a=1&code=x%20y"), "code").as_deref(), Some("x y"));
        assert_eq!(parameter(Some("code="), "code"), None);
        assert_eq!(parameter(None, "code"), None);
    }
}
