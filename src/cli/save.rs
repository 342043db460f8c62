//! `kkvc save`: files that came with a message, written where one says and nowhere else.

use std::path::Path;

use serde::Serialize;

use super::commands;
use super::output::{print, print_json};
use kkv_client::owner::Client;
use kkv_owner::{FileInfo, MessageId};
use kkv_terminal::signals;
use kkv_terminal::visible::quoted;
use kkv_ui::error::{CliError, Exit};
use kkv_ui::fields::size;
use kkv_ui::save::{NewFile, make_directory};

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
    tokio::select! {
        done = all_saved(client, args, json) => done,
        () = stopped => Err(CliError::new(
            Exit::Cancelled,
            "cancelled; the file that was being written is gone again",
        )),
    }
}

async fn all_saved(client: &Client, args: commands::Save, json: bool) -> Result<(), CliError> {
    let message = client.message(args.id).await?;
    let files = &message.summary.files;
    let chosen = chosen(args.id, args.file, args.all.is_some(), files)?;
    if let Some(directory) = &args.all {
        make_directory(directory)?;
    }
    let mut saved = Vec::new();
    for number in chosen {
        let file = &files[number - 1];
        let new = match (&args.output, &args.all) {
            (Some(path), _) => NewFile::at(path)?,
            (None, Some(directory)) => NewFile::in_directory(directory, &file.name)?,
            (None, None) => NewFile::in_directory(Path::new(""), &file.name)?,
        };
        let path = new.fill(client, args.id, number).await?;
        if !json {
            print(&format!(
                "Saved {} ({}).\n",
                quoted(&path),
                size(file.bytes)
            ))?;
        }
        saved.push(Saved {
            file: number,
            path: path.to_string_lossy().into_owned(),
            bytes: file.bytes,
        });
    }
    match json {
        true => print_json(&SavedFiles { saved }),
        false => Ok(()),
    }
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
