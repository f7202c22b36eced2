//! Plain data as policies are written in: what a language's values look like from here.

use crate::error::PolError;
use std::borrow::Cow;

/// Deepest nesting that anything here looks at. Whoever builds a [`Data`] from untrusted values must not nest it deeper: that bounds the
/// recursion of dropping and encoding it.
pub const MAX_DEPTH: usize = 64;

/// A plain value. Texts are borrowed where the caller has them.
#[derive(Clone, Debug, PartialEq)]
pub enum Data<'a> {
    /// `nil`
    Nil,
    /// `tru`, `fls`
    Bool(bool),
    /// A finite number.
    Num(f64),
    /// Text.
    Str(Cow<'a, str>),
    /// Bytes.
    Bytes(Cow<'a, [u8]>),
    /// A list.
    List(Vec<Data<'a>>),
    /// An object; keys are unique.
    Object(Vec<(Cow<'a, str>, Data<'a>)>),
    /// Anything that is not plain data (or nests deeper than [`MAX_DEPTH`]): what to call it in an error.
    Other(Cow<'a, str>),
}

impl<'a> Data<'a> {
    /// What `typ` says of it.
    #[must_use]
    pub fn type_name(&self) -> &str {
        match self {
            Data::Nil => "nil",
            Data::Bool(_) => "bol",
            Data::Num(_) => "num",
            Data::Str(_) => "str",
            Data::Bytes(_) => "byt",
            Data::List(_) => "lst",
            Data::Object(_) => "obj",
            Data::Other(name) => name,
        }
    }
    /// A text.
    #[must_use]
    pub fn text(text: &'a str) -> Self {
        Data::Str(Cow::Borrowed(text))
    }
    pub(crate) fn field(&self, key: &str) -> Option<&Data<'a>> {
        match self {
            Data::Object(entries) => entries.iter().find(|(name, _)| name == key).map(|(_, value)| value),
            _ => None,
        }
    }
    pub(crate) fn as_str(&self, what: &str) -> Result<&str, PolError> {
        match self {
            Data::Str(text) => Ok(text),
            other => Err(PolError::wrong_type(what, "a string", other.type_name())),
        }
    }
    pub(crate) fn as_list(&self, what: &str) -> Result<&[Data<'a>], PolError> {
        match self {
            Data::List(items) => Ok(items),
            other => Err(PolError::wrong_type(what, "a list", other.type_name())),
        }
    }
    /// A list of texts.
    pub(crate) fn as_texts(&self, what: &str) -> Result<Vec<&str>, PolError> {
        let items = self.as_list(what)?;
        let mut texts = Vec::with_capacity(items.len());
        for (index, item) in items.iter().enumerate() {
            match item {
                Data::Str(text) => texts.push(&**text),
                other => return Err(PolError::wrong_type(format_args!("{what}[{index}]"), "a string", other.type_name())),
            }
        }
        Ok(texts)
    }
}
