//! What answers of the token endpoint mean.

use serde_json::{Value, json};

use crate::sandbox::credentials::{OAUTH_CLIENT_ID, OAUTH_CLIENT_SECRET};
use crate::upstream::script::{Line, Script};
use crate::upstream::{Authorizer as _, Kind, NotGranted};

use super::super::OAuth;
use super::*;

/// What a refresh comes to.
async fn refreshed(status: u16, body: &Value) -> Option<NotGranted> {
    let script = Script::start([Line::json(status, body.to_string())]).await;
    let config = HighLevel {
        base_url: script.url.clone(),
        client_id: Some(OAUTH_CLIENT_ID.to_owned()),
        client_secret: Some(SecretString::from(OAUTH_CLIENT_SECRET)),
        ..HighLevel::default()
    };
    let app = OAuth::new(&config).unwrap().unwrap();
    app.refresh(&SecretString::from("a refresh token")).await.err()
}

#[tokio::test]
async fn an_answer_that_says_later_refuses_nobody() {
    for (status, word) in [
        (500, "Internal Server Error"),
        (503, "Service Unavailable"),
        (429, "Too Many Requests"),
        (408, "Request Timeout"),
        (503, "invalid_client"),
    ] {
        let body = json!({"statusCode": status, "message": word, "error": word});
        let Some(NotGranted::Later(error)) = refreshed(status, &body).await else {
            panic!("{status}: {word}");
        };
        assert_eq!(error.kind, Kind::Unavailable, "{status}: {word}");
    }
}

#[tokio::test]
async fn a_refusal_is_of_the_token_or_of_the_app() {
    let of = |word| json!({"error": word, "error_description": "no"});
    let gone = refreshed(400, &of("invalid_grant")).await;
    assert!(matches!(gone, Some(NotGranted::Gone)), "{gone:?}");
    let client = refreshed(401, &of("invalid_client")).await;
    assert!(matches!(client, Some(NotGranted::Client)), "{client:?}");
}
