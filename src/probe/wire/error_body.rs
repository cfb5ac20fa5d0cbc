//! stub
/// What an error body says.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ErrorFacts {
    /// What kind of text the body is.
    pub shape: BodyShape,
    /// stub
    pub message: Option<String>,
    /// stub
    pub kind: Option<String>,
    /// stub
    pub code: Option<String>,
    /// stub
    pub status: Option<String>,
    /// stub
    pub reason: Option<String>,
    /// stub
    pub param: Option<String>,
    /// stub
    pub estimated_time_s: Option<f64>,
    /// stub
    pub retry_delay_s: Option<f64>,
}
/// What kind of text a body is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum BodyShape {
    /// Nothing, or only white space.
    #[default]
    Empty,
    /// JSON.
    Json,
    /// A web page.
    Html {
        /// Its title, cleaned.
        title: Option<String>,
    },
    /// Anything else.
    Text,
}
impl ErrorFacts {
    /// stub
    #[must_use]
    pub fn read(_body: &[u8]) -> Self {
        Self::default()
    }
}
/// stub
#[must_use]
pub fn has_error(_value: &serde_json::Value) -> bool {
    false
}
