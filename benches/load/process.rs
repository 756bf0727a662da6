//! The processes under test: started on a CPU of their own, watched through `/proc`, ended at drop.

use std::fs;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};

use crate::client::{Connection, request};

/// Where the server under test runs, alone.
pub const SERVER: usize = 0;
/// Where the load generator and the sandbox run.
pub const REST: usize = 1;

/// How long a server may take to answer its first request, and to come to rest.
const STARTING: Duration = Duration::from_secs(60);
/// For how long a server is watched: longer than the gateway gathers before it writes.
const A_WHILE: Duration = Duration::from_millis(600);
/// Ticks a second in `/proc/PID/stat`: `USER_HZ` is 100 on every Linux that we know of.
const TICKS: f64 = 100.0;

/// Whether processes can be tied to CPUs here: two of them, and `taskset`.
pub fn can_pin() -> bool {
    let run = |cpu: usize| {
        Command::new("taskset")
            .args(["-c", &cpu.to_string(), "true"])
            .status()
            .is_ok_and(|s| s.success())
    };
    run(SERVER) && run(REST)
}

/// Moves this process, all its threads, to a CPU.
pub fn move_to(cpu: usize) -> anyhow::Result<()> {
    let pid = std::process::id().to_string();
    let mut command = Command::new("taskset");
    command.args(["-a", "-c", "-p", &cpu.to_string(), &pid]).stdout(Stdio::null());
    anyhow::ensure!(command.status()?.success(), "taskset failed");
    Ok(())
}

/// A running server.
pub struct Server {
    child: Child,
    pub addr: SocketAddr,
}

impl Server {
    /// Starts `program` with what `arguments` makes of a free address, on a CPU if given, and waits
    /// until `GET ready` answers 200.
    pub async fn start(
        cpu: Option<usize>,
        program: &Path,
        arguments: impl Fn(SocketAddr) -> Vec<String>,
        ready: &str,
    ) -> anyhow::Result<Self> {
        let addr = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?;
        let mut command = match cpu {
            None => Command::new(program),
            Some(cpu) => {
                let mut command = Command::new("taskset");
                command.args(["-c", &cpu.to_string()]).arg(program);
                command
            }
        };
        let log = fs::File::create(std::env::temp_dir().join("tandem-load.log"))?;
        command.args(arguments(addr)).stdout(Stdio::null()).stderr(log);
        let child =
            command.spawn().with_context(|| format!("cannot start {}", program.display()))?;
        let mut server = Self { child, addr };
        let deadline = Instant::now() + STARTING;
        let asked = request("GET", ready, &[], "");
        loop {
            if let Ok(mut connection) = Connection::open(addr).await
                && connection.exchange(&asked).await.is_ok()
            {
                return Ok(server);
            }
            if let Some(status) = server.child.try_wait()? {
                bail!("{} ended with {status}: see tandem-load.log", program.display());
            }
            anyhow::ensure!(Instant::now() < deadline, "{} does not answer", program.display());
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// The number that the system knows it by.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// CPU time used so far.
    pub fn cpu_seconds(&self) -> f64 {
        cpu_seconds(self.pid())
    }

    /// Waits until it hardly does anything.
    pub async fn rests(&self) -> anyhow::Result<()> {
        let deadline = Instant::now() + STARTING;
        loop {
            let before = self.cpu_seconds();
            tokio::time::sleep(A_WHILE).await;
            if self.cpu_seconds() - before < A_WHILE.as_secs_f64() / 20.0 {
                return Ok(());
            }
            anyhow::ensure!(Instant::now() < deadline, "the server does not come to rest");
        }
    }

    /// The most memory it ever had, in MiB.
    pub fn peak_mib(&self) -> f64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.pid()));
        let status = status.unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or_default();
        let kib: f64 = line.trim().trim_end_matches(" kB").parse().unwrap_or(f64::NAN);
        kib / 1024.0
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// CPU time of a process so far, user and system.
pub fn cpu_seconds(pid: u32) -> f64 {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    // The second field is the program's name in brackets and may hold anything.
    let fields = stat.rsplit(')').next().unwrap_or_default();
    let ticks = fields.split_whitespace().skip(11).take(2).filter_map(|it| it.parse::<f64>().ok());
    ticks.sum::<f64>() / TICKS
}
