// The record of an item: x and y of its sum, the nonce of the part, the item's index in the batch, a
// checksum of the operands as this device read them, and a status: 1 for a point, 2 for none. What follows
// is `decode`'s.

fn checksum(item: u32) -> u32 {
    var sum = params.nonce;
    for (var column = 0u; column < 5u; column++) {
        let unused = (column == COLUMN_Y && key_form(item) != 4u)
            || (column < COLUMN_A && params.pinned == 1u)
            || (column == COLUMN_C && params.algorithm != 0u);
        if !unused {
            let w = column_words(column, item);
            for (var i = 0u; i < 8u; i++) {
                sum = ((sum << 5u) | (sum >> 27u)) ^ w[i];
            }
        }
    }
    return sum + select(key_form(item), last_word(item), params.pinned == 1u);
}

@compute @workgroup_size(64)
fn evidence(@builtin(global_invocation_id) id: vec3<u32>) {
    let item = id.x;
    if item >= params.items {
        return;
    }
    let inverse = point_load(item, POINT_INVERSE);
    let square = fe_sqr(inverse);
    let x = limbs_pack(fe_normalize(fe_mul(point_load(item, POINT_X), square)));
    let y = limbs_pack(fe_normalize(fe_mul(point_load(item, POINT_Y), fe_mul(square, inverse))));
    let status = select(1u, 2u, limbs_are_zero(inverse));
    let at = record_at(item);
    records[at] = vec4(x[0], x[1], x[2], x[3]);
    records[at + 1u] = vec4(x[4], x[5], x[6], x[7]);
    records[at + 2u] = vec4(y[0], y[1], y[2], y[3]);
    records[at + 3u] = vec4(y[4], y[5], y[6], y[7]);
    records[at + 4u] = vec4(params.nonce, params.first + item, checksum(item), status);
}
