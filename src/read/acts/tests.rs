#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]
use proptest::prelude::*;

use super::*;
use crate::evidence::{Announcement, Due, Marks};

fn date(text: &str) -> Date {
    text.parse().unwrap()
}

fn facts(body: &str, subject: &str, recipients: u32) -> TextFacts {
    let text = NewText { text: body.to_string(), body: body.to_string(), closing: String::new() };
    let context = ActContext { subject, written_on: date("2026-05-13"), attachment: false, recipients };
    text_facts(&text, &context)
}

fn kinds(body: &str) -> Vec<ActKind> {
    facts(body, "", 1).acts.into_iter().map(|a| a.kind).collect()
}

/// One file a language below tests/corpus/acts: kind (or the mark `delivers`), `+` or `-`, an invented sentence.
#[test]
fn invented_sentences_of_every_language_are_read_right() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus/acts");
    let (mut read, mut wrong) = (0, Vec::new());
    for (language, _) in crate::read::lexicon::FILES {
        let text = std::fs::read_to_string(folder.join(format!("{language}.tsv"))).unwrap();
        for line in text.lines() {
            let [kind, sign, sentence] = line.split('\t').collect::<Vec<_>>()[..] else { panic!("{language}: {line}") };
            let found = if kind == "delivers" {
                facts(sentence, "", 1).marks.delivers
            } else {
                let kind: ActKind = serde_json::from_value(serde_json::Value::String(kind.to_string())).unwrap();
                sentence_acts(sentence, date("2026-05-13")).iter().any(|a| a.kind == kind)
            };
            read += 1;
            if found != (sign == "+") {
                wrong.push(format!("{language}: {line}"));
            }
        }
    }
    assert!(read > 1000 && wrong.is_empty(), "{} of {read}:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn acts_come_in_the_order_of_the_text() {
    use ActKind::{Commitment, Question, Request, Thanks};
    assert_eq!(kinds("Thanks for the book. Could you send me the other?"), [Thanks, Question, Request]);
    assert_eq!(kinds("Hi Dana,\n\nI'll call you tomorrow. Please send the plan."), [Commitment, Request]);
    assert_eq!(kinds("Please send me the plan."), [Request]);
    assert_eq!(kinds("When does it start?"), [Question]);
    assert_eq!(kinds(""), []);
    assert_eq!(kinds(&"Send me this one please. Why? ".repeat(50)).len(), 2, "each sentence once");
}

#[test]
fn an_introduction_needs_two_recipients() {
    let intro = |subject, recipients| {
        facts("Ann, Bob: enjoy!", subject, recipients).acts.iter().any(|a| a.kind == ActKind::Introduction)
    };
    assert!(intro("Ann <> Bob", 2));
    assert!(intro("Intro: Ann and Bob", 3));
    assert!(!intro("Ann <> Bob", 1));
    assert!(!intro("Plans for May", 2));
    let told = |recipients| facts("Happy to put you in touch.", "", recipients).acts.len();
    assert_eq!((told(1), told(2)), (0, 1));
}

/// The Wednesday all of it is written on.
#[test]
fn due_dates_are_civil_dates_from_the_day_of_writing() {
    let check = |sentence: &str, expected: Option<(&str, bool)>| {
        let acts = sentence_acts(sentence, date("2026-05-13"));
        let act = acts.iter().find(|a| a.kind == ActKind::Commitment || a.kind == ActKind::Request);
        let due = act.unwrap_or_else(|| panic!("no act: {sentence}")).due;
        let expected = expected.map(|(d, explicit)| Due { date: date(d), explicit });
        assert_eq!(due, expected, "{sentence}");
    };
    check("I'll send it by Friday.", Some(("2026-05-15", true)));
    check("I'll send it by Wednesday.", Some(("2026-05-13", true)));
    check("I'll send it next Tuesday.", Some(("2026-05-19", true)));
    check("I'll send it tomorrow.", Some(("2026-05-14", true)));
    check("I'll send it by EOD.", Some(("2026-05-13", true)));
    check("I'll send it by EOD Friday.", Some(("2026-05-15", true)));
    check("I'll send it by end of the week.", Some(("2026-05-15", true)));
    check("I'll send it next week.", Some(("2026-05-22", true)));
    check("I'll send it Tuesday next week.", Some(("2026-05-19", true)));
    check("I'll send it by 12 June.", Some(("2026-06-12", true)));
    check("I'll send it before May 20th.", Some(("2026-05-20", true)));
    check("I'll send it by Friday, 5 June 2026.", Some(("2026-06-05", true)));
    check("I'll send it by 3 January.", Some(("2027-01-03", true)));
    check("I'll send it by 2026-06-01.", Some(("2026-06-01", true)));
    check("I'll send it by 5/28.", Some(("2026-05-28", true)));
    check("I'll send it by 28/5.", Some(("2026-05-28", true)));
    check("I'll send it by 5/6.", None);
    check("I'll send it by the end of the month.", Some(("2026-05-31", true)));
    check("I'll send it within two weeks.", Some(("2026-05-27", true)));
    check("I'll send it in 3 days.", Some(("2026-05-16", true)));
    check("I'll send it soon.", Some(("2026-05-15", false)));
    check("I'll send it asap.", Some(("2026-05-15", false)));
    check("I'll send it.", None);
    check("I'll send the notes from Monday.", None);
    check("I'll send the notes of last Friday.", None);
    check("I'll prepare Friday's meeting.", None);
    check("I will march 5 miles and send it.", Some(("2027-03-05", true)));
    check("Ich schicke es dir bis Freitag.", Some(("2026-05-15", true)));
    check("Ich schicke es dir bis zum 20. Mai.", Some(("2026-05-20", true)));
    check("Ich schicke es dir bis 20.5.", Some(("2026-05-20", true)));
    check("Ich schicke es dir nächste Woche.", Some(("2026-05-22", true)));
    check("Ich schicke es dir übermorgen.", Some(("2026-05-15", true)));
    check("Je t'envoie le fichier avant vendredi.", Some(("2026-05-15", true)));
    check("Je t'envoie le fichier lundi prochain.", Some(("2026-05-18", true)));
    check("Je t'envoie le fichier d'ici le 20 mai.", Some(("2026-05-20", true)));
    check("Te envío el archivo antes del viernes.", Some(("2026-05-15", true)));
    check("Te envío el archivo pasado mañana.", Some(("2026-05-15", true)));
    check("Te envío el archivo el 20 de mayo.", Some(("2026-05-20", true)));
    check("Ti mando il file entro venerdì.", Some(("2026-05-15", true)));
    check("Ik stuur het bestand uiterlijk vrijdag.", Some(("2026-05-15", true)));
    check("Vou enviar o arquivo até sexta-feira.", Some(("2026-05-15", true)));
    check("Jag skickar filen senast fredag.", Some(("2026-05-15", true)));
    check("Wyślę plik do piątku.", Some(("2026-05-15", true)));
    check("Пришлю файл до пятницы.", Some(("2026-05-15", true)));
    check("金曜日までに送付します。", Some(("2026-05-15", true)));
    check("来週の月曜日にご連絡します。", Some(("2026-05-18", true)));
    check("5月20日までにお送りします。", Some(("2026-05-20", true)));
    check("我会在周五之前发给您。", Some(("2026-05-15", true)));
    check("금요일까지 보내드리겠습니다.", Some(("2026-05-15", true)));
}

#[test]
fn the_salutation_names_its_first_word() {
    let check = |body: &str, expected: Option<&str>| {
        assert_eq!(facts(body, "", 1).salutation.as_deref(), expected, "{body}");
    };
    check("Hi Alex,\n\nhow is it?", Some("alex"));
    check("Dear Mr. Smith,\nplease call.", Some("smith"));
    check("Dear Dr. Ada Byron:\nplease call.", Some("ada"));
    check("Hi all,\nplease call.", None);
    check("Hello there!\nplease call.", None);
    check("Hi Tom, could you call me?", Some("tom"));
    check("Alex,\n\ncould you call me?", Some("alex"));
    check("Thanks,\nBob", None);
    check("Liebe Anna,\nkommst du?", Some("anna"));
    check("Sehr geehrter Herr Dr. Maier,\nbitte rufen Sie an.", Some("maier"));
    check("Cher Marc,\nmerci.", Some("marc"));
    check("Bonjour Madame Roy,\nmerci.", Some("roy"));
    check("Hola Ana:\ngracias.", Some("ana"));
    check("田中様\n\nお世話になっております。", Some("田中"));
    check("株式会社青空 営業部\n田中太郎様\n\nお世話になっております。", Some("田中太郎"));
    check("李老师，\n您好！", Some("李"));
    check("김민수 님,\n안녕하세요.", Some("김민수"));
    check("Привет, Аня!\nКак ты?", Some("аня"));
    check("We met in the park.\nIt rained.", None);
}

#[test]
fn marks_are_set_by_what_is_said() {
    let mark = |body: &str, read: fn(&Marks) -> bool, expected: bool| {
        assert_eq!(read(&facts(body, "", 1).marks), expected, "{body}");
    };
    mark("See https://x.example/a", |m| m.link, true);
    mark("I met them at the fair, see www.fair.example for when it is.", |m| m.link, true);
    mark("The plan is good.\n\nTom Lang\nLang Ltd\nwww.lang.example", |m| m.link, false);
    mark("The plan is good.\n\nTom Lang, Lang Ltd\nhttps://lang.example/", |m| m.link, false);
    mark("Fine.\nThanks, Bob", |m| m.thanks_token, true);
    mark("Merci d'avance", |m| m.thanks_token, true);
    mark("Attached is the plan.", |m| m.delivers, true);
    mark("Wie versprochen die Datei.", |m| m.delivers, true);
    mark("The plan is good.", |m| m.delivers, false);
    mark("FYI, we moved.", |m| m.no_reply_needed, true);
    mark("Pas besoin de répondre.", |m| m.no_reply_needed, true);
    mark("No rush at all.", |m| m.no_rush, true);
    mark("Unfortunately I have to decline.", |m| m.declines, true);
    mark("Lamentablemente no podré ir.", |m| m.declines, true);
    mark("Congratulations on the new flat!", |m| m.congratulates, true);
    mark("Alles Gute zum Geburtstag!", |m| m.congratulates, true);
    mark("I could use your advice.", |m| m.advice, true);
    mark("Could you do me a favour?", |m| m.favour_asked, true);
    mark("The help desk is closed.", |m| m.favour_asked, false);
    mark("Worth a quick call next week?", |m| m.offers_call, true);
    mark("I'll introduce you to Leo.", |m| m.promises_meeting, true);
    mark("I'll set up a call for Monday.", |m| m.promises_meeting, true);
    mark("The call was set up badly.", |m| m.promises_meeting, false);
}

/// A sentence that may hand over at once promises nothing in a mail that does.
#[test]
fn a_mail_with_a_file_hands_it_over() {
    let promises = |body: &str, attachment| {
        let text = NewText { text: body.to_string(), body: body.to_string(), closing: String::new() };
        let context = ActContext { subject: "", written_on: date("2026-05-13"), attachment, recipients: 1 };
        text_facts(&text, &context).acts.iter().any(|a| a.kind == ActKind::Commitment)
    };
    for body in ["Te envío el informe.", "Je vous transmets le dossier.", "Ich schicke dir die Bilder."] {
        assert_eq!((promises(body, true), promises(body, false)), (false, true), "{body}");
    }
    assert!(promises("Te envío el resto mañana.", true));
    assert!(promises("I'll send you the rest.", true));
}

#[test]
fn announcements_are_of_the_writer() {
    let check = |body: &str, expected: Option<Announcement>| {
        assert_eq!(facts(body, "", 1).marks.announces, expected, "{body}");
    };
    check("Next month I am starting a new job.", Some(Announcement::NewJob));
    check("I've been promoted to team lead.", Some(Announcement::Promotion));
    check("We're getting married in June!", Some(Announcement::Wedding));
    check("Unsere Tochter ist geboren!", Some(Announcement::Baby));
    check("Vendredi sera mon dernier jour ici.", Some(Announcement::Farewell));
    check("Me han ascendido.", Some(Announcement::Promotion));
    check("When is your last day?", None);
    check("Nothing new here.", None);
}

#[test]
fn words_are_counted_in_every_script() {
    for (text, expected) in [("", 0), ("one two, three", 3), ("it's e-mail", 2), ("今日は晴れ", 3), ("a 今日 b", 3)]
    {
        assert_eq!(words(text), expected, "{text}");
    }
}

const PIECES: &[&str] = &[
    "I'll send",
    "by Friday",
    "please",
    "?",
    ". ",
    "\n",
    "if you",
    "ありがとう",
    "。",
    "12/5",
    "May",
    "- ",
    "= =20",
    "Hi Ann,\n",
    "in 5 days",
    "٣",
    "İ",
    "\u{301}",
    "thanks for",
];

fn squeezed(text: &str) -> String {
    text.chars().filter(|c| !c.is_whitespace()).collect()
}

proptest! {
    #[test]
    fn nothing_panics_and_every_act_stands_in_the_text(
        words in prop::collection::vec(
            prop_oneof![
                prop::sample::select(PIECES).prop_map(str::to_string),
                "\\PC{0,12}",
            ],
            0..60,
        ),
        subject in "\\PC{0,40}",
    ) {
        let body = words.join(" ");
        for act in facts(&body, &subject, 2).acts {
            prop_assert!(act.text.len() <= limits::SENTENCE_BYTES);
            prop_assert!(squeezed(&body).contains(&squeezed(&act.text)) || squeezed(&subject).contains(&squeezed(&act.text)));
        }
    }
}
