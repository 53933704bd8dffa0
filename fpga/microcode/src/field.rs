//! The field of secp256k1, for the model: plain big integers.

use num_bigint::BigUint;

/// p = 2^256 - 2^32 - 977.
pub fn prime() -> BigUint {
    (BigUint::from(1u8) << 256) - (BigUint::from(1u64) << 32) - 977u32
}

/// c + k a b, or c - k a b, mod p.
pub fn product(a: &BigUint, b: &BigUint, c: &BigUint, k: u32, negative: bool) -> BigUint {
    sum(c, &(a * b), k, negative)
}

/// a + k b, or a - k b, mod p.
pub fn sum(a: &BigUint, b: &BigUint, k: u32, negative: bool) -> BigUint {
    let p = prime();
    let term = b * k % &p;
    if negative { (a + &p - term) % p } else { (a + term) % p }
}

/// beta: (beta x, y) = lambda (x, y).
pub fn beta() -> BigUint {
    let digits = b"7ae96a2b657c07106e64479eac3434e99cf0497512f58995c1396c28719501ee";
    BigUint::parse_bytes(digits, 16).expect("hexadecimal digits")
}
