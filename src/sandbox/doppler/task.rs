//! Imports: accepted at once, done later. A task is pending, then processing, then completed, by the
//! clock; its effects come all at once at its end.
//!
//! The order of imports into one list is that of their requests: a later one starts when the one
//! before it has ended.

use serde::Serialize;

use super::account::Account;
use super::answer::{Href, Link};
use super::stamp::{Bare, Stamp};
use super::subscriber::{ManualReason, Unsubscription, UnsubscriptionType};
use super::write::{Adding, Checked, Outcome, add};
use crate::sandbox::settings::ImportEnd;

/// How long a task waits, in milliseconds.
const PENDING_MS: i64 = 1000;
/// How long it then works, in milliseconds.
const PROCESSING_MS: i64 = 1000;

/// An import.
#[derive(Debug)]
pub struct ImportTask {
    list: Option<u64>,
    starts: i64,
    /// Epoch milliseconds.
    pub ends: i64,
    items: usize,
    work: Option<Work>,
    /// Whether it ends without having done anything.
    fails: bool,
    counters: Counters,
}

/// When a task ends that never does, in epoch milliseconds: far ahead, and within what can be counted on.
const NEVER: i64 = i64::MAX / 2;

/// What an import does at its end.
#[derive(Debug)]
pub enum Work {
    /// Adds and updates people.
    Subscribe {
        /// Fields taking part: cleared where a row has no value.
        columns: Vec<usize>,
        /// What can be read of each row.
        rows: Vec<Row>,
    },
    /// Unsubscribes people; `None` for an invalid address.
    Unsubscribe(Vec<Option<String>>),
}

/// A row of an import.
#[derive(Debug)]
pub struct Row {
    /// `None`: not valid.
    pub email: Option<String>,
    /// Valid values of the columns.
    pub values: Vec<(usize, String)>,
    /// Whether something was sent for a field that takes no part, or is not valid.
    pub mismatch: bool,
}

/// What became of the rows; the names and their spelling are theirs.
#[derive(Clone, Copy, Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
struct Counters {
    processed: usize,
    invalid_emails: usize,
    soft_bounceds: usize,
    hard_bounceds: usize,
    subscriber_bounceds: usize,
    amount_headers_and_fields_dont_match: usize,
    never_open_bounceds: usize,
    updated: usize,
    new_subscribers: usize,
    duplicated: usize,
    unsubscribed_by_user: usize,
    users_in_black_list: usize,
    duplicated_field: usize,
}

impl ImportTask {
    /// An import asked for at `now`, to start when `after` has passed.
    pub fn new(list: Option<u64>, work: Work, now: i64, after: i64) -> Self {
        let items = match &work {
            Work::Subscribe { rows, .. } => rows.len(),
            Work::Unsubscribe(emails) => emails.len(),
        };
        let starts = now.max(after) + PENDING_MS;
        let ends = starts + PROCESSING_MS;
        let counters = Counters::default();
        Self { list, starts, ends, items, work: Some(work), fails: false, counters }
    }

    /// The same, ending as the settings say.
    pub fn ending(self, end: ImportEnd) -> Self {
        match end {
            ImportEnd::Completed => self,
            ImportEnd::Failed => Self { fails: true, ..self },
            ImportEnd::Never => Self { ends: NEVER, ..self },
        }
    }

    /// Whether its effects are still to come.
    pub fn is_open(&self) -> bool {
        self.work.is_some()
    }

    /// The list it adds to.
    pub fn list(&self) -> Option<u64> {
        self.list
    }

    fn status(&self, now: i64) -> &'static str {
        match now {
            _ if !self.is_open() && self.fails => "failed",
            _ if !self.is_open() => "completed",
            _ if now < self.starts => "pending",
            _ => "processing",
        }
    }

    /// As the API shows it.
    pub fn shown(&self, number: u64, now: i64) -> Shown {
        let status = self.status(now);
        let done = !self.is_open();
        Shown {
            task_id: format!("import-{number}"),
            task_type: "import",
            status,
            start_date: (status != "pending").then_some(Stamp(self.starts)),
            finish_date: done.then_some(Stamp(self.ends)),
            items_processed: if done { self.items } else { 0 },
            import_details: Details {
                list_id: self.list,
                content_type: "application/json",
                delete_custom_fields_data: false,
                status,
                number_of_attempts: 0,
                date_last_imported: done.then_some(Bare(self.ends)),
                counters: self.counters,
            },
            links: [
                Link::account_home(),
                Link {
                    href: Href::Task(number),
                    description: "Get task.",
                    rel: "/docs/rels/get-task self",
                },
            ],
        }
    }
}

/// Does the work of every task that ends by `now`, and answers when the next one ends.
pub fn settle(account: &mut Account, now: i64) -> Option<i64> {
    let open = |account: &Account| {
        let tasks = account.tasks.iter().filter(|(_, task)| task.is_open());
        tasks.map(|(number, task)| (task.ends, *number)).min()
    };
    while let Some((ends, number)) = open(account) {
        if ends > now {
            return Some(ends);
        }
        let task = account.tasks.get_mut(&number)?;
        let (list, fails) = (task.list, task.fails);
        let work = task.work.take().filter(|_| !fails);
        let counters = match work {
            Some(Work::Subscribe { columns, rows }) => {
                subscribe(account, list, &columns, rows, ends)
            }
            Some(Work::Unsubscribe(emails)) => unsubscribe(account, emails, ends),
            None => Counters::default(),
        };
        if let Some(task) = account.tasks.get_mut(&number) {
            task.counters = counters;
        }
        if let Some(list) = list.and_then(|list| account.lists.get_mut(&list)) {
            list.importing = list.importing.saturating_sub(1);
        }
    }
    None
}

fn subscribe(
    account: &mut Account,
    list: Option<u64>,
    columns: &[usize],
    rows: Vec<Row>,
    now: i64,
) -> Counters {
    let mut counters = Counters { processed: rows.len(), ..Counters::default() };
    let mut seen = std::collections::HashSet::new();
    let how = Adding { list, double_opt_in: false, now, origin: "API" };
    for row in rows {
        counters.amount_headers_and_fields_dont_match += usize::from(row.mismatch);
        let Some(email) = row.email else {
            counters.invalid_emails += 1;
            continue;
        };
        if !seen.insert(super::email::key(&email)) {
            counters.duplicated += 1;
        }
        // A column without a value in this row is cleared.
        let value = |column: &usize| {
            let sent = row.values.iter().find(|(field, _)| field == column);
            (*column, sent.map(|(_, value)| value.clone()).unwrap_or_default())
        };
        let known = account.find(&email).is_some();
        let values = columns.iter().map(value).filter(|(_, value)| known || !value.is_empty());
        let person = Checked { email, values: values.collect() };
        match add(account, &person, how) {
            Outcome::Added => counters.new_subscribers += 1,
            Outcome::Updated => counters.updated += 1,
            Outcome::Refused(kind) => match kind {
                UnsubscriptionType::HardBounce => counters.hard_bounceds += 1,
                UnsubscriptionType::SoftBounce => counters.soft_bounceds += 1,
                UnsubscriptionType::NeverOpen => counters.never_open_bounceds += 1,
                UnsubscriptionType::InternalPolicies => counters.users_in_black_list += 1,
                UnsubscriptionType::Manual
                | UnsubscriptionType::AbuseLink
                | UnsubscriptionType::FeedbackLoop => counters.unsubscribed_by_user += 1,
            },
        }
    }
    counters
}

fn unsubscribe(account: &mut Account, emails: Vec<Option<String>>, now: i64) -> Counters {
    let mut counters = Counters { processed: emails.len(), ..Counters::default() };
    for email in emails {
        let Some(email) = email else {
            counters.invalid_emails += 1;
            continue;
        };
        let (id, new) = account.ensure(&email);
        if new {
            counters.new_subscribers += 1;
        } else {
            counters.updated += 1;
        }
        let how = Unsubscription {
            at: now,
            kind: UnsubscriptionType::Manual,
            reason: Some(ManualReason::Administrative),
            comment: String::new(),
        };
        account.unsubscribe(id, how);
    }
    counters
}

/// A task as the API shows it.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Shown {
    task_id: String,
    task_type: &'static str,
    status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    start_date: Option<Stamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    finish_date: Option<Stamp>,
    items_processed: usize,
    import_details: Details,
    #[serde(rename = "_links")]
    links: [Link<'static>; 2],
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Details {
    #[serde(skip_serializing_if = "Option::is_none")]
    list_id: Option<u64>,
    content_type: &'static str,
    delete_custom_fields_data: bool,
    status: &'static str,
    number_of_attempts: u32,
    /// The one time in the API without an offset.
    #[serde(skip_serializing_if = "Option::is_none")]
    date_last_imported: Option<Bare>,
    #[serde(flatten)]
    counters: Counters,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(email: &str, values: &[(usize, &str)]) -> Row {
        let values = values.iter().map(|(field, value)| (*field, (*value).to_owned())).collect();
        Row { email: Some(email.to_owned()), values, mismatch: false }
    }

    #[test]
    fn a_column_that_a_row_leaves_out_is_cleared_and_others_stay() {
        let mut account = Account::default();
        let (first, last) =
            (account.fields.find("FIRSTNAME").unwrap(), account.fields.find("LASTNAME").unwrap());
        let (id, _) = account.ensure("a@b.co");
        account.set(id, first, "Ana", (0, "Manual"));
        account.set(id, last, "Paz", (0, "Manual"));
        let rows = vec![row("A@b.co", &[]), row("new@b.co", &[(first, "Neo")])];
        let work = Work::Subscribe { columns: vec![first], rows };
        let number = account.add_task(ImportTask::new(None, work, 0, 0));
        assert_eq!(settle(&mut account, 1999), Some(2000));
        assert_eq!(account.subscriber(id).unwrap().value(first), Some("Ana"));
        assert_eq!(settle(&mut account, 2000), None);
        let subscriber = account.subscriber(id).unwrap();
        assert_eq!((subscriber.value(first), subscriber.value(last)), (Some(""), Some("Paz")));
        let counters = account.tasks[&number].counters;
        assert_eq!((counters.updated, counters.new_subscribers, counters.processed), (1, 1, 2));
    }

    #[test]
    fn who_is_out_stays_out_and_is_counted() {
        let mut account = Account::default();
        let list = account.add_list("News", 0);
        let work = Work::Unsubscribe(vec![Some("a@b.co".to_owned()), None]);
        account.add_task(ImportTask::new(None, work, 0, 0));
        let rows = vec![row("a@b.co", &[])];
        let number = account.add_task(ImportTask::new(
            Some(list),
            Work::Subscribe { columns: vec![], rows },
            0,
            2000,
        ));
        assert_eq!(settle(&mut account, 10_000), None);
        assert_eq!(account.tasks[&number].counters.unsubscribed_by_user, 1);
        assert!(account.lists[&list].members.is_empty());
    }

    #[test]
    fn a_task_goes_through_its_states() {
        let mut account = Account::default();
        let work = Work::Unsubscribe(vec![]);
        let number = account.add_task(ImportTask::new(None, work, 0, 0));
        let status = |account: &Account, now| account.tasks[&number].shown(number, now).status;
        assert_eq!(status(&account, 0), "pending");
        assert_eq!(status(&account, 1500), "processing");
        settle(&mut account, 2000);
        assert_eq!(status(&account, 2000), "completed");
    }
}
