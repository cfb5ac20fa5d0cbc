//! HTTP/1.1 as values: a parsed request and a response about to be written.
//!
//! Reading and writing bytes is `wire.rs`'s. Requests are held to limits, because a test of a runaway client must end
//! with an answer and not with this process's memory.

use serde_json::Value;

/// The most bytes that a request's head may have.
pub(crate) const HEAD_LIMIT: usize = 32 * 1024;
/// The most header lines that a request may have.
pub(crate) const HEADER_LIMIT: usize = 64;
/// The most bytes that a request's body may have.
pub(crate) const BODY_LIMIT: usize = 1024 * 1024;

/// A request, read completely.
#[derive(Debug, Clone, Default)]
pub(crate) struct Request {
    pub(crate) method: String,
    /// The path without its query.
    pub(crate) path: String,
    pub(crate) query: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
    /// The body as JSON; `Null` when it is none.
    pub(crate) json: Value,
    /// HTTP/1.0, which knows neither keep-alive nor chunks.
    pub(crate) old_version: bool,
}

impl Request {
    /// The first header of that name.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(held, _)| held.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// The value of a query parameter, undecoded.
    pub(crate) fn query(&self, name: &str) -> Option<&str> {
        self.query.split('&').filter_map(|pair| pair.split_once('=')).find(|(key, _)| *key == name).map(|pair| pair.1)
    }

    /// The `model` of a JSON body (`name` in older Ollama requests).
    pub(crate) fn model(&self) -> Option<&str> {
        self.text("model").or_else(|| self.text("name"))
    }

    /// A top-level string of the JSON body.
    pub(crate) fn text(&self, field: &str) -> Option<&str> {
        self.json.get(field).and_then(Value::as_str)
    }

    /// Whether the client wants the connection closed after the answer.
    pub(crate) fn closes(&self) -> bool {
        self.old_version || self.header("connection").is_some_and(|value| value.eq_ignore_ascii_case("close"))
    }
}

/// The head of a request as httparse found it, and what its body will be.
#[derive(Debug)]
pub(crate) struct Head {
    pub(crate) request: Request,
    /// Bytes of the head, including the blank line.
    pub(crate) length: usize,
    pub(crate) body: BodyLength,
    /// The client waits for `100 Continue`.
    pub(crate) expects_continue: bool,
}

/// How the end of a request's body is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum BodyLength {
    Exactly(usize),
    Chunked,
}

/// Why a request cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum BadRequest {
    Malformed,
    HeadTooLarge,
    BodyTooLarge,
}

impl BadRequest {
    /// The answer that ends such a connection.
    pub(crate) fn response(self) -> Response {
        let (status, text) = match self {
            Self::Malformed => (400, "malformed request\n"),
            Self::HeadTooLarge => (431, "request header fields too large\n"),
            Self::BodyTooLarge => (413, "request body too large\n"),
        };
        Response::new(status).with_body("text/plain", text.as_bytes().to_vec())
    }
}

/// Parses the head of a request; `None` when more bytes are needed.
pub(crate) fn parse_head(bytes: &[u8]) -> Result<Option<Head>, BadRequest> {
    let mut headers = [httparse::EMPTY_HEADER; HEADER_LIMIT];
    let mut parsed = httparse::Request::new(&mut headers);
    let length = match parsed.parse(bytes) {
        Ok(httparse::Status::Complete(length)) if length <= HEAD_LIMIT => length,
        Ok(httparse::Status::Partial) if bytes.len() <= HEAD_LIMIT => return Ok(None),
        Ok(_) | Err(httparse::Error::TooManyHeaders) => return Err(BadRequest::HeadTooLarge),
        Err(_) => return Err(BadRequest::Malformed),
    };
    let (path, query) = split_target(parsed.path.unwrap_or("/"));
    let request = Request {
        method: parsed.method.unwrap_or("").to_owned(),
        path,
        query,
        headers: parsed
            .headers
            .iter()
            .map(|header| (header.name.to_owned(), String::from_utf8_lossy(header.value).into_owned()))
            .collect(),
        old_version: parsed.version == Some(0),
        ..Request::default()
    };
    let chunked = request.header("transfer-encoding").is_some_and(|value| value.eq_ignore_ascii_case("chunked"));
    let body = if chunked {
        BodyLength::Chunked
    } else {
        match request.header("content-length").map(|value| value.trim().parse::<usize>()) {
            None => BodyLength::Exactly(0),
            Some(Ok(length)) if length <= BODY_LIMIT => BodyLength::Exactly(length),
            Some(Ok(_)) => return Err(BadRequest::BodyTooLarge),
            Some(Err(_)) => return Err(BadRequest::Malformed),
        }
    };
    let expects_continue = request.header("expect").is_some_and(|value| value.eq_ignore_ascii_case("100-continue"));
    Ok(Some(Head { request, length, body, expects_continue }))
}

/// Splits a request target (origin or absolute form) into path and query.
fn split_target(target: &str) -> (String, String) {
    let rest = match target.split_once("://") {
        Some((_, rest)) => rest.find('/').and_then(|at| rest.get(at..)).unwrap_or("/"),
        None => target,
    };
    let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
    (path.to_owned(), query.to_owned())
}

/// Decodes a chunked body from the front of `bytes`: the body and how many bytes it took; `None` when more are needed.
pub(crate) fn parse_chunks(bytes: &[u8]) -> Result<Option<(Vec<u8>, usize)>, BadRequest> {
    let mut body = Vec::new();
    let mut at = 0;
    loop {
        let rest = bytes.get(at..).unwrap_or_default();
        let (start, size) = match httparse::parse_chunk_size(rest) {
            Ok(httparse::Status::Complete(found)) => found,
            Ok(httparse::Status::Partial) if rest.len() <= HEAD_LIMIT => return Ok(None),
            _ => return Err(BadRequest::Malformed),
        };
        let size = usize::try_from(size).ok().filter(|size| body.len() + size <= BODY_LIMIT);
        let size = size.ok_or(BadRequest::BodyTooLarge)?;
        if size == 0 {
            // The trailer section: header lines up to a blank one. No client of ours sends any.
            let trailer = rest.get(start..).unwrap_or_default();
            return match trailer.get(..2) {
                None => Ok(None),
                Some(b"\r\n") => Ok(Some((body, at + start + 2))),
                Some(_) => Err(BadRequest::Malformed),
            };
        }
        let Some(data) = rest.get(start..start + size) else {
            return Ok(None);
        };
        match rest.get(start + size..start + size + 2) {
            None => return Ok(None),
            Some(b"\r\n") => body.extend_from_slice(data),
            Some(_) => return Err(BadRequest::Malformed),
        }
        at += start + size + 2;
    }
}

/// A response whose body is known before it is sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Response {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Response {
    /// An empty response.
    pub(crate) fn new(status: u16) -> Self {
        Self { status, headers: Vec::new(), body: Vec::new() }
    }

    /// A JSON response.
    pub(crate) fn json(status: u16, value: &Value) -> Self {
        Self::new(status).with_body("application/json", value.to_string().into_bytes())
    }

    /// Adds a header; several of one name are possible.
    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Adds headers.
    pub(crate) fn with_headers(mut self, headers: impl IntoIterator<Item = (String, String)>) -> Self {
        self.headers.extend(headers);
        self
    }

    /// Sets the body and its type.
    pub(crate) fn with_body(mut self, content_type: &str, body: Vec<u8>) -> Self {
        self.body = body;
        self.header("content-type", content_type)
    }
}

/// The first line and header lines of a response, without the blank line.
pub(crate) fn render_head(status: u16, headers: &[(String, String)]) -> String {
    let mut head = format!("HTTP/1.1 {status} {}\r\n", reason(status));
    for (name, value) in headers {
        // A header cannot carry a line break; a scenario that tries gets spaces.
        let value: String = value.chars().map(|c| if matches!(c, '\r' | '\n') { ' ' } else { c }).collect();
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    head
}

/// The reason phrase of a status.
fn reason(status: u16) -> &'static str {
    match status {
        200 => "OK",
        202 => "Accepted",
        301 => "Moved Permanently",
        302 => "Found",
        307 => "Temporary Redirect",
        308 => "Permanent Redirect",
        400 => "Bad Request",
        401 => "Unauthorized",
        402 => "Payment Required",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        412 => "Precondition Failed",
        413 => "Content Too Large",
        429 => "Too Many Requests",
        431 => "Request Header Fields Too Large",
        500 => "Internal Server Error",
        502 => "Bad Gateway",
        503 => "Service Unavailable",
        504 => "Gateway Timeout",
        _ => "Status",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_is_parsed_with_its_query() {
        let head = parse_head(b"GET http://h:1/v1/models?a=1&key=k HTTP/1.1\r\nHost: h\r\nX-Api-Key: s\r\n\r\nrest")
            .unwrap()
            .unwrap();
        assert_eq!((head.request.method.as_str(), head.request.path.as_str()), ("GET", "/v1/models"));
        assert_eq!(head.request.query("key"), Some("k"));
        assert_eq!(head.request.header("x-api-key"), Some("s"));
        assert_eq!(head.body, BodyLength::Exactly(0));
    }

    #[test]
    fn limits_are_refused_and_not_read() {
        let large = format!("POST / HTTP/1.1\r\nContent-Length: {}\r\n\r\n", BODY_LIMIT + 1);
        assert_eq!(parse_head(large.as_bytes()).unwrap_err(), BadRequest::BodyTooLarge);
        let many = format!("GET / HTTP/1.1\r\n{}\r\n", "a: b\r\n".repeat(HEADER_LIMIT + 1));
        assert_eq!(parse_head(many.as_bytes()).unwrap_err(), BadRequest::HeadTooLarge);
        let long = format!("GET / HTTP/1.1\r\na: {}", "b".repeat(HEAD_LIMIT));
        assert_eq!(parse_head(long.as_bytes()).unwrap_err(), BadRequest::HeadTooLarge);
        assert_eq!(parse_head(b"\x16\x03\x01\x02\x00").unwrap_err(), BadRequest::Malformed);
    }

    #[test]
    fn chunks_are_joined() {
        let bytes = b"3\r\nabc\r\n2\r\nde\r\n0\r\n\r\nGET";
        assert_eq!(parse_chunks(bytes).unwrap(), Some((b"abcde".to_vec(), bytes.len() - 3)));
        assert_eq!(parse_chunks(&bytes[..9]).unwrap(), None);
        assert_eq!(parse_chunks(b"zz\r\n").unwrap_err(), BadRequest::Malformed);
    }

    #[test]
    fn a_header_cannot_smuggle_a_line() {
        let head = render_head(200, &[("x".to_owned(), "a\r\nb".to_owned())]);
        assert_eq!(head, "HTTP/1.1 200 OK\r\nx: a  b\r\n");
    }
}
