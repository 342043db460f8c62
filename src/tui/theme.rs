//! How things look: the terminal's own colours, so that it is right on light and dark ones, and none at all where none
//! are wanted.

use ratatui::style::{Color, Modifier, Style};

/// Which styles there are.
#[derive(Debug, Clone, Copy)]
pub(super) struct Theme {
    colours: bool,
}

impl Theme {
    /// With colours, or without any.
    pub(super) fn new(colours: bool) -> Self {
        Self { colours }
    }

    /// Without any.
    #[cfg(test)]
    pub(super) fn plain() -> Self {
        Self::new(false)
    }

    fn coloured(self, colour: Color) -> Style {
        let style = Style::new();
        if self.colours {
            style.fg(colour)
        } else {
            style
        }
    }

    /// What is not read yet, what is being asked.
    pub(super) fn strong(self) -> Style {
        Style::new().add_modifier(Modifier::BOLD)
    }

    /// What is beside the point: dim is left out, as some light terminals make it unreadable.
    pub(super) fn faint(self) -> Style {
        self.coloured(Color::DarkGray)
    }

    /// Where one is.
    pub(super) fn selected(self) -> Style {
        Style::new().add_modifier(Modifier::REVERSED)
    }

    /// Keys, and the frame that they go to.
    pub(super) fn key(self) -> Style {
        self.coloured(Color::Cyan).add_modifier(Modifier::BOLD)
    }

    /// All is well.
    pub(super) fn good(self) -> Style {
        self.coloured(Color::Green)
    }

    /// Something needs attention.
    pub(super) fn warning(self) -> Style {
        self.coloured(Color::Yellow).add_modifier(Modifier::BOLD)
    }

    /// Something didn't work.
    pub(super) fn bad(self) -> Style {
        self.coloured(Color::Red).add_modifier(Modifier::BOLD)
    }
}
