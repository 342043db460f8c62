//! The files beside the pages. They are the same for everybody, and there is nothing to be known from who asks for
//! them.
//!
//! They go deflated to browsers, which all take that: the scripts are a third as long then. The pages themselves don't:
//! what somebody types stands in them beside secrets, and the length of both together would tell of these (BREACH).

use std::sync::LazyLock;

use miniz_oxide::deflate::compress_to_vec_zlib;

use crate::word_list::word_list;

/// A file.
#[derive(Debug)]
pub struct File {
    /// Where it is.
    pub path: &'static str,
    /// Its media type.
    pub media_type: &'static str,
    /// What is in it.
    pub bytes: &'static [u8],
    /// The same, in zlib's format: what HTTP calls "deflate" (RFC 9110 §8.4.1.2).
    pub deflated: Vec<u8>,
}

/// All of them.
pub static FILES: LazyLock<Vec<File>> = LazyLock::new(|| {
    let script = "text/javascript";
    vec![
        file("/page.css", "text/css", include_str!("../assets/style.css")),
        // Paying, and what computes for it on each processor core.
        file("/page.js", script, include_str!("../assets/page.js")),
        file("/classes.js", script, include_str!("../assets/classes.js")),
        file("/worker.js", script, include_str!("../assets/worker.js")),
        // Files in pieces; and how this and paying say what stands in the page.
        file("/upload.js", script, include_str!("../assets/upload.js")),
        file("/spoken.js", script, include_str!("../assets/spoken.js")),
        // Words that never leave the page, and what that needs.
        file(
            "/conversation.js",
            script,
            include_str!("../assets/conversation.js"),
        ),
        file("/words.js", script, include_str!("../assets/words.js")),
        file("/sealed.js", script, include_str!("../assets/sealed.js")),
        file("/blake3.js", script, include_str!("../assets/blake3.js")),
        file("/words.txt", "text/plain", word_list()),
    ]
});

fn file(
    path: &'static str,
    media_type: &'static str,
    bytes: &'static (impl AsRef<[u8]> + ?Sized),
) -> File {
    let bytes = bytes.as_ref();
    File {
        path,
        media_type,
        bytes,
        deflated: compress_to_vec_zlib(bytes, 9),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use miniz_oxide::inflate::decompress_to_vec_zlib;

    #[test]
    fn what_is_deflated_is_the_same() {
        for file in FILES.iter() {
            let inflated = decompress_to_vec_zlib(&file.deflated).unwrap();
            assert!(inflated == file.bytes, "{}", file.path);
        }
    }
}
