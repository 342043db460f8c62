//! Everyone together: a flooder, honest senders, an owner who deletes everything once an hour, one event after the
//! other.

use kkv_base::limits::{MAX_PAYMENTS, MIN_ODDS};
use kkv_pow::Cost;
use rand::SeedableRng;
use rand::rngs::StdRng;

use super::flooder::Flooder;
use super::relay::{Answer, LIFETIME, Price, Relay, chance, luck, pause};

/// An honest sender comes each ten minutes on average.
const BETWEEN_SENDERS: f64 = 600.0;
/// The owner looks, and deletes, this often.
const BETWEEN_LOOKS: f64 = 3600.0;
const LOOKS_A_DAY: u32 = 24;

/// What is simulated.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Setting {
    pub(crate) price: Price,
    /// The flooder's machines; 0 if there is none.
    pub(crate) flooder: f64,
    /// Whether it hoards challenges.
    pub(crate) hoards: bool,
    /// The honest sender's machines.
    pub(crate) sender: f64,
    pub(crate) days: u32,
}

/// What came of it. Times in seconds.
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    pub(crate) kept_a_day: f64,
    /// Of the flooder, for each time that the inbox became full.
    pub(crate) machine_time: f64,
    /// From the owner's look to a full inbox, sorted.
    pub(crate) full_after: Vec<f64>,
    /// The share of time that it is full.
    pub(crate) full: f64,
    pub(crate) senders: usize,
    /// Of the honest senders whose messages were taken, from asking to being taken, sorted.
    pub(crate) waits: Vec<f64>,
}

struct Sender {
    came: f64,
    paying: Cost,
    payments: u32,
    /// When it has paid, or the challenge has ended.
    next: f64,
    in_time: bool,
}

impl Sender {
    /// Asks for a challenge and begins, unless the inbox is full or the price out of reach.
    fn ask(relay: &Relay, setting: &Setting, now: f64, rng: &mut StdRng) -> Option<Self> {
        let paying = relay.price()?;
        if chance(paying, setting.sender, LIFETIME) <= MIN_ODDS {
            return None;
        }
        let time = luck(paying, setting.sender, rng);
        Some(Self {
            came: now,
            paying,
            payments: 1,
            next: now + time.min(LIFETIME),
            in_time: time < LIFETIME,
        })
    }

    /// The same, once more.
    fn again(&self, relay: &Relay, setting: &Setting, rng: &mut StdRng) -> Option<Self> {
        let mut again = Self::ask(relay, setting, self.next, rng)?;
        again.came = self.came;
        again.payments = self.payments + 1;
        (again.payments <= MAX_PAYMENTS).then_some(again)
    }
}

pub(crate) fn simulate(setting: &Setting) -> Outcome {
    // Who comes when is the same in every setting.
    let mut arrivals = StdRng::seed_from_u64(1);
    let rng = &mut StdRng::seed_from_u64(2);
    let mut relay = Relay::new(setting.price);
    let mut flooder =
        (setting.flooder > 0.0).then(|| Flooder::new(setting.flooder, setting.hoards));
    let mut outcome = Outcome::default();
    let mut paying: Vec<Sender> = Vec::new();
    let mut arrival = pause(BETWEEN_SENDERS, &mut arrivals);
    let (mut looked, mut full_since) = (0.0, None);

    for look in 1..=setting.days * LOOKS_A_DAY {
        let look = f64::from(look) * BETWEEN_LOOKS;
        if let Some(flooder) = &mut flooder {
            flooder.act(&mut relay, looked, rng);
        }
        loop {
            let done = paying.iter().map(|sender| sender.next);
            let work = flooder.as_ref().map_or(f64::INFINITY, Flooder::next);
            let now = done.fold(arrival.min(work).min(look), f64::min);
            if let Some(flooder) = &mut flooder {
                flooder.ask(&relay, now);
            }
            if now == look {
                break;
            }
            if now == arrival {
                outcome.senders += 1;
                paying.extend(Sender::ask(&relay, setting, now, rng));
                arrival += pause(BETWEEN_SENDERS, &mut arrivals);
            } else if let Some(at) = paying.iter().position(|sender| sender.next == now) {
                let sender = paying.swap_remove(at);
                match sender.in_time.then(|| relay.claim(sender.paying)) {
                    Some(Answer::Taken) => outcome.waits.push(now - sender.came),
                    Some(Answer::PriceRose) => paying.extend(sender.again(&relay, setting, rng)),
                    Some(Answer::Full) | None => {}
                }
            }
            if let Some(flooder) = &mut flooder {
                flooder.act(&mut relay, now, rng);
            }
            if relay.free() == 0 && full_since.is_none() {
                full_since = Some(now);
                outcome.full_after.push(now - looked);
            }
        }
        outcome.full += full_since.take().map_or(0.0, |since| look - since);
        relay.empty();
        looked = look;
    }
    outcome.full /= looked;
    if let Some(flooder) = flooder {
        outcome.kept_a_day = flooder.kept as f64 / f64::from(setting.days);
        outcome.machine_time = flooder.machine_time / outcome.full_after.len() as f64;
    }
    outcome.full_after.sort_by(f64::total_cmp);
    outcome.waits.sort_by(f64::total_cmp);
    outcome
}

/// The value below which the share `share` of `sorted` lies.
pub(crate) fn quantile(sorted: &[f64], share: f64) -> Option<f64> {
    let at = (sorted.len() as f64 * share) as usize;
    sorted.get(at).copied()
}
