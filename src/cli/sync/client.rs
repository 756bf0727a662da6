//! One request and its answer. What went wrong is put into one line that says what to do next; nothing that
//! is secret is in it.

use std::time::Duration;

use reqwest::redirect;
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};
use url::Url;

use crate::cli::Failure;

/// The gateway itself gives up sooner.
const PATIENCE: Duration = Duration::from_secs(30);
/// Nobody that a terminal talks with is further away.
const CONNECT: Duration = Duration::from_secs(5);

/// A running gateway.
pub(super) struct Gateway {
    url: Url,
    token: Option<SecretString>,
    http: reqwest::Client,
}

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub(super) enum Refusal {
    /// Nobody is there, for now.
    #[error("{0}")]
    Silent(String),
    /// Something about the command or its token has to change.
    #[error("{0}")]
    Wrong(String),
    /// The gateway could not do it.
    #[error("{0}")]
    Failed(String),
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Silent(line) | Refusal::Wrong(line) => Self::Usage(line),
            Refusal::Failed(line) => Self::Running(anyhow::anyhow!(line)),
        }
    }
}

impl Gateway {
    pub fn new(url: &str, token: Option<SecretString>) -> Result<Self, Refusal> {
        let address = address(url).map_err(Refusal::Wrong)?;
        let http = reqwest::Client::builder()
            .user_agent(concat!("Tandem/", env!("CARGO_PKG_VERSION")))
            // A redirect would send the token elsewhere.
            .redirect(redirect::Policy::none())
            .connect_timeout(CONNECT)
            .timeout(PATIENCE)
            .build()
            .map_err(|error| Refusal::Failed(format!("no HTTP client: {error}")))?;
        Ok(Self { url: address, token, http })
    }

    /// The data of the answer to a document, without errors.
    pub async fn ask(&self, query: &str, variables: Value) -> Result<Value, Refusal> {
        let mut request = self.http.post(self.url.clone());
        if let Some(token) = &self.token {
            request = request.bearer_auth(token.expose_secret());
        }
        let request = request.json(&json!({"query": query, "variables": variables}));
        #[expect(clippy::disallowed_methods, reason = "a client of the gateway, not of a system")]
        let sent = request.send().await;
        let answer = sent.map_err(|error| self.silent(error))?;
        let status = answer.status().as_u16();
        let body = answer.bytes().await.map_err(|error| self.silent(error))?;
        let body: Value = serde_json::from_slice(&body).unwrap_or_default();
        understand(status, body, &self.url, self.token.is_some())
    }

    fn silent(&self, error: reqwest::Error) -> Refusal {
        let what = if error.is_timeout() { "does not answer in time" } else { "is not there" };
        let mut why = String::new();
        let error = error.without_url();
        let mut cause: Option<&dyn std::error::Error> = Some(&error);
        while let Some(error) = cause {
            why = error.to_string();
            cause = error.source();
        }
        Refusal::Silent(format!(
            "the gateway at {} {what} ({why}): start it with `tandem serve`, or say where it is with \
             --url",
            self.url
        ))
    }

    #[cfg(test)]
    pub fn is_at(&self, url: &str, token: Option<&str>) -> bool {
        let shown = self.token.as_ref().map(ExposeSecret::expose_secret);
        self.url.as_str() == url && shown == token
    }
}

/// Where GraphQL is, by an address of the gateway.
fn address(text: &str) -> Result<Url, String> {
    let wanted = "--url wants an address such as http://127.0.0.1:4000";
    let mut url = Url::parse(text).map_err(|error| format!("{wanted}: {error}"))?;
    if !matches!(url.scheme(), "http" | "https") || !url.has_host() {
        return Err(format!("{wanted}, not {text}"));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(format!("{wanted}, without a name or a password in it"));
    }
    if url.path() == "/" {
        url.set_path("/graphql");
    }
    Ok(url)
}

/// What an answer means.
fn understand(status: u16, mut body: Value, url: &Url, shown: bool) -> Result<Value, Refusal> {
    let error = body.pointer_mut("/errors/0").map(Value::take).unwrap_or_default();
    let code = error["extensions"]["code"].as_str().unwrap_or_default();
    let message = error["message"].as_str().unwrap_or_default();
    let wrong = |line: String| Err(Refusal::Wrong(line));
    match (status, code) {
        (401, _) if shown => wrong(
            "the gateway refuses the token, which may have expired: make another one with \
             `tandem token` on the gateway's settings, or ask its issuer"
                .to_owned(),
        ),
        (401, _) => wrong(
            "the gateway wants a token: make one with `tandem token` on the gateway's settings, or ask \
             its issuer, and pass it as TANDEM_TOKEN"
                .to_owned(),
        ),
        (_, "FORBIDDEN") => match error["extensions"]["scope"].as_str() {
            Some(scope) => wrong(format!(
                "the token lacks the scope {scope}: make one that has it with `tandem token --scope \
                 sync.readonly,sync.manage,contacts.readonly`"
            )),
            None => wrong(format!("the gateway refuses this token: {message}")),
        },
        (502..=504, _) if error.is_null() => {
            Err(Refusal::Silent(format!("the gateway behind {url} does not answer (HTTP {status})")))
        }
        _ if !error.is_null() => Err(Refusal::Failed(format!("the gateway says: {message}"))),
        (200, _) => match body.pointer_mut("/data").map(Value::take) {
            Some(data @ Value::Object(_)) => Ok(data),
            _ => wrong(strange(status, url)),
        },
        _ => wrong(strange(status, url)),
    }
}

fn strange(status: u16, url: &Url) -> String {
    format!(
        "{url} answers (HTTP {status}), but not as a Tandem gateway does: say where it is with --url"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(status: u16, body: Value, shown: bool) -> Refusal {
        let url = Url::parse("http://gateway:4000/graphql").unwrap();
        understand(status, body, &url, shown).unwrap_err()
    }

    #[test]
    fn each_refusal_is_one_line_that_says_what_to_do() {
        let scope = json!({"errors": [{"message": "this needs the scope sync.manage",
            "extensions": {"code": "FORBIDDEN", "scope": "sync.manage"}}], "data": null});
        for (refusal, wanted) in [
            (told(401, Value::Null, false), "pass it as TANDEM_TOKEN"),
            (told(401, Value::Null, true), "make another one"),
            (told(200, scope, true), "--scope sync.readonly,sync.manage"),
            (told(404, Value::Null, false), "say where it is with --url"),
            (told(200, json!("hello"), false), "say where it is with --url"),
        ] {
            assert!(matches!(refusal, Refusal::Wrong(_)), "{refusal:?}");
            let line = refusal.to_string();
            assert!(line.contains(wanted) && line.lines().count() == 1, "{line}");
        }
        assert!(matches!(told(502, Value::Null, false), Refusal::Silent(_)));
        let fault = json!({"errors": [{"message": "internal error", "extensions": {"code": "X"}}]});
        let wanted = Refusal::Failed("the gateway says: internal error".to_owned());
        assert_eq!(told(200, fault, false), wanted);
    }

    #[test]
    fn an_address_of_the_gateway_is_enough() {
        let graphql = |text: &str| address(text).map(String::from);
        assert_eq!(graphql("http://here:4000").unwrap(), "http://here:4000/graphql");
        assert_eq!(graphql("https://here/tandem/graphql").unwrap(), "https://here/tandem/graphql");
        for wrong in ["here:4000", "ftp://here", "http://", "https://me:secret@here"] {
            let line = graphql(wrong).unwrap_err();
            assert!(line.contains("http://127.0.0.1:4000") && !line.contains("secret"), "{line}");
        }
    }
}
