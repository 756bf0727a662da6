//! Throws bent input at every place where text comes in that somebody else wrote.
//!
//! `cargo test --features fuzz --test fuzz` gives each target two seconds, `-- --minutes 5` as much as
//! is wanted, `-- --target cursor` one target, `-- --seed 7` other inputs, `-- --input FILE` that one.
//! What the targets are and assert is in `src/app/fuzz`; why this is a driver of our own, in
//! `docs/decisions/0028-fuzzing-without-a-fuzzer.md`.
//!
//! An input is made of the seed of the session and its own number alone ([`corpus`]). Each target runs
//! in a process of its own ([`child`]), which writes down the number before it begins with it, so that
//! [`parent`] knows it whatever becomes of the process. What was found once is kept in
//! `tests/fuzz/found/TARGET` and comes first ever after.
#![expect(
    clippy::disallowed_methods,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::unwrap_used,
    reason = "its report is what it is for, it waits for processes, and it may fail loudly"
)]

mod args;
mod child;
mod corpus;
mod mutate;
mod parent;
mod random;

use std::process::ExitCode;

use args::{Args, Task};

fn main() -> ExitCode {
    match args::parse(std::env::args().skip(1)) {
        Ok(Args { task: Task::Session(session), .. }) => parent::run(&session),
        Ok(Args { task: Task::Child(watched), target }) => child::run(target.unwrap(), &watched),
        Ok(Args { task: Task::Input(file), target }) => child::run_one(target.unwrap(), &file),
        Err(message) => {
            eprintln!("{message}");
            ExitCode::from(2)
        }
    }
}
