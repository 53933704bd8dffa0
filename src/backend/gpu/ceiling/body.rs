//! Texts of kernels that do one thing, over and over.

use crate::backend::gpu::program::{Limbs, WORKGROUP};

/// What one thread repeats. It may read `seed`, which differs by thread, and `work.factor` and `work.addend`, which the
/// compiler does not know.
#[derive(Clone, Debug)]
pub struct Body {
    /// Functions that it calls.
    pub prelude: &'static str,
    /// Declared before the loop.
    pub declare: String,
    /// One round.
    pub repeat: String,
    /// A u32 that keeps the results alive.
    pub result: String,
    /// Operations of one round.
    pub operations: u32,
}

impl Body {
    /// Products of the kind that `limbs` are made of, each with an addition, in so many chains: each feeds the next of
    /// its chain, so that one chain shows the latency, and eight hide it.
    pub fn chains(count: u32, limbs: Limbs) -> Body {
        let wide = limbs == Limbs::U64;
        let kind = if wide { "u64" } else { "u32" };
        let declare = (0..count).map(|i| format!("var x{i} = {kind}(seed + {i}u);\n")).collect();
        let step = |i: u32| match wide {
            true => format!("x{i} = u64(u32(x{i})) * u64(work.factor) + u64(work.addend);\n"),
            // A square: a product with a constant could be drawn together with the next.
            false => format!("x{i} = x{i} * x{i} + work.addend;\n"),
        };
        // Enough that the loop itself costs nothing.
        let operations = 128 / count * count;
        let repeat = (0..operations).map(|i| step(i % count)).collect();
        let sum: Vec<_> = (0..count).map(|i| format!("u32(x{i})")).collect();
        Body { prelude: "", declare, repeat, result: sum.join(" ^ "), operations }
    }

    /// The kernel, whose entry point is `run`.
    pub(super) fn text(&self) -> String {
        let Body { prelude, declare, repeat, result, .. } = self;
        format!(
            "{prelude}
struct Work {{ rounds: u32, factor: u32, addend: u32, unused: u32 }}
@group(0) @binding(0) var<uniform> work: Work;
@group(0) @binding(1) var<storage, read_write> results: array<u32>;
@compute @workgroup_size({WORKGROUP})
fn run(@builtin(global_invocation_id) id: vec3<u32>) {{
    let seed = id.x * 2654435761u + 1u;
    {declare}
    for (var round = 0u; round < work.rounds; round++) {{
        {repeat}
    }}
    results[id.x] = {result};
}}"
        )
    }
}
