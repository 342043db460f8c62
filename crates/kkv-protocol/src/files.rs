//! The content of a message with files (PROTOCOL.md §16, kind 1): a text, and files with their names and media types.
//!
//! ```text
//! text length u16 | text | files u8 | each: name length u8 | name | type length u8 | type | length u32 | bytes
//! ```
//!
//! Everything is borrowed from where it lies. What a name says is the sender's alone: whoever shows it, or writes a
//! file by it, makes it harmless first.

use std::fmt;

use zeroize::Zeroizing;

use crate::limits::MAX_TEXT_BYTES;

/// Most files in one message.
pub const MAX_FILES: usize = 32;
/// Longest name, in bytes: what a file system takes.
pub const MAX_FILE_NAME_BYTES: usize = 255;
/// Longest media type, in bytes: each of its two halves has at most 127 by RFC 6838 §4.2, and registered ones are
/// shorter together.
pub const MAX_MEDIA_TYPE_BYTES: usize = 127;

/// Bytes of a file's hash.
const HASH_BYTES: usize = 32;

/// A text and 1 to 32 files, in their one encoding.
#[derive(Clone, PartialEq, Eq)]
pub struct Files<'a> {
    text: &'a str,
    files: Vec<File<'a>>,
}

/// One of them.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct File<'a> {
    name: &'a str,
    media_type: &'a str,
    bytes: &'a [u8],
}

/// Why something is no content of a message with files, or can't be one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BadFiles {
    /// The text beside the files is longer than that of any message.
    #[error("the text has {0} bytes; {MAX_TEXT_BYTES} are the most that fit")]
    TextTooLong(usize),
    /// None, or more than 32.
    #[error("a message has 1 to {MAX_FILES} files, and not {0}")]
    Count(usize),
    /// Empty, or longer than 255 bytes.
    #[error("a file's name has 1 to {MAX_FILE_NAME_BYTES} bytes, and not {0}")]
    Name(usize),
    /// Longer than 127 bytes, or something else than printable ASCII.
    #[error("a media type has at most {MAX_MEDIA_TYPE_BYTES} bytes of printable ASCII")]
    MediaType,
    /// A file of 4 GiB or more.
    #[error("a file is too large")]
    TooLarge,
    /// It ends too early or too late, or a text is no UTF-8.
    #[error("it is not laid out as files are")]
    Layout,
}

/// What stands before the bytes of a file that is so long.
///
/// # Errors
/// As for [`File::new`].
pub fn file_head(name: &str, media_type: &str, bytes: usize) -> Result<Vec<u8>, BadFiles> {
    let length = u32::try_from(bytes).map_err(|_| BadFiles::TooLarge)?;
    let file = File::new(name, media_type, b"")?;
    let mut head = Vec::with_capacity(file.head_bytes());
    file.write_head(&mut head, length);
    Ok(head)
}

impl<'a> File<'a> {
    /// A file to be sent.
    ///
    /// # Errors
    /// Name or type out of bounds, or too large to have a length.
    pub fn new(name: &'a str, media_type: &'a str, bytes: &'a [u8]) -> Result<Self, BadFiles> {
        if !(1..=MAX_FILE_NAME_BYTES).contains(&name.len()) {
            return Err(BadFiles::Name(name.len()));
        }
        let printable = media_type.bytes().all(|byte| matches!(byte, b' '..=b'~'));
        if !printable || media_type.len() > MAX_MEDIA_TYPE_BYTES {
            return Err(BadFiles::MediaType);
        }
        if u32::try_from(bytes.len()).is_err() {
            return Err(BadFiles::TooLarge);
        }
        Ok(Self {
            name,
            media_type,
            bytes,
        })
    }

    /// Its name, as the sender says it: anything at all.
    #[must_use]
    pub fn name(&self) -> &'a str {
        self.name
    }

    /// Its media type, as the sender says it; may be empty.
    #[must_use]
    pub fn media_type(&self) -> &'a str {
        self.media_type
    }

    /// What is in it.
    #[must_use]
    pub fn bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// Bytes before its own.
    fn head_bytes(&self) -> usize {
        1 + self.name.len() + 1 + self.media_type.len() + 4
    }

    fn write_head(&self, out: &mut Vec<u8>, length: u32) {
        let short = |length: usize| u8::try_from(length).expect("`new` has seen to it");
        out.push(short(self.name.len()));
        out.extend_from_slice(self.name.as_bytes());
        out.push(short(self.media_type.len()));
        out.extend_from_slice(self.media_type.as_bytes());
        out.extend_from_slice(&length.to_le_bytes());
    }
}

impl<'a> Files<'a> {
    /// What is to be sent; the text may be empty.
    ///
    /// # Errors
    /// A text that is too long, no file, or too many.
    pub fn new(text: &'a str, files: Vec<File<'a>>) -> Result<Self, BadFiles> {
        if text.len() > MAX_TEXT_BYTES {
            return Err(BadFiles::TextTooLong(text.len()));
        }
        if !(1..=MAX_FILES).contains(&files.len()) {
            return Err(BadFiles::Count(files.len()));
        }
        Ok(Self { text, files })
    }

    /// Reads a content, all of it.
    ///
    /// ```
    /// use kkv_protocol::files::{File, Files};
    ///
    /// let files = Files::new("see", vec![File::new("a.txt", "text/plain", b"hello")?])?;
    /// let mut content = files.encode();
    /// assert_eq!(content.len(), files.content_bytes());
    /// assert_eq!(Files::decode(&content)?, files);
    /// content.push(0);
    /// assert!(Files::decode(&content).is_err());
    /// # Ok::<(), kkv_protocol::files::BadFiles>(())
    /// ```
    ///
    /// # Errors
    /// It is none: see [`BadFiles`].
    pub fn decode(content: &'a [u8]) -> Result<Self, BadFiles> {
        let mut rest = Rest(content);
        let text = usize::from(u16::from_le_bytes(rest.array()?));
        if text > MAX_TEXT_BYTES {
            return Err(BadFiles::TextTooLong(text));
        }
        let text = rest.text(text)?;
        let [count] = rest.array()?;
        let count = usize::from(count);
        if !(1..=MAX_FILES).contains(&count) {
            return Err(BadFiles::Count(count));
        }
        let mut files = Vec::with_capacity(count);
        for _ in 0..count {
            let [name] = rest.array()?;
            let name = rest.text(name.into())?;
            let [media_type] = rest.array()?;
            let media_type = rest.text(media_type.into())?;
            let length = u32::from_le_bytes(rest.array()?);
            let length = usize::try_from(length).map_err(|_| BadFiles::TooLarge)?;
            files.push(File::new(name, media_type, rest.bytes(length)?)?);
        }
        if !rest.0.is_empty() {
            return Err(BadFiles::Layout);
        }
        Self::new(text, files)
    }

    /// The text; empty if there is none.
    #[must_use]
    pub fn text(&self) -> &'a str {
        self.text
    }

    /// The files, in the sender's order.
    #[must_use]
    pub fn files(&self) -> &[File<'a>] {
        &self.files
    }

    /// How long the content is.
    #[must_use]
    pub fn content_bytes(&self) -> usize {
        let files = self.files.iter();
        let files = files.map(|file| file.head_bytes() + file.bytes.len());
        self.head_bytes() + files.sum::<usize>()
    }

    /// The content.
    #[must_use]
    pub fn encode(&self) -> Zeroizing<Vec<u8>> {
        let mut content = Zeroizing::new(Vec::with_capacity(self.content_bytes()));
        self.write(&mut content, |content, file| {
            content.extend_from_slice(file.bytes);
        });
        content
    }

    /// What is signed for the content: the same with each file's bytes replaced by their BLAKE3, so that a signature
    /// can be checked without what is large.
    #[must_use]
    pub fn manifest(&self) -> Zeroizing<Vec<u8>> {
        let files = self.files.iter();
        let files = files.map(|file| file.head_bytes() + HASH_BYTES);
        let length = self.head_bytes() + files.sum::<usize>();
        let mut manifest = Zeroizing::new(Vec::with_capacity(length));
        self.write(&mut manifest, |manifest, file| {
            manifest.extend_from_slice(blake3::hash(file.bytes).as_bytes());
        });
        manifest
    }

    /// Bytes before the first file.
    fn head_bytes(&self) -> usize {
        2 + self.text.len() + 1
    }

    /// Into a vector that has room for all of it: one that grows would leave copies behind.
    fn write(&self, out: &mut Vec<u8>, mut body: impl FnMut(&mut Vec<u8>, &File<'a>)) {
        let length = u16::try_from(self.text.len()).expect("`new` has seen to it");
        out.extend_from_slice(&length.to_le_bytes());
        out.extend_from_slice(self.text.as_bytes());
        out.push(u8::try_from(self.files.len()).expect("`new` has seen to it"));
        for file in &self.files {
            let length = u32::try_from(file.bytes.len()).expect("`new` has seen to it");
            file.write_head(out, length);
            body(out, file);
        }
    }
}

/// What is still to be read.
struct Rest<'a>(&'a [u8]);

impl<'a> Rest<'a> {
    fn array<const N: usize>(&mut self) -> Result<[u8; N], BadFiles> {
        let (array, rest) = self.0.split_first_chunk().ok_or(BadFiles::Layout)?;
        self.0 = rest;
        Ok(*array)
    }

    fn bytes(&mut self, length: usize) -> Result<&'a [u8], BadFiles> {
        let (bytes, rest) = self.0.split_at_checked(length).ok_or(BadFiles::Layout)?;
        self.0 = rest;
        Ok(bytes)
    }

    fn text(&mut self, length: usize) -> Result<&'a str, BadFiles> {
        std::str::from_utf8(self.bytes(length)?).map_err(|_| BadFiles::Layout)
    }
}

impl fmt::Debug for Files<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Files")
            .field("text_bytes", &self.text.len())
            .field("files", &self.files)
            .finish()
    }
}

impl fmt::Debug for File<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("File")
            .field("bytes", &self.bytes.len())
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_layout_is_that_of_the_specification() {
        let files = vec![
            File::new("a", "t/x", b"12").unwrap(),
            File::new("é", "", b"").unwrap(),
        ];
        let files = Files::new("hi", files).unwrap();
        let expected = b"\x02\0hi\x02\x01a\x03t/x\x02\0\0\x0012\x02\xc3\xa9\0\0\0\0\0";
        assert_eq!(files.encode().as_slice(), expected);
        let mut manifest = b"\x02\0hi\x02\x01a\x03t/x\x02\0\0\0".to_vec();
        manifest.extend_from_slice(blake3::hash(b"12").as_bytes());
        manifest.extend_from_slice(b"\x02\xc3\xa9\0\0\0\0\0");
        manifest.extend_from_slice(blake3::hash(b"").as_bytes());
        assert_eq!(files.manifest().as_slice(), manifest);
    }

    #[test]
    fn bounds_are_those_of_the_specification() {
        let file = |name: usize, media_type: usize| {
            File::new(&"n".repeat(name), &"t".repeat(media_type), b"").map(|_| ())
        };
        assert_eq!(file(0, 0), Err(BadFiles::Name(0)));
        assert_eq!(file(1, 127), Ok(()));
        assert_eq!(file(255, 0), Ok(()));
        assert_eq!(file(256, 0), Err(BadFiles::Name(256)));
        assert_eq!(file(1, 128), Err(BadFiles::MediaType));
        for bad in ["a\tb", "\u{7f}", "é", "\0"] {
            assert_eq!(
                File::new("n", bad, b""),
                Err(BadFiles::MediaType),
                "{bad:?}"
            );
        }
        let one = File::new("n", "", b"").unwrap();
        let with = |files: usize| Files::new("", vec![one; files]).map(|_| ());
        assert_eq!(with(0), Err(BadFiles::Count(0)));
        assert_eq!((with(1), with(32)), (Ok(()), Ok(())));
        assert_eq!(with(33), Err(BadFiles::Count(33)));
        let text = "a".repeat(3501);
        assert!(Files::new(&text[1..], vec![one]).is_ok());
        let long = Files::new(&text, vec![one]);
        assert_eq!(long.unwrap_err(), BadFiles::TextTooLong(3501));
    }

    #[test]
    fn what_is_out_of_bounds_is_not_read() {
        for (bad, why) in [
            (&b"\0\0\0"[..], BadFiles::Count(0)),
            (b"\0\0\x21", BadFiles::Count(33)),
            (b"\xad\x0d", BadFiles::TextTooLong(3501)),
            (b"\0\0\x01\0\0\0\0\0\0", BadFiles::Name(0)),
            (b"\0\0\x01\x01n\x01\n\0\0\0\0", BadFiles::MediaType),
            (b"\0\0\x01\x01\xff\0\0\0\0\0", BadFiles::Layout),
            (b"\x01\0\xff\x01\x01n\0\0\0\0\0", BadFiles::Layout),
            (b"\0\0\x01\x01n\0\xff\xff\xff\xff", BadFiles::Layout),
            (b"\0\0\x01\x01n\0\0\0\0\0!", BadFiles::Layout),
            (b"\0\0\x02\x01n\0\0\0\0\0", BadFiles::Layout),
            (b"", BadFiles::Layout),
        ] {
            assert_eq!(Files::decode(bad), Err(why), "{bad:?}");
        }
    }

    #[test]
    fn a_stray_debug_shows_neither_text_nor_names() {
        let files = vec![File::new("secret name", "a/b", b"secret").unwrap()];
        let shown = format!("{:?}", Files::new("secret text", files).unwrap());
        assert_eq!(
            shown,
            "Files { text_bytes: 11, files: [File { bytes: 6 }] }"
        );
    }

    proptest! {
        #[test]
        fn what_is_encoded_reads_back_and_no_part_of_it_does(
            text in "\\PC{0,40}",
            files in prop::collection::vec(("\\PC{1,20}", "[ -~]{0,20}", prop::collection::vec(any::<u8>(), 0..50)), 1..5),
        ) {
            let files = files
                .iter()
                .map(|(name, media_type, bytes)| File::new(name, media_type, bytes).unwrap())
                .collect();
            let files = Files::new(&text, files).unwrap();
            let content = files.encode();
            prop_assert_eq!(&Files::decode(&content).unwrap(), &files);
            for end in 0..content.len() {
                prop_assert!(Files::decode(&content[..end]).is_err());
            }
        }

        #[test]
        fn whatever_reads_is_its_own_encoding(content in prop::collection::vec(any::<u8>(), 0..100)) {
            if let Ok(files) = Files::decode(&content) {
                prop_assert_eq!(&*files.encode(), &content);
            }
        }
    }
}
