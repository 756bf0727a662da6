//! Credentials: private integration tokens, OAuth access and refresh tokens, authorization codes.
//!
//! A private integration token never expires and cannot be refreshed. An OAuth family begins with a
//! code; each refresh replaces both tokens, and a repeated refresh within [`GRACE_MS`] gets the same
//! answer again, as HighLevel's changelog describes for distributed clients.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;
use serde_json::json;

use crate::sandbox::credentials::{Account, HIGHLEVEL_READ_ONLY_TOKEN, OAUTH_CLIENT_ID};
use crate::sandbox::here;
use crate::sandbox::ids::Ids;

/// The agency that owns the location.
pub const COMPANY: &str = "sandboxCompany000001";
/// An agency's private integration token: the wrong class for every contacts route.
pub const AGENCY_TOKEN: &str = "pit-00000000-0000-4000-8000-000000000003";
/// "Access about 24 h": `expires_in` is a second short of it in the documented answer.
pub const ACCESS_MS: i64 = 86_399_000;
/// A refresh token lives a year or until it is used.
pub const REFRESH_MS: i64 = 365 * 24 * 60 * 60 * 1000;
/// How long a used refresh token still answers the same.
pub const GRACE_MS: i64 = 30_000;
/// The lifetime of a code is undocumented; minutes are assumed.
pub const CODE_MS: i64 = 10 * 60 * 1000;
/// Everything the app may ask for.
pub const SCOPES: [&str; 10] = [
    "contacts.readonly",
    "contacts.write",
    "locations.readonly",
    "locations/customFields.readonly",
    "locations/customFields.write",
    "locations/tags.readonly",
    "locations/tags.write",
    "locations/tasks.readonly",
    "locations/tasks.write",
    "calendars/events.readonly",
];

/// Whose token it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// A sub-account.
    Location,
    /// An agency.
    Company,
}

impl Class {
    /// As `userType` says it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Location => "Location",
            Self::Company => "Company",
        }
    }
}

/// A bearer token's rights.
#[derive(Clone, Debug)]
pub struct Grant {
    /// Whose.
    pub class: Class,
    /// What for.
    pub scopes: Vec<String>,
    /// Whose budget it spends: several private tokens of a location share one.
    pub app: &'static str,
    /// Epoch milliseconds; `None` for private tokens.
    pub expires: Option<i64>,
    family: Option<u64>,
    /// Of an agency's: for which locations tokens are given out.
    pub approved: Vec<String>,
}

impl Grant {
    /// Whether it is a private integration token.
    pub fn is_private(&self) -> bool {
        self.expires.is_none()
    }
}

/// What a code or a refresh token was given for.
#[derive(Clone, Debug)]
pub struct Consent {
    /// The type of token to issue.
    pub class: Class,
    /// What the person approved.
    pub scopes: Vec<String>,
    /// Where the code was sent.
    pub redirect_uri: Option<String>,
    /// Which locations an agency approved.
    pub approved: Approved,
}

/// What an agency approved.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Approved {
    /// On these the app is installed.
    pub locations: Vec<String>,
    /// Whether the answer does not tell them, as is seen of bulk installations (GH#294).
    pub untold: bool,
}

/// The two tokens of an answer.
#[derive(Clone, Debug, PartialEq)]
pub struct Pair {
    /// The bearer token.
    pub access: String,
    /// Good for one refresh.
    pub refresh: String,
    /// Whose.
    pub class: Class,
    /// Space separated.
    pub scope: String,
    /// Of an agency's.
    pub approved: Approved,
}

/// `POST /control/tokens`.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Control {
    /// Ends all OAuth access tokens now.
    #[serde(default)]
    pub expire_access: bool,
    /// Refresh tokens answer `invalid_grant` from now on.
    #[serde(default)]
    pub revoke_refresh: bool,
    /// Every OAuth token ends; private tokens stay.
    #[serde(default)]
    pub revoke_all: bool,
    /// No same-answer window: a reuse kills the whole family.
    pub strict_reuse: Option<bool>,
}

/// All credentials of the location.
#[derive(Debug)]
pub struct Tokens(Mutex<Inner>);

#[derive(Debug)]
struct Inner {
    access: HashMap<String, Arc<Grant>>,
    refresh: HashMap<String, Refresh>,
    codes: HashMap<String, (Consent, i64)>,
    families: u64,
    strict_reuse: bool,
}

#[derive(Debug)]
struct Refresh {
    consent: Consent,
    family: u64,
    expires: i64,
    used: Option<(i64, Pair)>,
}

impl Tokens {
    /// The private integration tokens of a location, and no installation. The agency's own and the one
    /// that only reads are with the first.
    pub fn new(account: &Account) -> Self {
        let private = |class, scopes: &[&str]| {
            let scopes = scopes.iter().map(|&scope| scope.to_owned()).collect();
            let (expires, family, approved) = (None, None, Vec::new());
            Arc::new(Grant { class, scopes, app: "private", expires, family, approved })
        };
        let mut access =
            HashMap::from([(account.token.to_owned(), private(Class::Location, &SCOPES))]);
        if account.number == 1 {
            let read_only = private(Class::Location, &SCOPES[..1]);
            access.insert(HIGHLEVEL_READ_ONLY_TOKEN.to_owned(), read_only);
            access.insert(AGENCY_TOKEN.to_owned(), private(Class::Company, &SCOPES));
        }
        Self(Mutex::new(Inner {
            access,
            refresh: HashMap::new(),
            codes: HashMap::new(),
            families: 0,
            strict_reuse: false,
        }))
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The rights of a bearer token that is good at `now`.
    pub fn grant(&self, token: &str, now: i64) -> Option<Arc<Grant>> {
        let grant = self.lock().access.get(token).cloned()?;
        grant.expires.is_none_or(|expires| now < expires).then_some(grant)
    }

    /// Whether a bearer token, a code or a refresh token is one of these, good or not.
    pub fn knows(&self, token: &str) -> bool {
        let inner = self.lock();
        inner.access.contains_key(token)
            || inner.codes.contains_key(token)
            || inner.refresh.contains_key(token)
    }

    /// A code for what a person approved.
    pub fn code(&self, consent: Consent, now: i64, ids: &Ids) -> String {
        let code = format!("{}{}", ids.hex(), ids.alphanumeric());
        self.lock().codes.insert(code.clone(), (consent, now + CODE_MS));
        code
    }

    /// Takes a code, which is good once.
    pub fn take_code(&self, code: &str, now: i64) -> Option<Consent> {
        let (consent, expires) = self.lock().codes.remove(code)?;
        (now < expires).then_some(consent)
    }

    /// The first pair of a family.
    pub fn issue(&self, consent: Consent, now: i64, ids: &Ids) -> Pair {
        let mut inner = self.lock();
        inner.families += 1;
        let family = inner.families;
        inner.issue(consent, family, now, ids)
    }

    /// An access token alone, as an agency gets for one of its locations.
    pub fn issue_access(&self, consent: &Consent, now: i64, ids: &Ids) -> String {
        let mut inner = self.lock();
        inner.families += 1;
        let family = inner.families;
        inner.access(consent, family, now, ids)
    }

    /// Replaces a refresh token; `None` is `invalid_grant`.
    pub fn refresh(&self, token: &str, now: i64, ids: &Ids) -> Option<Pair> {
        let mut inner = self.lock();
        let strict = inner.strict_reuse;
        let held = inner.refresh.get(token)?;
        let family = held.family;
        if let Some((at, pair)) = &held.used {
            if !strict && now < at + GRACE_MS {
                return Some(pair.clone());
            }
            if strict {
                inner.refresh.retain(|_, other| other.family != family);
                inner.access.retain(|_, grant| grant.family != Some(family));
            }
            return None;
        }
        if held.expires <= now {
            return None;
        }
        let consent = held.consent.clone();
        let pair = inner.issue(consent, family, now, ids);
        if let Some(held) = inner.refresh.get_mut(token) {
            held.used = Some((now, pair.clone()));
        }
        Some(pair)
    }

    /// Does what was asked at `POST /control/tokens`.
    pub fn control(&self, control: Control) {
        let mut inner = self.lock();
        if control.expire_access || control.revoke_all {
            inner.access.retain(|_, grant| grant.is_private());
        }
        if control.revoke_refresh || control.revoke_all {
            inner.refresh.clear();
        }
        if control.revoke_all {
            inner.codes.clear();
        }
        if let Some(strict) = control.strict_reuse {
            inner.strict_reuse = strict;
        }
    }
}

impl Inner {
    fn issue(&mut self, consent: Consent, family: u64, now: i64, ids: &Ids) -> Pair {
        let access = self.access(&consent, family, now, ids);
        let refresh = jwt("refresh", consent.class, &consent.scopes, now + REFRESH_MS, ids);
        let pair = Pair {
            access,
            refresh: refresh.clone(),
            class: consent.class,
            scope: consent.scopes.join(" "),
            approved: consent.approved.clone(),
        };
        let held = Refresh { consent, family, expires: now + REFRESH_MS, used: None };
        self.refresh.insert(refresh, held);
        pair
    }

    fn access(&mut self, consent: &Consent, family: u64, now: i64, ids: &Ids) -> String {
        let expires = now + ACCESS_MS;
        let token = jwt("access", consent.class, &consent.scopes, expires, ids);
        let grant = Grant {
            class: consent.class,
            scopes: consent.scopes.clone(),
            app: OAUTH_CLIENT_ID,
            expires: Some(expires),
            family: Some(family),
            approved: consent.approved.locations.clone(),
        };
        self.access.insert(token.clone(), Arc::new(grant));
        token
    }
}

/// Looks like HighLevel's tokens, claims included; the signature is random, so nobody can rely on
/// verifying one.
fn jwt(purpose: &str, class: Class, scopes: &[String], expires: i64, ids: &Ids) -> String {
    let owner = match class {
        Class::Location => here::account().location,
        Class::Company => COMPANY,
    };
    let header = json!({"alg": "RS256", "typ": "JWT"}).to_string();
    let claims = json!({
        "authClass": class.as_str(), "authClassId": owner, "primaryAuthClassId": owner,
        "source": "INTEGRATION", "sourceId": OAUTH_CLIENT_ID, "channel": "OAUTH",
        "oauthMeta": {"scopes": scopes}, "purpose": purpose, "exp": expires / 1000,
    });
    let encode = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
    let signature = encode(&ids.bytes::<64>());
    format!("{}.{}.{signature}", encode(header.as_bytes()), encode(claims.to_string().as_bytes()))
}
