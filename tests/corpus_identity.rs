//! Alias pairs of a real project, measured; skipped where the corpora are not at hand.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::print_stdout, clippy::cast_precision_loss)]

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use kithd::address::AddrSpec;
use kithd::identity::{AddressFacts, Me, People, Ties};

fn corpora() -> PathBuf {
    let given = std::env::var_os("KITHD_CORPORA").map(PathBuf::from);
    given.unwrap_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared/corpora"))
}

/// What stands in the address column is not always an address.
fn address(text: &str) -> AddrSpec {
    let kept = |c: &char| c.is_alphanumeric() || "@.+-_()".contains(*c);
    let plain: String = text.chars().filter(kept).collect();
    let made_up = || AddrSpec::parse(&format!("{}@no-domain.local", plain.replace('@', "-")));
    AddrSpec::parse(&plain).or_else(made_up).unwrap_or_else(|| AddrSpec::parse("empty@no-domain.local").unwrap())
}

fn pairs(groups: impl Iterator<Item = BTreeSet<AddrSpec>>) -> BTreeSet<(AddrSpec, AddrSpec)> {
    let pair = |g: BTreeSet<AddrSpec>| {
        let all: Vec<AddrSpec> = g.into_iter().collect();
        (0..all.len())
            .flat_map(|i| (i + 1..all.len()).map(move |j| (i, j)))
            .map(|(i, j)| (all[i].clone(), all[j].clone()))
            .collect::<Vec<_>>()
    };
    groups.flat_map(pair).collect()
}

#[test]
fn alias_pairs() {
    let path = corpora().join("aliases_sympy.tsv");
    let Ok(text) = std::fs::read_to_string(&path) else {
        println!("skipped: {} is not there", path.display());
        return;
    };
    let mut addresses: BTreeMap<AddrSpec, AddressFacts> = BTreeMap::new();
    let mut truth: BTreeMap<&str, BTreeSet<AddrSpec>> = BTreeMap::new();
    let mut rows: Vec<(&str, AddrSpec)> = Vec::new();
    for line in text.lines() {
        let cells: Vec<&str> = line.split('\t').collect();
        let [id, name, addr, count] = cells.as_slice() else { continue };
        let addr = address(addr);
        let facts = addresses.entry(addr.clone()).or_default();
        facts.sent = 1;
        let count: u32 = count.parse().unwrap();
        facts.see_name(name);
        facts.names.iter_mut().filter(|(n, _)| n == name).for_each(|(_, c)| *c = (*c).max(count));
        rows.push((id, addr.clone()));
        truth.entry(id).or_default().insert(addr);
    }
    let people = People::resolve(&Me::default(), &addresses, &Ties::default(), &[]);
    let truth = pairs(truth.into_values());
    let found = pairs(people.contacts().map(|c| c.addresses.iter().cloned().collect()));
    let right = truth.intersection(&found).count();
    let (precision, recall) = (right as f64 / found.len() as f64, right as f64 / truth.len() as f64);
    println!(
        "alias pairs: {} true, {} found, {right} right: P {precision:.3}, R {recall:.3}",
        truth.len(),
        found.len()
    );
    let contact = |a: &AddrSpec| people.contact_of(a).filter(|c| c.person).map(|c| c.id);
    let (mut of_rows, mut found_rows, mut right_rows) = (0, 0, 0);
    for (i, (id, a)) in rows.iter().enumerate() {
        for (other, b) in &rows[i + 1..] {
            let together = contact(a).is_some() && contact(a) == contact(b);
            of_rows += u32::from(id == other);
            found_rows += u32::from(together);
            right_rows += u32::from(together && id == other);
        }
    }
    let (row_precision, row_recall) =
        (f64::from(right_rows) / f64::from(found_rows), f64::from(right_rows) / f64::from(of_rows));
    println!(
        "with names: {of_rows} true, {found_rows} found, {right_rows} right: P {row_precision:.3}, R {row_recall:.3}"
    );
    if std::env::var_os("KITHD_SHOW").is_some() {
        let mut kinds: BTreeMap<String, (u32, u32)> = BTreeMap::new();
        for merge in people.contacts().flat_map(|c| &c.merges) {
            let kind = kinds.entry(merge.reasons.join(", ")).or_default();
            if truth.contains(&(merge.a.clone(), merge.b.clone())) { kind.0 += 1 } else { kind.1 += 1 }
        }
        kinds.iter().for_each(|(kind, (right, wrong))| println!("{right:4} right {wrong:3} wrong  {kind}"));
        let who =
            |a: &AddrSpec| format!("{a} {:?}", addresses[a].names.iter().map(|(n, _)| n.as_str()).collect::<Vec<_>>());
        found.difference(&truth).for_each(|(a, b)| println!("wrong  {} | {}", who(a), who(b)));
        truth.difference(&found).for_each(|(a, b)| println!("missed {} | {}", who(a), who(b)));
    }
    assert!(precision >= 0.98 && recall >= 0.84, "P {precision:.3}, R {recall:.3}");
}
