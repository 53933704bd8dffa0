// u1 G + u2 Q: four chains of odd digits that share their doublings (Straus), every item in the
// same steps.
//
// The sum starts at T, a point of which nobody knows the logarithm, and gives 2^125 T back at the end, so
// that it is never infinity. A case outside the formulas, which only scalars and keys made for it meet,
// ends with Z = 0 like a result of infinity; the host computes those again.

// What source 0 to 4 adds in a window: the halves of u2, those of u1, and the point that ends the sum.
fn addend(item: u32, source: u32, window: u32) -> Affine {
    if source < 2u {
        let d = digit(item * 20u + 10u + source * 5u, window * KEY_WIDTH, KEY_WIDTH);
        return signed_row(table_row(item * 16u + d.row), d.negative, source == 1u);
    }
    if source < 4u {
        let bit = window * KEY_WIDTH;
        let d = digit(item * 20u + (source - 2u) * 5u, bit, GENERATOR_WIDTH);
        return signed_row(generator_row(d.row), d.negative, source == 3u);
    }
    return generator_row(ROW_END);
}

@compute @workgroup_size(64)
fn multiply(@builtin(global_invocation_id) id: vec3<u32>) {
    let item = id.x;
    if item >= params.items {
        return;
    }
    let start = generator_row(ROW_START);
    var sum = Jacobian(start.x, start.y, fe_small(1u));
    for (var window = WINDOWS; window > 0u; window--) {
        if window < WINDOWS {
            for (var k = 0u; k < KEY_WIDTH; k++) {
                sum = point_double(sum);
            }
        }
        var sources = select(2u, 4u, (window - 1u) % GENERATOR_STRIDE == 0u);
        if window == 1u {
            sources = 5u;
        }
        for (var source = 0u; source < sources; source++) {
            sum = point_add_affine(sum, addend(item, source, window - 1u));
        }
    }
    // A key that is no point has y = 0, as no point of the curve does.
    let missing = limbs_are_zero(table_load(item * 64u + 2u));
    point_store(item, POINT_X, fe_normalize(sum.x));
    point_store(item, POINT_Y, fe_normalize(sum.y));
    point_store(item, POINT_Z, fe_normalize(limbs_select(sum.z, fe_zero(), missing)));
}
