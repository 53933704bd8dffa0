//! What the device multiplies at most, and how near the field comes: kernels that do nothing else.
//!
//! A chain feeds each product with the one before; eight chains a thread hide its latency. The share is
//! products a multiplication x multiplications a second / products a second.

use std::time::Duration;

use serde_json::json;
use sigmill::backend::gpu::Limbs;
use sigmill::backend::gpu::ceiling::{Body, Probe, products};
use sigmill::error::EngineError;

use crate::Bench;
use crate::clock::{Spread, core_time};

/// A kernel that does one thing, over and over.
struct Work {
    name: &'static str,
    body: Body,
    /// Products of the ceiling's kind in one operation.
    products: u32,
    limbs: Limbs,
}

pub fn run(bench: &Bench, span: Duration) -> Result<(), String> {
    let probe = Probe::open(bench.options.adapter()).map_err(|error| error.to_string())?;
    let works = works();
    let each = span.div_f64(works.len() as f64).as_secs_f64();
    // The last rate of independent products: 64-bit, 32-bit.
    let mut most = [None; 2];
    let mut field = Vec::new();
    let own = if probe.has_64_bits() { Limbs::U64 } else { Limbs::U32 };
    let own = bench.options.limbs.unwrap_or(own);
    bench.report.note(format_args!(
        "{:36} {:>14} {:>10} {:>10} {:>9}",
        "", "operations/s", "ns", "core ns", "of limit"
    ));
    for work in works {
        let wide = work.limbs == Limbs::U64;
        if wide && !probe.has_64_bits() {
            bench.report.skip("ceiling", work.name, "the device has no 64-bit integers");
            continue;
        }
        let (rate, cores) = measure(&probe, &work.body, each).map_err(|error| error.to_string())?;
        let limit = &mut most[usize::from(!wide)];
        if work.products == 1 {
            *limit = Some(rate.median);
        }
        if work.products > 1 && work.limbs == own {
            field.push(rate.median);
        }
        let share = limit.map(|limit| rate.median * f64::from(work.products) / limit);
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
    let chains = |name, count, limbs| {
        let body = Body::chains(count, limbs);
        Work { name, body, products: 1, limbs }
    };
    let field = |name, function: &str, limbs: Limbs| {
        let words = "seed, work.factor, seed ^ 5u, work.addend, seed + 7u, seed, 1u, 2u";
        let declare = format!("var x = limbs_load(array<u32, 8>({words})); var y = x;\n");
        let (repeat, place) = match function {
            "fe_mul" => ("x = fe_mul(x, y); y = fe_mul(y, x);\n", 0),
            _ => ("x = fe_sqr(x); y = fe_sqr(y);\n", 1),
        };
        let (repeat, result) = (repeat.to_owned(), "x[0] ^ y[0]".to_owned());
        let body = Body { prelude: limbs.text(), declare, repeat, result, operations: 2 };
        Work { name, body, products: products(limbs)[place], limbs }
    };
    vec![
        chains("u64(a) * u64(b) + c, one chain", 1, Limbs::U64),
        chains("u64(a) * u64(b) + c, eight chains", 8, Limbs::U64),
        field("fe_mul, 10x26", "fe_mul", Limbs::U64),
        field("fe_sqr, 10x26", "fe_sqr", Limbs::U64),
        chains("u32 a * b + c, one chain", 1, Limbs::U32),
        chains("u32 a * b + c, eight chains", 8, Limbs::U32),
        field("fe_mul, 20x13", "fe_mul", Limbs::U32),
        field("fe_sqr, 20x13", "fe_sqr", Limbs::U32),
    ]
}

/// Operations a second, and nanoseconds of cores an operation.
fn measure(probe: &Probe, body: &Body, span: f64) -> Result<(Spread, f64), EngineError> {
    let kernel = probe.prepare(body)?;
    let rounds = kernel.rounds(Duration::from_secs_f64(span))?;
    let operations = kernel.operations(rounds);
    let (mut rates, cores) = (Vec::new(), core_time());
    for _ in 0..5 {
        rates.push(operations / kernel.dispatch(rounds)?.as_secs_f64());
    }
    let busy = core_time().saturating_sub(cores);
    Ok((Spread::of(rates), busy.as_secs_f64() * 1e9 / (5.0 * operations)))
}
