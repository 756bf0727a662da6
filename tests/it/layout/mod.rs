//! The rules that the crate's text keeps: who may import whom, and how files look.
//!
//! The table below is the architecture. A failure names the file, the line and what would be
//! allowed; if the import is right and the table is wrong, change the table and write a decision
//! record under `docs/decisions/`. Its direction may not be turned round.

mod scan;
mod text;

use std::fs;
use std::path::{Path, PathBuf};

use scan::{Import, imports};

/// What every module may import.
const LEAVES: [&str; 3] = ["clock", "tasks", "telemetry"];

/// The start: these put the parts together and so know all of them.
const ROOTS: [&str; 4] = ["main", "lib", "app", "cli"];

/// A module, the modules it may import beside the leaves, and its sections of the config.
struct Row {
    module: &'static str,
    may_import: &'static [&'static str],
    sections: &'static [&'static str],
}

const fn row(
    module: &'static str,
    may_import: &'static [&'static str],
    sections: &'static [&'static str],
) -> Row {
    Row { module, may_import, sections }
}

const TABLE: [Row; 18] = [
    row("http", &["graphql", "webhooks", "contacts", "auth"], &["server", "limits"]),
    row("webhooks", &["contacts", "sync", "store", "bus", "upstream", "unified"], &[]),
    row("graphql", &["contacts", "unified", "auth"], &["documents", "limits"]),
    row(
        "contacts",
        &["sync", "store", "bus", "cache", "auth", "upstream", "unified"],
        &["cache", "sync"],
    ),
    row("sync", &["store", "bus", "cache", "upstream", "unified"], &[]),
    row("auth", &["store", "bus", "upstream", "unified"], &["auth", "vault"]),
    row("cache", &["bus", "unified"], &[]),
    row("store", &["unified"], &["store"]),
    row("bus", &["unified"], &["bus"]),
    row("doppler", &["upstream", "unified"], &["doppler"]),
    row("highlevel", &["upstream", "unified"], &["highlevel"]),
    row("upstream", &["unified"], &[]),
    row("unified", &[], &["mapping"]),
    row("sandbox", &[], &[]),
    row("config", &[], &[]),
    row("clock", &[], &[]),
    row("tasks", &[], &[]),
    row("telemetry", &[], &["telemetry"]),
];

/// Modules inside a module that only the start may name, because the rest works with their trait.
const CONCRETE: [(&str, &str); 5] = [
    ("store", "sql"),
    ("store", "sqlite"),
    ("store", "postgres"),
    ("bus", "postgres"),
    ("bus", "nats"),
];

/// What is wrong with one import of `module`, if anything.
fn objection(module: &str, import: &Import) -> Option<String> {
    if ROOTS.contains(&module) {
        return None;
    }
    let Some(row) = TABLE.iter().find(|row| row.module == module) else {
        return Some(format!("module `{module}` is not in the table of tests/it/layout"));
    };
    let target = import.path.first().map_or("", String::as_str);
    let inner = import.path.get(1).map_or("", String::as_str);
    if target == module {
        return None;
    }
    let is_leaf = ["clock", "tasks", "telemetry", "config", "unified"].contains(&module);
    let mut allowed: Vec<&str> = row.may_import.to_vec();
    if !is_leaf || module == "unified" {
        allowed.extend(LEAVES);
    }
    // Tests of a client or of a use case run against the fakes.
    if import.in_test {
        allowed.extend(LEAVES);
        allowed.push("sandbox");
    }
    let sections: Vec<String> = row.sections.iter().map(|name| format!("config::{name}")).collect();
    let is_allowed = if target == "config" {
        // The bare module opens nothing: what is named through it is an import of its own.
        inner.is_empty() || row.sections.contains(&inner) || (import.in_test && inner == "Config")
    } else {
        allowed.contains(&target) && !CONCRETE.contains(&(target, inner))
    };
    allowed.extend(sections.iter().map(String::as_str));
    (!is_allowed).then(|| {
        let path = import.path.join("::");
        format!("`{module}` may not import `crate::{path}`; allowed: {}", allowed.join(", "))
    })
}

/// All `.rs` files below `folder`, with their path relative to the crate.
fn sources(folder: &str) -> Vec<(PathBuf, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut found = Vec::new();
    let mut folders = vec![root.join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = fs::read_to_string(&path).unwrap();
                found.push((path.strip_prefix(root).unwrap().to_path_buf(), text));
            }
        }
    }
    found.sort();
    assert!(!found.is_empty(), "no source below {folder}");
    found
}

/// The names of the modules that a file is, from the crate's root: `src/http/ws.rs` is `http, ws`.
fn module_path(file: &Path) -> Vec<String> {
    let below = file.strip_prefix("src").unwrap().with_extension("");
    let mut names: Vec<String> =
        below.iter().map(|name| name.to_string_lossy().into_owned()).collect();
    if names.last().is_some_and(|name| name == "mod") {
        names.pop();
    }
    names
}

#[test]
fn modules_import_only_what_the_table_allows() {
    let mut objections = Vec::new();
    for (file, text) in sources("src") {
        let path = module_path(&file);
        for import in imports(&text, &path) {
            if let Some(objection) = objection(&path[0], &import) {
                objections.push(format!("{}:{}: {objection}", file.display(), import.line));
            }
        }
    }
    assert!(objections.is_empty(), "\n{}\n", objections.join("\n"));
}

#[test]
fn the_table_is_a_direction() {
    // Repeatedly taking away what imports nothing that is left must take away everything.
    let mut left: Vec<&Row> = TABLE.iter().collect();
    while !left.is_empty() {
        let names: Vec<&str> = left.iter().map(|row| row.module).collect();
        let stuck = left.len();
        left.retain(|row| row.may_import.iter().any(|target| names.contains(target)));
        assert!(left.len() < stuck, "the table has a circle among {names:?}");
    }
}

#[test]
fn every_module_is_in_the_table() {
    for (file, _) in sources("src") {
        let module = module_path(&file)[0].clone();
        let known = ROOTS.contains(&&*module) || TABLE.iter().any(|row| row.module == module);
        assert!(known, "{} belongs to no row", file.display());
    }
}

/// Objections to a small source, as `line: target`.
fn objections_to(module: &str, source: &str) -> Vec<String> {
    let path: Vec<String> = module.split("::").map(str::to_owned).collect();
    let objected = |import: &Import| objection(&path[0], import).is_some();
    let found = imports(source, &path).into_iter().filter(objected);
    found.map(|import| format!("{}: {}", import.line, import.path.join("::"))).collect()
}

#[test]
fn a_forbidden_import_is_found_in_every_form() {
    let source = "//! crate::http is only mentioned here\n\
                  use crate::unified::Contact;\n\
                  use crate::{\n    unified::{Email, Phone},\n    store::Store,\n};\n\
                  fn f() { let _ = \"crate::http\"; crate::contacts::g(); }\n\
                  use super::super::cache::Cache;\n\
                  mod inner { use super::super::super::bus::Bus; use super::Own; }\n\
                  /* crate::http */ use crate::highlevel as other;\n";
    let found = objections_to("doppler::client", source);
    assert_eq!(
        found,
        ["5: store::Store", "7: contacts::g", "8: cache::Cache", "9: bus::Bus", "10: highlevel"]
    );
}

#[test]
fn only_the_own_section_of_the_config_is_allowed() {
    let source = "use crate::config::doppler::Doppler;\nuse crate::config::{Config, doppler::Doppler};\n\
                  use crate::config;\nfn f(_: config::highlevel::HighLevel) {}\n";
    assert_eq!(
        objections_to("doppler", source),
        ["2: config::Config", "4: config::highlevel::HighLevel"]
    );
}

#[test]
fn a_concrete_store_is_known_to_the_start_only() {
    let source = "use crate::store::sqlite::open;\nuse crate::store::Store;\n";
    assert_eq!(objections_to("contacts", source), ["1: store::sqlite::open"]);
    assert!(objections_to("app", source).is_empty());
}

#[test]
fn tests_may_use_the_sandbox_and_nothing_else_may() {
    let source = "use crate::sandbox::Sandbox;\n\
                  #[cfg(test)]\nmod tests {\n    use crate::sandbox::Sandbox;\n    use crate::http::Router;\n}\n\
                  fn f<'a>(x: &'a str) { let _ = '}'; crate::sandbox::g(); }\n";
    let found = objections_to("highlevel", source);
    assert_eq!(found, ["1: sandbox::Sandbox", "5: http::Router", "7: sandbox::g"]);
}
