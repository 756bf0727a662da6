//! Renewals against the real fake: once over all requests and all gateways, and never a silent stop.
#![expect(clippy::disallowed_methods, reason = "the tests are a client of the sandbox")]

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use reqwest::header::HeaderValue;
use secrecy::SecretString;
use serde_json::{Value, json};
use url::Url;

use crate::auth::{KeyFile, Keyring, Secret, Seed, Vault, VaultParts, rotate, watch};
use crate::clock::Clock;
use crate::config::Config;
use crate::config::highlevel::HighLevel;
use crate::config::store::Store as StoreSettings;
use crate::config::vault::{Vault as VaultSettings, key_text};
use crate::highlevel;
use crate::sandbox::{Options, Sandbox, credentials};
use crate::store::{self, Store};
use crate::tasks::Tasks;
use crate::unified::{EventDraft, EventKind, System, WorkspaceId};
use crate::upstream::{
    Authorizer, CredentialKind, Error, Granted, Kind, NotGranted, Token, check_once,
};

const DAY: Duration = Duration::from_hours(24);
const SCOPES: &str = "contacts.readonly contacts.write";

/// The fake, one store's file, and a clock that they and all gateways share.
struct Place {
    sandbox: Sandbox,
    clock: Clock,
    folder: tempfile::TempDir,
    tasks: Tasks,
    http: reqwest::Client,
    /// The vaults'.
    keyring: Keyring,
}

fn keyring(keys: &[(&str, u8)]) -> Keyring {
    let texts: Vec<String> = keys.iter().map(|(id, byte)| key_text(id, [*byte; 32])).collect();
    Keyring::new(&VaultSettings { keys: Some(texts.join(" ").into()), keys_file: None }).unwrap()
}

fn event() -> EventDraft {
    EventDraft::new(EventKind::UpstreamChanged, "connected")
}

impl Place {
    async fn new() -> Self {
        let clock = Clock::manual("2026-11-24T12:00:00Z".parse().unwrap());
        let options = Options {
            listen: "127.0.0.1:0".parse().unwrap(),
            contacts: 3,
            rate_limit: false,
            clock: clock.clone(),
            ..Options::default()
        };
        let tasks = Tasks::new();
        let sandbox = Sandbox::start(options, &tasks).await.unwrap();
        let redirects = reqwest::redirect::Policy::none();
        let http = reqwest::Client::builder().redirect(redirects).build().unwrap();
        let folder = tempfile::tempdir().unwrap();
        Self { sandbox, clock, folder, tasks, http, keyring: keyring(&[("a", 1)]) }
    }

    fn config(&self) -> HighLevel {
        HighLevel {
            base_url: Url::parse(&self.sandbox.highlevel_url()).unwrap(),
            location_id: Some(credentials::HIGHLEVEL_LOCATION.to_owned()),
            client_id: Some(credentials::OAUTH_CLIENT_ID.to_owned()),
            client_secret: Some(credentials::OAUTH_CLIENT_SECRET.into()),
            version_id: Some(credentials::OAUTH_VERSION_ID.to_owned()),
            burst: 0,
            ..HighLevel::default()
        }
    }

    fn app(&self) -> Arc<dyn Authorizer> {
        Arc::new(highlevel::OAuth::new(&self.config()).unwrap().unwrap())
    }

    async fn store(&self) -> Arc<dyn Store> {
        let file = Path::join(self.folder.path(), "tandem.db");
        let url = format!("sqlite://{}", file.display());
        let store = store::open(&StoreSettings { url, ..Config::default().store }).await.unwrap();
        let workspace = WorkspaceId::from("default");
        store.workspace(&workspace, "default", self.clock.now()).await.unwrap();
        store
    }

    /// Another gateway's vault.
    async fn vault(&self, authorizer: Arc<dyn Authorizer>) -> Vault {
        let nothing = || Seed {
            credentials: Arc::new(Token::new("Bearer", None, CredentialKind::ApiKey)),
            account: None,
        };
        Vault::open(VaultParts {
            store: self.store().await,
            workspace: WorkspaceId::from("default"),
            keyring: self.keyring.clone(),
            authorizer: Some(authorizer),
            clock: self.clock.clone(),
            tasks: self.tasks.clone(),
            seeds: [nothing(), nothing()],
        })
        .await
        .unwrap()
    }

    /// A consent, up to the vault that keeps it.
    async fn connect(&self, user_type: &str) -> Vault {
        let redirect = Url::parse("http://127.0.0.1:4000/oauth/highlevel/callback").unwrap();
        let form = [
            ("response_type", "code"),
            ("client_id", credentials::OAUTH_CLIENT_ID),
            ("version_id", credentials::OAUTH_VERSION_ID),
            ("redirect_uri", redirect.as_str()),
            ("scope", SCOPES),
            ("user_type", user_type),
        ];
        let page = format!("{}/v2/oauth/chooselocation", self.sandbox.highlevel_url());
        let answer = self.http.post(page).form(&form).send().await.unwrap();
        let back = Url::parse(answer.headers()["location"].to_str().unwrap()).unwrap();
        let (_, code) = back.query_pairs().find(|(name, _)| name == "code").unwrap();
        let (app, location) = (self.app(), credentials::HIGHLEVEL_LOCATION);
        let mut granted = app.redeem(&code, &redirect).await.unwrap();
        if user_type == "Company" {
            let company = ("sandboxCompany000001", &granted.access);
            let local = app.for_location(company, location).await.unwrap();
            granted = Granted { refresh: granted.refresh, ..local };
        }
        let secret = Secret::granted(granted, location, self.clock.now()).unwrap();
        let vault = self.vault(app).await;
        let made = (secret, credentials::HIGHLEVEL_LOCATION);
        vault.keep(System::HighLevel, made, &event()).await.unwrap();
        self.forget_calls().await;
        vault
    }

    /// Tells the sandbox something.
    async fn tell(&self, path: &str, body: Value) {
        let url = format!("{}{path}", self.sandbox.control_url());
        self.http.post(url).json(&body).send().await.unwrap().error_for_status().unwrap();
    }

    /// Has the sandbox forget something.
    async fn forget(&self, path: &str) {
        let url = format!("{}{path}", self.sandbox.control_url());
        self.http.delete(url).send().await.unwrap().error_for_status().unwrap();
    }

    async fn control(&self, body: Value) {
        self.tell("/tokens", body).await;
    }

    async fn forget_calls(&self) {
        self.forget("/journal").await;
    }

    /// Makes a route of HighLevel answer with a status until faults are cleared.
    async fn fault(&self, route: &str, status: u16) {
        let fault =
            json!({"system": "HIGHLEVEL", "route": route, "kind": "status", "status": status});
        self.tell("/faults", fault).await;
    }

    async fn clear_faults(&self) {
        self.forget("/faults").await;
    }

    /// How often the token endpoint was called.
    async fn renewals(&self) -> usize {
        self.calls("/oauth/token").await
    }

    async fn calls(&self, route: &str) -> usize {
        let url = format!("{}/journal", self.sandbox.control_url());
        let journal: Value = self.http.get(url).send().await.unwrap().json().await.unwrap();
        let calls = journal["calls"].as_array().unwrap();
        calls.iter().filter(|call| call["route"] == route).count()
    }

    /// Whether the API takes what the vault sends.
    async fn works(&self, vault: &Vault) -> bool {
        let token = vault.credentials(System::HighLevel);
        let client = highlevel::Client::with(&self.config(), token, &self.clock).unwrap();
        check_once(&client).await.is_ok()
    }

    async fn header(vault: &Vault) -> Result<HeaderValue, Kind> {
        vault.credentials(System::HighLevel).authorization().await
    }
}

fn is_lost(vault: &Vault) -> bool {
    vault.credentials(System::HighLevel).facts().lost
}

/// Two gateways that both hold a token that has ended, and twenty requests.
async fn twenty_requests_renew_once(strict: bool, user_type: &str) {
    let place = Place::new().await;
    place.control(json!({"strictReuse": strict})).await;
    let one = place.connect(user_type).await;
    let other = place.vault(place.app()).await;
    let before = Place::header(&one).await.unwrap();
    assert_eq!(Place::header(&other).await.unwrap(), before);
    place.clock.advance(DAY);
    let asking = (0..20).map(|n| {
        let vault = if n % 2 == 0 { one.clone() } else { other.clone() };
        place.tasks.spawn(async move { Place::header(&vault).await })
    });
    let asking: Vec<_> = asking.collect();
    let mut headers = Vec::new();
    for one in asking {
        headers.push(one.await.unwrap().unwrap());
    }
    assert!(headers.iter().all(|header| *header == headers[0] && *header != before));
    assert_eq!(place.renewals().await, 1);
    for vault in [&one, &other, &place.vault(place.app()).await] {
        assert!(place.works(vault).await);
        assert!(!is_lost(vault));
    }
    assert_eq!(place.renewals().await, 1);
    // And what came is good for the next time.
    place.clock.advance(DAY);
    assert!(place.works(&other).await && place.works(&one).await);
    assert_eq!(place.renewals().await, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn twenty_requests_renew_once_with_grace() {
    twenty_requests_renew_once(false, "Location").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn twenty_requests_renew_once_without_grace() {
    twenty_requests_renew_once(true, "Location").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_token_of_a_company_is_renewed_and_exchanged() {
    twenty_requests_renew_once(true, "Company").await;
}

/// Renews at HighLevel, and the answer is lost: with the process, or on its way, once.
struct Loses {
    authorizer: Arc<dyn Authorizer>,
    dies: bool,
    lost: AtomicBool,
}

impl Loses {
    fn new(place: &Place, dies: bool) -> Arc<Self> {
        Arc::new(Self { authorizer: place.app(), dies, lost: AtomicBool::new(false) })
    }
}

#[async_trait]
impl Authorizer for Loses {
    fn consent_page(&self, redirect: &Url, state: &str, scopes: &[String]) -> Url {
        self.authorizer.consent_page(redirect, state, scopes)
    }

    async fn redeem(&self, code: &str, redirect: &Url) -> Result<Granted, NotGranted> {
        self.authorizer.redeem(code, redirect).await
    }

    async fn refresh(&self, token: &SecretString) -> Result<Granted, NotGranted> {
        let granted = self.authorizer.refresh(token).await?;
        if self.dies {
            std::future::pending::<()>().await;
        }
        if self.lost.swap(true, Ordering::Relaxed) {
            return Ok(granted);
        }
        Err(NotGranted::Later(Error::new(System::HighLevel, "/oauth/token", Kind::Timeout)))
    }

    async fn for_location(
        &self,
        company: (&str, &SecretString),
        location: &str,
    ) -> Result<Granted, NotGranted> {
        self.authorizer.for_location(company, location).await
    }
}

/// One gateway dies between HighLevel's answer and its own commit; another comes after it.
async fn after_a_death(strict: bool) -> (Place, Vault) {
    let place = Place::new().await;
    place.control(json!({"strictReuse": strict})).await;
    let _ = place.connect("Location").await;
    let victim = place.vault(Loses::new(&place, true)).await;
    place.clock.advance(DAY);
    place.tasks.spawn(async move { Place::header(&victim).await });
    while place.renewals().await == 0 {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let heir = place.vault(place.app()).await;
    (place, heir)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_death_within_the_grace_is_survived() {
    let (place, heir) = after_a_death(false).await;
    let waiting = {
        let heir = heir.clone();
        place.tasks.spawn(async move { Place::header(&heir).await })
    };
    // The lease lapses, and the grace does not.
    place.clock.advance(Duration::from_secs(21));
    assert!(waiting.await.unwrap().is_ok());
    assert_eq!(place.renewals().await, 2, "the same refresh again");
    assert!(place.works(&heir).await && !is_lost(&heir));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_death_without_grace_is_told() {
    let (place, heir) = after_a_death(true).await;
    place.clock.advance(Duration::from_secs(21));
    assert_eq!(Place::header(&heir).await, Err(Kind::Unauthorized));
    assert!(is_lost(&heir));
    let next = place.vault(place.app()).await;
    assert!(is_lost(&next), "it is remembered");
    let asked = place.renewals().await;
    assert_eq!(Place::header(&next).await, Err(Kind::Unauthorized));
    assert_eq!(place.renewals().await, asked, "what is lost is not asked for again");
    let anew = place.connect("Location").await;
    assert!(place.works(&anew).await && !is_lost(&anew));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_ended_early_is_renewed_when_it_is_refused() {
    let place = Place::new().await;
    let vault = place.connect("Location").await;
    let other = place.vault(place.app()).await;
    place.clock.advance(Duration::from_secs(61));
    place.control(json!({"expireAccess": true})).await;
    assert!(place.works(&vault).await, "the call is made again");
    assert!(place.works(&other).await, "what the other renewed is found");
    assert_eq!(place.renewals().await, 1);
    place.control(json!({"expireAccess": true})).await;
    assert!(!place.works(&vault).await, "a young one is not mended by another");
    assert_eq!(place.renewals().await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_idle_gateway_renews_before_the_end() {
    let place = Place::new().await;
    let vault = place.connect("Location").await;
    let watched = vault.clone();
    let vaults = move || vec![watched.clone()];
    watch(place.store().await, vaults, (place.clock.clone(), &place.tasks));
    let ends = || vault.credentials(System::HighLevel).facts().expires_at.unwrap();
    let (before, end) = (Place::header(&vault).await.unwrap(), ends());
    place.clock.advance(Duration::from_mins(22 * 60 + 50));
    while ends() == end {
        assert!(place.clock.now() < end, "it ended");
        // Hardly faster than the gateway works.
        place.clock.advance(Duration::from_secs(2));
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_ne!(Place::header(&vault).await.unwrap(), before);
    assert_eq!(place.renewals().await, 1);
    place.tasks.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_early_renewal_whose_answer_is_lost_is_repeated_within_the_grace() {
    let place = Place::new().await;
    place.connect("Location").await;
    let vault = place.vault(Loses::new(&place, false)).await;
    let watched = vault.clone();
    let vaults = move || vec![watched.clone()];
    watch(place.store().await, vaults, (place.clock.clone(), &place.tasks));
    let before = Place::header(&vault).await.unwrap();
    place.clock.advance(Duration::from_hours(23));
    while Place::header(&vault).await.unwrap() == before {
        place.clock.advance(Duration::from_secs(1));
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(place.renewals().await, 2);
    assert!(place.works(&vault).await && !is_lost(&vault));
    place.tasks.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agencys_refresh_token_is_used_once_however_often_the_exchange_fails() {
    let place = Place::new().await;
    place.control(json!({"strictReuse": true})).await;
    let vault = place.connect("Company").await;
    let watched = vault.clone();
    let vaults = move || vec![watched.clone()];
    watch(place.store().await, vaults, (place.clock.clone(), &place.tasks));
    place.fault("/oauth/locationToken", 503).await;
    place.clock.advance(Duration::from_hours(23));
    while place.calls("/oauth/locationToken").await < 3 {
        place.clock.advance(Duration::from_secs(2));
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    // The token that there is is good meanwhile, and then none is.
    assert!(Place::header(&vault).await.is_ok());
    place.clock.advance(Duration::from_hours(1));
    for _ in 0..4 {
        assert_eq!(Place::header(&vault).await, Err(Kind::Unavailable));
    }
    assert_eq!(place.renewals().await, 1);
    // Another gateway goes on with what this one was granted.
    place.clear_faults().await;
    assert!(place.works(&place.vault(place.app()).await).await);
    while Place::header(&vault).await.is_err() {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(place.renewals().await, 1);
    assert!(place.works(&vault).await && !is_lost(&vault));
    place.tasks.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_of_keys_is_read_again() {
    let place = Place::new().await;
    let vault = place.connect("Location").await;
    let file = place.folder.path().join("vault.keys");
    let (a, b, c) = (key_text("a", [1; 32]), key_text("b", [2; 32]), key_text("c", [3; 32]));
    let write = |text: &str| std::fs::write(&file, text).unwrap();
    write(&a);
    let store = place.store().await;
    let watched =
        KeyFile { path: file.clone(), keyring: place.keyring.clone(), store: Arc::clone(&store) };
    watched.watch(place.clock.clone(), &place.tasks);
    // What the gateway encrypts with is seen in what it stores.
    let uses = async |key: &str| {
        let secret = Secret::made(CredentialKind::ApiKey, "k".into(), None, place.clock.now());
        vault.keep(System::Doppler, (secret, "a@example.com"), &event()).await.unwrap();
        let sealed = store.all_sealed().await.unwrap();
        sealed.iter().any(|one| one.text.starts_with(&format!("v1:{key}:")))
    };
    let becomes = async |key: &str| {
        for _ in 0..5_000 {
            place.clock.advance(Duration::from_secs(2));
            tokio::time::sleep(Duration::from_millis(10)).await;
            if uses(key).await {
                return true;
            }
        }
        false
    };
    assert!(uses("a").await);
    write(&format!("{b}\n{a}\n"));
    assert!(becomes("b").await);
    // Neither nonsense nor a file that lacks a key in use changes anything.
    for broken in ["nonsense", "", &c] {
        write(broken);
        for _ in 0..5 {
            place.clock.advance(Duration::from_secs(2));
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        assert!(uses("b").await && !uses("c").await, "{broken:?}");
    }
    let both = keyring(&[("b", 2), ("a", 1)]);
    rotate(&*store, &both).await.unwrap();
    write(&format!("{c}\n{b}\n"));
    assert!(becomes("c").await);
    assert!(place.works(&vault).await);
    place.tasks.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_are_changed_while_a_gateway_runs() {
    let place = Place::new().await;
    let vault = place.connect("Location").await;
    let store = place.store().await;
    let both = keyring(&[("b", 2), ("a", 1)]);
    assert_eq!(rotate(&*store, &both).await.unwrap(), 1);
    assert_eq!(rotate(&*store, &both).await.unwrap(), 0);
    let sealed = store.all_sealed().await.unwrap();
    assert!(sealed.iter().all(|one| one.text.starts_with("v1:b:")));
    // It does not know the new key, and goes on with what it holds.
    assert!(place.works(&vault).await);
    let wrong = rotate(&*store, &keyring(&[("c", 3)])).await.unwrap_err();
    let what = "the stored credential of HIGHLEVEL is encrypted with the key \"b\", which vault.keys \
                does not name";
    assert_eq!(wrong.to_string(), what);
}
