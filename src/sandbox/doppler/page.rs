//! Pages: `page` and `per_page` in, the page object with its links out.

use axum::response::Response;
use serde::Serialize;

use super::answer::{Href, ok};
use super::call::Call;
use super::problem::{Invalid, Problem};

/// Page size when none is asked for.
const DEFAULT_SIZE: usize = 20;
/// Smallest page size.
const SMALLEST: usize = 5;

/// Largest page of lists, campaigns, deliveries and the like.
pub const LARGEST: usize = 200;
/// Largest page of subscribers.
pub const LARGEST_OF_SUBSCRIBERS: usize = 100;

/// What was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Paging {
    page: usize,
    size: usize,
}

/// What kind of page it is: content type, relation, and the thing it belongs to.
#[derive(Clone, Copy, Debug)]
pub struct Kind<'a> {
    /// See [`super::answer`].
    pub content_type: &'static str,
    /// For example `/docs/rels/get-list-collection`.
    pub rel: &'static str,
    /// What is above the collection.
    pub parent: Href<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Collection<'a, T> {
    items: Vec<T>,
    page_size: usize,
    items_count: usize,
    current_page: usize,
    pages_count: usize,
    #[serde(rename = "_links")]
    links: Vec<PageLink<'a>>,
}

#[derive(Debug, Serialize)]
struct PageLink<'a> {
    href: String,
    description: &'a str,
    rel: String,
}

impl Paging {
    /// Reads and checks the query.
    pub fn of(call: &Call, largest: usize) -> Result<Self, Problem> {
        let mut errors = Vec::new();
        let page = number(call, "page", 1);
        if page.is_none_or(|page| page < 1) {
            let detail = "Value for `page` should be `1` or greater.".to_owned();
            errors.push(Invalid { key: "page".to_owned(), detail });
        }
        let size = number(call, "per_page", DEFAULT_SIZE);
        if size.is_none_or(|size| !(SMALLEST..=largest).contains(&size)) {
            let detail =
                format!("Value for `per_page` must be between `{SMALLEST}` and `{largest}`.");
            errors.push(Invalid { key: "per_page".to_owned(), detail });
        }
        match (page, size) {
            (Some(page), Some(size)) if errors.is_empty() => Ok(Self { page, size }),
            _ => Err(Problem::invalid(errors)),
        }
    }

    /// Of all items, those on the page.
    pub fn cut<I: Iterator>(self, all: I) -> impl Iterator<Item = I::Item> {
        all.skip((self.page - 1).saturating_mul(self.size)).take(self.size)
    }

    /// The answer: `items` are those of [`Paging::cut`], `total` how many there are in all.
    pub fn answer<T: Serialize>(
        self,
        call: &Call,
        kind: Kind<'_>,
        total: usize,
        items: impl Iterator<Item = T>,
    ) -> Response {
        let total = if call.pretends_empty() { 0 } else { total };
        let page = Collection {
            items: items.take(total).collect(),
            page_size: self.size,
            items_count: total,
            current_page: self.page,
            pages_count: total.div_ceil(self.size),
            links: self.links(call, kind, total.div_ceil(self.size)),
        };
        ok(kind.content_type, &page)
    }

    /// The same place reached twice is one link with both relations.
    fn links(self, call: &Call, kind: Kind<'_>, pages: usize) -> Vec<PageLink<'static>> {
        let last = pages.max(1);
        let mut numbers = vec![1, last, self.page];
        if self.page > 1 {
            numbers.push(self.page - 1);
        }
        if self.page < last {
            numbers.push(self.page + 1);
        }
        numbers.sort_unstable();
        numbers.dedup();
        let mut links: Vec<_> = numbers
            .into_iter()
            .map(|number| PageLink {
                href: self.href(call, &number.to_string()),
                description: self.description(number, last),
                rel: self.rel(number, last, kind.rel),
            })
            .collect();
        if pages > 1 {
            let href = self.href(call, "{page}");
            links.push(PageLink { href, description: "Specific page", rel: kind.rel.to_owned() });
        }
        let href = kind.parent.to_string();
        links.push(PageLink { href, description: "Parent.", rel: "parent".to_owned() });
        links
    }

    fn href(self, call: &Call, page: &str) -> String {
        let mut query = Vec::new();
        if page != "1" {
            query.push(format!("page={page}"));
        }
        if self.size != DEFAULT_SIZE {
            query.push(format!("per_page={}", self.size));
        }
        for (name, value) in call.pairs() {
            if !matches!(&*name, "page" | "per_page" | "access_token" | "api_key") {
                let pair = [(name, value)];
                query.push(
                    url::form_urlencoded::Serializer::new(String::new())
                        .extend_pairs(pair)
                        .finish(),
                );
            }
        }
        let query = query.join("&");
        let mark = if query.is_empty() { "" } else { "?" };
        format!("{}{mark}{query}", call.path().trim_end_matches('/'))
    }

    fn description(self, number: usize, last: usize) -> &'static str {
        match number {
            1 if last == 1 => "Single page",
            1 => "First page",
            _ if number == last => "Last page",
            _ if number == self.page && number > last => "Current page (invalid)",
            _ if number == self.page => "Current page",
            _ if number < self.page => "Previous page",
            _ => "Next page",
        }
    }

    fn rel(self, number: usize, last: usize, action: &str) -> String {
        let relations = [
            (number == 1, "first"),
            (number == last, "last"),
            (number == self.page + 1, "next"),
            (number + 1 == self.page, "previous"),
            (number == self.page, "self"),
        ];
        let mut rel = action.to_owned();
        for (_, name) in relations.into_iter().filter(|(holds, _)| *holds) {
            rel.push(' ');
            rel.push_str(name);
        }
        rel
    }
}

fn number(call: &Call, name: &str, default: usize) -> Option<usize> {
    match call.query(name) {
        Some(text) => text.parse().ok(),
        None => Some(default),
    }
}
