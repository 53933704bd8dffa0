//! What a card multiplies at most, by its clock.

use crate::algorithms::secp256k1::ceiling::work;
use crate::backend::ceiling::{Ceiling, per_job};
use crate::backend::fpga::Options;
use crate::backend::fpga::manifest::Core;

/// Products mod p of one signature, whatever its algorithm; the core issues one a cycle.
const PRODUCTS: f64 = 2_065.0;

/// The limit of a card's signature core; `None` without such a core, or where its manifest names no clock. Nothing is
/// measured.
pub fn ceiling(options: &Options) -> Option<Ceiling> {
    let clock = options.clock_hz.filter(|_| Core::Secp256k1.is_in(options.expected.caps))?;
    Some(Ceiling {
        device: options.card.name().to_owned(),
        what: "product mod p, one a cycle",
        multiplies_per_second: clock as f64,
        multiplies_per_job: per_job(|algorithm| work(algorithm).map(|_| PRODUCTS)),
        ..Ceiling::default()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::algorithm::Algorithm;
    use crate::backend::fpga::manifest::Manifest;
    use crate::backend::fpga::{Card, Expected};

    #[test]
    fn a_card_has_a_ceiling_where_its_manifest_names_a_clock() {
        let options = |cores: &str, clock: &str| {
            let zeros = "0".repeat(64);
            let text = format!(
                "image_sha256 = '{zeros}'\nformat = 'xilinx'\ndevice = 'xcvu9p'\nabi_version = 1\n\
                 cores = ['{cores}']\nsource_hash = '{zeros}'\n{clock}\n"
            );
            let manifest = Manifest::parse(&text).map_err(|error| error.to_string())?;
            let options = Options::new(Card::Simulated, Expected::from(&manifest));
            Ok::<_, String>(Options { clock_hz: manifest.clock_hz, ..options })
        };
        let of = |cores, clock| ceiling(&options(cores, clock).expect("a manifest"));
        let ideal = |ceiling: Ceiling| ceiling.ideal(Algorithm::SchnorrBip340);
        let found = of("secp256k1", "clock_hz = 300_000_000").and_then(ideal).expect("a limit");
        assert!((found - 300e6 / 2_065.0).abs() < 1.0);
        assert_eq!(of("secp256k1", ""), None);
        assert_eq!(of("sha256", "clock_hz = 300_000_000"), None);
        for clock in ["clock_hz = 0", "clock_hz = 'fast'", "clock_hz = -1"] {
            let why = options("secp256k1", clock).expect_err("no clock");
            assert!(why.contains("`clock_hz`"), "{why}");
        }
    }
}
