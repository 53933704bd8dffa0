// What both limb formats share: powers mod p, inverses mod n.

fn fe_zero() -> Fe {
    return Fe();
}

fn fe_small(k: u32) -> Fe {
    var a = Fe();
    a[0] = k;
    return a;
}

fn fe_is_zero(a: Fe) -> bool {
    return limbs_are_zero(fe_normalize(a));
}

// Steps of a power: so many squarings, then a product with a kept power (7: none), then keep the
// result (0: do not). Powers kept: a^(2^k - 1) for k = 1, 2, 3, 11, 22, 44, 88. After the first eleven the
// exponent is 2^223 - 1; p = 2^256 - 2^32 - 977 has long runs of ones.
const STEPS = array<vec3<u32>, 18>(
    vec3(1u, 0u, 1u), vec3(1u, 0u, 2u), vec3(3u, 2u, 0u), vec3(3u, 2u, 0u), vec3(2u, 1u, 3u),
    vec3(11u, 3u, 4u), vec3(22u, 4u, 5u), vec3(44u, 5u, 6u), vec3(88u, 6u, 0u), vec3(44u, 5u, 0u),
    vec3(3u, 2u, 0u),
    // (p + 1) / 4 = (2^223 - 1) 2^31 + (2^22 - 1) 2^8 + 12
    vec3(23u, 4u, 0u), vec3(6u, 1u, 0u), vec3(2u, 7u, 0u),
    // p - 2 = (2^223 - 1) 2^33 + (2^22 - 1) 2^10 + 45
    vec3(23u, 4u, 0u), vec3(5u, 0u, 0u), vec3(3u, 1u, 0u), vec3(2u, 0u, 0u),
);

// a to (p + 1) / 4 for `last` = 11, to p - 2 for `last` = 14; `a` is settled.
fn fe_power(a: Fe, last: u32) -> Fe {
    var kept: array<Fe, 7>;
    kept[0] = a;
    var t = a;
    let count = 11u + select(4u, 3u, last == 11u);
    for (var i = 0u; i < count; i++) {
        let step = STEPS[select(i, last + i - 11u, i >= 11u)];
        for (var k = 0u; k < step.x; k++) {
            t = fe_sqr(t);
        }
        if step.y < 7u {
            t = fe_mul(t, kept[step.y]);
        }
        if step.z > 0u {
            kept[step.z] = t;
        }
    }
    return t;
}

// The square root of a, if it has one: p = 3 mod 4, so that one of a and -a has this root.
fn fe_root(a: Fe) -> Fe {
    return fe_power(a, 11u);
}

// 1/a, 0 for 0 (Fermat).
fn fe_inverse(a: Fe) -> Fe {
    return fe_power(a, 14u);
}

// n - 2, by digits of 4 bits.
const ORDER_LESS_2 = array<u32, 8>(
    0xd036413fu, 0xbfd25e8cu, 0xaf48a03bu, 0xbaaedce6u, 0xfffffffeu, 0xffffffffu, 0xffffffffu, 0xffffffffu,
);

// 1/a mod n, both in Montgomery's form (Fermat).
fn sc_inverse(a: Fe) -> Fe {
    var powers: array<Fe, 16>;
    powers[0] = SC_ONE;
    for (var i = 1u; i < 16u; i++) {
        powers[i] = sc_mul(powers[i - 1u], a);
    }
    var t = SC_ONE;
    for (var i = 64u; i > 0u; i--) {
        let digit = (ORDER_LESS_2[(i - 1u) / 8u] >> (4u * ((i - 1u) % 8u))) & 15u;
        for (var k = 0u; k < 4u; k++) {
            t = sc_mul(t, t);
        }
        t = sc_mul(t, powers[digit]);
    }
    return t;
}
