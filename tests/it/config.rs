//! Settings from all their sources, and every fault with its place.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use secrecy::ExposeSecret;
use tandem::config::mapping::TagsAs;
use tandem::config::{Config, Fault, Loader};

/// What a config must name to be complete.
const ACCOUNTS: &str = r#"
    [doppler]
    account = "shop@example.com"
    api_key = "DOPPLERKEY"
    [highlevel]
    location_id = "loc1"
    token = "pit-1"
"#;

struct Dir(tempfile::TempDir);

impl Dir {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.0.path().join(name);
        fs::write(&path, text).unwrap();
        path
    }
}

fn env(variables: &[(&str, &str)]) -> Vec<(String, String)> {
    variables.iter().map(|(name, text)| ((*name).into(), (*text).into())).collect()
}

fn load(text: &str, variables: &[(&str, &str)]) -> Result<Config, Vec<Fault>> {
    let dir = Dir::new();
    let path = dir.write("tandem.toml", text);
    Config::load(Some(&path), env(variables)).map_err(|faults| {
        let dir = format!("{}/", dir.0.path().display());
        let short =
            |fault: &Fault| Fault { source: fault.source.replace(&dir, ""), ..fault.clone() };
        faults.iter().map(short).collect()
    })
}

fn faults(text: &str, variables: &[(&str, &str)]) -> Vec<String> {
    load(text, variables).unwrap_err().iter().map(ToString::to_string).collect()
}

#[test]
fn sources_cover_each_other_in_order() {
    let text = format!("{ACCOUNTS}\ntimeout = \"20s\"\nindex_delay = \"20s\"");
    let variables = [("TANDEM_HIGHLEVEL__TIMEOUT", "30s"), ("PATH", "/bin")];
    let config = load(&text, &variables).unwrap();
    assert_eq!(config.highlevel.timeout, Duration::from_secs(30));
    assert_eq!(config.highlevel.index_delay, Duration::from_secs(20));
    assert_eq!(config.highlevel.connect_timeout, Duration::from_secs(5));
    assert_eq!(config.highlevel.token.unwrap().expose_secret(), "pit-1");

    let dir = Dir::new();
    let path = dir.write("t.toml", ACCOUNTS);
    let variables = env(&[("TANDEM_SERVER__LISTEN", "127.0.0.1:1")]);
    let loader = Loader::new().file(Some(&path)).env(variables);
    assert!(!loader.is_set("store.url"));
    let loader = loader.set("server.listen", "127.0.0.1:2", "--listen");
    assert!(loader.is_set("server.listen"));
    assert_eq!(loader.load().unwrap().server.listen.port(), 2);
}

#[test]
fn a_variable_becomes_what_its_key_wants() {
    let variables = [
        ("TANDEM_DOPPLER__API_KEY", "0123456789"),
        ("TANDEM_DOPPLER__RATE", "7"),
        ("TANDEM_CACHE__TTL__CONTACT", "2m"),
        ("TANDEM_TELEMETRY__METRICS", "false"),
        ("TANDEM_MAPPING__TAGS__AS", "LISTS"),
        ("TANDEM_SERVER__ALLOWED_ORIGINS", "https://a.example, http://localhost:5173"),
    ];
    let config = load(ACCOUNTS, &variables).unwrap();
    assert_eq!(config.doppler.api_key.unwrap().expose_secret(), "0123456789");
    assert!((config.doppler.rate - 7.0).abs() < f64::EPSILON);
    assert_eq!(config.cache.ttl.contact, Duration::from_secs(120));
    assert!(!config.telemetry.metrics);
    assert_eq!(config.mapping.tags.representation, TagsAs::Lists);
    assert_eq!(config.server.allowed_origins, ["https://a.example", "http://localhost:5173"]);
}

#[test]
fn the_variables_of_the_commands_that_call_a_gateway_are_no_settings() {
    let (url, token) = (("TANDEM_URL", "https://contacts.example.com"), ("TANDEM_TOKEN", "e.y.J"));
    assert!(load(ACCOUNTS, &[url, token]).is_ok());
    let other = ("TANDEM_URLS", "x");
    let found = faults(ACCOUNTS, &[url, token, other, ("TANDEM_URL__TOKEN", "x")]);
    insta::assert_snapshot!(found.join("\n"), @r"
    TANDEM_URLS: names no key: write TANDEM_SECTION__KEY, with two underscores
    url: unknown section [TANDEM_URL__TOKEN]
    ");
    let given =
        |variables: &[(&str, &str)]| Loader::new().file(None).env(env(variables)).given().to_vec();
    assert_eq!(given(&[url, token, ("PATH", "/bin")]), Vec::<String>::new());
    assert_eq!(given(&[url, ("TANDEM_LIMITS__FIRST", "7")]), ["environment"]);
}

#[test]
fn where_only_listed_documents_are_run_a_batch_is_refused_unless_allowed() {
    let documents = "[documents]\ntrusted = \"documents.json\"\nonly_trusted = true";
    let batch =
        |text: &str, variables: &[(&str, &str)]| load(text, variables).unwrap().limits.batch;
    let strict = format!("{ACCOUNTS}\n{documents}");
    assert_eq!(batch(ACCOUNTS, &[]), 10);
    assert_eq!(batch(&strict, &[]), 1);
    assert_eq!(batch(&strict, &[("TANDEM_DOCUMENTS__ONLY_TRUSTED", "false")]), 10);
    assert_eq!(batch(&strict, &[("TANDEM_LIMITS__BATCH", "10")]), 10);
    assert_eq!(batch(&format!("{strict}\n[limits]\nbatch = 3"), &[]), 3);
}

#[test]
fn a_consent_page_leads_back_by_https_or_to_this_machine() {
    let text = format!("{ACCOUNTS}\nclient_id = \"a-b\"\nclient_secret = \"s\"");
    let key = ("TANDEM_VAULT__KEYS", "one:QkFEQ0FGRUJBRENBRkVCQURDQUZFQkFEQ0FGRUJBREM=");
    let public = |url: &'static str| [key, ("TANDEM_SERVER__PUBLIC_URL", url)];
    for fine in [
        "https://contacts.example.com",
        "http://localhost:4000",
        "http://127.0.0.1:4000",
        "http://[::1]:4000/below",
    ] {
        assert!(load(&text, &public(fine)).is_ok(), "{fine}");
    }
    for plain in
        ["http://contacts.example.com", "http://10.0.0.1:4000", "http://localhost.example.com"]
    {
        assert!(load(ACCOUNTS, &public(plain)).is_ok(), "without an app: {plain}");
        assert_eq!(
            faults(&text, &public(plain)),
            ["server.public_url: must begin with https://, because highlevel.client_id is set: \
              HighLevel's consent page leads back to no other address [TANDEM_SERVER__PUBLIC_URL]"]
        );
    }
    let open = [
        key,
        ("TANDEM_SERVER__LISTEN", "0.0.0.0:4000"),
        ("TANDEM_AUTH__MODE", "jwt"),
        ("TANDEM_AUTH__HS256_SECRET", "thirty-two bytes are enough, and no less"),
    ];
    assert!(load(ACCOUNTS, &open).is_ok());
    assert_eq!(
        faults(&text, &open),
        ["server.public_url: is not set: with highlevel.client_id, the https:// address that \
          HighLevel's consent page leads back to [not set anywhere]"]
    );
}

#[test]
fn a_value_out_of_a_file_or_a_list_has_a_source() {
    let dir = Dir::new();
    let file = dir.write("clients", "short");
    let text = format!(
        "[auth]\nmode = \"jwt\"\nhs256_secret_file = \"{}\"\n{ACCOUNTS}\n\
         [[mapping.create_in]]\nsystem = \"HIGHLEVEL\"\n\
         [[mapping.create_in]]\nsystem = \"DOPPLER\"",
        file.display()
    );
    let vault = dir.write("vault", "nothing");
    let vault = ("TANDEM_VAULT__KEYS_FILE", vault.to_str().unwrap());
    insta::assert_snapshot!(faults(&text, &[vault]).join("\n"), @r"
    auth.hs256_secret: must have at least 32 bytes [auth.hs256_secret_file of tandem.toml]
    vault.keys: key 1 is not ID:BASE64; `tandem vault key` makes one [vault.keys_file of TANDEM_VAULT__KEYS_FILE]
    mapping.create_in.1.list: must be the id of a Doppler list, in digits [tandem.toml]
    ");
}

#[test]
fn every_fault_is_named_with_its_place() {
    let text = r#"
        [server]
        listen = "0.0.0.0:4000"
        request_timeout = "soon"
        [dopler]
        account = "x"
        api_key = "y"
        [doppler]
        account = "shop@example.com"
        api_key = 12345
        scan_upto = 5
        [highlevel]
        base_url = "services.example.com"
        location_id = "loc1"
        token_file = "/no/such/file"
        timezone = "Madrid"
        [limits]
        first = 1000
        [cache]
    "#;
    let variables = [
        ("TANDEM_LIMITS__DEPTH", "deep"),
        ("TANDEM_CACHE_TTL", "1s"),
        ("TANDEM_STORE__URL", "mysql://user:hunter2@db/tandem"),
    ];
    let found = faults(text, &variables).join("\n");
    insta::assert_snapshot!(found, @r#"
        TANDEM_CACHE_TTL: names no key: write TANDEM_SECTION__KEY, with two underscores
        dopler: unknown section, did you mean `doppler`? [tandem.toml]
        doppler.api_key: expected a string [tandem.toml]
        doppler.scan_upto: unknown key, did you mean `scan_up_to`? [tandem.toml]
        highlevel.base_url: not a URL: relative URL without a base [tandem.toml]
        highlevel.timezone: not the IANA name of a time zone, such as Europe/Madrid [tandem.toml]
        server.request_timeout: found string "soon", expected a duration such as "10s" or "5m" [tandem.toml]
        limits.depth: found string "deep", expected a whole number, not negative [TANDEM_LIMITS__DEPTH]
        highlevel.token_file: cannot read `/no/such/file`: no such file or directory [tandem.toml]
        store.url: must begin with sqlite:// or postgres:// [TANDEM_STORE__URL]
        limits.first: 1000 is out of range: 1 to 100 [tandem.toml]
        server.listen: 0.0.0.0:4000 is reachable from other machines, which auth.mode = "off" does not allow: set auth.mode = "jwt", or listen on 127.0.0.1 or [::1] [tandem.toml]
    "#);
    assert!(!found.contains("12345") && !found.contains("hunter2"));
}

#[test]
fn what_the_build_cannot_carry_is_refused() {
    let variables = [
        ("TANDEM_STORE__URL", "postgres://tandem:hunter2@db/tandem"),
        ("TANDEM_BUS__URL", "nats://tandem:hunter2@nats:4222"),
    ];
    let refused = load(ACCOUNTS, &variables).err().unwrap_or_default();
    let refused: Vec<String> = refused.iter().map(ToString::to_string).collect();
    assert_eq!(
        refused.iter().any(|f| f.contains("features postgres")),
        !cfg!(feature = "postgres")
    );
    assert_eq!(refused.iter().any(|f| f.contains("features nats")), !cfg!(feature = "nats"));
    assert!(!refused.join("").contains("hunter2"));
    let variables = [("TANDEM_BUS__URL", "amqp://mq"), ("TANDEM_BUS__CHANNEL", "a..b")];
    insta::assert_snapshot!(faults(ACCOUNTS, &variables).join("\n"), @r"
    bus.url: must be empty or begin with nats:// or tls:// [TANDEM_BUS__URL]
    bus.channel: must be 1 to 63 letters, digits, `_`, `-` and inner `.` [TANDEM_BUS__CHANNEL]
    ");
}

#[test]
fn authentication_needs_one_kind_of_keys_that_cannot_be_guessed() {
    let jwt = ("TANDEM_AUTH__MODE", "jwt");
    let found = faults(ACCOUNTS, &[jwt]);
    insta::assert_snapshot!(found.join("\n"), @r#"
    auth.mode: "jwt" needs one of hs256_secret, jwks_url and jwks_file [TANDEM_AUTH__MODE]
    auth.audience: is needed with an issuer's keys: whom its tokens are for [not set anywhere]
    "#);
    let secret = ("TANDEM_AUTH__HS256_SECRET", "short but secret");
    let keys = ("TANDEM_AUTH__JWKS_FILE", "keys.json");
    let found = faults(ACCOUNTS, &[jwt, secret, keys, ("TANDEM_AUTH__CLOCK_SKEW", "1h")]);
    insta::assert_snapshot!(found.join("\n"), @r#"
    auth.clock_skew: 1h is out of range: 0s to 5m [TANDEM_AUTH__CLOCK_SKEW]
    auth.mode: "jwt" needs one of hs256_secret, jwks_url and jwks_file [TANDEM_AUTH__MODE]
    auth.hs256_secret: must have at least 32 bytes [TANDEM_AUTH__HS256_SECRET]
    "#);
    let audience = ("TANDEM_AUTH__AUDIENCE", "tandem");
    let keys_at = |url| [jwt, audience, ("TANDEM_AUTH__JWKS_URL", url)];
    let found = faults(ACCOUNTS, &keys_at("http://id.example.com/jwks.json"));
    insta::assert_snapshot!(found.join("\n"), @"auth.jwks_url: must begin with https://, or be a loopback address [TANDEM_AUTH__JWKS_URL]");
    for url in ["https://id.example.com/jwks.json", "http://[::1]:8080/jwks", "http://localhost/"] {
        assert!(load(ACCOUNTS, &keys_at(url)).is_ok(), "{url}");
    }
    let secret = ("TANDEM_AUTH__HS256_SECRET", "thirty-two bytes are enough, and no less");
    let reach = ("TANDEM_SERVER__LISTEN", "0.0.0.0:4000");
    assert!(load(ACCOUNTS, &[jwt, secret, reach]).is_ok());
    let found = faults(ACCOUNTS, &[("TANDEM_AUTH__MODE", "none")]);
    insta::assert_snapshot!(found.join("\n"), @"auth.mode: unknown value `none`, expected one of off, jwt [TANDEM_AUTH__MODE]");
}

#[test]
fn values_of_the_wrong_type_are_explained_plainly() {
    let variables = [
        ("TANDEM_SERVER__LISTEN", "localhost"),
        ("TANDEM_DOPPLER__RATE", "fast"),
        ("TANDEM_TELEMETRY__METRICS", "maybe"),
        ("TANDEM_TELEMETRY__FILTER", "tandem=loud"),
        ("TANDEM_CACHE", "1"),
        ("TANDEM_CACHE__TTL", "1m"),
        ("TANDEM_CACHE__TTL__PAGE", "3 weeks"),
        ("TANDEM_SERVER__ALLOWED_ORIGINS", "https://a.example,https://b.example/app"),
        ("TANDEM_SERVER__TRUSTED_PROXIES", "127.0.0.1,10.0.0.0/8"),
    ];
    insta::assert_snapshot!(faults(ACCOUNTS, &variables).join("\n"), @r#"
        TANDEM_CACHE: names no key: write TANDEM_SECTION__KEY, with two underscores
        cache.ttl: found string "1m", expected a section [TANDEM_CACHE__TTL]
        doppler.rate: found string "fast", expected a number [TANDEM_DOPPLER__RATE]
        server.listen: not an address and port, such as 127.0.0.1:4000 [TANDEM_SERVER__LISTEN]
        server.trusted_proxies: not a list of IP addresses, such as 127.0.0.1 [TANDEM_SERVER__TRUSTED_PROXIES]
        telemetry.metrics: found string "maybe", expected true or false [TANDEM_TELEMETRY__METRICS]
        server.allowed_origins: entry 2 is not an origin: scheme, host and port only, such as https://app.example.com [TANDEM_SERVER__ALLOWED_ORIGINS]
        cache.ttl.page: 21days is out of range: 0s to 1day [TANDEM_CACHE__TTL__PAGE]
        telemetry.filter: not a log filter such as "info": error parsing level filter: expected one of "off", "error", "warn", "info", "debug", "trace", or a number 0-5 [TANDEM_TELEMETRY__FILTER]
    "#);
}

#[test]
fn a_config_without_accounts_says_what_is_missing() {
    insta::assert_snapshot!(faults("", &[]).join("\n"), @r"
        doppler.account: is not set: the e-mail address the Doppler account was opened with [not set anywhere]
        doppler.api_key: is not set: the API key of the Doppler account [not set anywhere]
        highlevel.location_id: is not set: the id of the sub-account [not set anywhere]
        highlevel.token: is not set: a private integration token of the location [not set anywhere]
    ");
}

#[test]
fn a_broken_file_is_named_with_line_and_column() {
    let found = faults("[server]\nlisten = 127.0.0.1:4000\n", &[("TANDEM_LIMITS__FIRST", "0")]);
    assert!(found[0].starts_with("tandem.toml: line 2, column "), "{found:?}");
    assert!(found[1].contains("limits.first"), "{found:?}");
    let missing = Config::load(Some(Path::new("/no/such.toml")), []).unwrap_err().to_string();
    assert!(missing.starts_with("/no/such.toml: cannot read this file: no such file"), "{missing}");
}

#[test]
fn a_secret_may_come_from_a_file_but_not_from_two_places() {
    let dir = Dir::new();
    let token = dir.write("token", "pit-from-file\r\n");
    let token = token.to_str().unwrap();
    let text = ACCOUNTS.replace("token = \"pit-1\"", &format!("token_file = \"{token}\""));
    let config = load(&text, &[]).unwrap();
    assert_eq!(config.highlevel.token.unwrap().expose_secret(), "pit-from-file");

    let both = faults(ACCOUNTS, &[("TANDEM_HIGHLEVEL__TOKEN_FILE", token)]);
    let wanted = "highlevel.token_file: set either this or `token`, not both \
                  [TANDEM_HIGHLEVEL__TOKEN_FILE]";
    assert_eq!(both, [wanted]);

    let empty = dir.write("empty", "\n");
    let empty = faults(&text, &[("TANDEM_HIGHLEVEL__TOKEN_FILE", empty.to_str().unwrap())]);
    assert_eq!(empty, ["highlevel.token_file: the file is empty [TANDEM_HIGHLEVEL__TOKEN_FILE]"]);
}

#[test]
fn nothing_secret_is_shown() {
    let mut config = load(ACCOUNTS, &[]).unwrap();
    config.store.url = "postgres://user:hunter2@db/tandem".into();
    let shown = format!("{config:?}");
    for secret in ["DOPPLERKEY", "pit-1", "hunter2"] {
        assert!(!shown.contains(secret), "{secret} in {shown}");
    }
    assert!(shown.contains("postgres://db/tandem"), "{shown}");
}

#[test]
fn two_fields_may_not_share_one_place_in_doppler() {
    let text =
        format!("{ACCOUNTS}\n[mapping.fields]\ncity = \"\"\nstate = \"phone\"\nphone = \"a b\"");
    let found = faults(&text, &[("TANDEM_MAPPING__TAGS__FIELD", "zip")]);
    insta::assert_snapshot!(found.join("\n"), @r"
        mapping.fields.phone: must be a Doppler field name: 1 to 50 letters and digits [tandem.toml]
        mapping.tags.field: `zip` is already the field of mapping.fields.postal_code [TANDEM_MAPPING__TAGS__FIELD]
    ");
}

#[test]
fn every_optional_key_of_the_reference_exists() {
    let reference = include_str!("../../src/config/default.toml");
    let is_key = |line: &&str| {
        let name = line.strip_prefix("# ").and_then(|rest| rest.split(" = ").next());
        name.is_some_and(|name| {
            name.starts_with("[[")
                || name.chars().all(|c| c.is_ascii_lowercase() || "_0123456789".contains(c))
        })
    };
    let count = reference.lines().filter(is_key).count();
    let uncommented: Vec<&str> =
        reference.lines().map(|line| if is_key(&line) { &line[2..] } else { line }).collect();
    let found = faults(&uncommented.join("\n"), &[]);
    assert_eq!(count, 24, "optional keys in default.toml");
    assert!(!found.iter().any(|fault| fault.contains("unknown")), "{found:#?}");
}

#[test]
fn with_a_vault_credentials_may_come_later() {
    let accounts = "[doppler]\naccount = \"shop@example.com\"\n[highlevel]\nlocation_id = \"loc1\"";
    let key = ("TANDEM_VAULT__KEYS", "one:QkFEQ0FGRUJBRENBRkVCQURDQUZFQkFEQ0FGRUJBREM=");
    assert!(load(accounts, &[key]).is_ok());
    assert_eq!(faults(accounts, &[]).len(), 2, "without one nothing can come");
    let app = format!("{accounts}\nclient_id = \"a-b\"\nclient_secret = \"s\"");
    assert!(load(&app, &[key]).is_ok());
    let half = format!("{ACCOUNTS}\nclient_id = \"a-b\"");
    let found = faults(&half, &[]);
    assert!(found[0].starts_with("highlevel.client_id: needs vault.keys"), "{found:?}");
    assert!(found[1].starts_with("highlevel.client_secret: client_id and"), "{found:?}");
    let wrong = faults(ACCOUNTS, &[("TANDEM_VAULT__KEYS", "one:c2VjcmV0")]);
    assert_eq!(wrong.len(), 1);
    assert!(
        wrong[0].starts_with("vault.keys: key 1 is not 32 bytes") && !wrong[0].contains("c2Vj")
    );
}
