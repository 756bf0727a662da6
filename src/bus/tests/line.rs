//! A line to a server that can be cut.

use std::net::SocketAddr;

use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

use crate::tasks::Tasks;

/// Passes on what comes to an address of its own.
pub struct Line {
    pub addr: SocketAddr,
    /// Counts the cuts.
    cut: watch::Sender<u32>,
    tasks: Tasks,
}

impl Line {
    /// An address at which nobody answers yet.
    pub async fn unplugged() -> SocketAddr {
        TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap()
    }

    /// A line from the address, or any free one, to the server.
    pub async fn new(addr: Option<SocketAddr>, server: String) -> Self {
        let addr = addr.unwrap_or_else(|| ([127, 0, 0, 1], 0).into());
        let listener = TcpListener::bind(addr).await.unwrap();
        let addr = listener.local_addr().unwrap();
        let (cut, _) = watch::channel(0);
        let tasks = Tasks::new();
        let (each, heard) = (tasks.clone(), cut.clone());
        tasks.spawn(async move {
            loop {
                let accepted = tokio::select! {
                    accepted = listener.accept() => accepted,
                    () = each.stopping() => return,
                };
                let (mut near, _) = accepted.unwrap();
                let (server, mut cut, stop) = (server.clone(), heard.subscribe(), each.clone());
                each.spawn(async move {
                    let Ok(mut far) = TcpStream::connect(server).await else { return };
                    tokio::select! {
                        _ = copy_bidirectional(&mut near, &mut far) => {}
                        _ = cut.changed() => {}
                        () = stop.stopping() => {}
                    }
                });
            }
        });
        Self { addr, cut, tasks }
    }

    /// Ends every connection; new ones can be made at once.
    pub fn cut(&self) {
        self.cut.send_modify(|cuts| *cuts += 1);
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        self.tasks.stop();
    }
}
