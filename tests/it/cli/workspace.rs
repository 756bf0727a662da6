//! Workspaces of a store, from a shell.

use serde_json::Value;

use super::{lines, tandem};

#[test]
fn workspaces_are_made_and_listed_in_the_store_itself() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}", folder.path().join("t.db").display());
    let run = |args: &[&str]| {
        let mut command = tandem(&[&["workspace"][..], args].concat());
        command.env("TANDEM_STORE__URL", &url).output().unwrap()
    };
    let made = run(&["create", "Sunny Bakery"]);
    assert!(made.status.success(), "{made:?}");
    let id = lines(&made.stdout).pop().unwrap();
    assert_eq!(id.len(), 32, "{id}");
    for (name, wanted) in [
        ("Sunny Bakery", "tandem: NAME: another workspace has this name"),
        (" ", "tandem: NAME: a name has letters and no line breaks"),
    ] {
        let refused = run(&["create", name]);
        assert_eq!(refused.status.code(), Some(2));
        assert_eq!(lines(&refused.stderr), [wanted]);
    }
    // Both may have been made within one millisecond, so their order says nothing.
    let listed = run(&["list"]);
    let mut rows = lines(&listed.stdout);
    rows.sort_by_key(|row| row.starts_with(&id));
    assert_eq!(rows.len(), 2, "{rows:?}");
    assert!(rows[0].starts_with("default ") && rows[0].ends_with("  default"), "{rows:?}");
    assert!(rows[1].starts_with(&id) && rows[1].ends_with("  Sunny Bakery"), "{rows:?}");
    let listed: Value = serde_json::from_slice(&run(&["list", "--json"]).stdout).unwrap();
    let made = listed["workspaces"].as_array().unwrap().iter().find(|one| one["id"] == id.as_str());
    assert_eq!(made.unwrap()["name"], "Sunny Bakery");
    assert!(made.unwrap()["createdAt"].as_str().unwrap().ends_with('Z'));
}
