//! A letter: what a person wrote, for whom and about what, as it is laid out before it is sealed (LETTERS-FORMAT.md
//! §9).

mod purpose;
#[cfg(test)]
mod tests;

pub use purpose::Purpose;

use std::fmt;

use zeroize::Zeroizing;

use crate::ids::{ChainRef, ChainTag, Fingerprint};

/// What an action is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Target {
    /// A letter, to be liked.
    Letter(ChainRef),
    /// A person, to be followed or blocked.
    Person(Fingerprint),
}

/// Which of an author's letters it is, so that a reader sees that one is missing. It is sealed: carriers aren't told.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Count {
    /// Which of the author's machines wrote it: four random bytes.
    pub device: [u8; 4],
    /// Which of that machine's letters to this audience it is.
    pub number: u32,
}

/// A letter. Its texts are overwritten on drop.
///
/// Laid out: `purpose u8 ‖ device 4 ‖ number u32 ‖ audience ‖ media type ‖ name ‖ replies to ‖ target ‖
/// content`. An audience is a count u8 and so many texts, a text a length u8 and UTF-8; what may be absent is 0, or 1
/// and its bytes; the content is a length u32 and its bytes.
#[derive(PartialEq, Eq)]
pub struct Letter {
    /// What is to be done with it.
    pub purpose: Purpose,
    /// Which of its author's it is.
    pub count: Count,
    /// For whom, as the author calls them: what a reader is told of it.
    pub audience: Vec<Zeroizing<String>>,
    /// The content's media type (RFC 6838). Empty if the purpose says it.
    pub media_type: Zeroizing<String>,
    /// A file's name. Empty if it has none.
    pub name: Zeroizing<String>,
    /// What it answers.
    pub replies_to: Option<ChainRef>,
    /// What an action is about.
    pub target: Option<Target>,
    /// What it says. Of an action that can be undone, nothing means that it is.
    pub content: Zeroizing<Vec<u8>>,
}

/// What was sealed is no letter: its author's program made it wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("what was sealed is no letter")]
pub struct NoLetter;

/// A text or a list is too long for its length.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a letter's {0} is too long")]
pub struct TooLong(pub &'static str);

impl Letter {
    /// One without anything but its purpose and content.
    #[must_use]
    pub fn new(purpose: Purpose, content: Vec<u8>) -> Self {
        Self {
            purpose,
            count: Count::default(),
            audience: Vec::new(),
            media_type: Zeroizing::default(),
            name: Zeroizing::default(),
            replies_to: None,
            target: None,
            content: Zeroizing::new(content),
        }
    }

    /// Lays it out after `before`, and nothing else.
    ///
    /// # Errors
    /// A text has more than 255 bytes, or there are more than 255 names.
    pub(crate) fn write(&self, before: Zeroizing<Vec<u8>>) -> Result<Zeroizing<Vec<u8>>, TooLong> {
        let mut out = before;
        // No byte of it is left behind in memory that was outgrown.
        reserve(
            &mut out,
            self.content.len() + 1024 + self.audience.len() * 256,
        );
        out.push(self.purpose.code());
        out.extend_from_slice(&self.count.device);
        out.extend_from_slice(&self.count.number.to_le_bytes());
        out.push(u8::try_from(self.audience.len()).map_err(|_| TooLong("audience"))?);
        for name in &self.audience {
            put_text(&mut out, name, "audience")?;
        }
        put_text(&mut out, &self.media_type, "media type")?;
        put_text(&mut out, &self.name, "name")?;
        put_chain(&mut out, self.replies_to.as_ref());
        match &self.target {
            None => out.push(0),
            Some(Target::Letter(chain)) => put_chain(&mut out, Some(chain)),
            Some(Target::Person(person)) => {
                out.push(2);
                out.extend_from_slice(&person.0);
            }
        }
        let length = u32::try_from(self.content.len()).map_err(|_| TooLong("content"))?;
        out.extend_from_slice(&length.to_le_bytes());
        out.extend_from_slice(&self.content);
        Ok(out)
    }

    /// Reads what was laid out, and nothing but zeros after it.
    ///
    /// # Errors
    /// It is something else.
    pub fn read(bytes: &[u8]) -> Result<Self, NoLetter> {
        let mut rest = Rest(bytes);
        let [code] = rest.take()?;
        let count = Count {
            device: rest.take()?,
            number: u32::from_le_bytes(rest.take()?),
        };
        let [names] = rest.take()?;
        let audience = (0..names).map(|_| rest.text()).collect::<Result<_, _>>()?;
        let media_type = rest.text()?;
        let name = rest.text()?;
        let replies_to = rest.chain()?;
        let target = match rest.take()? {
            [0] => None,
            [1] => Some(Target::Letter(rest.present_chain()?)),
            [2] => Some(Target::Person(Fingerprint(rest.take()?))),
            _ => return Err(NoLetter),
        };
        let length = u32::from_le_bytes(rest.take()?);
        let content = rest.bytes(usize::try_from(length).map_err(|_| NoLetter)?)?;
        if rest.0.iter().any(|byte| *byte != 0) {
            return Err(NoLetter);
        }
        Ok(Self {
            purpose: Purpose::from_code(code),
            count,
            audience,
            media_type,
            name,
            replies_to,
            target,
            content: Zeroizing::new(content.to_vec()),
        })
    }
}

/// Makes room for so many bytes more, in memory of which the old is overwritten.
fn reserve(out: &mut Zeroizing<Vec<u8>>, more: usize) {
    let mut wider = Zeroizing::new(Vec::with_capacity(out.len() + more));
    wider.extend_from_slice(out);
    *out = wider;
}

fn put_text(out: &mut Vec<u8>, text: &str, what: &'static str) -> Result<(), TooLong> {
    out.push(u8::try_from(text.len()).map_err(|_| TooLong(what))?);
    out.extend_from_slice(text.as_bytes());
    Ok(())
}

fn put_chain(out: &mut Vec<u8>, chain: Option<&ChainRef>) {
    out.push(u8::from(chain.is_some()));
    if let Some(chain) = chain {
        out.extend_from_slice(&chain.author.0);
        out.extend_from_slice(&chain.chain.0);
    }
}

struct Rest<'a>(&'a [u8]);

impl<'a> Rest<'a> {
    fn bytes(&mut self, count: usize) -> Result<&'a [u8], NoLetter> {
        let (taken, rest) = self.0.split_at_checked(count).ok_or(NoLetter)?;
        self.0 = rest;
        Ok(taken)
    }

    fn take<const N: usize>(&mut self) -> Result<[u8; N], NoLetter> {
        self.bytes(N)?.try_into().map_err(|_| NoLetter)
    }

    fn text(&mut self) -> Result<Zeroizing<String>, NoLetter> {
        let [length] = self.take()?;
        let text = std::str::from_utf8(self.bytes(length.into())?).map_err(|_| NoLetter)?;
        Ok(Zeroizing::new(text.to_owned()))
    }

    fn chain(&mut self) -> Result<Option<ChainRef>, NoLetter> {
        match self.take()? {
            [0] => Ok(None),
            [1] => self.present_chain().map(Some),
            _ => Err(NoLetter),
        }
    }

    fn present_chain(&mut self) -> Result<ChainRef, NoLetter> {
        Ok(ChainRef {
            author: Fingerprint(self.take()?),
            chain: ChainTag(self.take()?),
        })
    }
}

impl fmt::Debug for Letter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Letter")
            .field("purpose", &self.purpose)
            .field("content", &format_args!("{} bytes", self.content.len()))
            .finish_non_exhaustive()
    }
}
