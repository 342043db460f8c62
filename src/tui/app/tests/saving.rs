//! Files of a message are saved in a directory that is asked for.

use std::path::Path;

use super::*;
use kkv_owner::FileInfo;

fn with_files() -> App {
    let mut app = app(1..=3);
    let file = FileInfo {
        name: Zeroizing::new("a".to_owned()).into(),
        bytes: 5,
        media_type: Zeroizing::new(String::new()).into(),
    };
    let files = vec![file.clone(), file];
    arrives(
        &mut app,
        Summary {
            files,
            ..summary(3)
        },
        "two files",
    );
    app
}

#[test]
fn a_directory_is_asked_for_and_they_go_there() {
    let mut app = with_files();
    assert!(screen(&mut app, 100, 24).contains(" s save "));
    assert!(press(&mut app, "s").is_empty());
    for (width, height) in [(80, 24), (60, 15), (40, 8)] {
        let shown = screen(&mut app, width, height);
        assert!(
            shown.contains(" Save into ")
                && shown.contains("│two files")
                && shown.contains(" Esc "),
            "{shown}"
        );
    }
    assert!(press(&mut app, "\n").is_empty());
    assert!(screen(&mut app, 80, 24).contains("where are they to be saved?"));
    press(&mut app, "/tmp/q d");
    app.input(Input::Paste(Zeroizing::new("own\u{202e}s\n".to_owned())));
    let effects = press(&mut app, "\n");
    let [Effect::SaveFiles { run, id, directory }] = &effects[..] else {
        panic!("{effects:?}");
    };
    let want = (status().relay, MessageId(3), Path::new("/tmp/q downs"));
    assert_eq!((*run, *id, directory.as_path()), want);
    assert_eq!(app.screen, Screen::Message);
}

#[test]
fn nothing_is_saved_where_one_goes_back_or_the_message_goes() {
    let mut app = with_files();
    press(&mut app, "s/tmp\x1b");
    assert!(app.screen == Screen::Message && app.saving.is_none());
    press(&mut app, "s/tmp");
    app.update(Event::Relay(RelayEvent::Listed(status(), listed([1]))));
    assert!(app.screen == Screen::Inbox && app.saving.is_none());
    assert!(
        !press(&mut app, "\n")
            .iter()
            .any(|effect| matches!(effect, Effect::SaveFiles { .. }))
    );
    arrives(&mut app, summary(1), "no files");
    press(&mut app, "s");
    assert!(app.saving.is_none() && screen(&mut app, 80, 24).contains("it has no files"));
}
