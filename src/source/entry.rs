//! What a source yields.

/// What a source yields.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Entry<'a> {
    /// An event's bytes, as in the log.
    Event(&'a [u8]),
    /// A format description from before the start, which is needed to read the events after it.
    Preamble(&'a [u8]),
    /// Another file begins.
    File(&'a str),
}

/// Receives what a source yields.
pub trait Sink {
    /// An event, in its parts.
    fn event(&mut self, parts: &[&[u8]]);
    /// See [`Entry::Preamble`].
    fn preamble(&mut self, event: &[u8]);
    /// See [`Entry::File`].
    fn file(&mut self, name: &str);
}
