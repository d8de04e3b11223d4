//! What people write, in six languages, as they write it.
//!
//! Invariant: written as natural language, without regard to what the reader knows. A phrase the
//! reader misses is a finding, not a phrase to take out.

mod de;
mod en;
mod es;
mod fr;
mod it;
mod nl;
mod untidy;

use super::cast::Tongue;
pub use untidy::untidy;

/// When a promise is meant for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum For {
    Tomorrow,
    Friday,
}

/// The words of one language. `{n}` is the reader's first name, `{me}` the writer's.
pub struct Phrases {
    pub subjects: &'static [&'static str],
    pub openings: &'static [&'static str],
    pub closings: &'static [&'static str],
    /// Sign-offs that thank.
    pub thanks_closings: &'static [&'static str],
    /// Sentences that ask nothing and promise nothing.
    pub chat: &'static [&'static str],
    /// Questions and requests that want an answer.
    pub ask: &'static [&'static str],
    pub answer: &'static [&'static str],
    /// The same question again.
    pub ping: &'static [&'static str],
    /// For your information, no answer wanted.
    pub fyi: &'static [&'static str],
    /// A question that is in no hurry.
    pub no_rush: &'static [&'static str],
    pub thanks_met: &'static [&'static str],
    pub thanks_intro: &'static [&'static str],
    pub thanks_help: &'static [&'static str],
    pub thanks_interview: &'static [&'static str],
    pub promise_dated: &'static [(&'static str, For)],
    pub promise: &'static [&'static str],
    /// Kept by introducing the two, without a file or a link.
    pub promise_intro: &'static str,
    /// Kept by an invitation in the calendar.
    pub promise_invite: &'static [&'static str],
    /// Only if the reader wants it.
    pub promise_if: &'static [&'static str],
    /// First person and future, but nothing that is owed.
    pub promise_not: &'static [&'static str],
    /// A promise kept, with a file.
    pub kept: &'static [&'static str],
    pub ask_favour: &'static [&'static str],
    pub did_favour: &'static [&'static str],
    /// `{x}` is who asked, `{z}` the new one, `{zf}` their first name.
    pub intro: &'static [&'static str],
    pub recruiter: &'static [&'static str],
    pub decline: &'static [&'static str],
    pub sales: &'static [&'static str],
    pub announce: &'static [&'static str],
    pub congratulate: &'static [&'static str],
    pub wish: &'static [&'static str],
    pub away_subject: &'static str,
    /// `{date}` is the first day back.
    pub away: &'static str,
    pub left: &'static str,
    pub support: &'static [&'static str],
    pub newsletter: &'static [(&'static str, &'static str)],
    pub spouse: &'static [&'static str],
    pub interview: &'static [&'static str],
    pub coffee: &'static [&'static str],
    pub demo: &'static str,
    pub webinar: &'static str,
    pub vacation: &'static str,
    pub weekly: &'static str,
    pub conference: &'static str,
}

/// Does one of the sentences ask for something?
pub fn asks(body: &[String]) -> bool {
    let all = super::cast::TONGUES.map(of);
    let said = |s: &&str| body.iter().any(|b| b == s);
    all.iter().any(|w| [w.ask, w.ask_favour, w.no_rush].concat().iter().any(said))
}

/// Does one of the sentences thank for something that was done?
pub fn thanks(body: &[String]) -> bool {
    let all = super::cast::TONGUES.map(of);
    let said = |s: &&str| body.iter().any(|b| b == s);
    all.iter().any(|w| [w.thanks_met, w.thanks_intro, w.thanks_help, w.thanks_interview].concat().iter().any(said))
}

pub fn of(tongue: Tongue) -> &'static Phrases {
    match tongue {
        Tongue::En => &en::WORDS,
        Tongue::De => &de::WORDS,
        Tongue::Fr => &fr::WORDS,
        Tongue::Es => &es::WORDS,
        Tongue::It => &it::WORDS,
        Tongue::Nl => &nl::WORDS,
    }
}
