use super::*;
use crate::algorithm::{Algorithm, EcdsaRule, RecoverRule};
use crate::backend::known_answers;
use crate::batch::Job;
use crate::dispatch::canary::CANARIES;
use crate::parsed::{KeyForm, Words};
use crate::pinned::{Budget, PinnedKeys};
use crate::verdict::{Reason, Rooted};

const ECDSA: Algorithm = Algorithm::EcdsaSecp256k1(EcdsaRule::BitcoinStrict);
const RECOVER: Algorithm = Algorithm::RecoverSecp256k1(RecoverRule::EthereumTransaction);
const HOST: Kernels = Kernels::PORTABLE;

/// The known answers as one batch: valid, invalid and malformed jobs.
fn known(algorithm: Algorithm) -> Arc<Parsed> {
    let mut found = None;
    let mut keep = |batch: Batch| {
        found = Some(batch);
        Err(Fault::Stale)
    };
    known_answers::check(algorithm, &mut keep).expect_err("it was only looked at");
    Arc::new(Parsed::parse(found.expect("one batch at least")))
}

/// ECDSA under pinned keys: one job in three is valid.
fn pinned() -> Arc<Parsed> {
    let known = known(ECDSA);
    let batch = known.batch();
    let budget = Budget::new(usize::MAX);
    let keys: Vec<_> = (0..batch.len())
        .map(|job| batch.column(2).get(job).to_vec())
        .filter(|key| PinnedKeys::new(Isa::PORTABLE, &[key], &budget).is_ok())
        .take(3)
        .collect();
    let keys = PinnedKeys::new(Isa::PORTABLE, &keys, &budget).expect("each is a key");
    let mut open = Batch::open_pinned(ECDSA, &keys).expect("of ECDSA");
    for job in 0..batch.len() {
        let (message, signature) = (batch.column(0).array(job), batch.column(1).get(job));
        open.push(Job::EcdsaPinned { message, signature, key: job as u32 % 3 }).expect("room");
    }
    Arc::new(Parsed::parse(open.seal()))
}

fn all() -> Vec<Arc<Parsed>> {
    let mut all: Vec<_> =
        [ECDSA, Algorithm::SchnorrBip340, RECOVER, Algorithm::Sha256].map(known).into();
    all.push(pinned());
    all
}

/// What a correct device sends.
fn evidence(sent: &Sent) -> Evidence {
    match sent.batch().operands() {
        Operands::Recover(_) | Operands::Columns => HOST.compute(sent.batch()),
        operands => Evidence::Points(HOST.points(operands)),
    }
}

fn check(trust: Trust, sample: usize) -> Check {
    Check { trust, sample, believe: false }
}

fn send(whole: &Arc<Parsed>, entries: Range<usize>, check: Check, seed: u64) -> Sent {
    Sent::to_device(&HOST, &mut Random::seeded(seed), whole.clone(), entries, check, None)
}

fn examine(
    host: &dyn Host,
    sent: &Sent,
    mut evidence: Evidence,
) -> Result<(Answers, Report), Fault> {
    let mut answers = Answers::new(sent.whole().algorithm());
    let mut random = Random::seeded(9);
    sent.examine(host, &mut random, false, &mut evidence, &mut answers)
        .map(|report| (answers, report))
        .map_err(|refusal| refusal.fault)
}

/// Answers by entry, as the host has them.
fn right(whole: &Parsed, entries: Range<usize>) -> Answers {
    let picked = whole.pick(&entries.clone().collect::<Vec<_>>());
    let mut answers = Answers::new(picked.algorithm());
    let evidence = HOST.compute(&picked);
    judge::judge(&picked, 0..entries.len(), Standing::Judges, None, &evidence, &mut answers)
        .expect("our own");
    answers
}

#[test]
fn a_correct_device_is_believed_wherever_the_canaries_stand() {
    for whole in all() {
        let live = whole.live();
        for seed in 0..20 {
            for entries in [0..live, 0..1, live - 1..live, live / 3..live / 2] {
                for check in
                    [check(Trust::Fast, 0), check(Trust::Checked, 3), check(Trust::Audited, 0)]
                {
                    let sent = send(&whole, entries.clone(), check, seed);
                    let (answers, report) =
                        examine(&HOST, &sent, evidence(&sent)).expect("it is correct");
                    let right = right(&whole, entries.clone());
                    assert_eq!(answers.digest(), right.digest());
                    let rejects = right.iter().filter(|outcome| is_reject(outcome)).count() as u64;
                    assert_eq!((report.confirmed, report.host_wrong), (rejects, 0));
                    assert!(report.sampled <= 3 && report.believed == 0);
                }
            }
        }
    }
}

/// y of the keys, or of R for recovery, as a device sends them.
fn rooted(sent: &Sent, spoil: impl Fn(&mut Vec<Words>)) -> Evidence {
    let root = |x: Words, form| {
        let prefix = if form == KeyForm::Odd { 3 } else { 2 };
        let encoded = [&[prefix][..], &crate::algorithms::secp256k1::integer::to_be(&x)].concat();
        crate::algorithms::secp256k1::key::point(&encoded).map_or([0; 4], |[_, y]| y)
    };
    let parity = |&parity: &u8| if parity & 1 == 1 { KeyForm::Odd } else { KeyForm::Even };
    let mut roots: Vec<_> = match sent.batch().operands() {
        Operands::Ecdsa(o) => {
            o.keys.x.iter().zip(&o.keys.form).map(|(x, f)| root(*x, *f)).collect()
        }
        Operands::Schnorr(o) => o.key.iter().map(|x| root(*x, KeyForm::Even)).collect(),
        Operands::Recover(o) => {
            o.r.iter().zip(&o.parity).map(|(x, p)| root(*x, parity(p))).collect()
        }
        Operands::Columns => Vec::new(),
    };
    spoil(&mut roots);
    Evidence::Rooted(Box::new(Rooted { evidence: evidence(sent), roots }))
}

/// Roots are wanted where all points are proved, believed where nobody needs them, and never trusted.
#[test]
fn false_roots_are_lies() {
    for algorithm in [ECDSA, Algorithm::SchnorrBip340, RECOVER] {
        // Enough for an equation.
        let known = known(algorithm);
        let jobs = (0..known.batch().len()).cycle().take(300);
        let whole = Arc::new(Parsed::parse(known.batch().picked(jobs)));
        let live = whole.live();
        assert!(!send(&whole, 0..live, check(Trust::Checked, 3), 2).batch().wants_roots());
        assert!(!send(&whole, 0..live, check(Trust::Audited, live), 2).batch().wants_roots());
        let sent = send(&whole, 0..live, check(Trust::Audited, 0), 2);
        assert!(sent.batch().wants_roots() && sent.batch().live() >= 64);
        let (answers, _) = examine(&HOST, &sent, rooted(&sent, |_| {})).expect("it is correct");
        assert_eq!(answers.digest(), right(&whole, 0..live).digest());
        for at in (0..live).step_by(1 + live / 40) {
            let evidence = rooted(&sent, |roots| roots[at][1] ^= 2);
            let given = match sent.batch().operands() {
                Operands::Ecdsa(o) => o.keys.form[at] == KeyForm::Full,
                _ => false,
            };
            let plain = match &evidence {
                Evidence::Rooted(rooted) => rooted.evidence.is_absent(at),
                _ => unreachable!("it has roots"),
            };
            match examine(&HOST, &sent, evidence) {
                Ok((answers, _)) => {
                    assert!(given || plain, "entry {at}");
                    assert_eq!(answers.digest(), right(&whole, 0..live).digest());
                }
                Err(fault) => {
                    assert!(
                        !given && matches!(fault, Fault::Mismatch(_) | Fault::Canary),
                        "{fault}"
                    );
                }
            }
        }
        let short = rooted(&sent, |roots| roots.truncate(live));
        assert!(matches!(examine(&HOST, &sent, short), Err(Fault::Short { .. })));
        // Nobody asked.
        let sent = send(&whole, 0..live, check(Trust::Checked, 3), 2);
        let unasked = rooted(&sent, |roots| roots.fill([3; 4]));
        let (answers, _) = examine(&HOST, &sent, unasked).expect("nobody reads them");
        assert_eq!(answers.digest(), right(&whole, 0..live).digest());
    }
}

fn is_reject(outcome: &crate::Outcome<'_>) -> bool {
    matches!(outcome, crate::Outcome::Verdict(verdict) if !verdict.is_valid())
}

/// Every lie of a whole device is seen, whatever the level, and says what it was.
#[test]
fn canaries_and_lengths_find_devices_that_are_wrong_throughout() {
    for whole in all().into_iter().filter(|whole| whole.algorithm() != Algorithm::Sha256) {
        let sent = send(&whole, 0..whole.live(), check(Trust::Fast, 0), 1);
        let examine = |evidence| examine(&HOST, &sent, evidence).map(|_| ());
        let turned = |turn: &dyn Fn(&mut Vec<Point>), key: &dyn Fn(&mut Vec<[u8; 64]>)| {
            let mut evidence = evidence(&sent);
            match &mut evidence {
                Evidence::Points(points) => turn(points),
                Evidence::Keys(keys) => key(keys),
                _ => unreachable!("signatures"),
            }
            evidence
        };
        let shifted = turned(&|p| p.rotate_left(1), &|k| k.rotate_left(1));
        assert_eq!(examine(shifted), Err(Fault::Canary));
        let none = Point { x: [0; 4], y: [0; 4], z: [0; 4] };
        let zeros = turned(&|p| p.fill(none), &|k| k.fill([0; 64]));
        assert_eq!(examine(zeros), Err(Fault::Canary));
        let ones = Point { x: [!0; 4], y: [!0; 4], z: [!0; 4] };
        let ones = turned(&|p| p.fill(ones), &|k| k.fill([0xff; 64]));
        assert_eq!(examine(ones), Err(Fault::Canary));
        let same = turned(
            &|p| {
                let first = p[0];
                p.fill(first);
            },
            &|k| {
                let first = k[0];
                k.fill(first);
            },
        );
        assert_eq!(examine(same), Err(Fault::Canary));
        for cut in 1..=sent.batch().live() {
            let short = turned(&|p| p.truncate(p.len() - cut), &|k| k.truncate(k.len() - cut));
            let (want, got) = (sent.batch().live(), sent.batch().live() - cut);
            assert_eq!(examine(short), Err(Fault::Short { got, want }));
        }
        assert!(examine(Evidence::Verdicts(vec![Verdict::Valid; sent.batch().live()])).is_err());
        assert_eq!(examine(evidence(&sent)), Ok(()));
    }
}

/// A device that says "valid" to all: of each near miss it sends the point that its r names.
#[test]
fn a_device_that_accepts_near_misses_is_found() {
    for whole in [known(ECDSA), known(Algorithm::SchnorrBip340), pinned()] {
        let live = whole.live();
        let sent = send(&whole, 0..live, check(Trust::Fast, 0), 2);
        let place = |canary: usize| {
            let mut places = 0..live + sent.canaries.len();
            places.find(|&place| sent.canaries.origin(place, live) == live + canary).expect("there")
        };
        for (valid, near) in [(0, 1), (2, 3)] {
            let mut evidence = evidence(&sent);
            let Evidence::Points(points) = &mut evidence else { unreachable!("signatures") };
            points[place(near)] = points[place(valid)];
            assert_eq!(examine(&HOST, &sent, evidence).map(|_| ()), Err(Fault::Canary));
        }
    }
}

/// One entry that is turned from valid to invalid: found when it is a reject, at every level but `Fast`; one that is
/// turned from invalid to valid by the proof, or if it is in the sample.
#[test]
fn single_lies() {
    for whole in [known(ECDSA), known(Algorithm::SchnorrBip340), pinned()] {
        let live = whole.live();
        let right = right(&whole, 0..live);
        let valid = (0..live).find(|&at| !is_reject(&right.get(at).expect("live"))).expect("one");
        for (check, found) in [
            (check(Trust::Fast, 0), true),
            (Check { believe: true, ..check(Trust::Fast, 0) }, false),
            (check(Trust::Checked, 0), true),
            (check(Trust::Audited, 0), true),
        ] {
            let sent = send(&whole, 0..live, check, 3);
            let mut evidence = evidence(&sent);
            let Evidence::Points(points) = &mut evidence else { unreachable!("signatures") };
            let at = (0..live + 4).find(|&at| sent.canaries.origin(at, live) == valid);
            // Another point of the curve: twice this one.
            let point = &mut points[at.expect("it was sent")];
            let other = crate::algorithms::secp256k1::point::OneLane::load(point).double();
            other.store(std::slice::from_mut(point));
            let examined = examine(&HOST, &sent, evidence);
            assert_eq!(
                matches!(examined, Err(Fault::Mismatch(_))),
                found,
                "{check:?} {examined:?}"
            );
        }
    }
}

#[test]
fn keys_and_digests_are_proved_or_sampled() {
    let whole = known(RECOVER);
    let live = whole.live();
    let right = right(&whole, 0..live);
    let some = (0..live).find(|&at| !is_reject(&right.get(at).expect("live"))).expect("one");
    for (check, found) in [
        (check(Trust::Checked, 0), false),
        (check(Trust::Checked, usize::MAX), true),
        (check(Trust::Audited, 0), true),
    ] {
        let sent = send(&whole, 0..live, check, 4);
        let mut evidence = evidence(&sent);
        let Evidence::Keys(keys) = &mut evidence else { unreachable!("recovery") };
        let at = (0..live + 4).find(|&at| sent.canaries.origin(at, live) == some);
        keys[at.expect("it was sent")][63] ^= 1;
        let examined = examine(&HOST, &sent, evidence).map(|_| ());
        assert_eq!(matches!(examined, Err(Fault::Mismatch(_))), found, "{check:?}");
    }
    let whole = known(Algorithm::Sha256);
    for (check, found) in
        [(check(Trust::Checked, 0), false), (check(Trust::Audited, usize::MAX), true)]
    {
        let sent = send(&whole, 0..whole.live(), check, 5);
        let mut evidence = evidence(&sent);
        let Evidence::Digests(digests) = &mut evidence else { unreachable!("hashes") };
        digests[2][0] ^= 1;
        let examined = examine(&HOST, &sent, evidence).map(|_| ());
        assert_eq!(matches!(examined, Err(Fault::Mismatch(_))), found, "{check:?}");
    }
}

/// The host's kernels with one wrong answer, the first number, wherever they give the second number of them.
struct Erring(usize, usize);

impl Host for Erring {
    fn compute(&self, batch: &Parsed) -> Evidence {
        let mut evidence = HOST.compute(batch);
        match &mut evidence {
            evidence if evidence.len() != self.1 => {}
            Evidence::Verdicts(verdicts) => {
                let verdict = &mut verdicts[self.0];
                let turned = Verdict::Invalid(Reason::Equation);
                *verdict = if verdict.is_valid() { turned } else { Verdict::Valid };
            }
            Evidence::Digests(digests) => digests[self.0][0] ^= 1,
            _ => {}
        }
        evidence
    }

    fn points(&self, operands: &Operands) -> Vec<Point> {
        HOST.points(operands)
    }

    fn audit(&self, operands: &Operands, evidence: &Evidence) -> Vec<usize> {
        HOST.audit(operands, evidence)
    }
}

#[test]
fn the_referee_decides_against_the_host_as_well() {
    for whole in [known(ECDSA), known(Algorithm::SchnorrBip340), known(Algorithm::Sha256)] {
        let live = whole.live();
        // One whose point is infinity is the host's own alone.
        let sent = send(&whole, 0..live, check(Trust::Checked, usize::MAX), 6);
        let mut evidence = evidence(&sent);
        sent.canaries.take_off(&mut evidence);
        let absent = (0..live).filter(|&at| evidence.is_absent(at)).count();
        for wrong in 0..live - absent {
            let sent = send(&whole, 0..live, check(Trust::Checked, usize::MAX), 6);
            let (answers, report) =
                examine(&Erring(wrong, live - absent), &sent, self::evidence(&sent))
                    .expect("the host erred");
            assert_eq!(report.host_wrong, 1);
            assert_eq!(answers.digest(), right(&whole, 0..live).digest());
        }
    }
}

#[test]
fn who_comes_second_is_compared() {
    let whole = known(ECDSA);
    let live = whole.live();
    let sent = send(&whole, 0..live, check(Trust::Fast, 0), 7);
    let right = right(&whole, 0..live);
    let evidence = evidence(&sent);
    assert!(sent.compare(&HOST, right.digest(), &evidence, &right).is_ok());
    let mut wrong = right.clone();
    let turned = Verdict::Invalid(Reason::Equation);
    let at = right.iter().position(|outcome| !is_reject(&outcome)).expect("one is valid");
    wrong.states[at] = State::Verdict(turned);
    let refused = sent.compare(&HOST, right.digest(), &evidence, &wrong).expect_err("it is wrong");
    assert!(matches!(refused.fault, Fault::Mismatch(_)));
    // If it was the first that erred, the second is not to blame.
    assert!(sent.compare(&HOST, wrong.digest(), &evidence, &right).is_ok());
}

#[test]
fn a_proof_says_what_was_wrong() {
    let whole = known(ECDSA);
    let live = whole.live();
    let sent = send(&whole, 0..live, check(Trust::Checked, usize::MAX), 8);
    let mut lie = evidence(&sent);
    let Evidence::Points(points) = &mut lie else { unreachable!("signatures") };
    let right = right(&whole, 0..live);
    let valid = (0..live).find(|&at| !is_reject(&right.get(at).expect("live"))).expect("one");
    let at = (0..live + 4).find(|&at| sent.canaries.origin(at, live) == valid).expect("sent");
    let double = crate::algorithms::secp256k1::point::OneLane::load(&points[at]).double();
    double.store(std::slice::from_mut(&mut points[at]));
    let mut answers = Answers::new(ECDSA);
    let refused = sent.examine(&HOST, &mut Random::seeded(1), false, &mut lie, &mut answers);
    let proof = refused.expect_err("it lies").proof.expect("it can be shown");
    let folder = std::env::temp_dir().join(format!("sigmill-proof-{}", std::process::id()));
    let path = proof.keep(&folder, "a device/../x").expect("it is written").expect("the first");
    let text = std::fs::read_to_string(&path).expect("it is there");
    assert_eq!(path.parent(), Some(folder.as_path()));
    std::fs::remove_dir_all(&folder).expect("it was made");
    let message = whole.batch().column(0).get(sent.job(valid));
    let hex: String = message.iter().map(|byte| format!("{byte:02x}")).collect();
    for part in
        ["device a device/../x\n", &format!("column-0 {hex}\n"), "referee Some(Verdict(Valid))"]
    {
        assert!(text.contains(part), "{part} in {text}");
    }
}

/// A correct device may find no point where a signer made one that its formulas cannot meet: the host answers, and the
/// device is not blamed, even by the proof.
#[test]
fn no_point_is_answered_by_the_host_and_no_lie() {
    for whole in [known(ECDSA), known(Algorithm::SchnorrBip340), known(RECOVER)] {
        let live = whole.live();
        let right = right(&whole, 0..live);
        for entry in 0..live {
            let sent = send(&whole, 0..live, check(Trust::Audited, 0), 10);
            let place = (0..live + CANARIES).find(|&at| sent.canaries.origin(at, live) == entry);
            let mut evidence = evidence(&sent);
            match &mut evidence {
                Evidence::Points(points) => points[place.expect("sent")].z = [0; 4],
                Evidence::Keys(keys) => keys[place.expect("sent")] = [0; 64],
                _ => unreachable!("signatures"),
            }
            let (answers, _) = examine(&HOST, &sent, evidence).expect("no one is to blame");
            assert_eq!(answers.digest(), right.digest());
        }
    }
}

/// Nor where it stands for a canary, whose key is a signer's: only who finds none of the valid ones is to blame.
#[test]
fn a_canary_without_a_point_is_no_lie_unless_all_valid_ones_are() {
    for whole in [known(ECDSA), known(Algorithm::SchnorrBip340)] {
        let live = whole.live();
        for trust in [Trust::Checked, Trust::Audited] {
            let sent = send(&whole, 0..live, check(trust, 0), 6);
            for missing in 1..=CANARIES {
                let mut evidence = evidence(&sent);
                let Evidence::Points(points) = &mut evidence else { unreachable!("signatures") };
                for (place, point) in points.iter_mut().enumerate() {
                    let origin = sent.canaries.origin(place, live);
                    if (live..live + missing).contains(&origin) {
                        point.z = [0; 4];
                    }
                }
                // The first and the third are valid.
                match examine(&HOST, &sent, evidence) {
                    Ok((answers, _)) if missing < 3 => {
                        assert!(agree(&answers, &right(&whole, 0..live)));
                    }
                    Err(Fault::Canary) if missing >= 3 => {}
                    other => panic!("{trust}, {missing} missing: {other:?}"),
                }
            }
        }
    }
}

fn agree(a: &Answers, b: &Answers) -> bool {
    a.len() == b.len() && (0..a.len()).all(|at| same(a, at, b, at))
}
