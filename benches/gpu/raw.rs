//! The adapter without the engine: for kernels of this bench's own.

use std::time::{Duration, Instant};

use crate::clock::core_time;

pub struct Raw {
    pub device: wgpu::Device,
    pub queue: wgpu::Queue,
    pub info: wgpu::AdapterInfo,
    pub features: wgpu::Features,
    pub limits: wgpu::Limits,
}

impl Raw {
    /// Opens the adapter that the engine takes: a software one, or the best of the others.
    pub fn open(software: bool) -> Result<Raw, String> {
        let descriptor = wgpu::InstanceDescriptor {
            backends: wgpu::Backends::VULKAN,
            ..wgpu::InstanceDescriptor::new_without_display_handle()
        };
        let instance = wgpu::Instance::new(descriptor);
        let all = pollster::block_on(instance.enumerate_adapters(wgpu::Backends::VULKAN));
        let rank = |adapter: &wgpu::Adapter| match adapter.get_info().device_type {
            wgpu::DeviceType::DiscreteGpu => 0,
            wgpu::DeviceType::IntegratedGpu => 1,
            _ => 2,
        };
        let cpu = |adapter: &wgpu::Adapter| adapter.get_info().device_type == wgpu::DeviceType::Cpu;
        let adapter = all.into_iter().filter(|adapter| cpu(adapter) == software).min_by_key(rank);
        let adapter = adapter.ok_or("no such adapter")?;
        let features = adapter.features() & wgpu::Features::SHADER_INT64;
        let limits = adapter.limits();
        let descriptor = wgpu::DeviceDescriptor {
            required_features: features,
            required_limits: limits.clone(),
            ..Default::default()
        };
        let (device, queue) = pollster::block_on(adapter.request_device(&descriptor))
            .map_err(|error| error.to_string())?;
        let (info, features) = (adapter.get_info(), adapter.features());
        Ok(Raw { device, queue, info, features, limits })
    }

    pub fn has_64_bits(&self) -> bool {
        self.features.contains(wgpu::Features::SHADER_INT64)
    }

    pub fn buffer(&self, size: u64, usage: wgpu::BufferUsages) -> wgpu::Buffer {
        self.device.create_buffer(&wgpu::BufferDescriptor {
            label: None,
            size,
            usage,
            mapped_at_creation: false,
        })
    }

    /// A pipeline for one entry point.
    ///
    /// # Errors
    /// What the compiler says.
    pub fn pipeline(
        &self,
        text: &str,
        entry: &str,
        layout: Option<&wgpu::PipelineLayout>,
    ) -> Result<wgpu::ComputePipeline, String> {
        let scope = self.device.push_error_scope(wgpu::ErrorFilter::Validation);
        let module = self.device.create_shader_module(wgpu::ShaderModuleDescriptor {
            label: Some(entry),
            source: wgpu::ShaderSource::Wgsl(text.into()),
        });
        let pipeline = self.device.create_compute_pipeline(&wgpu::ComputePipelineDescriptor {
            label: Some(entry),
            layout,
            module: &module,
            entry_point: Some(entry),
            compilation_options: Default::default(),
            cache: None,
        });
        match pollster::block_on(scope.pop()) {
            Some(error) => Err(error.to_string()),
            None => Ok(pipeline),
        }
    }

    /// Runs it and waits: time of the wall, and of cores.
    pub fn dispatch(
        &self,
        pipeline: &wgpu::ComputePipeline,
        group: &wgpu::BindGroup,
        workgroups: u32,
    ) -> Result<(Duration, Duration), String> {
        let (started, cores) = (Instant::now(), core_time());
        let mut encoder = self.device.create_command_encoder(&Default::default());
        {
            let mut pass = encoder.begin_compute_pass(&Default::default());
            pass.set_pipeline(pipeline);
            pass.set_bind_group(0, group, &[]);
            pass.dispatch_workgroups(workgroups, 1, 1);
        }
        self.queue.submit([encoder.finish()]);
        let polled = self.device.poll(wgpu::PollType::wait_indefinitely());
        polled.map_err(|error| error.to_string())?;
        Ok((started.elapsed(), core_time().saturating_sub(cores)))
    }
}
