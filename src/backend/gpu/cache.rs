//! Compiled pipelines, kept on disk where the driver hands them out: a file for each adapter, and for each
//! state of the shader texts.
#![expect(unsafe_code, reason = "the GPU pipeline cache's one call trusts what it is given")]

use std::fs;
use std::path::PathBuf;

use crate::algorithms::sha256;

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
        let version: String = digest[..8].iter().map(|byte| format!("{byte:02x}")).collect();
        let path = folder()?.join(format!("{key}-{version}"));
        let data = fs::read(&path).ok().and_then(|bytes| checked(&bytes).map(<[u8]>::to_vec));
        // SAFETY: the bytes are what `get_data` gave for the same adapter, as the digest in front of
        // them says; a driver that does not know them begins an empty cache.
        let inner = unsafe {
            device.create_pipeline_cache(&wgpu::PipelineCacheDescriptor {
                label: Some("sigmill"),
                data: data.as_deref(),
                fallback: true,
            })
        };
        Some(Cache { inner, path })
    }

    /// Writes what the driver compiled. A folder that cannot be written costs nothing but time.
    pub fn save(&self) {
        let Some(data) = self.inner.get_data() else { return };
        let file = [&sha256::hash(&data)[..], &data].concat();
        if fs::read(&self.path).is_ok_and(|old| old == file) {
            return;
        }
        // Whole or not at all, whoever else writes.
        let draft = self.path.with_extension(format!("{}", std::process::id()));
        let written = self.path.parent().map(fs::create_dir_all).is_some_and(|made| made.is_ok())
            && fs::write(&draft, file).is_ok();
        if !written || fs::rename(&draft, &self.path).is_err() {
            let _ = fs::remove_file(&draft);
        }
    }
}

fn folder() -> Option<PathBuf> {
    let base = std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from);
    let base = base.or_else(|| Some(PathBuf::from(std::env::var_os("HOME")?).join(".cache")))?;
    base.is_absolute().then(|| base.join("sigmill"))
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
