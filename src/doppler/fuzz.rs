//! For `tests/fuzz`: bytes as the answer of every route.

use crate::upstream::fuzz::{each, refusals};

use super::{convert, refusal, routes, wire};

/// Reads the bytes as each thing that Doppler answers, and as each of its errors.
pub(crate) fn answer(body: &[u8]) {
    each(body, convert::subscriber);
    each(body, |page: wire::Page<wire::Subscriber>| {
        let page = convert::page(page, 1);
        assert!(page.size > 0, "a page of no size is asked for again and again");
    });
    each(body, |all: wire::Collection<wire::Field>| {
        all.items.into_iter().map(convert::field).count()
    });
    each(body, |page: wire::Page<wire::List>| page.items.into_iter().map(convert::list).count());
    each(body, convert::list);
    each(body, |page: wire::Page<wire::Delivery>| {
        page.items.into_iter().map(convert::delivery).count()
    });
    each(body, |page: wire::Page<wire::Campaign>| {
        page.items.into_iter().map(convert::campaign).count()
    });
    each(body, convert::results);
    each(body, |all: wire::Recipients| {
        all.lists.into_iter().map(|one| String::from(one.id)).collect::<Vec<_>>()
    });
    each(body, convert::task);
    each(body, |made: wire::Created| String::from(made.created_resource_id));
    refusals(body, &[&routes::SUBSCRIBER, &routes::LIST, &routes::REMOVE_FROM_LIST], refusal::kind);
}
