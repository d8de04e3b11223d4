#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::print_stderr)]
use super::*;
