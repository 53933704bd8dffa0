// The key's point: y from x where it is not given, and whether the point lies on the curve,
// y^2 = x^3 + 7. A key that is no point becomes (0, 0), which is none.

@compute @workgroup_size(64)
fn decode(@builtin(global_invocation_id) id: vec3<u32>) {
    let item = id.x;
    if item >= params.items {
        return;
    }
    let x = column_load(COLUMN_X, item);
    let form = key_form(item);
    let square = fe_settle(fe_add(fe_mul(fe_sqr(x), x), fe_small(7u)));
    var y = column_load(COLUMN_Y, item);
    if form != 4u {
        y = fe_normalize(fe_root(square));
        let odd = (y[0] & 1u) == 1u;
        if odd != (form == 3u) {
            y = fe_normalize(fe_sub(fe_zero(), y));
        }
    }
    let missing = !fe_is_zero(fe_sub(fe_sqr(y), square));
    point_store(item, POINT_X, limbs_select(x, fe_zero(), missing));
    y = limbs_select(y, fe_zero(), missing);
    point_store(item, POINT_Y, y);
    if params.rooted == 1u {
        let at = record_at(item) + 5u;
        let w = limbs_pack(y);
        records[at] = vec4(w[0], w[1], w[2], w[3]);
        records[at + 1u] = vec4(w[4], w[5], w[6], w[7]);
    }
}
