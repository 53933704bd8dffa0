//! One field of all jobs of a batch.

use std::ops::Range;

/// One field of all jobs: fixed width, or ends in an index.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Column {
    pub(super) bytes: Vec<u8>,
    /// Bytes an item where all are equal; `None`: item i ends at `ends[i]`.
    width: Option<usize>,
    ends: Vec<u32>,
}

impl Column {
    /// A column of items of `width` bytes.
    pub fn fixed(width: usize) -> Self {
        Column { width: Some(width), ..Column::default() }
    }

    /// A column of items of any length.
    pub fn variable() -> Self {
        Column::default()
    }

    /// All bytes, item after item.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Where each item ends in [`Column::bytes`]; empty for a column of fixed width.
    pub fn ends(&self) -> &[u32] {
        &self.ends
    }

    /// Item `index`.
    pub fn get(&self, index: usize) -> &[u8] {
        match self.width {
            Some(width) => &self.bytes[index * width..][..width],
            None => &self.bytes[self.start(index)..self.ends[index] as usize],
        }
    }

    /// Where item `index` begins in [`Column::bytes`]: of the one after the last, where that ends.
    pub(crate) fn start(&self, index: usize) -> usize {
        match self.width {
            Some(width) => width * index,
            None if index == 0 => 0,
            None => self.ends[index - 1] as usize,
        }
    }

    /// Item `index` of a column whose width is `N`.
    pub fn array<const N: usize>(&self, index: usize) -> &[u8; N] {
        self.get(index).try_into().expect("the column has this width")
    }

    /// The items of a range in one piece, with their length, if all have the same.
    pub(crate) fn uniform(&self, range: Range<usize>) -> Option<(usize, &[u8])> {
        if range.is_empty() {
            return Some((0, &[]));
        }
        let start = self.start(range.start);
        let length = self.get(range.start).len();
        let items = range.len();
        if self.width.is_none() {
            let ends = self.ends[range].iter();
            let mut expected = (1..).map(|item| (start + item * length) as u32);
            if !ends.map(|&end| expected.next() == Some(end)).fold(true, |all, is| all & is) {
                return None;
            }
        }
        Some((length, &self.bytes[start..][..items * length]))
    }

    pub(super) fn push(&mut self, item: &[u8]) {
        debug_assert!(self.width.is_none_or(|width| width == item.len()));
        self.bytes.extend_from_slice(item);
        if self.width.is_none() {
            self.ends.push(self.bytes.len() as u32);
        }
    }

    pub(super) fn clear(&mut self) {
        self.bytes.clear();
        self.ends.clear();
    }
}
