//! The published credentials: they open nothing but a sandbox, so they are constants and printed
//! wherever that helps.

use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;

/// Doppler's account name, which is an e-mail address and a segment of every path.
pub const DOPPLER_ACCOUNT: &str = "sandbox@tandem.test";
/// Doppler's API key for that account.
pub const DOPPLER_API_KEY: &str = "0123456789ABCDEF0123456789ABCDEF";
/// The id of the first list, "Newsletter": the same in every sandbox.
pub const DOPPLER_FIRST_LIST: &str = "27311001";
/// HighLevel's location (sub-account).
pub const HIGHLEVEL_LOCATION: &str = "sandboxLocation00001";
/// A private integration token with every scope of the contacts API.
pub const HIGHLEVEL_TOKEN: &str = "pit-00000000-0000-4000-8000-000000000001";
/// A private integration token with the scope `contacts.readonly` only.
pub const HIGHLEVEL_READ_ONLY_TOKEN: &str = "pit-00000000-0000-4000-8000-000000000002";
/// The OAuth client of the marketplace app.
pub const OAUTH_CLIENT_ID: &str = "sandboxclient-tandem";
/// Its secret.
pub const OAUTH_CLIENT_SECRET: &str = "sandbox-client-secret";
/// The app version that the consent page asks for.
pub const OAUTH_VERSION_ID: &str = "sandboxversion";

/// Whose key or private token a call carries.
pub fn of_headers(headers: &HeaderMap) -> Option<&'static Account> {
    let (_, sent) = headers.get(AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    ACCOUNTS.iter().find(|account| [account.api_key, account.token].contains(&sent.trim()))
}

/// One Doppler account with one HighLevel location.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Account {
    /// Counts from 1.
    pub number: usize,
    /// Doppler's account name.
    pub doppler: &'static str,
    /// Its API key.
    pub api_key: &'static str,
    /// HighLevel's location.
    pub location: &'static str,
    /// A private integration token of it with every scope.
    pub token: &'static str,
}

/// Those that a sandbox may hold. The first is that of the constants above.
pub static ACCOUNTS: [Account; 4] = [
    Account {
        number: 1,
        doppler: DOPPLER_ACCOUNT,
        api_key: DOPPLER_API_KEY,
        location: HIGHLEVEL_LOCATION,
        token: HIGHLEVEL_TOKEN,
    },
    Account {
        number: 2,
        doppler: "sandbox2@tandem.test",
        api_key: "0123456789ABCDEF0123456789ABCD02",
        location: "sandboxLocation00002",
        token: "pit-00000000-0000-4000-8000-000000000201",
    },
    Account {
        number: 3,
        doppler: "sandbox3@tandem.test",
        api_key: "0123456789ABCDEF0123456789ABCD03",
        location: "sandboxLocation00003",
        token: "pit-00000000-0000-4000-8000-000000000301",
    },
    Account {
        number: 4,
        doppler: "sandbox4@tandem.test",
        api_key: "0123456789ABCDEF0123456789ABCD04",
        location: "sandboxLocation00004",
        token: "pit-00000000-0000-4000-8000-000000000401",
    },
];
