//! The page of a relay as a browser without script has it: its form, and what a browser makes of that.
#![allow(
    dead_code,
    unreachable_pub,
    reason = "a library to tests, the benchmark and fuzzing, each of which uses a part of it"
)]

use std::fmt::Write as _;

/// The type of a form's body. Browsers have longer boundaries.
pub const FORM_TYPE: &str = "multipart/form-data; boundary=b";

/// What a page has for the form that is sent from it.
#[derive(Debug)]
pub struct PageForm {
    /// The form's own id.
    pub id: String,
    /// The words that the page gives.
    pub words: String,
}

impl PageForm {
    /// The form of this page; `None` if it has none, since there is no room for a message.
    pub fn of(page: &str) -> Option<Self> {
        let value = |name: &str| {
            let (_, rest) = page.split_once(&format!("name=\"{name}\" value=\""))?;
            Some(rest.split('"').next()?.to_owned())
        };
        Some(Self {
            id: value("form")?,
            words: value("words")?,
        })
    }

    /// A body: this text, of which an answer is wanted, and no file chosen.
    pub fn message(&self, text: &str) -> Vec<u8> {
        self.message_with(text, "", b"")
    }

    /// A body: this text, paid for in this way.
    pub fn paid(&self, text: &str, challenge: &str, nonces: &str) -> Vec<u8> {
        let fields = fields(&[
            ("form", &self.id),
            ("words", &self.words),
            ("challenge", challenge),
            ("nonces", nonces),
            ("text", text),
        ]);
        (fields + "--b--\r\n").into_bytes()
    }

    /// A body: this text, of which an answer is wanted, with a file.
    pub fn message_with(&self, text: &str, file_name: &str, file: &[u8]) -> Vec<u8> {
        let mut body = fields(&[
            ("form", &self.id),
            ("words", &self.words),
            ("text", text),
            ("answer", "yes"),
        ]);
        let _ = write!(
            body,
            "--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"{file_name}\"\r\n\
             Content-Type: application/octet-stream\r\n\r\n"
        );
        [body.as_bytes(), file, b"\r\n--b--\r\n"].concat()
    }

    /// A body, as script sends it: this text, and fields that say for the words where an answer may be left.
    pub fn message_by_script(&self, told: &[(&str, &str)], text: &str) -> Vec<u8> {
        let own = [
            ("form", self.id.as_str()),
            ("text", text),
            ("answer", "yes"),
        ];
        (fields(told) + &fields(&own) + "--b--\r\n").into_bytes()
    }

    /// A body, as script sends it: the box that it asks for, and what it has seen.
    pub fn look_by_script(told: &[(&str, &str)]) -> Vec<u8> {
        (fields(told) + "--b--\r\n").into_bytes()
    }

    /// A body of `POST /upload`: a file of so many bytes, and what pays for it, if anything does.
    pub fn upload(&self, file_name: &str, bytes: usize, challenge: &str, nonces: &str) -> String {
        let id = &self.id;
        let file = format!(r#"{{"name":"{file_name}","type":"","size":{bytes}}}"#);
        format!(
            r#"{{"form":"{id}","key":"1","text":0,"files":[{file}],"challenge":"{challenge}","nonces":"{nonces}"}}"#
        )
    }

    /// A body: no text, and the files of this upload.
    pub fn message_uploaded(&self, upload: &str) -> Vec<u8> {
        let own = [
            ("form", self.id.as_str()),
            ("words", &self.words),
            ("upload", upload),
            ("text", ""),
            ("answer", "yes"),
        ];
        (fields(&own) + "--b--\r\n").into_bytes()
    }

    /// A body: the words, typed on the page that asks for them.
    pub fn look(&self) -> Vec<u8> {
        (fields(&[("words", &self.words)]) + "--b--\r\n").into_bytes()
    }
}

fn fields(fields: &[(&str, &str)]) -> String {
    let mut body = String::new();
    for (name, value) in fields {
        let head = format!("Content-Disposition: form-data; name=\"{name}\"");
        let _ = write!(body, "--b\r\n{head}\r\n\r\n{value}\r\n");
    }
    body
}
