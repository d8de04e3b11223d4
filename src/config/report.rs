//! What is wrong with a config, all of it, with its lines. Part of `config`.
//!
//! Invariant: no message holds a line of the file or a value of a secret's key.

use std::cell::RefCell;
use std::fmt;
use std::path::{Path, PathBuf};

/// One thing that is wrong.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Fault {
    /// Its line, from 1; `None`: the file as a whole.
    pub line: Option<usize>,
    /// What is wrong and what to do.
    pub what: String,
}

/// Everything that is wrong with a config; one line a fault, `FILE:LINE: what`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ConfigErrors {
    /// Which file.
    pub file: PathBuf,
    /// By line; at least one.
    pub faults: Vec<Fault>,
}

impl fmt::Display for ConfigErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (n, fault) in self.faults.iter().enumerate() {
            let end = if n == 0 { "" } else { "\n" };
            write!(f, "{end}{}", sentence(&self.file, fault))?;
        }
        Ok(())
    }
}

impl std::error::Error for ConfigErrors {}

fn sentence(file: &Path, fault: &Fault) -> String {
    match fault.line {
        Some(line) => format!("{}:{line}: {}", file.display(), fault.what),
        None => format!("{}: {}", file.display(), fault.what),
    }
}

/// Collects faults and warnings while a file is read.
pub(super) struct Report<'a> {
    file: &'a Path,
    /// Offset at which each line begins.
    lines: Vec<usize>,
    faults: RefCell<Vec<Fault>>,
    warnings: RefCell<Vec<Fault>>,
}

impl<'a> Report<'a> {
    pub fn new(file: &'a Path, text: &str) -> Report<'a> {
        let ends = text.bytes().enumerate().filter(|(_, b)| *b == b'\n').map(|(at, _)| at + 1);
        let lines = std::iter::once(0).chain(ends).collect();
        Report { file, lines, faults: RefCell::default(), warnings: RefCell::default() }
    }

    /// Something is wrong at the byte `at`.
    pub fn fault(&self, at: Option<usize>, what: impl Into<String>) {
        self.faults.borrow_mut().push(self.at(at, what));
    }

    /// Something is unusual, and the user may not know.
    pub fn warn(&self, at: Option<usize>, what: impl Into<String>) {
        self.warnings.borrow_mut().push(self.at(at, what));
    }

    fn at(&self, at: Option<usize>, what: impl Into<String>) -> Fault {
        Fault { line: at.map(|at| self.lines.partition_point(|start| *start <= at)), what: what.into() }
    }

    /// Is anything wrong so far?
    pub fn has_faults(&self) -> bool {
        !self.faults.borrow().is_empty()
    }

    /// Everything that is wrong, by line.
    pub fn errors(&self) -> ConfigErrors {
        let mut faults = self.faults.borrow().clone();
        faults.sort_by_key(|f| f.line);
        faults.dedup();
        ConfigErrors { file: self.file.to_path_buf(), faults }
    }

    /// Everything that is unusual, by line.
    pub fn warnings(&self) -> Vec<String> {
        let mut warnings = self.warnings.borrow().clone();
        warnings.sort_by_key(|w| w.line);
        warnings.iter().map(|w| sentence(self.file, w)).collect()
    }
}
