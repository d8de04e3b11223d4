#![allow(clippy::unwrap_used, clippy::indexing_slicing)]
use super::*;

#[test]
fn smoke() {
    let d: Date = "2026-05-13".parse().unwrap();
    for t in ["Could you send me the deck by Friday?", "I'll call you tomorrow.", "Thanks for your help!"] {
        println!("{t} {:?}", sentence_acts(t, d));
    }
}
