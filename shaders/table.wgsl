// Odd multiples of the key, Q to 31 Q, made affine.

// Q and 2 Q get the same Z; each multiple and 2 Q together give the next, which has a Z in common with
// 2 Q again. The last Z goes to the point, to be inverted.
@compute @workgroup_size(64)
fn table(@builtin(global_invocation_id) id: vec3<u32>) {
    let item = id.x;
    if item >= params.items {
        return;
    }
    let key = Affine(point_load(item, POINT_X), point_load(item, POINT_Y));
    let first = item * 64u;
    table_store(first, key.x);
    table_store(first + 2u, key.y);
    let doubled = point_double_co_z(key);
    var step = doubled.sum;
    var multiple = doubled.first;
    var z = doubled.ratio;
    for (var i = 1u; i < 16u; i++) {
        let next = point_add_co_z(step, multiple);
        step = next.first;
        multiple = next.sum;
        z = fe_mul(z, next.ratio);
        table_store(first + 4u * i, fe_normalize(multiple.x));
        table_store(first + 4u * i + 2u, fe_normalize(multiple.y));
        let w = limbs_pack(fe_normalize(next.ratio));
        let at = item * 30u + 2u * i - 2u;
        ratios[at] = vec4(w[0], w[1], w[2], w[3]);
        ratios[at + 1u] = vec4(w[4], w[5], w[6], w[7]);
    }
    point_store(item, POINT_Z, fe_normalize(z));
}

// From the last multiple down: x = X / Z^2, y = Y / Z^3, and 1/Z of the one before is 1/Z times the
// ratio.
@compute @workgroup_size(64)
fn table_affine(@builtin(global_invocation_id) id: vec3<u32>) {
    let item = id.x;
    if item >= params.items {
        return;
    }
    var inverse = point_load(item, POINT_INVERSE);
    for (var i = 15u; i > 0u; i--) {
        let at = item * 64u + 4u * i;
        let square = fe_sqr(inverse);
        table_store(at, fe_normalize(fe_mul(table_load(at), square)));
        table_store(at + 2u, fe_normalize(fe_mul(table_load(at + 2u), fe_mul(square, inverse))));
        let ratio = item * 30u + 2u * i - 2u;
        inverse = fe_mul(inverse, limbs_load(words_of(ratios[ratio], ratios[ratio + 1u])));
    }
}
