//! What is said of outgoing messages: in the list of them, at the top elsewhere, and when one leaves.

use std::sync::{Arc, Mutex};

use super::*;
use kkv_ui::error::{CliError, Exit};
use kkv_ui::fields::time;
use kkv_ui::outcome::cancelled;
use kkv_ui::steps::Steps;

fn begun(app: &mut App, id: u64, at: u64) {
    let progress = Arc::new(Mutex::new(Steps::new(None)));
    app.update(Event::Delivery(DeliveryEvent::Started { id, progress, at }));
}

fn failed(app: &mut App, id: u64, failed: CliError) {
    app.update(Event::Delivery(DeliveryEvent::Failed(id, failed)));
}

#[test]
fn what_its_owner_has_ended_is_not_called_failed() {
    let mut app = app(1..=1);
    let id = sent(&mut app, "words");
    failed(&mut app, id, cancelled(false));
    let shown = screen(&mut app, 80, 24);
    assert!(
        shown.contains(" cancelled  ") && !shown.contains("failed"),
        "{shown}"
    );

    for keys in ["n", "\x03"] {
        let id = sent(&mut app, "other words");
        let (answer, mut answered) = tokio::sync::oneshot::channel();
        let words = "It takes long.".to_owned();
        app.update(Event::Delivery(DeliveryEvent::PaymentQuestion {
            id,
            words,
            answer,
        }));
        press(&mut app, keys);
        assert_ne!(answered.try_recv(), Ok(true));
        press(&mut app, "n");
        failed(&mut app, id, CliError::new(Exit::NotPaid, "out of reach"));
        let shown = screen(&mut app, 80, 24);
        assert!(shown.contains(" you declined "), "{shown}");
        assert!(!shown.contains("failed"), "{shown}");
        // Sent again, it may fail by itself.
        press(&mut app, "\n\x13");
        failed(
            &mut app,
            id,
            CliError::new(Exit::Unreachable, "nobody is there"),
        );
        assert!(screen(&mut app, 80, 24).contains(" failed "));
        app.outbox.forget(id);
    }
}

#[test]
fn messages_to_the_same_address_differ_in_time_and_length() {
    let mut app = app(1..=1);
    let id = sent(&mut app, "seven b");
    begun(&mut app, id, 1_800_000_000);
    app.update(accepted(id));
    let id = sent(&mut app, "somewhat longer");
    begun(&mut app, id, 1_800_007_260);
    press(&mut app, "\x1bc\tdraft\x1bo");
    let shown = screen(&mut app, 80, 24);
    let (first, second) = (time(1_800_000_000), time(1_800_007_260));
    for line in [
        format!(" accepted     {first}     7 bytes  {}", &ADDRESS[..20]),
        format!(" on its way   {second}    15 bytes  {}", &ADDRESS[..20]),
        format!(" draft        {:16}     5 bytes  nobody yet", ""),
    ] {
        assert!(shown.contains(&line), "{line} in {shown}");
    }
    let shown = screen(&mut app, 40, 10);
    let hour = first.split(' ').next_back().unwrap();
    let line = format!(" accepted     {hour}    7 B  {}", &ADDRESS[..10]);
    assert!(shown.contains(&line), "{line} in {shown}");
}

#[test]
fn that_a_message_is_on_its_way_is_seen_away_from_the_list_of_those() {
    let mut app = app(1..=1);
    let id = sent(&mut app, "words");
    begun(&mut app, id, 0);
    assert!(!screen(&mut app, 80, 24).contains("1 on its way"));
    press(&mut app, "\x1b");
    for width in [40, 60, 80, 160] {
        let shown = screen(&mut app, width, 24);
        let head = shown.lines().next().unwrap();
        assert!(head.contains(" 1 on its way "), "{head}");
    }
    let second = sent(&mut app, "more words");
    begun(&mut app, second, 0);
    press(&mut app, "\x1b");
    assert!(screen(&mut app, 80, 24).contains(" 2 on their way "));
    app.update(accepted(id));
    app.update(accepted(second));
    assert!(!screen(&mut app, 80, 24).contains(" way "));
}

#[test]
fn who_leaves_is_told_what_is_still_on_its_way() {
    let mut app = app(1..=1);
    let id = sent(&mut app, "words");
    begun(&mut app, id, 0);
    press(&mut app, "\x03");
    let shown = screen(&mut app, 80, 24);
    assert!(shown.contains("Leave? A message is on its way."), "{shown}");
    press(&mut app, "n");
    let second = sent(&mut app, "more words");
    press(&mut app, "\x03");
    let shown = screen(&mut app, 80, 24);
    assert!(
        shown.contains("Leave? 2 messages are on their way."),
        "{shown}"
    );
    press(&mut app, "n");
    failed(
        &mut app,
        second,
        CliError::new(Exit::Unreachable, "nobody is there"),
    );
    press(&mut app, "\x03");
    let shown = screen(&mut app, 80, 24);
    assert!(shown.contains("1 of them is on its way"), "{shown}");
    press(&mut app, "n");
    failed(
        &mut app,
        id,
        CliError::new(Exit::Unreachable, "nobody is there"),
    );
    app.outbox.forget(second);
    press(&mut app, "\x03");
    let shown = screen(&mut app, 80, 24);
    let is_undelivered = shown.contains("that you have written was not");
    assert!(is_undelivered && !shown.contains(" way"), "{shown}");
}
