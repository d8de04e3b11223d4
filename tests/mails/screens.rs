//! How the mails look: on a phone 360 pixels wide, light and dark, in headless Chromium where it is installed.
//! `docs/mail-*.png` are made here under `UPDATE_EXPECT=1`; fonts differ from machine to machine, so what is
//! compared is not pixels but what a reader needs: nothing sticks out, every word stands out from its background.

use std::path::{Path, PathBuf};
use std::process::Command;

use kithd::evidence::Envelope;
use kithd::outbox::words::languages;

use crate::samples::{help, merged, notice, reminder, samples, summary, words};

const CHROMIUM: &str = "/usr/bin/chromium";

/// Prints, a line for each mail in a frame as wide as a phone: how far it reaches to the right and down, and the least contrast
/// (WCAG 2.1, 1.4.3) of any of its words, with that word.
const MEASURE: &str = r#"<script>
onload = () => {
  const channel = c => (c /= 255) <= .03928 ? c / 12.92 : ((c + .055) / 1.055) ** 2.4;
  const numbers = text => text.match(/[\d.]+/g).map(Number);
  const light = c => .2126 * channel(c[0]) + .7152 * channel(c[1]) + .0722 * channel(c[2]);
  const behind = e => { for (; e; e = e.parentElement) { const c = numbers(getComputedStyle(e).backgroundColor); if (c[3] !== 0) return c; } return [255, 255, 255]; };
  const look = page => {
  let least = [99, ''];
  for (const e of page.querySelectorAll('body *')) {
    const own = [...e.childNodes].filter(n => n.nodeType === 3).map(n => n.data.trim()).join(' ').trim();
    if (!own || e.closest('[aria-hidden]')) continue;
    const a = light(numbers(getComputedStyle(e).color)), b = light(behind(e));
    const ratio = (Math.max(a, b) + .05) / (Math.min(a, b) + .05);
    if (ratio < least[0]) least = [ratio, own.slice(0, 40)];
  }
  const root = page.documentElement;
  return [root.scrollWidth, page.body.scrollHeight, least[0].toFixed(2), least[1]].join('|');
  };
  document.title = [...document.querySelectorAll('iframe')].map(f => look(f.contentDocument)).join('\n');
};
</script>"#;

/// A page that holds mails in a phone's width: Chromium's own window is never narrower than 500.
fn framed(mails: &[&Envelope], height: usize, script: &str) -> String {
    let frame = |mail: &&Envelope| {
        let inner = mail.html.replace('&', "&amp;").replace('"', "&quot;");
        format!("<iframe width=\"360\" height=\"{height}\" srcdoc=\"{inner}\"></iframe>")
    };
    let frames: String = mails.iter().map(frame).collect();
    format!(
        "<!doctype html><html><head><meta charset=\"utf-8\"><meta name=\"color-scheme\" content=\"light dark\"><title></title>{script}\
         <style>html,body{{margin:0}}iframe{{border:0;display:block}}</style></head><body>{frames}</body></html>"
    )
}

struct Chromium {
    dir: tempfile::TempDir,
}

impl Chromium {
    fn run(&self, page: &str, dark: bool, arguments: &[String]) -> String {
        let file = self.dir.path().join("page.html");
        std::fs::write(&file, page).unwrap();
        let mut command = Command::new(CHROMIUM);
        command.args(["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"]);
        command.args(["--disable-background-networking", "--disable-component-update", "--disable-sync"]);
        command.args(["--hide-scrollbars", "--disable-dev-shm-usage", "--virtual-time-budget=2000"]);
        command.arg(format!("--user-data-dir={}", self.dir.path().join("profile").display()));
        command.arg(format!("--blink-settings=preferredColorScheme={}", if dark { 0 } else { 1 }));
        command.args(arguments).arg(format!("file://{}", file.display()));
        let output = command.output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    /// Width, height, least contrast and the words that have it, of each mail.
    fn measure(&self, mails: &[&Envelope], dark: bool) -> Vec<(usize, usize, f64, String)> {
        let dom = self.run(&framed(mails, 900, MEASURE), dark, &["--dump-dom".to_string()]);
        let title = dom.split("<title>").nth(1).unwrap().split("</title>").next().unwrap();
        let found = title.lines().map(|line| {
            let parts: Vec<&str> = line.splitn(4, '|').collect();
            assert_eq!(parts.len(), 4, "nothing was measured: {title:?}");
            (parts[0].parse().unwrap(), parts[1].parse().unwrap(), parts[2].parse().unwrap(), parts[3].to_string())
        });
        found.collect()
    }

    fn picture(&self, mail: &Envelope, height: usize, dark: bool, file: &Path) {
        let arguments = [format!("--screenshot={}", file.display()), format!("--window-size=360,{height}")];
        self.run(&framed(&[mail], height, ""), dark, &arguments);
    }
}

#[test]
fn mails_can_be_read_on_a_phone_in_light_and_dark() {
    if !Path::new(CHROMIUM).exists() {
        return eprintln!("skipped: no {CHROMIUM} to look at the mails with (Debian's package chromium)");
    }
    let chromium = Chromium { dir: tempfile::tempdir().unwrap() };
    let mut mails = Vec::new();
    for language in languages() {
        let words = words(language);
        mails.push(("reminder", language, reminder(&samples()[1], &words)));
        mails.push(("summary", language, summary(&words)));
        mails.extend([("merged", language, merged(&words)), ("help", language, help(&words))]);
        mails.push(("notice", language, notice("no_sent", &words)));
    }
    let kept = std::env::var_os("UPDATE_EXPECT").map(|_| PathBuf::from("docs"));
    let folder = kept.unwrap_or_else(|| chromium.dir.path().to_path_buf());
    for dark in [false, true] {
        let scheme = if dark { "dark" } else { "light" };
        let looks = chromium.measure(&mails.iter().map(|(_, _, m)| m).collect::<Vec<_>>(), dark);
        assert_eq!(looks.len(), mails.len());
        for ((name, language, mail), (width, height, contrast, word)) in mails.iter().zip(looks) {
            let what = format!("{name}, {language}, {scheme}");
            assert!(width <= 360, "{what}: {width} pixels wide");
            assert!(contrast >= 4.5, "{what}: {contrast} to 1 for {word:?}");
            if *language == "en" && ["reminder", "summary"].contains(name) {
                let file = folder.join(format!("mail-{name}-{scheme}.png"));
                chromium.picture(mail, height, dark, &file);
                let png = std::fs::read(&file).unwrap();
                let side = |at: usize| u32::from_be_bytes([png[at], png[at + 1], png[at + 2], png[at + 3]]) as usize;
                assert_eq!((side(16), side(20)), (360, height), "{what}");
                assert!((5_000..200_000).contains(&png.len()), "{what}: {} bytes", png.len());
            }
        }
    }
}
