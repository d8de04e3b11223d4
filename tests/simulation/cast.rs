//! The people of a life.

use kithd::time::Timestamp;

use super::dice::Dice;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Tongue {
    En,
    De,
    Fr,
    Es,
    It,
    Nl,
}

pub const TONGUES: [Tongue; 6] = [Tongue::En, Tongue::De, Tongue::Fr, Tongue::Es, Tongue::It, Tongue::Nl];

/// What somebody writes mail with.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Client {
    Gmail,
    Outlook,
    Apple,
    Thunderbird,
    Mutt,
    Phone,
}

/// How a name is shown.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Style {
    Plain,
    /// `Ito, Dana`, as directories have it.
    LastFirst,
    /// `Dana Ito (Nordhafen)`
    WithHouse,
    /// The address alone.
    Bare,
}

/// Who, by number in the cast; 0 is the user.
pub type Id = usize;

#[derive(Clone, Debug)]
pub struct Person {
    pub first: String,
    pub last: String,
    pub address: String,
    /// From then on they write from another address.
    pub moved: Option<(Timestamp, String)>,
    pub tongue: Tongue,
    pub client: Client,
    /// Writes to the user's private address.
    pub private: bool,
    /// Minutes their clock is ahead of UTC.
    pub clock: i64,
    /// How their name stands before their address.
    pub style: Style,
    /// What their house puts beneath every mail, by number.
    pub banner: Option<usize>,
}

impl Person {
    pub fn name(&self) -> String {
        format!("{} {}", self.first, self.last)
    }

    /// The name as it stands before their address.
    pub fn display(&self) -> String {
        let house = self.domain().split('.').next().unwrap_or_default();
        match self.style {
            Style::Plain => self.name(),
            Style::LastFirst => format!("{}, {}", self.last, self.first),
            Style::WithHouse => format!("{} ({house})", self.name()),
            Style::Bare => String::new(),
        }
    }

    pub fn address_at(&self, at: Timestamp) -> &str {
        match &self.moved {
            Some((from, new)) if at >= *from => new,
            _ => &self.address,
        }
    }

    pub fn addresses(&self) -> Vec<&str> {
        std::iter::once(self.address.as_str()).chain(self.moved.iter().map(|(_, a)| a.as_str())).collect()
    }

    pub fn domain(&self) -> &str {
        self.address.split('@').next_back().unwrap()
    }
}

fn firsts(tongue: Tongue) -> &'static [&'static str] {
    match tongue {
        Tongue::En => {
            &["Amelia", "Oliver", "Grace", "Harry", "Isla", "Noah", "Ruby", "Ethan", "Poppy", "Callum", "Freya", "Owen"]
        }
        Tongue::De => &[
            "Anke", "Jürgen", "Lena", "Matthias", "Sabine", "Jörg", "Katrin", "Uwe", "Birgit", "Florian", "Heike",
            "Sönke",
        ],
        Tongue::Fr => &[
            "Anaïs", "Thierry", "Chloé", "Bastien", "Manon", "Étienne", "Sylvie", "Rémi", "Inès", "Gaël", "Odile",
            "Benoît",
        ],
        Tongue::Es => &[
            "Núria", "Álvaro", "Lucía", "Iñigo", "Carmen", "Rubén", "Marta", "Sergio", "Pilar", "Jaime", "Rocío",
            "Andrés",
        ],
        Tongue::It => &[
            "Giulia",
            "Matteo",
            "Chiara",
            "Davide",
            "Elisa",
            "Niccolò",
            "Francesca",
            "Luca",
            "Silvia",
            "Riccardo",
            "Ilaria",
            "Pietro",
        ],
        Tongue::Nl => {
            &["Sanne", "Joris", "Maaike", "Thijs", "Femke", "Wouter", "Anouk", "Bram", "Lotte", "Ruben", "Zoë", "Pim"]
        }
    }
}

fn lasts(tongue: Tongue) -> &'static [&'static str] {
    match tongue {
        Tongue::En => &[
            "Ashworth",
            "Bellamy",
            "Cartwright",
            "Drummond",
            "Eastwood",
            "Fairbairn",
            "Goodwin",
            "Hathaway",
            "Kendrick",
            "Lockhart",
        ],
        Tongue::De => &[
            "Brinkmann",
            "Dörfler",
            "Eberhardt",
            "Fuchs",
            "Großmann",
            "Hellwig",
            "Kämmerer",
            "Lindner",
            "Osterloh",
            "Wiegand",
        ],
        Tongue::Fr => &[
            "Aubert",
            "Bonnet",
            "Chevalier",
            "Delacroix",
            "Fournier",
            "Garnier",
            "Lefèvre",
            "Morel",
            "Perrin",
            "Vasseur",
        ],
        Tongue::Es => &[
            "Aguirre",
            "Benítez",
            "Carrasco",
            "Domínguez",
            "Echeverría",
            "Fuentes",
            "Ibáñez",
            "Navarro",
            "Quintana",
            "Zamora",
        ],
        Tongue::It => &[
            "Barbieri",
            "Colombo",
            "De Santis",
            "Ferrara",
            "Gallo",
            "Lombardi",
            "Marchetti",
            "Pellegrini",
            "Rinaldi",
            "Vitale",
        ],
        Tongue::Nl => &[
            "de Boer",
            "van Dijk",
            "Hoekstra",
            "Jansma",
            "Kuipers",
            "van der Laan",
            "Meijer",
            "Postma",
            "Schouten",
            "Verhoeven",
        ],
    }
}

const FIRMS: &[&str] = &[
    "nordhafen",
    "bluefinch",
    "ateliers-riva",
    "castelmar",
    "kupferwerk",
    "tidewell",
    "montclar",
    "olivares",
    "lumenhof",
    "graywater",
    "petitpont",
    "valdemar",
    "sassoforte",
    "oudekerk",
    "brightloom",
    "hansekontor",
    "arcenciel",
    "altamira",
    "belcanto",
    "duinzicht",
    "stonebridge",
    "waldmeister",
    "rivegauche",
    "puertosol",
    "terraferma",
    "polderland",
];

const FREE: &[&str] = &["gmail.com", "gmx.net", "outlook.com", "web.de", "orange.fr", "libero.it"];

pub fn plain(name: &str) -> String {
    let lower = name.to_lowercase();
    let letter = |c: char| match c {
        'ä' | 'á' | 'à' => "a".to_string(),
        'ö' | 'ò' | 'ó' => "o".to_string(),
        'ü' | 'ú' => "u".to_string(),
        'é' | 'è' | 'ë' => "e".to_string(),
        'ï' | 'í' | 'î' => "i".to_string(),
        'ñ' => "n".to_string(),
        'ß' => "ss".to_string(),
        c if c.is_ascii_alphabetic() => c.to_string(),
        _ => String::new(),
    };
    lower.chars().map(letter).collect()
}

/// Gives people who are all called differently.
#[derive(Clone, Debug, Default)]
pub struct Agency {
    given: std::collections::BTreeSet<String>,
    firms: usize,
}

impl Agency {
    /// A company's domain nobody had yet.
    pub fn firm(&mut self) -> String {
        self.firms += 1;
        let (name, round) = (FIRMS[self.firms % FIRMS.len()], self.firms / FIRMS.len());
        if round == 0 { format!("{name}.example") } else { format!("{name}{}.example", round + 1) }
    }

    pub fn person(&mut self, dice: &mut Dice, tongue: Tongue, domain: Option<&str>) -> Person {
        let (mut first, mut last) = (*dice.pick(firsts(tongue)), *dice.pick(lasts(tongue)));
        let mut middle = String::new();
        while !self.given.insert(format!("{first}{middle} {last}")) {
            (first, last) = (*dice.pick(firsts(tongue)), *dice.pick(lasts(tongue)));
            if dice.chance(10) {
                middle = format!("-{}", dice.pick(&["Lou", "Joana", "Kai", "Noor", "Eva", "Mika"]));
            }
        }
        let first = format!("{first}{middle}");
        let domain = domain.map_or_else(|| (*dice.pick(FREE)).to_string(), str::to_string);
        let (f, l) = (plain(&first), plain(last));
        let local = match dice.below(4) {
            0 => format!("{}.{l}", &f[..1]),
            1 => format!("{f}_{l}"),
            _ => format!("{f}.{l}"),
        };
        let clients = [
            (30, Client::Gmail),
            (30, Client::Outlook),
            (15, Client::Apple),
            (12, Client::Thunderbird),
            (5, Client::Mutt),
            (8, Client::Phone),
        ];
        let client = dice.weighed(&clients);
        let (last, address) = (last.to_string(), format!("{local}@{domain}"));
        let style = match client {
            Client::Outlook => {
                dice.weighed(&[(70, Style::Plain), (18, Style::LastFirst), (8, Style::WithHouse), (4, Style::Bare)])
            }
            _ => dice.weighed(&[(94, Style::Plain), (6, Style::Bare)]),
        };
        let clock = *dice.pick(&[60, 60, 60, 0, 120, -300, -480, 330, 540]);
        let banner = (client == Client::Outlook && dice.chance(30)).then(|| dice.below(3));
        Person { first, last, address, moved: None, tongue, client, private: false, clock, style, banner }
    }
}
