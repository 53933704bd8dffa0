//! Compiled pipelines, kept on disk where the driver hands them out: a file for each adapter, and for each
//! state of the shader texts.
#![expect(unsafe_code, reason = "the GPU pipeline cache's one call trusts what it is given")]

use std::path::PathBuf;

use crate::algorithms::sha256;
use crate::cache;

/// Most bytes of a file that is read: kernels of a dozen pipelines take a few MiB.
const LIMIT: u64 = 256 << 20;

/// Bytes of the digest that a file begins with.
const DIGEST: usize = 32;

/// A driver's cache, and the file that it came from and goes to.
#[derive(Debug)]
pub(crate) struct Cache {
    pub inner: wgpu::PipelineCache,
    path: PathBuf,
}

impl Cache {
    /// The cache for these texts; `None` where the device has no such feature, or the user no folder
    /// for caches.
    pub fn open(device: &wgpu::Device, info: &wgpu::AdapterInfo, texts: &str) -> Option<Cache> {
        if !device.features().contains(wgpu::Features::PIPELINE_CACHE) {
            return None;
        }
        let key = wgpu::util::pipeline_cache_key(info)?;
        let digest = sha256::hash(texts.as_bytes());
        let path = cache::folder()?.join(format!("{key}-{}", cache::hex(&digest[..8])));
        let data = cache::read(&path, LIMIT);
        let data = data.as_deref().and_then(checked);
        // SAFETY: the bytes are what `get_data` gave for the same adapter, as the digest in front of
        // them says; a driver that does not know them begins an empty cache.
        let inner = unsafe {
            device.create_pipeline_cache(&wgpu::PipelineCacheDescriptor {
                label: Some("sigmill"),
                data,
                fallback: true,
            })
        };
        Some(Cache { inner, path })
    }

    /// Writes what the driver compiled. A folder that cannot be written costs nothing but time.
    pub fn save(&self) {
        let Some(data) = self.inner.get_data() else { return };
        let file = [&sha256::hash(&data)[..], &data].concat();
        if cache::read(&self.path, LIMIT).is_none_or(|old| old != file) {
            cache::write(&self.path, &file);
        }
    }
}

/// The bytes after the digest, if it is theirs.
fn checked(file: &[u8]) -> Option<&[u8]> {
    let (digest, data) = file.split_at_checked(DIGEST)?;
    (sha256::hash(data)[..] == *digest).then_some(data)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_damaged_file_is_no_cache() {
        let data = b"compiled";
        let file = [&sha256::hash(data)[..], data].concat();
        assert_eq!(checked(&file), Some(&data[..]));
        for at in 0..file.len() {
            let mut damaged = file.clone();
            damaged[at] ^= 1;
            assert_eq!(checked(&damaged), None);
            assert_eq!(checked(&file[..at]), None);
        }
    }
}
