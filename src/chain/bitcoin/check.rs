//! A block's rounds: hashes, then roots and signatures, then what is left of both.

use bitcoin::{Block, TxOut};

use crate::algorithm::{Algorithm, EcdsaRule};
use crate::batch::{Batch, Job};
use crate::error::ItemError;
use crate::verdict::{Answers, Outcome, Reason, Verdict};

use super::super::cut::Cut;
use super::super::{ChainError, Check, Inputs, Kind, Report};
use super::block::{read, read_outputs, stated_height};
use super::claims::{Claim, Standing};
use super::commitments::{
    WitnessCommitment, has_witness, printed, proof_of_work, repeated, without_witness,
};
use super::input::{Decision, Input, advance};
use super::outputs::{Spent, resolve};
use super::rules::{Force, Network, Rules};

/// The check of one block.
#[derive(Debug)]
pub struct BlockCheck {
    block: Block,
    network: Network,
    force: Force,
    /// The spent outputs that the caller gave; taken when the inputs are resolved.
    given: Option<Vec<TxOut>>,
    witness_commitment: WitnessCommitment,
    stage: Stage,
    /// What the jobs of the batches in flight are for.
    sent: Vec<Sent>,
    hashes: Hashes,
    spent: Vec<Spent>,
    inputs: Vec<Input>,
    report: Report,
}

/// What the next round does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Hash,
    Resolve,
    Judge,
    Done,
}

/// What a batch's jobs are for, in job order.
#[derive(Debug)]
enum Sent {
    Hashes(Vec<Target>),
    Claims(Vec<(usize, Claim)>),
}

/// What a hash is of.
#[derive(Clone, Copy, Debug)]
enum Target {
    Header,
    Identity(usize),
    WitnessIdentity(usize),
    Root,
    WitnessRoot,
    Commitment,
}

/// The hashes that came back, in the byte order in which they are computed.
#[derive(Debug, Default)]
struct Hashes {
    header: Option<[u8; 32]>,
    identities: Vec<Option<[u8; 32]>>,
    witness_identities: Vec<Option<[u8; 32]>>,
    root: Option<[u8; 32]>,
    witness_root: Option<[u8; 32]>,
    commitment: Option<[u8; 32]>,
}

impl BlockCheck {
    /// Reads a block from wire bytes or hex digits, and its spent outputs (a value as i64
    /// little-endian and a script behind its CompactSize length, in input order, the coinbase left
    /// out), if the caller has them. Fails if either is malformed, if they do not fit each other in
    /// number, or if the block is larger than any.
    pub fn new(bytes: &[u8], prevouts: Option<&[u8]>, rules: Rules) -> Result<Self, ChainError> {
        let block = read(bytes)?;
        let count = block.txdata.iter().skip(1).map(|transaction| transaction.input.len()).sum();
        let given = prevouts.map(|bytes| read_outputs(bytes, count)).transpose()?;
        let force = Force::of(rules, &block.header, stated_height(&block));
        let witness_commitment = WitnessCommitment::of(&block, force);
        Ok(BlockCheck {
            block,
            network: rules.network,
            force,
            given,
            witness_commitment,
            stage: Stage::Hash,
            sent: Vec::new(),
            hashes: Hashes::default(),
            spent: Vec::new(),
            inputs: Vec::new(),
            report: Report::new(Kind::BitcoinBlock),
        })
    }

    /// Files what came back. A job without an answer stays without one.
    fn take(&mut self, answers: &[Answers]) {
        for (index, sent) in std::mem::take(&mut self.sent).into_iter().enumerate() {
            let answers = answers.get(index);
            if let Some(answers) = answers {
                self.report.count(answers);
            }
            let outcome = |job| answers.and_then(|answers| answers.get(job));
            match sent {
                Sent::Hashes(targets) => {
                    for (job, target) in targets.into_iter().enumerate() {
                        if let Some(Outcome::Digest(digest)) = outcome(job) {
                            self.hashes.file(target, *digest);
                        }
                    }
                }
                Sent::Claims(claims) => {
                    for (job, (input, claim)) in claims.into_iter().enumerate() {
                        let standing = match outcome(job) {
                            Some(Outcome::Verdict(verdict)) => Standing::Settled(verdict),
                            Some(Outcome::Error(error)) => Standing::Unanswered(error),
                            // Whoever drives the check stopped before this batch was answered.
                            None => Standing::Unanswered(ItemError::Shutdown),
                            _ => Standing::Unanswered(ItemError::Fault),
                        };
                        self.inputs[input].settle(claim, standing);
                    }
                }
            }
        }
    }

    /// The header and all transactions; those with a witness a second time, with it, if the block
    /// commits to them.
    fn hash_jobs(&mut self) -> Vec<Batch> {
        let count = self.block.txdata.len();
        self.hashes.identities = vec![None; count];
        self.hashes.witness_identities = vec![None; count];
        let commits = matches!(self.witness_commitment, WitnessCommitment::Made(..));
        let mut jobs = Cut::new(Algorithm::Sha256d);
        push_hash(&mut jobs, &bitcoin::consensus::serialize(&self.block.header), Target::Header);
        for (position, transaction) in self.block.txdata.iter().enumerate() {
            push_hash(&mut jobs, &without_witness(transaction), Target::Identity(position));
            if commits && position > 0 && has_witness(transaction) {
                let bytes = bitcoin::consensus::serialize(transaction);
                push_hash(&mut jobs, &bytes, Target::WitnessIdentity(position));
            }
        }
        self.send_hashes(jobs)
    }

    fn root_jobs(&mut self) -> Vec<Batch> {
        let mut jobs = Cut::new(Algorithm::MerkleRootSha256d);
        let identities = &self.hashes.identities;
        push_root(&mut jobs, identities.iter().copied().collect(), Target::Root);
        if matches!(self.witness_commitment, WitnessCommitment::Made(..)) {
            let leaf = |(position, transaction)| match position {
                // The coinbase, which holds the commitment, counts as zero.
                0 => Some([0; 32]),
                _ if has_witness(transaction) => self.hashes.witness_identities[position],
                _ => identities[position],
            };
            let leaves = self.block.txdata.iter().enumerate().map(leaf).collect();
            push_root(&mut jobs, leaves, Target::WitnessRoot);
        }
        self.send_hashes(jobs)
    }

    /// The commitment, once, when the witness root has come back.
    fn commitment_jobs(&mut self) -> Vec<Batch> {
        let mut jobs = Cut::new(Algorithm::Sha256d);
        if let (WitnessCommitment::Made(_, reserved), Some(root)) =
            (self.witness_commitment, self.hashes.witness_root.take())
        {
            push_hash(&mut jobs, &[root, reserved].concat(), Target::Commitment);
        }
        self.send_hashes(jobs)
    }

    fn send_hashes(&mut self, jobs: Cut<Target>) -> Vec<Batch> {
        let (batches, targets): (_, Vec<_>) = jobs.finish().into_iter().unzip();
        self.sent.extend(targets.into_iter().map(Sent::Hashes));
        batches
    }

    /// Runs the scripts as far as they get, and asks for the signatures that they met.
    fn claim_jobs(&mut self) -> Vec<Batch> {
        advance(&mut self.inputs, &self.block, &self.spent, self.force);
        let rule =
            if self.force.strict_der { EcdsaRule::BitcoinStrict } else { EcdsaRule::BitcoinLax };
        let mut ecdsa = Cut::new(Algorithm::EcdsaSecp256k1(rule));
        let mut schnorr = Cut::new(Algorithm::SchnorrBip340);
        for (index, input) in self.inputs.iter_mut().enumerate() {
            for claim in input.take_asked() {
                let bytes = 32 + claim.signature.len() + claim.key.len();
                let copy = claim.clone();
                let (message, key) = (&copy.message, copy.key.as_slice());
                let signature = copy.signature.as_slice();
                let pushed = if claim.schnorr {
                    match (signature.try_into(), key.try_into()) {
                        (Ok(signature), Ok(key)) => schnorr.push(
                            Job::Schnorr { message, signature, key },
                            bytes,
                            (index, claim),
                        ),
                        // The lengths were looked at when the claim was made; if not, it fails.
                        _ => {
                            let verdict = Verdict::Invalid(Reason::Encoding);
                            input.settle(claim, Standing::Settled(verdict));
                            continue;
                        }
                    }
                } else {
                    ecdsa.push(Job::Ecdsa { message, signature, key }, bytes, (index, claim))
                };
                pushed.expect("a script's items are shorter than a job's fields may be");
            }
        }
        let cuts = ecdsa.finish().into_iter().chain(schnorr.finish());
        let (batches, claims): (_, Vec<_>) = cuts.unzip();
        self.sent.extend(claims.into_iter().map(Sent::Claims));
        batches
    }

    fn resolve(&mut self) {
        let given = self.given.take();
        self.spent = resolve(&self.block, &self.hashes.identities, given, self.force);
        let positions = self.block.txdata.iter().enumerate().skip(1);
        self.inputs = positions
            .flat_map(|(position, transaction)| {
                (0..transaction.input.len()).map(move |index| Input::new(position, index))
            })
            .collect();
    }

    /// Writes down what was found.
    fn conclude(&mut self) {
        self.report.hash = self.hashes.header.as_ref().map(printed);
        self.conclude_commitments();
        if !self.block.txdata[0].is_coinbase() {
            self.report.find("transaction 0: it is no coinbase".into());
        }
        for (position, transaction) in self.block.txdata.iter().enumerate().skip(1) {
            if transaction.is_coinbase() {
                self.report.find(format!("transaction {position}: it is a second coinbase"));
            }
        }
        let mut counts = Inputs { total: self.inputs.len() as u64, ..Inputs::default() };
        let mut failures: Vec<Failure<'_>> = Vec::new();
        for input in &self.inputs {
            match &input.decision {
                Some(Decision::Verified) => counts.verified += 1,
                Some(Decision::Assumed) => counts.assumed += 1,
                Some(Decision::Failed(why)) => {
                    counts.failed += 1;
                    fail(&mut failures, input, why);
                }
                Some(Decision::Unresolved(why)) => {
                    *counts.unresolved.entry(why.clone()).or_default() += 1;
                }
                None => *counts.unresolved.entry("not judged".into()).or_default() += 1,
            }
        }
        for Failure { transaction, why, inputs } in failures {
            let identity = self.hashes.identities[transaction]
                .map_or(String::new(), |identity| format!(" ({})", printed(&identity)));
            let inputs = named(&inputs);
            self.report.find(format!("transaction {transaction}{identity} {inputs}: {why}"));
        }
        self.report.complete &= counts.unresolved.is_empty();
        self.report.inputs = Some(counts);
    }

    fn conclude_commitments(&mut self) {
        let hashes = &self.hashes;
        let header = &self.block.header;
        let work = hashes.header.map(|hash| proof_of_work(header, &hash, self.network));
        let stated_root = bitcoin::hashes::Hash::to_byte_array(header.merkle_root);
        let repeated = repeated(&hashes.identities);
        let root = hashes.root.map(|root| root == stated_root && repeated.is_none());
        let (witness, witness_unknown) = match self.witness_commitment {
            WitnessCommitment::Absent => (None, false),
            WitnessCommitment::Broken(_) => (Some(false), false),
            WitnessCommitment::Made(made, _) => (
                hashes.commitment.map(|commitment| commitment == made),
                hashes.commitment.is_none(),
            ),
        };
        if work == Some(false) {
            self.report.find("proof_of_work: the header's hash does not meet its target".into());
        }
        match (root, repeated) {
            (Some(false), Some((second, first))) => self.report.find(format!(
                "merkle_root: transaction {second} is transaction {first} once more"
            )),
            (Some(false), None) => {
                self.report.find("merkle_root: the transactions do not add up to it".into());
            }
            _ => {}
        }
        match (witness, self.witness_commitment) {
            (Some(false), WitnessCommitment::Broken(why)) => {
                self.report.find(format!("witness: {why}"));
            }
            (Some(false), _) => {
                self.report.find("witness: the witnesses do not add up to the commitment".into());
            }
            _ => {}
        }
        // A hash without an answer leaves its commitment open.
        self.report.complete &= work.is_some() && root.is_some() && !witness_unknown;
        self.report.commitments =
            [("proof_of_work", work), ("merkle_root", root), ("witness", witness)].into();
    }
}

impl Check for BlockCheck {
    fn round(&mut self, answers: &[Answers]) -> Vec<Batch> {
        self.take(answers);
        let batches = match self.stage {
            Stage::Hash => {
                self.stage = Stage::Resolve;
                self.hash_jobs()
            }
            Stage::Resolve => {
                self.stage = Stage::Judge;
                self.resolve();
                let mut batches = self.root_jobs();
                batches.append(&mut self.claim_jobs());
                batches
            }
            Stage::Judge => {
                let mut batches = self.commitment_jobs();
                batches.append(&mut self.claim_jobs());
                batches
            }
            Stage::Done => Vec::new(),
        };
        if batches.is_empty() && self.stage == Stage::Judge {
            self.stage = Stage::Done;
            self.conclude();
        }
        batches
    }

    fn report(&self) -> Report {
        self.report.clone()
    }
}

impl Hashes {
    fn file(&mut self, target: Target, digest: [u8; 32]) {
        let place = match target {
            Target::Header => &mut self.header,
            Target::Identity(position) => &mut self.identities[position],
            Target::WitnessIdentity(position) => &mut self.witness_identities[position],
            Target::Root => &mut self.root,
            Target::WitnessRoot => &mut self.witness_root,
            Target::Commitment => &mut self.commitment,
        };
        *place = Some(digest);
    }
}

/// Inputs of one transaction that failed for the same reason.
struct Failure<'a> {
    transaction: usize,
    why: &'a str,
    /// Runs of them: first and last.
    inputs: Vec<[usize; 2]>,
}

/// Files an input, the ones before it being filed. One changed bit of a large transaction fails all
/// its inputs: together they take a line for each reason.
fn fail<'a>(failures: &mut Vec<Failure<'a>>, input: &Input, why: &'a str) {
    let Input { transaction, index, .. } = *input;
    let mut same = failures.iter_mut().rev().take_while(|known| known.transaction == transaction);
    let Some(known) = same.find(|known| known.why == why) else {
        failures.push(Failure { transaction, why, inputs: vec![[index, index]] });
        return;
    };
    match known.inputs.last_mut() {
        Some([_, last]) if *last + 1 == index => *last = index,
        _ => known.inputs.push([index, index]),
    }
}

/// `input 3`, `inputs 0 to 442, 444`.
fn named(runs: &[[usize; 2]]) -> String {
    let run = |[first, last]: &[usize; 2]| match first == last {
        true => first.to_string(),
        false => format!("{first} to {last}"),
    };
    let single = matches!(runs, [[first, last]] if first == last);
    let list: Vec<_> = runs.iter().map(run).collect();
    format!("input{} {}", if single { "" } else { "s" }, list.join(", "))
}

const FITS: &str = "a block is smaller than a job's field may be";

fn push_hash(jobs: &mut Cut<Target>, message: &[u8], target: Target) {
    jobs.push(Job::Hash { message }, message.len(), target).expect(FITS);
}

/// The root of the leaves, if all are there.
fn push_root(jobs: &mut Cut<Target>, leaves: Option<Vec<[u8; 32]>>, target: Target) {
    if let Some(leaves) = leaves {
        let bytes = 32 * leaves.len();
        jobs.push(Job::MerkleRoot { leaves: &leaves }, bytes, target).expect(FITS);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inputs_that_fail_alike_share_a_line() {
        let inputs: Vec<_> = (0..448).map(|index| Input::new(5, index)).collect();
        let mut failures = Vec::new();
        for input in &inputs {
            match input.index {
                443 => {}
                446 => fail(&mut failures, input, "other"),
                _ => fail(&mut failures, input, "equation"),
            }
        }
        fail(&mut failures, &Input::new(6, 0), "equation");
        let lines: Vec<_> = failures.iter().map(|f| (f.transaction, named(&f.inputs))).collect();
        let expected = [(5, "inputs 0 to 442, 444 to 445, 447"), (5, "input 446"), (6, "input 0")];
        assert_eq!(lines, expected.map(|(transaction, line)| (transaction, line.to_owned())));
    }
}
