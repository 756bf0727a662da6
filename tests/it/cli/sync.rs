//! `tandem sync` as a shell sees it, before a real gateway over the sandbox.

use std::io::Write;
use std::process::{Command, Output, Stdio};

use serde_json::{Value, json};

use super::{lines, tandem};
use crate::world::{Builder, World};

/// A port that no program may take by chance.
const NOBODY: &str = "http://127.0.0.1:1";

/// A world whose systems are polled by nobody meanwhile.
fn calm() -> Builder {
    let rule = json!([{"system": "DOPPLER",
        "list": tandem::sandbox::credentials::DOPPLER_FIRST_LIST}]);
    World::builder()
        .contacts(40)
        .set("mapping.create_in", rule)
        .set("highlevel.index_delay", "0s")
        .set("doppler.poll_interval", "1h")
        .set("highlevel.poll_interval", "1h")
}

fn command(world: &World, args: &[&str]) -> Command {
    let mut command = tandem(&["sync"]);
    command.args(args).env("TANDEM_URL", world.url(""));
    command
}

async fn output(mut command: Command) -> Output {
    tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap()
}

async fn sync(world: &World, args: &[&str]) -> Output {
    output(command(world, args)).await
}

/// Runs a command that is answered on its standard input.
async fn answered(mut command: Command, answer: &'static str) -> Output {
    let run = move || {
        let pipes = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = pipes.spawn().unwrap();
        // It may end without having read it.
        let _ = child.stdin.take().unwrap().write_all(answer.as_bytes());
        child.wait_with_output().unwrap()
    };
    tokio::task::spawn_blocking(run).await.unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// What it printed where it went well.
fn good(shown: &Output) -> String {
    let (out, error) = (text(&shown.stdout), text(&shown.stderr));
    assert_eq!(shown.status.code(), Some(0), "{out}{error}");
    assert!(
        !out.contains('\u{1b}') && !error.contains('\u{1b}'),
        "escape codes: {out:?} {error:?}"
    );
    out
}

fn json(shown: &Output) -> Value {
    serde_json::from_str(&good(shown)).unwrap()
}

/// The one line that it complained with.
fn complaint(shown: &Output, code: i32) -> String {
    let said = lines(&shown.stderr);
    assert_eq!(shown.status.code(), Some(code), "{said:?}");
    let said: Vec<&String> = said.iter().filter(|line| line.starts_with("tandem: ")).collect();
    assert_eq!(said.len(), 1, "{said:?}");
    said[0].clone()
}

async fn state(world: &World) -> Value {
    world.data("{ syncStatus { state } }", json!({})).await["syncStatus"]["state"].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_preview_shows_what_would_be_done_and_writes_nothing() {
    let world = calm().start().await;
    let shown = good(&sync(&world, &["preview"]).await);
    for wanted in ["SYSTEM", "HIGHLEVEL  CREATE", "DOPPLER    CREATE", "calls", "For example:"] {
        assert!(shown.contains(wanted), "{wanted}: {shown}");
    }
    let shown = json(&sync(&world, &["preview", "--json", "--samples", "3"]).await);
    let preview = &shown["run"]["preview"];
    assert!(preview["estimatedCalls"].as_u64().unwrap() > 0, "{shown:#}");
    assert_eq!(preview["samples"].as_array().map(Vec::len), Some(3), "{shown:#}");
    assert_eq!((world.writes().await, state(&world).await), (0, json!("NOT_SET_UP")));
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_is_started_followed_and_told_of() {
    let world = calm().start().await;
    let run = json(&sync(&world, &["start", "--approve", "--json"]).await);
    assert_eq!(
        (&run["run"]["state"], &run["run"]["kind"]),
        (&json!("FINISHED"), &json!("BACKFILL"))
    );
    assert!(run["run"]["created"].as_u64().unwrap() > 0, "{run:#}");
    assert_eq!(state(&world).await, "RUNNING");
    let shown = sync(&world, &["start", "--kind", "compare"]).await;
    assert!(good(&shown).contains("The run is finished after"), "{shown:?}");
    // Nobody looks at a bar here, so it is lines.
    assert!(text(&shown.stderr).contains("both systems are read"), "{shown:?}");

    let shown = good(&sync(&world, &["status"]).await);
    for wanted in ["Sync is RUNNING", "FULL_COMPARE  FINISHED", "HIGHLEVEL  CONNECTED", "failed"] {
        assert!(shown.contains(wanted), "{wanted}: {shown}");
    }
    let shown = json(&sync(&world, &["status", "--json"]).await);
    assert_eq!(shown["syncStatus"]["state"], "RUNNING");
    assert_eq!(shown["runs"]["nodes"].as_array().map(Vec::len), Some(2), "{shown:#}");
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_asked_decides() {
    let world = calm().start().await;
    let shown = answered(command(&world, &["start"]), "n\n").await;
    assert!(complaint(&shown, 1).contains("not approved"), "{shown:?}");
    assert_eq!((world.writes().await, state(&world).await), (0, json!("PREVIEW")));
    let other = sync(&world, &["start", "--kind", "compare"]).await;
    assert!(complaint(&other, 1).contains("a BACKFILL is not over yet"), "{other:?}");
    let shown = answered(command(&world, &["start"]), "yes\n").await;
    let out = good(&shown);
    assert!(out.contains("What the run would do") && out.contains("The run is finished"), "{out}");
    assert_eq!(state(&world).await, "RUNNING");
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_a_hold_stops_is_said_with_the_reason() {
    let world = calm().start().await;
    world.run_sync().await;
    let empty = json!({"system": "HIGHLEVEL", "route": "/contacts/search", "kind": "empty-list"});
    world.fault(empty).await;
    let shown = sync(&world, &["start", "--kind", "compare"]).await;
    world.clear_faults().await;
    let line = complaint(&shown, 1);
    assert!(
        line.contains("stopped by the hold EMPTY_LISTING")
            && line.contains("HighLevel showed nobody"),
        "{line}"
    );
    let shown = good(&sync(&world, &["status"]).await);
    assert!(
        shown.contains("EMPTY_LISTING") && shown.contains("A FULL_COMPARE is not over"),
        "{shown}"
    );
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn ctrl_c_leaves_the_run_going() {
    let world = calm().start().await;
    let slow = json!({"system": "HIGHLEVEL", "route": "/contacts/search", "kind": "delay",
        "delayMs": 3_000});
    world.fault(slow).await;
    let mut command = command(&world, &["start", "--approve"]);
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let query = "{ syncStatus { currentRun { state } } }";
    let begun =
        || async { !world.data(query, json!({})).await["syncStatus"]["currentRun"].is_null() };
    world.until("a run begins", begun).await;
    let pid = child.id().to_string();
    assert!(Command::new("kill").args(["-INT", &pid]).status().unwrap().success());
    let shown = tokio::task::spawn_blocking(move || child.wait_with_output().unwrap());
    let shown = shown.await.unwrap();
    let line = complaint(&shown, 130);
    assert!(
        line.contains("a run that began goes on") && line.contains("tandem sync start"),
        "{line}"
    );
    assert!(begun().await, "the run is over");
    world.clear_faults().await;
    assert!(good(&sync(&world, &["start", "--approve"]).await).contains("The run is finished"));
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_missing_is_one_line_that_says_what_to_do() {
    let nobody = output(tandem(&["sync", "status", "--url", NOBODY])).await;
    let line = complaint(&nobody, 2);
    assert!(line.contains("is not there") && line.contains("tandem serve"), "{line}");

    let secret = "thirty-two bytes are enough, and no less";
    let world = calm().set("auth.mode", "jwt").set("auth.hs256_secret", secret).start().await;
    let line = complaint(&sync(&world, &["status"]).await, 2);
    assert!(line.contains("wants a token") && line.contains("TANDEM_TOKEN"), "{line}");
    let mut wrong = command(&world, &["status"]);
    wrong.env("TANDEM_TOKEN", "not-a-token-at-all");
    let line = complaint(&output(wrong).await, 2);
    assert!(line.contains("refuses the token") && !line.contains("not-a-token"), "{line}");

    let token = |scope: &'static str| async move {
        let mut command = tandem(&["token", "--scope", scope]);
        command.env("TANDEM_AUTH__HS256_SECRET", secret);
        text(&output(command).await.stdout).trim().to_owned()
    };
    let readonly = token("sync.readonly").await;
    assert!(good(&sync(&world, &["status", "--token", &readonly]).await).contains("NOT_SET_UP"));
    let shown = sync(&world, &["start", "--approve", "--token", &readonly]).await;
    let line = complaint(&shown, 2);
    assert!(
        line.contains("lacks the scope sync.manage") && line.contains("tandem token"),
        "{line}"
    );
    // Examples name people; without that right there are the numbers.
    let managing = token("sync.readonly,sync.manage").await;
    let shown = sync(&world, &["preview", "--token", &managing]).await;
    assert!(good(&shown).contains("HIGHLEVEL  CREATE"), "{shown:?}");
    assert!(
        complaint(&shown, 0).contains("no examples: the token lacks the scope contacts.readonly")
    );
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_that_leaves_is_no_failure() {
    let world = calm().start().await;
    let mut command = command(&world, &["status"]);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    let shown = tokio::task::spawn_blocking(move || child.wait_with_output().unwrap());
    let shown = shown.await.unwrap();
    assert_eq!((shown.status.code(), text(&shown.stderr).as_str()), (Some(0), ""));
    world.end().await;
}
