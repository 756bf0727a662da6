//! Rebuilds when a migration is added: `sqlx::migrate!` notices changed files but not new ones.

fn main() {
    #![expect(clippy::print_stdout, reason = "how a build script speaks to cargo")]
    println!("cargo:rerun-if-changed=src/store/sqlite/migrations");
}
