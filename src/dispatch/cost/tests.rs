use super::*;

const SHAPE: Shape =
    Shape { algorithm: Algorithm::SchnorrBip340, form: Form::Single, items: 100, bytes: 12_800 };
const QUEUE: Mode = Mode { setup: 10_000, own: 0, width: 2, inline: false };
const INLINE: Mode = Mode { setup: 500, own: 0, width: 1, inline: true };

#[test]
fn converges_to_what_it_sees_and_both_modes_learn() {
    let mut model = CostModel::new();
    for _ in 0..64 {
        model.observe(&SHAPE, 50 * 7_000, QUEUE);
    }
    let predicted = model.predict(&SHAPE, QUEUE) - 10_000;
    assert!(predicted.abs_diff(350_000) < 3_500, "{predicted}");
    let predicted = model.predict(&SHAPE, INLINE) - 500;
    assert!(predicted.abs_diff(700_000) < 7_000, "{predicted}");
}

#[test]
fn one_outlier_turns_nothing_over() {
    let mut model = CostModel::new();
    let before = model.predict(&SHAPE, INLINE);
    model.observe(&SHAPE, 100 * before, INLINE);
    assert!(model.predict(&SHAPE, INLINE) < before * 6 / 5);
}

#[test]
fn a_wide_lane_does_not_speed_up_one_item() {
    let model = CostModel::new();
    let mode = |width| Mode { setup: 0, own: 0, width, inline: false };
    let one = Shape { items: 1, ..SHAPE };
    assert_eq!(model.predict(&one, mode(1)), model.predict(&one, mode(16)));
    assert!(model.predict(&SHAPE, mode(1)) > 10 * model.predict(&SHAPE, mode(16)));
}

#[test]
fn an_empty_batch_teaches_nothing() {
    let mut model = CostModel::new();
    let before = model.predict(&SHAPE, INLINE);
    model.observe(&Shape { items: 0, bytes: 0, ..SHAPE }, 1_000_000, INLINE);
    assert_eq!(model.predict(&SHAPE, INLINE), before);
}

fn of(items: usize) -> Shape {
    Shape { items, bytes: 128 * items, ..SHAPE }
}

/// Predicted and true time differ by this share of the true one at most.
fn near(predicted: Nanos, truth: Nanos, share: f64) -> bool {
    predicted.abs_diff(truth) as f64 <= truth as f64 * share
}

#[test]
fn one_grain_of_work_gains_nothing_from_a_second_thread() {
    let mut model = CostModel::new();
    assert!(model.predict(&of(8), QUEUE) < 8 * 50_000);
    for _ in 0..3 {
        model.observe(&of(8), 8 * 15_000, QUEUE);
    }
    assert!(near(model.predict(&of(8), QUEUE), 10_000 + 120_000, 0.01));
    // That the caller's thread takes as long is expected, not known.
    assert!(near(model.predict(&of(8), INLINE), 500 + 120_000, 0.01));
    assert_eq!((model.seen(&of(8), QUEUE), model.seen(&of(8), INLINE)), (3, 0));
    // What one thread does is what each of two will do, once a batch fills them.
    for _ in 0..3 {
        model.observe(&of(64), 64 * 15_000, INLINE);
    }
    assert!(near(model.predict(&of(4_096), QUEUE), 10_000 + 2_048 * 15_000, 0.01));
}

#[test]
fn a_fixed_time_is_learned_and_dominates_small_batches() {
    let own = 200_000;
    let mode = Mode { setup: 20_000 + own, own, width: 16_384, inline: false };
    let busy = |items: usize| 3_000_000.max(items as Nanos * 730);
    let mut model = CostModel::new();
    for _ in 0..3 {
        model.observe(&of(1_024), busy(1_024), mode);
    }
    for items in [1, 8, 700, 1_024, 4_000] {
        assert!(near(model.predict(&of(items), mode), 3_020_000, 0.01), "{items}");
    }
    for _ in 0..3 {
        model.observe(&of(65_536), busy(65_536), mode);
    }
    for items in [1, 1_024, 60_000, 65_536] {
        let predicted = model.predict(&of(items), mode);
        assert!(near(predicted, 20_000 + busy(items), 0.1), "{items}: {predicted}");
    }
    assert!(model.predict(&of(1 << 20), mode) > 10 * model.predict(&of(65_536), mode));
}

#[test]
fn the_next_size_is_not_shunned_where_a_vector_has_room() {
    // Eight lanes: up to eight items take the time of one.
    let busy = |items: usize| items.div_ceil(8) as Nanos * 36_000;
    let mut model = CostModel::new();
    for items in [1, 2, 4] {
        for _ in 0..3 {
            model.observe(&of(items), busy(items), INLINE);
        }
        assert!(near(model.predict(&of(2 * items), INLINE), busy(8), 0.05), "{items}");
    }
    // Twice the size is as far as that goes.
    assert!(model.predict(&of(32), INLINE) >= 4 * busy(8));
    for items in [8, 16, 32, 64, 128] {
        for _ in 0..3 {
            model.observe(&of(items), busy(items), INLINE);
        }
    }
    // What the caller's thread does is what each thread of the pool will do.
    assert!(near(model.predict(&of(4_096), QUEUE), busy(2_048), 0.1));
}

#[test]
fn a_line_through_two_sizes_is_the_device() {
    let busy = |items: usize| 700_000 + 900 * items as Nanos;
    let mode = Mode { setup: 0, own: 0, width: 1, inline: false };
    let mut model = CostModel::new();
    for items in [3_000, 40, 2_500, 50, 2_100, 60] {
        for _ in 0..3 {
            model.observe(&of(items), busy(items), mode);
        }
    }
    for items in [1, 10, 45, 300, 2_300] {
        let predicted = model.predict(&of(items), mode);
        assert!(near(predicted, busy(items), 0.05), "{items}: {predicted}");
    }
}

#[test]
fn a_device_ten_times_slower_is_believed_within_three_batches_and_so_is_its_return() {
    let mut model = CostModel::new();
    for _ in 0..100 {
        model.observe(&SHAPE, 1_000_000, QUEUE);
    }
    for (busy, before) in [(10_000_000, 1_000_000), (1_000_000, 10_000_000)] {
        assert!(near(model.predict(&SHAPE, QUEUE), 10_000 + before, 0.01));
        for _ in 0..3 {
            model.observe(&SHAPE, busy, QUEUE);
        }
        assert!(near(model.predict(&SHAPE, QUEUE), 10_000 + busy, 0.01));
    }
    // One batch that lost its core has not been a slower device.
    model.observe(&SHAPE, 50_000_000, QUEUE);
    assert!(near(model.predict(&SHAPE, QUEUE), 1_010_000, 0.1));
}

#[test]
fn noise_does_not_turn_a_route_over() {
    let mut model = CostModel::new();
    let mut random = 1_u64;
    for round in 0..2_000 {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        let noise = random >> 33 & 0xf_ffff;
        // From 1 to 1.2 ms, and now and then two batches from a thread off its core.
        let off = if round % 16 > 13 { 20_000_000 } else { 0 };
        let busy = 1_000_000 + noise % 200_000 + off;
        model.observe(&of(64 + (noise % 64) as usize), busy, QUEUE);
        if round > 8 {
            let predicted = model.predict(&SHAPE, QUEUE);
            assert!((900_000..2_000_000).contains(&predicted), "{round}: {predicted}");
        }
    }
}

#[test]
fn larger_is_never_predicted_faster_whatever_was_seen() {
    let mut random = 7_u64;
    let mut below = |bound: u64| {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (random >> 33) % bound
    };
    for _ in 0..200 {
        let mut model = CostModel::new();
        for _ in 0..40 {
            let (mode, size) = (if below(2) == 0 { QUEUE } else { INLINE }, 1 << below(20));
            let scale = 10 + below(20);
            let busy = below(1 << scale);
            let items = size + below(size as u64) as usize;
            model.observe(&of(items), busy, mode);
            for mode in [QUEUE, INLINE] {
                let times = (0..200).map(|i| model.predict(&of(1.1_f64.powi(i) as usize), mode));
                assert!(times.is_sorted());
            }
        }
    }
}

#[test]
fn extremes_are_numbers_too() {
    let most = Shape { items: usize::MAX, bytes: usize::MAX, ..SHAPE };
    let hash = Shape { algorithm: Algorithm::Sha256, ..most };
    let wide = Mode { setup: Nanos::MAX, own: Nanos::MAX, width: usize::MAX, inline: false };
    let none = Mode { setup: 0, own: 0, width: 0, inline: false };
    let mut model = CostModel::new();
    for shape in [most, hash, of(1), of(0), SHAPE] {
        for mode in [wide, none, QUEUE, INLINE] {
            for busy in [0, 0, 0, Nanos::MAX, Nanos::MAX, Nanos::MAX, 1, 1, 1] {
                model.observe(&shape, busy, mode);
                assert!(model.predict(&shape, mode) >= mode.setup.saturating_sub(mode.own));
            }
        }
    }
    for _ in 0..40 {
        model.observe(&SHAPE, 1_000_000, QUEUE);
    }
    assert!(near(model.predict(&SHAPE, QUEUE), 1_010_000, 0.05), "they left no trace");
}
