//! The process that dies: this test program, started again with one test of its own.

use std::io::{BufRead, BufReader, Write};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};

use crate::app::{App, AppOptions};

use super::ground::{Order, PATIENCE, until};

/// The file that tells the victim that it was meant, and on what to work.
const ORDER: &str = "order.json";

/// A gateway in another process. Killed when dropped.
pub struct Victim {
    child: Child,
    address: SocketAddr,
    _folder: tempfile::TempDir,
}

impl Victim {
    /// Starts one that will die at a step, and waits until it serves.
    pub async fn start(order: &Order, step: &str) -> Self {
        let folder = tempfile::TempDir::new().unwrap();
        std::fs::write(folder.path().join(ORDER), serde_json::to_vec(order).unwrap()).unwrap();
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--ignored", "--exact", "app::killed::victim::of_a_step", "--nocapture"])
            .env("TANDEM_TEST_DIE_AT", step)
            .current_dir(folder.path())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut said = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
        let address = tokio::task::spawn_blocking(move || {
            said.find_map(|line| Some(line.split_once("victim: ")?.1.parse().unwrap()))
        });
        let address = tokio::time::timeout(PATIENCE, address).await.unwrap().unwrap();
        Self { child, address: address.expect("it did not start"), _folder: folder }
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
