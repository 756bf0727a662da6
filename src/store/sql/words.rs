//! What is said of an erased person in rows that are not the contact's own: holds, what systems sent,
//! the examples of runs, failures of others.
//!
//! Whether a text names somebody is looked at here and not in SQL: what is lower-case there is another
//! thing in each database, and SQLite knows it of ASCII alone.

use serde_json::Value;

use super::arg::args;
use super::db::Tx;
use super::row;
use super::traces::Traces;
use crate::store::Error;
use crate::unified::{Hold, HoldDecision, WorkspaceId, folded};

/// What stands where something of the person stood.
const ERASED: &str = "(erased)";

/// Texts that are the person's wherever they stand, folded and as JSON has them: addresses and
/// numbers, and keys and ids as whole texts, because a short one may be part of something else.
fn needles((names, traces): (&[String], &Traces)) -> Vec<String> {
    let json = |text: &str| folded(&serde_json::to_string(text).unwrap_or_default());
    let within = traces.emails.iter().chain(&traces.phones);
    let within = within.map(|text| json(text).trim_matches('"').to_owned());
    let keys = traces.records().into_iter().map(|(_, key)| json(key));
    // In JSON an id has hyphens.
    let ids = names.iter().filter_map(|id| row::contact_id(id).ok());
    let ids = ids.map(|id| json(&id.0.to_string()));
    within.chain(keys).chain(ids).collect()
}

/// A page of the rows of `$1` after the key `$3` whose text may name somebody: it has one of `$2` in it,
/// or something that is no ASCII or is escaped.
macro_rules! candidates {
    ($key:literal, $text:literal of $table:literal) => {
        concat!(
            "SELECT ",
            $key,
            ", ",
            $text,
            " FROM ",
            $table,
            " WHERE workspace = $1 AND ",
            $key,
            " > $3 AND ",
            $text,
            " IS NOT NULL AND (octet_length(",
            $text,
            ") > length(",
            $text,
            ") OR instr(",
            $text,
            ", '\\u') > 0 OR EXISTS (SELECT 1 FROM json_each($2) AS k WHERE instr(lower(",
            $text,
            "), k.value ->> 0) > 0)) ORDER BY ",
            $key,
            " LIMIT 500"
        )
    };
}

const HOLDS: &str = candidates!("id", "body" of "hold");
const ARRIVALS: &str = candidates!("id", "body" of "webhook");

/// The rows that name the person: their keys and texts.
async fn naming(
    tx: &mut Tx,
    workspace: &WorkspaceId,
    (candidates, needles): (&'static str, &[String]),
) -> Result<Vec<(String, String)>, Error> {
    let (list, mut after, mut found) = (row::list(needles)?, String::new(), Vec::new());
    loop {
        let args = args![workspace, list.clone(), &after];
        let page: Vec<(String, String)> = tx.all(candidates, args).await?;
        let Some((key, _)) = page.last() else { return Ok(found) };
        after.clone_from(key);
        found.extend(page.into_iter().filter(|(_, text)| is_named(text, needles)));
    }
}

/// Whether a stored text names the person. What a system sent may have escapes where we have none.
fn is_named(text: &str, needles: &[String]) -> bool {
    match serde_json::from_str(text) {
        Ok(value) => names(&value, needles),
        Err(_) => has_one(text, needles),
    }
}

fn has_one(text: &str, needles: &[String]) -> bool {
    let text = folded(text);
    needles.iter().any(|needle| text.contains(needle))
}

/// Holds that are about the person or name them.
pub(super) async fn holds(
    tx: &mut Tx,
    workspace: &WorkspaceId,
    (names, traces): (&[String], &Traces),
) -> Result<Vec<String>, Error> {
    let rows = naming(tx, workspace, (HOLDS, &needles((names, traces)))).await?;
    let own: Vec<(String,)> = tx
        .all(
            "SELECT c.hold FROM json_each($2) AS k CROSS JOIN hold_contact AS c
             WHERE c.workspace = $1 AND c.contact = k.value ->> 0",
            args![workspace, row::list(names)?],
        )
        .await?;
    let own = own.into_iter().map(|(id,)| id);
    let mut ids: Vec<String> = rows.into_iter().map(|(id, _)| id).chain(own).collect();
    ids.sort_unstable();
    ids.dedup();
    Ok(ids)
}

/// Forgets all of it: `holds` are those of [`holds`].
pub(super) async fn forget(
    tx: &mut Tx,
    workspace: &WorkspaceId,
    (names, traces, holds): (&[String], &Traces, String),
) -> Result<(), Error> {
    keep_decisions(tx, workspace, (names, holds.clone())).await?;
    for sql in [
        "DELETE FROM hold WHERE workspace = $1 AND remember = 0
           AND id IN (SELECT value ->> 0 FROM json_each($2))",
        "DELETE FROM hold_contact WHERE workspace = $1 AND contact <> ''
           AND hold IN (SELECT value ->> 0 FROM json_each($2))",
    ] {
        tx.run(sql, args![workspace, holds.clone()]).await?;
    }
    let needles = needles((names, traces));
    let arrivals = naming(tx, workspace, (ARRIVALS, &needles)).await?;
    let ids = row::list(arrivals.into_iter().map(|(id, _)| id))?;
    let sql = "UPDATE webhook SET body = NULL, waits = 0
         WHERE workspace = $1 AND id IN (SELECT value ->> 0 FROM json_each($2))";
    tx.run(sql, args![workspace, ids]).await?;
    for (find, put) in [FAILURES, PREVIEWS] {
        for (key, body) in naming(tx, workspace, (find, &needles)).await? {
            let mut value: Value = serde_json::from_str(&body)
                .map_err(|_| Error::Inconsistent { table: "words", column: "body" })?;
            without(&mut value, &needles);
            tx.run(put, args![workspace, key, row::body(&value)?]).await?;
        }
    }
    // Whoever counts what a run would do begins again from what is stored.
    let sql = "UPDATE sync_run SET revision = revision + 1 WHERE workspace = $1 AND over = 0";
    tx.run(sql, args![workspace]).await?;
    Ok(())
}

/// What was decided for good goes on for others, without saying about whom it was.
async fn keep_decisions(
    tx: &mut Tx,
    workspace: &WorkspaceId,
    (names, holds): (&[String], String),
) -> Result<(), Error> {
    let rows: Vec<(String, String, Option<String>)> = tx
        .all(
            "SELECT id, body, decision FROM hold WHERE workspace = $1 AND remember = 1
               AND id IN (SELECT value ->> 0 FROM json_each($2))",
            args![workspace, holds],
        )
        .await?;
    for (id, body, decision) in rows {
        let mut hold: Hold = row::model(&body, "hold")?;
        hold.contact = None;
        hold.contacts.retain(|contact| !names.contains(&contact.to_string()));
        hold.candidates.clear();
        ERASED.clone_into(&mut hold.reason);
        let decision =
            decision.map(|body| row::model::<HoldDecision>(&body, "hold")).transpose()?;
        let decision = decision.map(|decision| HoldDecision { candidate: None, ..decision });
        let decision = decision.map(|decision| row::body(&decision)).transpose()?;
        let sql = "UPDATE hold SET body = $3, decision = $4 WHERE workspace = $1 AND id = $2";
        tx.run(sql, args![workspace, id, row::body(&hold)?, decision]).await?;
    }
    Ok(())
}

/// How rows are found (a key and a text each), and the text put back.
const FAILURES: (&str, &str) = (
    candidates!("contact || ' ' || system", "body" of "failure"),
    "UPDATE failure SET body = $3 WHERE workspace = $1 AND contact || ' ' || system = $2",
);
const PREVIEWS: (&str, &str) = (
    candidates!("id", "preview" of "sync_run"),
    "UPDATE sync_run SET preview = $3 WHERE workspace = $1 AND id = $2",
);

/// Takes out whatever names the person: members of a list that do, whole; elsewhere the text.
fn without(value: &mut Value, needles: &[String]) {
    match value {
        Value::String(_) if names(value, needles) => *value = Value::from(ERASED),
        Value::Array(items) => items.retain(|item| !names(item, needles)),
        Value::Object(members) => {
            members.values_mut().for_each(|member| without(member, needles));
        }
        Value::String(_) | Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

fn names(value: &Value, needles: &[String]) -> bool {
    has_one(&value.to_string(), needles)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn capitals_and_escapes_name_somebody_too() {
        let needles = ["ángela@example.com".to_owned()];
        for text in [
            "{\"email\":\"\u{c1}NGELA@Example.com\"}",
            "{\"email\":\"\\u00c1ngela@example.com\"}",
            "not JSON, but \u{c1}ngela@example.com",
        ] {
            assert!(is_named(text, &needles), "{text}");
        }
        assert!(!is_named("{\"email\":\"angela@example.com\"}", &needles));
    }

    #[test]
    fn whoever_is_named_goes_and_the_rest_stays() {
        let needles = ["ana@example.com".to_owned(), "\"h1\"".to_owned()];
        let mut value = json!({
            "samples": [{"contact": "h1", "after": "Ana"}, {"contact": "h10", "after": "Bo"}],
            "reason": "two have Ana@Example.com",
            "count": 2,
            "nested": {"key": "h1", "other": null},
        });
        without(&mut value, &needles);
        assert_eq!(
            value,
            json!({
                "samples": [{"contact": "h10", "after": "Bo"}],
                "reason": ERASED,
                "count": 2,
                "nested": {"key": ERASED, "other": null},
            })
        );
    }
}
