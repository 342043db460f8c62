//! A form as a browser fills it in and sends it.

use super::{HOST, Said, text};

/// A form of a page: where it goes, its fields in order, and the files that are chosen.
#[derive(Debug, Clone)]
pub(super) struct Form {
    action: String,
    fields: Vec<(String, String)>,
    files: Vec<(String, String, Vec<u8>)>,
}

const BOUNDARY: &str = "----geckoformboundary1";

impl Form {
    /// The one form of a page.
    pub(super) fn of(said: &Said) -> Self {
        let [form] = Self::all(said)
            .try_into()
            .unwrap_or_else(|_| panic!("{}", text(said)));
        form
    }

    /// All forms of a page.
    pub(super) fn all(said: &Said) -> Vec<Self> {
        let forms = text(said).split("<form ").skip(1);
        forms
            .map(|form| {
                let form = form.split("</form>").next().unwrap();
                let mut fields = Vec::new();
                for tag in form.split('<').filter(|tag| tag.contains(" name=")) {
                    let is_off = tag.contains("checkbox") && !tag.contains(" checked");
                    if is_off || tag.contains("type=\"file\"") {
                        continue;
                    }
                    let value = match tag.strip_prefix("textarea") {
                        // A line end that follows the tag is none of the value.
                        Some(area) => area.split_once(">\n").unwrap().1.to_owned(),
                        None => attribute(tag, "value").unwrap_or_default(),
                    };
                    fields.push((attribute(tag, "name").unwrap(), unescaped(&value)));
                }
                Self {
                    action: attribute(form, "action").unwrap(),
                    fields,
                    files: Vec::new(),
                }
            })
            .collect()
    }

    /// It as it is sent by the button below it that deletes answers.
    pub(super) fn deleting(&self, said: &Said) -> Self {
        let button = "form=\"message\" formaction=\"/words\" formnovalidate";
        assert!(text(said).contains(button), "{}", text(said));
        Self {
            action: "/words".to_owned(),
            ..self.clone()
        }
    }

    pub(super) fn get(&self, name: &str) -> &str {
        let mut fields = self.fields.iter();
        fields
            .find(|(other, _)| other == name)
            .map_or("", |field| field.1.as_str())
    }

    /// With this in a field, which stands before the text if it is a new one.
    pub(super) fn with(mut self, name: &str, value: &str) -> Self {
        match self.fields.iter_mut().find(|(other, _)| other == name) {
            Some(field) => field.1 = value.to_owned(),
            None => self.fields.insert(0, (name.to_owned(), value.to_owned())),
        }
        self
    }

    pub(super) fn without(&self, name: &str) -> Self {
        let mut form = self.clone();
        form.fields.retain(|(other, _)| other != name);
        form
    }

    /// With a field more, before the others, even if there are some of its name.
    pub(super) fn and(mut self, name: &str, value: &str) -> Self {
        self.fields.insert(0, (name.to_owned(), value.to_owned()));
        self
    }

    pub(super) fn file(mut self, name: &str, media_type: &str, bytes: &[u8]) -> Self {
        self.files
            .push((name.to_owned(), media_type.to_owned(), bytes.to_vec()));
        self
    }

    /// Head and body, as Firefox sends them.
    pub(super) fn request(&self) -> (String, Vec<u8>) {
        let mut body = Vec::new();
        for (name, value) in &self.fields {
            body.extend_from_slice(
                format!("--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n").as_bytes(),
            );
        }
        for (name, media_type, bytes) in &self.files {
            let name = name
                .replace('"', "%22")
                .replace('\r', "%0D")
                .replace('\n', "%0A");
            body.extend_from_slice(
                format!("--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"file\"; filename=\"{name}\"\r\nContent-Type: {media_type}\r\n\r\n").as_bytes(),
            );
            body.extend_from_slice(bytes);
            body.extend_from_slice(b"\r\n");
        }
        body.extend_from_slice(format!("--{BOUNDARY}--\r\n").as_bytes());
        let head = format!(
            "POST {} HTTP/1.1\r\nhost: {HOST}\r\norigin: http://{HOST}\r\nsec-fetch-site: same-origin\r\n\
             accept-language: en\r\ncontent-type: multipart/form-data; boundary={BOUNDARY}\r\ncontent-length: {}\r\n\r\n",
            self.action,
            body.len()
        );
        (head, body)
    }
}

pub(super) fn attribute(tag: &str, name: &str) -> Option<String> {
    let (_, rest) = tag.split_once(&format!("{name}=\""))?;
    Some(rest.split('"').next()?.to_owned())
}

pub(super) fn unescaped(value: &str) -> String {
    let characters = [
        ("&#60;", "<"),
        ("&#62;", ">"),
        ("&#34;", "\""),
        ("&#39;", "'"),
        ("&#38;", "&"),
    ];
    characters
        .iter()
        .fold(value.to_owned(), |value, (escaped, plain)| {
            value.replace(escaped, plain)
        })
}
