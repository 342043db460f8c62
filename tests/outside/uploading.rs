//! A message with files that the test cuts and seals itself, so that it knows every key, byte and ciphertext of it
//! (PROTOCOL.md §16).

use std::io::Write;
use std::net::TcpStream;

use chacha20poly1305::aead::{AeadInOut, KeyInit};
use chacha20poly1305::{ChaCha20Poly1305, Key, Nonce};
use kkv_protocol::files::{File, Files};
use kkv_protocol::v2::answers::box_part::BoxPart;
use kkv_protocol::v2::message::{self, HEAD_BYTES};
use kkv_protocol::v2::purpose::{LargeSize, Purpose};

use super::marker::Marker;
use super::stranger::{Session, Stranger, answer};

const BYTES: &str = "application/octet-stream";

/// Kind 1: files.
const FILES: u8 = 1;

/// An open session for such a message, and all of its pieces.
pub(super) struct Uploading<'s> {
    session: Session<'s>,
    acknowledgements: [u8; 32],
    /// Bodies of `POST /msg`.
    pieces: Vec<Vec<u8>>,
    /// The parts of the opened message.
    parts: Vec<Vec<u8>>,
}

impl<'s> Uploading<'s> {
    /// Pays for a session of the size that `file` takes, and seals it. No piece is sent yet.
    pub(super) fn open(stranger: &'s Stranger, file: &Marker) -> Self {
        let named = vec![File::new("file", "", file.bytes()).expect("a name")];
        let files = Files::new("", named).expect("they are some");
        let content = files.encode();
        let size = LargeSize::for_content(content.len()).expect("it fits into one");
        let session = stranger.open_v2(Purpose::Large(size));
        let (relay, id) = (&session.relay, &session.id);
        let none = BoxPart::None.digest();
        let statement = message::statement(relay, id, FILES, &none, &files.manifest());
        let mut opened = vec![0; size.opened_bytes()];
        opened[..64].copy_from_slice(&session.sign(&statement).0);
        opened[64] = FILES;
        let length = u32::try_from(content.len()).expect("it is short");
        opened[148..HEAD_BYTES].copy_from_slice(&length.to_le_bytes());
        opened[HEAD_BYTES..][..content.len()].copy_from_slice(&content);
        let parts: Vec<_> = opened
            .chunks(size.part_bytes())
            .map(<[u8]>::to_vec)
            .collect();
        let [kem, dh] = session.parts() else {
            panic!("a session of kkv/2 has two secrets");
        };
        let context = "kkv/2 2026-11-27 upload acknowledgement key";
        let material = [kem.bytes(), dh.bytes(), &session.id.0].concat();
        let cipher = ChaCha20Poly1305::new(&Key::from(session.key));
        let sealed = |(index, part): (usize, &Vec<u8>)| {
            let mut nonce = [0; 12];
            nonce[7] = index as u8;
            nonce[11] = u8::from(index + 1 == parts.len());
            let mut piece = [&id.0[..], &(index as u64).to_le_bytes()].concat();
            let mut part = part.clone();
            let tag = cipher
                .encrypt_inout_detached(&Nonce::from(nonce), &id.0, part.as_mut_slice().into())
                .expect("short enough");
            piece.append(&mut part);
            piece.extend_from_slice(&tag);
            piece
        };
        Self {
            pieces: parts.iter().enumerate().map(sealed).collect(),
            acknowledgements: blake3::derive_key(context, &material),
            parts,
            session,
        }
    }

    /// What the pieces are sealed with.
    pub(super) fn key(&self) -> Marker {
        Marker::new("the message's key", self.session.key)
    }

    /// What acknowledgements are sealed with.
    pub(super) fn acknowledgements(&self) -> Marker {
        Marker::new("the key of acknowledgements", self.acknowledgements)
    }

    /// All secrets of the session, and what they were made of.
    pub(super) fn secrets(&self) -> Vec<Marker> {
        [self.session.secrets(), vec![self.acknowledgements()]].concat()
    }

    /// A part of the opened message: the last one without the zeros behind the content.
    pub(super) fn part(&self, index: usize) -> Marker {
        let part = &self.parts[index];
        let length = part.len() - part.iter().rev().take_while(|byte| **byte == 0).count();
        // The head of the first has zeros, which are everywhere.
        let start = if index == 0 { HEAD_BYTES } else { 0 };
        Marker::new(format!("part {index}"), &part[start..length])
    }

    /// The same as it is sent.
    pub(super) fn sealed(&self, index: usize) -> Marker {
        Marker::new(format!("piece {index}"), &self.pieces[index][40..])
    }

    /// How many pieces there are.
    pub(super) fn pieces(&self) -> usize {
        self.pieces.len()
    }

    /// Sends a piece, which has to be acknowledged.
    pub(super) fn send(&self, index: usize) {
        let piece = &self.pieces[index];
        let mut stream = self.begin(index);
        stream.write_all(piece).expect("the relay reads");
        let (status, said) = answer(stream);
        assert_eq!((status, said.len()), (200, 96), "{index}");
    }

    /// Sends so many bytes of a piece, and leaves the line open.
    pub(super) fn send_some(&self, index: usize, bytes: usize) -> TcpStream {
        let mut stream = self.begin(index);
        let some = &self.pieces[index][..bytes];
        stream.write_all(some).expect("the relay reads");
        stream
    }

    fn begin(&self, index: usize) -> TcpStream {
        let length = self.pieces[index].len();
        self.session.stranger.begin("POST", "/msg", BYTES, length)
    }
}
