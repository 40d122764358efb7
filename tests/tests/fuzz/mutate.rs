//! Breaking examples.

use rand::rngs::StdRng;
use rand::{Rng, RngExt};

/// What breaks parsers, whatever they parse.
const WORDS: &[&[u8]] = &[
    b"",
    b"\0",
    b"\xff\xfe",
    b"\xc0\x80",
    b"\xed\xa0\x80",
    b"\xef\xbb\xbf",
    b"null",
    b"true",
    b"{}",
    b"[]",
    b"\"\"",
    b"-1",
    b"0",
    b"-0",
    b"1e309",
    b"1e-400",
    b"99999999999999999999",
    b"18446744073709551616",
    b"0.0000001",
    b"\\u0000",
    b"\\ud800",
    b"\\",
    b"\"",
    b"{",
    b"}",
    b"[",
    b"]",
    b",",
    b":",
    b"=",
    b"&",
    b"%",
    b"%00",
    b"%zz",
    b"+",
    b"\n",
    b"\r\n",
    b"\t",
    b" ",
    b"#",
    b"..",
    b"../",
    b"'",
    b"<script>",
    b"$(id)",
    b"${x}",
    b"9999-12-31T23:59:59Z",
    b"-009999-01-01T00:00:00Z",
    b"2026-11-24T07:00:00+99:99",
    b"arn:aws:",
    b"sub_",
    b"v1,",
    b"v1=",
    b"whsec_",
    b"\x9f",
    b"\xbf",
    b"\xff",
    b"\x5f",
    b"\x7f",
    b"\xfb\x7f\xf8\0\0\0\0\0\0",
    b"\x1b\xff\xff\xff\xff\xff\xff\xff\xff",
    b"\x9b\xff\xff\xff\xff\xff\xff\xff\xff",
    b"\x5b\x7f\xff\xff\xff\xff\xff\xff\xff",
    b"\xe2\x80\xae",
    b"\xf0\x9f\x92\xb8",
];

/// The largest input; beyond it only time is lost.
const LARGEST: usize = 64 * 1024;

/// An example, broken one to eight times.
pub(crate) fn mutated(examples: &[Vec<u8>], random: &mut StdRng) -> Vec<u8> {
    let mut bytes = pick(examples, random).clone();
    for _ in 0..random.random_range(1..=8) {
        break_once(&mut bytes, examples, random);
        bytes.truncate(LARGEST);
    }
    bytes
}

fn pick<'a, T>(all: &'a [T], random: &mut StdRng) -> &'a T {
    &all[random.random_range(0..all.len())]
}

/// A range within the bytes, mostly short.
fn range(bytes: &[u8], random: &mut StdRng) -> std::ops::Range<usize> {
    let from = random.random_range(0..=bytes.len());
    let most = if random.random_bool(0.8) { 8 } else { bytes.len() };
    let to = (from + random.random_range(0..=most)).min(bytes.len());
    from..to
}

fn break_once(bytes: &mut Vec<u8>, examples: &[Vec<u8>], random: &mut StdRng) {
    let range = range(bytes, random);
    match random.random_range(0..9) {
        0 => drop(bytes.splice(range, pick(WORDS, random).iter().copied())),
        1 => drop(bytes.splice(range.start..range.start, pick(WORDS, random).iter().copied())),
        2 => drop(bytes.drain(range)),
        3 => {
            let copy = bytes[range.clone()].to_vec();
            drop(bytes.splice(range.start..range.start, copy));
        }
        4 => {
            // Depth and length: one piece, many times.
            let times = 1 << random.random_range(1..12);
            let piece = if range.is_empty() {
                pick(WORDS, random).to_vec()
            } else {
                bytes[range.clone()].to_vec()
            };
            let many = piece.repeat(times).into_iter().take(LARGEST).collect::<Vec<_>>();
            drop(bytes.splice(range.start..range.start, many));
        }
        5 => {
            let other = pick(examples, random);
            let piece = self::range(other, random);
            drop(bytes.splice(range, other[piece].iter().copied()));
        }
        6 => bytes.truncate(range.start),
        7 => {
            if let Some(byte) = bytes.get_mut(range.start) {
                *byte ^= 1 << random.random_range(0..8);
            }
        }
        _ => {
            let mut noise = vec![0; range.len()];
            random.fill_bytes(&mut noise);
            drop(bytes.splice(range, noise));
        }
    }
}
