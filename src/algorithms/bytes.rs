//! Short copies without a call.

/// Copies the beginning of a block into a buffer that is longer. Two copies of a fixed length that
/// overlap cost less than one call with a variable length.
#[inline(always)]
pub(crate) fn copy_short(to: &mut [u8], from: &[u8]) {
    match from.len() {
        0..8 => {
            for (to, from) in to.iter_mut().zip(from) {
                *to = *from;
            }
        }
        8..16 => copy_ends::<8>(to, from),
        16..32 => copy_ends::<16>(to, from),
        32..64 => copy_ends::<32>(to, from),
        64..128 => copy_ends::<64>(to, from),
        _ => to[..from.len()].copy_from_slice(from),
    }
}

/// The first and the last `W` bytes.
#[inline(always)]
fn copy_ends<const W: usize>(to: &mut [u8], from: &[u8]) {
    let to = &mut to[..from.len()];
    to[..W].copy_from_slice(&from[..W]);
    to[from.len() - W..].copy_from_slice(&from[from.len() - W..]);
}

#[cfg(test)]
mod tests {
    use super::copy_short;

    #[test]
    fn every_length_is_copied_and_nothing_more() {
        let from: Vec<u8> = (1..=200).collect();
        for length in 0..=200 {
            let mut to = [0; 201];
            copy_short(&mut to, &from[..length]);
            assert_eq!(to[..length], from[..length]);
            assert!(to[length..].iter().all(|&byte| byte == 0), "{length}");
        }
    }
}
