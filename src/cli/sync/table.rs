//! Answers as text for people. Pure: no colours, no time of day but what the answers say.

use std::collections::BTreeMap;
use std::fmt::Write;

use chrono::{DateTime, Utc};
use comfy_table::{CellAlignment, Table, presets};

use super::answers::{
    Failed, Hold, Nodes, Person, Preview, Run, Sample, Standing, Status, Upstream,
};

/// How many actions of one person an example shows.
const SHOWN: usize = 6;

/// What a run would do.
pub(super) fn preview(run: &Run, preview: &Preview) -> String {
    let mut counts = preview.counts.clone();
    counts.sort_by(|a, b| (&a.system, &a.kind).cmp(&(&b.system, &b.kind)));
    let rows =
        counts.iter().map(|one| [plain(&one.system), plain(&one.kind), one.count.to_string()]);
    let mut text = format!(
        "What the run would do ({} people known to both systems, {} records read):\n\n",
        run.matched, run.seen
    );
    if counts.is_empty() {
        text.push_str("  nothing: both systems agree\n");
    } else {
        text.push_str(&table(["SYSTEM", "ACTION", "NUMBER"], rows, &[2]));
    }
    if !preview.holds.is_empty() {
        text.push_str("\nWhat would wait for a decision:\n\n");
        let rows = preview
            .holds
            .iter()
            .map(|hold| [plain(&hold.kind), hold.count.to_string(), plain(&hold.reason)]);
        text.push_str(&table(["KIND", "NUMBER", "FOR EXAMPLE"], rows, &[1]));
    }
    let (calls, time) = (preview.estimated_calls, lasting(preview.estimated_seconds));
    let _ = writeln!(text, "\nIt takes about {calls} calls, which is {time} at the allowed rate.");
    text
}

/// Examples of what a run would do.
pub(super) fn samples(samples: &[Sample]) -> String {
    if samples.is_empty() {
        return String::new();
    }
    let mut text = "\nFor example:\n".to_owned();
    for sample in samples {
        let _ = writeln!(text, "\n  {}", person(sample.contact.as_ref()));
        for action in sample.actions.iter().take(SHOWN) {
            let (system, kind) = (plain(&action.system), plain(&action.kind));
            let _ = writeln!(text, "    {system} {kind}: {}", plain(&action.reason));
        }
        if let Some(more) = sample.actions.len().checked_sub(SHOWN).filter(|more| *more > 0) {
            let _ = writeln!(text, "    and {more} more");
        }
        for reason in sample.reasons.iter().take(SHOWN) {
            let _ = writeln!(text, "    {}", plain(reason));
        }
    }
    text
}

/// How a run ended or stands.
pub(super) fn outcome(run: &Run) -> String {
    let end = match run.state.as_str() {
        "FINISHED" => "The run is finished",
        "CANCELLED" => "The run was stopped; what it had written stays",
        "FAILED" => "The run failed",
        "PAUSED" => "The run is paused",
        _ => "The run goes on",
    };
    let took = run.finished_at.map(|at| (at - run.started_at).num_seconds());
    let took = took.and_then(|seconds| u64::try_from(seconds).ok());
    let took = took.map_or_else(String::new, |seconds| format!(" after {}", lasting(seconds)));
    format!("{end}{took}: {}.\n", tally(run))
}

/// What became of a run's people.
pub(super) fn tally(run: &Run) -> String {
    let Run { created, updated, unchanged, held, failed, .. } = run;
    format!(
        "{created} created, {updated} updated, {unchanged} unchanged, {held} wait for a decision, \
         {failed} failed"
    )
}

/// How sync stands.
pub(super) fn standing(standing: &Standing) -> String {
    let status = &standing.sync_status;
    let lag = status.lag_seconds.map_or_else(String::new, |seconds| {
        format!("; the oldest change has waited {seconds:.0} s")
    });
    let state = plain(&status.state);
    let Status { total, in_sync, pending, held, failed, .. } = status;
    let mut text = if *total > 0 && in_sync + pending + held + failed == 0 {
        format!(
            "Sync is {state}. {total} people are known, and nobody was brought into step yet.\n\n"
        )
    } else {
        format!(
            "Sync is {state}. Of {total} people {in_sync} are in step, {pending} have changes on the \
             way, {held} wait for a decision, {failed} failed{lag}.\n\n"
        )
    };
    let rows = status.upstreams.iter().map(upstream);
    text.push_str(&table(["SYSTEM", "STATE", "CALLS LEFT", "TODAY"], rows, &[]));
    if let Some(run) = &status.current_run {
        let share =
            run.progress.map_or_else(String::new, |share| format!(", {:.0}%", share * 100.0));
        let (kind, state) = (plain(&run.kind), plain(&run.state));
        let _ = writeln!(text, "\nA {kind} is not over: {state}{share}. {}.", tally(run));
        if let Some(why) = &run.error {
            let _ = writeln!(text, "It waits: {}.", plain(why));
        }
        if run.waits() {
            text.push_str(
                "`tandem sync start` shows what it would do and asks whether to do it.\n",
            );
        }
    }
    text.push_str(&runs(&standing.runs.nodes));
    text.push_str(&polls(&standing.polls.nodes));
    text.push_str(&holds(&standing.holds));
    text.push_str(&failures(&standing.failures));
    text
}

fn upstream(upstream: &Upstream) -> [String; 4] {
    let of = |left: Option<i64>, limit: Option<i64>| match (left, limit) {
        (Some(left), Some(limit)) => format!("{left} of {limit}"),
        (Some(left), None) => left.to_string(),
        (None, _) => "-".to_owned(),
    };
    let budget = &upstream.budget;
    [
        plain(&upstream.system),
        plain(&upstream.state),
        of(budget.remaining, budget.limit),
        of(budget.daily_remaining, budget.daily_limit),
    ]
}

fn runs(runs: &[Run]) -> String {
    if runs.is_empty() {
        return "\nThere was no run yet: `tandem sync preview` shows what a first one would do.\n"
            .to_owned();
    }
    let rows = runs.iter().map(|run| {
        let error = run.error.as_deref().map_or_else(|| tally(run), plain);
        [time(run.started_at), plain(&run.kind), plain(&run.state), error]
    });
    format!("\nThe last runs:\n\n{}", table(["BEGAN", "KIND", "STATE", "OUTCOME"], rows, &[]))
}

fn polls(polls: &[Run]) -> String {
    if polls.is_empty() {
        return String::new();
    }
    let rows = polls.iter().map(|poll| {
        let system = poll.system.as_deref().map_or_else(|| "both".to_owned(), plain);
        let error = poll.error.as_deref().map_or_else(|| tally(poll), plain);
        [time(poll.started_at), system, plain(&poll.state), error]
    });
    format!("\nThe last polls:\n\n{}", table(["BEGAN", "SYSTEM", "STATE", "OUTCOME"], rows, &[]))
}

fn holds(holds: &Nodes<Hold>) -> String {
    if holds.nodes.is_empty() {
        return "\nNothing waits for a decision.\n".to_owned();
    }
    let mut kinds: BTreeMap<&str, (usize, &Hold)> = BTreeMap::new();
    for hold in &holds.nodes {
        // The oldest comes first.
        kinds.entry(&hold.kind).or_insert((0, hold)).0 += 1;
    }
    let rows = kinds.into_iter().map(|(kind, (count, oldest))| {
        [plain(kind), count.to_string(), time(oldest.since), plain(&oldest.reason)]
    });
    let more = more(holds.page_info.has_next_page);
    let rows = table(["KIND", "NUMBER", "SINCE", "THE OLDEST"], rows, &[1]);
    format!("\nWhat waits for a decision (`resolveHold`){more}:\n\n{rows}")
}

fn failures(failures: &Nodes<Failed>) -> String {
    if failures.nodes.is_empty() {
        return "\nNothing failed.\n".to_owned();
    }
    let mut kinds: BTreeMap<(&str, &str, bool), (usize, &Failed)> = BTreeMap::new();
    for failure in &failures.nodes {
        let system = failure.system.as_deref().unwrap_or("-");
        let kind = (system, failure.code.as_str(), failure.dead);
        let row = kinds.entry(kind).or_insert((0, failure));
        row.0 += 1;
        if failure.next_attempt_at < row.1.next_attempt_at {
            row.1 = failure;
        }
    }
    let rows = kinds.into_iter().map(|((system, code, dead), (count, one))| {
        let next = match one.next_attempt_at {
            Some(at) if !dead => time(at),
            Some(_) | None => "given up".to_owned(),
        };
        [plain(system), plain(code), count.to_string(), next, plain(&one.message)]
    });
    let more = more(failures.page_info.has_next_page);
    let rows = table(["SYSTEM", "CODE", "NUMBER", "NEXT ATTEMPT", "FOR EXAMPLE"], rows, &[2]);
    format!("\nWhat failed (`retryFailures`){more}:\n\n{rows}")
}

fn more(there_are: bool) -> &'static str {
    if there_are { ", the oldest hundred" } else { "" }
}

fn person(person: Option<&Person>) -> String {
    let Some(Person { name, email, phone }) = person else { return "somebody".to_owned() };
    let known: Vec<String> =
        [name, email, phone].into_iter().flatten().map(|text| plain(text)).collect();
    if known.is_empty() { "somebody".to_owned() } else { known.join(", ") }
}

/// Aligned columns, indented; those named in `numbers` to the right.
fn table<const N: usize>(
    header: [&str; N],
    rows: impl IntoIterator<Item = [String; N]>,
    numbers: &[usize],
) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_header(header);
    table.add_rows(rows);
    for number in numbers {
        if let Some(column) = table.column_mut(*number) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    table.trim_fmt().lines().fold(String::new(), |mut text, line| {
        let _ = writeln!(text, " {line}");
        text
    })
}

fn time(at: DateTime<Utc>) -> String {
    at.format("%Y-%m-%d %H:%M:%S UTC").to_string()
}

/// Seconds as people say them.
pub(super) fn lasting(seconds: u64) -> String {
    humantime::format_duration(std::time::Duration::from_secs(seconds)).to_string()
}

/// Text that came from outside, without what a terminal would obey.
pub(super) fn plain(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::answers::read;
    use super::*;

    fn run(state: &str) -> Value {
        json!({"id": "r", "kind": "BACKFILL", "state": state, "progress": 0.5,
            "startedAt": "2026-11-24T19:00:00Z", "finishedAt": "2026-11-24T19:01:05Z", "seen": 512,
            "matched": 210, "created": 90, "updated": 12, "unchanged": 190, "held": 8, "failed": 0,
            "estimatedCalls": 40, "etaSeconds": 75, "error": null})
    }

    #[test]
    fn a_preview_is_a_table_with_holds_and_what_it_costs() {
        let shown = json!({"estimatedCalls": 402, "estimatedSeconds": 61,
            "counts": [{"system": "HIGHLEVEL", "kind": "CREATE", "count": 45},
                {"system": "DOPPLER", "kind": "CREATE", "count": 41},
                {"system": "DOPPLER", "kind": "HOLD", "count": 3}],
            "holds": [{"kind": "AMBIGUOUS_MATCH", "system": "DOPPLER", "count": 3,
                "reason": "two people \u{1b}[31m share it"}]});
        let text = preview(&read(&run("AWAITING_APPROVAL")).unwrap(), &read(&shown).unwrap());
        insta::assert_snapshot!(text, @r"
        What the run would do (210 people known to both systems, 512 records read):

          SYSTEM     ACTION  NUMBER
          DOPPLER    CREATE      41
          DOPPLER    HOLD         3
          HIGHLEVEL  CREATE      45

        What would wait for a decision:

          KIND             NUMBER  FOR EXAMPLE
          AMBIGUOUS_MATCH       3  two people �[31m share it

        It takes about 402 calls, which is 1m 1s at the allowed rate.
        ");
        assert!(!text.contains('\u{1b}'));
    }

    #[test]
    fn examples_name_people_by_what_is_known_of_them() {
        let action = |kind: &str| json!({"system": "DOPPLER", "kind": kind, "reason": "because"});
        let shown = json!([
            {"contact": {"name": "Ana Paz", "email": "ana@example.com", "phone": null},
                "actions": [action("CREATE"), action("TAG")], "reasons": []},
            {"contact": null, "actions": vec![action("UPDATE"); 8], "reasons": ["no list chosen"]}]);
        insta::assert_snapshot!(samples(&read::<Vec<Sample>>(&shown).unwrap()), @r"
        For example:

          Ana Paz, ana@example.com
            DOPPLER CREATE: because
            DOPPLER TAG: because

          somebody
            DOPPLER UPDATE: because
            DOPPLER UPDATE: because
            DOPPLER UPDATE: because
            DOPPLER UPDATE: because
            DOPPLER UPDATE: because
            DOPPLER UPDATE: because
            and 2 more
            no list chosen
        ");
        assert_eq!(samples(&[]), "");
    }

    #[test]
    fn a_standing_says_what_waits_and_what_failed() {
        let failed = |code: &str, dead: bool, next: Option<&str>| {
            json!({"id": "f", "system": "HIGHLEVEL", "action": "UPDATE", "code": code,
                "message": "the system does not answer", "attempts": 3, "nextAttemptAt": next,
                "dead": dead})
        };
        let hold = json!({"id": "h", "kind": "CONSENT", "system": null, "field": null, "run": null,
            "reason": "somebody lifted an opt-out", "since": "2026-11-24T18:00:00Z"});
        let shown = json!({
            "syncStatus": {"state": "RUNNING", "inSync": 290, "pending": 2, "held": 2, "failed": 3,
                "total": 300, "lagSeconds": 4.4, "currentRun": run("RUNNING"),
                "upstreams": [
                    {"system": "DOPPLER", "state": "CONNECTED", "budget": {"remaining": 20,
                        "limit": null, "dailyRemaining": null, "dailyLimit": null}},
                    {"system": "HIGHLEVEL", "state": "CONNECTED", "budget": {"remaining": 97,
                        "limit": 100, "dailyRemaining": 199_000, "dailyLimit": 200_000}}]},
            "runs": {"nodes": [run("RUNNING"), run("FINISHED")]},
            "polls": {"nodes": [run("FINISHED")]},
            "holds": {"nodes": [hold.clone(), hold], "pageInfo": {"hasNextPage": false}},
            "failures": {"nodes": [failed("UPSTREAM_TIMEOUT", false, Some("2026-11-24T19:05:00Z")),
                failed("UPSTREAM_TIMEOUT", false, Some("2026-11-24T19:04:00Z")),
                failed("UPSTREAM_REJECTED", true, None)], "pageInfo": {"hasNextPage": true}}});
        insta::assert_snapshot!(standing(&read(&shown).unwrap()), @r"
        Sync is RUNNING. Of 300 people 290 are in step, 2 have changes on the way, 2 wait for a decision, 3 failed; the oldest change has waited 4 s.

          SYSTEM     STATE      CALLS LEFT  TODAY
          DOPPLER    CONNECTED  20          -
          HIGHLEVEL  CONNECTED  97 of 100   199000 of 200000

        A BACKFILL is not over: RUNNING, 50%. 90 created, 12 updated, 190 unchanged, 8 wait for a decision, 0 failed.

        The last runs:

          BEGAN                    KIND      STATE     OUTCOME
          2026-11-24 19:00:00 UTC  BACKFILL  RUNNING   90 created, 12 updated, 190 unchanged, 8 wait for a decision, 0 failed
          2026-11-24 19:00:00 UTC  BACKFILL  FINISHED  90 created, 12 updated, 190 unchanged, 8 wait for a decision, 0 failed

        The last polls:

          BEGAN                    SYSTEM  STATE     OUTCOME
          2026-11-24 19:00:00 UTC  both    FINISHED  90 created, 12 updated, 190 unchanged, 8 wait for a decision, 0 failed

        What waits for a decision (`resolveHold`):

          KIND     NUMBER  SINCE                    THE OLDEST
          CONSENT       2  2026-11-24 18:00:00 UTC  somebody lifted an opt-out

        What failed (`retryFailures`), the oldest hundred:

          SYSTEM     CODE               NUMBER  NEXT ATTEMPT             FOR EXAMPLE
          HIGHLEVEL  UPSTREAM_REJECTED       1  given up                 the system does not answer
          HIGHLEVEL  UPSTREAM_TIMEOUT        2  2026-11-24 19:04:00 UTC  the system does not answer
        ");
    }

    #[test]
    fn an_outcome_says_how_long_it_took() {
        insta::assert_snapshot!(outcome(&read(&run("FINISHED")).unwrap()), @r"
        The run is finished after 1m 5s: 90 created, 12 updated, 190 unchanged, 8 wait for a decision, 0 failed.
        ");
    }
}
