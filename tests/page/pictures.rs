//! Pictures of the page for the guide, `docs/pictures/page-*.png`: each light and dark beside each other, in a narrow
//! window and a wide one. `cargo xtask pages` takes them.

use std::fs;
use std::path::Path;

use data_encoding::BASE64;
use miniz_oxide::deflate::compress_to_vec_zlib;

use super::each::each;
use super::webdriver::{Colours, Session};

/// The pages that the guide shows, and what they are called there.
const SHOWN: [(&str, &str); 4] = [
    ("paying", "pay"),
    ("sent", "sent"),
    ("words", "words"),
    ("answer", "answer"),
];

const WIDTHS: [u32; 2] = [320, 1280];

/// What is another in each run, and on each machine: words, times, and how fast it computes.
const STILL: &str = "
    for (const words of document.querySelectorAll('.words')) {
        words.textContent = 'legal winner thank year wave sausage worth useful legal winner thank yellow';
    }
    for (const time of document.querySelectorAll('time')) time.textContent = '2027-01-15 08:00 UTC';
    const pay = document.getElementById('pay');
    if (pay) {
        const values = { time: '1 minute', most: '2 minutes', found: 5, count: 16 };
        const filled = (text) => text.replace(/\\{(\\w+)\\}/g, (_, name) => values[name]);
        document.getElementById('needs').textContent = filled(pay.dataset.offer);
        document.getElementById('pay-status').textContent = filled(pay.dataset.working);
        document.getElementById('pay-progress').value = values.found;
    }";

/// Puts two pictures beside each other, in the eleven colours that change them least: each is the one from which most
/// is far that is there.
const BESIDE: &str = "
    const done = arguments[0];
    const loaded = (data) => new Promise((loads) => {
        const image = new Image();
        image.onload = () => loads(image);
        image.src = 'data:image/png;base64,' + data;
    });
    Promise.all(taken.map(loaded)).then((images) => {
        const [width, height] = [images[0].width + images[1].width, Math.max(images[0].height, images[1].height)];
        const context = new OffscreenCanvas(width, height).getContext('2d');
        context.drawImage(images[0], 0, 0);
        context.drawImage(images[1], images[0].width, 0);
        const { data } = context.getImageData(0, 0, width, height);
        // Four bits of each channel tell enough apart.
        const bins = new Map();
        for (let i = 0; i < data.length; i += 4) {
            const bin = (data[i] >> 4) << 8 | (data[i + 1] >> 4) << 4 | data[i + 2] >> 4;
            const found = bins.get(bin) ?? [0, 0, 0, 0];
            found[0] += 1;
            for (const channel of [0, 1, 2]) found[channel + 1] += data[i + channel];
            bins.set(bin, found);
        }
        const each = [...bins].map(([bin, [count, ...sums]]) => {
            return { bin, count, colour: sums.map((sum) => Math.round(sum / count)), far: 1e9, place: 0 };
        });
        const palette = [];
        while (palette.length < 11) {
            const next = each.reduce((a, b) => (b.count * b.far > a.count * a.far ? b : a)).colour;
            for (const one of each) {
                const far = one.colour.reduce((sum, value, i) => sum + (value - next[i]) ** 2, 0);
                if (far < one.far) Object.assign(one, { far, place: palette.length });
            }
            palette.push(next);
        }
        const nearest = new Map(each.map(({ bin, place }) => [bin, place]));
        const pixels = new Uint8Array(width * height);
        for (let i = 0; i < data.length; i += 4) {
            const bin = (data[i] >> 4) << 8 | (data[i + 1] >> 4) << 4 | data[i + 2] >> 4;
            pixels[i / 4] = nearest.get(bin);
        }
        const reader = new FileReader();
        reader.onload = () => done({ width, palette: palette.flat(), pixels: reader.result.split(',')[1] });
        reader.readAsDataURL(new Blob([pixels]));
    });";

/// This page light and dark, in a window of this width.
fn picture(browser: &Session, width: u32) -> Vec<u8> {
    browser.resize(width, 600);
    let taken = Colours::BOTH.map(|colours| {
        browser.set_colours(colours);
        browser.picture()
    });
    let beside = browser.evaluate_at_length(&format!("const taken = {taken:?};{BESIDE}"));
    let number = |value: &serde_json::Value| value.as_u64().expect("a number");
    let palette = beside["palette"].as_array().expect("a list").iter();
    let palette: Vec<u8> = palette.map(|value| number(value) as u8).collect();
    let pixels = beside["pixels"].as_str().expect("base64");
    let pixels = BASE64.decode(pixels.as_bytes()).expect("base64");
    png(number(&beside["width"]) as u32, &palette, &pixels)
}

/// A PNG with half a byte for each pixel, which is a place in the palette (PNG, 3rd edition, §5 and §11).
fn png(width: u32, palette: &[u8], pixels: &[u8]) -> Vec<u8> {
    let rows = pixels.chunks(width as usize);
    let height = rows.len() as u32;
    let packed = |row: &[u8]| -> Vec<u8> {
        let pairs = row.chunks(2);
        pairs
            .map(|pair| pair[0] << 4 | pair.get(1).unwrap_or(&0))
            .collect()
    };
    let unfiltered: Vec<u8> = rows
        .flat_map(|row| [vec![0], packed(row)].concat())
        .collect();
    let mut head = [width.to_be_bytes(), height.to_be_bytes()].concat();
    head.extend([4, 3, 0, 0, 0]);
    let mut png = b"\x89PNG\r\n\x1a\n".to_vec();
    for (kind, content) in [
        (b"IHDR", head),
        (b"PLTE", palette.to_vec()),
        (b"IDAT", compress_to_vec_zlib(&unfiltered, 10)),
        (b"IEND", Vec::new()),
    ] {
        png.extend((content.len() as u32).to_be_bytes());
        let chunk = [&kind[..], &content].concat();
        png.extend(&chunk);
        png.extend(crc32(&chunk).to_be_bytes());
    }
    png
}

/// That of PNG (§D), zip and Ethernet.
fn crc32(bytes: &[u8]) -> u32 {
    let bit = |crc: u32, _| (crc >> 1) ^ (0xedb8_8320 & (crc & 1).wrapping_neg());
    let all = bytes
        .iter()
        .fold(!0, |crc, byte| (0..8).fold(crc ^ u32::from(*byte), bit));
    !all
}

#[test]
fn a_checksum_is_as_published() {
    assert_eq!(crc32(b"123456789"), 0xcbf4_3926);
}

#[test]
#[ignore = "it writes into the guide: cargo xtask pages runs it"]
fn the_pictures_of_the_guide_are_taken() {
    let place = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/pictures");
    let mut taken = 0;
    each(|name, browser| {
        let Some((_, called)) = SHOWN.iter().find(|(shown, _)| *shown == name) else {
            return;
        };
        browser.evaluate(STILL);
        for width in WIDTHS {
            let file = place.join(format!("page-{called}-{width}.png"));
            fs::write(file, picture(browser, width)).expect("a file of ours");
            taken += 1;
        }
        browser.resize(1280, 800);
    });
    assert_eq!(taken, SHOWN.len() * WIDTHS.len());
}
