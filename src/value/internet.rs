//! INET4 and INET6 addresses, as MariaDB prints them.
//!
//! Unlike RFC 5952, and so Rust, it also abbreviates a single group of zeros (`1::2:3:4:5:6:7`), and prints
//! `::192.0.2.128`.
//!
//! Source: MariaDB's `sql/sql_type_inet.cc`, `Inet6::to_string`.

use std::io::Write;

/// Appends `"192.0.2.128"`.
pub fn v4([a, b, c, d]: [u8; 4], out: &mut Vec<u8>) {
    // Writing to a Vec does not fail.
    let _ = write!(out, "\"{a}.{b}.{c}.{d}\"");
}

/// Appends `"2001:db8::ff00:42:8329"`.
pub fn v6(address: [u8; 16], out: &mut Vec<u8>) {
    let mut groups = [0u16; 8];
    for (group, bytes) in groups.iter_mut().zip(address.as_chunks::<2>().0) {
        *group = u16::from_be_bytes(*bytes);
    }
    let (gap, len) = longest_zeros(&groups);
    let is_v4 = gap == 0 && (len == 6 || len == 5 && groups[5] == 0xffff);
    out.push(b'"');
    for (i, group) in groups.iter().enumerate() {
        if len > 0 && (gap..gap + len).contains(&i) {
            if i == gap {
                out.extend_from_slice(if i == 0 { b"::" } else { b":" });
            }
        } else if is_v4 && i == 6 {
            let [.., a, b, c, d] = address;
            let _ = write!(out, "{a}.{b}.{c}.{d}");
            break;
        } else {
            let _ = write!(out, "{group:x}");
            if i < 7 {
                out.push(b':');
            }
        }
    }
    out.push(b'"');
}

/// Start and length of the first longest run of zero groups; the length may be 0.
fn longest_zeros(groups: &[u16; 8]) -> (usize, usize) {
    let mut longest = (0, 0);
    let mut len = 0;
    for (i, group) in groups.iter().enumerate() {
        len = if *group == 0 { len + 1 } else { 0 };
        if len > longest.1 {
            longest = (i + 1 - len, len);
        }
    }
    longest
}
