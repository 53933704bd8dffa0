//! `verify-proof`: checks proofs without a validator.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use alloy_primitives::hex;
use serde_json::{Value, json};
use sigmill::{Class, Engine, Terms};
use sigmill_consensus::block::Header;
use sigmill_consensus::decree::Order;
use sigmill_consensus::proof::{
    Checkpoint, Evidence, Included, Judged, MOST_JSON_BYTES, Proof, Refusal, StateProof, Subject,
    verify, verify_states,
};
use sigmill_consensus::scheme::Engines;
use sigmill_consensus::{Account, Action, Address, Hash, Record};

use super::{Done, Failure, write_new};

const EXAMPLES: &str = "\
Examples:
  sigmill-consensus verify-proof payment.proof
  sigmill-consensus verify-proof --trusted other/genesis.toml --json *.proof
  sigmill-consensus verify-proof --trusted other/sets.toml balance.json
  sigmill-consensus verify-proof --trusted genesis.toml --save sets.toml change.proof

Proofs of decrees say who validates later: the other files of the call are judged by that, and --save keeps it for
the next call.

A proof is `refused` with a name: Malformed, WrongChain, BrokenChain, UnknownEpoch, StaleSet, NoQuorum,
BadVote, NoSuchPlace, ForeignTransaction, WrongRoot, WrongState, BadSignature, and Replayed for a
transaction that an earlier file of the same call proves already.";

#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES, arg_required_else_help = true)]
pub struct Arguments {
    /// Whose votes are trusted: the genesis file of the chain, or a file of its sets of validators
    #[arg(long, value_name = "GENESIS|SET", default_value = "genesis.toml")]
    trusted: PathBuf,
    /// A new file for the sets of validators that are known in the end
    #[arg(long, value_name = "SET")]
    save: Option<PathBuf>,
    /// Threads of the engine; 0 is one a core
    #[arg(long, default_value_t = 0)]
    threads: usize,
    /// Print a line of JSON for each transaction
    #[arg(long)]
    json: bool,
    /// The proofs, as bytes or as JSON
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
}

/// What is to be said of one transaction of a file, or of a file without any.
struct Line<'a> {
    file: &'a Path,
    verdict: Result<Value, (&'static str, String)>,
}

pub fn run(arguments: &Arguments) -> Done {
    let mut checkpoint = Checkpoint::read(&arguments.trusted).map_err(Failure::input)?;
    let engine = Engine::builder().threads(arguments.threads).open().map_err(Failure::check)?;
    let engine = Arc::new(engine);
    let engines = Engines::one(engine.clone());
    let minute = Duration::from_secs(60);
    let mut trusted = checkpoint.trusted(&engines, minute).map_err(Failure::check)?;

    // What is said of each file, by its place in the call.
    let files = &arguments.files;
    let mut said: Vec<Vec<Line<'_>>> = files.iter().map(|_| Vec::new()).collect();
    let (mut proofs, mut proofs_of) = (Vec::new(), Vec::new());
    let (mut states, mut states_of) = (Vec::new(), Vec::new());
    for (at, file) in files.iter().enumerate() {
        match read(file)? {
            Ok(Evidence::Block(proof)) => {
                proofs.push(proof);
                proofs_of.push(at);
            }
            Ok(Evidence::State(proof)) => {
                states.push(proof);
                states_of.push(at);
            }
            Err(why) => said[at].push(Line { file, verdict: Err(("Malformed", why)) }),
        }
    }
    let terms = Terms::default().class(Class::Sync);
    let pin = (&engines, minute);
    let followed = checkpoint.follow(&engine, &mut trusted, &proofs, pin, terms);
    followed.map_err(Failure::check)?;
    if let Some(path) = &arguments.save {
        write_new(path, checkpoint.text())?;
    }
    let mut seen = HashMap::new();
    let judged = verify(&engine, &trusted, &proofs, terms);
    for ((at, proof), judged) in proofs_of.into_iter().zip(&proofs).zip(&judged) {
        tell(&files[at], proof, judged, &mut seen, &mut said[at]);
    }
    let judged = verify_states(&engine, &trusted, &states, terms);
    for ((at, proof), (hash, judged)) in states_of.into_iter().zip(&states).zip(judged) {
        let verdict = judged.map(|()| held(proof, hash)).map_err(refused);
        said[at].push(Line { file: &files[at], verdict });
    }
    let lines: Vec<_> = said.into_iter().flatten().collect();
    let refused = lines.iter().filter(|line| line.verdict.is_err()).count();
    for line in &lines {
        line.print(arguments.json);
    }
    match refused {
        0 => Ok(()),
        _ => Err(Failure::check(format!("{refused} of {} are refused", lines.len()))),
    }
}

/// A proof, or why the file is none.
fn read(file: &Path) -> Result<Result<Evidence, String>, Failure> {
    let failed = |error| Failure::input(format!("{}: {error}", file.display()));
    let bytes = std::fs::metadata(file).map_err(failed)?.len();
    if bytes > MOST_JSON_BYTES {
        return Ok(Err(format!("{bytes} bytes; a proof has at most {MOST_JSON_BYTES}")));
    }
    let bytes = std::fs::read(file).map_err(failed)?;
    // Someone else's names of fields are in it: fit for a terminal, and not too long.
    let fit = |text: String| text.chars().filter(|one| !one.is_control()).take(300).collect();
    Ok(Evidence::read(&bytes).map_err(|error| fit(error.to_string())))
}

fn refused(refusal: Refusal) -> (&'static str, String) {
    (refusal.name(), refusal.to_string())
}

fn tell<'a>(
    file: &'a Path,
    proof: &Proof,
    judged: &Judged,
    seen: &mut HashMap<[u8; 32], &'a Path>,
    lines: &mut Vec<Line<'a>>,
) {
    let header = &proof.block.header;
    let block = place(header.height, header, judged.hash);
    if proof.transactions.is_empty() {
        lines.push(Line { file, verdict: judged.block.map(|()| block.clone()).map_err(refused) });
    }
    for (included, sender) in proof.transactions.iter().zip(&judged.senders) {
        let verdict = sender.map_err(refused).and_then(|sender| {
            let id = included.transaction.hash().0;
            if let Some(first) = seen.insert(id, file) {
                return Err(("Replayed", format!("{} proves it already", first.display())));
            }
            Ok(fact(included, id, sender, &block))
        });
        lines.push(Line { file, verdict });
    }
}

/// At which height something is so, and the header that says it.
fn place(height: u64, header: &Header, hash: Hash) -> Value {
    json!({ "height": height, "time_ms": header.time_ms, "block": hex::encode_prefixed(hash) })
}

/// What the state had.
fn held(proof: &StateProof, hash: Hash) -> Value {
    let mut fact = place(proof.height(), &proof.block.header, hash);
    match &proof.subject {
        Subject::Account(address) => {
            let Account { balance, nonce } = Account::of(&proof.value);
            fact["account"] = address.to_string().into();
            fact["balance"] = balance.to_string().into();
            fact["nonce"] = nonce.into();
        }
        Subject::Record { namespace, digest } => {
            let Record { author, height } = Record::of(&proof.value);
            fact["namespace"] = hex::encode_prefixed(namespace).into();
            fact["digest"] = hex::encode_prefixed(digest).into();
            fact["author"] = author.to_string().into();
            fact["recorded"] = height.into();
        }
    }
    fact
}

/// What is proved.
fn fact(included: &Included, id: [u8; 32], sender: Address, block: &Value) -> Value {
    let mut fact = block.clone();
    fact["transaction"] = hex::encode_prefixed(id).into();
    fact["index"] = included.index.into();
    fact["sender"] = sender.to_string().into();
    match &included.transaction.transaction.action {
        Action::Transfer { to, amount } => {
            fact["kind"] = "transfer".into();
            fact["to"] = to.to_string().into();
            fact["amount"] = amount.to_string().into();
        }
        Action::Record { namespace, digest } => {
            fact["kind"] = "record".into();
            fact["namespace"] = hex::encode_prefixed(namespace).into();
            fact["digest"] = hex::encode_prefixed(digest).into();
        }
        Action::Message(message) => {
            fact["kind"] = "message".into();
            fact["receiver"] = hex::encode_prefixed(message.receiver).into();
            fact["sequence"] = message.sequence.into();
            fact["to"] = message.to.to_string().into();
            fact["amount"] = message.amount.to_string().into();
            fact["digest"] = hex::encode_prefixed(message.digest).into();
        }
        Action::Deliver(proof) => {
            fact["kind"] = "deliver".into();
            fact["source"] = hex::encode_prefixed(proof.block.header.chain).into();
            fact["source_height"] = proof.block.header.height.into();
            fact["delivered"] = proof.transactions.len().into();
        }
        Action::Decree(decree) => {
            fact["kind"] = "decree".into();
            let (order, chain, set) = match &decree.draft.order {
                Order::Validators(set) => ("validators", None, set),
                Order::Link { chain, set } => ("link", Some(chain), set),
            };
            fact["order"] = order.into();
            if let Some(chain) = chain {
                fact["linked"] = hex::encode_prefixed(chain).into();
            }
            fact["from_epoch"] = set.from.into();
            fact["validators"] = set.validators.len().into();
        }
    }
    fact
}

impl Line<'_> {
    fn print(&self, as_json: bool) {
        let file = self.file.display();
        match (&self.verdict, as_json) {
            (Ok(fact), true) => say!("{}", json!({ "file": file.to_string(), "valid": fact })),
            (Err((name, why)), true) => {
                let refused = json!({ "name": name, "why": why });
                say!("{}", json!({ "file": file.to_string(), "refused": refused }));
            }
            (Ok(fact), false) => {
                let fields = fact.as_object().into_iter().flatten();
                let fields: Vec<_> = fields
                    .map(|(name, value)| match value {
                        Value::String(text) => format!("{name} {text}"),
                        other => format!("{name} {other}"),
                    })
                    .collect();
                say!("{file}: valid: {}", fields.join(", "));
            }
            (Err((name, why)), false) => say!("{file}: refused: {name}: {why}"),
        }
    }
}
