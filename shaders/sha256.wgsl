// SHA-256 and double SHA-256 of messages: blocks of 64 bytes, then the digest as one block more.

fn sha256_message_block(message: Message, at: u32) -> Block {
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
    return Block(
        message_word(message, at + 0u, r0, r1),
        message_word(message, at + 4u, r1, r2),
        message_word(message, at + 8u, r2, r3),
        message_word(message, at + 12u, r3, r4),
        message_word(message, at + 16u, r4, r5),
        message_word(message, at + 20u, r5, r6),
        message_word(message, at + 24u, r6, r7),
        message_word(message, at + 28u, r7, r8),
        message_word(message, at + 32u, r8, r9),
        message_word(message, at + 36u, r9, r10),
        message_word(message, at + 40u, r10, r11),
        message_word(message, at + 44u, r11, r12),
        message_word(message, at + 48u, r12, r13),
        message_word(message, at + 52u, r13, r14),
        message_word(message, at + 56u, r14, r15),
        message_word(message, at + 60u, r15, r16),
    );
}

fn sha256_padded_word(message: Message, at: u32, word: u32) -> u32 {
    return swap_bytes(word | padding_word(message, at, 0x80u));
}

fn sha256_padded(message: Message, at: u32, m: Block) -> Block {
    return Block(
        sha256_padded_word(message, at + 0u, m[0]),
        sha256_padded_word(message, at + 4u, m[1]),
        sha256_padded_word(message, at + 8u, m[2]),
        sha256_padded_word(message, at + 12u, m[3]),
        sha256_padded_word(message, at + 16u, m[4]),
        sha256_padded_word(message, at + 20u, m[5]),
        sha256_padded_word(message, at + 24u, m[6]),
        sha256_padded_word(message, at + 28u, m[7]),
        sha256_padded_word(message, at + 32u, m[8]),
        sha256_padded_word(message, at + 36u, m[9]),
        sha256_padded_word(message, at + 40u, m[10]),
        sha256_padded_word(message, at + 44u, m[11]),
        sha256_padded_word(message, at + 48u, m[12]),
        sha256_padded_word(message, at + 52u, m[13]),
        sha256_padded_word(message, at + 56u, m[14]),
        sha256_padded_word(message, at + 60u, m[15]),
    );
}

// Compressions of a message in one dispatch.
const SHA256_TURNS: u32 = 16384u;

@compute @workgroup_size(64)
fn sha256(@builtin(global_invocation_id) id: vec3<u32>) {
    let item = id.x;
    if item >= params.items {
        return;
    }
    let message = message_of(item);
    // Room for the byte 0x80 and the length in 8 bytes.
    let blocks = (message.length + 8u) / 64u + 1u;
    let compressions = blocks + select(0u, 1u, params.algorithm == 1u);
    var state = SHA256_INITIAL;
    var checksum = checksum_start(message);
    var block = 0u;
    let tail = record_tail(item);
    if tail.w == FINISHED {
        return;
    }
    if tail.w != NOT_BEGUN {
        state = record_digest(item);
        checksum = tail.z;
        block = tail.w - UNDERWAY;
    }
    let stop = min(compressions, block + SHA256_TURNS);
    for (; block < stop; block++) {
        var words: Block;
        if block < blocks {
            let at = block * 64u;
            let m = sha256_message_block(message, at);
            checksum += checksum_block(
                block,
                m[0] + m[1] + m[2] + m[3] + m[4] + m[5] + m[6] + m[7] +
                m[8] + m[9] + m[10] + m[11] + m[12] + m[13] + m[14] + m[15],
            );
            words = sha256_padded(message, at, m);
            if block == blocks - 1u {
                words[14] = message.length >> 29u;
                words[15] = message.length << 3u;
            }
        } else {
            words = sha256_block_of_digest(state);
            state = SHA256_INITIAL;
        }
        state = sha256_compress(state, words);
    }
    if block < compressions {
        record_store(item, state, checksum, UNDERWAY + block);
        return;
    }
    record_store(
        item,
        State(
            swap_bytes(state[0]), swap_bytes(state[1]), swap_bytes(state[2]), swap_bytes(state[3]),
            swap_bytes(state[4]), swap_bytes(state[5]), swap_bytes(state[6]), swap_bytes(state[7]),
        ),
        checksum,
        FINISHED,
    );
}
