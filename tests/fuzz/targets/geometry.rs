//! Geometries. The input is a byte for the order of axes and the server's bytes.

use super::valid_json;
use dumpa::value::geometry::{self, Axes};

pub fn run(data: &[u8]) {
    let Some((choices, bytes)) = data.split_first() else { return };
    let axes = if choices & 1 == 0 { Axes::AsStored } else { Axes::BySrid };
    let mut out = b"before".to_vec();
    let outcome = geometry::write(bytes, axes, &mut out);
    let json = out.strip_prefix(b"before").expect("what was there before stays");
    if outcome.is_err() {
        assert!(json.is_empty(), "half a value is left: {}", String::from_utf8_lossy(json));
        return;
    }
    valid_json::check(json);
    assert!(json.len() <= 64 + 20 * bytes.len(), "{} bytes of {}", json.len(), bytes.len());
}
