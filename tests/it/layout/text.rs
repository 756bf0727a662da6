//! How files look: short, explained, finished, and free of the place they were written in.

use std::fs;
use std::path::{Path, PathBuf};

use super::sources;

const LONGEST: usize = 500;
const LONG: usize = 300;

/// Words of unfinished work, and the attribute that hides a lint for ever. In halves, or this file
/// would find itself.
const UNWANTED: [(&str, &str); 6] = [
    (concat!("TO", "DO"), "finish it, or write an issue"),
    (concat!("FIX", "ME"), "fix it, or write an issue"),
    (concat!("todo", "!("), "finish it"),
    (concat!("unimplemented", "!("), "finish it"),
    (concat!("#[al", "low"), "use #[expect(.., reason = \"..\")], which ends with its cause"),
    (concat!("#![al", "low"), "use #![expect(.., reason = \"..\")], which ends with its cause"),
];

/// Hosts of package registries: a lock file or script that names one is bound to it.
const REGISTRIES: [&str; 8] = [
    concat!("registry.npm", "js.org"),
    concat!("registry.yarn", "pkg.com"),
    concat!("index.crates", ".io"),
    concat!("static.crates", ".io"),
    concat!("py", "pi.org"),
    concat!("pythonhosted", ".org"),
    concat!("proxy.golang", ".org"),
    concat!("deb.debian", ".org"),
];

fn all_sources() -> Vec<(PathBuf, String)> {
    let mut all = sources("src");
    all.extend(sources("tests"));
    all
}

/// What is wrong with the look of one file.
fn faults(file: &Path, text: &str) -> Vec<String> {
    let place = file.display();
    let mut faults = Vec::new();
    let lines = text.lines().count();
    if lines > LONGEST {
        faults.push(format!("{place}: {lines} lines, {LONGEST} at most: split it by what it does"));
    }
    if !text.starts_with("//!") {
        faults.push(format!("{place}:1: begins without //!: say what the file is for"));
    }
    for (index, line) in text.lines().enumerate() {
        for (word, advice) in UNWANTED.iter().filter(|(word, _)| line.contains(word)) {
            faults.push(format!("{place}:{}: {word}: {advice}", index + 1));
        }
    }
    faults
}

#[test]
fn files_are_short_explained_and_finished() {
    let mut found = Vec::new();
    for (file, text) in all_sources() {
        found.extend(faults(&file, &text));
        let lines = text.lines().count();
        if (LONG + 1..=LONGEST).contains(&lines) {
            eprintln!("{}: {lines} lines, getting long", file.display());
        }
    }
    assert!(found.is_empty(), "\n{}\n", found.join("\n"));
}

#[test]
fn a_module_with_children_is_a_mod_file() {
    for (file, _) in all_sources() {
        let folder = file.with_extension("");
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let (folder, file) = (folder.display(), file.display());
        assert!(!root.join(folder.to_string()).is_dir(), "{file}: move it to {folder}/mod.rs");
    }
}

#[test]
fn unwanted_looks_are_found() {
    let path = Path::new("src/x.rs");
    assert!(faults(path, "//! A file.\nfn f() {}\n").is_empty());
    let bare = format!("fn f() {{ {}) }}\n{}(dead_code)]\n", UNWANTED[2].0, UNWANTED[4].0);
    let found = faults(path, &bare);
    assert_eq!(found.len(), 3, "{found:?}");
    assert!(
        found[1].starts_with("src/x.rs:1: ") && found[2].starts_with("src/x.rs:2: "),
        "{found:?}"
    );
    let long = format!("//! Long.\n{}", "\n".repeat(LONGEST));
    assert_eq!(faults(path, &long), ["src/x.rs: 501 lines, 500 at most: split it by what it does"]);
}

/// Built, fetched or generated files, whose text is not ours.
fn is_foreign(name: &str) -> bool {
    matches!(name, ".git" | "target" | "node_modules" | "dist" | "Cargo.lock")
}

#[test]
fn no_file_names_a_package_registry() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut found = Vec::new();
    let mut folders = vec![root.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.file_name().is_some_and(|name| is_foreign(&name.to_string_lossy())) {
                continue;
            }
            if path.is_dir() {
                folders.push(path);
            } else if let Ok(text) = fs::read_to_string(&path) {
                let named = REGISTRIES.iter().filter(|host| text.contains(**host));
                found.extend(named.map(|host| format!("{}: {host}", path.display())));
            }
        }
    }
    assert!(found.is_empty(), "\n{}\n", found.join("\n"));
}
