//! Where final blocks and their certificates are kept for ever.

use std::sync::Arc;

use commonware_consensus::simplex::types::Finalization;
use commonware_cryptography::certificate::Verifier as _;
use commonware_runtime::buffer::paged::CacheRef;
use commonware_storage::archive::{Error, immutable};
use commonware_utils::NZU64;

use super::Sizes;
use crate::Hash;
use crate::block::Block;
use crate::chain::Runtime;
use crate::genesis::Limits;
use crate::scheme::VoteScheme;

/// Final blocks and certificates, by height.
pub struct Archives<E: Runtime> {
    /// Certificates that made blocks final. A block without one is final by that of a descendant.
    pub finalizations: immutable::Archive<E, Hash, Finalization<VoteScheme, Hash>>,
    /// Blocks.
    pub blocks: immutable::Archive<E, Hash, Arc<Block>>,
}

impl<E: Runtime> Archives<E> {
    /// Opens the archives of a validator whose partitions begin with `partition`.
    ///
    /// # Errors
    /// [`Error`]: the disk, or what lies on it.
    pub async fn open(
        context: &E,
        partition: &str,
        sizes: &Sizes,
        page_cache: &CacheRef,
        limits: &Limits,
    ) -> Result<Self, Error> {
        let certificates = VoteScheme::certificate_codec_config_unbounded();
        let finalizations = config(partition, "finalizations", sizes, page_cache, certificates);
        let blocks = config(partition, "blocks", sizes, page_cache, limits.clone());
        Ok(Archives {
            finalizations: immutable::Archive::init(context.child("finalizations"), finalizations)
                .await?,
            blocks: immutable::Archive::init(context.child("blocks"), blocks).await?,
        })
    }
}

fn config<C>(
    partition: &str,
    name: &str,
    sizes: &Sizes,
    page_cache: &CacheRef,
    codec_config: C,
) -> immutable::Config<C> {
    let part = |of: &str| format!("{partition}{name}-{of}");
    let Sizes { write_buffer, table, .. } = *sizes;
    immutable::Config {
        metadata_partition: part("metadata"),
        freezer_table_partition: part("table"),
        freezer_table_initial_size: table,
        freezer_table_resize_frequency: 4,
        freezer_table_resize_chunk_size: table,
        freezer_key_partition: part("keys"),
        freezer_key_page_cache: page_cache.clone(),
        freezer_key_write_buffer: write_buffer,
        freezer_value_partition: part("values"),
        freezer_value_target_size: 1 << 30,
        freezer_value_compression: None, // signatures and hashes do not shrink
        freezer_value_write_buffer: write_buffer,
        ordinal_partition: part("heights"),
        ordinal_write_buffer: write_buffer,
        items_per_section: NZU64!(1 << 16),
        codec_config,
        replay_buffer: write_buffer,
    }
}
