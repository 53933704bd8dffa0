//! What the device multiplies at most, and how near the field comes: kernels that do nothing else.
//!
//! A chain feeds each product with the one before; eight chains a thread hide its latency. The share is
//! products a multiplication x multiplications a second / products a second.

use std::time::Duration;

use serde_json::json;
use sigmill::backend::gpu::Limbs;

use crate::Bench;
use crate::clock::Spread;
use crate::raw::Raw;

const WIDE_FIELD: &str = include_str!("../../shaders/field_u64.wgsl");
const NARROW_FIELD: &str = include_str!("../../shaders/field_u32.wgsl");

const WORKGROUP: u32 = 64;
/// Longest dispatch: far below what a driver takes for a hang.
const LONGEST: f64 = 0.25;

/// A kernel that does one thing, over and over.
struct Work {
    name: &'static str,
    /// What is declared before the loop, what is repeated, and what keeps the results alive.
    text: [String; 3],
    prelude: &'static str,
    /// Operations of one thread in one round.
    operations: usize,
    /// Products of the ceiling's kind in one operation.
    products: usize,
    wide: bool,
}

pub fn run(bench: &Bench, span: Duration) -> Result<(), String> {
    let raw = Raw::open(bench.options.software)?;
    let works = works();
    let each = span.div_f64(works.len() as f64).as_secs_f64();
    // The last rate of independent products: 64-bit, 32-bit.
    let mut most = [None; 2];
    let mut field = Vec::new();
    let limbs = bench.options.limbs;
    let wide = limbs.map_or(raw.has_64_bits(), |limbs| limbs == Limbs::U64);
    bench.report.note(format_args!(
        "{:36} {:>14} {:>10} {:>10} {:>9}",
        "", "operations/s", "ns", "core ns", "of limit"
    ));
    for work in works {
        if work.wide && !raw.has_64_bits() {
            bench.report.skip("ceiling", work.name, "the device has no 64-bit integers");
            continue;
        }
        let (rate, cores) = measure(bench, &raw, &work, each)?;
        let limit = &mut most[usize::from(!work.wide)];
        if work.products == 1 {
            *limit = Some(rate.median);
        }
        if work.products > 1 && work.wide == wide {
            field.push(rate.median);
        }
        let share = limit.map(|limit| rate.median * work.products as f64 / limit);
        let share = share.filter(|_| work.products > 1);
        let percent = share.map_or(String::new(), |share| format!("{:.0} %", 100.0 * share));
        let products = match work.products {
            1 => String::new(),
            products => format!(", {products} products"),
        };
        bench.report.row(
            "ceiling",
            format_args!(
                "{:36} {:14.4e} {:10.4} {cores:10.3} {percent:>9}  ({:.2e} to {:.2e})",
                format!("{}{products}", work.name),
                rate.median,
                1e9 / rate.median,
                rate.least,
                rate.most
            ),
            json!({ "what": work.name, "per_second": rate.json(), "ns": 1e9 / rate.median,
                    "core_ns": cores, "products": work.products, "share_of_limit": share }),
        );
    }
    if let [product, square] = field[..] {
        bench.field.get_or_init(|| [product, square]);
    }
    Ok(())
}

fn works() -> Vec<Work> {
    let chains = |name, count: usize, wide| {
        let kind = if wide { "u64" } else { "u32" };
        let declare = (0..count).map(|i| format!("var x{i} = {kind}(seed + {i}u);\n")).collect();
        let step = |i: usize| match wide {
            true => format!("x{i} = u64(u32(x{i})) * u64(work.factor) + u64(work.addend);\n"),
            // A square: a product with a constant could be drawn together with the next.
            false => format!("x{i} = x{i} * x{i} + work.addend;\n"),
        };
        // Enough that the loop itself costs nothing.
        let steps = 128 / count;
        let repeat = (0..steps * count).map(|i| step(i % count)).collect();
        let sum: Vec<_> = (0..count).map(|i| format!("u32(x{i})")).collect();
        let text = [declare, repeat, sum.join(" ^ ")];
        Work { name, text, prelude: "", operations: steps * count, products: 1, wide }
    };
    let field = |name, function: &str, prelude, wide| {
        let words = "seed, work.factor, seed ^ 5u, work.addend, seed + 7u, seed, 1u, 2u";
        let declare = format!("var x = limbs_load(array<u32, 8>({words})); var y = x;\n");
        let repeat = match function {
            "fe_mul" => "x = fe_mul(x, y); y = fe_mul(y, x);\n",
            _ => "x = fe_sqr(x); y = fe_sqr(y);\n",
        };
        let text = [declare, repeat.to_owned(), "x[0] ^ y[0]".to_owned()];
        let products = products(prelude, function);
        Work { name, text, prelude, operations: 2, products, wide }
    };
    vec![
        chains("u64(a) * u64(b) + c, one chain", 1, true),
        chains("u64(a) * u64(b) + c, eight chains", 8, true),
        field("fe_mul, 10x26", "fe_mul", WIDE_FIELD, true),
        field("fe_sqr, 10x26", "fe_sqr", WIDE_FIELD, true),
        chains("u32 a * b + c, one chain", 1, false),
        chains("u32 a * b + c, eight chains", 8, false),
        field("fe_mul, 20x13", "fe_mul", NARROW_FIELD, false),
        field("fe_sqr, 20x13", "fe_sqr", NARROW_FIELD, false),
    ]
}

/// Products in a function's text; those with a power of two are shifts.
fn products(text: &str, function: &str) -> usize {
    let body = text.split_once(&format!("fn {function}(")).map_or("", |(_, rest)| rest);
    let body = body.split("\n}").next().unwrap_or_default();
    let is_product = |factor: &&str| {
        let digits = factor.trim_start_matches("u64(");
        let end = digits.find(|c: char| !c.is_ascii_digit()).unwrap_or(digits.len());
        !digits[..end].parse::<u64>().is_ok_and(u64::is_power_of_two)
    };
    body.split(" * ").skip(1).filter(is_product).count()
}

/// Operations a second, and nanoseconds of cores an operation.
fn measure(bench: &Bench, raw: &Raw, work: &Work, span: f64) -> Result<(Spread, f64), String> {
    let threads = if bench.options.software { 1 << 12 } else { 1 << 18 };
    let [declare, repeat, result] = &work.text;
    let text = format!(
        "{}
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
}}",
        work.prelude
    );
    let pipeline = raw.pipeline(&text, "run", None)?;
    use wgpu::BufferUsages as Usage;
    let parameters = raw.buffer(16, Usage::UNIFORM | Usage::COPY_DST);
    let results = raw.buffer(4 * u64::from(threads), Usage::STORAGE);
    let entry = |binding, buffer: &'static str| {
        let buffer = if buffer == "work" { &parameters } else { &results };
        wgpu::BindGroupEntry { binding, resource: buffer.as_entire_binding() }
    };
    let group = raw.device.create_bind_group(&wgpu::BindGroupDescriptor {
        label: None,
        layout: &pipeline.get_bind_group_layout(0),
        entries: &[entry(0, "work"), entry(1, "results")],
    });
    let dispatch = |rounds: u32| {
        let words = [rounds, 0x9e37_79b1, 0x85eb_ca6b, 0];
        raw.queue.write_buffer(&parameters, 0, bytemuck::cast_slice(&words));
        raw.dispatch(&pipeline, &group, threads / WORKGROUP)
    };
    // The first dispatch may compile; then as many rounds as take a seventh of the span.
    dispatch(1)?;
    let wanted = (span / 7.0).min(LONGEST);
    let mut rounds = 4;
    loop {
        let took = dispatch(rounds)?.0.as_secs_f64();
        if took > wanted / 2.0 || rounds >= 1 << 24 {
            break;
        }
        rounds = (f64::from(rounds) * (wanted / took).clamp(1.5, 32.0)) as u32;
    }
    let operations = f64::from(rounds) * f64::from(threads) * work.operations as f64;
    let (mut rates, mut cores) = (Vec::new(), Duration::ZERO);
    for _ in 0..5 {
        let (took, busy) = dispatch(rounds)?;
        rates.push(operations / took.as_secs_f64());
        cores += busy;
    }
    Ok((Spread::of(rates), cores.as_secs_f64() * 1e9 / (5.0 * operations)))
}
