//! `kkvc send --file`: files, with a text or without, and how another run goes on with them.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use zeroize::Zeroizing;

use super::super::commands::Send;
use super::super::common::{Common, is_typed};
use super::super::compose::{self, Purpose};
use super::super::progress::Progress;
use super::super::receipt::ReceiptPlace;
use super::super::words;
use super::{
    Prepared, cancelled_at_the_keys, prepared, reply, report, show_again, with_way_to_pay,
    words_of_failed,
};
use kkv_base::count::counted;
use kkv_base::lock;
use kkv_client::replies::secrets;
use kkv_client::sender::DeliveryOptions;
use kkv_pow::Cost;
use kkv_protocol::crypto::scrub;
use kkv_protocol::files::{File as SentFile, Files};
use kkv_protocol::proof::Proof;
use kkv_protocol::suite::{Suite, SuitePolicy};
use kkv_protocol::v2::purpose::LargeSize;
use kkv_protocol::v2::upload::kept::MAX_BYTES;
use kkv_protocol::v2::upload::sender::Upload;
use kkv_terminal::signals;
use kkv_terminal::stderr::info;
use kkv_terminal::visible::quoted;
use kkv_ui::error::{CliError, Exit};
use kkv_ui::fields::{address, size};
use kkv_ui::new_file::NewFile;
use kkv_ui::outcome::cancelled;
use kkv_ui::replies::require_own_words_out_of;
use kkv_ui::secret_file;
use kkv_ui::way::{self, FilesLoad, Way};

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
struct ReadFile {
    name: String,
    media_type: &'static str,
    bytes: Zeroizing<Vec<u8>>,
}

/// An upload that another run has begun.
struct Begun {
    to: String,
    cost: Cost,
    upload: Upload,
}

pub(in crate::cli) async fn send(common: &Common, mut args: Send) -> Result<(), CliError> {
    let mut stopped = std::pin::pin!(signals::stopped()?);
    if args.suite == SuitePolicy::Only(Suite::V1) {
        return Err(CliError::usage(
            "kkv/1 carries text only: leave out --file or --suite 1; nothing was sent",
        ));
    }
    if args.resume.is_some() && args.words_file.is_some() && is_typed("--words-file") {
        return Err(CliError::usage(
            "--resume can't be used with --words-file; nothing was sent",
        ));
    }
    let state = args.resume.take();
    let begun = state.as_deref().map(read_state).transpose()?.flatten();
    let (begun, kept_in) = begun.unzip();
    if begun.is_none() && args.files.is_empty() {
        return Err(CliError::usage(
            "nothing was begun there: name the files with --file; nothing was sent",
        ));
    }
    let is_new = begun.is_none();
    let go_on = state.as_ref().map(|path| {
        let send = words::command(common, "send", &args.address, None);
        format!("{send} --resume {}", quoted(path))
    });
    let names_more = args.message.is_some() || args.file.is_some() || !args.files.is_empty();
    if let (false, true, Some(go_on)) = (is_new, names_more, &go_on) {
        // Were they the same, it would be sent; but another message must not be taken for one that was sent.
        let what = "a message was begun there, and another can't be sent with it; nothing was sent";
        let failed = CliError::new(Exit::Refused, what);
        return Err(failed.command("Go on with that one: ", go_on));
    }
    let (message, file) = (args.message.take().map(|text| text.0), args.file.take());
    let paths = std::mem::take(&mut args.files);
    let compose = move || match is_new {
        true => composed(message, file.as_deref(), &paths),
        false => Ok((Zeroizing::new(String::new()), Vec::new())),
    };
    let read = tokio::task::spawn_blocking(|| scrub::run_then_wipe_stack(compose));
    let (text, read) = tokio::select! {
        biased;
        () = &mut stopped => return Err(cancelled_at_the_keys()),
        read = read => read.expect("reading does not panic")?,
    };
    let files = is_new.then(|| laid_out(&text, &read)).transpose()?;

    let Prepared {
        key,
        mut addressee,
        way,
        words: mut reply_words,
        ..
    } = tokio::select! {
        prepared = prepared(common, &mut args) => prepared?,
        () = &mut stopped => return Err(cancelled(false)),
    };
    if let Some(place) = &reply_words {
        require_own_words_out_of(&text, place.words())?;
        for file in &read {
            require_own_words_out_of(&file.name, place.words())?;
            if let Ok(text) = str::from_utf8(&file.bytes) {
                require_own_words_out_of(text, place.words())?;
            }
        }
    }
    let mut receipt = args.receipt.take().map(ReceiptPlace::of).transpose()?;
    if let Way::Loopback(_) = way {
        info("This address is on this machine: the message does not go through Tor.");
    }
    let target = addressee.target;
    let to = address(target);
    if begun.as_ref().is_some_and(|begun| begun.to != to) {
        let what = "what was begun there is for another address; nothing was sent";
        return Err(CliError::new(Exit::Refused, what));
    }
    let only = SuitePolicy::Only(Suite::V2);
    let options = DeliveryOptions {
        invitation: addressee.invitation.clone(),
        ..args.carrying.options(target, only)
    };
    // A file that another program has made there meanwhile is not this run's to remove.
    let kept_in = Mutex::new(kept_in);
    let keep = |upload: &Upload, cost: Cost| {
        if let Some(path) = &state {
            *lock(&kept_in) = Some(write_state(path, &to, upload, cost)?);
        }
        Ok(())
    };
    let progress = Progress::start(way.state(), args.carrying.anyway);
    let answers = reply_words.as_ref().map(|place| secrets(place.words()));
    let sending = async {
        let what = match (begun, &files) {
            (Some(begun), _) => {
                progress.line("Going on with what was begun.");
                way::Files::Begun(Box::new(begun.upload), begun.cost)
            }
            (None, Some(files)) => {
                let looking = || args.carrying.options(target, only);
                let answered = answers.as_ref().zip(reply_words.as_ref());
                let reply = reply(common, &args, &way, looking, answered, &progress).await?;
                let key = Box::new(key);
                way::Files::New { key, files, reply }
            }
            (None, None) => unreachable!("one of both is there"),
        };
        let load = FilesLoad { options, what };
        way.carry_files(load, keep, &progress).await
    };
    let result = tokio::select! {
        biased; // what is known is told
        result = sending => result,
        () = stopped => Err(cancelled(progress.was_sending())),
    };
    progress.finish();
    let kept_in = lock(&kept_in).take();
    let accepted = match (result, kept_in) {
        (Ok(accepted), kept_in) => {
            if let Some(file) = kept_in {
                file.remove(); // it has served
            }
            accepted
        }
        (Err(failed), Some(_)) if may_go_on(&failed) => {
            let go_on = go_on.as_deref().unwrap_or_default();
            return Err(failed.command(
                "For ten minutes this goes on where it stopped, without paying again: ",
                go_on,
            ));
        }
        (Err(failed), kept_in) => {
            if let Some(file) = kept_in {
                file.remove(); // nobody can go on with it
            }
            let was_sending = progress.was_sending();
            let failed = with_way_to_pay(failed, common, &addressee);
            return Err(words_of_failed(
                failed,
                &mut reply_words,
                was_sending,
                common,
                &args,
            ));
        }
    };
    if let Some(place) = &mut reply_words {
        place.keep();
    }
    let proof = accepted.receipt.as_ref().map(Proof::from);
    let written = match (&mut receipt, &proof) {
        (Some(place), Some(proof)) => place.fill(proof, common.json),
        _ => Ok(()),
    };
    let remembered = addressee.remember(accepted.suite);
    let reported = report(
        &accepted,
        proof,
        is_new && args.identity.is_some(),
        reply_words.is_some(),
        common.json,
    );
    let reported = reported.map_err(|failed| {
        let what = format!("the message was accepted, but {}", failed.what);
        CliError::new(Exit::DoneUnreported, what)
    });
    if let Some(place) = &reply_words {
        show_again(place, common, &args);
    }
    reported.and(written).and(remembered)
}

/// Whether the relay may take the rest from another run.
fn may_go_on(failed: &CliError) -> bool {
    matches!(
        failed.exit,
        Exit::Cancelled | Exit::Unreachable | Exit::InDoubt
    )
}

/// Text and files as they are on this machine.
fn composed(
    message: Option<String>,
    file: Option<&Path>,
    paths: &[PathBuf],
) -> Result<(Zeroizing<String>, Vec<ReadFile>), CliError> {
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
    let file = File::open(path).map_err(|fault| unreadable(&fault))?;
    // One byte more than fits shows that it doesn't. In one piece: a vector that grows leaves copies behind.
    let most = LargeSize::MAX_CONTENT_BYTES + 1;
    let mut bytes = Zeroizing::new(Vec::with_capacity(most));
    file.take(most as u64)
        .read_to_end(&mut bytes)
        .map_err(|fault| unreadable(&fault))?;
    if bytes.len() == most {
        let what = format!(
            "Too large: {} has more than the {} that fit into a message; nothing was sent",
            quoted(path),
            size(LargeSize::MAX_CONTENT_BYTES as u64),
        );
        return Err(CliError::usage(what).hint("Send it in parts (split -b 1000k), or smaller."));
    }
    let extension = Path::new(&name)
        .extension()
        .and_then(|extension| extension.to_str());
    let extension = extension.unwrap_or_default().to_ascii_lowercase();
    let known = MEDIA_TYPES.iter().find(|(known, _)| *known == extension);
    Ok(ReadFile {
        name,
        media_type: known.map_or(ANY_TYPE, |(_, media_type)| media_type),
        bytes,
    })
}

/// The content of the message.
fn laid_out<'r>(text: &'r str, read: &'r [ReadFile]) -> Result<Files<'r>, CliError> {
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

/// A line with the address and what was paid, and behind it the upload.
fn write_state(path: &Path, to: &str, upload: &Upload, cost: Cost) -> Result<NewFile, CliError> {
    let mut state = Zeroizing::new(format!("{to} {}\n", cost.bits()).into_bytes());
    state.extend_from_slice(&upload.keep());
    let mut file = secret_file::written(path, &state).map_err(|fault| {
        let what = format!(
            "can't make {}: {fault}; nothing was delivered",
            quoted(path)
        );
        CliError::new(Exit::of_io(&fault), what)
    })?;
    file.keep();
    Ok(file)
}

/// What another run has begun, if it has, and the file that says so.
fn read_state(path: &Path) -> Result<Option<(Begun, NewFile)>, CliError> {
    let most = MAX_BYTES + 256;
    let file = match File::open(path) {
        Err(fault) if fault.kind() == io::ErrorKind::NotFound => return Ok(None),
        file => file,
    };
    let mut state = Zeroizing::new(Vec::with_capacity(most));
    let read = file.and_then(|file| {
        (&file).take(most as u64).read_to_end(&mut state)?;
        NewFile::adopt(path, file)
    });
    let file = read.map_err(|fault| {
        let what = format!("{}: {fault}; nothing was sent", quoted(path));
        CliError::new(Exit::of_io(&fault), what)
    })?;
    let begun = parsed(&state).ok_or_else(|| {
        let what = format!(
            "{} is no upload that was begun; nothing was sent",
            quoted(path)
        );
        CliError::new(Exit::Refused, what)
    })?;
    Ok(Some((begun, file)))
}

fn parsed(state: &[u8]) -> Option<Begun> {
    let end = state.iter().position(|byte| *byte == b'\n')?;
    let line = std::str::from_utf8(&state[..end]).ok()?;
    let (to, cost) = line.split_once(' ')?;
    Some(Begun {
        to: to.to_owned(),
        cost: Cost::new(cost.parse().ok()?).ok()?,
        upload: Upload::again(&state[end + 1..]).ok()?,
    })
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
        fs::write(&path, vec![0; most + 1]).unwrap();
        let refused = read(&path).err().unwrap();
        assert!(refused.what.starts_with("Too large: "), "{}", refused.what);
        fs::write(&path, vec![0; most]).unwrap();
        let file = [read(&path).unwrap()];
        let refused = laid_out("", &file).unwrap_err();
        assert!(refused.what.contains("1047528 fit"), "{}", refused.what);
        let head = 2 + 1 + 1 + "large".len() + 1 + ANY_TYPE.len() + 4;
        fs::write(&path, vec![0; most - head]).unwrap();
        let file = [read(&path).unwrap()];
        assert_eq!(laid_out("", &file).unwrap().content_bytes(), most);
    }
}
