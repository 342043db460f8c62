use std::io;

use super::*;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};

const OK: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n";

/// Both ends of a line on which so many bytes may be under way each way.
fn line(bytes: usize) -> (Pipeline<DuplexStream>, DuplexStream) {
    let (near, far) = tokio::io::duplex(bytes);
    let host = "host".to_owned();
    (Pipeline::new(near, host, Duration::from_secs(60)), far)
}

fn request(body: &[u8]) -> Request {
    Request::bytes("/msg", body, 2)
}

async fn answered(pipeline: &mut Pipeline<DuplexStream>) -> Result<(u16, Vec<u8>), TransportError> {
    loop {
        if let Step::Answered(response) = pipeline.step().await? {
            return Ok((response.status, response.body.to_vec()));
        }
    }
}

/// What of a request has been read.
async fn read(far: &mut DuplexStream, request: &Request) {
    let mut bytes = request.to_bytes("host");
    let expected = bytes.clone();
    far.read_exact(&mut bytes).await.expect("all of it comes");
    assert!(bytes == expected);
}

#[tokio::test(start_paused = true)]
async fn the_next_request_leaves_before_the_answer_to_the_last() {
    let (mut pipeline, mut far) = line(1 << 20);
    let requests = [b'a', b'b', b'c'].map(|byte| request(&[byte; 70_000]));
    for request in &requests {
        assert!(pipeline.is_ready());
        pipeline.send(request);
        assert!(matches!(pipeline.step().await, Ok(Step::Sent)));
    }
    assert_eq!(pipeline.wholly_sent(), 3);
    for request in &requests {
        read(&mut far, request).await;
    }
    for body in [b"1.", b"2.", b"3."] {
        far.write_all(OK).await.expect("it is read");
        far.write_all(body).await.expect("it is read");
    }
    for (left, body) in [(2, b"1."), (1, b"2."), (0, b"3.")] {
        let (status, answer) = answered(&mut pipeline).await.expect("it has come");
        assert_eq!((status, answer), (200, body.to_vec()));
        assert_eq!(pipeline.wholly_sent(), left);
    }
}

#[tokio::test(start_paused = true)]
async fn an_answer_in_any_pieces_is_one() {
    let whole = [OK, b"no"].concat();
    for first in 1..whole.len() {
        let (mut pipeline, mut far) = line(1 << 16);
        pipeline.send(&request(b"."));
        let (before, after) = whole.split_at(first);
        let after = after.to_vec();
        far.write_all(before).await.expect("it is read");
        tokio::spawn(async move {
            tokio::task::yield_now().await;
            far.write_all(&after).await.map(|()| far)
        });
        let answer = answered(&mut pipeline).await.expect("it comes");
        assert_eq!(answer, (200, b"no".to_vec()), "{first}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_early_answer_is_read_though_the_rest_of_the_request_can_not_be_sent() {
    let (mut pipeline, mut far) = line(256);
    pipeline.send(&request(&[7; 70_000]));
    let refusal = b"HTTP/1.1 408 \r\nConnection: close\r\nContent-Length: 1\r\n\r\nx";
    far.write_all(refusal).await.expect("there is room");
    drop(far);
    let answer = answered(&mut pipeline).await.expect("it has come");
    assert_eq!(answer, (408, b"x".to_vec()));
    assert_eq!(pipeline.wholly_sent(), 0);
}

#[tokio::test(start_paused = true)]
async fn what_is_answered_early_is_sent_to_its_end_before_the_next() {
    let (mut pipeline, mut far) = line(1000);
    let requests = [1, 2].map(|byte| request(&[byte; 70_000]));
    pipeline.send(&requests[0]);
    far.write_all(&[OK, b"no"].concat()).await.expect("room");
    assert!(answered(&mut pipeline).await.is_ok());
    assert!(!pipeline.is_ready());
    let both = requests.clone();
    let reads = tokio::spawn(async move {
        for request in &both {
            read(&mut far, request).await;
        }
        far.write_all(&[OK, b"ok"].concat()).await
    });
    assert!(matches!(pipeline.step().await, Ok(Step::Sent)));
    pipeline.send(&requests[1]);
    let answer = answered(&mut pipeline).await.expect("it comes");
    assert_eq!(answer, (200, b"ok".to_vec()));
    assert!(reads.await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_line_that_ends_behind_an_early_answer_is_told() {
    let (mut pipeline, mut far) = line(1000);
    pipeline.send(&request(&[7; 70_000]));
    far.write_all(&[OK, b"no"].concat()).await.expect("room");
    drop(far);
    assert!(answered(&mut pipeline).await.is_ok());
    let ended = answered(&mut pipeline).await;
    assert!(matches!(ended, Err(TransportError::Closed)), "{ended:?}");
}

#[tokio::test(start_paused = true)]
async fn a_request_that_was_cut_is_not_wholly_sent_and_those_before_are() {
    let (mut pipeline, mut far) = line(1000);
    let (first, second) = (request(&[1; 100]), request(&[2; 70_000]));
    pipeline.send(&first);
    assert!(matches!(pipeline.step().await, Ok(Step::Sent)));
    pipeline.send(&second);
    let reads = tokio::spawn(async move { read(&mut far, &first).await });
    let cut = answered(&mut pipeline).await;
    assert!(matches!(cut, Err(TransportError::Closed)), "{cut:?}");
    reads.await.expect("the first has come");
    assert_eq!(pipeline.wholly_sent(), 1);
    assert!(!pipeline.is_ready(), "nothing more is sent");
}

#[tokio::test(start_paused = true)]
async fn each_answer_has_its_time_from_the_one_before() {
    let (mut pipeline, mut far) = line(1 << 20);
    let body = [0; 1 << 16];
    let time = request(&body).timeout(Duration::from_secs(60));
    for _ in 0..3 {
        pipeline.send(&request(&body));
        assert!(matches!(pipeline.step().await, Ok(Step::Sent)));
    }
    tokio::spawn(async move {
        for _ in 0..2 {
            tokio::time::sleep(time - Duration::from_secs(1)).await;
            far.write_all(&[OK, b"no"].concat()).await?;
        }
        tokio::time::sleep(2 * time).await;
        io::Result::Ok(far)
    });
    let began = Instant::now();
    assert!(answered(&mut pipeline).await.is_ok());
    assert!(answered(&mut pipeline).await.is_ok());
    let late = answered(&mut pipeline).await;
    assert!(matches!(late, Err(TransportError::TimedOut(_))), "{late:?}");
    assert_eq!(began.elapsed(), 3 * time - Duration::from_secs(2));
}

#[test]
fn a_response_says_how_long_it_is_in_one_way_only() {
    let read = |text: &str| head(text.as_bytes(), 100);
    let bytes = "HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n";
    let whole = Head {
        status: 200,
        bytes: bytes.len(),
        length: 100,
    };
    assert_eq!(read(bytes), Some(Some(whole)));
    for end in 0..bytes.len() {
        assert_eq!(read(&bytes[..end]), Some(None), "{end}");
    }
    for malformed in [
        "HTTP/1.1 200 OK\r\n\r\n",
        "HTTP/1.1 200 OK\r\ncontent-length: 101\r\n\r\n",
        "HTTP/1.1 200 OK\r\ncontent-length: +1\r\n\r\n",
        "HTTP/1.1 200 OK\r\ncontent-length: -1\r\n\r\n",
        "HTTP/1.1 200 OK\r\ncontent-length: 1, 1\r\n\r\n",
        "HTTP/1.1 200 OK\r\ncontent-length: \r\n\r\n",
        "HTTP/1.1 200 OK\r\ncontent-length: 99999999999999999999999\r\n\r\n",
        "HTTP/1.1 200 OK\r\ncontent-length: 1\r\nContent-Length: 1\r\n\r\n",
        "HTTP/1.1 200 OK\r\ncontent-length: 1\r\ntransfer-encoding: chunked\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: identity\r\n\r\n",
        "HTTP/1.1 100 Continue\r\ncontent-length: 0\r\n\r\n",
        "HTTP/1.0 200 OK\r\ncontent-length: 1\r\n\r\n",
        "HTTP/2 200\r\ncontent-length: 1\r\n\r\n",
        "SSH-2.0-OpenSSH_9.9\r\n",
        "\0",
    ] {
        assert_eq!(read(malformed), None, "{malformed:?}");
    }
}

#[test]
fn a_head_has_an_end() {
    let fields = |number: usize| {
        let fields = "a: 0123456789\r\n".repeat(number);
        format!("HTTP/1.1 200 OK\r\ncontent-length: 1\r\n{fields}\r\n")
    };
    assert!(matches!(head(fields(31).as_bytes(), 1), Some(Some(_))));
    assert_eq!(head(fields(32).as_bytes(), 1), None);
    let long = format!("HTTP/1.1 200 OK\r\na: {}", "a".repeat(MAX_HEAD_BYTES));
    assert_eq!(head(long.as_bytes(), 1), None);
    assert_eq!(head(&long.as_bytes()[..MAX_HEAD_BYTES - 1], 1), Some(None));
}

#[test]
fn what_follows_a_response_stays() {
    let mut come = [OK, b"1.", OK, b"2"].concat();
    let now = Instant::now();
    let response = parse(&mut come, 2, now).expect("it is one");
    assert_eq!(response.expect("it is whole").body[..], b"1."[..]);
    assert!(matches!(parse(&mut come, 2, now), Ok(None)));
    assert_eq!(come, [OK, b"2"].concat());
    assert!(parse(&mut come, 1, now).is_err(), "it is too long");
}
