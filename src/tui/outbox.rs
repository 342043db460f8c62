//! What has been written here, and what has become of it. Nothing that was not delivered is lost while the program
//! runs.

use zeroize::Zeroizing;

use super::post::Step;
use crate::lock;
use kkv_ui::error::CliError;

/// Everything written, oldest first.
#[derive(Default)]
pub(super) struct Outbox {
    letters: Vec<Letter>,
    last: u64,
    pub(super) chosen: usize,
    /// The first line on the screen of what has become of the chosen one.
    pub(super) top: usize,
}

/// One message.
pub(super) struct Letter {
    pub(super) id: u64,
    /// Whom it is for, as it was typed.
    pub(super) to: String,
    /// Wiped when it has arrived.
    pub(super) text: Zeroizing<String>,
    pub(super) stage: Stage,
    /// When it was sent last, in Unix time.
    pub(super) at: Option<u64>,
    /// How long it is, also when it is wiped.
    pub(super) bytes: usize,
    /// Whether its owner did not want to pay for it.
    pub(super) is_declined: bool,
}

/// How far a message is.
pub(super) enum Stage {
    /// Not sent.
    Draft,
    /// On its way.
    UnderWay(Step),
    /// In the inbox it was for: with the words of the relay's answer.
    Accepted(String),
    /// Not there, or perhaps: it says which.
    Failed(CliError),
}

impl Outbox {
    pub(super) fn letters(&self) -> &[Letter] {
        &self.letters
    }

    /// A new draft; its number.
    pub(super) fn begin(&mut self) -> u64 {
        self.last += 1;
        self.letters.push(Letter {
            id: self.last,
            to: String::new(),
            text: Zeroizing::default(),
            stage: Stage::Draft,
            at: None,
            bytes: 0,
            is_declined: false,
        });
        self.last
    }

    pub(super) fn get(&self, id: u64) -> Option<&Letter> {
        self.letters.iter().find(|letter| letter.id == id)
    }

    pub(super) fn get_mut(&mut self, id: u64) -> Option<&mut Letter> {
        self.letters.iter_mut().find(|letter| letter.id == id)
    }

    /// Its owner doesn't want to pay for it.
    pub(super) fn decline(&mut self, id: u64) {
        if let Some(letter) = self.get_mut(id) {
            letter.is_declined = true;
        }
    }

    pub(super) fn forget(&mut self, id: u64) {
        self.letters.retain(|letter| letter.id != id);
        self.move_by(0);
    }

    pub(super) fn chosen(&self) -> Option<&Letter> {
        self.letters.get(self.chosen)
    }

    /// Chooses this one, wherever it is in the list.
    pub(super) fn choose(&mut self, id: u64) {
        let place = self.letters.iter().position(|letter| letter.id == id);
        self.chosen = place.unwrap_or(self.chosen);
        self.top = 0;
    }

    pub(super) fn move_by(&mut self, lines: isize) {
        let last = self.letters.len().saturating_sub(1);
        self.chosen = self.chosen.saturating_add_signed(lines).min(last);
        self.top = 0;
    }

    /// The last draft that was put aside.
    pub(super) fn draft(&self) -> Option<u64> {
        let mut drafts = self.letters.iter().rev();
        drafts
            .find(|letter| matches!(letter.stage, Stage::Draft))
            .map(|letter| letter.id)
    }

    /// How many are on their way.
    pub(super) fn under_way(&self) -> usize {
        self.steps().count()
    }

    /// How far each is that is on its way.
    fn steps(&self) -> impl Iterator<Item = &Step> {
        self.letters
            .iter()
            .filter_map(|letter| match &letter.stage {
                Stage::UnderWay(step) => Some(step),
                _ => None,
            })
    }

    /// That some are on their way, in a few words; with how far it is, if it is one and that is known.
    pub(super) fn on_their_way(&self) -> Option<String> {
        let mut steps = self.steps();
        let first = steps.next()?;
        Some(match (steps.count(), lock(first).now().0) {
            (0, Some(done)) => format!("1 on its way, {:.0} %", done.clamp(0.0, 1.0) * 100.0),
            (0, None) => "1 on its way".to_owned(),
            (more, _) => format!("{} on their way", more + 1),
        })
    }

    /// How many would be lost now: written, and not delivered.
    pub(super) fn undelivered(&self) -> usize {
        let kept = |letter: &&Letter| {
            !matches!(letter.stage, Stage::Accepted(_)) && !letter.text.is_empty()
        };
        self.letters.iter().filter(kept).count()
    }
}
