//! The page on which people who have only Tor Browser leave a message, and come back for its answer.
//!
//! All of it works without script, since sources are taught to use Tor Browser's level "Safest", which has none. Where
//! script runs, one can pay for a message there, and the words never leave the page. Here is what is on the page
//! ([`html`], and [`strings`], where all that it says stands), how an answer is shown ([`visible`]), how it goes out
//! ([`pieces`]), the files beside it ([`assets`], [`word_list`]), how a form that is sent twice is known ([`form_id`]),
//! how one is taken apart ([`multipart`]), and what is paid for with ([`challenge`]). What comes of a form is the
//! relay's; there is no I/O here.

pub mod assets;
pub mod challenge;
pub mod class;
pub mod derived;
pub mod form_id;
pub mod html;
pub mod multipart;
pub mod pieces;
pub mod strings;
pub mod visible;
pub mod word_list;
