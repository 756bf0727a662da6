//! A gateway of its own process, with an environment of its own, which says all that it can.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

/// The environment's name of the vault's keys.
pub const KEYS: &str = "TANDEM_VAULT__KEYS";
/// Serves as `tandem.toml` of the folder says.
pub const SERVE: [&str; 3] = ["serve", "--config", "tandem.toml"];

/// Settings of systems that nobody listens for.
pub const NOWHERE: &str = "\
    [doppler]\nbase_url = \"http://127.0.0.1:9\"\naccount = \"a@example.com\"\napi_key = \"a key\"\n\
    [highlevel]\nbase_url = \"http://127.0.0.1:9\"\nlocation_id = \"a location\"\ntoken = \"a token\"\n";

/// See the module.
pub struct Gateway {
    child: Child,
    pub address: String,
    log: Arc<Mutex<String>>,
    /// What a client shows; none where it is empty.
    pub token: String,
}

impl Drop for Gateway {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A command in a folder, with nothing else in its environment.
pub fn tandem(folder: &Path, args: &[&str], environment: &[(&str, &str)]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tandem"));
    command.args(args).current_dir(folder).env_clear().envs(environment.iter().copied());
    command
}

impl Gateway {
    /// Starts it and waits until it serves.
    pub fn start(folder: &Path, environment: &[(&str, &str)]) -> Self {
        let mut command = tandem(folder, &SERVE, environment);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let log = Arc::new(Mutex::new(String::new()));
        let said = BufReader::new(child.stderr.take().unwrap());
        let kept = Arc::clone(&log);
        std::thread::spawn(move || {
            for line in said.lines().map_while(Result::ok) {
                let mut log = kept.lock().unwrap();
                log.push_str(&line);
                log.push('\n');
            }
        });
        let mut shown = BufReader::new(child.stdout.take().unwrap());
        let mut text = String::new();
        while !text.contains("Ctrl-C stops it.") {
            assert_ne!(shown.read_line(&mut text).unwrap(), 0, "{text}{}", log.lock().unwrap());
        }
        let url = text.split("http://").nth(1).unwrap();
        let address = format!("http://{}", url.split('/').next().unwrap());
        Self { child, address, log, token: String::new() }
    }

    /// What it has said so far.
    pub fn log(&self) -> String {
        self.log.lock().unwrap().clone()
    }

    /// What it answers to a document; nothing of it comes from the cache.
    pub async fn ask(&self, query: &str, variables: Value) -> String {
        let body = json!({"query": query, "variables": variables});
        let request = reqwest::Client::new().post(format!("{}/graphql", self.address)).json(&body);
        let request = request.header("cache-control", "no-cache");
        self.shown(request).send().await.unwrap().text().await.unwrap()
    }

    /// With the client's token, if it shows one.
    fn shown(&self, request: reqwest::RequestBuilder) -> reqwest::RequestBuilder {
        match self.token.as_str() {
            "" => request,
            token => request.bearer_auth(token),
        }
    }

    pub async fn get(&self, path: &str) -> String {
        let request = reqwest::Client::new().get(format!("{}{path}", self.address));
        self.shown(request).send().await.unwrap().text().await.unwrap()
    }
}
