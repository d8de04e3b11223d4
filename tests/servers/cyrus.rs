//! Cyrus 3.6 as an ordinary user: the second make of an IMAP server. Debian's package excludes
//! Dovecot's, so tests/run unpacks it beside the build.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use super::bed::{Bed, Running, free_port};
use super::certs::Certs;
use super::dovecot::PASSWORD;

/// A running Cyrus.
pub struct Cyrus {
    _running: Running,
    /// IMAP with STARTTLS.
    pub imap: u16,
    /// IMAP over TLS.
    pub imaps: u16,
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("target/servers/cyrus/usr/lib")
}

impl Cyrus {
    pub fn start(bed: &Bed, certs: &Certs, users: &[&str]) -> Cyrus {
        let programs = root().join("cyrus/bin");
        assert!(programs.join("master").exists(), "Cyrus is not there: run tests/run, which unpacks it");
        // the servers' user must be able to run it, wherever the checkout lies
        let bin = bed.folder("cyrus/bin");
        for name in ["master", "imapd", "idled", "ctl_cyrusdb", "lmtpd"] {
            std::fs::copy(programs.join(name), bin.join(name)).unwrap();
        }
        let lib = bed.folder("cyrus/lib");
        let libraries = Command::new("cp").arg("-a").arg(root().join("libraries/.")).arg(&lib).status().unwrap();
        assert!(libraries.success());
        for below in ["db", "socket", "proc", "lock", "log", "msg", "user", "quota", "ptclient", "sieve"] {
            bed.folder(&format!("cyrus/conf/{below}"));
        }
        bed.folder("cyrus/spool");
        let [imap, imaps] = [free_port(), free_port()];
        let fill = |text: &str| {
            text.replace("@BIN@", &bin.display().to_string())
                .replace("@STATE@", &bed.path("cyrus").display().to_string())
                .replace("@USER@", &bed.user)
                .replace("@CERT@", &certs.good.cert.display().to_string())
                .replace("@KEY@", &certs.good.key.display().to_string())
                .replace("@IMAP@", &imap.to_string())
                .replace("@IMAPS@", &imaps.to_string())
        };
        let imapd = bed.file("cyrus/imapd.conf", &fill(IMAPD));
        let conf = bed.file("cyrus/cyrus.conf", &fill(CONF));
        let passwords = bed.path("cyrus/sasldb2");
        for user in users {
            let mut command = Command::new("saslpasswd2");
            command.args(["-p", "-c", "-u", "localhost", "-f"]).arg(&passwords).arg(user).stdin(Stdio::piped());
            let mut child = command.spawn().expect("saslpasswd2 is not there: run tests/run, which installs it");
            std::io::Write::write_all(&mut child.stdin.take().unwrap(), PASSWORD.as_bytes()).unwrap();
            assert!(child.wait().unwrap().success());
        }
        let bytes = std::fs::read(&passwords).unwrap();
        std::fs::remove_file(&passwords).unwrap();
        bed.folder("cyrus");
        bed.bytes("cyrus/sasldb2", &bytes);
        let mut command = Command::new(bin.join("master"));
        command.env("LD_LIBRARY_PATH", lib).arg("-C").arg(imapd).arg("-M").arg(conf);
        command.arg("-p").arg(bed.path("cyrus/master.pid")).arg("-D");
        let running = bed.start("cyrus", &mut command, imaps);
        Cyrus { _running: running, imap, imaps }
    }
}

const IMAPD: &str = r"
configdirectory: @STATE@/conf
partition-default: @STATE@/spool
defaultpartition: default
proc_path: @STATE@/conf/proc
mboxname_lockpath: @STATE@/conf/lock
idlesocket: @STATE@/conf/socket/idle
lmtpsocket: @STATE@/conf/socket/lmtp
notifysocket: @STATE@/conf/socket/notify
cyrus_user: @USER@
servername: localhost
admins: admin
sasl_pwcheck_method: auxprop
sasl_auxprop_plugin: sasldb
sasl_sasldb_path: @STATE@/sasldb2
sasl_mech_list: PLAIN LOGIN
allowplaintext: yes
tls_server_cert: @CERT@
tls_server_key: @KEY@
unixhierarchysep: yes
altnamespace: yes
virtdomains: off
autocreate_users: anyone
autocreate_post: yes
autocreate_quota: 0
autocreate_inbox_folders: Sent | Drafts | Archive | Trash | Junk
autocreate_subscribe_folders: Sent | Drafts | Archive | Trash | Junk
xlist-sent: Sent
xlist-drafts: Drafts
xlist-archive: Archive
xlist-trash: Trash
xlist-junk: Junk
imapidlepoll: 1
search_engine: none
skiplist_unsafe: 1
";

const CONF: &str = r#"
START {
  recover cmd="@BIN@/ctl_cyrusdb -r -C @STATE@/imapd.conf"
}
SERVICES {
  imap  cmd="@BIN@/imapd -C @STATE@/imapd.conf" listen="127.0.0.1:@IMAP@" proto=tcp4 prefork=0
  imaps cmd="@BIN@/imapd -s -C @STATE@/imapd.conf" listen="127.0.0.1:@IMAPS@" proto=tcp4 prefork=0
}
DAEMON {
  idled cmd="@BIN@/idled -C @STATE@/imapd.conf"
}
EVENTS { }
"#;
