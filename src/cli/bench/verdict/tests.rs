use super::*;
use crate::cli::bench::made;

fn answers(document: &Document) -> Vec<Pays> {
    judge(document).loads.iter().map(|load| load.accelerator).collect()
}

fn without_gpu() -> Document {
    let mut document = made::document();
    document.rows.truncate(1);
    document.devices.truncate(1);
    document.crossovers.clear();
    document
}

#[test]
fn a_cpu_alone_is_judged_by_its_share() {
    // 10,000 single ones a second on one thread, 18,000 and 20,000 on both.
    let verdict = judge(&without_gpu());
    assert_eq!(verdict.algorithm.as_deref(), Some("ecdsa-secp256k1"));
    let [small, middle, large] = &verdict.loads[..] else { panic!("three loads") };
    assert_eq!((small.signatures_per_second, small.batch), (500, 5));
    // In batches of 5 the cell of single jobs counts, which keep one core.
    assert!((small.cpu_cores - 0.05).abs() < 1e-9 && (small.cpu_share - 0.025).abs() < 1e-9);
    assert!(small.cpu_enough && small.accelerator == Pays::No);
    assert_eq!((middle.batch, middle.accelerator, middle.cpu_enough), (50, Pays::No, true));
    assert!((middle.cpu_share - 0.25).abs() < 1e-9);
    // Single jobs keep fewer cores busy for a signature than batches here: 5 of 2.
    assert!((large.cpu_cores - 5.0).abs() < 1e-9 && !large.cpu_enough);
    assert_eq!(large.accelerator, Pays::Perhaps);
    let text = verdict.sentences.join("\n");
    for words in [
        "verifies 20,000 signatures a second (ecdsa-secp256k1) on 2 threads, in batches of 4096",
        "500 signatures a second take 0.05 of 2 cores (2.5 %). An accelerator would not pay",
        "50,000 signatures a second take 5.00 of 2 cores (250.0 %). An accelerator may pay",
        "this CPU is not enough; about 7 such cores are",
        "would have to beat 20,000 signatures a second, and, in the batches of 500",
    ] {
        assert!(text.contains(words), "{words}: {text}");
    }
}

#[test]
fn a_gpu_pays_where_it_wins_and_is_needed() {
    // It wins from batches of 64 on, which 5,000 a second do not bring in 10 ms.
    let document = made::document();
    assert_eq!(answers(&document), [Pays::No, Pays::No, Pays::Yes]);
    let verdict = judge(&document);
    let text = verdict.sentences.join("\n");
    for words in [
        "gpu is faster than the CPU in batches from 64 on, and verifies 100,000 signatures",
        "wins from batches of 64 on, which take 12.8 ms to collect",
        "the CPU is not enough, and gpu verifies 100,000",
    ] {
        assert!(text.contains(words), "{words}: {text}");
    }
    assert!(!text.contains("have to beat"), "{text}");
    // From small batches on, it frees a CPU that is half busy.
    let mut early = document.clone();
    early.crossovers[0].batch = Some(8);
    for cell in &mut early.rows[0].batches {
        cell.jobs_per_second = made::rate(cell.jobs_per_second.median / 2.0);
    }
    assert_eq!(answers(&early), [Pays::No, Pays::Yes, Pays::Yes]);
}

#[test]
fn a_gpu_that_never_wins_or_is_too_slow_does_not_pay() {
    let mut never = made::document();
    never.crossovers[0].batch = None;
    assert_eq!(answers(&never), [Pays::No; 3]);
    assert!(judge(&never).sentences.join("\n").contains("never faster than the CPU, in batches"));
    let mut slow = made::document();
    for cell in &mut slow.rows[1].batches {
        cell.jobs_per_second = made::rate(22_000.0);
    }
    let verdict = judge(&slow);
    assert_eq!(verdict.loads[2].accelerator, Pays::No);
    assert!(verdict.loads[2].why.contains("together verify 38,000"), "{}", verdict.loads[2].why);
}

#[test]
fn software_is_no_accelerator() {
    let mut document = made::document();
    document.devices[1].name = "gpu=software".to_owned();
    document.devices[1].accelerator = false;
    document.rows[1].device = "gpu=software".to_owned();
    let verdict = judge(&document);
    assert!(verdict.sentences[0].contains("gpu=software is no accelerator"));
    assert_eq!(verdict.loads, judge(&without_gpu()).loads);
}

#[test]
fn nothing_measured_is_no_verdict() {
    let verdict = judge(&Document::default());
    assert_eq!((verdict.algorithm, verdict.loads), (None, Vec::new()));
    assert!(verdict.sentences[0].contains("No signatures were measured"));
}
