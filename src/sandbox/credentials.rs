//! The published credentials: they open nothing but a sandbox, so they are constants and printed
//! wherever that helps.

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
