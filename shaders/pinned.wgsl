// u1 G + u2 Q over tables so wide that the sum needs no doublings (a comb): for the window of w bits at
// bit s the row of each odd digit d is d 2^s Q. Starts at T and ends with -T, as `multiply` does.
//
// Windows over a half below 2^129, the lower ones a bit wider where they do not divide it: 16 of 9 and
// 8 bits over a key, 10 of 13 and 12 bits over G.

const KEY_WINDOWS: u32 = 16u;
const COMB_WINDOWS: u32 = 10u;

// What source 0 to 52 adds: both halves over the key, both over G, -T.
fn comb_addend(item: u32, source: u32) -> Affine {
    if source < 2u * KEY_WINDOWS {
        let half = source / KEY_WINDOWS;
        let window = source % KEY_WINDOWS;
        let first = window == 0u;
        let low = select(8u * window + 1u, 0u, first);
        let d = digit(item * 20u + 10u + half * 5u, low, select(8u, 9u, first));
        let row = last_word(item) + select(128u * window + 128u, 0u, first) + d.row;
        return signed_row(table_row(row), d.negative, half == 1u);
    }
    if source < 2u * (KEY_WINDOWS + COMB_WINDOWS) {
        let half = (source - 2u * KEY_WINDOWS) / COMB_WINDOWS;
        let window = (source - 2u * KEY_WINDOWS) % COMB_WINDOWS;
        let d = digit(item * 20u + half * 5u, 13u * window, select(13u, 12u, window == 9u));
        return signed_row(generator_row(ROW_COMB + 4096u * window + d.row), d.negative, half == 1u);
    }
    return generator_row(ROW_COMB_END);
}

@compute @workgroup_size(64)
fn multiply_pinned(@builtin(global_invocation_id) id: vec3<u32>) {
    let item = id.x;
    if item >= params.items {
        return;
    }
    let start = generator_row(ROW_START);
    var sum = Jacobian(start.x, start.y, fe_small(1u));
    for (var source = 0u; source < 2u * (KEY_WINDOWS + COMB_WINDOWS) + 1u; source++) {
        sum = point_add_affine(sum, comb_addend(item, source));
    }
    point_store(item, POINT_X, fe_normalize(sum.x));
    point_store(item, POINT_Y, fe_normalize(sum.y));
    point_store(item, POINT_Z, fe_normalize(sum.z));
}
