// Rows of tables as points to be added.

fn generator_row(row: u32) -> Affine {
    let at = row * 4u;
    return Affine(
        limbs_load(words_of(generator[at], generator[at + 1u])),
        limbs_load(words_of(generator[at + 2u], generator[at + 3u])),
    );
}

fn table_row(row: u32) -> Affine {
    return Affine(table_load(row * 4u), table_load(row * 4u + 2u));
}

// P or -P, of which lambda times where the digit belongs to a second half: (x, y) to (beta x, y).
fn signed_row(p: Affine, negative: bool, second: bool) -> Affine {
    var x = p.x;
    if second {
        x = fe_mul(x, BETA);
    }
    return Affine(x, limbs_select(p.y, fe_sub(fe_zero(), p.y), negative));
}
