//! Files that come before their form, as the page's script sends them: over HTTP, piece by piece.

mod held;
mod refused;

use kkv_base::limits::{MAX_PIECES_BEGUN, UPLOAD_IDLE, UPLOAD_LIFETIME};
use kkv_owner::Room;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, DuplexStream};

use super::*;

const OCTETS: &str = "application/octet-stream";

/// A photo in five pieces, and what is in no piece of its own.
fn files() -> Vec<(&'static str, &'static str, Vec<u8>)> {
    let photo = (0..300_000_u32).map(|i| (i % 251) as u8).collect();
    vec![
        ("a \"photo\" ü.jpg", "image/jpeg", photo),
        ("short", "", b"x".to_vec()),
        ("notes", "text/plain", b"notes".to_vec()),
    ]
}

/// An upload that has begun.
#[derive(Debug, Clone)]
struct Begun {
    name: String,
    piece: usize,
    missing: Vec<usize>,
    content: Vec<u8>,
}

impl Begun {
    fn of(said: &Said, content: Vec<u8>) -> Self {
        assert_eq!(said.status, 200, "{}", text(said));
        let json: Value = serde_json::from_slice(&said.body).unwrap();
        let missing = json["missing"].as_array().unwrap().iter();
        Self {
            name: json["upload"].as_str().unwrap().to_owned(),
            piece: usize::try_from(json["piece"].as_u64().unwrap()).unwrap(),
            missing: missing
                .map(|index| index.as_u64().unwrap() as usize)
                .collect(),
            content,
        }
    }

    fn part(&self, index: usize) -> Vec<u8> {
        let part = self.content.chunks(self.piece).nth(index).unwrap();
        [format!("{}{index:02x}", self.name).as_bytes(), part].concat()
    }
}

fn request(path: &str, media_type: &str, body: &[u8]) -> Vec<u8> {
    let head = format!(
        "POST {path} HTTP/1.1\r\nhost: {HOST}\r\norigin: http://{HOST}\r\nsec-fetch-site: same-origin\r\n\
         accept-language: en\r\ncontent-type: {media_type}\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    [head.as_bytes(), body].concat()
}

async fn write(stream: &mut DuplexStream, bytes: &[u8]) {
    for part in bytes.chunks(8 * 1024) {
        // It may be refused before all of it has come.
        if stream.write_all(part).await.is_err() {
            break;
        }
    }
}

impl Inbox {
    pub(super) async fn send(&self, path: &str, media_type: &str, body: &[u8]) -> Said {
        let mut stream = connect(&self.relay);
        write(&mut stream, &request(path, media_type, body)).await;
        read(&mut stream, None).await.unwrap()
    }

    async fn begin(&self, form: &Form, key: &str, files: &[(&str, &str, Vec<u8>)]) -> Said {
        let body = begins(form, key, files);
        self.send("/upload", "application/json", body.as_bytes())
            .await
    }

    async fn begun(&self, form: &Form, key: &str, files: &[(&str, &str, Vec<u8>)]) -> Begun {
        let content = files.iter().flat_map(|file| file.2.clone()).collect();
        Begun::of(&self.begin(form, key, files).await, content)
    }

    async fn piece(&self, begun: &Begun, index: usize) -> Said {
        self.send("/piece", OCTETS, &begun.part(index)).await
    }

    async fn all_sent(&self, begun: &Begun) {
        for index in &begun.missing {
            let said = self.piece(begun, *index).await;
            assert_eq!(said.status, 200, "{}", text(&said));
        }
    }

    fn room(&self) -> Room {
        self.relay.queue().room(self.clock.elapsed())
    }

    /// The files of a message.
    fn stored(&self, id: u64) -> Vec<(String, String, Vec<u8>)> {
        let now = self.clock.elapsed();
        let stored = self.relay.queue().with(MessageId(id), now, |message| {
            let content = Files::decode(message.content).unwrap();
            let files = content.files().iter();
            let files = files.map(|file| {
                let (name, media_type) = (file.name().to_owned(), file.media_type().to_owned());
                (name, media_type, file.bytes().to_vec())
            });
            files.collect()
        });
        stored.unwrap()
    }
}

/// What script asks to begin with.
fn begins(form: &Form, key: &str, files: &[(&str, &str, Vec<u8>)]) -> String {
    let files = files.iter();
    let files = files.map(|(name, media_type, bytes)| json!({ "name": name, "type": media_type, "size": bytes.len() }));
    json!({
        "form": form.get("form"),
        "key": key,
        "text": form.get("text").len(),
        "files": files.collect::<Vec<_>>(),
        "invitation": form.get("invitation"),
        "challenge": form.get("challenge"),
        "nonces": form.get("nonces"),
    })
    .to_string()
}

fn must_be_stored(inbox: &Inbox, id: u64) {
    let stored = inbox.stored(id);
    assert_eq!(stored.len(), 3);
    for (stored, (name, media_type, bytes)) in stored.iter().zip(files()) {
        let media_type = if media_type.is_empty() {
            OCTETS
        } else {
            media_type
        };
        assert_eq!((stored.0.as_str(), stored.1.as_str()), (name, media_type));
        assert!(stored.2 == bytes, "{name}");
    }
}

fn error(said: &Said) -> String {
    let json: Value = serde_json::from_slice(&said.body).unwrap();
    json["error"].as_str().unwrap().to_owned()
}

#[tokio::test(start_paused = true)]
async fn files_come_in_pieces_in_any_order_and_then_their_form() {
    let inbox = Inbox::new(1);
    let form = inbox.opened("/").await.with("text", "see");
    let begun = inbox.begun(&form, "1", &files()).await;
    assert_eq!(
        (begun.piece, begun.missing.as_slice()),
        (65_480, &[0, 1, 2, 3, 4][..])
    );
    assert_eq!(inbox.room().reserved, 1 << 20, "for the largest size");
    let mut bytes = 0;
    for index in [4, 1, 0, 3, 2] {
        for _ in 0..2 {
            let said = inbox.piece(&begun, index).await;
            assert_eq!(said.status, 200, "{}", text(&said));
            assert!(said.head.contains("connection: close"), "{}", said.head);
            let json: Value = serde_json::from_slice(&said.body).unwrap();
            let here = begun.part(index).len() - 34;
            assert_eq!(json["bytes"], bytes + here, "a piece twice counts once");
        }
        bytes += begun.part(index).len() - 34;
        // Who asks again learns how far it is, under the same name.
        let again = inbox.begun(&form, "1", &files()).await;
        assert_eq!(again.name, begun.name);
        assert!(!again.missing.contains(&index));
    }
    assert!(
        inbox.texts().is_empty(),
        "there is no message before its form"
    );
    let form = form.with("upload", &begun.name);
    let sent = inbox.post(&form).await;
    assert_eq!(sent.status, 200, "{}", text(&sent));
    for _ in 0..2 {
        assert_eq!(inbox.post(&form).await, sent, "double click, reload");
    }
    let (one, other) = tokio::join!(inbox.post(&form), inbox.post(&form));
    assert!(one == sent && other == sent);
    assert_eq!(inbox.texts(), ["see"]);
    must_be_stored(&inbox, 1);
    assert_eq!(inbox.room().reserved, 0);

    // Of what has come there is no piece to be sent, and another text has no files.
    assert_eq!(error(&inbox.piece(&begun, 0).await), "unproven");
    let other = inbox.post(&form.with("text", "another")).await;
    assert_eq!(other.status, 409);
    assert!(
        text(&other).contains("The files are not here"),
        "{}",
        text(&other)
    );
    assert_eq!(inbox.texts(), ["see"]);
}

#[tokio::test(start_paused = true)]
async fn it_is_what_a_form_with_the_files_would_be() {
    let inbox = Inbox::new(2);
    let form = inbox.opened("/").await.with("text", "see");
    let mut whole = form.clone();
    for (name, media_type, bytes) in files() {
        let media_type = if media_type.is_empty() {
            OCTETS
        } else {
            media_type
        };
        whole = whole.file(name, media_type, &bytes);
    }
    assert_eq!(inbox.post(&whole).await.status, 200);
    let form = inbox.opened("/").await.with("text", "see");
    let begun = inbox.begun(&form, "1", &files()).await;
    inbox.all_sent(&begun).await;
    assert_eq!(
        inbox.post(&form.with("upload", &begun.name)).await.status,
        200
    );
    let now = inbox.clock.elapsed();
    let content = |id| {
        let queue = inbox.relay.queue();
        queue.with(MessageId(id), now, |message| message.content.to_vec())
    };
    assert!(content(1) == content(2));
}

#[tokio::test(start_paused = true)]
async fn a_file_without_a_name_is_called_so_and_one_without_a_byte_is_refused() {
    let inbox = Inbox::new(1);
    let form = inbox.opened("/").await;
    let file = |bytes: &[u8]| [("", "a/b\u{fc}", bytes.to_vec())];
    let said = inbox.begin(&form, "1", &file(b"")).await;
    assert_eq!(error(&said), "bad_content");
    assert!(text(&said).contains("is empty"), "{}", text(&said));
    let begun = inbox.begun(&form, "1", &file(b"x")).await;
    inbox.all_sent(&begun).await;
    let sent = inbox.post(&form.with("upload", &begun.name)).await;
    assert_eq!(sent.status, 200);
    assert_eq!(
        inbox.stored(1),
        [("file".to_owned(), String::new(), b"x".to_vec())]
    );
}

#[tokio::test(start_paused = true)]
async fn a_form_that_does_without_its_upload_is_taken_and_ends_it() {
    let inbox = Inbox::new(1);
    let form = inbox.opened("/").await.with("text", "alone");
    let begun = inbox.begun(&form, "1", &files()).await;
    assert_eq!(inbox.post(&form).await.status, 200, "the place is its own");
    assert_eq!(inbox.room().reserved, 0);
    assert_eq!(error(&inbox.piece(&begun, 0).await), "unproven");
    assert_eq!(inbox.texts(), ["alone"]);
}

#[tokio::test(start_paused = true)]
async fn a_line_that_is_cut_at_any_byte_loses_no_piece_that_was_acknowledged() {
    let inbox = Inbox::new(1);
    let form = inbox.opened("/").await.with("text", "cut");
    let small = vec![("a", "", b"one piece".to_vec())];
    let begins = request(
        "/upload",
        "application/json",
        begins(&form, "1", &small).as_bytes(),
    );
    for bytes in 0..begins.len() {
        let mut stream = connect(&inbox.relay);
        stream.write_all(&begins[..bytes]).await.unwrap();
        stream.shutdown().await.unwrap();
        let said = read(&mut stream, None).await;
        assert!(said.is_none_or(|said| said.status != 200), "{bytes}");
        assert_eq!(inbox.room().reserved, 0, "{bytes}");
    }
    let begun = inbox.begun(&form, "1", &small).await;
    let piece = request("/piece", OCTETS, &begun.part(0));
    for bytes in 0..piece.len() {
        let mut stream = connect(&inbox.relay);
        stream.write_all(&piece[..bytes]).await.unwrap();
        stream.shutdown().await.unwrap();
        let said = read(&mut stream, None).await;
        assert!(said.is_none_or(|said| said.status != 200), "{bytes}");
        let again = inbox.begun(&form, "1", &small).await;
        assert_eq!(
            (again.name.as_str(), again.missing.as_slice()),
            (begun.name.as_str(), &[0][..]),
            "{bytes}"
        );
    }
    // It came whole, and the answer was lost.
    let mut stream = connect(&inbox.relay);
    stream.write_all(&piece).await.unwrap();
    _ = stream.read_u8().await;
    drop(stream);
    assert!(inbox.begun(&form, "1", &small).await.missing.is_empty());
    let form = form.with("upload", &begun.name);
    let (head, body) = form.request();
    let all = [head.as_bytes(), &body].concat();
    for bytes in 0..all.len() - 2 {
        let mut stream = connect(&inbox.relay);
        stream.write_all(&all[..bytes]).await.unwrap();
        stream.shutdown().await.unwrap();
        let said = read(&mut stream, None).await;
        assert!(said.is_none_or(|said| said.status != 200), "{bytes}");
        assert!(inbox.texts().is_empty(), "{bytes}");
    }
    let sent = inbox.post(&form).await;
    assert_eq!(sent.status, 200);
    assert_eq!(inbox.post(&form).await, sent);
    assert_eq!(inbox.texts(), ["cut"]);
}
