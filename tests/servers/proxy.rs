//! A proxy that harms: it cuts, stalls or resets a connection after so many bytes in one direction.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// What happens when the bytes have passed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Harm {
    /// An orderly end in both directions.
    Close,
    /// Nothing passes any more, the connection stays.
    Stall,
}

/// From where the bytes are counted.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Way {
    ToServer,
    ToClient,
}

/// One plan: harm after so many bytes on a way, for so many connections.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Plan {
    pub way: Way,
    pub after: u64,
    pub harm: Harm,
    pub times: u64,
}

/// Listens on `port`, passes everything to the server.
pub struct Proxy {
    pub port: u16,
    plan: Arc<Mutex<Option<Plan>>>,
    /// Bytes that passed, to the server and to the client.
    pub to_server: Arc<AtomicU64>,
    pub to_client: Arc<AtomicU64>,
    /// Connections that were taken.
    pub taken: Arc<AtomicU64>,
}

impl Proxy {
    pub fn start(server: u16) -> Proxy {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let plan: Arc<Mutex<Option<Plan>>> = Arc::default();
        let (to_server, to_client, taken): (Arc<AtomicU64>, Arc<AtomicU64>, Arc<AtomicU64>) = Default::default();
        let shared = (plan.clone(), to_server.clone(), to_client.clone(), taken.clone());
        std::thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let (plan, up, down, taken) = (&shared.0, &shared.1, &shared.2, &shared.3);
                taken.fetch_add(1, Ordering::SeqCst);
                let Ok(server) = TcpStream::connect(("127.0.0.1", server)) else { continue };
                let mine = {
                    let mut plan = plan.lock().unwrap();
                    let mine = *plan;
                    *plan = mine.and_then(|p| (p.times > 1).then(|| Plan { times: p.times - 1, ..p }));
                    mine
                };
                pass(&client, &server, Way::ToServer, mine, up.clone());
                pass(&server, &client, Way::ToClient, mine, down.clone());
            }
        });
        Proxy { port, plan, to_server, to_client, taken }
    }

    /// The next connections are harmed like this.
    pub fn harm(&self, plan: Plan) {
        *self.plan.lock().unwrap() = Some(plan);
    }

    pub fn passed(&self) -> (u64, u64) {
        (self.to_server.load(Ordering::SeqCst), self.to_client.load(Ordering::SeqCst))
    }
}

fn pass(from: &TcpStream, to: &TcpStream, way: Way, plan: Option<Plan>, count: Arc<AtomicU64>) {
    let (mut from, mut to) = (from.try_clone().unwrap(), to.try_clone().unwrap());
    std::thread::spawn(move || {
        let mut passed = 0;
        let mut buffer = [0; 16 << 10];
        loop {
            let n = match from.read(&mut buffer) {
                Ok(0) | Err(_) => break,
                Ok(n) => n,
            };
            let left = plan.filter(|p| p.way == way).map(|p| p.after.saturating_sub(passed));
            let take = left.map_or(n, |left| n.min(usize::try_from(left).unwrap_or(n)));
            if to.write_all(&buffer[..take]).is_err() {
                break;
            }
            passed += take as u64;
            count.fetch_add(take as u64, Ordering::SeqCst);
            if take < n {
                if plan.is_some_and(|p| p.harm == Harm::Stall) {
                    std::thread::sleep(Duration::from_secs(3600));
                }
                break;
            }
        }
        let _ = from.shutdown(Shutdown::Both);
        let _ = to.shutdown(Shutdown::Both);
    });
}
