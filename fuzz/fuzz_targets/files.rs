//! Messages with files (docs/PROTOCOL.md §16): any bytes as their content, as an upload that another run has kept, and
//! as the head of a piece.

#![no_main]

use kkv_protocol::files::Files;
use kkv_protocol::v2::purpose::LargeSize;
use kkv_protocol::v2::upload::sender::Upload;
use kkv_protocol::v2::upload::{HEAD_BYTES, Part, QUERY_BYTES, head};
use kkv_ui::file_name::{numbered, safe};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(files) = Files::decode(bytes) {
        assert_eq!(
            files.encode().as_slice(),
            bytes,
            "one content has one encoding"
        );
        let all: usize = files.files().iter().map(|file| file.bytes().len()).sum();
        let manifest = bytes.len() - all + 32 * files.files().len();
        assert_eq!(files.manifest().len(), manifest);
        for file in files.files() {
            for name in [safe(file.name()), numbered(&safe(file.name()), 2)] {
                assert!(!name.is_empty() && name.len() < 255);
                assert!(!name.starts_with('.') && !name.contains(['/', '\0']));
                assert!(!name.contains(char::is_control));
            }
        }
    }
    if let Ok(upload) = Upload::again(bytes) {
        assert_eq!(upload.keep().as_slice(), bytes);
    }
    if let Some((first, rest)) = bytes.split_first_chunk::<HEAD_BYTES>() {
        let (_, index) = head(first);
        for size in LargeSize::ALL {
            let bytes = [QUERY_BYTES, size.piece_bytes(), HEAD_BYTES + rest.len()];
            for length in bytes {
                match Part::of(size, index, length) {
                    Ok(Part::Piece(piece)) => assert!(piece.get() < size.pieces()),
                    Ok(Part::Query) => assert_eq!((index, length), (u64::MAX, QUERY_BYTES)),
                    Err(_) => {}
                }
            }
        }
    }
});
