//! The binary: hands the process's arguments and environment to the commands.

use std::process::ExitCode;

fn main() -> ExitCode {
    tandem::cli::run(std::env::args_os(), std::env::vars_os())
}
