//! What every response has, and what a body gets that is no form.

use super::*;

#[tokio::test(start_paused = true)]
async fn what_is_no_form_is_told_so() {
    let inbox = Inbox::new(1);
    let form = inbox.opened("/").await.with("text", "x");
    for path in ["/", "/words"] {
        for (media_type, body) in [
            ("text/plain", "x"),
            ("application/x-www-form-urlencoded", "text=x"),
            ("multipart/form-data; boundary=a", ""),
            ("multipart/form-data; boundary=a", "--a--"),
            (
                "multipart/form-data; boundary=a",
                "--a\r\nContent-Disposition: form-data; name=\"x\"\r\n\r\n1\r\n--a--",
            ),
        ] {
            let mut stream = connect(&inbox.relay);
            let length = body.len();
            let head = format!(
                "POST {path} HTTP/1.1\r\nhost: {HOST}\r\ncontent-type: {media_type}\r\ncontent-length: {length}\r\n\r\n{body}"
            );
            stream.write_all(head.as_bytes()).await.unwrap();
            let said = read(&mut stream, None).await.unwrap();
            assert!(
                (400..500).contains(&said.status),
                "{path} {media_type} {body}: {}",
                text(&said)
            );
        }
    }
    let words = inbox
        .opened("/words")
        .await
        .with("words", "these are no words");
    let said = inbox.post(&words).await;
    assert_eq!(said.status, 422);
    assert_eq!(Form::of(&said).get("words"), "these are no words");
    let none = inbox.post(&words.with("words", form.get("words"))).await;
    assert!(text(&none).contains("There is nothing for these words here"));
    assert!(inbox.texts().is_empty());
}

#[tokio::test(start_paused = true)]
async fn every_response_is_for_this_page_alone_and_kept_nowhere() {
    let inbox = Inbox::new(1);
    let form = inbox.opened("/").await.with("text", "x");
    let mut all = vec![
        inbox.post(&form).await,
        inbox.post(&form.with("form", "")).await,
    ];
    for path in PAGE_PATHS.iter().filter(|path| !POSTED.contains(path)) {
        all.push(inbox.get(path).await);
    }
    for (media_type, body) in [
        ("application/json", "{\"bytes\":0}"),
        ("application/json", "{}"),
        ("text/plain", ""),
    ] {
        let own = format!("http://{HOST}");
        all.push(inbox.ask_price(&own, media_type, body).await);
    }
    for said in all {
        for header in [
            "content-security-policy: default-src 'none'; script-src 'self'; worker-src 'self'; connect-src 'self'; style-src 'self'; img-src data:; form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
            "cache-control: no-store",
            "referrer-policy: same-origin",
            "x-content-type-options: nosniff",
            "cross-origin-opener-policy: same-origin",
            "cross-origin-resource-policy: same-origin",
        ] {
            assert!(said.head.contains(header), "{header}: {}", said.head);
        }
        for header in ["etag", "set-cookie", "date:", "server:", "last-modified"] {
            assert!(!said.head.contains(header), "{header}: {}", said.head);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn what_was_read_of_a_form_goes_with_its_connection() {
    let inbox = Inbox::new(1);
    let form = inbox.opened("/").await.with("text", "x");
    let look = inbox.opened("/words").await;
    for (form, status) in [
        (form.clone(), 200),
        (form.clone().with("form", ""), 409),
        (form.clone().with("text", " "), 422),
        (look.clone().with("words", form.get("words")), 200),
        (look.with("words", "none"), 422),
    ] {
        let said = inbox.post(&form).await;
        assert_eq!(said.status, status);
        assert!(said.head.contains("connection: close"), "{}", said.head);
    }
    for path in ["/", "/words", "/page.css"] {
        let said = inbox.get(path).await;
        assert!(!said.head.contains("connection:"), "{}", said.head);
    }
}
