// Messages of a part, one to a thread. Bytes are read as words, little-endian, from any address.

// Where each message ends, then the bytes of all.
@group(0) @binding(1) var<storage, read> columns: array<u32>;

// For each message its digest, and four words of which the judge knows what they have to be.
@group(0) @binding(7) var<storage, read_write> records: array<vec4<u32>>;

// A message: the word of the columns that holds its first byte, the bits of that word before the byte,
// and its length.
struct Message {
    word: u32,
    shift: u32,
    length: u32,
}

fn message_of(item: u32) -> Message {
    var start = params.base;
    if item > 0u {
        start = columns[item - 1u];
    }
    let byte = start - params.base;
    return Message(params.stride + byte / 4u, 8u * (byte % 4u), columns[item] - start);
}

// The four bytes from `at` on, a multiple of four, of the two words that hold them; zeros past the end of
// the message, whatever the words are: those of a last block may lie past the end of the columns, where
// WGSL reads any value.
fn message_word(message: Message, at: u32, low: u32, high: u32) -> u32 {
    // Two shifts, as one of 32 bits would be none.
    let bytes = (low >> message.shift) | ((high << 1u) << (31u - message.shift));
    let left = message.length - min(at, message.length);
    return bytes & select((1u << (8u * left)) - 1u, 0xffffffffu, left >= 4u);
}

// The four bytes from `at` on of what a message is padded with first: one byte where it ends.
fn padding_word(message: Message, at: u32, byte: u32) -> u32 {
    // Huge where the message ended before.
    let left = message.length - at;
    return select(0u, byte << (8u * left), left < 4u);
}

// Words of the message weigh in by the block they stand in.
fn checksum_start(message: Message) -> u32 {
    return params.nonce + message.length;
}

fn checksum_block(block: u32, words: u32) -> u32 {
    return (2u * block + 1u) * words;
}

// What a record's last word says: not begun (the host fills records with it), finished, or, from
// `UNDERWAY` on, the block that comes next. A dispatch takes so many blocks of a message and no more, as
// drivers stop what takes too long: lavapipe after 65,535 turns of all loops, a desktop after seconds.
const NOT_BEGUN: u32 = 0x5ea1c0deu;
const FINISHED: u32 = 1u;
const UNDERWAY: u32 = 2u;

// The last four words of a record.
fn record_tail(item: u32) -> vec4<u32> {
    return records[item * 3u + 2u];
}

fn record_digest(item: u32) -> array<u32, 8> {
    let low = records[item * 3u];
    let high = records[item * 3u + 1u];
    return array<u32, 8>(low.x, low.y, low.z, low.w, high.x, high.y, high.z, high.w);
}

fn record_store(item: u32, digest: array<u32, 8>, checksum: u32, status: u32) {
    let at = item * 3u;
    records[at] = vec4(digest[0], digest[1], digest[2], digest[3]);
    records[at + 1u] = vec4(digest[4], digest[5], digest[6], digest[7]);
    records[at + 2u] = vec4(params.nonce, params.first + item, checksum, status);
}
