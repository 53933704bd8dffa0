//! Tells the tests whether the simulated card was built: the configuration `rtl_sim`.

fn main() {
    println!("cargo::rustc-check-cfg=cfg(rtl_sim)");
    println!("cargo::rerun-if-changed=build.rs");
    // What the crate fpga-sim says of itself, where the feature `fpga-sim` asks for it.
    if std::env::var("DEP_FPGA_SIM_MODEL_RTL_SIM").is_ok_and(|built| built == "yes") {
        println!("cargo::rustc-cfg=rtl_sim");
    }
}
