//! Beginnings, pieces and forms that are no good: nothing of them is stored, and what was good before stays.

use super::*;

#[tokio::test(start_paused = true)]
async fn what_is_wrong_with_the_form_leaves_the_files_where_they_are() {
    let inbox = Inbox::new(1);
    let form = inbox.opened("/").await;
    let form = form
        .clone()
        .with("text", &format!("mine: {}", form.get("words")));
    let begun = inbox.begun(&form, "1", &files()).await;
    inbox.all_sent(&begun).await;
    for (wrong, status) in [
        (form.clone(), 422),
        (form.clone().with("text", &"x".repeat(3501)), 422),
        (form.clone().with("follows", "yes").with("text", "see"), 409),
    ] {
        let said = inbox.post(&wrong.with("upload", &begun.name)).await;
        assert_eq!(said.status, status);
        let page = text(&said);
        assert!(
            page.contains("a &#34;photo&#34; ü.jpg")
                && !page.contains("Choose the files once more"),
            "{page}"
        );
        let mended = Form::of(&said);
        assert_eq!(
            (mended.get("upload"), mended.get("form")),
            (begun.name.as_str(), form.get("form"))
        );
    }
    let long = form
        .clone()
        .with("upload", &begun.name)
        .with("text", &"y".repeat(3500));
    let said = inbox.post(&long).await;
    assert_eq!(said.status, 200, "a longer text fits, too: {}", text(&said));
    must_be_stored(&inbox, 1);
}

#[tokio::test(start_paused = true)]
async fn words_in_a_file_are_found_before_it_is_stored() {
    let inbox = Inbox::new(1);
    let form = inbox.opened("/").await;
    for (name, file) in [("words", form.get("words")), (form.get("words"), "x")] {
        let begun = inbox.begun(&form, name, &[(name, "", file.into())]).await;
        inbox.all_sent(&begun).await;
        let said = inbox.post(&form.clone().with("upload", &begun.name)).await;
        assert_eq!(said.status, 422, "{}", text(&said));
        // Left out, by the mark beside their names.
        let without = Form::of(&said).with("text", "without");
        assert_eq!(without.get("upload"), begun.name);
    }
    assert!(inbox.texts().is_empty());
}

#[tokio::test(start_paused = true)]
async fn pieces_that_are_none_are_refused() {
    let inbox = Inbox::new(1);
    let form = inbox.opened("/").await;
    let begun = inbox.begun(&form, "1", &files()).await;
    let good = begun.part(4);
    let mut elsewhere = good.clone();
    elsewhere[32..34].copy_from_slice(b"00");
    let mut beyond = good.clone();
    beyond[32..34].copy_from_slice(b"05");
    let mut no_digits = good.clone();
    no_digits[32..34].copy_from_slice(b"0x");
    let mut unknown = good.clone();
    unknown[0] = if unknown[0] == b'0' { b'1' } else { b'0' };
    for (media_type, body, status, code) in [
        (OCTETS, &elsewhere[..], 401, "unproven"),
        (OCTETS, &beyond, 401, "unproven"),
        (OCTETS, &good[..good.len() - 1], 401, "unproven"),
        (OCTETS, &[&good[..], b"x"].concat(), 401, "unproven"),
        (OCTETS, &unknown, 401, "unproven"),
        (OCTETS, &no_digits, 400, "malformed"),
        (OCTETS, &good[..33], 400, "malformed"),
        (OCTETS, &[7; 65_537], 413, "too_large"),
        ("application/json", &good, 415, "unsupported_media_type"),
    ] {
        let said = inbox.send("/piece", media_type, body).await;
        assert_eq!(
            (said.status, error(&said).as_str()),
            (status, code),
            "{} bytes",
            body.len()
        );
    }
    let again = inbox.begun(&form, "1", &files()).await;
    assert_eq!(again.missing, begun.missing, "none of them is here");
}

#[tokio::test(start_paused = true)]
async fn beginnings_that_are_none_are_refused_with_words_for_people() {
    let inbox = Inbox::new(0);
    let form = inbox.opened("/").await;
    let many: Vec<_> = (0..33).map(|_| ("a", "", vec![1])).collect();
    for (form, files, status, code) in [
        (form.clone(), files(), 403, "uninvited"),
        (
            form.clone().with("invitation", "x"),
            files(),
            403,
            "uninvited",
        ),
        (form.clone().with("challenge", "00"), files(), 409, "spent"),
        (form.clone().with("form", "00"), files(), 410, "expired"),
        (form.clone(), many, 413, "too_large"),
        (form.clone(), Vec::new(), 413, "too_large"),
        (
            form.clone(),
            vec![("a", "", vec![0; 1 << 20])],
            413,
            "too_large",
        ),
        (
            form.clone().with("text", &"x".repeat(3501)),
            files(),
            422,
            "bad_content",
        ),
    ] {
        let said = inbox.begin(&form, "1", &files).await;
        assert_eq!((said.status, error(&said).as_str()), (status, code));
        let json: Value = serde_json::from_slice(&said.body).unwrap();
        assert!(json["words"].as_str().unwrap().len() > 20, "{json}");
    }
    let huge = json!({ "name": "a", "type": "", "size": u64::MAX });
    let huge = json!({ "form": form.get("form"), "key": "", "text": 0, "files": [huge, huge] });
    let said = inbox
        .send("/upload", "application/json", huge.to_string().as_bytes())
        .await;
    assert_eq!(error(&said), "too_large");
    assert_eq!(inbox.room().reserved, 0);
    let foreign = request("/upload", "application/json", b"{}");
    let foreign = String::from_utf8(foreign).unwrap();
    for (own, others) in [
        (
            format!("origin: http://{HOST}"),
            "origin: http://elsewhere.example",
        ),
        (
            "sec-fetch-site: same-origin".to_owned(),
            "sec-fetch-site: cross-site",
        ),
    ] {
        for path in ["/upload", "/piece"] {
            let mut stream = connect(&inbox.relay);
            let request = foreign.replace(&own, others).replace("/upload", path);
            stream.write_all(request.as_bytes()).await.unwrap();
            assert_eq!(read(&mut stream, None).await.unwrap().status, 403);
        }
    }
}
