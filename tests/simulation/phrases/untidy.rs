//! What stands in mails beside what they are about, and how things end without an answer.

use super::super::cast::Tongue;

pub struct Untidy {
    /// Who asked says that the question is settled.
    pub settled: &'static [&'static str],
    /// Beneath every mail of a house, without a line that cuts it off.
    pub banner: &'static [&'static str],
    /// Above a mail that is handed on.
    pub handed_on: &'static [&'static str],
    /// A machine's subject, without any header that says so.
    pub machine: &'static str,
    /// An assistant answers for somebody, `{x}` is who was asked.
    pub on_behalf: &'static [&'static str],
    /// The head of a mail that is handed on.
    pub forwarded: [&'static str; 5],
}

pub fn untidy(tongue: Tongue) -> &'static Untidy {
    match tongue {
        Tongue::En => &Untidy {
            settled: &[
                "Never mind, I found it in the end.",
                "Please ignore my last mail, this has been sorted out.",
                "Thanks for ringing back, that settles it.",
            ],
            banner: &[
                "Have you seen our new catalogue? Read it at www.catalogue.example",
                "Please consider the environment before printing this e-mail.",
                "This message is confidential. If you have received it in error, please notify the sender and delete it.",
            ],
            handed_on: &["Just for your files, see below.", "This came in yesterday, nothing for you to do."],
            machine: "Automatic reply",
            on_behalf: &[
                "{x} asked me to answer you: the second of the two, please.",
                "I am answering for {x}. The figures are final.",
            ],
            forwarded: ["---------- Forwarded message ---------", "From", "Date", "Subject", "To"],
        },
        Tongue::De => &Untidy {
            settled: &[
                "Hat sich erledigt, ich habe es gefunden.",
                "Meine letzte Mail kannst du vergessen, das ist geklärt.",
                "Danke für den Rückruf, damit ist alles klar.",
            ],
            banner: &[
                "Kennen Sie schon unseren neuen Katalog? www.katalog.example",
                "Bitte denken Sie an die Umwelt, bevor Sie diese E-Mail ausdrucken.",
                "Diese Nachricht ist vertraulich. Wenn Sie sie irrtümlich erhalten haben, informieren Sie bitte den Absender und löschen Sie sie.",
            ],
            handed_on: &["Nur für die Ablage, siehe unten.", "Kam gestern herein, für dich nichts zu tun."],
            machine: "Automatische Antwort",
            on_behalf: &[
                "{x} hat mich gebeten, Ihnen zu antworten: die zweite der beiden.",
                "Ich antworte für {x}. Die Zahlen sind endgültig.",
            ],
            forwarded: ["---------- Forwarded message ---------", "Von", "Date", "Betreff", "An"],
        },
        Tongue::Fr => &Untidy {
            settled: &[
                "Laisse tomber, j'ai fini par le retrouver.",
                "Ne tiens pas compte de mon dernier message, c'est réglé.",
                "Merci d'avoir rappelé, tout est clair maintenant.",
            ],
            banner: &[
                "Connaissez-vous notre nouveau catalogue ? www.catalogue.example",
                "Pensez à l'environnement avant d'imprimer ce message.",
                "Ce message est confidentiel. Si vous l'avez reçu par erreur, merci d'en avertir l'expéditeur et de le supprimer.",
            ],
            handed_on: &["Pour tes archives, voir ci-dessous.", "Reçu hier, rien à faire de ton côté."],
            machine: "Réponse automatique",
            on_behalf: &[
                "{x} m'a demandé de vous répondre : plutôt la deuxième.",
                "Je vous réponds de la part de {x}. Les chiffres sont définitifs.",
            ],
            forwarded: ["---------- Forwarded message ---------", "De", "Date", "Subject", "To"],
        },
        Tongue::Es => &Untidy {
            settled: &[
                "Olvídalo, al final lo he encontrado.",
                "No hagas caso de mi último correo, ya está resuelto.",
                "Gracias por devolverme la llamada, ya está todo claro.",
            ],
            banner: &[
                "¿Conoce ya nuestro nuevo catálogo? www.catalogo.example",
                "Antes de imprimir este correo, piense en el medio ambiente.",
                "Este mensaje es confidencial. Si lo ha recibido por error, le rogamos que avise al remitente y lo elimine.",
            ],
            handed_on: &["Solo para tu archivo, mira abajo.", "Llegó ayer, no tienes que hacer nada."],
            machine: "Respuesta automática",
            on_behalf: &[
                "{x} me ha pedido que le responda: mejor la segunda.",
                "Le respondo en nombre de {x}. Las cifras son definitivas.",
            ],
            forwarded: ["---------- Forwarded message ---------", "De", "Date", "Subject", "To"],
        },
        Tongue::It => &Untidy {
            settled: &[
                "Lascia stare, alla fine l'ho trovato.",
                "Ignora pure la mia ultima mail, abbiamo risolto.",
                "Grazie per avermi richiamato, adesso è tutto chiaro.",
            ],
            banner: &[
                "Conosce già il nostro nuovo catalogo? www.catalogo.example",
                "Prima di stampare questa mail, pensi all'ambiente.",
                "Questo messaggio è riservato. Se lo ha ricevuto per errore, la preghiamo di avvisare il mittente e di cancellarlo.",
            ],
            handed_on: &["Solo per il tuo archivio, vedi sotto.", "Arrivata ieri, non devi fare niente."],
            machine: "Risposta automatica",
            on_behalf: &[
                "{x} mi ha chiesto di risponderle: meglio la seconda.",
                "Le rispondo per conto di {x}. Le cifre sono definitive.",
            ],
            forwarded: ["---------- Forwarded message ---------", "Da", "Date", "Subject", "To"],
        },
        Tongue::Nl => &Untidy {
            settled: &[
                "Laat maar, ik heb het al gevonden.",
                "Mijn vorige mail kun je vergeten, het is opgelost.",
                "Bedankt voor het terugbellen, nu is alles duidelijk.",
            ],
            banner: &[
                "Kent u onze nieuwe catalogus al? www.catalogus.example",
                "Denk aan het milieu voordat u deze e-mail afdrukt.",
                "Dit bericht is vertrouwelijk. Hebt u het per vergissing ontvangen, waarschuw dan de afzender en verwijder het.",
            ],
            handed_on: &["Alleen voor je archief, zie hieronder.", "Kwam gisteren binnen, je hoeft niets te doen."],
            machine: "Automatisch antwoord",
            on_behalf: &[
                "{x} heeft me gevraagd u te antwoorden: de tweede graag.",
                "Ik antwoord namens {x}. De cijfers zijn definitief.",
            ],
            forwarded: ["---------- Forwarded message ---------", "Van", "Date", "Subject", "To"],
        },
    }
}
