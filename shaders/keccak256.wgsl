// Keccak-256 of messages: blocks of 136 bytes; the padding begins with 0x01 and ends with 0x80, in the
// same byte where but one is left.

const RATE: u32 = 136u;

// Lane i of the message's bytes from `at` on.
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
    let last = message.length / RATE;
    var a = Lanes();
    var checksum = checksum_start(message);
    for (var block = 0u; block <= last; block++) {
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
        if block == last {
            a[16].y ^= 0x80000000u;
        }
        for (var round = 0u; round < 24u; round++) {
            a = keccak_round(a, round);
        }
    }
    record_store(
        item,
        array<u32, 8>(a[0].x, a[0].y, a[1].x, a[1].y, a[2].x, a[2].y, a[3].x, a[3].y),
        checksum,
    );
}
