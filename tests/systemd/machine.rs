//! systemd as process 1 in name spaces of its own, with the package installed.

use std::fs;
use std::os::unix::fs::{PermissionsExt, chown, symlink};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

const BOOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/systemd/boot.sh");

/// Units that would touch this machine, or wait for what is not there.
const MASKED: [&str; 10] = [
    "systemd-sysusers.service",
    "systemd-udevd.service",
    "systemd-udev-trigger.service",
    "systemd-sysctl.service",
    "systemd-modules-load.service",
    "systemd-timesyncd.service",
    "systemd-remount-fs.service",
    "systemd-networkd.service",
    "sys-kernel-debug.mount",
    "sys-kernel-tracing.mount",
];

const TARGET: &str = "[Unit]
Requires=systemd-journald.service
After=systemd-journald.service
";

/// A user's own systemd, without PAM and logind.
const USER: &str = "[Service]
PAMName=
Environment=XDG_RUNTIME_DIR=/run/user/%i
";
const USER_DIR: &str = "[Service]
ExecStart=
ExecStop=
ExecStart=/usr/bin/install -d -m 700 -o %i /run/user/%i
";

pub struct Machine {
    boot: Child,
    /// Process 1, as this machine knows it.
    init: u32,
    dir: tempfile::TempDir,
}

impl Drop for Machine {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!(
                "--- the journal\n{}",
                String::from_utf8_lossy(&self.run(&["journalctl", "--no-pager", "-n", "40"]).stdout)
            );
        }
        // the way systemd is told to end; what does not follow ends with its name space
        let _ = Command::new("kill").args(["-RTMIN+4", &self.init.to_string()]).status();
        let begun = Instant::now();
        while matches!(self.boot.try_wait(), Ok(None)) && begun.elapsed() < Duration::from_secs(3) {
            std::thread::sleep(Duration::from_millis(20));
        }
        let _ = self.boot.kill();
        let _ = self.boot.wait();
        let tidy = format!(
            "mount -t cgroup2 cgroup2 '{0}' && find '{0}/kithd-test-{1}' -depth -type d -exec rmdir {{}} \\;",
            self.dir.path().join("cgroup").display(),
            self.boot.id()
        );
        let _ = Command::new("unshare").args(["--mount", "--propagation", "private", "sh", "-c", &tidy]).status();
    }
}

impl Machine {
    /// Boots it. `None` where this machine does not let us; it is said why.
    pub fn boot() -> Option<Machine> {
        let dir = tempfile::Builder::new().prefix("kithd-machine-").tempdir().unwrap();
        let etc = dir.path().join("etc");
        let units = etc.join("systemd/system");
        fs::create_dir_all(&units).unwrap();
        let put = |name: &str, text: &str| {
            let path = etc.join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        };
        put(
            "passwd",
            "root:x:0:0::/root:/bin/sh\nalex:x:1000:1000::/home/alex:/bin/sh\ndana:x:1001:1001::/home/dana:/bin/sh\nnobody:x:65534:65534::/:/bin/false\n",
        );
        put("group", "root:x:0:\nalex:x:1000:\ndana:x:1001:\nsystemd-journal:x:999:\nnogroup:x:65534:\n");
        put("nsswitch.conf", "passwd: files systemd\ngroup: files systemd\n");
        put("machine-id", "6b697468640000000000000000000000\n");
        put("systemd/system/default.target", TARGET);
        put("systemd/system/user@.service.d/plain.conf", USER);
        put("systemd/system/user-runtime-dir@.service.d/plain.conf", USER_DIR);
        for unit in MASKED {
            symlink("/dev/null", units.join(unit)).unwrap();
        }
        let log = dir.path().join("boot.log");
        let boot = Command::new("unshare")
            .args(["--mount", "--propagation", "private", "sh", BOOT, "outer"])
            .arg(dir.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(fs::File::create(&log).unwrap())
            .spawn();
        let Ok(boot) = boot else {
            println!("skipped: a machine in name spaces needs unshare(1)");
            return None;
        };
        let mut machine = Machine { boot, init: 0, dir };
        let begun = Instant::now();
        loop {
            if machine.boot.try_wait().unwrap().is_some() {
                let why = fs::read_to_string(&log).unwrap_or_default();
                println!("skipped: no machine in name spaces may be made here: {}", why.trim());
                machine.init = u32::MAX;
                return None;
            }
            let children = fs::read_to_string(format!("/proc/{0}/task/{0}/children", machine.boot.id()));
            machine.init = children.ok().and_then(|c| c.trim().parse().ok()).unwrap_or(0);
            if machine.init > 0 && machine.run(&["systemctl", "is-active", "default.target"]).stdout == b"active\n" {
                return Some(machine);
            }
            assert!(begun.elapsed() < Duration::from_secs(180), "systemd does not come up");
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// Its root, from outside.
    pub fn root(&self) -> PathBuf {
        PathBuf::from(format!("/proc/{}/root", self.init))
    }

    pub fn path(&self, path: &str) -> PathBuf {
        self.root().join(path.trim_start_matches('/'))
    }

    /// A file, with its folders, that belongs to somebody.
    pub fn put(&self, path: &str, uid: u32, mode: u32, text: &str) {
        let path = self.path(path);
        let mut missing: Vec<&Path> = path.ancestors().skip(1).take_while(|p| !p.exists()).collect();
        missing.reverse();
        for dir in missing {
            fs::create_dir(dir).unwrap();
            chown(dir, Some(uid), Some(uid)).unwrap();
        }
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        chown(&path, Some(uid), Some(uid)).unwrap();
    }

    fn enter(&self) -> Command {
        let mut command = Command::new("nsenter");
        command.args(["-t", &self.init.to_string(), "-m", "-p", "-u", "-i", "-n", "-C", "--root", "--wd"]);
        // whatever goes wrong in there, the clock is everybody's
        command.args(["setpriv", "--bounding-set", "-sys_time"]).stdin(Stdio::null());
        command
    }

    /// Runs something in it as root.
    pub fn run(&self, arguments: &[&str]) -> Output {
        let mut command = self.enter();
        command.args(["env", "-i", "PATH=/usr/sbin:/usr/bin", "HOME=/root", "TZ=UTC"]).args(arguments);
        command.output().unwrap()
    }

    /// Runs something in it as somebody, with what a login would set.
    pub fn run_as(&self, name: &str, uid: u32, arguments: &[&str]) -> Output {
        let (uid, home) = (uid.to_string(), format!("HOME=/home/{name}"));
        let runtime = format!("XDG_RUNTIME_DIR=/run/user/{uid}");
        let mut command = self.enter();
        command.args(["--reuid", &uid, "--regid", &uid, "--clear-groups"]);
        command.args(["env", "-i", "PATH=/usr/sbin:/usr/bin", "TZ=UTC", &home, &runtime]).args(arguments);
        command.output().unwrap()
    }

    /// What it says; it must work.
    pub fn says(&self, arguments: &[&str]) -> String {
        let out = self.run(arguments);
        assert!(out.status.success(), "{arguments:?}: {out:?}");
        String::from_utf8(out.stdout).unwrap()
    }

    /// A property of a unit.
    pub fn show(&self, unit: &str, property: &str) -> String {
        self.says(&["systemctl", "show", "-P", property, unit]).trim().to_string()
    }
}

/// Waits until something is so.
pub fn wait(what: &str, mut is_so: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !is_so() {
        assert!(begun.elapsed() < Duration::from_secs(180), "waited in vain until {what}");
        std::thread::sleep(Duration::from_millis(30));
    }
}
