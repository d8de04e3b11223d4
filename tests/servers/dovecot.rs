//! Dovecot 2.3 as an ordinary user in the bed's folder: IMAP with TLS and STARTTLS, LMTP.

use std::path::PathBuf;
use std::process::Command;

use super::bed::{Bed, Running, free_port};
use super::certs::{Certs, Pair};

/// What a test wants to differ.
#[derive(Default)]
pub struct Wishes<'a> {
    /// Another certificate than the good one.
    pub cert: Option<&'a Pair>,
    /// CAPABILITY as announced, in full.
    pub capability: Option<&'a str>,
    /// Where tokens are looked up (RFC 7662).
    pub introspection: Option<String>,
}

/// A running Dovecot.
pub struct Dovecot {
    _running: Running,
    /// IMAP with STARTTLS.
    pub imap: u16,
    /// IMAP over TLS.
    pub imaps: u16,
    /// LMTP over TCP.
    pub lmtp: u16,
    mail: PathBuf,
}

/// Everybody's password.
pub const PASSWORD: &str = "test pass \"with\" quotes";

/// Who has a mailbox.
pub const USERS: [&str; 3] = ["alex", "bea", "carl"];

impl Dovecot {
    pub fn start(bed: &Bed, certs: &Certs, wishes: &Wishes<'_>) -> Dovecot {
        let name = format!("dovecot{}", free_port());
        let [imap, imaps, lmtp] = [free_port(), free_port(), free_port()];
        let mail = bed.folder("mail");
        let state = bed.folder(&name);
        bed.folder(&format!("{name}/state"));
        let cert = wishes.cert.unwrap_or(&certs.good);
        let oauth = match &wishes.introspection {
            None => String::new(),
            Some(url) => {
                let conf = bed.file(
                    &format!("{name}/oauth2.conf"),
                    &format!(
                        "introspection_url = {url}\nintrospection_mode = post\nclient_id = dovecot\n\
                         client_secret = dovecot\nusername_attribute = username\nactive_attribute = active\n\
                         active_value = true\ntimeout_msecs = 3000\n"
                    ),
                );
                format!(
                    "passdb {{\n driver = oauth2\n mechanisms = xoauth2 oauthbearer\n args = {}\n}}\n",
                    conf.display()
                )
            }
        };
        let capability = wishes.capability.map(|c| format!("imap_capability = {c}\n")).unwrap_or_default();
        let conf = CONF
            .replace("@STATE@", &state.display().to_string())
            .replace("@NAME@", &name)
            .replace("@USER@", &bed.user)
            .replace("@MAIL@", &mail.display().to_string())
            .replace("@CERT@", &cert.cert.display().to_string())
            .replace("@KEY@", &cert.key.display().to_string())
            .replace("@IMAP@", &imap.to_string())
            .replace("@IMAPS@", &imaps.to_string())
            .replace("@LMTP@", &lmtp.to_string())
            .replace("@OAUTH@", &oauth)
            .replace("@CAPABILITY@", &capability);
        let conf = bed.file(&format!("{name}/dovecot.conf"), &conf);
        let passwords: String = USERS.iter().map(|user| format!("{user}:{{PLAIN}}{PASSWORD}\n")).collect();
        bed.file(&format!("{name}/passwords"), &passwords);
        let running = bed.start(&name, Command::new("dovecot").arg("-F").arg("-c").arg(conf), imaps);
        Dovecot { _running: running, imap, imaps, lmtp, mail }
    }

    /// The Maildir of a user's folder; `INBOX` is the Maildir itself.
    pub fn maildir(&self, user: &str, folder: &str) -> PathBuf {
        let root = self.mail.join(user).join("Maildir");
        if folder == "INBOX" { root } else { root.join(format!(".{}", folder.replace('/', "."))) }
    }
}

/// `chroot =` and one user for everything: so it starts without root. Without the anvil setting a
/// failed login is slowed down to 15 s.
const CONF: &str = r#"
base_dir = @STATE@/run
state_dir = @STATE@/state
log_path = @STATE@/dovecot.log
instance_name = @NAME@
protocols = imap lmtp
listen = 127.0.0.1
default_internal_user = @USER@
default_internal_group = @USER@
default_login_user = @USER@
first_valid_uid = 1
mail_location = maildir:~/Maildir
mail_home = @MAIL@/%n
mail_uid = @USER@
mail_gid = @USER@
mail_fsync = never
lock_method = fcntl
ssl = yes
ssl_cert = <@CERT@
ssl_key = <@KEY@
ssl_min_protocol = TLSv1.2
ssl_dh =
disable_plaintext_auth = no
auth_mechanisms = plain login xoauth2 oauthbearer
auth_failure_delay = 0
auth_cache_size = 0
@CAPABILITY@
@OAUTH@
passdb {
  driver = passwd-file
  mechanisms = plain login
  args = @STATE@/passwords
}
userdb {
  driver = static
  args = uid=@USER@ gid=@USER@ home=@MAIL@/%n allow_all_users=yes
}
namespace inbox {
  inbox = yes
  separator = /
  mailbox Drafts {
    auto = subscribe
    special_use = \Drafts
  }
  mailbox Sent {
    auto = subscribe
    special_use = \Sent
  }
  mailbox Archive {
    auto = subscribe
    special_use = \Archive
  }
  mailbox Junk {
    auto = subscribe
    special_use = \Junk
  }
  mailbox Trash {
    auto = subscribe
    special_use = \Trash
  }
}
protocol imap {
  mail_max_userip_connections = 200
}
protocol lmtp {
  postmaster_address = postmaster@localhost
}
hostname = localhost
service imap-login {
  chroot =
  inet_listener imap {
    port = @IMAP@
  }
  inet_listener imaps {
    port = @IMAPS@
    ssl = yes
  }
}
service lmtp {
  inet_listener lmtp {
    address = 127.0.0.1
    port = @LMTP@
  }
}
service anvil {
  chroot =
  unix_listener anvil-auth-penalty {
    mode = 0
  }
}
service stats {
  chroot =
}
service auth-worker {
  user = @USER@
}
"#;
