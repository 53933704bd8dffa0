// What a stage of signatures reads and writes. Four words make a vec4.

// Columns of `stride` items of 8 words: key x, key y, and three numbers; then a word for each item: the
// form of its key or, where keys are pinned, the first row of its table.
@group(0) @binding(1) var<storage, read> columns: array<vec4<u32>>;

// Rows of 16 words, x and y: odd multiples of G, T, and -2^125 T (see `multiply`); then a comb of G and -T
// (see `pinned`).
@group(0) @binding(2) var<storage, read> generator: array<vec4<u32>>;

// For each item X, Y, Z and an inverse, 8 words each. The key first, the sum in the end.
@group(0) @binding(3) var<storage, read_write> points: array<vec4<u32>>;

// For each item four half scalars of 5 words: those of G, those of the key.
@group(0) @binding(4) var<storage, read_write> halves: array<u32>;

// For each item 16 rows: odd multiples of the key. Or the combs of pinned keys.
@group(0) @binding(5) var<storage, read_write> tables: array<vec4<u32>>;

// For each item the 15 quotients of neighbours' Z in that table.
@group(0) @binding(6) var<storage, read_write> ratios: array<vec4<u32>>;

// Evidence: for each item x, y, and four words of which the judge knows what they have to be; then, where
// roots are wanted, y of the key.
@group(0) @binding(7) var<storage, read_write> records: array<vec4<u32>>;

const COLUMN_X: u32 = 0u;
const COLUMN_Y: u32 = 1u;
const COLUMN_A: u32 = 2u;
const COLUMN_B: u32 = 3u;
const COLUMN_C: u32 = 4u;

const POINT_X: u32 = 0u;
const POINT_Y: u32 = 1u;
const POINT_Z: u32 = 2u;
const POINT_INVERSE: u32 = 3u;

fn record_at(item: u32) -> u32 {
    return item * select(5u, 7u, params.rooted == 1u);
}

fn words_of(low: vec4<u32>, high: vec4<u32>) -> array<u32, 8> {
    return array<u32, 8>(low.x, low.y, low.z, low.w, high.x, high.y, high.z, high.w);
}

fn column_words(column: u32, item: u32) -> array<u32, 8> {
    let at = (column * params.stride + item) * 2u;
    return words_of(columns[at], columns[at + 1u]);
}

fn column_load(column: u32, item: u32) -> Fe {
    return limbs_load(column_words(column, item));
}

fn last_word(item: u32) -> u32 {
    return columns[10u * params.stride + item / 4u][item % 4u];
}

// 2: y is even; 3: y is odd; 4: y is given.
fn key_form(item: u32) -> u32 {
    return select(last_word(item), 2u, params.algorithm == 1u);
}

fn point_load(item: u32, coordinate: u32) -> Fe {
    let at = item * 8u + coordinate * 2u;
    return limbs_load(words_of(points[at], points[at + 1u]));
}

fn point_store(item: u32, coordinate: u32, a: Fe) {
    let at = item * 8u + coordinate * 2u;
    let w = limbs_pack(a);
    points[at] = vec4(w[0], w[1], w[2], w[3]);
    points[at + 1u] = vec4(w[4], w[5], w[6], w[7]);
}

fn table_load(at: u32) -> Fe {
    return limbs_load(words_of(tables[at], tables[at + 1u]));
}

fn table_store(at: u32, a: Fe) {
    let w = limbs_pack(a);
    tables[at] = vec4(w[0], w[1], w[2], w[3]);
    tables[at + 1u] = vec4(w[4], w[5], w[6], w[7]);
}
