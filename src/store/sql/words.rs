//! What is said of an erased person in rows that are not the contact's own: holds, what systems sent,
//! the examples of runs, failures of others.

use serde_json::Value;

use super::arg::args;
use super::db::Tx;
use super::row;
use super::traces::Traces;
use crate::store::Error;
use crate::unified::{Hold, HoldDecision, WorkspaceId};

/// What stands where something of the person stood.
const ERASED: &str = "(erased)";

/// Texts that are the person's wherever they stand, lower-case and as JSON has them: addresses and
/// numbers, and keys and ids as whole texts, because a short one may be part of something else.
fn needles((names, traces): (&[String], &Traces)) -> Vec<String> {
    let json = |text: &str| serde_json::to_string(text).unwrap_or_default().to_lowercase();
    let within = traces.emails.iter().chain(&traces.phones);
    let within = within.map(|text| json(text).trim_matches('"').to_owned());
    let keys = traces.records().into_iter().map(|(_, key)| json(key));
    // In JSON an id has hyphens.
    let ids = names.iter().filter_map(|id| row::contact_id(id).ok());
    let ids = ids.map(|id| json(&id.0.to_string()));
    within.chain(keys).chain(ids).collect()
}

/// Rows of `$1` whose text has one of `$2` in it.
macro_rules! naming {
    ($start:literal, $text:literal) => {
        concat!(
            $start,
            " WHERE workspace = $1 AND ",
            $text,
            " IS NOT NULL AND EXISTS (SELECT 1 FROM json_each($2) AS k WHERE instr(lower(",
            $text,
            "), k.value ->> 0) > 0)"
        )
    };
}

/// Holds that are about the person or name them.
pub(super) async fn holds(
    tx: &mut Tx,
    workspace: &WorkspaceId,
    (names, traces): (&[String], &Traces),
) -> Result<Vec<String>, Error> {
    let rows: Vec<(String,)> = tx
        .all(
            naming!("SELECT id FROM hold", "body"),
            args![workspace, row::list(needles((names, traces)))?],
        )
        .await?;
    let own: Vec<(String,)> = tx
        .all(
            "SELECT c.hold FROM json_each($2) AS k CROSS JOIN hold_contact AS c
             WHERE c.workspace = $1 AND c.contact = k.value ->> 0",
            args![workspace, row::list(names)?],
        )
        .await?;
    let mut ids: Vec<String> = rows.into_iter().chain(own).map(|(id,)| id).collect();
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
    let list = row::list(&needles)?;
    let sql = naming!("UPDATE webhook SET body = NULL, waits = 0", "body");
    tx.run(sql, args![workspace, list.clone()]).await?;
    for (find, put) in [FAILURES, PREVIEWS] {
        let rows: Vec<(String, String)> = tx.all(find, args![workspace, list.clone()]).await?;
        for (key, body) in rows {
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
    naming!("SELECT contact || ' ' || system, body FROM failure", "body"),
    "UPDATE failure SET body = $3 WHERE workspace = $1 AND contact || ' ' || system = $2",
);
const PREVIEWS: (&str, &str) = (
    naming!("SELECT id, preview FROM sync_run", "preview"),
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
    let text = value.to_string().to_lowercase();
    needles.iter().any(|needle| text.contains(needle))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

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
