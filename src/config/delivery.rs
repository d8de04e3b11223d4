//! `[delivery]` and `[control]`. Part of `config`.
//!
//! Invariant: reminders go to the user and come from the user; no other address passes.

use std::path::PathBuf;

use super::nearest::advice;
use super::secrets;
use super::section::Section;
use super::shape::DELIVERY_TYPES;
use super::sources::{MailboxConfig, MailboxDoor};
use super::{Around, read_addr};
use crate::address::{AddrSpec, Address};
use crate::evidence::SourceName;
use crate::identity::Me;
use crate::limits;
use crate::net::{Login, Server};

/// `[delivery]`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DeliveryConfig {
    /// The user.
    pub to: AddrSpec,
    /// The user again, under the name of kithd.
    pub from: Address,
    /// The mailbox that receives `to`; `None`: nobody knows, so nothing can be searched.
    pub inbox: Option<SourceName>,
    /// Show reminders in the conversation they are about.
    pub thread: bool,
    /// Take a sent, unread reminder away when its reason goes (the engine's setup has it too).
    pub retire: bool,
    /// How.
    pub door: DeliveryDoor,
}

/// How reminders are delivered.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum DeliveryDoor {
    /// `type = "smtp"`.
    Smtp {
        /// Server.
        server: Server,
        /// Login, if it asks.
        login: Option<Login>,
    },
    /// `type = "append"`: IMAP APPEND.
    Append {
        /// Which IMAP mailbox.
        mailbox: SourceName,
        /// Which folder; `None`: INBOX.
        folder: Option<String>,
    },
    /// `type = "maildir"`.
    Maildir {
        /// The Maildir; made where it is missing.
        path: PathBuf,
    },
}

/// `[control]`.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct ControlConfig {
    /// The socket; `None`: in the store's folder.
    pub socket: Option<PathBuf>,
    /// Other users of this machine that may talk to it.
    pub allow: Vec<String>,
}

/// Reads `[delivery]`; a missing one is told with an example.
pub(super) fn delivery(
    s: &Section<'_>,
    me: &Me,
    mailboxes: &[MailboxConfig],
    around: &Around<'_>,
) -> Option<DeliveryConfig> {
    let mine = me.addresses.iter().next().map_or("alex@example.org", AddrSpec::as_str);
    if !s.exists() {
        if !s.has_wrong_kind() {
            around.report.fault(
                None,
                format!(
                    "there is no [delivery], so nobody knows where reminders go. Add for example:\n    \
                 [delivery]\n    to = \"{mine}\"\n    type = \"maildir\"\n    path = \"~/Mail/reminders\""
                ),
            );
        }
        return None;
    }
    s.need("to", &format!("\"{mine}\""));
    let to = s.text("to", |text| own_address(text, me));
    let from = s.text("from", |text| match Address::parse(text) {
        Some(from) if me.is_me(&from.address) => Ok(from),
        Some(_) => Err("answers to a reminder go there, so it must be one of [me] addresses".to_string()),
        None => Err(format!("write it as \"kithd <{mine}>\"")),
    });
    s.need("type", "\"smtp\" (or \"append\" or \"maildir\")");
    let door = match s.choice("type", DELIVERY_TYPES) {
        Some("smtp") => secrets::server(s, [465, 587, 25], around)
            .map(|server| DeliveryDoor::Smtp { server, login: secrets::login(s, false, around) }),
        Some("append") => append(s, mailboxes),
        Some(_) => {
            s.need("path", "\"~/Mail/reminders\"");
            around.outside_store(s, "path").map(|path| DeliveryDoor::Maildir { path })
        }
        None => None,
    };
    let inbox = s.text("inbox", |text| known_mailbox(text, mailboxes).map(|m| m.name.clone()));
    let (to, door) = (to?, door?);
    let inbox = inbox.or_else(|| receiver(&to, &door, mailboxes));
    let retire = s.flag("retire", false);
    warn(s, inbox.as_ref(), retire, mailboxes, &to);
    let from = from.unwrap_or_else(|| Address::new(Some("kithd"), to.clone()));
    Some(DeliveryConfig { to, from, inbox, thread: s.flag("thread", true), retire, door })
}

fn own_address(text: &str, me: &Me) -> Result<AddrSpec, String> {
    let address = read_addr(text)?;
    if me.is_me(&address) || me.addresses.is_empty() {
        return Ok(address);
    }
    let mine = advice(address.as_str(), me.addresses.iter().map(AddrSpec::as_str));
    Err(format!("kithd writes to you only, and this is none of [me] addresses: {mine}"))
}

fn append(s: &Section<'_>, mailboxes: &[MailboxConfig]) -> Option<DeliveryDoor> {
    s.need("mailbox", "\"work\", the name of an imap [[mailbox]]");
    let mailbox = s.text("mailbox", |text| match known_mailbox(text, mailboxes)? {
        MailboxConfig { door: MailboxDoor::Imap { .. }, name, .. } => Ok(name.clone()),
        _ => Err("that is a Maildir; to put reminders into one, use type = \"maildir\" and path".to_string()),
    });
    let folder = s.text("folder", |text| match text.trim().is_empty() || text.contains(char::is_control) {
        true => Err("a folder has a name".to_string()),
        false => Ok(text.to_string()),
    });
    Some(DeliveryDoor::Append { mailbox: mailbox?, folder })
}

fn known_mailbox<'m>(text: &str, mailboxes: &'m [MailboxConfig]) -> Result<&'m MailboxConfig, String> {
    mailboxes.iter().find(|m| m.name == text).ok_or_else(|| match mailboxes.is_empty() {
        true => "no [[mailbox]] could be read".to_string(),
        false => format!("no [[mailbox]] has this name: {}", advice(text, mailboxes.iter().map(|m| m.name.as_str()))),
    })
}

/// The mailbox that receives `to`: the one it is put into, else the one whose user it is.
fn receiver(to: &AddrSpec, door: &DeliveryDoor, mailboxes: &[MailboxConfig]) -> Option<SourceName> {
    let plain = to.without_tag();
    let is_user = |m: &&MailboxConfig| match &m.door {
        MailboxDoor::Maildir { .. } => false,
        MailboxDoor::Imap { server, login, .. } => {
            // `alex` at imap.example.org is alex@example.org
            let whole = AddrSpec::parse(&login.username);
            let whole = whole.or_else(|| AddrSpec::parse(&format!("{}@{}", login.username, server.host)));
            whole.is_some_and(|user| {
                user.without_tag() == plain
                    || !login.username.contains('@')
                        && user.local() == plain.local()
                        && user.registrable_domain() == plain.registrable_domain()
            })
        }
    };
    let holds = |m: &&MailboxConfig| match (&m.door, door) {
        (MailboxDoor::Maildir { path: read, .. }, DeliveryDoor::Maildir { path }) => read == path,
        (_, DeliveryDoor::Append { mailbox, .. }) => m.name == *mailbox,
        _ => false,
    };
    mailboxes.iter().find(holds).or_else(|| mailboxes.iter().find(is_user)).map(|m| m.name.clone())
}

fn warn(s: &Section<'_>, inbox: Option<&SourceName>, retire: bool, mailboxes: &[MailboxConfig], to: &AddrSpec) {
    let Some(inbox) = inbox else {
        s.warn(
            "to",
            format!(
                "no [[mailbox]] is known to receive {to}, so a reminder whose delivery is in doubt cannot be looked \
                 for: add inbox = \"NAME\""
            ),
        );
        return;
    };
    let is_imap = mailboxes.iter().any(|m| m.name == *inbox && matches!(m.door, MailboxDoor::Imap { .. }));
    if retire && !is_imap {
        s.warn("retire", format!("retire = true has no effect: \"{inbox}\" is not an imap mailbox"));
    }
}

/// Reads `[control]`.
pub(super) fn control(s: &Section<'_>, around: &Around<'_>) -> ControlConfig {
    let socket = s.text("socket", |text| match around.path(text)? {
        path if path.as_os_str().len() > limits::SOCKET_PATH_BYTES => {
            Err(format!("the path of a socket has at most {} bytes", limits::SOCKET_PATH_BYTES))
        }
        path => Ok(path),
    });
    let allow = s.texts("allow", |text| match text.trim().is_empty() || text.contains([':', '/', ' ']) {
        true => Err("the name of a user of this machine, such as \"alex\"".to_string()),
        false => Ok(text.to_string()),
    });
    ControlConfig { socket, allow }
}
