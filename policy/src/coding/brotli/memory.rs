//! The decoder's memory, which it asks us for: what is not there it gets told, and fails.

use std::{cell::Cell, rc::Rc};

use brotli_decompressor::{Allocator, SliceWrapper, SliceWrapperMut};

/// What one decoder has, and whether it did not get something.
#[derive(Clone, Debug, Default)]
pub(super) struct Memory(Rc<Counts>);

#[derive(Debug, Default)]
struct Counts {
    bytes: Cell<usize>,
    is_refused: Cell<bool>,
}

/// A piece of it; without elements when there was none.
#[derive(Debug)]
pub(super) struct Piece<T>(Vec<T>);

impl Memory {
    pub(super) fn bytes(&self) -> usize {
        self.0.bytes.get()
    }

    pub(super) fn is_refused(&self) -> bool {
        self.0.is_refused.get()
    }
}

impl<T> Default for Piece<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T> SliceWrapper<T> for Piece<T> {
    fn slice(&self) -> &[T] {
        &self.0
    }
}

impl<T> SliceWrapperMut<T> for Piece<T> {
    fn slice_mut(&mut self) -> &mut [T] {
        &mut self.0
    }
}

impl<T: Clone + Default> Allocator<T> for Memory {
    type AllocatedMemory = Piece<T>;

    fn alloc_cell(&mut self, length: usize) -> Piece<T> {
        let mut elements = Vec::new();
        if elements.try_reserve_exact(length).is_err() {
            self.0.is_refused.set(true);
            return Piece::default();
        }
        elements.resize(length, T::default());
        let bytes = length.saturating_mul(size_of::<T>());
        self.0.bytes.set(self.bytes().saturating_add(bytes));
        Piece(elements)
    }

    fn free_cell(&mut self, piece: Piece<T>) {
        let bytes = piece.0.len().saturating_mul(size_of::<T>());
        self.0.bytes.set(self.bytes().saturating_sub(bytes));
    }
}
