//! A published server in a test: answers on pipes what the published table says, checks what a published server checks,
//! and keeps every request it got. It can be told to refuse, and to say wrong things under a right signature.
#![allow(
    dead_code,
    unreachable_pub,
    reason = "a library to tests, each of which uses a part of it"
)]

use std::sync::{Arc, Mutex, MutexGuard};

use ed25519_dalek::{Signer, SigningKey};
use kkv_net::tor::{Dial, DialError};
use tokio::io::{AsyncWriteExt, DuplexStream};

use super::published::{Challenge, OneUse, hex, open, parse_form, random, unhex, verifies};
use super::raw_http::{FORM, Request, Wire, answer};
use crate::in_process::{PIPE_BYTES, START};

/// What a published server says to step 2 when it refuses: hex of 80 and 64 zero bytes.
pub fn pow_filler() -> Vec<u8> {
    let (bytes, signature) = ("00".repeat(80), "00".repeat(64));
    let body = format!("{{\"bytes\":\"{bytes}\",\"signature\":\"{signature}\"}}");
    answer(200, "application/json", body)
}

/// What it says to step 3 when it refuses: six empty strings.
pub fn exchange_filler() -> Vec<u8> {
    let names = [
        "ed25519_pubkey",
        "nonce",
        "pow",
        "pow_sig",
        "diffie_hellman",
        "diffie_hellman_sig",
    ];
    let fields = names.map(|name| format!("\"{name}\":\"\""));
    let body = format!("{{{}}}", fields.join(","));
    answer(200, "application/json", body)
}

/// What it says to step 4 when it refuses.
pub fn unauthorized() -> Vec<u8> {
    answer(401, "text/plain; charset=utf-8", "")
}

/// A server and what has happened to it.
#[derive(Clone)]
pub struct PublishedServer {
    pub key: SigningKey,
    pub cost: u32,
    /// Bytes to say at a path instead of what is right.
    pub instead: Option<(&'static str, Vec<u8>)>,
    /// Changes a challenge before it is signed.
    pub challenge: Arc<dyn Fn(&mut Challenge) + Send + Sync>,
    /// An X25519 key to sign and send instead of its own.
    pub exchange_key: Option<[u8; 32]>,
    state: Arc<Mutex<State>>,
}

/// What has happened.
#[derive(Default)]
pub struct State {
    pub dialled: usize,
    /// Every request, whole.
    pub requests: Vec<Request>,
    /// The challenge it has signed last, with the signature.
    pub challenged: Option<([u8; 76], [u8; 64])>,
    /// The client key that has an open session.
    pub session: Option<[u8; 32]>,
    /// The newest session's shared secret, kept when it has ended.
    pub shared: [u8; 32],
    /// What was accepted.
    pub texts: Vec<String>,
}

impl PublishedServer {
    pub fn new() -> Self {
        Self {
            key: SigningKey::from_bytes(&random()),
            cost: 8,
            instead: None,
            challenge: Arc::new(|_| {}),
            exchange_key: None,
            state: Arc::default(),
        }
    }

    /// One that says `bytes` at `path`.
    pub fn saying(path: &'static str, bytes: Vec<u8>) -> Self {
        let instead = Some((path, bytes));
        Self {
            instead,
            ..Self::new()
        }
    }

    pub fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no test panics while it looks")
    }

    /// "GET /get_domain_pk" and so on, in the order they came.
    pub fn asked(&self) -> Vec<String> {
        self.state().requests.iter().map(Request::line).collect()
    }

    pub fn texts(&self) -> Vec<String> {
        self.state().texts.clone()
    }

    async fn serve(self, stream: DuplexStream) {
        let mut wire = Wire::new(stream);
        while let Some(request) = wire.request().await {
            self.state().requests.push(request.clone());
            let bytes = match &self.instead {
                Some((path, bytes)) if *path == request.path => bytes.clone(),
                _ => self.answer(&request),
            };
            if wire.stream.write_all(&bytes).await.is_err() {
                return;
            }
        }
    }

    fn answer(&self, request: &Request) -> Vec<u8> {
        if request.line() == "GET /get_domain_pk" {
            return answer(200, "text/plain", hex(self.key.verifying_key().to_bytes()));
        }
        if request.method != "POST" || !["/pow", "/exchange_keys", "/msg"].contains(&&*request.path)
        {
            return answer(404, "text/plain", "");
        }
        if request.header("content-type") != Some(FORM) {
            let text = "Form requests must have `Content-Type: application/x-www-form-urlencoded`";
            return answer(415, "text/plain; charset=utf-8", text);
        }
        let form = parse_form(request.text());
        let field = |name: &str| {
            let found = form.iter().find(|(n, _)| n == name);
            found.map_or("", |(_, value)| value.as_str())
        };
        match request.path.as_str() {
            "/pow" => self.pow(field("bytes")),
            "/exchange_keys" => self.exchange(&field).unwrap_or_else(exchange_filler),
            _ => match self.message(&field) {
                Some(()) => answer(200, "text/plain", ""),
                None => unauthorized(),
            },
        }
    }

    fn pow(&self, client: &str) -> Vec<u8> {
        let mut challenge = Challenge {
            seed: random(),
            cost: self.cost,
            client: unhex(client),
            expiry: START + 480,
        };
        (self.challenge)(&mut challenge);
        let bytes = challenge.to_bytes();
        let signature = self.key.sign(&bytes).to_bytes();
        self.state().challenged = Some((bytes, signature));
        let (bytes, signature) = (hex(bytes), hex(signature));
        let body = format!("{{\"bytes\":\"{bytes}\",\"signature\":\"{signature}\"}}");
        answer(200, "application/json", body)
    }

    fn exchange<'f>(&self, field: &dyn Fn(&str) -> &'f str) -> Option<Vec<u8>> {
        let client = unhex(field("ed25519_pubkey"));
        let nonce = unhex(field("nonce"));
        let theirs = unhex(field("diffie_hellman"));
        let pow = unhex(field("pow"));
        let proof = [theirs, nonce].concat();
        let public = self.key.verifying_key().to_bytes();
        let own = verifies(&public, &pow, &unhex(field("pow_sig")));
        let paid = Challenge::from_bytes(&pow).is_solved_by(&nonce);
        if !own || !paid || !verifies(&client, &proof, &unhex(field("diffie_hellman_sig"))) {
            return None;
        }
        let secret = OneUse::new();
        let key = self.exchange_key.unwrap_or(secret.public());
        {
            let mut state = self.state();
            state.session = Some(client);
            state.shared = secret.agree(theirs);
        }
        let signature = hex(self.key.sign(&key).to_bytes());
        let key = hex(key);
        let filler = |bytes: usize| "00".repeat(bytes);
        let body = format!(
            "{{\"ed25519_pubkey\":\"{}\",\"nonce\":\"{}\",\"pow\":\"{}\",\"pow_sig\":\"{}\",\
             \"diffie_hellman\":\"{key}\",\"diffie_hellman_sig\":\"{signature}\"}}",
            filler(32),
            filler(32),
            filler(32),
            filler(80)
        );
        Some(answer(200, "application/json", body))
    }

    fn message<'f>(&self, field: &dyn Fn(&str) -> &'f str) -> Option<()> {
        let mut state = self.state();
        let client = state.session?;
        if field("pubkey") != hex(client) || field("chiphertext").len() > 6000 {
            return None;
        }
        let ciphertext = data_encoding::HEXLOWER
            .decode(field("chiphertext").as_bytes())
            .ok()?;
        if !verifies(&client, &ciphertext, &unhex(field("signature"))) {
            return None;
        }
        let plain = open(&state.shared, &ciphertext)?;
        let (signature, text) = plain.split_first_chunk::<64>()?;
        // The published server takes NUL bytes out before it checks.
        let text: Vec<u8> = text.iter().copied().filter(|byte| *byte != 0).collect();
        if !verifies(&client, &text, signature) {
            return None;
        }
        state.session = None;
        state.texts.push(String::from_utf8(text).ok()?);
        Some(())
    }
}

impl Dial for PublishedServer {
    type Stream = DuplexStream;

    async fn dial(&self) -> Result<DuplexStream, DialError> {
        let (near, far) = tokio::io::duplex(PIPE_BYTES);
        self.state().dialled += 1;
        tokio::spawn(self.clone().serve(far));
        Ok(near)
    }
}
