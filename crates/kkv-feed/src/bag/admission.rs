//! What is checked before an envelope is stored, cheapest first: size, region, time, known, refused, chain, quota, and
//! the signature last.

use std::cell::OnceCell;
use std::fmt;

use kkv_letters::limits::{MAX_AHEAD, MAX_ENVELOPE_BYTES};
use kkv_letters::{Envelope, EnvelopeId, Fingerprint, Minutes};

use super::accounts::{DIRECT, Turn};
use super::entry::{Entry, Outside, rank};
use super::lookup::{NONE, allocated};
use super::standing::Class;
use super::stubs::revisions_before;
use super::{Bag, Change, Refusal, STUB, Standing, Watcher};

/// What is known of an envelope that is offered, beside its bytes.
pub struct Offer<'o> {
    /// What time it is.
    pub now: Minutes,
    /// Whether it belongs to a region that is carried here.
    pub in_region: &'o dyn Fn(&Envelope) -> bool,
    /// Bits of work that were paid for it: of strangers' letters the cheapest are purged first.
    pub paid: u8,
    /// Who has written a direct letter, where its slot tells it before it is opened: it counts for his share.
    pub sender: Option<Fingerprint>,
}

impl fmt::Debug for Offer<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Offer")
            .field("now", &self.now)
            .field("paid", &self.paid)
            .finish_non_exhaustive()
    }
}

/// Who counts for an envelope.
struct Sender {
    account: Option<u32>,
    class: Class,
    standing: Standing,
}

impl Bag {
    /// Takes an envelope, if nothing speaks against it. All is checked before anything is stored or purged.
    ///
    /// # Errors
    /// Why it isn't taken.
    pub fn admit(
        &mut self,
        envelope: &Envelope,
        offer: &Offer<'_>,
        watcher: &mut impl Watcher,
    ) -> Result<EnvelopeId, Refusal> {
        let outside = Outside::of(envelope);
        let is_signed = OnceCell::new();
        let admission = Admission {
            outside: &outside,
            bytes: envelope.bytes(),
            now: offer.now,
            paid: offer.paid,
            sender: offer.sender,
            in_region: &|| (offer.in_region)(envelope),
            is_signed: &|| *is_signed.get_or_init(|| envelope.verify().is_ok()),
        };
        self.admit_outside(&admission, watcher)?;
        Ok(outside.id)
    }

    pub(super) fn admit_outside(
        &mut self,
        admission: &Admission<'_>,
        watcher: &mut impl Watcher,
    ) -> Result<(), Refusal> {
        let Admission { outside, now, .. } = admission;
        self.expire(*now, watcher);
        self.check_outside(admission)?;
        let author = self.accounts.find(&outside.author);
        let is_stub = outside.tombstone || outside.erase_before.is_some();
        let sender = self.sender(admission);
        match sender.standing {
            Standing::Blocked => return Err(Refusal::Blocked),
            Standing::Muted if !outside.action && !is_stub => return Err(Refusal::Muted),
            _ => {}
        }
        if let Some(before) = outside.erase_before {
            return self.admit_erase(admission, before, watcher);
        }
        if let Some(stub) = self.find_ended(&outside.author, &outside.chain) {
            if outside.tombstone {
                return self.admit_tombstone(admission, Some(stub), watcher);
            }
            self.refuse_for_good(admission)?;
            self.extend_stub(stub, outside.expires());
            return Err(Refusal::Deleted);
        }
        if outside.tombstone {
            return self.admit_tombstone(admission, None, watcher);
        }
        let erased_before = author.and_then(|account| self.erased_before(account));
        if erased_before
            .is_some_and(|before| u64::from(outside.revision) < revisions_before(before))
        {
            self.refuse_for_good(admission)?;
            return Err(Refusal::Erased);
        }
        self.store_letter(admission, &sender, watcher)
    }

    /// What needs no more than its clear part and a look into the tables.
    fn check_outside(&self, admission: &Admission<'_>) -> Result<(), Refusal> {
        let Admission { outside, now, .. } = admission;
        if admission.bytes.len() > MAX_ENVELOPE_BYTES {
            return Err(Refusal::TooLarge);
        }
        if !(admission.in_region)() {
            return Err(Refusal::Region);
        }
        if outside.created > now.after(MAX_AHEAD) {
            return Err(Refusal::TooEarly { clock: *now });
        }
        if outside.expires() <= *now {
            return Err(Refusal::Expired);
        }
        if self.holds(&outside.id) {
            return Err(Refusal::Known);
        }
        if self.ring.contains(&self.key, &outside.id) {
            return Err(Refusal::Gone);
        }
        Ok(())
    }

    fn sender(&self, admission: &Admission<'_>) -> Sender {
        let author = admission.outside.author;
        let (account, class) = match admission.sender {
            Some(sender) => (self.accounts.find(&sender), Class::Stranger),
            None if admission.outside.direct => (Some(DIRECT), Class::Direct),
            None => (self.accounts.find(&author), Class::Stranger),
        };
        match account.and_then(|account| self.accounts.get(account)) {
            Some(found) => Sender {
                account,
                class: found.class(),
                standing: found.standing,
            },
            None => Sender {
                account: None,
                class,
                standing: Standing::Stranger,
            },
        }
    }

    /// Remembers what will never be taken. Only if its signature is right: its id doesn't cover it, so that anybody
    /// could else make us refuse another's letter.
    pub(super) fn refuse_for_good(&mut self, admission: &Admission<'_>) -> Result<(), Refusal> {
        if !(admission.is_signed)() {
            return Err(Refusal::Signature);
        }
        self.ring.insert(&self.key, &admission.outside.id);
        Ok(())
    }

    fn store_letter(
        &mut self,
        admission: &Admission<'_>,
        sender: &Sender,
        watcher: &mut impl Watcher,
    ) -> Result<(), Refusal> {
        let Admission {
            outside,
            bytes,
            now,
            ..
        } = admission;
        let versions = self.chain_versions(&outside.author, &outside.chain);
        let Some(plan) = self.plan_version(outside, &versions, *now) else {
            self.refuse_for_good(admission)?;
            if let Some(newest) = versions.first() {
                self.began(*newest, outside.created.min(*now), watcher);
            }
            return Err(Refusal::Superseded);
        };
        let size = allocated(bytes.len());
        let entry_order = super::Order {
            account: sender.account.unwrap_or(NONE),
            kind: outside.kind(),
            rank: rank(plan.is_superseded(), admission.paid, bytes.len()),
            time: outside.created.min(*now),
            slot: NONE,
        };
        let change = Change {
            added: 1,
            stored: size,
            growth: self.entry_growth(sender.account.is_some()),
            ..Change::default()
        };
        let turn = Turn::of(sender.class, &entry_order);
        // What the chain itself pushes out makes room as well.
        let mut victims = plan.dropped().to_vec();
        self.room_of_sender(sender.class, &entry_order, size, &mut victims)?;
        self.room_in_all(change, turn, &mut victims)?;
        if !(admission.is_signed)() {
            return Err(Refusal::Signature);
        }
        self.purge(&victims, plan.dropped(), watcher);
        let account = self.account_of(admission);
        let entry = Entry::new(outside, bytes, account, admission.paid, *now);
        self.sealed_bytes += entry.sealed.allocated();
        let ends = entry.expires;
        let slot = self.entries.insert(entry);
        self.insert_id(&outside.id, slot);
        self.ends.insert((ends, slot));
        if let Some(account) = self.accounts.get_mut(account) {
            account.entries += 1;
            *account.bytes_mut(outside.kind()) += size;
        }
        self.link(slot, &plan, watcher);
        debug_assert!(self.bytes() <= self.budget, "{self:?}");
        Ok(())
    }

    /// The account that this counts for, made if there is none. To be asked for after everything has left that leaves:
    /// with the last of its letters an account goes, too.
    pub(super) fn account_of(&mut self, admission: &Admission<'_>) -> u32 {
        match admission.sender {
            Some(sender) => self.accounts.find_or_add(&sender),
            None if admission.outside.direct => DIRECT,
            None => self.accounts.find_or_add(&admission.outside.author),
        }
    }

    /// Enters what is at `slot` (an entry, or a stub with [`STUB`]) under its id.
    pub(super) fn insert_id(&mut self, id: &EnvelopeId, slot: u32) {
        let (entries, stubs, key) = (&self.entries, &self.stubs, &self.key);
        let id_at = |slot: u32| match slot & STUB {
            0 => entries.get(slot).map(|entry| entry.id),
            _ => stubs.get(slot & !STUB).and_then(super::Stub::id),
        };
        let hash = |slot: &u32| id_at(*slot).map_or(0, |id| key.hash(&[&id.0]));
        self.ids.insert_unique(key.hash(&[&id.0]), slot, hash);
    }
}

/// An envelope that is offered, as far as the bag looks at it.
pub(super) struct Admission<'a> {
    pub(super) outside: &'a Outside,
    pub(super) bytes: &'a [u8],
    pub(super) now: Minutes,
    pub(super) paid: u8,
    pub(super) sender: Option<Fingerprint>,
    pub(super) in_region: &'a dyn Fn() -> bool,
    pub(super) is_signed: &'a dyn Fn() -> bool,
}
