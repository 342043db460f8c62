//! What it takes to follow a relay, in bytes that come over its owner's socket.

use super::*;
use crate::stage::Socket;
use crate::tui::event::channel::{EventReceiver, event_channel};
use kkv_relay::owner::Host;
use kkv_relay::owner::stage::Stage;
use kkv_relay::queue::Queue;

const MESSAGES: u32 = 10_000;
/// The longest of the status and of a change, with its head.
const ANSWER_BYTES: u64 = 2048;

/// Waits until the client has heard how the relay is now, and what is in it. How many answers that were.
async fn heard(stage: &Stage, happening: &mut EventReceiver) -> u64 {
    let mut answers = 0;
    loop {
        match happening.recv().await {
            Some(Event::Relay(RelayEvent::Listed(status, _))) => {
                answers += 2;
                if status.queue == stage.status().queue {
                    return answers;
                }
            }
            Some(Event::Relay(RelayEvent::Status(_))) => answers += 1,
            _ => panic!("it answers"),
        }
    }
}

#[tokio::test]
async fn a_change_costs_what_has_changed_however_many_messages_there_are() {
    let stage = Stage::new(Queue::new(MESSAGES + 1, None).unwrap(), 7);
    for _ in 0..MESSAGES {
        stage.arrive("hello").unwrap();
    }
    let (socket, serving) = Socket::of(&stage).await;
    let bytes = || socket.bytes();
    let (events, mut happening) = event_channel();
    let worker = RelayWorker::new(Some(socket.path()), events, false);
    let changes = async {
        heard(&stage, &mut happening).await;
        let whole = bytes();
        assert!(whole > 100 * u64::from(MESSAGES), "{whole}");
        let id = MessageId(u64::from(MESSAGES) / 2);
        let (queue, now) = (&stage.queue, stage.elapsed());
        let arrives = || stage.arrive("one more").is_some();
        let is_read = || queue.mark(id, true, now);
        let is_deleted = || queue.delete(id, now);
        let first_goes = || queue.delete(MessageId(1), now);
        let each: [(&str, &dyn Fn() -> bool); 4] = [
            ("an arrival", &arrives),
            ("a mark", &is_read),
            ("a deletion", &is_deleted),
            ("the oldest's end", &first_goes),
        ];
        for (what, change) in each {
            let before = bytes();
            assert!(change(), "{what}");
            let answers = heard(&stage, &mut happening).await;
            let cost = bytes() - before;
            assert!(cost <= (answers + 2) * ANSWER_BYTES, "{what}: {cost}");
        }
    };
    tokio::select! {
        _ = serving => panic!("it serves"),
        () = worker.follow() => panic!("it follows"),
        () = changes => {}
    }
}
