//! Many phrases, looked for only where a word begins. Part of `read`.
//!
//! An automaton over all phrases of twenty languages reports about one hit for every letter of a mail,
//! because short phrases stand inside long words, and each has to be thrown away again. A walk down a
//! tree from each beginning of a word ends after a few letters, and finds only what may stand there.
//!
//! Most of a phrase is its own alone: where one is left below a node there are no more nodes, and the rest of it is
//! compared at once.
//!
//! Invariant: what is found does not depend on the order in which the phrases were given.

/// Phrases as a tree of their bytes. Nodes are numbered breadth first, so that the n-th edge leads to
/// node n + 1.
#[derive(Debug, Default)]
pub struct Tree {
    nodes: Vec<Node>,
    edges: Vec<u8>,
    /// Numbers of the phrases, as they were given, sorted by their bytes.
    phrases: Vec<usize>,
    /// What is left of the phrases that stand alone below a node, in their order.
    tails: Vec<u8>,
    /// Where the tail of each of [`Tree::phrases`] begins; it ends where the next begins, most are empty.
    tail_starts: Vec<u32>,
    /// The node below the root by its byte, 0 for none.
    roots: Vec<u32>,
    /// The nodes below those, 256 for each of them: most walks end here.
    seconds: Vec<u32>,
    /// Of each phrase, as they were given: which kinds it is of.
    kinds: Vec<u32>,
}

#[derive(Clone, Copy, Debug)]
struct Node {
    /// Its first edge, and how many there are.
    edges: u32,
    count: u16,
    /// What ends here, or behind the tail of the first of them: a stretch of [`Tree::phrases`].
    ends: (u32, u32),
    /// Kinds of the phrases that end here or below.
    kinds: u32,
}

/// A place in a tree; there is room for four thousand million.
fn place(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(u32::MAX)
}

/// And back.
fn index(place: u32) -> usize {
    usize::try_from(place).unwrap_or(usize::MAX)
}

impl Tree {
    /// A tree of `texts`; what is found of them are their places here.
    pub fn new(texts: &[String]) -> Tree {
        Tree::of_kinds(texts, vec![u32::MAX; texts.len()])
    }

    /// The same; each text is of the kinds that are the bits of its number.
    pub fn of_kinds(texts: &[String], kinds: Vec<u32>) -> Tree {
        let mut sorted: Vec<(&[u8], usize)> = texts.iter().enumerate().map(|(n, t)| (t.as_bytes(), n)).collect();
        sorted.sort_unstable();
        let mut tree = Tree { phrases: sorted.iter().map(|(_, n)| *n).collect(), kinds, ..Tree::default() };
        let kinds_of = |phrases: &[(&[u8], usize)], tree: &Tree| {
            phrases.iter().filter_map(|(_, n)| tree.kinds.get(*n)).fold(0, |all, kinds| all | kinds)
        };
        let mut tails: Vec<&[u8]> = vec![&[]; sorted.len()];
        let mut level = vec![(0, sorted.len())];
        let mut depth = 0;
        while !level.is_empty() {
            let mut below = Vec::new();
            for (from, to) in level {
                let texts = sorted.get(from..to).unwrap_or_default();
                let alone = depth > 0 && texts.first().map(|(text, _)| text) == texts.last().map(|(text, _)| text);
                let ended = if alone { to } else { from + texts.iter().take_while(|(t, _)| t.len() == depth).count() };
                if let (true, Some(tail), Some((text, _))) = (alone, tails.get_mut(from), texts.first()) {
                    *tail = text.get(depth..).unwrap_or_default();
                }
                let kinds = kinds_of(texts, &tree);
                let ends = (place(from), place(ended));
                let edges = tree.edges.len();
                let mut at = ended;
                let rest = sorted.get(ended..to).unwrap_or_default();
                for same in rest.chunk_by(|(a, _), (b, _)| a.get(depth) == b.get(depth)) {
                    tree.edges.extend(same.first().and_then(|(text, _)| text.get(depth)));
                    below.push((at, at + same.len()));
                    at += same.len();
                }
                // a byte has 256 values
                let count = u16::try_from(tree.edges.len() - edges).unwrap_or(u16::MAX);
                tree.nodes.push(Node { edges: place(edges), count, ends, kinds });
            }
            level = below;
            depth += 1;
        }
        for tail in tails {
            tree.tail_starts.push(place(tree.tails.len()));
            tree.tails.extend_from_slice(tail);
        }
        tree.nodes.shrink_to_fit();
        let below_root = tree.edges_of(0);
        tree.roots = vec![0; 256];
        tree.seconds = vec![0; below_root.len() * 256];
        for edge in below_root {
            let Some(byte) = tree.edges.get(edge).copied() else { continue };
            if let Some(slot) = tree.roots.get_mut(usize::from(byte)) {
                *slot = place(edge + 1);
            }
            for below in tree.edges_of(edge + 1) {
                let byte = tree.edges.get(below).copied().unwrap_or_default();
                if let Some(slot) = tree.seconds.get_mut(edge * 256 + usize::from(byte)) {
                    *slot = place(below + 1);
                }
            }
        }
        tree
    }

    /// Calls `found` with each phrase that begins at `start` of `text`, and the byte after it.
    pub fn at(&self, text: &str, start: usize, found: impl FnMut(usize, usize)) {
        self.at_of(u32::MAX, text, start, found);
    }

    /// The same of the phrases of any of these kinds: a walk ends where no such phrase is below.
    pub fn at_of(&self, kinds: u32, text: &str, start: usize, mut found: impl FnMut(usize, usize)) {
        let text = text.as_bytes();
        let mut bytes = text.get(start..).unwrap_or_default().iter().zip(start + 1..);
        let Some((first, end)) = bytes.next() else { return };
        let root = index(self.roots.get(usize::from(*first)).copied().unwrap_or(0));
        if root == 0 {
            return;
        }
        let of = |place: usize| self.nodes.get(place).filter(|n| n.kinds & kinds != 0);
        let Some(node) = of(root) else { return };
        if !self.arrive(node, kinds, text, end, &mut found) {
            return;
        }
        let Some((second, end)) = bytes.next() else { return };
        let second = index(self.seconds.get((root - 1) * 256 + usize::from(*second)).copied().unwrap_or(0));
        let Some(mut node) = of(second).filter(|_| second != 0) else { return };
        if !self.arrive(node, kinds, text, end, &mut found) {
            return;
        }
        for (byte, end) in bytes {
            let from = index(node.edges);
            let edges = self.edges.get(from..from + usize::from(node.count)).unwrap_or_default();
            // mostly one or two of them
            let Some(below) = edges.iter().position(|e| e == byte).and_then(|n| of(from + n + 1)) else { return };
            node = below;
            if !self.arrive(node, kinds, text, end, &mut found) {
                return;
            }
        }
    }

    /// The edges of a node.
    fn edges_of(&self, node: usize) -> std::ops::Range<usize> {
        let (from, count) = self.nodes.get(node).map_or((0, 0), |n| (index(n.edges), usize::from(n.count)));
        from..from + count
    }

    /// Tells what ends at a node that was reached by the text before `end`, or behind its tail; `false` where
    /// nothing is below it.
    fn arrive(&self, node: &Node, kinds: u32, text: &[u8], end: usize, found: &mut impl FnMut(usize, usize)) -> bool {
        let (from, to) = node.ends;
        if from == to {
            return true;
        }
        let start = |rank: usize| self.tail_starts.get(rank).map_or(self.tails.len(), |at| index(*at));
        let tail = self.tails.get(start(index(from))..start(index(from) + 1)).unwrap_or_default();
        if !text.get(end..).unwrap_or_default().starts_with(tail) {
            return false;
        }
        let of = |n: &usize| self.kinds.get(*n).is_some_and(|k| k & kinds != 0);
        let phrases = self.phrases.get(index(from)..index(to)).unwrap_or_default();
        phrases.iter().copied().filter(of).for_each(|phrase| found(phrase, end + tail.len()));
        tail.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(texts: &[&str], text: &str, start: usize) -> Vec<(usize, usize)> {
        let tree = Tree::new(&texts.iter().map(ToString::to_string).collect::<Vec<_>>());
        let mut all = Vec::new();
        tree.at(text, start, |phrase, end| all.push((phrase, end)));
        all
    }

    #[test]
    fn every_phrase_that_begins_there_is_found() {
        let texts = ["will send", "will", "wil", "send", "will", "ですか", ""];
        assert_eq!(found(&texts, "i will send it", 2), [(2, 5), (1, 6), (4, 6), (0, 11)]);
        assert_eq!(found(&texts, "i will send it", 7), [(3, 11)]);
        assert_eq!(found(&texts, "いいですか", 6), [(5, 15)]);
        assert_eq!(found(&texts, "i will", 0), []);
        assert_eq!(found(&texts, "i will", 99), []);
        assert_eq!(found(&[], "i will", 0), []);
    }

    #[test]
    fn only_phrases_of_the_kinds_asked_for_are_found() {
        let texts = ["segue", "segu", "see"].map(String::from);
        let tree = Tree::of_kinds(&texts, vec![1, 2, 4]);
        let found = |kinds| {
            let mut all = Vec::new();
            tree.at_of(kinds, "segue", 0, |phrase, _| all.push(phrase));
            all
        };
        assert_eq!((found(1), found(2), found(3), found(4)), (vec![0], vec![1], vec![1, 0], vec![]));
    }

    proptest::proptest! {
        #[test]
        fn it_finds_what_a_search_finds(texts in proptest::collection::vec("[abé]{1,4}", 0..12), text in "[abé]{0,20}") {
            let tree = Tree::new(&texts);
            for (start, _) in text.char_indices() {
                let mut seen = Vec::new();
                tree.at(&text, start, |phrase, end| seen.push((end, phrase)));
                let mut all: Vec<(usize, usize)> = Vec::new();
                for (n, phrase) in texts.iter().enumerate() {
                    if text.get(start..).is_some_and(|rest| rest.starts_with(phrase.as_str())) {
                        all.push((start + phrase.len(), n));
                    }
                }
                seen.sort_unstable();
                all.sort_unstable();
                assert_eq!(seen, all);
            }
        }
    }
}
