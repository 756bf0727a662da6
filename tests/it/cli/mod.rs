//! The commands as a shell sees them: output, exit code, signals.

mod sync;
mod workspace;

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Output, Stdio};

/// Ports that the system picks: tests run beside each other.
const ANY_PORT: [&str; 4] = ["--listen", "127.0.0.1:0", "--sandbox-listen", "127.0.0.1:0"];

fn tandem(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tandem"));
    command.args(args).current_dir(env!("CARGO_TARGET_TMPDIR")).env_clear();
    command
}

fn output(args: &[&str]) -> Output {
    tandem(args).output().unwrap()
}

fn lines(bytes: &[u8]) -> Vec<String> {
    String::from_utf8_lossy(bytes).lines().map(str::to_owned).collect()
}

/// A running command, killed when a test ends before it does.
struct Running {
    child: Child,
    /// What it printed up to and with the line that says how to stop it.
    said: String,
}

impl Running {
    fn start(command: &mut Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut out = BufReader::new(child.stdout.take().unwrap());
        let mut said = String::new();
        while !said.contains("Ctrl-C stops it.") {
            if out.read_line(&mut said).unwrap() == 0 {
                let mut why = String::new();
                child.stderr.take().unwrap().read_to_string(&mut why).unwrap();
                panic!("it ended: {said}{why}");
            }
        }
        Self { child, said }
    }

    /// The first address printed in the row called `name`.
    fn address(&self, name: &str) -> String {
        let row = self.said.lines().find(|line| line.trim().starts_with(name)).unwrap();
        let url = row.split("http://").nth(1).unwrap();
        url.split('/').next().unwrap().to_owned()
    }

    fn signal(&self, name: &str) {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args([name, &pid]).status().unwrap().success());
    }

    fn exit_code(&mut self) -> Option<i32> {
        self.child.wait().unwrap().code()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// One request over a fresh connection; the whole answer.
fn http(address: &str, method: &str, path: &str, body: &str) -> String {
    http_as(address, "", method, path, body)
}

/// The same with a client's token, where it is not empty.
fn http_as(address: &str, token: &str, method: &str, path: &str, body: &str) -> String {
    let bearer =
        if token.is_empty() { String::new() } else { format!("authorization: Bearer {token}\r\n") };
    let mut stream = TcpStream::connect(address).unwrap();
    let length = body.len();
    write!(
        stream,
        "{method} {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\
         {bearer}content-type: application/json\r\ncontent-length: {length}\r\n\r\n{body}"
    )
    .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

#[test]
fn every_command_has_help_with_an_example() {
    for command in
        ["serve", "sandbox", "check", "schema", "sync", "token", "vault", "health", "workspace"]
    {
        let shown = output(&[command, "--help"]);
        let text = String::from_utf8_lossy(&shown.stdout).into_owned();
        assert!(shown.status.success() && shown.stderr.is_empty(), "{command}: {text}");
        assert!(text.contains(&format!("  tandem {command}")), "{command}: {text}");
    }
}

#[test]
fn a_bad_argument_is_one_line_and_exit_2() {
    for (args, wanted) in [
        (&["serve", "--sandbx"][..], "unexpected argument '--sandbx' found"),
        (&["serve", "--listen", "here"], "invalid value 'here' for '--listen <ADDR>'"),
        (&["serve", "--seed", "3"], "options of the sandbox need --sandbox"),
        (&["sandbox", "--rate-limit", "maybe"], "invalid value 'maybe'"),
        (&["token", "--scope", "everything"], "invalid value 'everything' for '--scope <SCOPE>'"),
        (&["token", "--ttl", "9999d"], "more than nothing and at most 365 days"),
        (&["token"], "auth.hs256_secret is not set"),
        (&["sync", "start", "--kind", "all"], "invalid value 'all' for '--kind <KIND>'"),
        (&["sync", "start", "--json"], "with --json nobody is asked"),
        (
            &["sync", "status", "--url", "here"],
            "--url wants an address such as http://127.0.0.1:4000",
        ),
        (&["sing"], "unrecognized subcommand 'sing'"),
    ] {
        let shown = output(args);
        let said = lines(&shown.stderr);
        assert_eq!(shown.status.code(), Some(2), "{args:?}: {said:?}");
        assert!(said.len() == 1 && said[0].contains(wanted), "{args:?}: {said:?}");
        assert!(shown.stdout.is_empty(), "{args:?}");
    }
}

#[test]
fn a_token_lets_its_bearer_in() {
    let secret = ("TANDEM_AUTH__HS256_SECRET", "thirty-two bytes are enough, and no less");
    let mut command = tandem(&["serve", "--sandbox"]);
    command.args(ANY_PORT).env("TANDEM_AUTH__MODE", "jwt").env(secret.0, secret.1);
    let serving = Running::start(&mut command);
    let gateway = serving.address("GraphQL");
    let ask = |token: &str| {
        http_as(
            &gateway,
            token,
            "POST",
            "/graphql",
            "{\"query\": \"{ viewer { subject scopes } }\"}",
        )
    };
    assert!(ask("").starts_with("HTTP/1.1 401 "), "{}", ask(""));
    let args = ["token", "--scope", "contacts.readonly,sync.readonly", "--subject", "me"];
    let made = tandem(&args).env(secret.0, secret.1).output().unwrap();
    let token = String::from_utf8(made.stdout).unwrap();
    assert!(made.status.success() && made.stderr.is_empty(), "{token}");
    let answer = ask(token.trim());
    let wanted = "{\"subject\":\"me\",\"scopes\":[\"contacts.readonly\",\"sync.readonly\"]}";
    assert!(answer.contains(wanted), "{answer}");
    let other =
        tandem(&["token", "--workspace", "other"]).env(secret.0, secret.1).output().unwrap();
    let other = String::from_utf8(other.stdout).unwrap();
    assert!(ask(other.trim()).starts_with("HTTP/1.1 403 "), "{}", ask(other.trim()));
}

#[test]
fn five_faults_are_five_lines_and_exit_2() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("bad.toml");
    let text = "[server]\nlisten = \"0.0.0.0:4000\"\n[dopler]\nx = 1\n\
                [doppler]\naccount = \"a@example.com\"\napi_key = \"k\"\ntimeout = \"soon\"\n\
                [highlevel]\nlocation_id = \"l\"\ntoken_file = \"/no/such\"\n";
    std::fs::write(&path, text).unwrap();
    let file = path.to_str().unwrap();
    for args in [&["check", "--config", file][..], &["serve", "--config", file]] {
        let shown = tandem(args).env("TANDEM_LIMITS__FIRST", "1000").output().unwrap();
        let said = lines(&shown.stderr);
        assert_eq!((shown.status.code(), said.len()), (Some(2), 5), "{said:#?}");
        for wanted in [
            format!(
                "doppler.timeout: found string \"soon\", expected a duration such as \"10s\" or \"5m\" [{file}]"
            ),
            format!("dopler: unknown section, did you mean `doppler`? [{file}]"),
            format!(
                "highlevel.token_file: cannot read `/no/such`: no such file or directory [{file}]"
            ),
            "limits.first: 1000 is out of range: 1 to 100 [TANDEM_LIMITS__FIRST]".to_owned(),
            format!(
                "reachable from other machines, which auth.mode = \"off\" does not allow: set auth.mode = \"jwt\", or listen on 127.0.0.1 or [::1] [{file}]"
            ),
        ] {
            assert!(said.iter().any(|line| line.ends_with(&wanted)), "{wanted} not in {said:#?}");
        }
    }
    let shown = output(&["check", "--json", "--config", file]);
    let report: serde_json::Value = serde_json::from_slice(&shown.stdout).unwrap();
    assert_eq!((shown.status.code(), &report["ok"]), (Some(2), &false.into()));
    assert_eq!(report["faults"].as_array().unwrap().len(), 4);
}

#[test]
fn the_committed_schema_is_what_the_code_says() {
    let shown = output(&["schema"]);
    assert!(shown.status.success());
    let committed = include_str!("../../../schema.graphql");
    let current = String::from_utf8(shown.stdout).unwrap();
    assert!(current == committed, "run: cargo run -- schema > schema.graphql");
}

#[test]
fn the_schema_survives_a_reader_that_leaves() {
    let mut child =
        tandem(&["schema"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    let mut said = String::new();
    child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
    assert_eq!((child.wait().unwrap().code(), said.as_str()), (Some(0), ""));
}

#[test]
fn serve_over_the_sandbox_answers_and_drains() {
    let mut args = vec!["serve", "--sandbox", "--contacts", "30"];
    args.extend(ANY_PORT);
    let temporary = tempfile::tempdir().unwrap();
    let mut running = Running::start(tandem(&args).env("TMPDIR", temporary.path()));
    let gateway = running.address("GraphQL");
    assert!(running.said.contains("sandbox@tandem.test"), "{}", running.said);

    let answer = http(
        &gateway,
        "POST",
        "/graphql",
        r#"{"query":"{ contacts(first: 3, source: HIGHLEVEL) { nodes { name } } }"}"#,
    );
    let body = answer.split("\r\n\r\n").nth(1).unwrap();
    let body: serde_json::Value = serde_json::from_str(body).unwrap();
    assert_eq!(body["data"]["contacts"]["nodes"].as_array().map(Vec::len), Some(3), "{answer}");

    assert!(output(&["health", "--listen", &gateway]).status.success());
    let config = temporary.path().join("whole.toml");
    let everywhere = gateway.replace("127.0.0.1", "0.0.0.0");
    let settings = format!(
        "[server]\nlisten = \"{everywhere}\"\n\
         [auth]\nmode = \"jwt\"\nhs256_secret = \"0123456789abcdef0123456789abcdef\"\n\
         [doppler]\naccount = \"a@b.test\"\napi_key = \"k\"\n\
         [highlevel]\nlocation_id = \"l1\"\ntoken = \"pit-1\"\n"
    );
    std::fs::write(&config, settings).unwrap();
    assert!(output(&["health", "--config", config.to_str().unwrap()]).status.success());
    std::fs::remove_file(&config).unwrap();
    let metrics = http(&gateway, "GET", "/metrics", "");
    for name in ["http_requests", "upstream_calls", "cache_reads"] {
        assert!(metrics.contains(&format!("\ntandem_{name}_total{{")), "{name}: {metrics}");
    }

    assert_eq!(std::fs::read_dir(temporary.path()).unwrap().count(), 1);
    running.signal("-TERM");
    assert_eq!(running.exit_code(), Some(0));
    assert_eq!(std::fs::read_dir(temporary.path()).unwrap().count(), 0, "the store was left");
    // Not its own port, which another test may have by now.
    assert_eq!(output(&["health", "--listen", "127.0.0.1:1"]).status.code(), Some(1));
}

#[test]
fn serve_takes_whatever_the_sandbox_takes() {
    let mut args = vec!["serve", "--sandbox", "--accounts", "2", "--contacts", "10", "--seed", "3"];
    args.extend(["--latency", "1", "--rate-limit", "off", "--index-delay", "0", "--journal", "0"]);
    args.extend(ANY_PORT);
    let running = Running::start(&mut tandem(&args));
    let query = r#"{"query":"{ contacts(first: 3, source: HIGHLEVEL) { nodes { id } } }"}"#;
    let answer = http(&running.address("GraphQL"), "POST", "/graphql", query);
    assert_eq!(answer.matches("\"id\"").count(), 3, "{answer}");
}

/// The text of the README's first block in `language`.
fn readme(language: &str) -> &'static str {
    let text = include_str!("../../../README.md");
    let block = text.split(&format!("```{language}\n")).nth(1).unwrap();
    block.split("```").next().unwrap()
}

#[test]
fn the_query_of_the_readme_has_the_answer_of_the_readme() {
    let mut args = vec!["serve", "--sandbox"];
    args.extend(ANY_PORT);
    // As she is before a run comes to her.
    let running = Running::start(tandem(&args).env("TANDEM_SYNC__FIRST_RUN", "manual"));
    let request = serde_json::json!({ "query": readme("graphql") }).to_string();
    let answer = http(&running.address("GraphQL"), "POST", "/graphql", &request);
    let body: serde_json::Value =
        serde_json::from_str(answer.split("\r\n\r\n").nth(1).unwrap()).unwrap();
    let promised: serde_json::Value = serde_json::from_str(readme("json")).unwrap();
    assert_eq!(body, promised);
}

#[test]
fn check_calls_both_systems_and_says_which_refuses() {
    let sandbox = Running::start(&mut tandem(&["sandbox", "--listen", "127.0.0.1:0"]));
    let address = sandbox.address("Doppler");
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("tandem.toml");
    let text = format!(
        "[store]\nurl = \"sqlite://{}/store.db\"\n\
         [doppler]\nbase_url = \"http://{address}/doppler\"\naccount = \"sandbox@tandem.test\"\n\
         api_key = \"0123456789ABCDEF0123456789ABCDEF\"\n\
         [highlevel]\nbase_url = \"http://{address}/highlevel\"\n\
         location_id = \"sandboxLocation00001\"\n\
         token = \"pit-00000000-0000-4000-8000-000000000001\"\n",
        dir.path().display()
    );
    std::fs::write(&path, text).unwrap();
    let args = ["check", "--config", path.to_str().unwrap()];
    let good = output(&args);
    assert_eq!(good.status.code(), Some(0), "{:?} {:?}", lines(&good.stdout), lines(&good.stderr));
    let from = |shown: &Output| lines(&shown.stdout)[0].clone();
    assert_eq!(from(&good), format!("config      ok     {}", path.display()));
    let exported = [("TANDEM_URL", "http://127.0.0.1:1"), ("TANDEM_TOKEN", "a.b.c")];
    let same = tandem(&args).envs(exported).output().unwrap();
    assert_eq!((same.status.code(), from(&same)), (Some(0), from(&good)));
    let both = tandem(&args).env("TANDEM_LIMITS__FIRST", "50").output().unwrap();
    assert_eq!(from(&both), format!("{}, environment", from(&good)));
    let seen = http(&address, "GET", "/control/journal", "");
    assert!(seen.contains("\"DOPPLER\"") && seen.contains("\"HIGHLEVEL\""), "{seen}");

    let bad = tandem(&args).env("TANDEM_DOPPLER__API_KEY", "WRONG").output().unwrap();
    let said = lines(&bad.stdout);
    assert_eq!(bad.status.code(), Some(2), "{said:?}");
    let is_faulty =
        |part: &str| said.iter().any(|line| line.starts_with(part) && line.contains("FAULT"));
    assert!(is_faulty("doppler") && !is_faulty("highlevel") && !is_faulty("store"), "{said:?}");
    assert!(!said.concat().contains("WRONG"), "{said:?}");

    let documents = dir.path().join("documents.json");
    for (text, code) in [(r#"{"a": "{ tags { name } }"}"#, 0), (r#"{"a": "{ tags"}"#, 2)] {
        std::fs::write(&documents, text).unwrap();
        let mut checked = tandem(&args);
        checked.env("TANDEM_DOCUMENTS__TRUSTED", &documents);
        let checked = checked.output().unwrap();
        let said = lines(&checked.stdout);
        assert_eq!(checked.status.code(), Some(code), "{said:?}");
        assert!(said.iter().any(|line| line.starts_with("documents")), "{said:?}");
    }
}

#[test]
fn a_second_signal_stops_at_once() {
    let mut args = vec!["serve", "--sandbox", "--contacts", "10"];
    args.extend(ANY_PORT);
    let mut running = Running::start(tandem(&args).env("TANDEM_SERVER__REQUEST_TIMEOUT", "300s"));
    let gateway = running.address("GraphQL");
    // A request whose body never comes keeps the drain waiting. The gateway asks for the body, so
    // that the request is known to be in its hands.
    let mut stream = TcpStream::connect(&gateway).unwrap();
    write!(
        stream,
        "POST /graphql HTTP/1.1\r\nhost: {gateway}\r\ncontent-type: application/json\r\n\
         content-length: 20\r\nexpect: 100-continue\r\n\r\n"
    )
    .unwrap();
    let mut line = String::new();
    BufReader::new(&stream).read_line(&mut line).unwrap();
    assert_eq!(line, "HTTP/1.1 100 Continue\r\n");

    running.signal("-INT");
    let mut errors = BufReader::new(running.child.stderr.take().unwrap());
    let mut line = String::new();
    while !line.contains("press Ctrl-C again") {
        line.clear();
        assert_ne!(errors.read_line(&mut line).unwrap(), 0, "it stopped at the first signal");
    }
    running.signal("-INT");
    assert_eq!(running.exit_code(), Some(130));
}

#[test]
fn a_vault_key_is_new_each_time_and_rotating_needs_one() {
    let keys = [0; 2].map(|_| output(&["vault", "key", "--id", "a"]).stdout);
    let texts = keys.map(|key| String::from_utf8(key).unwrap());
    assert!(texts.iter().all(|text| text.starts_with("a:") && text.trim_end().len() == 46));
    assert_ne!(texts[0], texts[1]);
    let wrong = output(&["vault", "key", "--id", "a:b"]);
    assert_eq!((wrong.status.code(), lines(&wrong.stderr).len()), (Some(2), 1));
    let config = ["TANDEM_DOPPLER__ACCOUNT=a@example.com", "TANDEM_DOPPLER__API_KEY=k"];
    let more = ["TANDEM_HIGHLEVEL__LOCATION_ID=l", "TANDEM_HIGHLEVEL__TOKEN=t"];
    let env = config.iter().chain(&more).map(|pair| pair.split_once('=').unwrap());
    let refused = tandem(&["vault", "rotate"]).envs(env).output().unwrap();
    assert_eq!(lines(&refused.stderr), ["tandem: vault.keys is not set"]);
    assert_eq!(refused.status.code(), Some(2));
}
