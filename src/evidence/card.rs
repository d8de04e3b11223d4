//! A card of an address book (RFC 6350). Floor 1.

use serde::{Deserialize, Serialize};

use super::{EvidenceId, SourceName};
use crate::address::AddrSpec;
use crate::time::Date;

/// A day that comes every year; the year itself is often not told (`--0512`).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub struct AnnualDay {
    /// 1 to 12.
    pub month: i8,
    /// 1 to 31.
    pub day: i8,
    /// The first one, where it is told.
    pub year: Option<i16>,
}

impl AnnualDay {
    /// The day in `year`; 29 February is 28 February where there is none.
    pub fn in_year(self, year: i16) -> Option<Date> {
        Date::new(year, self.month, self.day).or_else(|_| Date::new(year, self.month, self.day.min(28))).ok()
    }
}

/// One person of an address book.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Card {
    /// Digest of source and UID (without a UID: of the names and addresses).
    pub id: EvidenceId,
    /// The address book.
    pub source: SourceName,
    /// `FN` first, then `N` put together, then `NICKNAME`.
    pub names: Vec<String>,
    /// `EMAIL`, at most [`crate::limits::CARD_ADDRESSES`]; a card without any speaks of nobody we can know.
    pub addresses: Vec<AddrSpec>,
    /// `BDAY`.
    pub birthday: Option<AnnualDay>,
    /// `ANNIVERSARY`, also as Apple and Google write it.
    pub anniversary: Option<AnnualDay>,
    /// `CATEGORIES`, lower-case; one that names a relationship is one.
    pub categories: Vec<String>,
    /// Was there and is missing from a later good full reading.
    pub gone: bool,
}
