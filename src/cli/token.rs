//! `tandem token`: a client's token, for trying things.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use super::{Environment, Failure, loader, print};
use crate::auth::{Scope, TokenDraft, sign};
use crate::clock::Clock;

/// Make a client's token, signed with the secret of the settings
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  tandem token --scope contacts.readonly,sync.readonly\n  \
                        curl -H \"Authorization: Bearer $(tandem token)\" …\n\nThe token goes to \
                        standard output. Whoever has it has its rights until it expires.")]
pub(super) struct Args {
    /// Settings [default: tandem.toml, if there is one]
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// What the token allows [default: everything]
    #[arg(long, value_name = "SCOPE", value_delimiter = ',', value_parser = known())]
    scope: Vec<String>,
    /// The workspace that it is for
    #[arg(long, value_name = "ID", default_value = "default")]
    workspace: String,
    /// How long it is valid, at most 365 days
    #[arg(long, value_name = "DURATION", default_value = "1h", value_parser = lifetime)]
    ttl: Duration,
    /// Whose it is, in logs and decisions
    #[arg(long, value_name = "NAME", default_value = "tandem token")]
    subject: String,
}

fn known() -> clap::builder::PossibleValuesParser {
    Scope::ALL.map(Scope::as_str).into()
}

fn lifetime(text: &str) -> Result<Duration, String> {
    const YEAR: Duration = Duration::from_secs(365 * 24 * 60 * 60);
    let ttl = humantime::parse_duration(text).map_err(|error| error.to_string())?;
    if ttl.is_zero() || ttl > YEAR {
        return Err("more than nothing and at most 365 days".to_owned());
    }
    Ok(ttl)
}

pub(super) fn run(args: &Args, env: Environment) -> Result<ExitCode, Failure> {
    let auth = loader(args.config.as_deref(), env).load_section("auth")?.auth;
    let Some(secret) = &auth.hs256_secret else {
        let message = "auth.hs256_secret is not set: set it (or auth.hs256_secret_file), or ask the \
                       issuer whose keys are set for a token";
        return Err(Failure::Usage(message.to_owned()));
    };
    let all: Vec<String> = Scope::ALL.map(|scope| scope.as_str().to_owned()).into();
    let issued = Clock::system().now();
    let draft = TokenDraft {
        subject: &args.subject,
        scopes: if args.scope.is_empty() { &all } else { &args.scope },
        workspace: (&auth.workspace_claim, &args.workspace),
        issuer: auth.issuer.as_deref(),
        audience: auth.audience.as_deref(),
        issued,
        expires: issued + args.ttl,
    };
    let token = sign(&draft, secret).ok_or_else(|| anyhow::anyhow!("the token was not signed"))?;
    print(&format!("{token}\n"))?;
    Ok(ExitCode::SUCCESS)
}
