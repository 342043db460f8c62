//! `multipart/form-data` (RFC 7578), as browsers send it, taken apart while it comes.
//!
//! Our own, since it has to be exact about memory: whatever comes, no more is held back than a delimiter or the head of
//! one field. The crates for it gather what they don't understand yet, as much as is sent.
//!
//! ```text
//! --boundary CRLF | head CRLF CRLF | value | CRLF --boundary CRLF | head … | CRLF --boundary-- | ignored
//! ```

use memchr::memmem;

/// Longest boundary, in characters (RFC 2046 §5.1.1).
const MAX_BOUNDARY: usize = 70;
/// Longest head of a field, in bytes: a file's name of 255 bytes, each written with three.
const MAX_HEAD_BYTES: usize = 2048;

/// Takes a body apart.
#[derive(Debug)]
pub struct Multipart {
    /// CRLF, two dashes and the boundary.
    delimiter: Vec<u8>,
    state: State,
    /// What can't be told yet: the beginning of a delimiter, or of a head.
    held: Vec<u8>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Before the first delimiter, whose CRLF is missing.
    Start,
    /// Behind a delimiter.
    Delimited,
    Head,
    Value,
    End,
}

/// What has come.
#[derive(Debug, PartialEq, Eq)]
pub enum Event<'a> {
    /// A field begins.
    Field(Head),
    /// More of its value.
    Value(&'a [u8]),
}

/// The head of a field.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Head {
    /// Its name.
    pub name: String,
    /// The name of the file that it is; empty if none was chosen.
    pub file_name: Option<String>,
    /// The media type that the browser gives the file.
    pub media_type: String,
}

/// It is no form as browsers send it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("it is no multipart/form-data")]
pub struct BadMultipart;

impl Multipart {
    /// Of a body with this `Content-Type`.
    ///
    /// # Errors
    /// It is another type, or names no boundary.
    pub fn new(content_type: &str) -> Result<Self, BadMultipart> {
        let (media_type, parameters) = content_type.split_once(';').ok_or(BadMultipart)?;
        if !media_type
            .trim()
            .eq_ignore_ascii_case("multipart/form-data")
        {
            return Err(BadMultipart);
        }
        let boundary = parameters
            .split(';')
            .filter_map(|parameter| parameter.split_once('='))
            .find(|(name, _)| name.trim().eq_ignore_ascii_case("boundary"))
            .map(|(_, value)| value.trim().trim_matches('"'))
            .filter(|boundary| (1..=MAX_BOUNDARY).contains(&boundary.len()))
            .ok_or(BadMultipart)?;
        Ok(Self {
            delimiter: format!("\r\n--{boundary}").into_bytes(),
            state: State::Start,
            held: Vec::new(),
        })
    }

    /// Takes what comes next, and tells `on` what it is.
    ///
    /// # Errors
    /// It is no form; or what `on` refuses. Nothing more is to be pushed then.
    pub fn push<E: From<BadMultipart>>(
        &mut self,
        bytes: &[u8],
        on: &mut impl FnMut(Event<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut held = std::mem::take(&mut self.held);
        held.extend_from_slice(bytes);
        let mut rest = held.as_slice();
        while let Some(taken) = self.step(rest, on)? {
            rest = &rest[taken..];
        }
        self.held = rest.to_vec();
        Ok(())
    }

    /// Whether the last delimiter has come.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.state == State::End
    }

    /// Takes one thing from `bytes`, and returns how many bytes it was; `None` if more must come first.
    fn step<E: From<BadMultipart>>(
        &mut self,
        bytes: &[u8],
        on: &mut impl FnMut(Event<'_>) -> Result<(), E>,
    ) -> Result<Option<usize>, E> {
        let bad = || E::from(BadMultipart);
        match self.state {
            State::Start => {
                let first = &self.delimiter[2..];
                if bytes.len() < first.len() {
                    return Ok(None);
                }
                if !bytes.starts_with(first) {
                    return Err(bad());
                }
                self.state = State::Delimited;
                Ok(Some(self.delimiter.len() - 2))
            }
            State::Delimited => match bytes.first_chunk() {
                None => Ok(None),
                Some(b"\r\n") => {
                    self.state = State::Head;
                    Ok(Some(2))
                }
                Some(b"--") => {
                    self.state = State::End;
                    Ok(Some(2))
                }
                Some(_) => Err(bad()),
            },
            State::Head => match memmem::find(bytes, b"\r\n\r\n") {
                Some(end) if end <= MAX_HEAD_BYTES => {
                    on(Event::Field(Head::parse(&bytes[..end])?))?;
                    self.state = State::Value;
                    Ok(Some(end + 4))
                }
                None if bytes.len() < MAX_HEAD_BYTES + 4 => Ok(None),
                _ => Err(bad()),
            },
            State::Value => {
                if let Some(end) = memmem::find(bytes, &self.delimiter) {
                    if end > 0 {
                        on(Event::Value(&bytes[..end]))?;
                    }
                    self.state = State::Delimited;
                    return Ok(Some(end + self.delimiter.len()));
                }
                let end = bytes.len() - self.begun(bytes);
                if end == 0 {
                    return Ok(None);
                }
                on(Event::Value(&bytes[..end]))?;
                Ok(Some(end))
            }
            State::End if bytes.is_empty() => Ok(None),
            State::End => Ok(Some(bytes.len())),
        }
    }

    /// How many bytes at the end of `bytes` may be the beginning of a delimiter.
    fn begun(&self, bytes: &[u8]) -> usize {
        let most = bytes.len().min(self.delimiter.len() - 1);
        (1..=most)
            .rev()
            .find(|length| bytes.ends_with(&self.delimiter[..*length]))
            .unwrap_or(0)
    }
}

impl Head {
    fn parse(bytes: &[u8]) -> Result<Self, BadMultipart> {
        let text = std::str::from_utf8(bytes).map_err(|_| BadMultipart)?;
        let mut head = Self::default();
        let mut is_named = false;
        for line in text.split("\r\n") {
            let (name, value) = line.split_once(':').ok_or(BadMultipart)?;
            if name.eq_ignore_ascii_case("content-disposition") {
                let value = value.trim_start();
                let (kind, parameters) = value.split_once(';').ok_or(BadMultipart)?;
                if !kind.eq_ignore_ascii_case("form-data") || is_named {
                    return Err(BadMultipart);
                }
                (head.name, head.file_name) = disposition(parameters)?;
                is_named = true;
            } else if name.eq_ignore_ascii_case("content-type") {
                head.media_type = value.trim().to_owned();
            }
        }
        if is_named {
            Ok(head)
        } else {
            Err(BadMultipart)
        }
    }
}

/// `name` and `filename` of a disposition. Browsers write both in quotes, and in them a quote as `%22` and the ends of
/// lines as `%0D` and `%0A` (HTML, "multipart/form-data encoding algorithm").
fn disposition(mut rest: &str) -> Result<(String, Option<String>), BadMultipart> {
    let (mut name, mut file_name) = (None, None);
    while !rest.trim().is_empty() {
        let (key, quoted) = rest.split_once("=\"").ok_or(BadMultipart)?;
        let (value, behind) = quoted.split_once('"').ok_or(BadMultipart)?;
        let value = value
            .replace("%22", "\"")
            .replace("%0D", "\r")
            .replace("%0A", "\n");
        match key.trim() {
            "name" if name.is_none() => name = Some(value),
            "filename" if file_name.is_none() => file_name = Some(value),
            _ => return Err(BadMultipart),
        }
        rest = match behind.trim_start() {
            "" => "",
            behind => behind.strip_prefix(';').ok_or(BadMultipart)?,
        };
    }
    Ok((name.ok_or(BadMultipart)?, file_name))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// As Firefox sends it.
    const BODY: &str = "-----1\r\nContent-Disposition: form-data; name=\"text\"\r\n\r\nIs it\r\n---- free?\r\n\
                        -----1\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a; %22b%22=c.txt\"\r\n\
                        Content-Type: text/plain\r\n\r\n\r\n-----\r\n-----1\r\n\
                        Content-Disposition: form-data; name=\"file\"; filename=\"\"\r\n\
                        Content-Type: application/octet-stream\r\n\r\n\r\n-----1--\r\n";

    type Parts = Vec<(Head, Vec<u8>)>;

    fn read<'a>(chunks: impl IntoIterator<Item = &'a [u8]>) -> Result<(Parts, bool), BadMultipart> {
        let mut form = Multipart::new("multipart/form-data; boundary=---1")?;
        let mut parts = Parts::new();
        for chunk in chunks {
            form.push(chunk, &mut |event| {
                match event {
                    Event::Field(head) => parts.push((head, Vec::new())),
                    Event::Value(more) => {
                        assert!(!more.is_empty());
                        parts
                            .last_mut()
                            .ok_or(BadMultipart)?
                            .1
                            .extend_from_slice(more);
                    }
                }
                Ok::<_, BadMultipart>(())
            })?;
            let most = form.delimiter.len().max(MAX_HEAD_BYTES + 4);
            assert!(form.held.len() <= most, "it holds {}", form.held.len());
        }
        Ok((parts, form.is_whole()))
    }

    fn expected() -> Parts {
        let head = |name: &str, file_name: Option<&str>, media_type: &str| Head {
            name: name.to_owned(),
            file_name: file_name.map(str::to_owned),
            media_type: media_type.to_owned(),
        };
        vec![
            (head("text", None, ""), b"Is it\r\n---- free?".to_vec()),
            (
                head("file", Some("a; \"b\"=c.txt"), "text/plain"),
                b"\r\n-----".to_vec(),
            ),
            (head("file", Some(""), "application/octet-stream"), vec![]),
        ]
    }

    #[test]
    fn it_reads_the_same_wherever_it_is_cut() {
        let body = BODY.as_bytes();
        assert_eq!(read([body]), Ok((expected(), true)));
        assert_eq!(read(body.chunks(1)), Ok((expected(), true)));
        for at in 0..body.len() {
            assert_eq!(
                read([&body[..at], &body[at..]]),
                Ok((expected(), true)),
                "{at}"
            );
            let is_whole = at >= body.len() - 2;
            assert_eq!(read([&body[..at]]).map(|read| read.1), Ok(is_whole), "{at}");
        }
    }

    #[test]
    fn what_is_no_form_is_refused() {
        for media_type in [
            "",
            "text/plain; boundary=a",
            "multipart/form-data",
            "multipart/form-data; boundary=",
            "multipart/form-data; charset=utf-8",
            &format!("multipart/form-data; boundary={}", "a".repeat(71)),
        ] {
            assert_eq!(
                Multipart::new(media_type).err(),
                Some(BadMultipart),
                "{media_type}"
            );
        }
        assert!(Multipart::new("Multipart/Form-Data;  Boundary=\"a b\" ; x=y").is_ok());
        let head = |head: &str| format!("-----1\r\n{head}\r\n\r\nx\r\n-----1--");
        for body in [
            "preamble\r\n-----1\r\n".to_owned(),
            "-----1xy".to_owned(),
            head("no colon"),
            head("Content-Type: text/plain"),
            head("Content-Disposition: attachment; name=\"a\""),
            head("Content-Disposition: form-data"),
            head("Content-Disposition: form-data; filename=\"a\""),
            head("Content-Disposition: form-data; name=a"),
            head("Content-Disposition: form-data; name=\"a\"; name=\"b\""),
            head("Content-Disposition: form-data; name=\"a\" b"),
            head("Content-Disposition: form-data; name=\"a"),
            head(&format!("X: {}", "a".repeat(MAX_HEAD_BYTES))),
            format!("-----1\r\nX: {}", "a".repeat(MAX_HEAD_BYTES + 1)),
        ] {
            assert_eq!(read([body.as_bytes()]), Err(BadMultipart), "{body}");
        }
        let not_utf8 = b"-----1\r\nContent-Disposition: form-data; name=\"\xff\"\r\n\r\n";
        assert_eq!(read([not_utf8.as_slice()]), Err(BadMultipart));
    }

    proptest! {
        #[test]
        fn every_value_comes_through(value: Vec<u8>, size in 1_usize..64) {
            let mut body = b"-----1\r\nContent-Disposition: form-data; name=\"v\"\r\n\r\n".to_vec();
            prop_assume!(memmem::find(&value, b"\r\n-----1").is_none());
            body.extend_from_slice(&value);
            body.extend_from_slice(b"\r\n-----1--");
            let (parts, is_whole) = read(body.chunks(size)).unwrap();
            prop_assert!(is_whole && parts.len() == 1);
            prop_assert_eq!(&parts[0].1, &value);
        }

        #[test]
        fn no_bytes_make_it_stumble(chunks: Vec<Vec<u8>>) {
            _ = read(chunks.iter().map(Vec::as_slice));
        }
    }
}
