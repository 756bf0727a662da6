//! `tandem schema`: the schema in the schema definition language, as `schema.graphql` holds it.

use std::process::ExitCode;

use super::{Failure, print};
use crate::app;

/// Print the GraphQL schema
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  tandem schema > schema.graphql")]
pub(super) struct Args {}

pub(super) fn run(Args {}: &Args) -> Result<ExitCode, Failure> {
    print(&app::sdl())?;
    Ok(ExitCode::SUCCESS)
}
