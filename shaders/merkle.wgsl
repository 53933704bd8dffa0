// Merkle trees over double SHA-256, many at once, a level of all of them a dispatch. A level of odd
// length repeats its last node.
//
// Level l of tree t stands from slot (leaves before the tree >> l) + t on: the levels of the trees
// before it have no more nodes than that, since each rounds up by less than one.

// Where each tree ends, in bytes, then the leaves of all.
@group(0) @binding(1) var<storage, read> columns: array<vec4<u32>>;

// Its first word is the level that is read, 0 for the leaves: see `merkle_level`.
@group(0) @binding(4) var<storage, read_write> levels: array<u32>;

// Nodes of two levels, by turns in the two halves: 8 words, and a sum of the leaves below.
@group(0) @binding(5) var<storage, read_write> nodes: array<vec4<u32>>;

// For each tree its root, and four words of which the judge knows what they have to be.
@group(0) @binding(7) var<storage, read_write> records: array<vec4<u32>>;

struct Node {
    low: vec4<u32>,
    high: vec4<u32>,
    sum: u32,
}

// Leaves of the trees before this one.
fn leaves_before(tree: u32) -> u32 {
    if tree == 0u {
        return 0u;
    }
    let end = tree - 1u;
    return (columns[end / 4u][end % 4u] - params.base) / 32u;
}

fn first_slot(tree: u32, level: u32) -> u32 {
    return (leaves_before(tree) >> level) + tree;
}

// Nodes of a level of a tree that has leaves.
fn nodes_at(leaves: u32, level: u32) -> u32 {
    return ((leaves - 1u) >> level) + 1u;
}

// Levels between the leaves and the root.
fn height(leaves: u32) -> u32 {
    let own = select(32u - countLeadingZeros(leaves - 1u), 0u, leaves == 0u);
    return select(own, params.rise, params.rise != 0u);
}

fn words_sum(a: vec4<u32>) -> u32 {
    return a.x + a.y + a.z + a.w;
}

fn leaf_load(leaf: u32) -> Node {
    let at = params.stride + 2u * leaf;
    let low = columns[at];
    let high = columns[at + 1u];
    return Node(low, high, words_sum(low) + words_sum(high));
}

fn node_at(slot: u32, level: u32) -> u32 {
    return 3u * (slot + (level % 2u) * (arrayLength(&nodes) / 6u));
}

fn node_load(slot: u32, level: u32) -> Node {
    let at = node_at(slot, level);
    return Node(nodes[at], nodes[at + 1u], nodes[at + 2u].x);
}

fn record_store(tree: u32, leaves: u32, node: Node) {
    let at = tree * 3u;
    let checksum = params.nonce + 32u * leaves + node.sum;
    records[at] = node.low;
    records[at + 1u] = node.high;
    records[at + 2u] = vec4(params.nonce, params.first + tree, checksum, 1u);
}

fn swap_bytes_4(a: vec4<u32>) -> vec4<u32> {
    return vec4(swap_bytes(a.x), swap_bytes(a.y), swap_bytes(a.z), swap_bytes(a.w));
}

fn parent_of(left: Node, right: Node, sum: u32) -> Node {
    let a = swap_bytes_4(left.low);
    let b = swap_bytes_4(left.high);
    let c = swap_bytes_4(right.low);
    let d = swap_bytes_4(right.high);
    let both = Block(a.x, a.y, a.z, a.w, b.x, b.y, b.z, b.w, c.x, c.y, c.z, c.w, d.x, d.y, d.z, d.w);
    let once = sha256_compress_padding_of_64(sha256_compress(SHA256_INITIAL, both));
    let s = sha256_compress(SHA256_INITIAL, sha256_block_of_digest(once));
    let low = swap_bytes_4(vec4(s[0], s[1], s[2], s[3]));
    let high = swap_bytes_4(vec4(s[4], s[5], s[6], s[7]));
    return Node(low, high, sum);
}

// A node of the level above, by its slot there.
@compute @workgroup_size(64)
fn merkle_rise(@builtin(global_invocation_id) id: vec3<u32>) {
    let slot = id.x;
    let below = levels[0];
    let above = below + 1u;
    if slot >= first_slot(params.items, above) {
        return;
    }
    // The last tree that begins at or before the slot: between `tree` and `past`.
    var tree = 0u;
    var past = params.items;
    while past - tree > 1u {
        let middle = (tree + past) / 2u;
        if first_slot(middle, above) <= slot {
            tree = middle;
        } else {
            past = middle;
        }
    }
    let before = leaves_before(tree);
    let leaves = leaves_before(tree + 1u) - before;
    let index = slot - first_slot(tree, above);
    let top = height(leaves);
    if top == 0u && below == 0u && index == 0u {
        var root = Node(vec4(0u), vec4(0u), 0u);
        if leaves == 1u {
            root = leaf_load(before);
        }
        record_store(tree, leaves, root);
    }
    if below >= top || index >= nodes_at(leaves, above) {
        return;
    }
    let left = 2u * index;
    let right = min(left + 1u, nodes_at(leaves, below) - 1u);
    var a: Node;
    var b: Node;
    if below == 0u {
        a = leaf_load(before + left);
        b = leaf_load(before + right);
    } else {
        let start = first_slot(tree, below);
        a = node_load(start + left, below);
        b = node_load(start + right, below);
    }
    // A repeated node counts once; leaves weigh in by their place.
    var sum = a.sum + select(0u, b.sum, right != left);
    if below == 0u {
        sum *= 2u * index + 1u;
    }
    let node = parent_of(a, b, sum);
    if above == top {
        record_store(tree, leaves, node);
        return;
    }
    let at = node_at(slot, above);
    nodes[at] = node.low;
    nodes[at + 1u] = node.high;
    nodes[at + 2u].x = node.sum;
}
