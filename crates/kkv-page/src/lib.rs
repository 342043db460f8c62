//! The page on which people who have only Tor Browser leave a message, and come back for its answer.
//!
//! All of it works without script, since sources are taught to use Tor Browser's level "Safest", which has none. Here is
//! what is on the page ([`html`], and [`strings`], where all that it says stands), the files beside it ([`assets`]), and
//! how a form that is sent twice is known ([`form_id`]), and how one is taken apart ([`multipart`]). What comes of a form is the relay's; there is no I/O here.

pub mod assets;
pub mod form_id;
pub mod html;
pub mod multipart;
pub mod strings;
