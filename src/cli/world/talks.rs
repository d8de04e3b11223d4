//! What people write about, in their languages. Room of `demo`.
//!
//! Invariant: every talk ends well: its questions are answered and what was given is thanked for, so
//! that nothing here is a cause for a reminder.

/// A conversation: who opens, then turn by turn. `{t}` is its topic.
#[derive(Clone, Copy, Debug)]
pub struct Talk {
    /// Alex opens; otherwise the other one.
    pub by_alex: bool,
    /// Subject.
    pub subject: &'static str,
    /// Turns, alternating.
    pub turns: &'static [&'static str],
}

const fn they(subject: &'static str, turns: &'static [&'static str]) -> Talk {
    Talk { by_alex: false, subject, turns }
}

const fn alex(subject: &'static str, turns: &'static [&'static str]) -> Talk {
    Talk { by_alex: true, subject, turns }
}

/// What the work is about.
pub const TOPICS: &[&str] = &[
    "the booking form",
    "the clinic tour",
    "the waiting room study",
    "the onboarding letters",
    "the ticket machines",
    "the map of stops",
    "the accessibility audit",
    "the diary study",
    "the style guide",
    "the service blueprint",
    "the paper prototype",
    "the second round of tests",
    "the signage",
    "the autumn release",
    "the help pages",
    "the registration desk",
    "the interview guide",
    "the night bus leaflet",
    "the error messages",
    "the icon set",
];

/// Between colleagues.
pub const WORK: &[Talk] = &[
    they(
        "Notes on {t}",
        &[
            "I went through {t} this morning. Two things stood out: people stop at the second step, and nobody reads the grey box. The rest held up well.",
            "Good to know. I moved the grey box up and cut the second step in half. It reads calmer now.",
        ],
    ),
    they(
        "{t}: which version?",
        &[
            "There are two versions of {t} on the share, one from Monday and one without a date. Which one is current?",
            "The one from Monday. I have put the other one in the folder with the old ones.",
            "Perfect, thanks.",
        ],
    ),
    alex(
        "A question on {t}",
        &[
            "I am writing the summary of {t} and one number puzzles me. Did we have nine or eleven participants in the end?",
            "Eleven. Two of them joined by phone, which is why the table shows nine.",
            "That explains it. Thanks for the quick answer!",
        ],
    ),
    they(
        "Feedback from the desk",
        &[
            "The people at the front desk tried {t} yesterday and liked it. One of them said it was the first time she did not need to explain anything.",
            "That made my day. It was worth the third round.",
        ],
    ),
    they(
        "Thursday's session on {t}",
        &[
            "Would you like to open the session on {t}, or shall I? Ten minutes would be enough.",
            "You open it, you know the history better. I take the notes.",
            "Deal. See you there.",
        ],
    ),
    alex(
        "Room for {t}",
        &[
            "The workshop on {t} has grown to nine people. Is the corner room free after lunch?",
            "It is, until four. I have put our name on it.",
            "Wonderful, thank you so much for sorting that out.",
        ],
    ),
    they(
        "{t}, small change",
        &[
            "A short note so that you are not surprised: the wording of {t} changed in two places after the legal review. Nothing that touches the layout.",
            "I saw it, and I find the new wording better than ours.",
        ],
    ),
    they(
        "Retro of {t}",
        &[
            "I wrote down what we said about {t}. Three things went well, one did not, and the one was the print shop.",
            "That is a fair summary. Next time we ask for a proof first.",
            "Agreed. Have a good evening.",
        ],
    ),
    alex(
        "Numbers of {t}",
        &[
            "The dashboard shows a jump for {t} on Tuesday. Do you know what happened there?",
            "A test account that clicked a thousand times. It is filtered out now.",
            "Ha. Thanks a lot, I had nearly put it into the report.",
        ],
    ),
];

/// Between German-speaking colleagues.
pub const ARBEIT: &[Talk] = &[
    they(
        "Rückmeldung zu {t}",
        &[
            "ich habe mir „{t}“ angesehen. Der Einstieg ist jetzt viel klarer, nur die Fußzeile ist mir noch zu lang. Sonst sehr schön.",
            "das freut mich. Die Fußzeile ist jetzt nur noch halb so lang.",
        ],
    ),
    they(
        "Stand bei {t}",
        &[
            "wie weit seid ihr mit „{t}“?",
            "fast fertig, es fehlt nur noch die Freigabe von Marta. Der Stand von heute liegt auf dem Laufwerk.",
            "super, danke dir.",
        ],
    ),
    alex(
        "Frage zu {t}",
        &[
            "weißt du noch, wer bei „{t}“ die Protokolle geschrieben hat?",
            "das war Hanna, am ersten Tag jedenfalls. Am zweiten war ich es selbst.",
            "vielen Dank, das hilft mir sehr weiter.",
        ],
    ),
    they(
        "{t}: Termin verschoben",
        &[
            "nur zur Info: der Termin zu „{t}“ ist eine Stunde später, weil der Raum belegt war.",
            "alles klar, der Kalender stimmt schon.",
        ],
    ),
    they(
        "Test mit fünf Leuten",
        &[
            "gestern waren fünf Leute zum Test von „{t}“ da. Vier kamen ohne Hilfe durch, die fünfte hat den Knopf gesucht und dann herzlich gelacht.",
            "schön! Vier von fünf ist mehr als beim letzten Mal.",
            "eben. Bis morgen!",
        ],
    ),
    alex(
        "Beamer",
        &[
            "ist der Beamer im großen Raum wieder heil? Es geht um den Nachmittag zu „{t}“.",
            "ja, seit gestern. Das Kabel liegt in der Schublade.",
            "danke dir für die schnelle Antwort!",
        ],
    ),
];

/// With partners and clients elsewhere.
pub const ELSEWHERE: &[Talk] = &[
    they(
        "{t}: where we stand",
        &[
            "a short word on {t}: the board has seen it and was pleased, above all with the plain language. We are on time.",
            "That is good news to start the week with. Greetings to everybody who worked on it.",
        ],
    ),
    alex(
        "{t}: one detail",
        &[
            "We are placing the last texts of {t}. Does the name of the house stand first or last in your letters?",
            "First, always. The street goes below it in small type.",
            "Thank you for the clear answer, that settles it.",
        ],
    ),
    they(
        "Visitors for {t}",
        &[
            "Our new colleagues would love to see how you work on {t}. Could they sit in for an hour one of these days?",
            "With pleasure. Wednesday mornings are the liveliest.",
            "Wednesday it is. They are looking forward to it!",
        ],
    ),
    they(
        "A thank-you from the house",
        &[
            "The staff asked me to pass on their thanks for {t}. The queue at the door is gone, and so is the handwritten sign.",
            "I am glad, and I admit that I was fond of the sign.",
        ],
    ),
    alex(
        "A look back at {t}",
        &[
            "It is half a year since we began with {t}. How did the first months go for your people?",
            "Better than we hoped. Fewer calls, more visitors, and the Monday rush is down to half an hour.",
            "I really appreciate you telling me, thank you. It will be read out in the team.",
        ],
    ),
    they(
        "An article you may like",
        &[
            "I came across a fine piece about {t} in the reading room, and it made me think of our talk in spring. It argues that the best form is the one nobody fills in.",
            "I read it on the train. The part on the empty form made me smile.",
        ],
    ),
];

/// With Dana, who has been there before.
pub const MENTOR: &[Talk] = &[
    alex(
        "A crossroads",
        &[
            "I keep turning over what you said about leading without a title. How did you know that it was time to move on from your first studio?",
            "When I noticed that I defended the work to people who already agreed. Then it was time. You are not there yet, I think, but you are looking at the door.",
            "That sentence goes on my wall. Thank you so much for taking the time.",
        ],
    ),
    they(
        "A book for you",
        &[
            "I finished the book on repair cultures. Chapter four is about your kind of work, although the author would not call it that. Read it with a pencil.",
            "Chapter four is as good as you said. I filled two pages of notes.",
        ],
    ),
    alex(
        "The talk in Hamburg",
        &[
            "They have asked me to speak in Hamburg. Is it wise to speak about a project that half failed?",
            "It is the only kind worth speaking about. Say early what failed, then people stop waiting for it.",
            "I am grateful for that advice, and calmer now. Thanks so much.",
        ],
    ),
    they(
        "Students",
        &[
            "Two of my students quoted your waiting room study today, one of them wrongly, which is a form of fame.",
            "I take it! Greetings to both.",
        ],
    ),
];

/// Between friends.
pub const FRIENDS: &[Talk] = &[
    they(
        "The lake",
        &[
            "We drove out to the lake on Sunday and the water was still warm enough. You were missed, and so was your terrible coffee.",
            "My coffee is an acquired taste. It was good to hear from you, and it sounds like a perfect Sunday.",
        ],
    ),
    alex(
        "That record",
        &[
            "Which record was it that you played at the end of the evening? I have had it in my head for a week.",
            "The one with the blue cover, side two. My neighbours know it well by now.",
            "Found it. Thank you, you saved my week!",
        ],
    ),
    they(
        "News from the workshop",
        &[
            "The bench is finished! It is a little lower on the left, like all good benches. Come and sit on it.",
            "It looks wonderful. A bench that is level has no stories to tell.",
        ],
    ),
    they(
        "Old photos",
        &[
            "I found the photos from the trip to the coast. You are asleep in eleven of fourteen.",
            "I was resting my eyes. What a good trip that was.",
            "The best one. Take care!",
        ],
    ),
];

/// With the family, in German.
pub const FAMILIE: &[Talk] = &[
    they(
        "Sonntag",
        &[
            "der Garten ist wieder wild geworden, und die Quitten sind reif. Mama lässt grüßen und hat Marmelade für dich beiseite gestellt.",
            "Quittenmarmelade! Grüße zurück, ich freu mich.",
        ],
    ),
    alex(
        "Schlüssel",
        &[
            "liegt mein zweiter Schlüssel noch bei dir?",
            "ja, in der blauen Schale neben der Tür, wie immer.",
            "ein Glück. Danke dir vielmals!",
        ],
    ),
    they(
        "Schulfest",
        &[
            "das Schulfest war laut und schön. Die Kleine hat beim Sackhüpfen gewonnen und redet von nichts anderem.",
            "grüß die Siegerin von mir. Das Foto hängt schon am Kühlschrank.",
        ],
    ),
];

/// With Inès, in French.
pub const FRANCAIS: &[Talk] = &[
    they(
        "Les croquis",
        &[
            "les croquis sont bien arrivés et l'équipe les trouve très clairs. On garde la première page telle quelle.",
            "Quelle bonne nouvelle. Bonne semaine à toute l'équipe.",
        ],
    ),
    they(
        "Le papier",
        &[
            "tu préfères le papier mat ou le papier brillant pour les cartes ?",
            "Le mat, sans hésiter. On lit mieux sous les lampes de la salle.",
            "C'est noté. Bonne soirée !",
        ],
    ),
    they(
        "Journée portes ouvertes",
        &[
            "la journée portes ouvertes s'est très bien passée. Les visiteurs ont surtout aimé le grand plan dessiné à la main.",
            "Bravo à vous, j'aurais aimé voir leurs visages devant le plan.",
        ],
    ),
];

/// With Carlos, in Spanish.
pub const ESPANOL: &[Talk] = &[
    they(
        "Saludos desde Valencia",
        &[
            "el estudio nuevo ya tiene luz y casi todas las mesas. Ayer trabajamos por primera vez con las ventanas abiertas.",
            "Qué alegría. Esas ventanas eran la mejor razón para mudarse.",
        ],
    ),
    they(
        "Los carteles",
        &[
            "¿te parece bien el azul más oscuro para los carteles?",
            "Sí, el oscuro funciona mejor de lejos.",
            "Perfecto, así se queda.",
        ],
    ),
];
