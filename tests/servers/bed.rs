//! A folder, free ports and processes of one test; all of it ends with the test, also when it panics.

use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::{PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// The user servers run as when the tests run as root; Debian's own.
const SERVER_USER: &str = "mail";

/// Where a test keeps its servers.
pub struct Bed {
    dir: tempfile::TempDir,
    /// The user servers run as: name and uid, gid where the tests run as root.
    pub user: String,
    identity: Option<(u32, u32)>,
}

impl Bed {
    pub fn new() -> Bed {
        let dir = tempfile::Builder::new().prefix("kithd-bed").tempdir().unwrap();
        std::fs::set_permissions(dir.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
        let me = std::fs::metadata("/proc/self").map(|m| std::os::unix::fs::MetadataExt::uid(&m)).unwrap();
        let by_name = |wanted: &str| {
            let users = std::fs::read_to_string("/etc/passwd").unwrap();
            let line = users.lines().find(|l| l.split(':').next() == Some(wanted)).unwrap().to_string();
            let field = |n: usize| line.split(':').nth(n).unwrap().parse::<u32>().unwrap();
            (field(2), field(3))
        };
        if me == 0 {
            return Bed { dir, user: SERVER_USER.into(), identity: Some(by_name(SERVER_USER)) };
        }
        let users = std::fs::read_to_string("/etc/passwd").unwrap();
        let name = users.lines().find(|l| l.split(':').nth(2) == Some(&me.to_string())).unwrap();
        Bed { dir, user: name.split(':').next().unwrap().to_string(), identity: None }
    }

    pub fn path(&self, below: &str) -> PathBuf {
        self.dir.path().join(below)
    }

    /// A folder that servers may write to.
    pub fn folder(&self, below: &str) -> PathBuf {
        let path = self.path(below);
        std::fs::create_dir_all(&path).unwrap();
        let mut upto = self.dir.path().to_path_buf();
        for part in Path::new(below).components() {
            upto.push(part);
            self.give(&upto);
        }
        path
    }

    /// A file that servers may read.
    pub fn file(&self, below: &str, text: &str) -> PathBuf {
        self.bytes(below, text.as_bytes())
    }

    pub fn bytes(&self, below: &str, bytes: &[u8]) -> PathBuf {
        let path = self.path(below);
        if let Some(parent) = Path::new(below).parent().filter(|p| !p.as_os_str().is_empty()) {
            self.folder(&parent.display().to_string());
        }
        std::fs::write(&path, bytes).unwrap();
        self.give(&path);
        path
    }

    /// A tree that was written without the bed's help, to the servers' user.
    pub fn give_all(&self, root: &Path) {
        if let Some((uid, gid)) = self.identity {
            let owner = format!("{uid}:{gid}");
            assert!(Command::new("chown").args(["-R", &owner]).arg(root).status().unwrap().success());
        }
    }

    fn give(&self, path: &Path) {
        if let Some((uid, gid)) = self.identity {
            chown(path, Some(uid), Some(gid)).unwrap();
        }
    }

    /// Starts a server as the servers' user and waits until `port` accepts.
    pub fn start(&self, name: &str, command: &mut Command, port: u16) -> Running {
        if let Some((uid, gid)) = self.identity {
            command.uid(uid).gid(gid);
        }
        let log = self.path(&format!("{name}.out"));
        let out = std::fs::File::create(&log).unwrap();
        command.stdin(Stdio::null()).stdout(out.try_clone().unwrap()).stderr(out).process_group(0);
        let child = command.spawn().unwrap_or_else(|e| panic!("{name}: {e}: run tests/run, which installs it"));
        let mut running = Running { name: name.to_string(), child };
        let begun = Instant::now();
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            let ended = running.child.try_wait().unwrap();
            if ended.is_some() || begun.elapsed() > Duration::from_secs(120) {
                panic!("{name} does not answer ({ended:?}): {}", std::fs::read_to_string(&log).unwrap_or_default());
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        running
    }
}

/// A port nobody listens on at this moment.
pub fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// A process that ends, with all it started, when this is dropped.
pub struct Running {
    name: String,
    child: Child,
}

impl Running {
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    fn signal(&self, signal: &str) {
        let group = format!("-{}", self.child.id());
        let _ = Command::new("kill").args([signal, "--", &group]).stderr(Stdio::null()).status();
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.signal("-TERM");
        let begun = Instant::now();
        while self.child.try_wait().ok().flatten().is_none() {
            if begun.elapsed() > Duration::from_secs(2) {
                self.signal("-KILL");
            }
            if begun.elapsed() > Duration::from_secs(10) {
                eprintln!("{} ({}) does not end", self.name, self.child.id());
                return;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}
