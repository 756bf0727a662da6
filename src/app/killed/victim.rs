//! The process that dies: this test program, started again with one test of its own.

use std::io::{BufRead, BufReader, Write};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};

use crate::app::{App, AppOptions};

use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use super::ground::{Order, PATIENCE, until};

/// The file that tells the victim that it was meant, and on what to work.
const ORDER: &str = "order.json";

/// A gateway in another process. Killed when dropped.
pub struct Victim {
    child: Child,
    address: SocketAddr,
    /// What it says of itself.
    said: UnboundedReceiver<String>,
    _folder: tempfile::TempDir,
}

impl Victim {
    /// Starts one that will die at a step, and waits until it serves.
    pub async fn start(order: &Order, step: &str) -> Self {
        Self::begin(order, &[("TANDEM_TEST_DIE_AT", step)]).await
    }

    /// Starts one that will halt at a step, to be killed there.
    pub async fn halting(order: &Order, step: &str) -> Self {
        Self::begin(order, &[("TANDEM_TEST_DIE_AT", step), ("TANDEM_TEST_HALT", "")]).await
    }

    async fn begin(order: &Order, told: &[(&str, &str)]) -> Self {
        let folder = tempfile::TempDir::new().unwrap();
        std::fs::write(folder.path().join(ORDER), serde_json::to_vec(order).unwrap()).unwrap();
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--ignored", "--exact", "app::killed::victim::of_a_step", "--nocapture"])
            .envs(told.iter().copied())
            .current_dir(folder.path())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let (tell, mut said) = unbounded_channel();
        tokio::task::spawn_blocking(move || {
            for line in lines.map_while(Result::ok) {
                if let Some((_, what)) = line.split_once("victim: ") {
                    let _ = tell.send(what.to_owned());
                }
            }
        });
        let address = tokio::time::timeout(PATIENCE, said.recv()).await.unwrap();
        let address = address.expect("it did not start").parse().unwrap();
        Self { child, address, said, _folder: folder }
    }

    /// Waits until it has halted, and kills it.
    pub async fn be_killed_at_the_halt(mut self) {
        let said = tokio::time::timeout(PATIENCE, self.said.recv()).await;
        assert_eq!(said.expect("it never came there").as_deref(), Some("halted"));
        self.child.kill().unwrap();
        let status = self.child.wait().unwrap();
        assert_eq!(std::os::unix::process::ExitStatusExt::signal(&status), Some(9), "{status}");
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Waits until it is dead, as it was told.
    pub async fn dies_by_itself(mut self) {
        use std::os::unix::process::ExitStatusExt;
        const SIGABRT: i32 = 6;
        let status = until("the victim dies", async || self.child.try_wait().unwrap()).await;
        assert_eq!(status.signal(), Some(SIGABRT), "{status}");
    }
}

impl Drop for Victim {
    fn drop(&mut self) {
        // One that is dead already is no fault.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "started by the cases of this module"]
async fn of_a_step() {
    let Ok(order) = std::fs::read(ORDER) else { return };
    let order: Order = serde_json::from_slice(&order).unwrap();
    let options = AppOptions { clock: order.clock() };
    let app = App::start(order.config(), options).await.unwrap();
    writeln!(std::io::stdout(), "victim: {}", app.addr()).unwrap();
    std::future::pending::<()>().await;
}
