//! Exim 4.96 as a submission server: it takes mail with TLS and AUTH and delivers it by LMTP. Faults
//! are chosen by the words in a subject and by recipients.

use std::process::Command;

use super::bed::{Bed, Running, free_port};
use super::certs::{Certs, Pair};
use super::dovecot::{Dovecot, PASSWORD};

/// A running Exim.
pub struct Exim {
    _running: Running,
    name: String,
    /// SMTP with STARTTLS.
    pub submission: u16,
    /// SMTP over TLS.
    pub submissions: u16,
}

impl Exim {
    pub fn start(bed: &Bed, certs: &Certs, cert: Option<&Pair>, into: &Dovecot) -> Exim {
        let name = format!("exim{}", free_port());
        let [submission, submissions] = [free_port(), free_port()];
        let state = bed.folder(&name);
        bed.folder(&format!("{name}/spool"));
        bed.folder(&format!("{name}/log"));
        let cert = cert.unwrap_or(&certs.good);
        let conf = CONF
            .replace("@STATE@", &state.display().to_string())
            .replace("@USER@", &bed.user)
            .replace("@CERT@", &cert.cert.display().to_string())
            .replace("@KEY@", &cert.key.display().to_string())
            .replace("@SMTP@", &submission.to_string())
            .replace("@SMTPS@", &submissions.to_string())
            .replace("@LMTP@", &into.lmtp.to_string());
        bed.file(&format!("{name}/password"), PASSWORD);
        let conf = bed.file(&format!("{name}/exim.conf"), &conf);
        let exim = ["/usr/sbin/exim4", "/usr/bin/exim4"].into_iter().find(|p| std::path::Path::new(p).exists());
        let exim = exim.unwrap_or_else(|| panic!("exim4 is not there: run tests/run, which installs it"));
        let running = bed.start(&name, Command::new(exim).arg("-C").arg(conf).args(["-bdf", "-q2s"]), submissions);
        Exim { _running: running, name, submission, submissions }
    }

    /// Where it keeps what it has not delivered yet.
    pub fn spool(&self, bed: &Bed) -> std::path::PathBuf {
        bed.path(&format!("{}/spool", self.name))
    }
}

const CONF: &str = r#"
exim_user = @USER@
exim_group = @USER@
never_users =
deliver_drop_privilege = true
spool_directory = @STATE@/spool
log_file_path = @STATE@/log/%slog
pid_file_path = @STATE@/exim.pid
primary_hostname = localhost
qualify_domain = localhost
local_interfaces = <; [127.0.0.1]:@SMTP@ ; [127.0.0.1]:@SMTPS@
daemon_smtp_ports = @SMTP@
tls_on_connect_ports = @SMTPS@
tls_advertise_hosts = *
tls_certificate = @CERT@
tls_privatekey = @KEY@
auth_advertise_hosts = ${if eq{$tls_in_cipher}{}{}{*}}
host_lookup =
rfc1413_query_timeout = 0s
dns_ipv4_lookup =
disable_ipv6 = true
message_size_limit = 10M
smtp_accept_max = 100
smtp_enforce_sync = false
add_environment =
keep_environment =
acl_smtp_mail = mail
acl_smtp_rcpt = rcpt
acl_smtp_data = data
begin acl
mail:
  accept
rcpt:
  deny  !authenticated = *
        message = 530 5.7.0 Authentication required
  defer local_parts = tempfail
        message = 450 4.2.1 mailbox busy
  deny  local_parts = nouser
        message = 550 5.1.1 no such user
  drop  local_parts = closing
        message = 421 4.7.0 closing
  accept
data:
  defer condition = ${if match{$h_subject:}{TEMPFAIL-DATA}}
        message = 451 4.3.0 try later
  deny  condition = ${if match{$h_subject:}{REJECT-DATA}}
        message = 554 5.6.0 rejected
  accept
begin routers
all:
  driver = manualroute
  route_list = * 127.0.0.1
  self = send
  transport = lmtp
begin transports
lmtp:
  driver = smtp
  protocol = lmtp
  port = @LMTP@
  allow_localhost
  hosts_try_fastopen =
  hosts_avoid_tls = *
begin retry
* * F,1h,2s
begin rewrite
begin authenticators
plain:
  driver = plaintext
  public_name = PLAIN
  server_prompts = :
  server_condition = ${if eq{$auth3}{${readfile{@STATE@/password}}}}
  server_set_id = $auth2
login:
  driver = plaintext
  public_name = LOGIN
  server_prompts = Username:: : Password::
  server_condition = ${if eq{$auth2}{${readfile{@STATE@/password}}}}
  server_set_id = $auth1
"#;
