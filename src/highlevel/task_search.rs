//! The tasks of many contacts by `POST /locations/{locationId}/tasks/search`, a page at a time.
//!
//! The document (`TaskSearchParamsDto`) has `contactId`, `limit` (default 25) and `skip`; it states
//! neither a bound of `limit` nor an order, and the answer has no total. So an answer may have been
//! cut at a number that we did not ask for, and rows may move between two pages: a page begins with
//! the last row of the one before, and whoever does not find it there has to begin anew.

use serde::Serialize;

use crate::unified::{HighLevelId, Task};
use crate::upstream::TASK_ROWS;

use super::{convert, wire};

/// The documented default of `limit`. An answer as long as a multiple of it may have been cut.
const STEP: usize = 25;
/// Pages that are followed.
const MOST_PAGES: usize = 20;

/// The members of `TaskSearchParamsDto` that are used.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Body<'a> {
    contact_id: Vec<&'a str>,
    limit: usize,
    #[serde(skip_serializing_if = "is_zero")]
    skip: usize,
}

/// The search for one task by what it is called.
#[derive(Serialize)]
pub(super) struct ByTitle<'a> {
    query: &'a str,
    limit: usize,
}

impl<'a> ByTitle<'a> {
    pub(super) fn new(title: &'a str) -> Self {
        Self { query: title, limit: TASK_ROWS }
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "as serde hands it over")]
fn is_zero(number: &usize) -> bool {
    *number == 0
}

/// What is left to do.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Step {
    Next,
    Done,
}

/// Why the rows cannot be used.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Odd {
    /// A row does not say whose it is, or is of somebody who was not asked for.
    Unknown,
    /// Rows moved between two pages, so that one may have been missed.
    Shifted,
    /// More pages than anybody has.
    Endless,
}

/// The tasks that were found so far.
pub(super) struct Gathering<'a> {
    contacts: &'a [HighLevelId],
    tasks: Vec<Vec<Task>>,
    rows: usize,
    pages: usize,
    last: Option<String>,
}

impl<'a> Gathering<'a> {
    pub(super) fn new(contacts: &'a [HighLevelId]) -> Self {
        let tasks = vec![Vec::new(); contacts.len()];
        Self { contacts, tasks, rows: 0, pages: 0, last: None }
    }

    /// What to ask for next.
    pub(super) fn body(&self) -> Body<'a> {
        let contact_id = self.contacts.iter().map(HighLevelId::as_str).collect();
        Body { contact_id, limit: TASK_ROWS, skip: self.rows.saturating_sub(1) }
    }

    /// Takes a page.
    pub(super) fn take(&mut self, answer: wire::TaskSearchAnswer) -> Result<Step, Odd> {
        let length = answer.tasks.len();
        let mut rows = answer.tasks.into_iter().map(convert::found_task);
        if let Some(last) = &self.last {
            match rows.next() {
                Some(Some((_, first))) if first.id == *last => {}
                Some(None) => return Err(Odd::Unknown),
                Some(Some(_)) | None => return Err(Odd::Shifted),
            }
        }
        for row in rows {
            let (contact, task) = row.ok_or(Odd::Unknown)?;
            let place = self.contacts.iter().position(|asked| asked.as_str() == contact);
            self.rows += 1;
            self.last = Some(task.id.clone());
            self.tasks[place.ok_or(Odd::Unknown)?].push(task);
        }
        self.pages += 1;
        if length == 0 || !length.is_multiple_of(STEP) {
            Ok(Step::Done)
        } else if self.pages < MOST_PAGES {
            Ok(Step::Next)
        } else {
            Err(Odd::Endless)
        }
    }

    /// Each contact's tasks, in the order of the contacts.
    pub(super) fn finish(mut self) -> Vec<Vec<Task>> {
        for tasks in &mut self.tasks {
            convert::sort_tasks(tasks);
            tasks.shrink_to_fit();
        }
        self.tasks
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn answer(rows: impl IntoIterator<Item = Value>) -> wire::TaskSearchAnswer {
        let rows: Vec<Value> = rows.into_iter().collect();
        serde_json::from_value(json!({"tasks": rows})).unwrap()
    }

    fn row(id: usize) -> Value {
        json!({"_id": format!("t{id}"), "contactId": format!("c{}", id % 2), "title": "Call"})
    }

    #[test]
    fn an_answer_that_may_be_cut_is_followed_from_its_last_row() {
        let contacts = ["c0".into(), "c1".into(), "c2".into()];
        let mut gathering = Gathering::new(&contacts);
        let first = serde_json::to_value(gathering.body()).unwrap();
        assert_eq!(first, json!({"contactId": ["c0", "c1", "c2"], "limit": 100}));
        assert_eq!(gathering.take(answer((0..25).map(row))), Ok(Step::Next));
        assert_eq!(serde_json::to_value(gathering.body()).unwrap()["skip"], 24);
        assert_eq!(gathering.take(answer((24..49).map(row))), Ok(Step::Next));
        assert_eq!(serde_json::to_value(gathering.body()).unwrap()["skip"], 48);
        assert_eq!(gathering.take(answer([row(48)])), Ok(Step::Done));
        let tasks = gathering.finish();
        assert_eq!(tasks.iter().map(Vec::len).collect::<Vec<_>>(), [25, 24, 0]);
    }

    #[test]
    fn rows_that_move_between_pages_are_noticed() {
        let contacts = ["c0".into(), "c1".into()];
        for second in [answer([row(25)]), answer([])] {
            let mut gathering = Gathering::new(&contacts);
            assert_eq!(gathering.take(answer((0..25).map(row))), Ok(Step::Next));
            assert_eq!(gathering.take(second), Err(Odd::Shifted));
        }
    }

    #[test]
    fn rows_of_nobody_or_of_others_are_refused() {
        let contacts = ["c0".into()];
        for odd in [json!({"id": "t0"}), json!({"contactId": "c0"}), row(1)] {
            let mut gathering = Gathering::new(&contacts);
            assert_eq!(gathering.take(answer([odd])), Err(Odd::Unknown));
        }
    }

    #[test]
    fn an_answer_without_end_is_left() {
        let contacts = ["c0".into(), "c1".into()];
        let mut gathering = Gathering::new(&contacts);
        let mut step = gathering.take(answer((0..25).map(row)));
        for page in 1..MOST_PAGES {
            assert_eq!(step, Ok(Step::Next));
            step = gathering.take(answer((page * 24..page * 24 + 25).map(row)));
        }
        assert_eq!(step, Err(Odd::Endless));
    }

    #[test]
    fn tasks_are_in_the_order_in_which_they_are_due() {
        let contacts = ["c0".into()];
        let due =
            |id: &str, at: Value| json!({"id": id, "_id": id, "contactId": "c0", "dueDate": at});
        let mut gathering = Gathering::new(&contacts);
        let rows = [
            due("a", Value::Null),
            due("c", json!("2026-12-02T10:00:00.000Z")),
            due("b", json!("2026-12-02T10:00:00.000Z")),
            due("d", json!("2026-12-01T10:00:00.000Z")),
        ];
        assert_eq!(gathering.take(answer(rows)), Ok(Step::Done));
        let tasks = gathering.finish().remove(0);
        assert_eq!(tasks.iter().map(|task| &*task.id).collect::<Vec<_>>(), ["d", "b", "c", "a"]);
    }
}
