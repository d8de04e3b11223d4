//! The last weeks: what causes each rule to speak, and beside it what looks alike and does not. Room of `demo`.

use super::calendar;
use super::days::{Days, english_day, english_month};
use super::mail::{Draft, Mailbox};
use super::people::{
    ALEX, ALEX_WORK, ANTON, BEN, BOT, FARID, GREGOR, INES, JULIA, LEE, MAYA, MINA, NORA, OLIVIA, PAULA, PRIYA, RAFAEL,
    RUTH, TOM, TOMASZ, XENIA, ZOE,
};

/// Posts all of it.
pub fn post(days: &Days, mailbox: &mut Mailbox<'_>) {
    interview(days, mailbox);
    first_meetings(days, mailbox);
    introduction(days, mailbox);
    favour(days, mailbox);
    questions_of_alex(days, mailbox);
    questions_to_alex(days, mailbox);
    promises(days, mailbox);
    news(days, mailbox);
}

/// Three people interviewed Alex and nobody was thanked; and Alex interviewed Mina, which asks for nothing.
fn interview(days: &Days, mailbox: &mut Mailbox<'_>) {
    let text = "Hi Alex,\n\nthe team enjoyed reading your portfolio and would love to meet you for an interview. Claire, Felix and Amara will be there, and the invitation comes from our scheduling tool.";
    let asked = mailbox.post(Draft::new(days.working(9, 10, 5), PAULA, ALEX, "Lead Service Designer at Aurora", text));
    let text = "Dear Paula,\n\nthat is wonderful news, thank you. I am looking forward to meeting all three.";
    mailbox.answer(&asked, Draft::new(days.working(9, 12, 40), ALEX, PAULA, "", text));
    let event = calendar::interview(days);
    let text = "You have been invited: Interview: Alex Doe, Lead Service Designer.";
    let draft = Draft::new(days.working(8, 9, 0), BOT, ALEX, "Invitation: Interview: Alex Doe", text)
        .field("Auto-Submitted", "auto-generated")
        .inviting("REQUEST", event.clone().unanswered().invitation("REQUEST", days));
    let invited = mailbox.post(draft);
    let reply = event.answer_of_alex().invitation("REPLY", days);
    let draft = Draft::new(days.working(8, 9, 30), ALEX, BOT, "", "Alex Doe has accepted this invitation.");
    mailbox.answer(&invited, draft.inviting("REPLY", reply));
    let text = "Hello Alex,\n\nthank you for the kind conversation. Whatever comes of it, I learned a lot.";
    mailbox.post(Draft::new(days.working(3, 17, 10), MINA, ALEX_WORK, "Our conversation", text));
}

fn first_meetings(days: &Days, mailbox: &mut Mailbox<'_>) {
    // Maya hosted a first coffee, and nothing was said since
    let text = "Dear Maya,\n\nyour article on ferries as public rooms has stayed with me. I am thinking about mobility work myself and would value your advice. Would you have time for a coffee?";
    let wrote = mailbox.post(Draft::new(days.working(8, 18, 0), ALEX, MAYA, "Your article on ferries", text));
    let text = "Dear Alex,\n\nwhat a kind note. Coffee it is, my treat, by the canal. You find the invitation below.";
    let event = calendar::coffee_with_maya(days);
    let draft = Draft::new(days.working(7, 9, 45), MAYA, ALEX, "", text);
    let invited =
        mailbox.answer(&wrote, draft.inviting("REQUEST", event.clone().unanswered().invitation("REQUEST", days)));
    let reply = event.answer_of_alex().invitation("REPLY", days);
    let draft = Draft::new(days.working(7, 10, 15), ALEX, MAYA, "", "Accepted, and looking forward to it.");
    mailbox.answer(&invited, draft.inviting("REPLY", reply));
    // Ben hosted one too and has been thanked
    let text = "Hi Alex,\n\nRuth mentioned that you are looking for somebody who trains facilitators. I am one of those. The coffee by the station is good.";
    let came = mailbox.post(Draft::new(days.working(8, 11, 30), BEN, ALEX, "Coffee by the station", text));
    let text = "Hi Ben,\n\nRuth has good taste in people. Gladly, the day you put in the calendar is fine.";
    let agreed = mailbox.answer(&came, Draft::new(days.working(8, 15, 0), ALEX, BEN, "", text));
    let text =
        "Dear Ben,\n\nthank you for the coffee and for the story about the flip chart. I have told it twice already.";
    mailbox.answer(&agreed, Draft::new(days.working(3, 9, 20), ALEX, BEN, "", text));
    // Gregor sells
    let text = "Hi Alex,\n\nteams like yours close 30% more deals with Pipelinely. Are you open to a quick demo? You can book a demo here: https://pipelinely.example/demo";
    let draft = Draft::new(days.working(9, 8, 50), GREGOR, ALEX_WORK, "Work GmbH <> Pipelinely", text);
    let offer = mailbox.post(draft.field("List-Unsubscribe", "<https://pipelinely.example/u/551>"));
    let text = "Hello Gregor,\n\nhalf an hour is fine, Priya asked me to have a look.";
    mailbox.answer(&offer, Draft::new(days.working(8, 14, 0), ALEX_WORK, GREGOR, "", text));
    // Rafael and Alex had lunch, and then silence
    let text = "Dear Alex,\n\nI heard your talk on letters that people understand. We write to half a million households. May I invite you to lunch?";
    let met = mailbox.post(Draft::new(days.working(14, 10, 0), RAFAEL, ALEX, "Lunch", text));
    let text = "Dear Rafael,\n\nlunch sounds very good, and half a million letters sound like a feast.";
    mailbox.answer(&met, Draft::new(days.working(14, 13, 0), ALEX, RAFAEL, "", text));
}

/// Xenia introduced Zoe; Alex wrote to Zoe and not to Xenia.
fn introduction(days: &Days, mailbox: &mut Mailbox<'_>) {
    let text = "Alex, meet Zoe Adler, who runs the water counters of half the county and wants their letters to be kind.\n\nZoe, meet Alex Doe, who has done this for clinics.\n\nI am introducing the two of you because you keep telling me the same story from two ends. Over to you.";
    let draft = Draft::new(days.working(4, 11, 20), XENIA, ALEX, "Introduction: Alex and Zoe", text).and(ZOE);
    let brought = mailbox.post(draft);
    let next = english_day(days.working_date(-3));
    let text = format!(
        "Dear Zoe,\n\nhow nice to meet you. I have read about the blue envelopes and enjoyed every line. {next} at three is free on my side, half an hour to compare notes."
    );
    let wrote = mailbox.answer(&brought, Draft::new(days.working(4, 16, 50), ALEX, ZOE, "", &text));
    let text = format!("Dear Alex,\n\n{next} at three is perfect. The envelopes say hello.");
    mailbox.answer(&wrote, Draft::new(days.working(3, 10, 30), ZOE, ALEX, "", &text));
}

/// Nora did Alex a favour, in the evening.
fn favour(days: &Days, mailbox: &mut Mailbox<'_>) {
    let text = "Hi Nora,\n\ncould you do me a favour and look over the slides for the talk in Hamburg? The middle part is too long and I no longer see it.";
    let asked = mailbox.post(Draft::new(days.working(5, 10, 10), ALEX, NORA, "Slides for Hamburg", text));
    let text = "Hi Alex,\n\nhere is the deck with my comments. I took out six slides and drew you a ferry. The middle part now begins with the sign on the door, where it always wanted to begin.";
    let draft = Draft::new(days.working(3, 19, 40), NORA, ALEX, "", text);
    mailbox.answer(&asked, draft.with_file("hamburg-slides-nora.pdf"));
}

/// Tom has not answered; Anton is away and says until when.
fn questions_of_alex(days: &Days, mailbox: &mut Mailbox<'_>) {
    let text = "Hi Alex,\n\nthe spring pilot is wrapped up, and the drivers liked the new signs better than the press did. The boxes are back in the depot.";
    let wrapped = mailbox.post(Draft::new(days.working(7, 14, 30), TOM, ALEX_WORK, "Spring pilot: wrapped up", text));
    let text = "Hi Tom,\n\nthat is a fine ending. Could you share the passenger counts of the last two weeks with me?";
    mailbox.answer(&wrapped, Draft::new(days.working(6, 10, 30), ALEX_WORK, TOM, "", text));
    let text = "Hi Anton,\n\nwhich of the two depots keeps the old timetable frames?";
    let asked = mailbox.post(Draft::new(days.working(5, 11, 0), ALEX_WORK, ANTON, "Timetable frames", text));
    let back = days.working_date(-4);
    let text = format!(
        "I am out of the office until {} {} {} and read no mail until then. In urgent cases please write to the depot.",
        back.day(),
        english_month(back),
        back.year()
    );
    let mut draft = Draft::new(days.working(5, 11, 1), ANTON, ALEX_WORK, "", &text);
    draft.fields.push(("Auto-Submitted", "auto-replied".to_string()));
    let mut about = asked;
    about.set_subject("Automatic reply: Timetable frames");
    mailbox.answer(&about, draft);
}

/// Inès and Tomasz wait for an answer of Alex's; Farid has one from Priya; Olivia asked Lee.
fn questions_to_alex(days: &Days, mailbox: &mut Mailbox<'_>) {
    let text = "Bonjour Alex,\n\nla maquette des cartes est prête et je voudrais lancer l'impression. Est-ce que le format te convient ?";
    mailbox.post(Draft::new(days.working(3, 10, 15), INES, ALEX_WORK, "La maquette des cartes", text));
    let text = "Hi Alex,\n\nI am booking the trains for the workshop in Leipzig. Would you rather travel the evening before or on the day itself?";
    mailbox.post(Draft::new(days.working(4, 9, 10), TOMASZ, ALEX_WORK, "Trains to Leipzig", text));
    let text = "Hi both,\n\nthe proofs are on the table. Which of the two blues do you want on the cover?";
    let draft = Draft::new(days.working(4, 13, 0), FARID, ALEX_WORK, "Two blues", text).and(PRIYA);
    let asked = mailbox.post(draft);
    let text = "Hi Farid,\n\nthe darker one, we looked at it together by the window.";
    mailbox.answer(&asked, Draft::new(days.working(4, 15, 20), PRIYA, FARID, "", text).cc(ALEX_WORK));
    let text = "Hi Lee,\n\ncould you tell me which ward goes first? Alex in copy so that the plan stays in one place.";
    mailbox.post(Draft::new(days.working(3, 14, 5), OLIVIA, LEE, "Order of the wards", text).cc(ALEX_WORK));
}

/// One with a date that is today, and one that was kept in another conversation.
fn promises(days: &Days, mailbox: &mut Mailbox<'_>) {
    let text = "Hi Alex,\n\nthe board meets at the end of the month and everybody is curious about the report. No pressure, they only ask me twice a day.";
    let curious = mailbox.post(Draft::new(days.working(4, 16, 30), LEE, ALEX_WORK, "The report for the board", text));
    let text = format!(
        "Hi Lee,\n\ntell them that patience is a virtue and that the pictures are good. I'll send you the draft by {}.",
        english_day(days.today)
    );
    mailbox.answer(&curious, Draft::new(days.working(3, 16, 45), ALEX_WORK, LEE, "", &text));
    let text = "Hallo Alex,\n\nder Vertrag liegt bei mir bereit, es fehlt nur noch Ihre Unterschrift.";
    let ready = mailbox.post(Draft::new(days.working(7, 9, 30), JULIA, ALEX_WORK, "Vertrag", text));
    let text = format!(
        "Hallo Frau Stein,\n\nich schicke Ihnen den unterschriebenen Vertrag bis {}.",
        german_day(english_day(days.working_date(4)))
    );
    mailbox.answer(&ready, Draft::new(days.working(7, 11, 0), ALEX_WORK, JULIA, "", &text));
    let text = "Hallo Frau Stein,\n\nanbei der Vertrag mit Unterschrift.";
    let draft = Draft::new(days.working(5, 12, 0), ALEX_WORK, JULIA, "Unterlagen", text);
    mailbox.post(draft.with_file("vertrag-unterschrieben.pdf"));
}

/// Ruth begins something new and has been congratulated.
fn news(days: &Days, mailbox: &mut Mailbox<'_>) {
    let text = "Dear Alex,\n\nI wanted you to hear it from me: I'm starting a new job in January, at the city museum. The jury stays in good hands.";
    let told = mailbox.post(Draft::new(days.working(4, 8, 40), RUTH, ALEX, "News", text));
    let text = "Dear Ruth,\n\ncongratulations! The museum does not know yet how lucky it is.";
    mailbox.answer(&told, Draft::new(days.working(4, 9, 5), ALEX, RUTH, "", text));
}

fn german_day(english: &str) -> &'static str {
    match english {
        "Monday" => "Montag",
        "Tuesday" => "Dienstag",
        "Wednesday" => "Mittwoch",
        "Thursday" => "Donnerstag",
        _ => "Freitag",
    }
}
