//! When a session for a message with files is over, and what room there is.

use super::*;

#[tokio::test(start_paused = true)]
async fn a_session_is_over_in_time_and_with_a_wipe_and_its_memory_is_wiped() {
    let (relay, clock) = relay(1 << 20);
    let half_sent = async || {
        let mut upload = sealed(&relay, LargeSize::Mib1);
        let first = upload.missing().iter().next().unwrap();
        let body = upload.begin(first).to_vec();
        assert_eq!(said(&relay, &body).await.status, 200);
        upload
    };
    let upload = half_sent().await;
    clock.advance(UPLOAD_IDLE - Duration::from_secs(1));
    relay.purge();
    assert_eq!(said(&relay, upload.query()).await.status, 200);
    clock.advance(Duration::from_secs(1));
    assert_eq!(said(&relay, upload.query()).await.refusal(), "unproven");
    relay.purge();
    assert!(is_wiped(&relay));

    // A piece every nine minutes is not enough in the end.
    let mut upload = half_sent().await;
    let began = clock.elapsed();
    while clock.elapsed() - began < UPLOAD_LIFETIME - Duration::from_secs(600) {
        clock.advance(Duration::from_secs(540));
        let next = upload.missing().iter().nth(1).unwrap();
        let body = upload.begin(next).to_vec();
        let said = said(&relay, &body).await;
        upload.acknowledged(&said.body).unwrap();
    }
    clock.advance(began + UPLOAD_LIFETIME - clock.elapsed() - Duration::from_secs(1));
    assert_eq!(said(&relay, upload.query()).await.status, 200);
    clock.advance(Duration::from_secs(1));
    assert_eq!(said(&relay, upload.query()).await.refusal(), "unproven");
    relay.purge();
    assert!(is_wiped(&relay));

    // A wipe reaches what is on its way, and says no more than that.
    let mut upload = half_sent().await;
    let next = upload.missing().iter().nth(1).unwrap();
    let body = upload.begin(next).to_vec();
    let mut stream = connect(&relay);
    send(&mut stream, &body, 30_000, None).await;
    settle().await;
    relay.wipe();
    assert!(is_wiped(&relay));
    let _ = stream.write_all(&body[30_000..]).await;
    assert_eq!(read(&mut stream, None).await.unwrap().refusal(), "unproven");
    assert_eq!(said(&relay, upload.query()).await.refusal(), "unproven");

    let mut upload = sealed(&relay, LargeSize::Kib16);
    assert!(all_sent(&relay, &mut upload).await.is_some());
    relay.wipe();
    assert!(is_wiped(&relay));
    let again = said(&relay, upload.query()).await;
    assert!(upload.acknowledged(&again.body).unwrap().is_some());
    clock.advance(UPLOAD_IDLE);
    assert_eq!(said(&relay, upload.query()).await.refusal(), "unproven");
    let upload = half_sent().await;
    relay.close();
    assert_eq!(said(&relay, upload.query()).await.refusal(), "unproven");
}

#[tokio::test(start_paused = true)]
async fn what_was_begun_too_often_or_is_no_message_ends_its_session() {
    let (relay, _) = relay(1 << 20);
    let mut upload = sealed(&relay, LargeSize::Kib16);
    let index = upload.missing().iter().next().unwrap();
    let body = upload.begin(index).to_vec();
    let mut changed = body.clone();
    *changed.last_mut().unwrap() ^= 1;
    let mut stream = connect(&relay);
    for _ in 0..MAX_PIECES_BEGUN {
        assert_eq!(say(&mut stream, &changed).await.refusal(), "unproven");
    }
    assert_eq!(said(&relay, &body).await.refusal(), "unproven");
    assert_eq!(said(&relay, upload.query()).await.refusal(), "unproven");
    assert!(is_wiped(&relay));
}

#[test]
fn there_is_as_much_room_as_there_is_and_it_has_its_price() {
    let (relay, clock) = relay(1 << 20);
    let cost = |relay: &Relay, size| {
        let hello = Hello::for_large(SenderKey::generate(&mut rand::rng()), size, None);
        let answer = relay.pow_v2(&hello.request(), &mut rand::rng())?;
        Ok(hello.challenged(&answer).unwrap().terms().cost.bits())
    };
    let costs = |relay: &Relay| LargeSize::ALL.map(|size| cost(relay, size));
    assert_eq!(costs(&relay), [Ok(2), Ok(3), Ok(4), Ok(5)]);
    let late = paid(&relay, LargeSize::Kib256).unwrap();
    let text = relay.cost();
    let mut open = vec![session(&relay, LargeSize::Kib256).unwrap()];
    assert_eq!(costs(&relay), [Ok(2), Ok(3), Ok(4), Err(Refusal::Full)]);
    open.push(session(&relay, LargeSize::Kib256).unwrap());
    open.push(session(&relay, LargeSize::Kib256).unwrap());
    assert_eq!(opened(&relay, late).err(), Some(Refusal::PriceRose));
    assert_eq!(costs(&relay)[..3], [Ok(6), Ok(7), Ok(8)]);
    open.push(session(&relay, LargeSize::Kib256).unwrap());
    assert_eq!(costs(&relay), [(); 4].map(|()| Err(Refusal::Full)));
    assert_eq!(relay.cost(), text, "a text's price is what it was");
    assert_eq!(relay.queue().occupancy(Duration::ZERO).free(), 1);
    relay.wipe();
    assert_eq!(costs(&relay), [Ok(2), Ok(3), Ok(4), Ok(5)]);

    // Who is invited pays nothing, and gives the use back if the message doesn't come.
    let invited = |relay: &Relay, token: &Token| {
        let rng = &mut rand::rng();
        let hello = Hello::for_large(SenderKey::generate(rng), LargeSize::Kib256, Some(token));
        let answer = relay.pow_v2(&hello.request(), rng)?;
        let challenged = hello.challenged(&answer).unwrap();
        assert_eq!(challenged.terms().session_lifetime, 600);
        opened(relay, challenged.solved(&[0], rng))
    };
    let day = Duration::from_secs(86_400);
    let made = relay
        .invitations()
        .make(1, day, relay.now(), &mut rand::rng());
    let (token, _) = made.unwrap();
    invited(&relay, &token).unwrap();
    let uninvited = Some(Refusal::Uninvited);
    assert_eq!(invited(&relay, &token).err(), uninvited);
    clock.advance(UPLOAD_IDLE);
    relay.purge();
    invited(&relay, &token).unwrap();

    let (none, _) = self::relay(0);
    assert_eq!(costs(&none), [(); 4].map(|()| Err(Refusal::UnknownPurpose)));
    let (small, _) = self::relay(64 << 10);
    let unknown = Err(Refusal::UnknownPurpose);
    assert_eq!(costs(&small), [Ok(2), Ok(3), unknown, unknown]);
}
