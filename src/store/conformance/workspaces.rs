//! The workspaces that there are.

use super::{Place, at, open};
use crate::store::Workspace;
use crate::unified::WorkspaceId;

fn row(id: &str, name: &str, seconds: i64) -> Workspace {
    Workspace { id: id.into(), name: name.to_owned(), created_at: at(seconds) }
}

pub async fn workspaces_are_made_once_and_listed_in_order(place: &impl Place) {
    let (store, w) = open(place).await;
    let made = [row("b", "Second", 1), row("a", "Third", 2), row("c", "Fourth", 2)];
    for one in &made {
        assert!(store.create_workspace(one).await.unwrap());
    }
    assert!(!store.create_workspace(&row("d", "Third", 3)).await.unwrap(), "the name is taken");
    assert!(!store.create_workspace(&row("a", "Fifth", 3)).await.unwrap(), "so is the id");
    let find = async |id: &str| store.find_workspace(&WorkspaceId::from(id)).await.unwrap();
    assert_eq!(find("a").await.as_ref(), Some(&made[1]));
    assert_eq!(find("d").await, None);
    let listed = async |after: Option<&str>, limit| -> Vec<String> {
        let after = after.map(WorkspaceId::from);
        let page = store.workspaces(after.as_ref(), limit).await.unwrap();
        page.into_iter().map(|one| one.id.to_string()).collect()
    };
    assert_eq!(listed(None, 9).await, ["w", "b", "a", "c"]);
    assert_eq!(listed(None, 2).await, ["w", "b"]);
    assert_eq!(listed(Some("b"), 9).await, ["a", "c"]);
    assert_eq!(listed(Some("nobody"), 9).await, [""; 0]);
    // What was made counts like any other.
    let known = store.recognize(&made[0].id, &[super::contact("h1", None)], at(3)).await.unwrap();
    assert_eq!(known.len(), 1);
    assert_eq!(store.counts(&made[0].id).await.unwrap().total, 1);
    assert_eq!(store.counts(&w).await.unwrap().total, 0);
}
