//! The files of a message as they are on this machine, and what they come to in a message.

use std::fs::OpenOptions;
use std::io::{self, Read};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use rustix::fs::OFlags;
use zeroize::Zeroizing;

use super::super::compose::{self, Purpose};
use kkv_base::count::counted;
use kkv_protocol::files::{File as SentFile, Files, MAX_FILES};
use kkv_protocol::v2::purpose::LargeSize;
use kkv_terminal::visible::quoted;
use kkv_ui::error::{CliError, Exit};

/// What media types are said of files, by what their names end with.
const MEDIA_TYPES: [(&str, &str); 30] = [
    ("7z", "application/x-7z-compressed"),
    ("asc", "application/pgp-encrypted"),
    ("avif", "image/avif"),
    ("bmp", "image/bmp"),
    ("csv", "text/csv"),
    (
        "docx",
        "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    ),
    ("flac", "audio/flac"),
    ("gif", "image/gif"),
    ("gz", "application/gzip"),
    ("html", "text/html"),
    ("jpeg", "image/jpeg"),
    ("jpg", "image/jpeg"),
    ("json", "application/json"),
    ("m4a", "audio/mp4"),
    ("md", "text/markdown"),
    ("mp3", "audio/mpeg"),
    ("mp4", "video/mp4"),
    ("odt", "application/vnd.oasis.opendocument.text"),
    ("ogg", "audio/ogg"),
    ("opus", "audio/ogg"),
    ("pdf", "application/pdf"),
    ("png", "image/png"),
    ("svg", "image/svg+xml"),
    ("tar", "application/x-tar"),
    ("txt", "text/plain"),
    ("wav", "audio/wav"),
    ("webm", "video/webm"),
    ("webp", "image/webp"),
    (
        "xlsx",
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    ),
    ("zip", "application/zip"),
];

/// What is sent of a file whose name says nothing else.
const ANY_TYPE: &str = "application/octet-stream";

/// A file as it was read.
pub(super) struct ReadFile {
    pub(super) name: String,
    media_type: &'static str,
    pub(super) bytes: Zeroizing<Vec<u8>>,
}

/// Text and files as they are on this machine.
pub(super) fn composed(
    message: Option<String>,
    file: Option<&Path>,
    paths: &[PathBuf],
) -> Result<(Zeroizing<String>, Vec<ReadFile>), CliError> {
    // Before each of them is read into a MiB of memory.
    if paths.len() > MAX_FILES {
        let what = format!("a message has {MAX_FILES} files at most; nothing was sent");
        return Err(CliError::usage(what).hint("Send them in several messages, or as one archive."));
    }
    let text = match (&message, file) {
        (None, None) => Zeroizing::new(String::new()),
        _ => Zeroizing::new(
            compose::text(message, file, Purpose::Message)?
                .as_str()
                .to_owned(),
        ),
    };
    let files = paths.iter().map(|path| read(path));
    Ok((text, files.collect::<Result<_, _>>()?))
}

fn read(path: &Path) -> Result<ReadFile, CliError> {
    let unreadable = |fault: &io::Error| {
        let what = format!("{}: {fault}; nothing was sent", quoted(path));
        CliError::new(Exit::of_io(fault), what)
    };
    let name = path
        .file_name()
        .map(|name| name.to_string_lossy().into_owned())
        .filter(|name| !name.is_empty())
        .ok_or_else(|| unreadable(&io::ErrorKind::IsADirectory.into()))?;
    // Without waiting for who writes into a pipe.
    let file = OpenOptions::new()
        .read(true)
        .custom_flags(OFlags::NONBLOCK.bits().cast_signed())
        .open(path)
        .map_err(|fault| unreadable(&fault))?;
    let kind = file
        .metadata()
        .map_err(|fault| unreadable(&fault))?
        .file_type();
    if !kind.is_file() && !kind.is_dir() {
        let what = format!("{} is a pipe or a device; nothing was sent", quoted(path));
        return Err(
            CliError::usage(what).hint("Write what comes out of it to a file, and send that.")
        );
    }
    let extension = Path::new(&name)
        .extension()
        .and_then(|extension| extension.to_str());
    let extension = extension.unwrap_or_default().to_ascii_lowercase();
    let known = MEDIA_TYPES.iter().find(|(known, _)| *known == extension);
    let media_type = known.map_or(ANY_TYPE, |(_, media_type)| media_type);
    let room = LargeSize::MAX_CONTENT_BYTES - bytes_around(&name, media_type);
    // One byte more than fits shows that it doesn't. In one piece: a vector that grows leaves copies behind.
    let most = room + 1;
    let mut bytes = Zeroizing::new(Vec::with_capacity(most));
    file.take(most as u64)
        .read_to_end(&mut bytes)
        .map_err(|fault| unreadable(&fault))?;
    if bytes.len() == most {
        let what = format!(
            "Too large: {} has more than the {} of such a file that fit into a message; nothing was sent",
            quoted(path),
            counted(room as u64, "byte"),
        );
        return Err(CliError::usage(what).hint("Send it in parts (split -b 1000k), or smaller."));
    }
    Ok(ReadFile {
        name,
        media_type,
        bytes,
    })
}

/// What a file takes beside its bytes, if it is the only one and there is no text. Nothing of one whose name can't be
/// sent, which is refused later.
fn bytes_around(name: &str, media_type: &str) -> usize {
    SentFile::new(name, media_type, b"")
        .and_then(|file| Files::new("", vec![file]))
        .map_or(0, |files| files.content_bytes())
}

/// The content of the message.
pub(super) fn laid_out<'r>(text: &'r str, read: &'r [ReadFile]) -> Result<Files<'r>, CliError> {
    let refused = |fault| CliError::usage(format!("{fault}; nothing was sent"));
    let files = read
        .iter()
        .map(|file| SentFile::new(&file.name, file.media_type, &file.bytes))
        .collect::<Result<_, _>>()
        .map_err(refused)?;
    let files = Files::new(text, files).map_err(refused)?;
    let bytes = files.content_bytes();
    if LargeSize::for_content(bytes).is_none() {
        let what = format!(
            "Too large: text and files take {}, and {} fit into a message; nothing was sent",
            counted(bytes as u64, "byte"),
            LargeSize::MAX_CONTENT_BYTES
        );
        return Err(CliError::usage(what).hint("Send them in several messages."));
    }
    Ok(files)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn media_types_are_in_order_and_can_be_sent() {
        assert!(MEDIA_TYPES.is_sorted());
        for (extension, media_type) in MEDIA_TYPES {
            assert!(
                SentFile::new(extension, media_type, b"").is_ok(),
                "{media_type}"
            );
        }
    }

    #[test]
    fn a_file_is_known_by_the_last_part_of_its_path_and_its_type_by_how_that_ends() {
        let directory = tempfile::tempdir().unwrap();
        for (name, media_type) in [
            ("a.JPG", "image/jpeg"),
            ("b.tar.gz", "application/gzip"),
            ("README", ANY_TYPE),
            (".zip", ANY_TYPE),
        ] {
            let path = directory.path().join(name);
            fs::write(&path, "x").unwrap();
            let file = read(&path).unwrap();
            assert_eq!((file.name.as_str(), file.media_type), (name, media_type));
        }
        assert!(read(directory.path()).is_err());
        assert!(read(Path::new("/")).is_err());
    }

    #[test]
    fn what_is_too_large_is_refused_before_anything_is_sent() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("large");
        let most = LargeSize::MAX_CONTENT_BYTES;
        let head = 2 + 1 + 1 + "large".len() + 1 + ANY_TYPE.len() + 4;
        // No parting of messages makes one file smaller.
        fs::write(&path, vec![0; most - head + 1]).unwrap();
        let refused = read(&path).err().unwrap();
        let said = format!(
            "more than the {} of such a file",
            counted((most - head) as u64, "byte")
        );
        assert!(refused.what.contains(&said), "{}", refused.what);
        assert!(refused.hint.unwrap().contains("split"));
        fs::write(&path, vec![0; most - head]).unwrap();
        let file = [read(&path).unwrap()];
        assert_eq!(laid_out("", &file).unwrap().content_bytes(), most);
        let refused = laid_out("and a text", &file).unwrap_err();
        assert!(refused.what.contains("1047528 fit"), "{}", refused.what);
        assert!(refused.hint.unwrap().contains("several messages"));
    }

    #[test]
    fn a_pipe_that_nobody_writes_to_is_refused_at_once_and_so_are_too_many_files() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("pipe");
        let made = std::process::Command::new("mkfifo").arg(&path).status();
        assert!(made.unwrap().success());
        for path in [path.as_path(), Path::new("/dev/zero")] {
            let refused = read(path).err().unwrap();
            assert_eq!(refused.exit, Exit::Usage);
            assert!(
                refused.what.contains("is a pipe or a device"),
                "{}",
                refused.what
            );
        }
        let missing = vec![directory.path().join("none"); MAX_FILES + 1];
        let refused = composed(None, None, &missing).err().unwrap();
        assert!(
            refused.what.contains("32 files at most"),
            "{}",
            refused.what
        );
    }
}
