//! The config from outside: the example, the defaults, and what is said of broken ones.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, clippy::string_slice)]

use std::collections::BTreeSet;
use std::path::Path;

use kithd::config::shape::{Key, Kind, ROOT, SECRET};
use kithd::config::{CalendarDoor, Config, ConfigErrors, DeliveryDoor, MailboxDoor, Surroundings, read};
use kithd::net::{OAuth2, Proof, Secret, Security};
use kithd::policy::{Rule, default_relationships};
use kithd::time::{DAY, Delay, Span, Zone};

const EXAMPLE: &str = include_str!("../config.example.toml");

fn around() -> Surroundings {
    Surroundings {
        home: Some("/home/alex".into()),
        state_home: None,
        state_directory: None,
        is_root: false,
        zone: Zone::named("Europe/Berlin").unwrap(),
        locale: Some("de_DE.UTF-8".to_string()),
    }
}

fn parse(text: &str) -> Result<Config, ConfigErrors> {
    read(text, Path::new("config.toml"), &around())
}

#[track_caller]
fn good(text: &str) -> Config {
    parse(text).unwrap_or_else(|e| panic!("{e}"))
}

/// The least that works.
const LEAST: &str = r#"
[me]
addresses = ["alex@example.org"]
[[mailbox]]
name = "home"
type = "maildir"
path = "~/Mail"
sync_state = ["~/.mbsync/*"]
[delivery]
to = "alex@example.org"
type = "maildir"
path = "~/Mail"
"#;

// ---- the example -------------------------------------------------------------------------------

#[test]
fn the_example_is_a_config() {
    let config = good(EXAMPLE);
    assert_eq!((config.mailboxes.len(), config.calendars.len(), config.address_books.len()), (2, 3, 2));
    assert_eq!(config.setup.sources.len(), 7);
    let about: Vec<&String> = config.warnings.iter().filter(|w| !w.contains("sync_state")).collect();
    assert!(about.is_empty(), "{about:?}");
}

/// Keys of the example that have no default: names, addresses, places and logins.
const PLACEHOLDERS: &[&str] =
    &["name", "addresses", "type", "host", "username", "password", "path", "url", "to", "inbox", "relationship"];

#[test]
fn every_value_of_the_example_is_the_default() {
    // what is no placeholder is taken out; if the config stays the same, it was the default
    let mut section = "";
    let mut lines = Vec::new();
    let mut taken = BTreeSet::new();
    for line in EXAMPLE.lines() {
        if line.starts_with('[') {
            section = line;
        }
        match line.split_once(" = ") {
            Some((key, _)) if !line.starts_with('#') && !PLACEHOLDERS.contains(&key) => {
                taken.insert(format!("{section} {key}"));
            }
            _ if line.starts_with("[rules") || line.starts_with("[relationships") || line.starts_with("[schedule") => {}
            _ => lines.push(line),
        }
    }
    assert!(taken.len() > 40, "{taken:?}");
    let least = lines.join("\n");
    assert!(!least.contains("per_day ="), "{least}");
    assert_eq!(good(&least), Config { warnings: good(&least).warnings, ..good(EXAMPLE) });
}

/// `section key` of every line of the example, on or off.
fn keys_of_example() -> BTreeSet<String> {
    let mut section = String::new();
    let mut keys = BTreeSet::new();
    for line in EXAMPLE.lines() {
        if let Some(head) = line.strip_prefix('[') {
            section = head.trim_matches(['[', ']']).to_string();
        }
        let line = line.strip_prefix('#').unwrap_or(line);
        let Some((key, value)) = line.split_once(" = ").filter(|(k, _)| !k.contains(' ')) else { continue };
        keys.insert(format!("{section} {key}"));
        // keys in braces, and in braces in them
        let words = value.split(['{', ',', '}']).filter_map(|w| w.split_once(" = ")).map(|(k, _)| k.trim());
        keys.extend(words.map(|inner| format!("{section} {key} {inner}")));
    }
    keys
}

#[test]
fn every_key_is_in_the_example() {
    fn walk(section: &str, key: &Key, shown: &BTreeSet<String>, missing: &mut Vec<String>) {
        let name = if section.is_empty() { key.name.to_string() } else { format!("{section} {}", key.name) };
        match key.kind {
            Kind::Section(keys) | Kind::Sections(keys) => {
                let dotted = name.replace(' ', ".");
                let is_rule = section == "rules";
                // `after` is shown where it has an effect
                let shown_here = keys.iter().filter(|k| !is_rule || k.name != "after" || name.contains("follow_up"));
                shown_here.for_each(|k| walk(&dotted, k, shown, missing));
            }
            Kind::Named(keys) => keys.iter().for_each(|k| walk(&format!("{name}.mentor"), k, shown, missing)),
            Kind::Braces(keys) if section == "mailbox" => {
                keys.iter().for_each(|k| walk(&name, &Key { kind: Kind::Text, ..*k }, shown, missing));
            }
            _ if shown.contains(&name) => {}
            _ => missing.push(name),
        }
    }
    let shown = keys_of_example();
    let mut missing = Vec::new();
    ROOT.iter().for_each(|key| walk("", key, &shown, &mut missing));
    assert!(missing.is_empty(), "config.example.toml does not show {missing:?}");
    for key in SECRET {
        assert!(EXAMPLE.contains(&format!("{{ {} = ", key.name)), "config.example.toml does not show {}", key.name);
    }
    for rule in Rule::ALL {
        assert!(EXAMPLE.contains(&format!("[rules.{}]", rule.as_str())), "{rule:?}");
    }
    for (name, _) in default_relationships() {
        assert!(EXAMPLE.contains(&format!("[relationships.{name}]")), "{name}");
    }
}

#[test]
fn every_key_that_is_off_in_the_example_can_be_switched_on() {
    let lines: Vec<&str> = EXAMPLE.lines().collect();
    let is_head = |n: &usize| lines[*n].starts_with('[');
    let mut tried = 0;
    for (n, line) in lines.iter().enumerate() {
        let Some(setting) = line.strip_prefix('#').filter(|l| !l.starts_with(' ') && l.contains(" = ")) else {
            continue;
        };
        let mut with: Vec<&str> = lines.clone();
        with[n] = setting;
        // a login is a user and one proof
        let key = setting.split(' ').next().unwrap();
        let start = (0..n).rev().find(is_head).unwrap();
        let end = (n..lines.len()).find(is_head).unwrap_or(lines.len());
        for line in &mut with[start..end] {
            match key {
                "username" | "password" | "oauth2" if line.starts_with("#username") => *line = &line[1..],
                "username" if line.starts_with("#password") => *line = &line[1..],
                "oauth2" if line.starts_with("password") => *line = "",
                _ => {}
            }
        }
        tried += 1;
        if let Err(e) = parse(&with.join("\n")) {
            assert!(e.faults.len() == 1 && e.to_string().contains("that is for type"), "{setting}: {e}");
        }
    }
    assert!(tried >= 25, "{tried}");
}

// ---- values and defaults -----------------------------------------------------------------------

#[test]
fn the_least_config_has_all_defaults() {
    let config = good(LEAST);
    assert_eq!(config.warnings, Vec::<String>::new());
    assert_eq!(config.store, Path::new("/home/alex/.local/state/kithd"));
    let setup = &config.setup;
    assert_eq!(setup.hours.zone.name(), "Europe/Berlin");
    assert_eq!((setup.hours.opens, setup.hours.closes), (480, 1080));
    assert_eq!(setup.hours.days, [true, true, true, true, true, false, false]);
    assert_eq!((setup.caps.per_day, setup.caps.per_contact), (3, 7 * DAY));
    assert_eq!(setup.summary, Some((0, 480)));
    assert!(setup.rules.is_empty() && setup.contacts.is_empty());
    assert_eq!(setup.relationships, default_relationships());
    assert_eq!(setup.letterhead.from.to_string(), "kithd <alex@example.org>");
    assert_eq!(setup.letterhead.language, "de");
    assert!(setup.letterhead.thread && !config.delivery.retire);
    assert_eq!(setup.sources[0].grace, DAY);
    let mailbox = &config.mailboxes[0];
    assert_eq!((mailbox.history, mailbox.poll), (Span { months: 24, seconds: 0 }, Span { months: 0, seconds: 300 }));
    assert!(mailbox.bodies && mailbox.folders.is_empty() && mailbox.sent.is_empty());
    let MailboxDoor::Maildir { path, sync_state } = &mailbox.door else { panic!("{mailbox:?}") };
    assert_eq!(
        (path.as_path(), sync_state.as_slice()),
        (Path::new("/home/alex/Mail"), &["/home/alex/.mbsync/*".to_string()][..])
    );
    assert_eq!(config.delivery.inbox.as_deref(), Some("home"));
    assert_eq!(config.control, kithd::config::ControlConfig::default());
}

#[test]
fn everything_said_arrives() {
    let text = r#"
        me = { name = "Alex Doe", addresses = ["Alex@Example.org"], timezone = "Asia/Tokyo", language = "en-GB" }
        schedule = { days = ["Sunday", "tue"], hours = "9:30-24:00", per_day = 0x5, per_contact = "1m", summary = "never" }
        [[mailbox]]
        name = "work"
        type = "imap"
        host = "mail.example.org"
        security = "starttls"
        username = "alex"
        oauth2 = { token_url = "https://login.example/t", client_id = "k", refresh_token = { env = "TOKEN" } }
        poll = "7m"
        history = "7m"
        [[calendar]]
        name = "boss"
        type = "ics"
        path = "boss.ics"
        owner = "boss@example.org"
        holidays = true
        [delivery]
        to = "alex+kithd@example.org"
        type = "smtp"
        host = "127.0.0.1"
        security = "none"
        [rules]
        follow_up = { after = "4d" }
        promise = { after = "3 working days" }
        milestone = { enabled = false }
        [relationships.friend]
        every = "2mo"
        [relationships.mentor]
        at_most = "90d"
        [[contact]]
        addresses = ["dana@uni.example", "d@i.example"]
        relationship = "friend"
        every = "6w"
        mute = true
        [control]
        socket = "run/k.sock"
        allow = ["alex"]
    "#;
    let config = read(text, Path::new("/etc/kithd/config.toml"), &around()).unwrap_or_else(|e| panic!("{e}"));
    let setup = &config.setup;
    assert_eq!(setup.me.names, ["Alex Doe"]);
    assert_eq!((setup.letterhead.zone.name(), setup.letterhead.language.as_str()), ("Asia/Tokyo", "en"));
    assert_eq!(setup.letterhead.to.to_string(), "Alex Doe <alex+kithd@example.org>");
    assert_eq!(setup.hours.days, [false, true, false, false, false, false, true]);
    assert_eq!((setup.hours.opens, setup.hours.closes), (570, 1440));
    assert_eq!((setup.caps.per_day, setup.caps.per_contact, setup.summary), (5, 30 * DAY, None));
    assert_eq!(setup.rules.len(), 2);
    assert_eq!(setup.rules[&Rule::FollowUp].after, Some(Delay::Plain(Span::days(4))));
    assert!(!setup.rules[&Rule::Milestone].enabled);
    assert_eq!(setup.relationships["friend"].at_most, Span { months: 4, seconds: 0 });
    assert_eq!(setup.relationships["mentor"].every, Span::days(30));
    assert_eq!(setup.relationships["mentor"].at_most, Span::days(90));
    assert_eq!((setup.contacts[0].every, setup.contacts[0].mute), (Some(Span::days(42)), true));
    assert!(setup.sources[0].own && !setup.sources[1].own && setup.sources[1].holidays);
    assert_eq!(config.mailboxes[0].poll.approx_seconds(), 420);
    assert_eq!(config.mailboxes[0].history.months, 7);
    let MailboxDoor::Imap { server, login, idle: true } = &config.mailboxes[0].door else { panic!() };
    assert_eq!((server.port, server.security), (143, Security::StartTls));
    let Proof::OAuth2(OAuth2::Refresh { refresh_token, client_secret: None, .. }) = &login.proof else { panic!() };
    assert_eq!(*refresh_token, Secret::Env("TOKEN".to_string()));
    assert_eq!(config.calendars[0].door, CalendarDoor::Path("/etc/kithd/boss.ics".into()));
    let DeliveryDoor::Smtp { server, login: None } = &config.delivery.door else { panic!() };
    assert_eq!((server.port, server.host.as_str()), (25, "127.0.0.1"));
    assert_eq!(config.delivery.inbox.as_deref(), Some("work"));
    assert_eq!(config.control.socket.as_deref(), Some(Path::new("/etc/kithd/run/k.sock")));
}

// ---- broken ones -------------------------------------------------------------------------------

/// `LEAST` with `old` replaced by `new`, or with `new` behind it where `old` is empty.
fn broken(old: &str, new: &str) -> String {
    if old.is_empty() {
        return format!("{LEAST}{new}");
    }
    assert!(LEAST.contains(old), "{old}");
    LEAST.replacen(old, new, 1)
}

const IMAP: &str = "[[mailbox]]\nname = \"work\"\ntype = \"imap\"\nhost = \"imap.example.org\"\nusername = \"alex\"\n";
const PASSWORD: &str = "password = { env = \"PW\" }\n";

/// What is replaced in `LEAST` (its lines: 2 [me], 3 addresses, 4 [[mailbox]], 5 name, 6 type, 7 path,
/// 8 sync_state, 9 [delivery], 10 to, 11 type, 12 path), by what, and what is said.
#[rustfmt::skip]
const BROKEN: &[(&str, &str, &str)] = &[
    // syntax
    ("[me]", "[me", "config.toml:2: this is not TOML: "),
    ("name = \"home\"", "name = home", "config.toml:5: this is not TOML: "),
    ("name = \"home\"", "name = \"home\"\nname = \"home\"", "config.toml:6: this is not TOML: duplicate key"),
    ("", "[me]\n", "config.toml:13: this is not TOML: duplicate key"),
    // unknown keys and sections
    ("", "[schedule]\nper_dya = 3\n", "config.toml:14: [schedule] has no key `per_dya`: did you mean `per_day`?"),
    ("", "[schedule]\nper-day = 3\n", "config.toml:14: [schedule] has no key `per-day`: did you mean `per_day`?"),
    ("", "[schedule]\nbanana = 3\n", "config.toml:14: [schedule] has no key `banana`: it has `days`, `hours`, `per_day`, `per_contact` and `summary`"),
    ("", "[schedule]\ntimezone = \"UTC\"\n", "config.toml:14: [schedule] has no key `timezone`: it belongs into [me]"),
    ("\n[me]", "per_day = 3\n[me]", "config.toml:1: `per_day` stands before the first section: it belongs into [schedule]"),
    ("", "[shedule]\n", "config.toml:13: there is no section [shedule]: did you mean [schedule]?"),
    ("", "[[mailboxes]]\n", "config.toml:13: there is no section [mailboxes]: did you mean [[mailbox]]?"),
    ("", "[xyz]\n", "config.toml:13: there is no section [xyz]: the sections are [me], [store], [[mailbox]], [[calendar]]"),
    ("[[mailbox]]", "[mailbox]", "config.toml:4: write [[mailbox]] instead of [mailbox]: there may be more than one"),
    ("[delivery]", "[[delivery]]", "config.toml:9: write [delivery] instead of [[delivery]]: there is only one"),
    ("", "IMAPPASSWORDuser = \"alex\"\n", "config.toml:19: [[mailbox]] \"work\" has no key `user`: did you mean `username`?"),
    ("", "[[contact]]\naddresses = [\"d@x.example\"]\nevry = \"5m\"\n", "config.toml:15: [[contact]] number 1 has no key `evry`: did you mean `every`?"),
    ("", "[rules.followup]\n", "config.toml:13: [rules] has no key `followup`: did you mean `follow_up`?"),
    ("", "[rules.promise]\nafer = \"2d\"\n", "config.toml:14: [rules.promise] has no key `afer`: did you mean `after`?"),
    ("", "[relationships.mentor]\nevry = \"2d\"\n", "config.toml:14: [relationships.mentor] has no key `evry`: did you mean `every`?"),
    ("sync_state =", "host = \"x.example\"\nsync_state =", "config.toml:8: [[mailbox]] \"home\" is of type \"maildir\" and has no key `host`: that is for type \"imap\""),
    // kinds
    ("addresses = [\"alex@example.org\"]", "addresses = \"alex@example.org\"", "config.toml:3: [me]: `addresses` must be a list of texts, but is text: write addresses = [\"...\"], in brackets"),
    ("name = \"home\"", "name = 7", "config.toml:5: [[mailbox]] number 1: `name` must be text, but is a number: write name = \"...\", in quotes"),
    ("name = \"home\"", "name = [\"home\"]", "config.toml:5: [[mailbox]] number 1: `name` must be one text, but is a list: write name = \"...\", without brackets"),
    ("", "[schedule]\nper_day = \"3\"\n", "config.toml:14: [schedule]: `per_day` must be a whole number, but is text: write per_day = 3, without quotes or a point"),
    ("", "[schedule]\nper_day = 3.5\n", "config.toml:14: [schedule]: `per_day` must be a whole number, but is a number with a point"),
    ("", "[schedule]\nsummary = 2026-01-01\n", "config.toml:14: [schedule]: `summary` must be text, but is a date or time"),
    ("", "thread = \"yes\"\n", "config.toml:13: [delivery]: `thread` must be true or false, but is text: write thread = true, without quotes"),
    ("", "[schedule]\ndays = [\"mon\",\n 2]\n", "config.toml:15: [schedule]: `days` is a list of texts, but a number is in it"),
    ("\n[me]", "store = \"/x\"\n[me]", "config.toml:1: `store` must be a section, but is text: write [store]"),
    // me
    ("addresses = [\"alex@example.org\"]", "addresses = []", "config.toml:3: [me]: `addresses` needs at least one address that is yours"),
    ("addresses = [\"alex@example.org\"]", "", "config.toml:2: [me]: `addresses` is missing: add addresses = [\"alex@example.org\"]"),
    ("addresses = [\"alex@example.org\"]", "addresses = [\"alex@example.org\",\n\"alex\"]", "config.toml:4: [me]: \"alex\" in `addresses`: this is no mail address; one looks like alex@example.org"),
    ("[me]", "[me]\ntimezone = \"Mars/Olympus\"", "config.toml:3: [me]: timezone = \"Mars/Olympus\": this machine knows no such time zone"),
    ("[me]", "[me]\nlanguage = \"english\"", "config.toml:3: [me]: language = \"english\": a language has two letters, such as \"en\""),
    ("[me]\naddresses = [\"alex@example.org\"]\n", "", "config.toml: there is no [me], so nobody knows who you are. Add for example:\n    [me]"),
    // sources
    ("name = \"home\"\n", "", "config.toml:4: [[mailbox]] number 1: `name` is missing: add name = \"work\""),
    ("name = \"home\"", "name = \"\"", "config.toml:5: [[mailbox]] number 1: name = \"\": a name is not empty"),
    ("name = \"home\"", "name = \"a/b\"", "config.toml:5: [[mailbox]] \"a/b\": name = \"a/b\": a name has no `/`"),
    ("", "[[calendar]]\nname = \"home\"\ntype = \"ics\"\npath = \"x\"\n", "config.toml:14: [[calendar]] \"home\": name = \"home\" is taken by [[mailbox]] \"home\": each source needs a name of its own"),
    ("type = \"maildir\"", "type = \"imapp\"", "config.toml:6: [[mailbox]] \"home\": type = \"imapp\": did you mean `imap`?"),
    ("type = \"maildir\"\n", "", "config.toml:4: [[mailbox]] \"home\": `type` is missing: add type = \"imap\" (or \"maildir\")"),
    ("path = \"~/Mail\"\n", "", "config.toml:4: [[mailbox]] \"home\": `path` is missing: add path = \"~/Mail\""),
    ("path = \"~/Mail\"", "path = \"\"", "config.toml:7: [[mailbox]] \"home\": path = \"\": a path must not be empty"),
    ("path = \"~/Mail\"", "path = \"~bob/Mail\"", "config.toml:7: [[mailbox]] \"home\": path = \"~bob/Mail\": only `~/` is understood"),
    ("path = \"~/Mail\"", "path = \"~/.local/state/kithd/x\"", "config.toml:7: [[mailbox]] \"home\": path = \"~/.local/state/kithd/x\": it lies inside the store (/home/alex/.local/state/kithd): keep them apart"),
    ("path = \"~/Mail\"", "path = \"~\"", "config.toml:7: [[mailbox]] \"home\": path = \"~\": the store (/home/alex/.local/state/kithd) lies inside it"),
    ("sync_state", "poll = \"soon\"\nsync_state", "config.toml:8: [[mailbox]] \"home\": poll = \"soon\": write a number and a unit: `90min`, `6h`, `3d`, `2w`, `6mo`, `1y`, `5m` (minutes)"),
    ("sync_state", "history = \"0d\"\nsync_state", "config.toml:8: [[mailbox]] \"home\": history = \"0d\": write a number and a unit"),
    ("sync_state", "folders = []\nsync_state", "config.toml:8: [[mailbox]] \"home\": `folders` is empty: leave it out for the default, or name a folder"),
    ("", "IMAP", "config.toml:17: [[mailbox]] \"work\": `password` is missing: add password = { command = "),
    ("", "IMAPpassword = \"hunter2\"\n", "config.toml:18: [[mailbox]] \"work\": a `password` is not written into this file, where backups and eyes find it. Say where it is: password = { command = "),
    ("", "IMAPpassword = {}\n", "config.toml:18: `password` of [[mailbox]] \"work\": say where it is: one of `command`, `file`, `env` or `credential`"),
    ("", "IMAPpassword = { comand = [\"pass\"] }\n", "config.toml:18: `password` of [[mailbox]] \"work\" has no key `comand`: did you mean `command`?"),
    ("", "IMAPpassword = { command = \"pass show work\" }\n", "config.toml:18: `password` of [[mailbox]] \"work\": `command` must be a list of texts, but is text: write command = [\"...\"], in brackets"),
    ("", "IMAPpassword = { command = [] }\n", "config.toml:18: `password` of [[mailbox]] \"work\": `command` names no program"),
    ("", "IMAPpassword = { env = \"PW\", file = \"x\" }\n", "config.toml:18: `password` of [[mailbox]] \"work\": `file` and `env` exclude each other: keep one"),
    ("", "IMAPpassword = { env = \"$PW\" }\n", "config.toml:18: `password` of [[mailbox]] \"work\": env = \"$PW\": the bare name of a variable"),
    ("", "IMAPpassword = { credential = \"../x\" }\n", "config.toml:18: `password` of [[mailbox]] \"work\": credential = \"../x\": the name of a credential of the unit, not a path"),
    ("", "IMAPPASSWORDoauth2 = { token_command = [\"t\"] }\n", "config.toml:19: [[mailbox]] \"work\": `password` and `oauth2` exclude each other: keep one"),
    ("", "IMAPoauth2 = { client_id = \"k\", token_url = \"https://x.example/\" }\n", "config.toml:18: `oauth2` of [[mailbox]] \"work\": `refresh_token` is missing: add refresh_token = { file = \"...\" }"),
    ("", "IMAPoauth2 = { token_command = [\"t\"], client_id = \"k\" }\n", "config.toml:18: `oauth2` of [[mailbox]] \"work\": `token_command` gives the token, so `client_id` has no use: keep one"),
    ("", "IMAPoauth2 = { client_id = \"k\", token_url = \"http://x.example/\", refresh_token = { env = \"T\" } }\n", "config.toml:18: `oauth2` of [[mailbox]] \"work\": `token_url` must begin with https://"),
    ("", "IMAPPASSWORDsecurity = \"none\"\n", "config.toml:19: [[mailbox]] \"work\": security = \"none\" is for this very machine only, and imap.example.org may be another: use \"tls\" or \"starttls\""),
    ("", "IMAPPASSWORDsecurity = \"ssl\"\n", "config.toml:19: [[mailbox]] \"work\": security = \"ssl\": "),
    ("", "IMAPPASSWORDport = 0\n", "config.toml:19: [[mailbox]] \"work\": port = 0: it must be 1 to 65535"),
    ("", "IMAPPASSWORDport = 99999\n", "config.toml:19: [[mailbox]] \"work\": port = 99999: it must be 1 to 65535"),
    ("", "[[mailbox]]\nname = \"w\"\ntype = \"imap\"\nhost = \"x.example:993\"\nusername = \"a\"\npassword = { env = \"P\" }\n", "config.toml:16: [[mailbox]] \"w\": host = \"x.example:993\": only the name of the host; the port goes into `port`"),
    ("", "[[calendar]]\nname = \"c\"\ntype = \"ics\"\n", "config.toml:13: [[calendar]] \"c\": say where it is: url = "),
    ("", "[[calendar]]\nname = \"c\"\ntype = \"ics\"\npath = \"x\"\nurl = \"https://x.example/\"\n", "config.toml:16: [[calendar]] \"c\": `url` and `path` exclude each other"),
    ("", "[[calendar]]\nname = \"c\"\ntype = \"caldav\"\nurl = \"ftp://x.example/\"\n", "config.toml:16: [[calendar]] \"c\": `url` must begin with https://, http:// or webcal://"),
    ("", "[[calendar]]\nname = \"c\"\ntype = \"caldav\"\nurl = \"https://me:hunter2@x.example/\"\n", "config.toml:16: [[calendar]] \"c\": `url` must not hold a user or password: use `username` and `password`"),
    ("", "[[calendar]]\nname = \"c\"\ntype = \"caldav\"\nurl = \"http://x.example/\"\nusername = \"a\"\npassword = { env = \"P\" }\n", "config.toml:16: [[calendar]] \"c\": a password does not go over plain http: use https://"),
    ("", "[[calendar]]\nname = \"c\"\ntype = \"caldav\"\nurl = \"https://x.example/\"\ninclude = [\"a\"]\nexclude = [\"b\"]\n", "config.toml:18: [[calendar]] \"c\": `include` and `exclude` exclude each other: keep one"),
    ("", "[[calendar]]\nname = \"c\"\ntype = \"ics\"\npath = \"x\"\nowner = \"me\"\n", "config.toml:17: [[calendar]] \"c\": owner = \"me\": this is no mail address"),
    ("", "[[address_book]]\nname = \"b\"\ntype = \"vcard\"\n", "config.toml:13: [[address_book]] \"b\": `path` is missing: add path = \"~/people.vcf\""),
    // delivery
    ("to = \"alex@example.org\"\n", "", "config.toml:9: [delivery]: `to` is missing: add to = \"alex@example.org\""),
    ("to = \"alex@example.org\"", "to = \"alxe@example.org\"", "config.toml:10: [delivery]: to = \"alxe@example.org\": kithd writes to you only, and this is none of [me] addresses: did you mean `alex@example.org`?"),
    ("to = \"alex@example.org\"", "to = \"alex@example.org\"\nfrom = \"boss@example.org\"", "config.toml:11: [delivery]: from = \"boss@example.org\": answers to a reminder go there, so it must be one of [me] addresses"),
    ("", "inbox = \"hoem\"\n", "config.toml:13: [delivery]: inbox = \"hoem\": no [[mailbox]] has this name: did you mean `home`?"),
    ("", "mailbox = \"home\"\n", "config.toml:13: [delivery] is of type \"maildir\" and has no key `mailbox`: that is for type \"append\""),
    // schedule
    ("", "[schedule]\ndays = []\n", "config.toml:14: [schedule]: `days` needs at least one day, such as \"mon\""),
    ("", "[schedule]\ndays = [\"mon\", \"tues\"]\n", "config.toml:14: [schedule]: \"tues\" in `days`: did you mean `tue`?"),
    ("", "[schedule]\nhours = \"18:00-08:00\"\n", "config.toml:14: [schedule]: hours = \"18:00-08:00\": the day must open before it closes: write them as \"08:00-18:00\""),
    ("", "[schedule]\nhours = \"8-18\"\n", "config.toml:14: [schedule]: hours = \"8-18\": write them as \"08:00-18:00\""),
    ("", "[schedule]\nper_day = 21\n", "config.toml:14: [schedule]: per_day = 21: it must be 0 to 20"),
    ("", "[schedule]\nper_day = -1\n", "config.toml:14: [schedule]: per_day = -1: it must be 0 to 20"),
    ("", "[schedule]\nper_contact = \"often\"\n", "config.toml:14: [schedule]: per_contact = \"often\": write a number and a unit"),
    ("", "[schedule]\nsummary = \"mon\"\n", "config.toml:14: [schedule]: summary = \"mon\": write a day and a time as \"mon 08:00\", or \"never\""),
    ("", "[schedule]\nsummary = \"moon 08:00\"\n", "config.toml:14: [schedule]: summary = \"moon 08:00\": did you mean `mon`?"),
    // rules, relationships, contacts
    ("", "[rules.follow_up]\nafter = \"soon\"\n", "config.toml:14: [rules.follow_up]: after = \"soon\": write it as \"3 working days\""),
    ("", "[relationships.friend]\nat_most = \"60d\"\n", "config.toml:13: [relationships.friend]: `every` is missing: add every = \"60d\""),
    ("", "[relationships.mentor]\nevery = \"90d\"\n", "config.toml:14: [relationships.mentor]: every = \"90d\" is longer than at_most = \"60d\" (the default): make at_most the longer one"),
    ("", "[relationships.done]\nevery = \"90d\"\n", "config.toml:13: [relationships.done]: `done` already means something in an answer: choose another word"),
    ("", "[relationships.\"Old Friend\"]\nevery = \"90d\"\n", "config.toml:13: [relationships.Old Friend]: \"Old Friend\" cannot be a relationship: use small letters"),
    ("", "[relationships.family]\nevery = \"90d\"\n", "config.toml:13: [relationships.family]: `family` has no interval: it is reminded of milestones only"),
    ("", "[[contact]]\naddresses = [\"d@x.example\"]\nrelationship = \"mentro\"\n", "config.toml:15: [[contact]] number 1: relationship = \"mentro\": did you mean `mentor`"),
    ("", "[[contact]]\nname = \"Dana\"\n", "config.toml:13: [[contact]] \"Dana\": `addresses` is missing: add addresses = [\"dana@uni.example\"]"),
    ("", "[[contact]]\naddresses = [\"alex+x@example.org\"]\n", "config.toml:14: [[contact]] number 1: \"alex+x@example.org\" in `addresses`: that is one of your own addresses"),
    ("", "[[contact]]\naddresses = [\"d@x.example\"]\n[[contact]]\naddresses = [\"D@x.example\"]\n", "config.toml:16: [[contact]] number 2: \"D@x.example\" in `addresses`: [[contact]] number 1 has this address already"),
    ("", "[[contact]]\naddresses = [\"d@x.example\"]\nevery = \"sometimes\"\n", "config.toml:15: [[contact]] number 1: every = \"sometimes\": write a number and a unit"),
    ("", "[control]\nallow = [\"a b\"]\n", "config.toml:14: [control]: \"a b\" in `allow`: the name of a user of this machine"),
];

#[test]
fn broken_configs_are_told_by_file_line_and_key() {
    let mut wrong = Vec::new();
    for (old, new, expected) in BROKEN {
        let new = new.replace("IMAP", IMAP).replace("PASSWORD", PASSWORD);
        match parse(&broken(old, &new)) {
            Ok(_) => wrong.push(format!("fine?\n  {new}\n  {expected}")),
            // one fault, one message: nothing that only follows from it
            Err(e) if e.faults.len() == 1 && e.to_string().starts_with(expected) => {}
            Err(e) => wrong.push(format!("{new}\n  is       {e}\n  expected {expected}")),
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(BROKEN.len() >= 50);
}

#[test]
fn what_is_missing_altogether_is_told_with_an_example() {
    let check = |text: &str, expected: &[&str]| {
        let said = parse(text).unwrap_err().to_string();
        for part in expected {
            assert!(said.contains(part), "{said}");
        }
    };
    check("", &["there is no [me]", "there is nothing to read", "there is no [delivery]"]);
    let without_delivery = LEAST.split("[delivery]").next().unwrap();
    check(
        without_delivery,
        &["config.toml: there is no [delivery], so nobody knows where reminders go. Add for example:
    [delivery]
    to = \"alex@example.org\"
    type = \"maildir\"
    path = \"~/Mail/reminders\""],
    );
    let homeless = Surroundings { home: None, ..around() };
    let said = read(LEAST, Path::new("c.toml"), &homeless).unwrap_err().to_string();
    assert!(said.contains("where shall the store lie?") && said.contains("`~` needs $HOME"), "{said}");
}

#[test]
fn all_faults_are_told_at_once_and_by_line() {
    let text = broken("", "banana = 1\n[schedule]\nhours = \"x\"\nper_dya = 1\n[control]\nalow = []\n");
    let error = parse(&text).unwrap_err();
    let lines: Vec<_> = error.faults.iter().map(|f| f.line).collect();
    assert_eq!(lines, [Some(13), Some(15), Some(16), Some(18)], "{error}");
}

#[test]
fn a_secret_that_was_written_down_is_not_repeated() {
    let canaries = [
        "password = \"CANARY\"",
        "password = \"CANARY",
        "password = { command = \"CANARY\" }",
        "password = { file = 1, CANARY }",
        "url = \"https://me:CANARY@x.example/\"",
        "url = \"CANARY\"",
        "oauth2 = \"CANARY\"",
        "oauth2 = { client_secret = \"CANARY\" }",
    ];
    for line in canaries {
        let text = format!("{LEAST}[[calendar]]\nname = \"c\"\ntype = \"ics\"\n{line}\n");
        let error = parse(&text).unwrap_err();
        assert!(!format!("{error} {error:?}").contains("CANARY"), "{error}");
    }
    let config =
        good(&format!("{LEAST}[[calendar]]\nname = \"c\"\ntype = \"ics\"\nurl = \"http://x.example/CANARY\"\n"));
    assert!(!format!("{config:?}").contains("CANARY"), "{config:?}");
}

#[test]
fn what_is_unusual_is_a_warning() {
    let check = |old, new: &str, expected: &str| {
        let warnings = good(&broken(old, new)).warnings;
        assert!(warnings.len() == 1 && warnings[0].starts_with(expected), "{new}: {warnings:?}");
    };
    check("sync_state = [\"~/.mbsync/*\"]\n", "", "config.toml:7: [[mailbox]] \"home\": without `sync_state`");
    check("", "[schedule]\nper_day = 0\n", "config.toml:14: [schedule]: per_day = 0");
    check("", "[schedule]\nsummary = \"sun 09:00\"\n", "config.toml:14: [schedule]: the summary lies outside");
    check("", "[rules.milestone]\nafter = \"2d\"\n", "config.toml:14: [rules.milestone]: `after` has no effect");
    check("", "retire = true\n", "config.toml:13: [delivery]: retire = true has no effect");
    check("[me]", "[me]\nlanguage = \"xx\"", "config.toml:3: [me]: there are no words for \"xx\" yet");
    check(
        "path = \"~/Mail\"\nsync_state",
        "path = \"~/Other\"\nsync_state",
        "config.toml:10: [delivery]: no [[mailbox]] is known to receive",
    );
    check(
        "",
        "[[calendar]]\nname = \"c\"\ntype = \"ics\"\nurl = \"http://x.example/\"\n",
        "config.toml:16: [[calendar]] \"c\": plain http to x.example",
    );
}

#[test]
fn odd_files_end_in_words() {
    for text in [
        "\u{feff}",
        "\0",
        "[[[[",
        "a.b.c = 1",
        "=",
        "\r\n\r\n",
        "me = 1",
        "mailbox = [1, {}]",
        "relationships = { a = 1 }",
    ] {
        assert!(parse(text).is_err(), "{text:?}");
    }
    assert!(parse(&"[".repeat(100_000)).is_err());
    assert!(parse(&format!("a = {}", "[".repeat(100_000))).is_err());
    assert!(parse(&"#".repeat(2 << 20)).unwrap_err().to_string().contains("this is no config"));
    good(&format!("\u{feff}{}", LEAST.replace('\n', "\r\n")));
}
