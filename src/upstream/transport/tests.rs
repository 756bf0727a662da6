//! Against a scripted system: what is sent, what is repeated, what is told.

use std::error::Error as _;

use chrono::DateTime;
use reqwest::Method;
use reqwest::header::{HeaderMap, HeaderName};
use secrecy::SecretString;
use serde_json::{Value, json};

use crate::tasks::Tasks;
use crate::upstream::script::{Line, Script, call, call_within};
use crate::upstream::{CredentialKind, Priority, Token, UpstreamState};

use super::super::segment::Query;
use super::*;

static READ: Route = Route::read(System::HighLevel, Method::GET, "/people/{id}", "people.readonly");
static WRITE: Route = Route::write(System::HighLevel, Method::POST, "/people/{id}", "people.write");

static REPEATABLE: Route =
    Route::repeatable(System::HighLevel, Method::PUT, "/people/{id}", "people.write");

const OK: &[u8] = b"{\"ok\":true}";

fn refusal(_: &'static Route, status: StatusCode, body: &[u8]) -> Kind {
    match status.as_u16() {
        404 => Kind::NotFound,
        401 => Kind::Unauthorized,
        500.. => Kind::Unavailable,
        _ if serde_json::from_slice::<Value>(body).is_err() => Kind::Malformed,
        _ => Kind::Rejected { fields: vec![] },
    }
}

fn transport(url: &Url, timeout: Duration) -> Transport {
    let secret = SecretString::from("s3cret");
    let token = Token::new("Bearer", Some(&secret), CredentialKind::OAuth);
    transport_with(url, timeout, Arc::new(token))
}

fn transport_with(url: &Url, timeout: Duration, credentials: Arc<dyn Credentials>) -> Transport {
    let clock = Clock::manual(DateTime::from_timestamp(1_795_000_000, 0).unwrap());
    Transport::new(Setup {
        system: System::HighLevel,
        base_url: url,
        account: Some("account"),
        beside: None,
        connections: 4,
        connect_timeout: Duration::from_mins(1),
        timeout,
        headers: HeaderMap::from_iter([(
            HeaderName::from_static("version"),
            HeaderValue::from_static("1"),
        )]),
        credentials,
        allowance: Allowance::stated_by_provider(clock.clone(), 100),
        refusal,
        scopes: &[],
        write_scope: Some("people.write"),
        clock,
    })
    .unwrap()
}

async fn against(lines: impl IntoIterator<Item = Line>) -> (Script, Transport) {
    let script = Script::start(lines).await;
    let transport = transport(&script.url, Duration::from_mins(1));
    (script, transport)
}

async fn get(transport: &Transport, call: &Call) -> Result<Value, Error> {
    transport.call(call, Request::new(&READ, &[Segment::new("ana@example.com")])).await
}

async fn put(transport: &Transport, call: &Call) -> Result<Value, Error> {
    transport.call(call, Request::new(&REPEATABLE, &[Segment::new("ana@example.com")])).await
}

async fn post(transport: &Transport, call: &Call) -> Result<Value, Error> {
    let values = [Segment::new("ana@example.com")];
    let request = Request::new(&WRITE, &values);
    transport.call(call, request.json(&json!({"phone": "+5491100000000"})).unwrap()).await
}

#[tokio::test]
async fn a_call_is_sent_as_it_should_be() {
    let (script, transport) = against([Line::json(200, OK)]).await;
    let (call, values) = (call(), [Segment::new("a/../b?c#d%2e")]);
    let request = Request::new(&READ, &values).query(Query::default().with("q", "x&y"));
    let answer: Value = transport.call(&call, request).await.unwrap();
    assert_eq!(answer, json!({"ok": true}));
    let seen = script.seen().remove(0);
    assert_eq!(seen.method, "GET");
    assert_eq!(seen.target, "/base/people/a%2F..%2Fb%3Fc%23d%252e?q=x%26y");
    assert_eq!(seen.headers["authorization"], "Bearer s3cret");
    assert_eq!(seen.headers["version"], "1");
    assert_eq!(seen.headers["accept"], "application/json");
    assert!(seen.headers["user-agent"].to_str().unwrap().starts_with("Tandem/"));
    assert!(!seen.headers.contains_key("content-type"));
    assert_eq!(call.meter.calls(System::HighLevel), 1);
    assert_eq!(call.meter.calls(System::Doppler), 0);

    post(&transport, &call).await.unwrap();
    let seen = script.seen().remove(0);
    assert_eq!(
        (seen.method.as_str(), &*seen.body),
        ("POST", &b"{\"phone\":\"+5491100000000\"}"[..])
    );
    assert_eq!(seen.headers["content-type"], "application/json");
}

/// A token that has ended and cannot be renewed.
struct Ended;

#[async_trait::async_trait]
impl Credentials for Ended {
    async fn authorization(&self) -> Result<HeaderValue, Kind> {
        Err(Kind::Unauthorized)
    }

    fn kind(&self) -> Option<CredentialKind> {
        Some(CredentialKind::OAuth)
    }

    fn fingerprint(&self) -> u64 {
        7
    }
}

#[tokio::test]
async fn a_credential_that_is_no_good_without_a_call_is_told_like_a_refused_one() {
    let script = Script::start([]).await;
    let transport = transport_with(&script.url, Duration::from_secs(5), Arc::new(Ended));
    assert_eq!(get(&transport, &call()).await.unwrap_err().kind, Kind::Unauthorized);
    assert_eq!(transport.status().state, UpstreamState::NeedsReauthorization);
    assert!(script.seen().is_empty());
}

#[tokio::test]
async fn a_write_that_may_have_taken_effect_says_so() {
    let doubt = |outcome: Result<Value, Error>| outcome.unwrap_err().in_doubt();
    for (line, kind, in_doubt) in [
        (Line::Break, Kind::Unavailable, true),
        (Line::json(500, "{}"), Kind::Unavailable, true),
        (Line::html(502), Kind::Unavailable, true),
        (Line::json(200, "{"), Kind::Malformed, true),
        (Line::json(404, "{}"), Kind::NotFound, false),
        (Line::json(401, "{}"), Kind::Unauthorized, false),
        (Line::json(422, "{}"), Kind::Rejected { fields: vec![] }, false),
    ] {
        let (script, transport) = against([line.clone()]).await;
        let error = post(&transport, &call()).await.unwrap_err();
        assert_eq!((&error.kind, error.in_doubt()), (&kind, in_doubt), "{line:?}");
        assert_eq!(script.count(), 1, "{line:?}: once only");
        assert!(!doubt(get(&transport, &call()).await), "a read changes nothing: {line:?}");
        assert_eq!(doubt(put(&transport, &call()).await), in_doubt, "{line:?}");
    }
    let (_script, silent) = against([Line::Silence(Duration::from_secs(20))]).await;
    let hurried = || call_within(Duration::from_secs(1));
    assert!(doubt(post(&silent, &hurried()).await));
    assert!(!doubt(get(&silent, &hurried()).await));
    let nowhere = transport(&"http://127.0.0.1:1/".parse().unwrap(), Duration::from_secs(1));
    assert!(!doubt(post(&nowhere, &call()).await), "nothing was sent");
}

#[tokio::test]
async fn a_repeatable_write_is_repeated_and_an_earlier_doubt_stays() {
    let (script, transport) = against([Line::Break, Line::html(503), Line::json(200, OK)]).await;
    put(&transport, &call()).await.unwrap();
    assert_eq!(script.count(), 3);
    script.rewrite([Line::Break, Line::json(404, "{}")]);
    let error = put(&transport, &call()).await.unwrap_err();
    assert_eq!((&error.kind, error.in_doubt()), (&Kind::NotFound, true));
    assert_eq!(script.count(), 5);
    script.rewrite([Line::json(500, "{}")]);
    put(&transport, &call()).await.unwrap_err();
    assert_eq!(script.count(), 6, "what is not likely to pass is not tried again");
}

#[tokio::test]
async fn what_cannot_be_a_segment_is_not_found_without_a_call() {
    let (script, transport) = against([Line::json(200, OK)]).await;
    for refused in ["", ".", "..", "a\nb", &"x".repeat(10_000)] {
        let values = [Segment::new(refused)];
        let error = transport.perform(&call(), Request::new(&READ, &values)).await.unwrap_err();
        assert_eq!(error.kind, Kind::NotFound);
    }
    assert_eq!(script.count(), 0);
}

#[tokio::test]
async fn a_read_is_repeated_and_a_write_never() {
    for trouble in [Line::Break, Line::json(502, "{}"), Line::html(503), Line::json(504, "")] {
        let lines = [trouble.clone(), trouble.clone(), Line::json(200, OK)];
        let (script, transport) = against(lines.clone()).await;
        let patient = call();
        get(&transport, &patient).await.unwrap();
        assert_eq!(script.count(), 3, "{trouble:?}");
        assert_eq!(patient.meter.calls(System::HighLevel), 3, "every call counts");

        let (script, transport) = against(lines).await;
        assert_eq!(post(&transport, &call()).await.unwrap_err().kind, Kind::Unavailable);
        assert_eq!(script.count(), 1, "{trouble:?}");
    }
}

#[tokio::test]
async fn a_read_is_tried_three_times_at_most() {
    for (trouble, kind, times) in [
        (Line::json(503, "{}"), Kind::Unavailable, 3),
        (Line::json(500, "{}"), Kind::Unavailable, 1),
        (Line::json(200, "{\"ok\":"), Kind::Malformed, 2),
        (Line::html(200), Kind::Malformed, 2),
        (Line::json(404, "{}"), Kind::NotFound, 1),
        (
            Line::json(301, "{}").with("location", "/elsewhere"),
            Kind::Rejected { fields: vec![] },
            1,
        ),
    ] {
        let (script, transport) = against([trouble.clone()]).await;
        assert_eq!(get(&transport, &call()).await.unwrap_err().kind, kind, "{trouble:?}");
        assert_eq!(script.count(), times, "{trouble:?}");
    }
}

#[tokio::test]
async fn nothing_listens_and_nothing_was_sent() {
    let gone = "http://127.0.0.1:1/".parse().unwrap();
    let (transport, call) = (transport(&gone, Duration::from_secs(5)), call());
    let error = post(&transport, &call).await.unwrap_err();
    assert_eq!(error.kind, Kind::Unavailable);
    assert_eq!(call.meter.calls(System::HighLevel), 0);
    assert_eq!(transport.status().state, UpstreamState::Degraded);
}

#[tokio::test]
async fn the_deadline_holds() {
    let (script, transport) = against([Line::Silence(Duration::from_secs(30))]).await;
    let started = Instant::now();
    let hurried = call_within(Duration::from_millis(200));
    assert_eq!(get(&transport, &hurried).await.unwrap_err().kind, Kind::Timeout);
    assert!(started.elapsed() < Duration::from_secs(20));
    // On a busy machine there is no time for the first one either.
    assert!(script.count() <= 1);

    let (script, transport) = against([Line::json(503, "{}")]).await;
    let hurried = call_within(Duration::from_millis(40));
    let kind = get(&transport, &hurried).await.unwrap_err().kind;
    assert!([Kind::Unavailable, Kind::Timeout].contains(&kind), "{kind:?}");
    assert!(script.count() <= 1, "no time for another try");
}

#[tokio::test]
async fn a_silent_system_costs_a_few_calls_and_comes_back_by_itself() {
    let script = Script::start([Line::Silence(Duration::from_mins(5))]).await;
    let transport = transport(&script.url, Duration::from_millis(500));
    for _ in 0..5 {
        assert_eq!(get(&transport, &call()).await.unwrap_err().kind, Kind::Timeout);
    }
    let started = Instant::now();
    // A slow machine may take so long that now and then a call finds out how things are.
    let mut found_out = 0;
    for _ in 0..50 {
        let kind = get(&transport, &call()).await.unwrap_err().kind;
        assert!([Kind::Unavailable, Kind::Timeout].contains(&kind), "{kind:?}");
        found_out += usize::from(kind == Kind::Timeout);
    }
    assert!(found_out < 10, "{found_out} calls waited");
    assert!(script.count() <= 5 + found_out, "{} calls", script.count());
    assert_eq!(transport.status().state, UpstreamState::Degraded);
    script.rewrite([Line::json(200, OK)]);
    while get(&transport, &call()).await.is_err() {
        sleep(Duration::from_millis(50)).await;
        assert!(started.elapsed() < Duration::from_mins(2), "never recovers");
    }
    assert_eq!(transport.status().state, UpstreamState::Connected);
}

#[tokio::test]
async fn connections_are_bounded() {
    let (script, transport) = against([Line::Silence(Duration::from_millis(300))]).await;
    get(&transport, &call()).await.unwrap();
    let (transport, tasks) = (Arc::new(transport), Tasks::new());
    let calls: Vec<_> = (0..12)
        .map(|_| {
            let transport = Arc::clone(&transport);
            tasks.spawn(async move { get(&transport, &call()).await })
        })
        .collect();
    for outcome in calls {
        outcome.await.unwrap().unwrap();
    }
    assert_eq!((script.count(), script.busiest()), (13, 4));
}

#[tokio::test]
async fn a_refused_rate_is_told_or_waited_out() {
    let limited = || Line::json(429, "{}").with("retry-after", "60");
    let (script, transport) = against([limited(), Line::json(200, OK)]).await;
    let error = get(&transport, &call()).await.unwrap_err();
    let Kind::RateLimited { retry_after, daily: false } = error.kind else { panic!("{error}") };
    assert!((59..=60).contains(&retry_after.as_secs()), "{retry_after:?}");
    assert_eq!(script.count(), 1, "the deadline is sooner");
    let error = get(&transport, &call()).await.unwrap_err();
    assert!(matches!(error.kind, Kind::RateLimited { .. }));
    assert_eq!(script.count(), 1, "nobody is refused twice");
    transport.clock.advance(Duration::from_mins(1));
    get(&transport, &call()).await.unwrap();

    let soon = Line::json(429, "").with("retry-after", "1");
    let (script, transport) = against([soon, Line::json(200, OK)]).await;
    let clock = transport.clock.clone();
    let transport = Arc::new(transport);
    let waiting = Tasks::new().spawn({
        let transport = Arc::clone(&transport);
        async move { post(&transport, &call()).await }
    });
    while !waiting.is_finished() {
        clock.advance(Duration::from_millis(20));
        sleep(Duration::from_millis(1)).await;
    }
    waiting.await.unwrap().unwrap();
    assert_eq!(script.count(), 2, "a refused write had no effect");
}

#[tokio::test]
async fn background_work_is_put_off() {
    let soon = Line::json(429, "").with("retry-after", "1");
    let (script, transport) = against([soon, Line::json(200, OK)]).await;
    let background = Call { priority: Priority::Background, ..call() };
    let error = get(&transport, &background).await.unwrap_err();
    assert!(matches!(error.kind, Kind::RateLimited { .. }));
    assert_eq!(script.count(), 1);
}

#[tokio::test]
async fn an_endless_answer_is_cut() {
    let (script, transport) = against([Line::json(200, vec![b' '; 17 * 1024 * 1024])]).await;
    assert_eq!(get(&transport, &call()).await.unwrap_err().kind, Kind::Malformed);
    assert_eq!(script.count(), 1);
}

#[tokio::test]
async fn an_error_says_nothing_of_url_body_or_header() {
    let hurried = || call_within(Duration::from_millis(900));
    let gone: Url = "http://127.0.0.1:1/".parse().unwrap();
    let mut errors = vec![
        get(&transport(&gone, Duration::from_secs(5)), &hurried()).await.unwrap_err(),
        post(&transport(&gone, Duration::from_secs(5)), &hurried()).await.unwrap_err(),
    ];
    for line in [
        Line::Break,
        Line::html(200),
        Line::html(502),
        Line::json(200, "\"ana@example.com\""),
        Line::json(200, "{\"email\": \"ana@example.com\""),
        Line::json(400, "{\"message\": \"ana@example.com +5491100000000\"}"),
        Line::json(401, "s3cret"),
        Line::json(429, "ana@example.com"),
    ] {
        let (_script, transport) = against([line]).await;
        let typed: Result<u32, _> = transport
            .call(&hurried(), Request::new(&READ, &[Segment::new("ana@example.com")]))
            .await;
        errors.push(typed.unwrap_err());
        errors.extend(post(&transport, &hurried()).await.err());
    }
    for error in errors {
        let mut text = format!("{error} {error:?}");
        let mut source = error.source();
        while let Some(cause) = source {
            text = format!("{text} {cause} {cause:?}");
            source = cause.source();
        }
        assert!(text.contains("/people/{id}"), "{text}");
        for secret in ["ana", "example", "549", "s3cret", "Bearer", "http://", "/base"] {
            assert!(!text.contains(secret), "`{secret}` in {text}");
        }
    }
}

#[tokio::test]
async fn the_view_changes_with_account_credential_and_scopes() {
    let url = "http://127.0.0.1:1/".parse().unwrap();
    let view = |account: &str, secret: &str, scopes: &[String]| {
        let clock = Clock::system();
        let secret = SecretString::from(secret);
        Transport::new(Setup {
            system: System::HighLevel,
            base_url: &url,
            account: Some(account),
            beside: None,
            connections: 1,
            connect_timeout: Duration::from_secs(1),
            timeout: Duration::from_secs(1),
            headers: HeaderMap::new(),
            credentials: Arc::new(Token::new("Bearer", Some(&secret), CredentialKind::OAuth)),
            allowance: Allowance::stated_by_provider(clock.clone(), 100),
            refusal,
            scopes,
            write_scope: None,
            clock,
        })
        .unwrap()
        .view()
    };
    let scopes = ["contacts.readonly".to_owned()];
    let views =
        [view("a", "x", &[]), view("b", "x", &[]), view("a", "y", &[]), view("a", "x", &scopes)];
    for (index, one) in views.iter().enumerate() {
        assert!(views[index + 1..].iter().all(|other| other != one), "{views:?}");
    }
    assert_eq!(views[0], view("a", "x", &[]));
}
