//! What tests of the simulated card have in common.

/// Tests of the simulated card, where it was built.
macro_rules! tests {
    ($($(#[$attribute:meta])* fn $name:ident() $body:block)*) => {
        $(#[test]
        #[cfg_attr(
            not(rtl_sim),
            ignore = "verilator not found when this crate was built; install it or set VERILATOR"
        )]
        $(#[$attribute])*
        fn $name() $body)*
    };
}
