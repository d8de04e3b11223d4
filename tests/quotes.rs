//! New text of invented mail, by language and client: `corpus/quotes/*.txt`. A case is `#case`
//! with its name, the mail, `#new` with what is new in it, and `#closing` with its closing.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::print_stdout)]

use kithd::read::new_text::{NewText, new_text};

mod measure;

use measure::fold;

#[test]
fn clients_and_languages() {
    let mut files: Vec<_> = std::fs::read_dir("tests/corpus/quotes").unwrap().map(|e| e.unwrap().path()).collect();
    files.sort();
    let (mut count, mut missed) = (0, Vec::new());
    for file in files {
        let text = std::fs::read_to_string(&file).unwrap();
        for case in text.split("#case ").skip(1) {
            let (name, rest) = case.split_once('\n').unwrap();
            let (mail, rest) = rest.split_once("\n#new\n").unwrap();
            let (new, closing) = rest.split_once("#closing\n").unwrap();
            let found = new_text(mail);
            count += 1;
            if fold(&found.text) != fold(new) || fold(&found.closing) != fold(closing) {
                let name = format!("{}: {name}", file.file_stem().unwrap().to_string_lossy());
                missed.push(format!("== {name}\n{mail}\n-- found\n{}\n-- closing\n{}", found.text, found.closing));
            }
        }
    }
    println!("{} of {count} invented cases", count - missed.len());
    assert!(count >= 120 && missed.is_empty(), "{}", missed.join("\n"));
}

/// Input that tries to make reading slow: each must stay within what an honest mail costs.
fn hostile() -> Vec<String> {
    let fill = |unit: &str| unit.repeat(kithd::limits::TEXT_BYTES / unit.len());
    [
        "> ",
        ">\n",
        "> a\n",
        ">>> a >>>\n",
        "\n",
        " \n",
        "\r",
        "On ",
        "On 1/1/2020 ",
        "On 1/1/2020 a\n",
        "wrote ",
        "wrote:\n",
        "wrote",
        "wrote:",
        "a@b.c wrote\n",
        "On 2020-01-01 10:00 wrote\n",
        "From: a\n",
        "From: a,\n",
        "To: a@b.c,\nx@y,\n",
        "a@b.c\n",
        "-",
        "--\n",
        "-- \n",
        "---\n",
        "Sent from my iPhone\n",
        "Sent from my iPhone\n\n",
        "Best,\n",
        "Best,\n\n",
        "DI> a\n",
        "| \n",
        "-----Original Message-----\n",
        "-----Original Message-----\nFrom: a\n",
        "<",
        "<\n",
        "@",
        "::::",
        "=20",
        "=20\n",
        "\u{200f}",
        "写道",
        "写道：\n",
        "在 2020年1月1日 ",
        "İ",
        "Forwarded by\n",
        "2020-01-01 10:00 GMT\n",
        "2020-01-01 10:00 a <a@b.c>:\n",
        "1:23 ",
        "if you are not the intended recipient\n",
        "if you are not the intended recipient\n\n",
        "a:\n",
        "a:\n> b\n",
        "Am 1.1.2020 um 10:00 schrieb\n",
        "On 1/1/2020 <a@b.c\n> wrote:\nx\n",
        "          a: b   To: c   cc: d\n",
    ]
    .iter()
    .map(|unit| fill(unit))
    .collect()
}

#[test]
fn hostile_input_is_read_in_linear_time() {
    for text in hostile() {
        let start = std::time::Instant::now();
        let found = new_text(&text);
        let spent = start.elapsed();
        let unit: String = text.chars().take(24).collect();
        if spent.as_millis() > 100 {
            println!("{unit:?}: {spent:?}");
        }
        assert!(found.text.len() <= text.len(), "{unit:?}");
        assert!(spent.as_secs() < 3, "{unit:?}: {spent:?}");
    }
}

/// What must hold for any input.
fn holds(text: &str) {
    let NewText { text: new, body, closing } = new_text(text);
    let lines = |s: &str| s.split(['\n', '\r']).map(str::to_string).collect::<Vec<_>>();
    let within = |part: &str, whole: &str| {
        let whole = lines(whole);
        let mut rest = whole.iter();
        lines(part).iter().filter(|l| !l.is_empty()).all(|l| rest.any(|w| w == l))
    };
    assert!(within(&new, text), "lines of the input, in order: {text:?} -> {new:?}");
    assert!(within(&body, &new) && within(&closing, &new), "{new:?} -> {body:?} {closing:?}");
}

/// Pieces that mails are made of, to be put together at random.
const PIECES: &[&str] = &[
    "Yes.",
    "Best,",
    "Dana",
    "",
    "",
    "> quoted",
    ">> deeper",
    "On 11 May 2026, at 09:15, Dana Ito <dana@uni.example> wrote:",
    "-----Original Message-----",
    "From: Dana Ito <dana@uni.example>",
    "To: tom@work.example",
    "Subject: Slides",
    "-- ",
    "Sent from my iPhone",
    "Could you send it?",
    "________________________________",
    "wrote:",
    "| bar",
    "DI> initials",
    "Am 11.05.26 um 09:15 schrieb Dana Ito:",
    "---------- Forwarded message ---------",
    "<dana@uni.example>",
    ">>> x <<<",
    "If you are not the intended recipient, delete this.",
    "a\u{301}\u{202b}b",
    "写道：",
];

proptest::proptest! {
    #![proptest_config(proptest::test_runner::Config { failure_persistence: None, ..Default::default() })]
    #[test]
    fn any_text(text in "\\PC*") { holds(&text); }

    #[test]
    fn any_mail(picks in proptest::collection::vec(0..PIECES.len(), 0..30), ends in 0..3usize) {
        let end = ["\n", "\r\n", "\r"][ends];
        holds(&picks.iter().map(|p| PIECES[*p]).collect::<Vec<_>>().join(end));
    }
}

#[test]
fn reading_twice_changes_nothing() {
    let (mut same, mut all) = (0, 0);
    for file in std::fs::read_dir("tests/corpus/quotes").unwrap() {
        let text = std::fs::read_to_string(file.unwrap().path()).unwrap();
        for case in text.split("#case ").skip(1) {
            let mail = case.split_once('\n').unwrap().1.split_once("\n#new\n").unwrap().0;
            let once = new_text(mail).text;
            all += 1;
            same += usize::from(new_text(&once).text == once);
        }
    }
    assert!(same * 100 >= all * 99, "{same} of {all}");
}

/// HTML as each client makes it: `corpus/html/*.html`, and below `===` the new text it holds. Those
/// named `own-` answer nothing.
#[test]
fn html_of_clients() {
    let mut files: Vec<_> = std::fs::read_dir("tests/corpus/html").unwrap().map(|e| e.unwrap().path()).collect();
    files.sort();
    let mut missed = Vec::new();
    for file in &files {
        let text = std::fs::read_to_string(file).unwrap();
        let (html, wanted) = text.split_once("\n===\n").unwrap();
        let name = file.file_stem().unwrap().to_string_lossy();
        let answers = if name.starts_with("own-") { "" } else { "In-Reply-To: <1@example.org>\n" };
        let mail = format!(
            "From: Dana Ito <dana@uni.example>\nTo: alex@example.org\nSubject: Tuesday\n{answers}MIME-Version: 1.0\n\
             Content-Type: text/html; charset=utf-8\nContent-Transfer-Encoding: 8bit\n\n{html}\n"
        );
        let found = measure::read_mail(&name, mail.as_bytes()).unwrap().new_text;
        if fold(&found) != fold(wanted) {
            missed.push(format!("== {name}\n-- found\n{found}\n-- wanted\n{wanted}"));
        }
    }
    assert!(files.len() >= 30 && missed.is_empty(), "{} of {}:\n{}", missed.len(), files.len(), missed.join("\n"));
}
