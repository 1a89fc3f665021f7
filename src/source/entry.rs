//! What a source yields, and who takes it.

/// What a source yields.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Entry<'a> {
    /// An event's bytes, as they stand in the log.
    Event(&'a [u8]),
    /// An event from before the place that the reading begins at, without which the ones after it cannot be read:
    /// a format description.
    Preamble(&'a [u8]),
    /// Another file begins, at its first event.
    File(&'a str),
}

/// Takes what a source yields.
pub trait Sink {
    /// An event, in its parts.
    fn event(&mut self, parts: &[&[u8]]);
    /// See [`Entry::Preamble`].
    fn preamble(&mut self, event: &[u8]);
    /// See [`Entry::File`].
    fn file(&mut self, name: &str);
}
