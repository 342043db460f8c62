//! Who holds a place or a session, and for how long.

use super::*;

#[tokio::test(start_paused = true)]
async fn large_bodies_wait_for_each_other_and_small_ones_for_none() {
    let relay = relay(SuitePolicy::Any);
    let mut stalled = Vec::new();
    for _ in 0..MAX_LARGE_BODIES {
        let mut asking = session(&relay, BodySize::Kib64);
        let request = asking.request(0, b"", BodySize::Kib64).unwrap();
        let mut stream = connect(&relay);
        let head = head(65_536, MEDIA_TYPE);
        stream.write_all(head.as_bytes()).await.unwrap();
        stream.write_all(&request.body()[..2000]).await.unwrap();
        stalled.push(stream);
    }
    tokio::task::yield_now().await;
    let began = Instant::now();
    let mut small = session(&relay, BodySize::Kib16);
    ask(&mut connect(&relay), &mut small, BodySize::Kib16).await;
    assert_eq!(
        began.elapsed(),
        Duration::ZERO,
        "a small one waits for none"
    );
    // A fifth gets its turn when the others have timed out.
    let mut asking = session(&relay, BodySize::Kib64);
    ask(&mut connect(&relay), &mut asking, BodySize::Kib64).await;
    assert!(began.elapsed() >= REQUEST_TIMEOUT / 2);
}

/// Begins a large body that never comes whole. What is said of it at once.
async fn begin(relay: &Arc<Relay>, asking: &mut Asking) -> (DuplexStream, Option<Said>) {
    let request = asking.request(0, b"", BodySize::Kib64).unwrap();
    let mut stream = connect(relay);
    let head = head(65_536, MEDIA_TYPE);
    stream.write_all(head.as_bytes()).await.unwrap();
    stream.write_all(&request.body()[..2000]).await.unwrap();
    let said = timeout(Duration::from_secs(1), read(&mut stream, None));
    let said = said.await.ok().flatten();
    (stream, said)
}

#[tokio::test(start_paused = true)]
async fn a_session_has_one_large_body_at_a_time_and_begins_so_many() {
    let relay = relay(SuitePolicy::Any);
    // The sender makes no more than sixteen requests, so two of them share the session's name.
    let mut asking = session(&relay, BodySize::Kib64);
    let (first, said) = begin(&relay, &mut asking).await;
    assert_eq!(said, None);
    let (_, said) = begin(&relay, &mut asking).await;
    assert_eq!(said.map(|said| said.status), Some(429));
    drop(first);
    sleep(Duration::from_secs(1)).await;
    for _ in 1..12 {
        let (stream, said) = begin(&relay, &mut asking).await;
        assert_eq!(said, None, "there is none beside it");
        drop(stream);
        sleep(Duration::from_secs(1)).await;
    }
    let id = asking.session();
    for _ in 12..kkv_base::limits::MAX_LARGE_BEGUN {
        drop(relay.asks.begin_large(&id).unwrap());
    }
    assert!(relay.asks.begin_large(&id).is_err(), "and then it is over");
    let request = asking.request(0, b"", BodySize::Kib4).unwrap();
    let said = say(&mut connect(&relay), request.body(), None)
        .await
        .unwrap();
    assert_eq!((said.status, said.refusal()), (401, "unproven"));
}

#[tokio::test(start_paused = true)]
async fn a_session_lives_while_its_chunks_come_and_ends_with_the_relay() {
    let clock = Arc::new(ManualClock::new(START));
    let relay = relay_by(SuitePolicy::Any, Arc::clone(&clock));
    let mut asking = session(&relay, BodySize::Kib256);
    let pass = async |seconds| {
        sleep(Duration::from_millis(1)).await; // until everybody waits
        clock.advance(Duration::from_secs(seconds));
        relay.purge();
    };
    let request = asking.request(0, b"", BodySize::Kib256).unwrap();
    let mut stream = connect(&relay);
    let head = head(request.body().len(), MEDIA_TYPE);
    stream.write_all(head.as_bytes()).await.unwrap();
    for piece in request.body().chunks(65_536) {
        stream.write_all(piece).await.unwrap();
        pass(100).await;
    }
    let said = read(&mut stream, None).await.unwrap();
    assert!(asking.answer(&request, said.body).is_ok());
    // From the last piece of that answer.
    pass(119).await;
    ask(&mut connect(&relay), &mut asking, BodySize::Kib4).await;
    pass(120).await;
    let request = asking.request(0, b"", BodySize::Kib4).unwrap();
    let said = say(&mut connect(&relay), request.body(), None)
        .await
        .unwrap();
    assert_eq!((said.status, said.refusal()), (401, "unproven"));

    let mut other = session(&relay, BodySize::Kib4);
    relay.close();
    let request = other.request(0, b"", BodySize::Kib4).unwrap();
    let said = say(&mut connect(&relay), request.body(), None)
        .await
        .unwrap();
    assert_eq!(said.refusal(), "unproven");
    let exchanging = paid(&relay, BodySize::Kib4);
    let refused = relay.exchange_v2(exchanging.request(), &mut rand::rng());
    assert_eq!(refused, Err(Refusal::Stopping));
}

#[tokio::test(start_paused = true)]
async fn another_method_is_refused_as_on_every_route() {
    let relay = relay(SuitePolicy::Any);
    let mut stream = connect(&relay);
    let get = format!("GET /ask HTTP/1.1\r\nhost: {HOST}\r\n\r\n");
    stream.write_all(get.as_bytes()).await.unwrap();
    let said = read(&mut stream, None).await.unwrap();
    assert_eq!((said.status, said.refusal()), (405, "method_not_allowed"));
}

/// Asks for an answer that nobody reads. Whether it has begun in five seconds.
async fn begins(stream: &mut DuplexStream, asking: &mut Asking) -> bool {
    let request = asking.request(0, b"", BodySize::Kib4).unwrap();
    let head = head(4096, MEDIA_TYPE);
    stream.write_all(head.as_bytes()).await.unwrap();
    stream.write_all(request.body()).await.unwrap();
    let mut status = [0; 12];
    let first = timeout(Duration::from_secs(5), stream.read_exact(&mut status));
    first.await.is_ok() && status == *b"HTTP/1.1 200"
}

#[tokio::test(start_paused = true)]
async fn large_answers_that_nobody_reads_hold_their_places_and_small_ones_need_none() {
    for size in [BodySize::Kib64, BodySize::Mib1] {
        let relay = relay(SuitePolicy::Any);
        let (mut large, mut small) = (session(&relay, size), session(&relay, BodySize::Kib4));
        let mut unread = Vec::new();
        for _ in 0..MAX_LARGE_BODIES {
            let mut stream = connect(&relay);
            assert!(begins(&mut stream, &mut large).await);
            unread.push(stream);
        }
        assert!(!begins(&mut connect(&relay), &mut large).await, "{size:?}");
        assert!(begins(&mut connect(&relay), &mut small).await);
        unread.clear();
        assert!(begins(&mut connect(&relay), &mut large).await);
    }
}

/// Connections that come as a listener's do.
struct Listener(tokio::sync::mpsc::Receiver<DuplexStream>);

impl kkv_net::http::Accept for Listener {
    type Stream = DuplexStream;

    fn allowed_hosts(&self) -> AllowedHosts {
        AllowedHosts::Onion
    }

    async fn accept(&mut self) -> Option<DuplexStream> {
        self.0.recv().await
    }
}

#[tokio::test(start_paused = true)]
async fn who_sends_a_body_in_drops_evicts_nobody_else() {
    let relay = relay(SuitePolicy::Any);
    let (to, connections) = tokio::sync::mpsc::channel(8);
    let router = crate::relay::router(Arc::clone(&relay));
    let limits = ConnectionLimits::for_strangers(64); // four first requests at once
    tokio::spawn(kkv_net::http::serve(Listener(connections), router, limits));
    let dial = async |said: &str| {
        let (mut near, far) = tokio::io::duplex(PIPE_BYTES);
        to.send(far).await.unwrap();
        near.write_all(said.as_bytes()).await.unwrap();
        sleep(Duration::from_millis(100)).await;
        near
    };
    let mut crowd = Vec::new();
    for _ in 0..3 {
        crowd.push(dial(&head(4096, MEDIA_TYPE)).await);
    }
    let message = head(10, "application/json").replace("/ask", "/msg");
    let mut honest = dial(&message).await;
    for one in &mut crowd {
        one.write_all(b"x").await.unwrap();
    }
    sleep(Duration::from_millis(100)).await;
    let _newcomer = dial("P").await;
    honest.write_all(&[b'x'; 10]).await.unwrap();
    assert_eq!(
        read(&mut honest, None).await.unwrap().refusal(),
        "malformed"
    );
}
