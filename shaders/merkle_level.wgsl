// The level of the trees that `merkle` reads, counted on the device between its dispatches.

@group(0) @binding(4) var<storage, read_write> levels: array<u32>;

@compute @workgroup_size(1)
fn merkle_start() {
    levels[0] = 0u;
}

@compute @workgroup_size(1)
fn merkle_next() {
    levels[0] += 1u;
}
