// Keccak-256 of messages: blocks of 136 bytes; the padding begins with 0x01 and ends with 0x80, in the
// same byte where but one is left.

const RATE: u32 = 136u;

// For each message under way its 25 lanes.
@group(0) @binding(5) var<storage, read_write> lanes: array<vec2<u32>>;

// Permutations of a message in one dispatch, of 25 turns each.
const KECCAK256_TURNS: u32 = 2048u;

fn lanes_load(item: u32) -> Lanes {
    let at = 25u * item;
    return Lanes(
        lanes[at + 0u], lanes[at + 1u], lanes[at + 2u], lanes[at + 3u], lanes[at + 4u],
        lanes[at + 5u], lanes[at + 6u], lanes[at + 7u], lanes[at + 8u], lanes[at + 9u],
        lanes[at + 10u], lanes[at + 11u], lanes[at + 12u], lanes[at + 13u], lanes[at + 14u],
        lanes[at + 15u], lanes[at + 16u], lanes[at + 17u], lanes[at + 18u], lanes[at + 19u],
        lanes[at + 20u], lanes[at + 21u], lanes[at + 22u], lanes[at + 23u], lanes[at + 24u],
    );
}

fn lanes_store(item: u32, a: Lanes) {
    let at = 25u * item;
    lanes[at + 0u] = a[0];
    lanes[at + 1u] = a[1];
    lanes[at + 2u] = a[2];
    lanes[at + 3u] = a[3];
    lanes[at + 4u] = a[4];
    lanes[at + 5u] = a[5];
    lanes[at + 6u] = a[6];
    lanes[at + 7u] = a[7];
    lanes[at + 8u] = a[8];
    lanes[at + 9u] = a[9];
    lanes[at + 10u] = a[10];
    lanes[at + 11u] = a[11];
    lanes[at + 12u] = a[12];
    lanes[at + 13u] = a[13];
    lanes[at + 14u] = a[14];
    lanes[at + 15u] = a[15];
    lanes[at + 16u] = a[16];
    lanes[at + 17u] = a[17];
    lanes[at + 18u] = a[18];
    lanes[at + 19u] = a[19];
    lanes[at + 20u] = a[20];
    lanes[at + 21u] = a[21];
    lanes[at + 22u] = a[22];
    lanes[at + 23u] = a[23];
    lanes[at + 24u] = a[24];
}

// A lane of the message's bytes from `at` on.
fn message_lane(message: Message, at: u32) -> Lane {
    return Lane(message_word(message, at), message_word(message, at + 4u));
}

fn padding_lane(message: Message, at: u32) -> Lane {
    return Lane(padding_word(message, at, 1u), padding_word(message, at + 4u, 1u));
}

@compute @workgroup_size(64)
fn keccak256(@builtin(global_invocation_id) id: vec3<u32>) {
    let item = id.x;
    if item >= params.items {
        return;
    }
    let message = message_of(item);
    let permutations = message.length / RATE + 1u;
    var a = Lanes();
    var checksum = checksum_start(message);
    var block = 0u;
    let tail = record_tail(item);
    if tail.w == FINISHED {
        return;
    }
    if tail.w != NOT_BEGUN {
        a = lanes_load(item);
        checksum = tail.z;
        block = tail.w - UNDERWAY;
    }
    let stop = min(permutations, block + KECCAK256_TURNS);
    for (; block < stop; block++) {
        let at = block * RATE;
        let m0 = message_lane(message, at + 0u);
        let m1 = message_lane(message, at + 8u);
        let m2 = message_lane(message, at + 16u);
        let m3 = message_lane(message, at + 24u);
        let m4 = message_lane(message, at + 32u);
        let m5 = message_lane(message, at + 40u);
        let m6 = message_lane(message, at + 48u);
        let m7 = message_lane(message, at + 56u);
        let m8 = message_lane(message, at + 64u);
        let m9 = message_lane(message, at + 72u);
        let m10 = message_lane(message, at + 80u);
        let m11 = message_lane(message, at + 88u);
        let m12 = message_lane(message, at + 96u);
        let m13 = message_lane(message, at + 104u);
        let m14 = message_lane(message, at + 112u);
        let m15 = message_lane(message, at + 120u);
        let m16 = message_lane(message, at + 128u);
        let sum = m0 + m1 + m2 + m3 + m4 + m5
            + m6 + m7 + m8 + m9 + m10 + m11
            + m12 + m13 + m14 + m15 + m16;
        checksum += checksum_block(block, sum.x + sum.y);
        a[0] ^= m0 | padding_lane(message, at + 0u);
        a[1] ^= m1 | padding_lane(message, at + 8u);
        a[2] ^= m2 | padding_lane(message, at + 16u);
        a[3] ^= m3 | padding_lane(message, at + 24u);
        a[4] ^= m4 | padding_lane(message, at + 32u);
        a[5] ^= m5 | padding_lane(message, at + 40u);
        a[6] ^= m6 | padding_lane(message, at + 48u);
        a[7] ^= m7 | padding_lane(message, at + 56u);
        a[8] ^= m8 | padding_lane(message, at + 64u);
        a[9] ^= m9 | padding_lane(message, at + 72u);
        a[10] ^= m10 | padding_lane(message, at + 80u);
        a[11] ^= m11 | padding_lane(message, at + 88u);
        a[12] ^= m12 | padding_lane(message, at + 96u);
        a[13] ^= m13 | padding_lane(message, at + 104u);
        a[14] ^= m14 | padding_lane(message, at + 112u);
        a[15] ^= m15 | padding_lane(message, at + 120u);
        a[16] ^= m16 | padding_lane(message, at + 128u);
        if block == permutations - 1u {
            a[16].y ^= 0x80000000u;
        }
        for (var round = 0u; round < 24u; round++) {
            a = keccak_round(a, round);
        }
    }
    let finished = block == permutations;
    if !finished {
        lanes_store(item, a);
    }
    record_store(
        item,
        array<u32, 8>(a[0].x, a[0].y, a[1].x, a[1].y, a[2].x, a[2].y, a[3].x, a[3].y),
        checksum,
        select(UNDERWAY + block, FINISHED, finished),
    );
}
