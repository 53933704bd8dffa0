// What every kernel is told of its part: what one dispatch computes of a batch, items
// `first .. first + items`.

struct Params {
    items: u32,
    // Of signatures, the items that a column has room for. Of messages and trees, where their bytes begin
    // in the columns: in words, in vec4.
    stride: u32,
    first: u32,
    nonce: u32,
    // Of signatures 0: ECDSA, 1: BIP 340, 2: recovery. Of messages 0: SHA-256, 1: double SHA-256,
    // 2: Keccak-256.
    algorithm: u32,
    // Items that one thread inverts together.
    share: u32,
    // Offset of the first byte that went up, counted as the ends of messages and trees are.
    base: u32,
    // Levels by which a piece of a bigger tree rises; 0: each tree rises to its root.
    rise: u32,
    // 1: the keys' tables were made before, and lie in `tables`.
    pinned: u32,
    // 1: records of signatures have two vec4 more, the y of the key.
    rooted: u32,
    unused_0: u32,
    unused_1: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
