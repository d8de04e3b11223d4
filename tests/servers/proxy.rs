//! A proxy that harms: it cuts, stalls or resets a connection after so many bytes in one direction.

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// What happens when the bytes have passed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Harm {
    /// An orderly end in both directions.
    Close,
    /// Nothing passes any more, the connection stays.
    Stall,
    /// RST to both sides.
    Reset,
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
                let reset: Arc<AtomicBool> = Arc::default();
                pass(&client, &server, Way::ToServer, mine, up.clone(), reset.clone());
                pass(&server, &client, Way::ToClient, mine, down.clone(), reset);
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

/// From now on closing it sends RST.
fn closes_with_reset(stream: &TcpStream) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build().unwrap();
    runtime.block_on(async {
        let stream = stream.try_clone().unwrap();
        stream.set_nonblocking(true).unwrap();
        let stream = tokio::net::TcpStream::from_std(stream).unwrap();
        stream.set_zero_linger().unwrap();
    });
    stream.set_nonblocking(false).unwrap();
}

fn pass(from: &TcpStream, to: &TcpStream, way: Way, plan: Option<Plan>, count: Arc<AtomicU64>, reset: Arc<AtomicBool>) {
    let (mut from, mut to) = (from.try_clone().unwrap(), to.try_clone().unwrap());
    let resets = plan.is_some_and(|p| p.harm == Harm::Reset);
    if resets {
        // to see that the other direction has met its end: RST goes out when both have let go
        from.set_read_timeout(Some(Duration::from_millis(5))).unwrap();
    }
    std::thread::spawn(move || {
        let mut passed = 0;
        let mut buffer = [0; 16 << 10];
        loop {
            let n = match from.read(&mut buffer) {
                Err(_) if reset.load(Ordering::SeqCst) => return,
                Err(e) if resets && matches!(e.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => continue,
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
                if resets {
                    [&from, &to].into_iter().for_each(closes_with_reset);
                    reset.store(true, Ordering::SeqCst);
                    return;
                }
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
