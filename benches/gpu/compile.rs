//! What each kernel of the backend costs to compile: the pipeline, and the first dispatch, at which many
//! a driver compiles again. Through no cache but the driver's own.

use std::time::{Duration, Instant};

use serde_json::json;
use sigmill::backend::gpu::Limbs;
use sigmill::backend::gpu::program::Kernel;

use crate::Bench;
use crate::raw::Raw;

/// Bytes bound for each storage variable: what `ITEMS` take of the widest.
const STORAGE: u64 = 1 << 16;
/// One workgroup, of zeros.
const ITEMS: u32 = 64;
/// `Params` as `bindings.wgsl` has it: items, stride, first, nonce, algorithm, share. Not without items: a
/// driver that compiles for the parameters it sees would find nothing to compile.
const PARAMS: [u32; 8] = [ITEMS, ITEMS, 0, 0, 0, 1, 0, 0];

pub fn run(bench: &Bench, _: Duration) -> Result<(), String> {
    let raw = Raw::open(bench.options.software)?;
    let wide = if raw.has_64_bits() { Limbs::U64 } else { Limbs::U32 };
    let limbs = bench.options.limbs.unwrap_or(wide);
    let mut sum = 0.0;
    for kernel in Kernel::ALL {
        let text = kernel.text(limbs);
        let started = Instant::now();
        let (layout, group) = bind(&raw, &text);
        let pipeline = raw
            .pipeline(&text, kernel.entry(), Some(&layout))
            .map_err(|error| format!("{}: {error}", kernel.entry()))?;
        let created = started.elapsed().as_secs_f64() * 1e3;
        let first = raw.dispatch(&pipeline, &group, 1)?.0.as_secs_f64() * 1e3;
        let again = raw.dispatch(&pipeline, &group, 1)?.0.as_secs_f64() * 1e3;
        sum += created + first;
        bench.report.row(
            "compile",
            format_args!(
                "{:16} pipeline {created:9.1} ms  first dispatch {first:9.1} ms  second {again:7.2} ms",
                kernel.entry()
            ),
            json!({ "kernel": kernel.entry(), "limbs": limbs.name(), "pipeline_ms": created,
                    "first_dispatch_ms": first, "second_dispatch_ms": again }),
        );
    }
    let text = format_args!("{:16} {sum:.0} ms, {}", "all, one by one", limbs.name());
    bench.report.row("compile", text, json!({ "all_ms": sum, "limbs": limbs.name() }));
    Ok(())
}

/// Everything that the text declares, bound to buffers of zeros and the parameters.
fn bind(raw: &Raw, text: &str) -> (wgpu::PipelineLayout, wgpu::BindGroup) {
    let declared: Vec<(u32, wgpu::BufferBindingType)> = text
        .lines()
        .filter_map(|line| line.trim().strip_prefix("@group(0) @binding("))
        .filter_map(|rest| rest.split_once(')'))
        .map(|(number, rest)| {
            let read_only = !rest.contains("read_write");
            let ty = match rest.contains("var<uniform>") {
                true => wgpu::BufferBindingType::Uniform,
                false => wgpu::BufferBindingType::Storage { read_only },
            };
            (number.parse().expect("a number"), ty)
        })
        .collect();
    let entries: Vec<_> = declared
        .iter()
        .map(|&(binding, ty)| wgpu::BindGroupLayoutEntry {
            binding,
            visibility: wgpu::ShaderStages::COMPUTE,
            ty: wgpu::BindingType::Buffer { ty, has_dynamic_offset: false, min_binding_size: None },
            count: None,
        })
        .collect();
    let group_layout = raw.device.create_bind_group_layout(&wgpu::BindGroupLayoutDescriptor {
        label: None,
        entries: &entries,
    });
    let buffers: Vec<_> = declared
        .iter()
        .map(|&(binding, ty)| match ty {
            wgpu::BufferBindingType::Uniform => {
                let usage = wgpu::BufferUsages::UNIFORM | wgpu::BufferUsages::COPY_DST;
                let buffer = raw.buffer(1 << 10, usage);
                raw.queue.write_buffer(&buffer, 0, bytemuck::cast_slice(&PARAMS));
                (binding, buffer)
            }
            _ => (binding, raw.buffer(STORAGE, wgpu::BufferUsages::STORAGE)),
        })
        .collect();
    let entries: Vec<_> = buffers
        .iter()
        .map(|(binding, buffer)| wgpu::BindGroupEntry {
            binding: *binding,
            resource: buffer.as_entire_binding(),
        })
        .collect();
    let group = raw.device.create_bind_group(&wgpu::BindGroupDescriptor {
        label: None,
        layout: &group_layout,
        entries: &entries,
    });
    let layout = raw.device.create_pipeline_layout(&wgpu::PipelineLayoutDescriptor {
        label: None,
        bind_group_layouts: &[Some(&group_layout)],
        immediate_size: 0,
    });
    (layout, group)
}
