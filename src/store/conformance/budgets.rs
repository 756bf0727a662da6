//! Call budgets that several gateways share.

use std::sync::Arc;

use super::{Place, at, open};
use crate::store::Store;
use crate::tasks::Tasks;
use crate::unified::WorkspaceId;

async fn count_up(store: &Arc<dyn Store>, w: &WorkspaceId, key: &str) -> i64 {
    let mut found = 0;
    let change = |kept: Option<&str>| {
        found = kept.map_or(0, |kept| kept.parse().unwrap());
        (found + 1).to_string()
    };
    store.change_budget(w, key, Box::new(change)).await.unwrap();
    found
}

pub async fn changes_at_once_are_one_after_the_other(place: &impl Place) {
    let (store, w) = open(place).await;
    let (other, _) = open(place).await;
    let tasks = Tasks::new();
    let counting = (0..40).map(|n| {
        let (store, w) = (Arc::clone(if n % 2 == 0 { &store } else { &other }), w.clone());
        tasks.spawn(async move { count_up(&store, &w, "k").await })
    });
    let counting: Vec<_> = counting.collect();
    let mut found = Vec::new();
    for one in counting {
        found.push(one.await.unwrap());
    }
    found.sort_unstable();
    assert_eq!(found, (0..40).collect::<Vec<_>>());
}

pub async fn budgets_are_kept_and_a_workspaces_own(place: &impl Place) {
    let (store, w) = open(place).await;
    let other = WorkspaceId::from("other");
    store.workspace(&other, "Other", at(0)).await.unwrap();
    assert_eq!(count_up(&store, &w, "a").await, 0);
    assert_eq!(count_up(&store, &w, "a").await, 1);
    assert_eq!(count_up(&store, &w, "b").await, 0);
    assert_eq!(count_up(&store, &other, "a").await, 0);
    store.close().await;
    let (store, _) = open(place).await;
    assert_eq!(count_up(&store, &w, "a").await, 2);
}
