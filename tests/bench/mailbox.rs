//! A mailbox to measure on: the same bytes for the same seed and size. Two thirds are newsletters and
//! notices, a third are threads of people, as in a working mailbox; sizes follow those of real ones
//! (2 to 4 KB of header, bodies from 1 KB to some 100 KB).

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use kithd::time::{DAY, Timestamp};

/// xorshift64*: the same everywhere.
pub struct Dice(u64);

impl Dice {
    pub fn new(seed: u64) -> Dice {
        Dice(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    pub fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D)
    }

    pub fn below(&mut self, n: u64) -> u64 {
        self.next() % n
    }

    fn word(&mut self, length: usize) -> String {
        let letters = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+/";
        (0..length).map(|_| char::from(letters[self.below(64) as usize])).collect()
    }

    fn pick<'a>(&mut self, from: &[&'a str]) -> &'a str {
        from[self.below(from.len() as u64) as usize]
    }
}

const FIRST: [&str; 16] = [
    "Anna", "Ben", "Carla", "David", "Eva", "Felix", "Greta", "Ivan", "Julia", "Kenji", "Lena", "Mario", "Nadia",
    "Oskar", "Priya", "Rosa",
];
const LAST: [&str; 20] = [
    "Weber", "Smith", "Rossi", "Garcia", "Novak", "Sato", "Chen", "Dubois", "Jensen", "Kowalski", "Fischer", "Patel",
    "Kim", "Silva", "Costa", "Haas", "Braun", "Moss", "Abel", "Ito",
];
const SENTENCES: [&str; 14] = [
    "Thanks for the quick turnaround.",
    "I had a look at the draft and have a few comments inline.",
    "The numbers in section three do not add up yet.",
    "We moved the call to Thursday at ten.",
    "The deployment went fine, no errors so far.",
    "Let me check with the team and come back to you.",
    "That works for me.",
    "The invoice was paid on the 14th.",
    "Could you send me the figures by Friday?",
    "Can you confirm the date?",
    "I will send you the draft tomorrow.",
    "Das schicke ich dir bis Freitag.",
    "It would be good to settle this before the end of the month.",
    "Attached is the updated schedule.",
];

/// A message as a server stores it, with LF.
pub fn message(n: usize, at: Timestamp, sent: bool, dice: &mut Dice) -> String {
    let kind = if sent { 9 } else { dice.below(10) };
    let person = dice.below(300);
    let name = format!("{} {}", FIRST[(person % 16) as usize], LAST[(person / 16) as usize % 20]);
    let them = format!("{name} <p{person}@firm{}.example>", person % 40);
    let me = "Alex Doe <alex@example.org>";
    let date = kithd::time::Zone::utc().local(at).strftime("%a, %d %b %Y %H:%M:%S +0000").to_string();
    let mut mail = String::new();
    for hop in 0..3 + dice.below(4) {
        let _ = writeln!(
            mail,
            "Received: from mx{hop}.relay.example (mx{hop}.relay.example [192.0.2.{}])\n\tby mail.example.org (Postfix) with ESMTPS id {}\n\tfor <alex@example.org>; {date}",
            dice.below(250),
            dice.word(11)
        );
    }
    let _ = writeln!(
        mail,
        "DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed; d=firm.example; s=s1;\n\th=from:to:subject:date:message-id; bh={};\n\tb={}\n\t {}\n\t {}",
        dice.word(44),
        dice.word(70),
        dice.word(70),
        dice.word(70)
    );
    let _ = writeln!(mail, "Authentication-Results: mail.example.org; dkim=pass header.d=firm.example; spf=pass");
    let (from, to) = if sent { (me, them.as_str()) } else { (them.as_str(), me) };
    let _ = writeln!(mail, "Date: {date}\nMessage-ID: <m{n}.{}@firm.example>\nMIME-Version: 1.0", dice.below(1 << 40));
    let words = |dice: &mut Dice, n: u64| (0..n).map(|_| dice.pick(&SENTENCES)).collect::<Vec<_>>().join(" ");
    match kind {
        0..=3 => {
            let _ = writeln!(
                mail,
                "From: News of firm {0} <news@list{0}.example>\nTo: {me}\nSubject: {1}\nList-Unsubscribe: <https://list{0}.example/u/{2}>\nList-Id: <news.list{0}.example>\nPrecedence: bulk\nX-Campaign: {2}\nContent-Type: text/html; charset=utf-8\nContent-Transfer-Encoding: 8bit\n",
                dice.below(60),
                words(dice, 1),
                dice.word(24)
            );
            for _ in 0..20 + dice.below(60) {
                let _ = writeln!(
                    mail,
                    "<tr><td style=\"padding:12px;font-family:Arial\"><a href=\"https://click.example/{}\"><img src=\"https://img.example/{}.png\"></a><p>{}</p></td></tr>",
                    dice.word(40),
                    dice.word(12),
                    words(dice, 3)
                );
            }
        }
        4..=6 => {
            let _ = writeln!(
                mail,
                "From: Service <no-reply@service{0}.example>\nTo: {me}\nSubject: Build {n} finished\nAuto-Submitted: auto-generated\nContent-Type: text/plain; charset=utf-8\n\nYour build {n} is ready. {1}",
                dice.below(30),
                words(dice, 4)
            );
        }
        _ => {
            let about = dice.below(20_000);
            let _ = writeln!(
                mail,
                "From: {from}\nTo: {to}\nSubject: Re: Project {about}\nIn-Reply-To: <t{about}@firm.example>\nReferences: <t{about}@firm.example>\nContent-Type: text/plain; charset=utf-8\n\nHi,\n\n{}\n\n{}\n\nBest,\n{}\n\nOn Tuesday {name} wrote:",
                words(dice, 3),
                words(dice, 2),
                from.split(' ').next().unwrap_or_default()
            );
            for _ in 0..dice.below(12) {
                let _ = writeln!(mail, "> {}", words(dice, 2));
            }
            if dice.below(5) == 0 {
                for _ in 0..dice.below(600) {
                    let _ = writeln!(mail, "{}", dice.word(76));
                }
            }
        }
    }
    mail
}

/// Writes a Maildir of `size` messages of the two years before `until`; every eighth is in `.Sent`.
pub fn write(root: &Path, size: usize, seed: u64, until: Timestamp) {
    let mut dice = Dice::new(seed);
    for folder in ["", ".Sent"] {
        for part in ["cur", "new", "tmp"] {
            fs::create_dir_all(root.join(folder).join(part)).unwrap();
        }
    }
    let span = 720 * DAY;
    for n in 0..size {
        let at = until.minus(span - span * n as i64 / size as i64);
        let sent = n % 8 == 7;
        let text = message(n, at, sent, &mut dice);
        let second = at.second();
        let name = format!("{second}.M{n}P1.bench,S={}:2,S", text.len());
        let path = root.join(if sent { ".Sent" } else { "" }).join("cur").join(name);
        fs::write(&path, text).unwrap();
        let file = fs::File::options().write(true).open(&path).unwrap();
        let time = std::time::UNIX_EPOCH + std::time::Duration::from_secs(second as u64);
        file.set_modified(time).unwrap();
    }
}
