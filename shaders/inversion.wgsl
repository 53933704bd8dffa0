// Inverses of a column, of which each thread takes `share`, far apart, so that neighbours read
// neighbours: products up to each, one inversion, and back (Montgomery's trick). 3 products an item.
// All threads invert at once; a tree across a workgroup would leave all but one idle for as long.

// Of s, for ECDSA, or r, for recovery, mod n: in Montgomery's form, to the points' column of inverses.
// With plain factors each of his products drops a factor R; leaving one in the inverse makes up for
// it: from P_i = v_1 .. v_i / R^(i - 1) and I_i = R / P_i, P_(i-1) I_i / R = R / v_i and
// I_i v_i / R = I_(i-1).
@compute @workgroup_size(64)
fn invert_scalars(@builtin(global_invocation_id) id: vec3<u32>) {
    let threads = (params.items + params.share - 1u) / params.share;
    if id.x >= threads {
        return;
    }
    let column = select(COLUMN_C, COLUMN_X, params.algorithm == 2u);
    var total = SC_ONE;
    var item = id.x;
    for (; item < params.items; item += threads) {
        point_store(item, POINT_INVERSE, sc_reduce(total));
        total = sc_mul(total, column_load(column, item));
    }
    var inverse = sc_mul(sc_inverse(total), fe_small(1u));
    while item > id.x {
        item -= threads;
        let before = point_load(item, POINT_INVERSE);
        point_store(item, POINT_INVERSE, sc_reduce(sc_mul(before, inverse)));
        inverse = sc_mul(inverse, column_load(column, item));
    }
}

// Of the points' Z, mod p; 0 for 0.
@compute @workgroup_size(64)
fn invert_z(@builtin(global_invocation_id) id: vec3<u32>) {
    let threads = (params.items + params.share - 1u) / params.share;
    if id.x >= threads {
        return;
    }
    var total = fe_small(1u);
    var item = id.x;
    for (; item < params.items; item += threads) {
        point_store(item, POINT_INVERSE, fe_normalize(total));
        let z = point_load(item, POINT_Z);
        total = fe_mul(total, limbs_select(z, fe_small(1u), limbs_are_zero(z)));
    }
    var inverse = fe_inverse(total);
    while item > id.x {
        item -= threads;
        let z = point_load(item, POINT_Z);
        let zero = limbs_are_zero(z);
        let before = fe_mul(point_load(item, POINT_INVERSE), inverse);
        point_store(item, POINT_INVERSE, fe_normalize(limbs_select(before, fe_zero(), zero)));
        inverse = fe_mul(inverse, limbs_select(z, fe_small(1u), zero));
    }
}
