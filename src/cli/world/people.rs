//! The people of the sample world, and their cards. Room of `demo`. All of them are invented.

use super::days::Days;
use crate::time::Date;

/// What somebody writes in.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[allow(missing_docs)]
pub enum Language {
    English,
    German,
    French,
    Spanish,
}

/// What somebody writes with: how it quotes, and which parts it makes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[allow(missing_docs)]
pub enum Client {
    Thunderbird,
    Gmail,
    Outlook,
    Apple,
    Phone,
}

/// One of them.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Person {
    /// Full name, as in `From`.
    pub name: &'static str,
    /// Address.
    pub address: &'static str,
    /// Line below the name in the signature; empty for none.
    pub role: &'static str,
    /// Language.
    pub language: Language,
    /// Client.
    pub client: Client,
}

use Client::{Apple, Gmail, Outlook, Phone, Thunderbird};
use Language::{English, French, German, Spanish};

const fn person(
    name: &'static str,
    address: &'static str,
    role: &'static str,
    language: Language,
    client: Client,
) -> Person {
    Person { name, address, role, language, client }
}

impl Person {
    /// The first name.
    pub fn first(&self) -> &'static str {
        self.name.split_whitespace().next().unwrap_or(self.name)
    }

    /// Is it Alex, by whichever address?
    pub fn is_alex(&self) -> bool {
        self.address == ALEX.address || self.address == ALEX_WORK.address
    }

    /// Registrable domain of the address.
    pub fn domain(&self) -> &'static str {
        self.address.split_once('@').map_or("example.org", |(_, domain)| domain)
    }
}

macro_rules! cast {
    ($($who:ident = $name:literal, $address:literal, $role:literal, $language:ident, $client:ident;)*) => {
        $(#[doc = $name] pub const $who: Person = person($name, $address, $role, $language, $client);)*
    };
}

cast! {
    ALEX = "Alex Doe", "alex@example.org", "", English, Thunderbird;
    ALEX_WORK = "Alex Doe", "alex.doe@work.example", "Service Design, Work GmbH", English, Thunderbird;
    // work
    MARTA = "Marta Keller", "marta.keller@work.example", "Head of Design, Work GmbH", English, Outlook;
    JONAS = "Jonas Brandt", "jonas.brandt@work.example", "Research, Work GmbH", German, Outlook;
    PRIYA = "Priya Nair", "priya.nair@work.example", "Product, Work GmbH", English, Gmail;
    LUKAS = "Lukas Vögele", "lukas.voegele@work.example", "Entwicklung, Work GmbH", German, Thunderbird;
    HANNA = "Hanna Sørensen", "hanna.sorensen@work.example", "Content, Work GmbH", English, Apple;
    TOMASZ = "Tomasz Zieliński", "tomasz.zielinski@work.example", "Office and Travel, Work GmbH", English, Outlook;
    // elsewhere
    DANA = "Dana Ito", "dana@uni.example", "Professor of Interaction Design", English, Apple;
    LEE = "Lee Carter", "lee.carter@brightfield.example", "Brightfield Clinics", English, Outlook;
    OLIVIA = "Olivia Park", "olivia.park@brightfield.example", "Brightfield Clinics", English, Outlook;
    INES = "Inès Moreau", "ines.moreau@atelier.example", "Atelier Moreau, Lyon", French, Apple;
    CARLOS = "Carlos Vega", "carlos@vegaestudio.example", "Vega Estudio, Valencia", Spanish, Gmail;
    SAM = "Sam Okafor", "sam@okafor.example", "", English, Phone;
    RUTH = "Ruth Feldman", "ruth.feldman@harbor.example", "Harbor Foundation", English, Gmail;
    TOM = "Tom Berger", "tom.berger@lumen.example", "Lumen Transit Lab", English, Outlook;
    ANTON = "Anton Weber", "anton.weber@lumen.example", "Lumen Transit Lab", English, Outlook;
    NORA = "Nora Lindqvist", "nora@lindqvist.example", "Illustration and slides", English, Gmail;
    XENIA = "Xenia Petrova", "xenia.petrova@riverside.example", "Riverside Council", English, Gmail;
    ZOE = "Zoe Adler", "zoe.adler@clearwater.example", "Clearwater", English, Apple;
    MAYA = "Maya Hofstad", "maya.hofstad@fjord.example", "Fjord Mobility", English, Gmail;
    BEN = "Ben Whitaker", "ben@whitaker.example", "Whitaker Coaching", English, Apple;
    RAFAEL = "Rafael Nunes", "rafael.nunes@solstice.example", "Solstice Energy", English, Outlook;
    GREGOR = "Gregor Simon", "gregor@pipelinely.example", "Account Executive, Pipelinely", English, Gmail;
    JULIA = "Julia Stein", "julia.stein@stein-recht.example", "Kanzlei Stein", German, Outlook;
    FARID = "Farid Haddad", "farid@haddad.example", "Haddad Print", English, Thunderbird;
    MINA = "Mina Castellano", "mina@castellano.example", "", English, Gmail;
    PAULA = "Paula Weiss", "paula.weiss@aurora.example", "People, Aurora Health", English, Outlook;
    CLAIRE = "Claire Dunn", "claire.dunn@aurora.example", "", English, Outlook;
    FELIX = "Felix Roth", "felix.roth@aurora.example", "", English, Outlook;
    AMARA = "Amara Osei", "amara.osei@aurora.example", "", English, Outlook;
    BOT = "Aurora Scheduling", "noreply@bookings.example", "", English, Outlook;
    LENA = "Lena Doe", "lena@doe-familie.example", "", German, Phone;
}

/// Somebody in the address book.
struct Card {
    who: Person,
    categories: &'static str,
    born: Option<(i16, i64)>,
}

/// The address book (RFC 6350): birthdays are a year and the days from today.
pub fn cards(days: &Days) -> String {
    // 1984, 1988 and 1992 are leap years: every day of any year has a birthday in them
    let book = [
        Card { who: DANA, categories: "mentor", born: None },
        Card { who: LEE, categories: "client", born: Some((1984, 97)) },
        Card { who: MARTA, categories: "manager,work", born: None },
        Card { who: LENA, categories: "family", born: Some((1992, 0)) },
        Card { who: CARLOS, categories: "industry", born: Some((1984, -2)) },
        Card { who: INES, categories: "work", born: Some((1988, 140)) },
        Card { who: SAM, categories: "friends", born: Some((1988, 201)) },
        Card { who: HANNA, categories: "work", born: None },
    ];
    let mut text = String::new();
    for (n, card) in book.iter().enumerate() {
        let (first, last) = card.who.name.split_once(' ').unwrap_or((card.who.name, ""));
        text.push_str("BEGIN:VCARD\r\nVERSION:4.0\r\n");
        text.push_str(&format!("UID:urn:uuid:5b1c0de5-0000-4000-8000-{:012}\r\n", n + 1));
        text.push_str(&format!("FN:{}\r\nN:{last};{first};;;\r\n", card.who.name));
        text.push_str(&format!("EMAIL;PREF=1:{}\r\n", card.who.address));
        text.push_str(&format!("CATEGORIES:{}\r\n", card.categories));
        if let Some((year, ago)) = card.born {
            let day = days.date(ago);
            let born = Date::new(year, day.month(), day.day()).unwrap_or(day);
            text.push_str(&format!("BDAY:{:04}{:02}{:02}\r\n", born.year(), born.month(), born.day()));
        }
        text.push_str("END:VCARD\r\n");
    }
    text
}
