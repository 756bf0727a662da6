//! Histories that once ended wrong, each shrunk to what it takes.

use super::live;
use super::step::{Deed, Step};
use super::way::Way;

fn own(system: &'static str, who: usize, deed: Deed) -> Step {
    Step::Own { system, who, deed }
}

/// The earlier subscriber, in no list any more, was taken for somebody new and made in HighLevel.
#[tokio::test(flavor = "multi_thread")]
async fn an_earlier_address_is_nobody_new() {
    live(Way::Heard, 1, &[own("HIGHLEVEL", 0, Deed::Rename), Step::Rename { who: 1 }]).await;
}

/// Doppler takes a new subscriber only into a list: without one the rename was tried for ever.
#[tokio::test(flavor = "multi_thread")]
async fn who_is_in_no_list_is_not_renamed_for_ever() {
    let history = [own("DOPPLER", 1, Deed::Fields(vec![(0, 0)])), Step::Rename { who: 1 }];
    live(Way::Heard, 2, &history).await;
}

/// The address that an upsert named its person by was taken for a wish, which undid the new one.
#[tokio::test(flavor = "multi_thread")]
async fn an_upsert_that_waits_does_not_bring_an_earlier_address_back() {
    let fault = Step::Fault { system: "HIGHLEVEL", kind: "rate-limit", writes: false, times: 1 };
    let upsert = || Step::Upsert { who: 0, values: vec![(0, 0)], tags: Vec::new() };
    let history = [fault, upsert(), upsert(), own("HIGHLEVEL", 0, Deed::Rename)];
    live(Way::Told, 3, &history).await;
}

/// The import of somebody who was deleted and renamed meanwhile made them again under the earlier address,
/// and they were taken for somebody new.
#[tokio::test(flavor = "multi_thread")]
async fn whom_an_import_makes_again_is_nobody_new() {
    let history = [
        own("DOPPLER", 1, Deed::Fields(vec![(4, 1), (5, 1)])),
        Step::Upsert { who: 1, values: vec![(8, 1), (2, 0), (0, 2)], tags: Vec::new() },
        own("DOPPLER", 1, Deed::Delete),
        Step::Rename { who: 1 },
        Step::Restart,
    ];
    live(Way::Told, 4, &history).await;
}
