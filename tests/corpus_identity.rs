//! Alias pairs of a real project, measured; skipped where the corpora are not at hand.
#![allow(clippy::print_stdout)]

mod measure;

#[test]
fn alias_pairs() {
    let folder = measure::folder();
    for (name, half) in [("half the rules were made on", Some(0)), ("other half", Some(1)), ("all", None)] {
        let Some(found) = measure::aliases(&folder, half) else {
            println!("skipped: no aliases_sympy.tsv in {}", folder.display());
            return;
        };
        println!("{name}: {} aliases: {}; addresses alone: {}", found.rows, found.of_aliases, found.of_addresses);
        if std::env::var("KITHD_SHOW").is_ok_and(|h| half.is_none_or(|n| h == n.to_string())) {
            found.reasons.iter().for_each(|(why, (right, wrong))| println!("{right:4} right {wrong:3} wrong  {why}"));
            found.of_addresses.show();
        }
    }
}
