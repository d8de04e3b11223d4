//! Names of mailboxes: what they are for, and how the config picks them. Part of `source`; knows no
//! protocol, so that Maildir and IMAP read names alike.
//!
//! Invariant: any name gives an answer; a name nobody knows is [`Purpose::Other`].

use std::collections::HashMap;
use std::sync::LazyLock;

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

use crate::evidence::Role;

/// What a mailbox is for (RFC 6154, and the inbox).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Purpose {
    /// The inbox.
    Inbox,
    /// `\Sent`.
    Sent,
    /// `\Junk`.
    Junk,
    /// `\Trash`.
    Trash,
    /// `\Drafts`, and what is about to be sent.
    Drafts,
    /// Anything else, `\All` and `\Archive` included.
    Other,
}

impl Purpose {
    /// What a folder name says, its levels separated by `/` and decoded: by its last level
    /// (`Sent`, `work/Sent`, `[Gmail]/Sent Mail`), or by its first (`Sent/2024`).
    pub fn of(name: &str) -> Purpose {
        let known = |level: &str| KNOWN.get(&fold(level)).copied();
        let mut levels = name.split('/').filter(|level| !level.is_empty());
        let last = levels.clone().next_back().and_then(known);
        let first = levels.find(|level| !CONTAINERS.contains(&fold(level).as_str())).and_then(known);
        last.or(first).unwrap_or(Purpose::Other)
    }

    /// Is a folder of this purpose read where the config names none?
    pub const fn is_read(self) -> bool {
        !matches!(self, Purpose::Junk | Purpose::Trash | Purpose::Drafts)
    }

    /// The role that observations carry.
    pub const fn role(self) -> Role {
        match self {
            Purpose::Inbox => Role::Inbox,
            Purpose::Sent => Role::Sent,
            Purpose::Junk | Purpose::Trash | Purpose::Drafts | Purpose::Other => Role::Other,
        }
    }
}

/// Does `pattern` of the config pick `name`? As in IMAP LIST (RFC 3501 6.3.8): `*` stands for
/// anything, `%` for anything within one level, and INBOX is the same in any case.
pub fn picks(pattern: &str, name: &str) -> bool {
    let pattern: Vec<char> = same_inbox(pattern).chars().collect();
    let name: Vec<char> = same_inbox(name).chars().collect();
    // reachable[i]: the pattern so far can end before name[i]
    let mut reachable = vec![false; name.len() + 1];
    if let Some(start) = reachable.first_mut() {
        *start = true;
    }
    for sign in pattern {
        let mut next = vec![false; name.len() + 1];
        let mut open = false;
        for (i, slot) in next.iter_mut().enumerate() {
            let here = reachable.get(i).copied().unwrap_or(false);
            let before = i.checked_sub(1).and_then(|p| name.get(p));
            let was_reachable = i.checked_sub(1).and_then(|p| reachable.get(p)).copied().unwrap_or(false);
            open = match sign {
                '*' => open || here,
                '%' => here || (open && before != Some(&'/')),
                plain => was_reachable && before == Some(&plain),
            };
            *slot = open;
        }
        reachable = next;
    }
    reachable.last().copied().unwrap_or(false)
}

fn same_inbox(name: &str) -> String {
    match name.split_once('/') {
        Some((first, rest)) if first.eq_ignore_ascii_case("inbox") => format!("INBOX/{rest}"),
        None if name.eq_ignore_ascii_case("inbox") => "INBOX".to_string(),
        _ => name.to_string(),
    }
}

/// Case, accents, blanks, dots and dashes make no difference (`Sent-Mail`, `sent mail`, `SentMail`).
fn fold(level: &str) -> String {
    level
        .to_lowercase()
        .nfkd()
        .filter(|c| !is_combining_mark(*c) && !c.is_whitespace() && !matches!(c, '-' | '_' | '.' | '\'' | '’'))
        .collect()
}

/// Levels that only hold others.
const CONTAINERS: &[&str] = &["inbox", "[gmail]", "[googlemail]"];

static KNOWN: LazyLock<HashMap<String, Purpose>> = LazyLock::new(|| {
    let lists = [
        (Purpose::Inbox, INBOX),
        (Purpose::Drafts, DRAFTS),
        (Purpose::Trash, TRASH),
        (Purpose::Junk, JUNK),
        (Purpose::Sent, SENT),
    ];
    let names = lists.iter().flat_map(|(purpose, list)| list.iter().map(move |name| (fold(name), *purpose)));
    names.collect()
});

/// The inbox, where a client gave its folder a translated name.
#[rustfmt::skip]
const INBOX: &[&str] = &[
    "Inbox", "Posteingang", "Boîte de réception", "Bandeja de entrada", "Caixa de entrada", "Posta in arrivo",
    "Postvak IN", "Inkorg", "Inkorgen", "Indbakke", "Innboks", "Saapuneet", "Skrzynka odbiorcza", "Doručená pošta",
    "Beérkezett üzenetek", "Mesaje primite", "Gelen Kutusu", "Входящие", "Вхідні", "Εισερχόμενα", "דואר נכנס",
    "البريد الوارد", "صندوق الوارد", "受信トレイ", "受信箱", "받은편지함", "收件箱", "收件匣", "Hộp thư đến",
];

/// Mail the user sent, as clients and providers name it.
#[rustfmt::skip]
const SENT: &[&str] = &[
    // en
    "Sent", "Sent Mail", "Sent Mails", "Sent Items", "Sent Messages", "Sent Email", "Sent Emails", "Sent Objects",
    // de
    "Gesendet", "Gesendete", "Gesendete Elemente", "Gesendete Objekte", "Gesendete Nachrichten", "Gesendete Mails",
    "Gesendete E-Mails", "Gesendete Post", "Gesendet-Elemente",
    // fr
    "Envoyés", "Envoyé", "Éléments envoyés", "Messages envoyés", "Courrier envoyé", "Courriers envoyés",
    "Courriels envoyés", "Objets envoyés", "Mails envoyés", "E-mails envoyés",
    // es, ca, gl
    "Enviados", "Enviado", "Elementos enviados", "Correo enviado", "Correos enviados", "Mensajes enviados",
    "Ítems enviados", "Enviats", "Elements enviats", "Correu enviat", "Missatges enviats",
    // pt
    "Enviadas", "Enviada", "Itens enviados", "Mensagens enviadas", "E-mails enviados", "E-mail enviado",
    "Correio enviado",
    // it
    "Inviati", "Inviata", "Inviate", "Posta inviata", "Elementi inviati", "Messaggi inviati",
    // nl
    "Verzonden", "Verzonden items", "Verzonden berichten", "Verzonden e-mail", "Verzonden objecten",
    // sv, da, no
    "Skickat", "Skickade", "Skickade objekt", "Skickade meddelanden", "Skickad e-post", "Skickade mail",
    "Sendt", "Sendte", "Sendt post", "Sendt mail", "Sendte elementer", "Sendte beskeder", "Sendt e-post",
    "Sendte meldinger", "Sendte objekter",
    // fi, et, lv, lt
    "Lähetetyt", "Lähetetty", "Lähetetyt viestit", "Lähetetyt kohteet", "Saadetud", "Saadetud kirjad",
    "Saadetud üksused", "Nosūtītie", "Nosūtītie vienumi", "Nosūtītās vēstules", "Išsiųsta", "Išsiųsti",
    "Išsiųsti laiškai", "Išsiųsti elementai",
    // pl, cs, sk, sl, hr, sr
    "Wysłane", "Elementy wysłane", "Wysłane wiadomości", "Wiadomości wysłane", "Poczta wysłana", "Odeslané",
    "Odeslaná pošta", "Odeslané zprávy", "Odeslané položky", "Odoslané", "Odoslaná pošta", "Odoslané správy",
    "Odoslané položky", "Poslano", "Poslani elementi", "Poslane stavke", "Poslana pošta", "Послато", "Послате ставке",
    // hu, ro, tr
    "Elküldött", "Elküldött elemek", "Elküldött üzenetek", "Elküldött levelek", "Trimise", "Elemente trimise",
    "Mesaje trimise", "E-mailuri trimise", "Gönderilmiş", "Gönderilen", "Gönderilenler", "Gönderilmiş Öğeler",
    "Gönderilmiş Posta", "Gönderilmiş Postalar", "Gönderilmiş iletiler",
    // ru, uk, bg
    "Отправленные", "Отправленные письма", "Отправленные сообщения", "Отправлено", "Надіслані", "Надіслані елементи",
    "Надіслане", "Відправлені", "Відправлене", "Изпратени", "Изпратени елементи",
    // el, he, ar, fa
    "Απεσταλμένα", "Σταλμένα", "Απεσταλμένα στοιχεία", "נשלחו", "פריטים שנשלחו", "דואר יוצא", "דואר שנשלח",
    "הודעות שנשלחו", "المرسل", "مرسل", "البريد المرسل", "بريد مرسل", "العناصر المرسلة", "الرسائل المرسلة", "المرسلة",
    "ارسال شده",
    // ja, ko, zh
    "送信済み", "送信済", "送信済みメール", "送信済みアイテム", "送信済みトレイ", "送信控え", "보낸편지함", "보낸메일함",
    "보낸메일", "보낸편지", "보낸항목", "已发送", "已发送邮件", "已发送的邮件", "已发送消息", "已发邮件", "已发件", "已傳送",
    "已傳送郵件", "已傳送的郵件", "已寄郵件", "已寄出", "寄件備份", "寄件备份", "已发送邮件夹", "已傳送項目", "已发送项目",
    // vi, id, th
    "Đã gửi", "Thư đã gửi", "Mục đã gửi", "Terkirim", "Item Terkirim", "Pesan Terkirim", "ส่งแล้ว",
    "จดหมายที่ส่งแล้ว", "รายการที่ถูกส่ง", "รายการที่ส่ง",
];

/// What filters took for junk.
#[rustfmt::skip]
const JUNK: &[&str] = &[
    "Junk", "Spam", "Junk E-mail", "Junk Email", "Junk Mail", "Spam Mail", "Bulk", "Bulk Mail", "Unwanted",
    "Spamverdacht", "Unerwünscht", "Unerwünschte Werbung", "Unerwünschte E-Mails", "Werbung", "Indésirables", "Indésirable",
    "Courrier indésirable", "Pourriel", "Pourriels", "Spams", "Correo no deseado", "No deseado", "No deseados",
    "Correo basura", "Correu brossa", "Lixo eletrônico", "Lixo eletrónico", "E-mail de lixo", "Correio não solicitado",
    "Posta indesiderata", "Indesiderata", "Ongewenste e-mail", "Ongewenst", "Ongewenste reclame", "Skräppost", "Skräp",
    "Uønsket mail", "Uønsket e-mail", "Uønsket post", "Uønsket e-post", "Søppelpost", "Roskaposti", "Rämpspost",
    "Wiadomości-śmieci", "Niechciane", "Nevyžádaná pošta", "Nevyžádané", "Nevyžiadaná pošta", "Neželena pošta",
    "Neželjena pošta", "Levélszemét", "Mesaje nedorite", "E-mail nedorit", "Önemsiz", "Önemsiz E-posta", "İstenmeyen",
    "Gereksiz", "Gereksiz E-posta", "Спам", "Нежелательная почта", "Небажана пошта", "Нежелана поща", "Ανεπιθύμητα",
    "Ανεπιθύμητη αλληλογραφία", "דואר זבל", "ספאם", "זבל", "البريد العشوائي", "البريد غير الهام", "بريد مزعج", "هرزنامه",
    "迷惑メール", "スパム", "스팸", "스팸함", "스팸메일함", "스팸편지함", "정크메일", "垃圾邮件", "垃圾郵件", "垃圾箱", "广告邮件",
    "Thư rác", "จดหมายขยะ", "อีเมลขยะ",
];

/// What was thrown away.
#[rustfmt::skip]
const TRASH: &[&str] = &[
    "Trash", "Deleted", "Deleted Items", "Deleted Messages", "Deleted Mail", "Bin", "Recycle Bin", "Wastebasket", "Rubbish",
    "Papierkorb", "Gelöscht", "Gelöschte Elemente", "Gelöschte Objekte", "Gelöschte Nachrichten", "Gelöschte Mails",
    "Corbeille", "Éléments supprimés", "Supprimés", "Messages supprimés", "Courrier supprimé", "Papelera", "Eliminados",
    "Elementos eliminados", "Mensajes eliminados", "Correo eliminado", "Paperera", "Lixeira", "Lixo", "Itens excluídos",
    "Itens eliminados", "Excluídos", "Reciclagem", "Caixote do lixo", "Cestino", "Posta eliminata", "Elementi eliminati",
    "Eliminati", "Prullenbak", "Prullenmand", "Verwijderd", "Verwijderde items", "Verwijderde berichten", "Papperskorg",
    "Papperskorgen", "Borttaget", "Borttagna objekt", "Papirkurv", "Papirkurven", "Slettet", "Slettet post",
    "Slettede elementer", "Søppel", "Søppelkurv", "Roskakori", "Poistetut", "Poistetut viestit", "Poistetut kohteet",
    "Prügikast", "Atkritne", "Šiukšliadėžė", "Kosz", "Elementy usunięte", "Usunięte", "Koš", "Odstraněná pošta",
    "Odstraněné", "Smazané", "Kôš", "Odstránená pošta", "Odstránené", "Smeće", "Otpad", "Izbrisano", "Kuka", "Lomtár",
    "Törölt", "Törölt elemek", "Coș", "Coș de gunoi", "Gunoi", "Elemente șterse", "Çöp", "Çöp Kutusu", "Silinmiş",
    "Silinmiş Öğeler", "Silinenler", "Корзина", "Удаленные", "Удалённые", "Удаленные элементы", "Кошик", "Видалені",
    "Видалені елементи", "Кошче", "Изтрити", "Изтрити елементи", "Κάδος", "Κάδος απορριμμάτων", "Απορρίμματα",
    "Διαγραμμένα", "אשפה", "סל האשפה", "פריטים שנמחקו", "المهملات", "سلة المهملات", "العناصر المحذوفة", "المحذوفة",
    "زباله‌دان", "ゴミ箱", "ごみ箱", "削除済みアイテム", "削除済み", "휴지통", "지운편지함", "삭제된항목", "已删除", "已删除邮件",
    "已删除的邮件", "已刪除", "已刪除的郵件", "垃圾桶", "回收站", "废纸篓", "刪除的郵件", "Thùng rác", "Sampah", "Tong Sampah",
    "ถังขยะ",
];

/// What was not sent yet.
#[rustfmt::skip]
const DRAFTS: &[&str] = &[
    "Drafts", "Draft", "Templates", "Outbox", "Unsent Messages", "Queue", "Entwürfe", "Entwurf", "Vorlagen", "Postausgang",
    "Brouillons", "Brouillon", "Modèles", "Boîte d'envoi", "Borradores", "Borrador", "Plantillas", "Bandeja de salida",
    "Esborranys", "Rascunhos", "Rascunho", "Modelos", "Caixa de saída", "Bozze", "Bozza", "Modelli", "Posta in uscita",
    "Concepten", "Concept", "Postvak UIT", "Utkast", "Utkorg", "Utkorgen", "Kladder", "Udkast", "Udbakke", "Kladd",
    "Utboks", "Luonnokset", "Lähtevät", "Mustandid", "Melnraksti", "Juodraščiai", "Kopie robocze", "Szkice", "Robocze",
    "Wersje robocze", "Skrzynka nadawcza", "Koncepty", "Rozepsané", "Rozpísané", "Pošta k odeslání", "Osnutki", "Skice",
    "Piszkozatok", "Schițe", "Ciorne", "Taslaklar", "Taslak", "Giden Kutusu", "Черновики", "Черновик", "Исходящие",
    "Чернетки", "Вихідні", "Чернови", "Πρόχειρα", "Εξερχόμενα", "טיוטות", "المسودات", "مسودات", "صندوق الصادر",
    "البريد الصادر", "پیش‌نویس", "下書き", "送信トレイ", "送信箱", "임시보관함", "임시저장", "보낼편지함", "草稿", "草稿箱",
    "草稿夹", "草稿匣", "发件箱", "寄件匣", "Thư nháp", "Bản nháp", "Draf", "Konsep", "จดหมายร่าง", "แบบร่าง", "ร่างจดหมาย",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_are_known_by_their_names() {
        use Purpose::*;
        for (name, expected) in [
            ("INBOX", Inbox),
            ("Inbox", Inbox),
            ("work/INBOX", Inbox),
            ("Sent", Sent),
            ("sent-mail", Sent),
            ("INBOX/Sent", Sent),
            ("INBOX/Sent Items", Sent),
            ("Sent/2024", Sent),
            ("work/Sent Messages", Sent),
            ("[Gmail]/Sent Mail", Sent),
            ("[Google Mail]/Gesendet", Sent),
            ("Gesendete Elemente", Sent),
            ("E\u{301}le\u{301}ments envoye\u{301}s", Sent),
            ("Éléments envoyés", Sent),
            ("Wysłane", Sent),
            ("送信済みトレイ", Sent),
            ("보낸 편지함", Sent),
            ("[Gmail]/All Mail", Other),
            ("[Gmail]/Bin", Trash),
            ("[Gmail]/Spam", Junk),
            ("Junk-E-Mail", Junk),
            ("İstenmeyen", Junk),
            ("INBOX/Trash", Trash),
            ("Papierkorb/alt", Trash),
            ("Entwürfe", Drafts),
            ("Clients/Acme", Other),
            ("INBOX/Clients", Other),
            ("Sentiment", Other),
            ("", Other),
            ("///", Other),
        ] {
            assert_eq!(Purpose::of(name), expected, "{name}");
        }
    }

    #[test]
    fn no_name_stands_for_two_purposes() {
        let count = [INBOX, SENT, JUNK, TRASH, DRAFTS].iter().flat_map(|l| l.iter().map(|n| fold(n)));
        let mut all: Vec<String> = count.collect();
        all.sort();
        let twice: Vec<_> = all.windows(2).filter(|w| w.first() == w.last()).collect();
        let across = twice.iter().filter_map(|w| w.first()).filter(|name| {
            [INBOX, SENT, JUNK, TRASH, DRAFTS].iter().filter(|l| l.iter().any(|n| fold(n) == **name)).count() > 1
        });
        assert_eq!(across.count(), 0, "{twice:?}");
    }

    #[test]
    fn patterns_pick_as_in_imap_list() {
        for (pattern, name, expected) in [
            ("INBOX", "inbox", true),
            ("inbox/%", "INBOX/a", true),
            ("sent", "Sent", false),
            ("*", "a/b/c", true),
            ("%", "a/b", false),
            ("%", "a", true),
            ("%/%", "a/b", true),
            ("Clients/*", "Clients/Acme/2024", true),
            ("Clients/%", "Clients/Acme/2024", false),
            ("Clients/*", "Clients", false),
            ("*Acme", "Clients/Acme", true),
            ("C%s/A*", "Clients/Acme", true),
            ("", "", true),
            ("", "a", false),
            ("a*b*c", "aXbYbc", true),
            ("a*b*c", "aXbYb", false),
        ] {
            assert_eq!(picks(pattern, name), expected, "{pattern} {name}");
        }
        // a hostile pattern costs no more than its length times the name's
        assert!(!picks(&"*a".repeat(500), &"a".repeat(400)));
    }
}
