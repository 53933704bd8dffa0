//! Whether one input may spend its output: scripts, redeem script, witness program, leaf.

use std::sync::LazyLock;

use bitcoin::hashes::{Hash, hash160, sha256};
use bitcoin::secp256k1::{Parity, Scalar, Secp256k1, VerifyOnly, XOnlyPublicKey};
use bitcoin::{Transaction, TxOut, Witness};

use crate::verdict::Verdict;

use super::claims::{Claim, Claims, Place};
use super::interpreter::{
    ITEM_LIMIT, Language, Passed, STACK_LIMIT, ScriptError, Stack, TapscriptState, has_success,
    run, truth,
};
use super::rules::Force;
use super::script::{
    is_multisig, is_script_hash, key_hash_script, push_of, pushes, script_hash_script,
    witness_program,
};
use super::sighash::{self, Leaf, Shared, tagged};

/// One input, and all that its scripts look at.
pub(super) struct Spend<'a> {
    /// The spending transaction.
    pub transaction: &'a Transaction,
    /// The hashes that its inputs share.
    pub shared: &'a Shared,
    /// Index of the input.
    pub input: usize,
    /// The outputs that the transaction's inputs spend, in order.
    pub outputs: &'a [TxOut],
    /// Whether all of `outputs` are known; that of `input` is.
    pub all_known: bool,
    /// The rules in force.
    pub force: Force,
    /// The signatures.
    pub claims: &'a mut Claims,
}

/// Parts of an input whose scripts sign different code.
const SCRIPT_SIG: u8 = 0;
const OUTPUT_SCRIPT: u8 = 1;
const REDEEM_SCRIPT: u8 = 2;
const WITNESS_SCRIPT: u8 = 3;

impl Spend<'_> {
    /// Runs all scripts of the input.
    pub(super) fn judge(&mut self) -> Result<Passed, ScriptError> {
        let input = &self.transaction.input[self.input];
        let outputs = self.outputs;
        let script = outputs[self.input].script_pubkey.as_bytes();
        let script_sig = input.script_sig.as_bytes();
        let takes_script = self.force.script_hash && is_script_hash(script);

        let mut stack = Stack::new();
        run(self, &mut stack, script_sig, Language::Legacy, SCRIPT_SIG, None)?;
        let before = takes_script.then(|| stack.clone());
        run(self, &mut stack, script, Language::Legacy, OUTPUT_SCRIPT, None)?;
        if !stack.last().is_some_and(|top| truth(top)) {
            return Err(if takes_script { ScriptError::RedeemScript } else { ScriptError::False });
        }
        if self.force.witness
            && let Some(program) = witness_program(script)
        {
            if !script_sig.is_empty() {
                return Err(ScriptError::Malleated);
            }
            return self.judge_program(program, &input.witness, false);
        }
        if let Some(mut stack) = before {
            if pushes(script_sig).is_none() {
                return Err(ScriptError::PushOnly);
            }
            // The hash was equal, so there was an item.
            let redeem = stack.pop().ok_or(ScriptError::StackUnderflow)?;
            run(self, &mut stack, &redeem, Language::Legacy, REDEEM_SCRIPT, None)?;
            if !stack.last().is_some_and(|top| truth(top)) {
                return Err(ScriptError::False);
            }
            if self.force.witness
                && let Some(program) = witness_program(&redeem)
            {
                if script_sig != push_of(&redeem) {
                    return Err(ScriptError::Malleated);
                }
                return self.judge_program(program, &input.witness, true);
            }
        }
        if self.force.witness && !input.witness.is_empty() {
            return Err(ScriptError::UnexpectedWitness);
        }
        Ok(Passed::Judged)
    }

    /// BIP 141 and 341. `nested`: the program is a redeem script.
    fn judge_program(
        &mut self,
        (version, program): (u8, &[u8]),
        witness: &Witness,
        nested: bool,
    ) -> Result<Passed, ScriptError> {
        let mut stack: Stack = witness.iter().map(<[u8]>::to_vec).collect();
        match (version, program.len()) {
            (0, 20) => {
                if stack.len() != 2 {
                    return Err(ScriptError::WitnessForm);
                }
                let hash = program.try_into().expect("the length is 20");
                self.run_witness(&mut stack, &key_hash_script(hash), Language::WitnessV0, None)
            }
            (0, 32) => {
                let script = stack.pop().ok_or(ScriptError::WitnessForm)?;
                if sha256::Hash::hash(&script).as_byte_array() != program {
                    return Err(ScriptError::WitnessScript);
                }
                self.run_witness(&mut stack, &script, Language::WitnessV0, None)
            }
            (0, _) => Err(ScriptError::ProgramLength),
            (1, 32) if !nested => {
                if !self.force.taproot {
                    return Ok(Passed::NoRule("taproot before its activation"));
                }
                self.judge_taproot(program.try_into().expect("the length is 32"), witness, stack)
            }
            _ => Ok(Passed::NoRule("witness program without a rule")),
        }
    }

    /// Runs a witness script; exactly one true item must be left.
    fn run_witness(
        &mut self,
        stack: &mut Stack,
        script: &[u8],
        language: Language,
        tapscript: Option<TapscriptState<'_>>,
    ) -> Result<Passed, ScriptError> {
        if stack.len() > STACK_LIMIT {
            return Err(ScriptError::Limit("items on the stack"));
        }
        if stack.iter().any(|item| item.len() > ITEM_LIMIT) {
            return Err(ScriptError::Limit("bytes of an item"));
        }
        run(self, stack, script, language, WITNESS_SCRIPT, tapscript)?;
        match stack.as_slice() {
            [top] if truth(top) => Ok(Passed::Judged),
            [_] => Err(ScriptError::False),
            _ => Err(ScriptError::CleanStack),
        }
    }

    /// BIP 341: key path, or a leaf that the output key commits to.
    fn judge_taproot(
        &mut self,
        output_key: &[u8; 32],
        witness: &Witness,
        mut stack: Stack,
    ) -> Result<Passed, ScriptError> {
        let annex =
            (stack.len() >= 2).then(|| stack.pop_if(|last| last.first() == Some(&ANNEX))).flatten();
        let annex = annex.as_deref();
        let last = stack.pop().ok_or(ScriptError::WitnessForm)?;
        let Some(script) = stack.pop() else {
            self.check_schnorr(Place::default(), &last, output_key, annex, None)?;
            return Ok(Passed::Judged);
        };
        let control = last;
        let path = control.get(33..).ok_or(ScriptError::ControlLength)?;
        if !path.len().is_multiple_of(32) || path.len() / 32 > PATH_LIMIT {
            return Err(ScriptError::ControlLength);
        }
        let version = control[0] & 0xfe;
        let leaf_hash = tagged("TapLeaf", &[&[version], &with_length(&script)]);
        let root = path.chunks(32).fold(leaf_hash, |node, sibling| {
            let (a, b) =
                if node[..] < *sibling { (&node[..], sibling) } else { (sibling, &node[..]) };
            tagged("TapBranch", &[a, b])
        });
        let internal: &[u8; 32] = control[1..33].try_into().expect("the slice has 32 bytes");
        if !commits(output_key, control[0] & 1, internal, &root) {
            return Err(ScriptError::Commitment);
        }
        if version != TAPSCRIPT_LEAF {
            return Ok(Passed::NoRule("leaf version without a rule"));
        }
        if has_success(&script)? {
            return Ok(Passed::NoRule("OP_SUCCESS in a leaf"));
        }
        // BIP 342: what the whole witness takes on the wire, and 50.
        let budget = witness.size() as i64 + 50;
        let state = TapscriptState { leaf_hash, annex, budget };
        self.run_witness(&mut stack, &script, Language::Tapscript, Some(state))
    }

    /// A BIP 340 signature of 64 bytes, or 65 with a hash type; anything but valid is an error.
    pub(super) fn check_schnorr(
        &mut self,
        place: Place,
        signature: &[u8],
        key: &[u8],
        annex: Option<&[u8]>,
        leaf: Option<Leaf>,
    ) -> Result<(), ScriptError> {
        let (signature, kind) = match *signature {
            [ref rest @ .., kind] if rest.len() == 64 => {
                (rest, if kind == 0 { return Err(ScriptError::HashType) } else { kind })
            }
            ref all if all.len() == 64 => (all, 0),
            _ => return Err(ScriptError::Encoding),
        };
        if !self.all_known {
            return Err(ScriptError::SpentUnknown);
        }
        let message = sighash::taproot(
            self.transaction,
            self.shared,
            self.input,
            self.outputs,
            annex,
            leaf,
            kind,
        )
        .ok_or(ScriptError::HashType)?;
        let claim = Claim {
            place,
            schnorr: true,
            message,
            signature: signature.to_vec(),
            key: key.to_vec(),
        };
        match self.claims.judge(claim)? {
            Verdict::Valid => Ok(()),
            Verdict::Invalid(_) => Err(ScriptError::Schnorr),
        }
    }
}

/// First byte of an annex.
const ANNEX: u8 = 0x50;
/// Leaf version of tapscript.
const TAPSCRIPT_LEAF: u8 = 0xc0;
/// Most levels of a script tree.
const PATH_LIMIT: usize = 128;

/// The bytes behind their CompactSize length.
fn with_length(bytes: &[u8]) -> Vec<u8> {
    bitcoin::consensus::serialize(&bytes.to_vec())
}

/// Whether output key = internal key + H(internal key, root) G, with that parity of y. One of the
/// few points that the host computes itself: at most one for each leaf that is spent.
fn commits(output_key: &[u8; 32], parity: u8, internal: &[u8; 32], root: &[u8; 32]) -> bool {
    let tweak = tagged("TapTweak", &[internal, root]);
    static CONTEXT: LazyLock<Secp256k1<VerifyOnly>> = LazyLock::new(Secp256k1::verification_only);
    let check = || {
        let output_key = XOnlyPublicKey::from_slice(output_key).ok()?;
        let internal = XOnlyPublicKey::from_slice(internal).ok()?;
        let parity = Parity::from_u8(parity).ok()?;
        let tweak = Scalar::from_be_bytes(tweak).ok()?;
        Some(internal.tweak_add_check(&CONTEXT, &output_key, parity, tweak))
    };
    check().unwrap_or(false)
}

/// What is inferred of an output that is not known, from the input that spends it: a key hash or a
/// script hash of multisig. Nothing is inferred beside a witness, whose signatures cover the value.
pub(super) fn infer(script_sig: &[u8], witness: &Witness, force: Force) -> Option<Vec<u8>> {
    if !witness.is_empty() {
        return None;
    }
    let items = pushes(script_sig)?;
    let last = items.last()?;
    // A push of a DER signature and its hash type, with room for the excesses of lax DER.
    if let [signature, key] = items.as_slice()
        && (8..=80).contains(&signature.len())
        && matches!(key.len(), 33 | 65)
    {
        return Some(key_hash_script(hash160::Hash::hash(key).as_byte_array()));
    }
    (force.script_hash && is_multisig(last))
        .then(|| script_hash_script(hash160::Hash::hash(last).as_byte_array()))
}
