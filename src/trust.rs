//! How far a device is trusted with a verdict.

/// What stands behind a verdict, least first. What the host computed itself counts as
/// [`Trust::Audited`].
///
/// | level | accelerators | for |
/// |---|---|---|
/// | `Fast` | evidence, with nonces, checksums and canaries | benchmarks |
/// | `Checked` | and every reject, and a sample of what was accepted or computed, again on the host | own devices |
/// | `Audited` | and a proof of every point or key by one equation; of digests a larger sample | whoever may lie |
///
/// A canary is an item whose answer the host knows and the device does not: valid ones, and near misses
/// that differ in one bit. Of a hash it is one of the batch's own items.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Trust {
    /// The device's evidence is believed where canaries are right. No re-checks.
    Fast,
    /// Rejects are confirmed by the host, a sample of the rest too.
    #[default]
    Checked,
    /// Whatever was accepted was proved: a lie passes with a chance of 2^-128. Digests and roots have no such
    /// proof: one in [`Trust::SAMPLE`] is computed again.
    Audited,
}

impl Trust {
    /// Every level, least first.
    pub const ALL: [Trust; 3] = [Trust::Fast, Trust::Checked, Trust::Audited];

    /// Of so many digests one is computed again at [`Trust::Audited`], at least [`Trust::LEAST_SAMPLE`] a batch.
    pub const SAMPLE: usize = 16;

    /// Fewest digests of a batch that are computed again at [`Trust::Audited`].
    pub const LEAST_SAMPLE: usize = 32;

    /// Its name, as flags and reports have it.
    pub fn name(self) -> &'static str {
        match self {
            Trust::Fast => "fast",
            Trust::Checked => "checked",
            Trust::Audited => "audited",
        }
    }
}

impl std::fmt::Display for Trust {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

impl std::str::FromStr for Trust {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        let found = Trust::ALL.into_iter().find(|trust| trust.name() == name);
        found.ok_or_else(|| format!("`{name}` is no trust level: fast, checked, audited"))
    }
}
