//! A sample world in a folder of its own, and a service over it that ends with the test.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::RecvTimeoutError;
use std::time::{Duration, Instant};

use serde_json::Value;

/// Logs of this process so far.
static LOGS: AtomicUsize = AtomicUsize::new(0);

pub const KITHD: &str = env!("CARGO_BIN_EXE_kithd");

pub struct World {
    pub dir: tempfile::TempDir,
    pub config: PathBuf,
}

impl World {
    /// The sample world, already read once; reminders do not leave while the test lasts.
    pub fn new() -> World {
        let dir = tempfile::Builder::new().prefix("kithd-service-").tempdir().unwrap();
        let made = Command::new(KITHD).arg("demo").arg(dir.path().join("w")).output().unwrap();
        assert!(made.status.success(), "{made:?}");
        let config = dir.path().join("w/config.toml");
        let world = World { dir, config };
        let text = world.config_text();
        let at = text.find("hours = ").unwrap();
        let end = at + text[at..].find('\n').unwrap();
        let hour = (Command::new("date").arg("+%H").env("TZ", "Europe/Berlin").output().unwrap().stdout)[..2].to_vec();
        let hour: u32 = String::from_utf8(hour).unwrap().parse().unwrap();
        let closed = (hour + 11) % 23;
        let text = format!("{}hours = \"{closed:02}:00-{:02}:00\"{}", &text[..at], closed + 1, &text[end..]);
        world.write_config(&text);
        world
    }

    pub fn config_text(&self) -> String {
        fs::read_to_string(&self.config).unwrap()
    }

    pub fn write_config(&self, text: &str) {
        fs::write(&self.config, text).unwrap();
    }

    /// Reminders may leave at any time, so many a day.
    pub fn open_all_day(&self, per_day: u32) {
        let text = self.config_text();
        let at = text.find("days = ").unwrap();
        let days = "days = [\"mon\", \"tue\", \"wed\", \"thu\", \"fri\", \"sat\", \"sun\"]";
        self.write_config(&format!("{}{days}\nhours = \"00:00-24:00\"\nper_day = {per_day}\n", &text[..at]));
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join("w").join(name)
    }

    pub fn socket(&self) -> PathBuf {
        self.path("state/kithd.sock")
    }

    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(KITHD);
        command.args(arguments).env("KITHD_CONFIG", &self.config).env("COLUMNS", "100").env_remove("NOTIFY_SOCKET");
        command
    }

    pub fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).stdin(Stdio::null()).output().unwrap()
    }

    /// Runs a command that must work; gives what it printed.
    pub fn says(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        assert!(output.status.success(), "{arguments:?}: {output:?}");
        String::from_utf8(output.stdout).unwrap()
    }

    pub fn json(&self, arguments: &[&str]) -> Value {
        serde_json::from_str(&self.says(arguments)).unwrap()
    }

    pub fn start(&self) -> Service {
        self.start_with(&[], |_| {})
    }

    /// Starts the service and waits until its socket answers.
    pub fn start_with(&self, arguments: &[&str], prepare: impl FnOnce(&mut Command)) -> Service {
        self.launch(&self.socket(), arguments, prepare)
    }

    /// The same with a socket elsewhere.
    pub fn start_at(&self, socket: &Path) -> Service {
        self.launch(socket, &[], |_| {})
    }

    /// The same by way of another program, which becomes it.
    pub fn start_by(&self, socket: &Path, program: &[&str]) -> Service {
        let mut command = Command::new(program[0]);
        command.args(&program[1..]).env("KITHD_CONFIG", &self.config);
        self.spawn(socket, command)
    }

    fn launch(&self, socket: &Path, arguments: &[&str], prepare: impl FnOnce(&mut Command)) -> Service {
        let mut command = self.command(&["run"]);
        command.args(arguments);
        prepare(&mut command);
        self.spawn(socket, command)
    }

    fn spawn(&self, socket: &Path, mut command: Command) -> Service {
        let log = self.dir.path().join(format!("log-{}", LOGS.fetch_add(1, Ordering::Relaxed)));
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(fs::File::create(&log).unwrap());
        if !command.get_envs().any(|(name, _)| name == "RUST_LOG") {
            command.env("RUST_LOG", "kithd=debug");
        }
        let child = command.spawn().unwrap();
        let mut service = Service { child, log, socket: socket.to_path_buf() };
        wait("the socket answers", || {
            let alive = service.child.try_wait().unwrap().is_none();
            assert!(alive, "the service ended: {}", service.log());
            UnixStream::connect(&service.socket).is_ok()
        });
        service
    }

    /// A mail of an old acquaintance comes in.
    pub fn mail(&self, id: &str, text: &str) {
        let name = format!("{}.{id}.test", seconds());
        let mail = format!(
            "From: Dana Ito <dana@uni.example>\r\nTo: alex@example.org\r\nSubject: {id}\r\nMessage-ID: <{id}@uni.example>\r\nDate: {}\r\n\r\n{text}\r\n",
            date()
        );
        fs::write(self.path("mail/tmp").join(&name), mail).unwrap();
        fs::rename(self.path("mail/tmp").join(&name), self.path("mail/new").join(&name)).unwrap();
    }
}

fn seconds() -> u64 {
    std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs()
}

fn date() -> String {
    let output = Command::new("date").args(["-R"]).env("LC_ALL", "C").output().unwrap();
    String::from_utf8(output.stdout).unwrap().trim().to_string()
}

/// A service that runs; it is killed when the test ends.
pub struct Service {
    child: Child,
    log: PathBuf,
    pub socket: PathBuf,
}

/// A service that runs slowly while this is kept.
pub struct Slowed {
    until: Option<std::sync::mpsc::Sender<()>>,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl Drop for Slowed {
    fn drop(&mut self) {
        self.until.take();
        let _ = self.thread.take().map(std::thread::JoinHandle::join);
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            eprintln!("--- the service's log\n{}", self.log());
        }
    }
}

impl Service {
    pub fn log(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default()
    }

    pub fn signal(&self, name: &str) {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args([&format!("-{name}"), &pid]).status().unwrap().success());
    }

    /// Lets it run one part in ten until what is given is dropped.
    pub fn slowed(&self) -> Slowed {
        let (until, dropped) = std::sync::mpsc::channel();
        let pid = self.child.id().to_string();
        let kill = move |name: &str| {
            let _ = Command::new("kill").args([name, &pid]).status();
        };
        let thread = std::thread::spawn(move || {
            let mut goes_on = true;
            while goes_on {
                kill("-STOP");
                std::thread::sleep(Duration::from_millis(180));
                kill("-CONT");
                goes_on = dropped.recv_timeout(Duration::from_millis(20)) == Err(RecvTimeoutError::Timeout);
            }
        });
        Slowed { until: Some(until), thread: Some(thread) }
    }

    /// Waits for its end; gives its exit status and how long it took.
    pub fn end(&mut self) -> (std::process::ExitStatus, Duration) {
        let begun = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return (status, begun.elapsed());
            }
            assert!(begun.elapsed() < Duration::from_secs(120), "it does not end: {}", self.log());
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// SIGTERM; it must end well.
    pub fn stop(&mut self) -> Duration {
        self.signal("TERM");
        let (status, took) = self.end();
        assert!(status.success(), "{status}: {}", self.log());
        took
    }

    /// One request, one answer, as a script would do it.
    pub fn call(&self, method: &str, params: Value) -> Value {
        let request = serde_json::json!({ "jsonrpc": "2.0", "id": 7, "method": method, "params": params });
        let answer = exchange(&self.socket, format!("{request}\n").as_bytes());
        let answer: Value = serde_json::from_str(&answer).unwrap_or_else(|e| panic!("{e}: {answer:?}"));
        assert_eq!(answer["jsonrpc"], "2.0");
        assert_eq!(answer["id"], 7, "{answer}");
        answer
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Resident memory in MiB.
    pub fn memory(&self) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find(|l| l.starts_with("VmRSS:")).unwrap();
        line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() / 1024
    }
}

/// Sends bytes and reads one line.
pub fn exchange(socket: &Path, bytes: &[u8]) -> String {
    let mut stream = UnixStream::connect(socket).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(180))).unwrap();
    // a service that has seen enough closes; its answer is still there
    let _ = stream.write_all(bytes);
    let mut line = String::new();
    let _ = BufReader::new(stream.take(1 << 30)).read_line(&mut line);
    line
}

/// Waits until something is so.
pub fn wait(what: &str, mut is_so: impl FnMut() -> bool) {
    wait_secs(180, what, &mut is_so);
}

pub fn wait_secs(secs: u64, what: &str, is_so: &mut dyn FnMut() -> bool) {
    let begun = Instant::now();
    while !is_so() {
        assert!(begun.elapsed() < Duration::from_secs(secs), "waited in vain until {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}
