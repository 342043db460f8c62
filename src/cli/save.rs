//! `kkvc save`: files that came with a message, written where one says and nowhere else.

use serde::Serialize;

use super::commands;
use super::output::{json_line, print_outcome};
use kkv_base::count::counted;
use kkv_client::owner::Client;
use kkv_owner::{FileInfo, MessageId};
use kkv_terminal::signals;
use kkv_terminal::visible::quoted;
use kkv_ui::error::{CliError, Exit};
use kkv_ui::fields::size;
use kkv_ui::save::{SaveDirectory, SavedFile};

/// What `save --json` prints.
#[derive(Serialize)]
struct SavedFiles {
    saved: Vec<Saved>,
}

#[derive(Serialize)]
struct Saved {
    file: usize,
    path: String,
    bytes: u64,
}

pub(super) async fn save(
    client: &Client,
    args: commands::Save,
    json: bool,
) -> Result<(), CliError> {
    let stopped = signals::stopped()?;
    let mut saved = Vec::new();
    let done = tokio::select! {
        done = all_saved(client, args, json, &mut saved) => done,
        () = stopped => Err(CliError::new(
            Exit::Cancelled,
            "cancelled; the file that was being written is gone again",
        )),
    };
    // Also if one has failed: those before it are there.
    if json && (done.is_ok() || !saved.is_empty()) {
        let files = counted(saved.len() as u64, "file");
        let line = json_line(&SavedFiles { saved });
        return print_outcome(format_args!("{files} saved"), &line).and(done);
    }
    done
}

async fn all_saved(
    client: &Client,
    args: commands::Save,
    json: bool,
    saved: &mut Vec<Saved>,
) -> Result<(), CliError> {
    let message = client.message(args.id).await?;
    let files = &message.summary.files;
    let chosen = chosen(args.id, args.file, args.all.is_some(), files)?;
    let directory = match &args.all {
        Some(directory) => SaveDirectory::make(directory).map_err(nothing_saved)?,
        None => SaveDirectory::current()?,
    };
    for number in chosen {
        let file = &files[number - 1];
        let new = match &args.output {
            Some(path) => SavedFile::at(path)?,
            None => directory.create(&file.name)?,
        };
        let path = new.fill(client, args.id, number).await?;
        if !json {
            let what = format!("Saved {} ({}).", quoted(&path), size(file.bytes));
            print_outcome(what.trim_end_matches('.'), &format!("{what}\n"))?;
        }
        saved.push(Saved {
            file: number,
            path: path.to_string_lossy().into_owned(),
            bytes: file.bytes,
        });
    }
    Ok(())
}

fn nothing_saved(mut failed: CliError) -> CliError {
    failed.what += "; nothing was saved";
    failed
}

/// The numbers of the files that are meant.
fn chosen(
    id: MessageId,
    one: Option<usize>,
    all: bool,
    files: &[FileInfo],
) -> Result<Vec<usize>, CliError> {
    match (one, files.len()) {
        (_, 0) => Err(CliError::new(
            Exit::Refused,
            format!("message {id} has no files"),
        )),
        (Some(number), count) if number > count => {
            let what = format!("message {id} has no file {number}");
            Err(CliError::new(Exit::Refused, what)
                .hint(format!("`kkvc read {id}` shows which files it has.")))
        }
        (Some(number), _) => Ok(vec![number]),
        (None, 1) => Ok(vec![1]),
        (None, count) if all => Ok((1..=count).collect()),
        (None, _) => Err(
            CliError::usage(format!("message {id} has several files")).hint(format!(
                "Name one, as in kkvc save {id} 1, or take all: kkvc save {id} --all DIR."
            )),
        ),
    }
}
