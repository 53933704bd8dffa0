//! One suite for every backend: the cases never name one.
#![cfg_attr(
    not(feature = "fpga-sim"),
    expect(dead_code, reason = "some cases are there for a simulated card")
)]

#[path = "../support/mod.rs"]
mod support;

mod ecdsa;
mod hashes;
mod packing;
mod recovery;
mod schnorr;

/// Every case for every backend: a new backend is a word below, a new case a line here.
macro_rules! conformance {
    ($($backend:ident)*) => {
        $(mod $backend {
            use super::support::$backend as open;

            super::cases! { open
                ecdsa::wycheproof ecdsa::ecdsa_records ecdsa::rfc_6979 ecdsa::edge_scalars
                schnorr::bip_340 schnorr::schnorr_records
                recovery::recovery_records recovery::precompile
                hashes::sha256_short hashes::sha256_monte_carlo hashes::keccak256_short
                hashes::edge_lengths hashes::merkle_trees
                packing::every_size_and_shift packing::alone_and_in_company
                packing::empty_batches
            }
        })*
    };
}

macro_rules! cases {
    ($open:ident $($case:tt)*) => {
        super::cases! { #[cfg(test)] $open $($case)* }
    };
    (# $attribute:tt $open:ident $($file:ident::$case:ident)*) => {
        $(#[test]
        # $attribute
        fn $case() {
            super::support::Opened::with($open(), super::$file::$case);
        })*
    };
}

use cases;

conformance! { portable middle cpu evidence }
#[cfg(feature = "gpu")]
conformance! { gpu gpu_u32 }

/// All vectors of the hashes, and of signatures what a simulated card does in a minute or two.
#[cfg(feature = "fpga-sim")]
mod fpga {
    use super::support::fpga as open;

    super::cases! {
        #[cfg_attr(
            not(rtl_sim),
            ignore = "verilator not found when this was built; install it or set VERILATOR"
        )]
        open
        ecdsa::wycheproof_once ecdsa::some_ecdsa_records ecdsa::rfc_6979 ecdsa::edge_scalars
        schnorr::bip_340 schnorr::some_schnorr_records
        recovery::some_recovery_records recovery::precompile
        hashes::sha256_short hashes::sha256_whole_monte_carlo hashes::keccak256_short
        hashes::edge_lengths
        packing::every_size packing::empty_batches
    }
}
