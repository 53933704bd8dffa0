// Points: affine, and Jacobian (x = X / Z^2, y = Y / Z^3). Every coordinate is settled, but Z may be
// a sum of two.

struct Affine {
    x: Fe,
    y: Fe,
}

struct Jacobian {
    x: Fe,
    y: Fe,
    z: Fe,
}

// 2 P; Z = 0 stays.
//
// A = X^2, B = Y^2, C = B^2, D = 4 X B, E = 3 A: X3 = E^2 - 2 D, Y3 = E (D - X3) - 8 C, Z3 = 2 Y Z
// (dbl-2009-l, with D from a product). 3 products and 4 squarings.
fn point_double(p: Jacobian) -> Jacobian {
    let b = fe_sqr(p.y);
    let c = fe_sqr(b);
    let d = fe_times(fe_mul(p.x, b), 4u);
    let e = fe_times(fe_sqr(p.x), 3u);
    let x = fe_settle(fe_sub(fe_sqr(e), fe_times(d, 2u)));
    let y = fe_settle(fe_sub(fe_mul(e, fe_sub(d, x)), fe_times(c, 8u)));
    let z = fe_times(fe_mul(p.y, p.z), 2u);
    return Jacobian(x, y, z);
}

// P + A for an affine A with P != A and P != -A; otherwise, or where P is infinity, Z3 = 0, and Z stays
// 0 through whatever follows. A's y may be a difference.
//
// madd-2004-hmv (EFD): H = x2 Z1^2 - X1, R = y2 Z1^3 - Y1, V = X1 H^2, X3 = R^2 - H^3 - 2 V,
// Y3 = R (V - X3) - Y1 H^3, Z3 = Z1 H. 8 products and 3 squarings.
fn point_add_affine(p: Jacobian, a: Affine) -> Jacobian {
    let zz = fe_sqr(p.z);
    let h = fe_sub(fe_mul(a.x, zz), p.x);
    let r = fe_sub(fe_mul(a.y, fe_mul(zz, p.z)), p.y);
    let hh = fe_sqr(h);
    let hhh = fe_mul(h, hh);
    let v = fe_mul(p.x, hh);
    let x = fe_settle(fe_sub(fe_sqr(r), fe_add(hhh, fe_times(v, 2u))));
    let y = fe_settle(fe_sub(fe_mul(r, fe_sub(v, x)), fe_mul(p.y, hhh)));
    let z = fe_mul(p.z, h);
    return Jacobian(x, y, z);
}

// Two points with the same Z, and the Z that they lack for it.
struct CoZ {
    sum: Affine,
    // The first point again, with the Z of the sum.
    first: Affine,
    // The sum's Z by the points' Z.
    ratio: Fe,
}

// P + A for two points of the same Z with different x (Meloni, 2007: "New point addition formulae for
// ECC applications"), the ratio taken with the sign of x1 - x2. 4 products and 2 squarings.
fn point_add_co_z(p: Affine, a: Affine) -> CoZ {
    let ratio = fe_sub(p.x, a.x);
    let c = fe_sqr(ratio);
    let w1 = fe_mul(p.x, c);
    let w2 = fe_mul(a.x, c);
    let slope = fe_sub(p.y, a.y);
    let y1 = fe_mul(p.y, fe_sub(w1, w2));
    let x = fe_settle(fe_sub(fe_sqr(slope), fe_add(w1, w2)));
    let y = fe_settle(fe_sub(fe_mul(slope, fe_sub(w1, x)), y1));
    return CoZ(Affine(x, y), Affine(w1, y1), ratio);
}

// 2 Q, and Q again with the same Z, which is the ratio: 2 y.
fn point_double_co_z(q: Affine) -> CoZ {
    let b = fe_sqr(q.x);
    let e = fe_sqr(q.y);
    let l = fe_times(fe_sqr(e), 8u);
    let s = fe_times(fe_mul(q.x, e), 4u);
    let m = fe_times(b, 3u);
    let x = fe_settle(fe_sub(fe_sqr(m), fe_times(s, 2u)));
    let y = fe_settle(fe_sub(fe_mul(m, fe_sub(s, x)), l));
    return CoZ(Affine(x, y), Affine(fe_settle(s), fe_settle(l)), fe_times(q.y, 2u));
}
