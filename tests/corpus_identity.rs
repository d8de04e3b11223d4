//! Alias pairs of a real project, measured; skipped where the corpora are not at hand.
#![allow(clippy::print_stdout)]

mod measure;

#[test]
fn alias_pairs() {
    let folder = measure::folder();
    let Some(found) = measure::aliases(&folder) else {
        println!("skipped: no aliases_sympy.tsv in {}", folder.display());
        return;
    };
    println!("{} aliases: {}; addresses alone: {}", found.rows, found.of_aliases, found.of_addresses);
    if std::env::var_os("KITHD_SHOW").is_some() {
        found.reasons.iter().for_each(|(why, (right, wrong))| println!("{right:4} right {wrong:3} wrong  {why}"));
    }
    found.of_addresses.show();
    // Wanted are P .98 and R .84; precision falls a little short. Of the 12 pairs of addresses that are wrong, nine
    // share an account number, a handle or a rare local part, so that the labels may be what misses them; the others
    // are of one name and nothing else. These are floors against getting worse.
    assert!(found.of_aliases.precision() >= 0.975 && found.of_aliases.recall() >= 0.87, "{}", found.of_aliases);
    assert!(found.of_addresses.precision() >= 0.945 && found.of_addresses.recall() >= 0.755, "{}", found.of_addresses);
}
