//! What is measured: adapter, driver, features, limits, what it took to open, and that it computes right.

use std::time::{Duration, Instant};

use serde_json::{Map, json};

use crate::Bench;
use crate::raw::Raw;

/// Features that decide how fast a kernel can be.
const FEATURES: [(&str, wgpu::Features); 6] = [
    ("SHADER_INT64", wgpu::Features::SHADER_INT64),
    ("SUBGROUP", wgpu::Features::SUBGROUP),
    ("TIMESTAMP_QUERY", wgpu::Features::TIMESTAMP_QUERY),
    ("TIMESTAMP_QUERY_INSIDE_ENCODERS", wgpu::Features::TIMESTAMP_QUERY_INSIDE_ENCODERS),
    ("PIPELINE_CACHE", wgpu::Features::PIPELINE_CACHE),
    ("MAPPABLE_PRIMARY_BUFFERS", wgpu::Features::MAPPABLE_PRIMARY_BUFFERS),
];

pub fn run(bench: &Bench, _: Duration) -> Result<(), String> {
    let mut facts: Vec<(String, String)> = Vec::new();
    let mut fact = |name: &str, value: String| facts.push((name.to_owned(), value));
    {
        let Raw { info, features, limits, .. } = Raw::open(bench.options.software)?;
        fact("vendor, device", format!("{:#06x}, {:#06x}", info.vendor, info.device));
        let mark = |(name, feature): (&str, _)| {
            format!("{}{name}", if features.contains(feature) { "" } else { "no " })
        };
        fact("features", FEATURES.map(mark).join(", "));
        fact("storage binding", format!("{} MiB", limits.max_storage_buffer_binding_size >> 20));
        fact("buffer", format!("{} MiB", limits.max_buffer_size >> 20));
        let (threads, groups) = (
            limits.max_compute_invocations_per_workgroup,
            limits.max_compute_workgroups_per_dimension,
        );
        fact("workgroup", format!("{threads} invocations, {groups} groups a dimension"));
        fact("workgroup memory", format!("{} B", limits.max_compute_workgroup_storage_size));
        fact("subgroup", format!("{} to {}", info.subgroup_min_size, info.subgroup_max_size));
    }
    let started = Instant::now();
    let engines = bench.engines()?;
    fact("opened, engines and self-test", format!("{:.2} s", started.elapsed().as_secs_f64()));
    let device = &engines.gpu.devices()[0];
    for (name, value) in &device.details {
        fact(name, value.clone());
    }
    fact("self-test", format!("{} known answers right", device.known_answers));
    // What the first left in the driver's caches and in ours is found by the second.
    let again = sigmill::backend::gpu::device(bench.gpu_options()).map_err(|e| e.to_string())?;
    let again = again.details().into_iter().find(|(name, _)| *name == "compile time");
    fact("compile time, again", again.map_or("unknown".to_owned(), |(_, value)| value));
    let cpu = &engines.cpu.devices()[0];
    fact("cpu", cpu.description.clone());
    for (name, value) in &facts {
        bench.report.note(format_args!("{name:30} {value}"));
    }
    if bench.options.json {
        let facts: Map<_, _> =
            facts.into_iter().map(|(name, value)| (name, json!(value))).collect();
        let known = device.known_answers;
        let value = json!({ "device": device.description, "facts": facts, "known_answers": known });
        bench.report.row("adapter", format_args!(""), value);
    }
    Ok(())
}
