//! All that the pages say, in English. Another language is another value of [`Strings`].

/// What the pages say. None has markup.
#[derive(Debug)]
pub struct Strings {
    /// The language, as HTML's `lang` wants it.
    pub lang: &'static str,
    /// Title and heading of the page to write on.
    pub write: &'static str,
    /// Heading of the page to go on with a conversation.
    pub go_on: &'static str,
    /// Who reads it, and where it is kept.
    pub about: &'static str,
    /// What protects a message from here.
    pub protected: &'static str,
    /// What a seized inbox can read, of who has no script.
    pub seized: &'static str,
    /// The same where script has the words.
    pub seized_of_script: &'static str,
    /// It costs nothing.
    pub free: &'static str,
    /// It costs nothing, since there was an answer.
    pub answered: &'static str,
    /// An invitation is needed.
    pub invited_only: &'static str,
    /// The same where script would pay, which doesn't run, or not yet.
    pub invited_or_paying: &'static str,
    /// It is paid for.
    pub paid: &'static str,
    /// Files that are here hold what lets it in.
    pub held: &'static str,
    /// There is room for files, and none for a text alone.
    pub only_files: &'static str,
    /// There is no room.
    pub full: &'static str,
    /// The same for who has typed something.
    pub full_typed: &'static str,
    /// Label of the message.
    pub message: &'static str,
    /// How long it may be.
    pub message_hint: &'static str,
    /// Label of the files.
    pub files: &'static str,
    /// How large they may be.
    pub files_hint: &'static str,
    /// Label of the invitation.
    pub invitation: &'static str,
    /// Behind it, where the browser pays.
    pub optional: &'static str,
    /// What an invitation looks like.
    pub invitation_hint: &'static str,
    /// Heading of the words.
    pub words: &'static str,
    /// What they are for.
    pub words_hint: &'static str,
    /// Label of whether an answer is wanted.
    pub answer_wanted: &'static str,
    /// Label of what sends it.
    pub send: &'static str,
    /// Heading of the page that says that it has arrived.
    pub arrived: &'static str,
    /// What that means.
    pub arrived_hint: &'static str,
    /// Before what it is: a text and files.
    pub came: &'static str,
    /// A text, before its length.
    pub came_text: &'static str,
    /// Behind a length.
    pub bytes: &'static str,
    /// A length of one.
    pub one_byte: &'static str,
    /// The same form had come before, long ago.
    pub arrived_before: &'static str,
    /// What to do with the words now.
    pub keep_words: &'static str,
    /// Where the words are that script has made.
    pub only_here: &'static str,
    /// What to do where others use this browser.
    pub new_identity: &'static str,
    /// Link to the page for the words.
    pub to_answers: &'static str,
    /// Link to the page to write on.
    pub to_write: &'static str,
    /// Heading of the page for the words.
    pub answers: &'static str,
    /// Label of the words.
    pub your_words: &'static str,
    /// How they may be typed.
    pub your_words_hint: &'static str,
    /// Label of what looks for answers.
    pub look: &'static str,
    /// There is no conversation of these words.
    pub no_box: &'static str,
    /// What that can mean.
    pub no_box_hint: &'static str,
    /// There is no new answer.
    pub none_yet: &'static str,
    /// Heading of an answer.
    pub answer: &'static str,
    /// Heading of what is known of each message.
    pub your_messages: &'static str,
    /// A message was accepted, and no more is known.
    pub accepted: &'static str,
    /// It waits to be read.
    pub waiting: &'static str,
    /// It has not been read as far as is known, and there is an answer since.
    pub was_answered: &'static str,
    /// It was read.
    pub read: &'static str,
    /// It is not there any more.
    pub gone: &'static str,
    /// Until when the words are good.
    pub until: &'static str,
    /// What becomes of the answers that are shown.
    pub shown_stay: &'static str,
    /// Label of what asks whether to delete them.
    pub delete: &'static str,
    /// What that means.
    pub delete_hint: &'static str,
    /// Label of what deletes them.
    pub delete_sure: &'static str,
    /// They are deleted.
    pub deleted: &'static str,
    /// Heading of what went wrong.
    pub error: &'static str,
    /// The form's id is no good; what was typed is there.
    pub form_expired: &'static str,
    /// There is nothing in the message.
    pub empty: &'static str,
    /// A file has no byte.
    pub empty_file: &'static str,
    /// The text is too long.
    pub too_long: &'static str,
    /// The files are too large, or too many.
    pub too_large: &'static str,
    /// This inbox takes no files, or none of this size now.
    pub no_room_for_files: &'static str,
    /// The files that were uploaded are not there.
    pub files_gone: &'static str,
    /// The owner wiped everything while it came: nobody is told that.
    pub let_go: &'static str,
    /// Label of the files that were uploaded, before their names.
    pub uploaded: &'static str,
    /// The message has the words in it.
    pub words_inside: &'static str,
    /// The message has the words of some conversation in it.
    pub other_words: &'static str,
    /// Heading of the form that stands where a message has gone from, in place of `write`.
    pub anew: &'static str,
    /// What that means.
    pub anew_hint: &'static str,
    /// Heading of its words.
    pub anew_words: &'static str,
    /// No invitation, and none of the free places.
    pub uninvited: &'static str,
    /// What was paid is less than a slot costs now.
    pub price_rose: &'static str,
    /// What was paid with is no good.
    pub bad_payment: &'static str,
    /// There is no room now, and there was when the page was opened.
    pub full_now: &'static str,
    /// The invitation is none, used up, expired or revoked.
    pub bad_invitation: &'static str,
    /// The words are none.
    pub bad_words: &'static str,
    /// They are a wallet's, or an inbox's card's.
    pub words_of_another_kind: &'static str,
    /// `{word}` is none of the list.
    pub word_unknown: &'static str,
    /// They are `{count}`.
    pub words_count: &'static str,
    /// Heading of an answer that doesn't open with the words.
    pub unopened: &'static str,
    /// What that can mean, and what becomes of it.
    pub stays_sealed: &'static str,
    /// Script is sending what was typed.
    pub sending: &'static str,
    /// The inbox has not answered.
    pub lost: &'static str,
    /// The conversation is over.
    pub conversation_over: &'static str,
    /// Too much at once.
    pub busy: &'static str,
    /// It is about to stop.
    pub stopping: &'static str,
    /// The files have to be chosen once more.
    pub choose_again: &'static str,
    /// The form can't be read.
    pub malformed: &'static str,
    /// In place of `invited_only`, where script runs: `{time}` is the mean, `{most}` the longest it is likely to take.
    pub pay_offer: &'static str,
    /// The same where both times are said alike.
    pub pay_about: &'static str,
    /// In its place where it would take too long.
    pub pay_hopeless: &'static str,
    /// The price is being asked for.
    pub pay_asking: &'static str,
    /// How far it is: `{found}` of `{count}`, and `{time}` is left.
    pub pay_working: &'static str,
    /// It is done, and the form is on its way.
    pub pay_done: &'static str,
    /// Label of what ends it.
    pub pay_cancel: &'static str,
    /// It was ended.
    pub pay_cancelled: &'static str,
    /// The challenge has expired meanwhile.
    pub pay_late: &'static str,
    /// The price can't be had, or the browser doesn't compute.
    pub pay_failed: &'static str,
    /// An upload is about to begin.
    pub upload_asking: &'static str,
    /// How far it is: `{done}` of `{all}` have come, `{each}` a second, and `{time}` is left.
    pub upload_working: &'static str,
    /// All of it has come, and the form is on its way.
    pub upload_done: &'static str,
    /// It was ended.
    pub upload_cancelled: &'static str,
    /// It doesn't go on.
    pub upload_failed: &'static str,
}

/// English.
pub const ENGLISH: Strings = Strings {
    lang: "en",
    write: "Leave a message",
    go_on: "Write back",
    about: "Whoever runs this inbox reads what you write here. It is kept in memory alone, and it is gone when \
            the inbox stops.",
    protected: "On the way to the inbox Tor's encryption protects this page and your message. Nothing else does: kkv's \
                own is not used here, and nobody signs the message.",
    seized: "The inbox sees your twelve words when it makes them and when you type them: whoever has seized it by \
             then can read the answers.",
    seized_of_script: "Your twelve words stay in this browser, which opens the answers itself: whoever has seized the inbox \
                       can read none that was sealed before, unless you type your words into a page that they have \
                       changed.",
    free: "There is nothing to pay: a place is free for your message.",
    answered: "You have been answered, so you can write back without an invitation: once for each answer.",
    invited_only: "To write from this page you need an invitation, which the inbox's owner gives out. Without one \
                   you can write with the program kkvc, which pays by computing; ask the owner where to get it.",
    invited_or_paying: "To write from this page without script you need an invitation, which the inbox's owner gives \
                        out. Where this page may run script, as at Tor Browser's levels Standard and Safer, the browser can \
                        pay instead, by computing, if that doesn't take too long. So does the program kkvc; ask the owner where to get it.",
    paid: "Your message is paid for, if you send it soon.",
    held: "Your files are here already, and hold what lets your message in. It goes with them, if you send it soon.",
    only_files: "There is no place for a text alone now. With a file there is: your text goes with it.",
    full: "This inbox is full, and takes no message now. Come back later.",
    full_typed: "This inbox is full. As soon as there is room in it, Send brings your message.",
    message: "Your message",
    message_hint: "At most 3,500 bytes: about 600 words. Longer texts go as a file. Until you send it, it is kept \
                   nowhere: who leaves or reloads this page loses it.",
    files: "Files",
    files_hint: "At most 1 MiB together. What they say about you, such as names and places in photos, goes with \
                 them.",
    invitation: "Invitation",
    optional: "(not needed if your computer pays)",
    invitation_hint: "The whole line that you were given.",
    words: "Your twelve words",
    words_hint: "Write them down now if you want to be answered: only they open the answer, and nobody can give \
                 them to you again.",
    answer_wanted: "I want to be able to read an answer",
    send: "Send",
    arrived: "Your message has arrived",
    arrived_hint: "It waits for the owner, in memory. You can close this page.",
    came: "This is what has come:",
    came_text: "Text",
    bytes: "bytes",
    one_byte: "1 byte",
    arrived_before: "It had come before. If you have changed it since, that is not sent: write it on a new page.",
    keep_words: "Keep these twelve words. With them you read the answer here, from any Tor Browser:",
    only_here: "Your browser has made these words, and the inbox doesn't have them: once you leave or reload this page, \
                nobody can show them again.",
    new_identity: "If others use this computer: choose New Identity in Tor Browser's menu when you are done.",
    to_answers: "Read an answer",
    to_write: "Leave a message",
    answers: "Read an answer",
    your_words: "Your twelve words",
    your_words_hint: "As you wrote them down; the first four letters of each are enough.",
    look: "Look",
    no_box: "There is nothing for these words here",
    no_box_hint: "The inbox was stopped or emptied since your message, the time of the conversation is over, or the \
                  words are another inbox's. If you still have something to say, write anew.",
    none_yet: "No new answer yet",
    answer: "Answer",
    your_messages: "Your messages",
    accepted: "arrived",
    waiting: "waits to be read",
    was_answered: "was answered",
    read: "was read",
    gone: "is not there any more",
    until: "Your words stay good until",
    shown_stay: "The answers stay here until you delete them, or write back.",
    delete: "Delete these answers here …",
    delete_hint: "Nobody can show them again then. What you have typed stays.",
    delete_sure: "Delete the answers",
    deleted: "The answers are deleted",
    error: "Your message was not sent",
    form_expired: "This page was open for too long, or the inbox was started again meanwhile. What you typed is \
                   still here: send it once more.",
    empty: "There is nothing in it: write something, or choose a file.",
    empty_file: "A file that you have chosen is empty, so nothing would come of it. Look whether it is the right one.",
    too_long: "Your text is too long: 3,500 bytes fit. Shorten it, or send it as a file. The field takes no more than 5,000 \
               characters: of a longer text that you have pasted, the end is missing.",
    too_large: "Text and files are larger than 1 MiB together, or there are more than 32 files. Choose fewer, or \
                smaller ones.",
    no_room_for_files: "This inbox has no room for files of this size now. Send the text alone, or come back later.",
    let_go: "While this was on its way, the inbox let go of what it had of it, and nothing of it is here any more. Go \
             back to what you wrote, and send it once more.",
    files_gone: "The files are not here, or not any more: the inbox keeps them for some minutes only. Your text is still \
                 here.",
    uploaded: "Send these files, which are here already:",
    words_inside: "Your twelve words are in what you were about to send. Take them out: whoever has them reads \
                   your answers.",
    other_words: "There are twelve reply words in your message. Whoever has them reads the answers that wait for them: \
                  take them out. To read an answer, use the link above. If they are something else, send them as a file.",
    anew: "A new message, with new words",
    anew_hint: "Your message has arrived. This is the form for another one. The twelve words below are its own: they don't \
                open the answer to what you have sent. Those that do are not shown again; if you have written them down, \
                read the answer with them.",
    anew_words: "Twelve new words",
    uninvited: "To send it you need an invitation: paste it below. If a place was free when you opened this page, it \
                has been taken since.",
    price_rose: "The price has risen since your computer began to pay, or there are files now, which cost more. Your text \
                 is still here: send it once more, and your computer pays the new price.",
    bad_payment: "What your computer has paid with is too old, or was used already. Your text is still here: send it \
                  once more, and your computer pays anew.",
    full_now: "The inbox has no room for this message now. What you typed is on this page alone. Leave it open and press \
               Send again from time to time, for some hours if it must be; or copy it to where it is safe with you, and \
               come back later.",
    bad_invitation: "This invitation doesn't work: it is mistyped, used up, too old, or another inbox's.",
    bad_words: "These are not twelve reply words. Look for a mistyped one, or two that have changed places.",
    words_of_another_kind: "These are twelve words of another kind, as wallets have them. Reply words are those that this \
                            page or kkvc has shown when the message was written.",
    word_unknown: "“{word}” is not a word of the list that reply words are from. Look how you wrote it down.",
    words_count: "Reply words are twelve, and these are {count}.",
    unopened: "An answer that doesn't open",
    stays_sealed: "Your words don't open it: it was sealed for other ones, or it is damaged. It is not deleted. You can \
                   write back and ask for it once more.",
    sending: "On its way …",
    lost: "The inbox didn't answer, so it isn't known whether that has arrived. Try again: what comes twice is kept once.",
    conversation_over: "The conversation of these words is over here. Your text is still below: you can send it as \
                        a first message.",
    busy: "The inbox has too much to do at this moment. Try again in a minute; your text is still here.",
    stopping: "The inbox is about to stop. Try again later; your text is still here.",
    choose_again: "Choose the files once more: browsers don't keep them.",
    malformed: "This form didn't come as it should: the line may have been cut. Send it once more.",
    pay_offer: "To write you need no invitation if your computer pays, by computing: about {time}, with bad luck {most}. \
                It begins when you press Send.",
    pay_about: "To write you need no invitation if your computer pays, by computing: about {time} at most. It begins when \
                you press Send.",
    pay_hopeless: "To write from this page you need an invitation, which the inbox's owner gives out. Without one your \
                   computer would have to pay by computing, in this browser for about {time}, which is too long; the \
                   program kkvc computes much faster.",
    pay_asking: "Asking for the price …",
    pay_working: "Your computer pays: {found} of {count} parts are done, about {time} left. Keep this page open.",
    pay_done: "Paid. Your message is on its way.",
    pay_cancel: "Cancel",
    pay_cancelled: "Cancelled. Nothing was sent, and your text is still here.",
    pay_late: "It took longer than the inbox waits. Nothing was sent: press Send to try again.",
    pay_failed: "That failed: the inbox didn't answer, or this browser doesn't compute. Nothing was sent: try again, or \
                 use an invitation.",
    upload_asking: "Asking for room for the files …",
    upload_working: "{done} of {all} have arrived, {each} a second, about {time} left. Keep this page open.",
    upload_done: "The files have arrived. Your message is on its way.",
    upload_cancelled: "Cancelled. Nothing was sent; what you typed and chose is still here.",
    upload_failed: "The line to the inbox is broken. Nothing was sent: press Send, and it goes on where it was.",
};
