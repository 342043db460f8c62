//! What a price that follows demand does against floods (docs/THREATS.md, "What a flood costs"): a simulation by the
//! relay's own rule.
//!
//! Nothing is hashed: how long a search takes is drawn at random, the same each time. The seeds' meaning belongs to
//! `rand`; should a new release draw other numbers, the table changes a little, and the failed test prints the new one.

mod flooder;
mod large;
mod relay;
mod table;
mod world;

use kkv_protocol::v2::purpose::LargeSize;
use relay::{Price, Relay, mean};
use table::DAYS;
use world::{Outcome, Setting, quantile, simulate};

const THREATS: &str = include_str!("../docs/THREATS.md");

/// A flooder that hoards against senders with one machine each, for long enough to time it.
fn flood(flooder: f64, price: Price) -> Outcome {
    simulate(&Setting {
        price,
        flooder,
        hoards: true,
        sender: 1.0,
        days: 15,
    })
}

/// The shares of honest senders delivered with the price pinned, and with one that follows demand.
fn shares_delivered(flooder: f64, sender: f64) -> [f64; 2] {
    [Price::Pinned, Price::Adaptive].map(|price| {
        let outcome = simulate(&Setting {
            price,
            flooder,
            hoards: true,
            sender,
            days: DAYS,
        });
        outcome.waits.len() as f64 / outcome.senders as f64
    })
}

fn full_after(outcome: &Outcome) -> f64 {
    quantile(&outcome.full_after, 0.5).expect("it fills the inbox mostly")
}

/// Machine time for all slots, one after the other, if each is paid with the least that is taken for it: no flooder can
/// do with less.
fn least(price: Price) -> f64 {
    each_slot(price).map(|slot| mean(slot.least(), 1.0)).sum()
}

/// The relay as it is before each slot is taken.
fn each_slot(price: Price) -> impl Iterator<Item = Relay> {
    let relay = Relay::new(price);
    (1..=relay.free()).map(move |free| relay.with_free(free))
}

#[test]
fn the_table_in_the_threats_is_what_the_simulation_says() {
    let table = table::table();
    assert!(
        THREATS.contains(&format!("\n\n{table}\n\n")),
        "docs/THREATS.md should have this table:\n\n{table}\n"
    );
}

#[test]
fn the_table_of_the_memory_for_files_is_what_the_price_says() {
    let table = large::table();
    assert!(
        THREATS.contains(&format!("\n\n{table}\n\n")),
        "docs/THREATS.md should have this table:\n\n{table}\n"
    );
}

/// What is said below it.
#[test]
fn to_fill_the_memory_for_files_costs_nearly_four_times_as_much_as_to_take_every_slot_at_least() {
    let slots = |price| least(price) / mean(Relay::new(price).least(), 1.0);
    let [pinned, adaptive] = [Price::Pinned, Price::Adaptive].map(slots);
    let works = |adaptive| LargeSize::ALL.map(|size| large::filled(size, adaptive).1);
    let work = works(true);
    assert!(work.is_sorted_by(|one, other| one > other), "{work:?}");
    let times = work[3] / adaptive;
    assert!((3.5..4.0).contains(&times), "{times}");
    let largest = works(false)[3];
    let said = [
        format!("fifty slots ({adaptive:.0})"),
        format!("it is {largest:.0} for sixteen of 1 MiB, and {pinned:.0} for all slots"),
    ];
    for said in said {
        assert!(
            THREATS.contains(&said),
            "docs/THREATS.md should say: {said}"
        );
    }
}

#[test]
fn a_flooder_needs_nine_times_as_long_to_fill_the_inbox_as_with_the_price_pinned() {
    for machines in [1.0, 10.0, 100.0] {
        let times =
            [Price::Pinned, Price::Adaptive].map(|price| full_after(&flood(machines, price)));
        assert!(times[1] > 9.0 * times[0], "{machines}: {times:?}");
    }
}

#[test]
fn hoarding_challenges_gains_a_flooder_a_fifth_at_most() {
    let asked: f64 = each_slot(Price::Adaptive)
        .map(|slot| mean(slot.price().expect("one is free"), 1.0))
        .sum();
    let least = least(Price::Adaptive);
    assert!(asked < 1.12 * least, "{asked} s, {least} s");
    for machines in [1.0, 10.0, 100.0] {
        let times = [false, true].map(|hoards| {
            full_after(&simulate(&Setting {
                price: Price::Adaptive,
                flooder: machines,
                hoards,
                sender: 1.0,
                days: 15,
            }))
        });
        assert!(times[0] < 1.2 * times[1], "{machines}: {times:?}");
    }
}

/// Else the other tests would show what the price does against fools. Luck and the honest senders, who pay for some
/// slots, let it do with less: in the half hour that one machine takes, for three of the dearest.
#[test]
fn the_flooder_of_the_simulation_pays_hardly_more_than_the_least_that_is_taken() {
    for price in [Price::Pinned, Price::Adaptive, Price::Unbounded] {
        for machines in [1.0, 10.0, 100.0] {
            let paid = flood(machines, price).machine_time / least(price);
            assert!((0.8..1.05).contains(&paid), "{price:?}, {machines}: {paid}");
        }
    }
}

#[test]
fn were_every_unexpired_challenge_honoured_hoarding_would_undo_the_price() {
    for machines in [1.0, 10.0, 100.0] {
        let times =
            [Price::Pinned, Price::Unbounded].map(|price| full_after(&flood(machines, price)));
        assert!(times[1] < 1.05 * times[0], "{machines}: {times:?}");
    }
}

#[test]
fn without_a_flood_everyone_is_delivered_and_waits_as_with_the_price_pinned() {
    let [pinned, adaptive] = [Price::Pinned, Price::Adaptive].map(|price| flood(0.0, price));
    for share in [0.5, 0.99] {
        let times = [&pinned, &adaptive].map(|outcome| quantile(&outcome.waits, share).unwrap());
        assert!(times[1] < 1.05 * times[0], "{share}: {times:?}");
    }
    assert!(
        shares_delivered(0.0, 1.0)
            .into_iter()
            .all(|share| share > 0.999)
    );
}

#[test]
fn against_a_flooder_with_one_machine_at_least_six_times_as_many_honest_senders_are_delivered() {
    let shares = shares_delivered(1.0, 1.0);
    assert!(shares[1] > 6.0 * shares[0], "{shares:?}");
}

/// What the price does not do, as THREATS.md says.
#[test]
fn honest_senders_gain_nothing_against_ten_machines_nor_with_an_eighth_of_the_flooders() {
    for (flooder, sender, most) in [(10.0, 1.0, 0.01), (1.0, 0.125, 0.06)] {
        let shares = shares_delivered(flooder, sender);
        assert!(
            shares[0] < most && shares[1] < 1.1 * shares[0],
            "{shares:?}"
        );
    }
}
