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

// A lane of the message's bytes from `at` on, of the three words that hold them.
fn message_lane(message: Message, at: u32, a: u32, b: u32, c: u32) -> Lane {
    return Lane(message_word(message, at, a, b), message_word(message, at + 4u, b, c));
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
        let word = message.word + at / 4u;
        let r0 = columns[word + 0u];
        let r1 = columns[word + 1u];
        let r2 = columns[word + 2u];
        let r3 = columns[word + 3u];
        let r4 = columns[word + 4u];
        let r5 = columns[word + 5u];
        let r6 = columns[word + 6u];
        let r7 = columns[word + 7u];
        let r8 = columns[word + 8u];
        let r9 = columns[word + 9u];
        let r10 = columns[word + 10u];
        let r11 = columns[word + 11u];
        let r12 = columns[word + 12u];
        let r13 = columns[word + 13u];
        let r14 = columns[word + 14u];
        let r15 = columns[word + 15u];
        let r16 = columns[word + 16u];
        let r17 = columns[word + 17u];
        let r18 = columns[word + 18u];
        let r19 = columns[word + 19u];
        let r20 = columns[word + 20u];
        let r21 = columns[word + 21u];
        let r22 = columns[word + 22u];
        let r23 = columns[word + 23u];
        let r24 = columns[word + 24u];
        let r25 = columns[word + 25u];
        let r26 = columns[word + 26u];
        let r27 = columns[word + 27u];
        let r28 = columns[word + 28u];
        let r29 = columns[word + 29u];
        let r30 = columns[word + 30u];
        let r31 = columns[word + 31u];
        let r32 = columns[word + 32u];
        let r33 = columns[word + 33u];
        let r34 = columns[word + 34u];
        let m0 = message_lane(message, at + 0u, r0, r1, r2);
        let m1 = message_lane(message, at + 8u, r2, r3, r4);
        let m2 = message_lane(message, at + 16u, r4, r5, r6);
        let m3 = message_lane(message, at + 24u, r6, r7, r8);
        let m4 = message_lane(message, at + 32u, r8, r9, r10);
        let m5 = message_lane(message, at + 40u, r10, r11, r12);
        let m6 = message_lane(message, at + 48u, r12, r13, r14);
        let m7 = message_lane(message, at + 56u, r14, r15, r16);
        let m8 = message_lane(message, at + 64u, r16, r17, r18);
        let m9 = message_lane(message, at + 72u, r18, r19, r20);
        let m10 = message_lane(message, at + 80u, r20, r21, r22);
        let m11 = message_lane(message, at + 88u, r22, r23, r24);
        let m12 = message_lane(message, at + 96u, r24, r25, r26);
        let m13 = message_lane(message, at + 104u, r26, r27, r28);
        let m14 = message_lane(message, at + 112u, r28, r29, r30);
        let m15 = message_lane(message, at + 120u, r30, r31, r32);
        let m16 = message_lane(message, at + 128u, r32, r33, r34);
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
