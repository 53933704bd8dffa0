//! A fixed table whose places are used again, each time under another id.

/// Values by id. An id names one value for good: after its removal it names none.
#[derive(Debug)]
pub(crate) struct Slab<T> {
    places: Vec<Option<(u64, T)>>,
    free: Vec<usize>,
    serial: u64,
}

/// Low bits of an id: the place.
const PLACE: u32 = 20;

impl<T> Slab<T> {
    /// Most places that a slab has.
    pub const MOST: usize = 1 << PLACE;

    /// A slab of so many places, at least one and at most [`Slab::MOST`].
    pub fn new(places: usize) -> Self {
        let places = places.clamp(1, Self::MOST);
        let free = (0..places).rev().collect();
        Slab { places: (0..places).map(|_| None).collect(), free, serial: 0 }
    }

    /// How many values more it takes.
    pub fn room(&self) -> usize {
        self.free.len()
    }

    /// Whether it holds no value.
    pub fn is_empty(&self) -> bool {
        self.free.len() == self.places.len()
    }

    /// Number of places.
    pub fn len(&self) -> usize {
        self.places.len()
    }

    /// The place that an id names, whether or not its value is still there.
    pub fn place(id: u64) -> usize {
        id as usize & (Self::MOST - 1)
    }

    /// Puts a value in under the id that `make` learns. There is room.
    pub fn insert(&mut self, make: impl FnOnce(u64) -> T) -> u64 {
        let place = self.free.pop().expect("room was looked for");
        self.serial += 1;
        let id = self.serial << PLACE | place as u64;
        self.places[place] = Some((id, make(id)));
        id
    }

    /// The value, if it is still there.
    pub fn get(&self, id: u64) -> Option<&T> {
        let (held, value) = self.places.get(Self::place(id))?.as_ref()?;
        (*held == id).then_some(value)
    }

    /// The value, to be changed.
    pub fn get_mut(&mut self, id: u64) -> Option<&mut T> {
        let (held, value) = self.places.get_mut(Self::place(id))?.as_mut()?;
        (*held == id).then_some(value)
    }

    /// Takes the value out.
    pub fn remove(&mut self, id: u64) -> Option<T> {
        self.get(id)?;
        let place = Self::place(id);
        self.free.push(place);
        self.places[place].take().map(|(_, value)| value)
    }

    /// The id in a place, for walks that change the slab as they go.
    pub fn id_at(&self, place: usize) -> Option<u64> {
        self.places[place].as_ref().map(|(id, _)| *id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_never_names_a_second_value() {
        let mut slab = Slab::new(2);
        let a = slab.insert(|_| 'a');
        let b = slab.insert(|_| 'b');
        assert_eq!((slab.room(), slab.remove(a), slab.remove(a)), (0, Some('a'), None));
        let c = slab.insert(|_| 'c');
        assert_eq!(Slab::<char>::place(a), Slab::<char>::place(c));
        assert_eq!((slab.get(a), slab.get(c), slab.get(b)), (None, Some(&'c'), Some(&'b')));
        assert_eq!((slab.remove(b), slab.remove(c), slab.is_empty()), (Some('b'), Some('c'), true));
    }
}
