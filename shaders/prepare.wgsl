// The scalars of u1 G + u2 Q, in odd halves.
//
// ECDSA: u1 = z / s, u2 = r / s. BIP 340: u1 = s, u2 = -e. Recovery: u1 = -z / r, u2 = s / r.

@compute @workgroup_size(64)
fn prepare(@builtin(global_invocation_id) id: vec3<u32>) {
    let item = id.x;
    if item >= params.items {
        return;
    }
    var u1 = column_load(COLUMN_A, item);
    var u2 = column_load(COLUMN_B, item);
    if params.algorithm != 1u {
        let inverse = point_load(item, POINT_INVERSE);
        u1 = sc_reduce(sc_mul(u1, inverse));
        u2 = sc_reduce(sc_mul(u2, inverse));
    }
    if params.algorithm == 1u {
        u2 = sc_negate(u2);
    }
    if params.algorithm == 2u {
        u1 = sc_negate(u1);
    }
    let pinned = params.pinned == 1u;
    scalar_store(u1, select(GENERATOR_MARKER, COMB_MARKER, pinned), item * 20u);
    scalar_store(u2, select(KEY_MARKER, COMB_MARKER, pinned), item * 20u + 10u);
}
